// SPDX-License-Identifier: Apache-2.0
/* cashier.h: `even cashier`: a local server that plays payment providers (WeChat Pay v3, Alipay, the
 * allocation rail) and senders of texts with real signatures, for tests and for the demonstration. The platform talks to
 * it as to any provider; it has no way in that a provider has not. */
#ifndef EVEN_CASHIER_CASHIER_H
#define EVEN_CASHIER_CASHIER_H

/** Runs until a signal. Exit codes as app.h. */
int cashier_main(int argc, char **argv);

/** Folders below the cashier's own that hold what a merchant gets: keys for a channel. */
#define CASHIER_WECHAT_KEYS "merchant/wechat"
#define CASHIER_ALIPAY_KEYS "merchant/alipay"
#define CASHIER_ALLOC_KEYS  "merchant/alloc"

/** Secret and id for whoever has texts sent; what he names. */
#define CASHIER_TEXTS_KEYS     "merchant/texts"
#define CASHIER_TEXTS_ID       "AKIDcashier0000000001"
#define CASHIER_TEXTS_APP      "1400000001"
#define CASHIER_TEXTS_SIGN     "易充"
#define CASHIER_TEXTS_TEMPLATE "LOGIN_1"

/** The one merchant of each. */
#define CASHIER_WECHAT_APP      "wx0000000000cashier"
#define CASHIER_WECHAT_MERCHANT "1900000001"
#define CASHIER_ALIPAY_APP      "2021000000000001"
#define CASHIER_ALIPAY_MERCHANT "2088000000000001"
#define CASHIER_ALLOC_MERCHANT  "even-merchant"

#endif
