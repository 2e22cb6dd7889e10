// SPDX-License-Identifier: Apache-2.0
/* test_io.c: runs every group of tests of floor io. */
#include "io_tests.h"
#include "net_rig.h"

#include "base/must.h"
#include "io/os/crypto.h"
#include "io/os/thread.h"

int main(void)
{
    int failed = 0;

    os_signals_block();
    must(crypto_init() == 0);
    failed += run_os_tests();
    failed += run_mailbox_tests();
    failed += run_ws_tests();
    failed += run_http_tests();
    for (int way = 0; way < 2; way++) {
        rig_batch = way == 1;
        failed += run_net_tests();
        failed += run_net_hard_tests();
        failed += run_net_batch_tests();
        failed += run_tls_tests();
    }
    failed += run_fetch_tests();
    failed += run_framelog_tests();
    failed += run_ftp_talk_tests();
    failed += run_ftp_tests();
    return failed != 0;
}
