// SPDX-License-Identifier: Apache-2.0
/* Texts about sub-accounts at an allocation rail, which the console and the partner's phone show alike. */
import type { Pairs } from '@/i18n'

export const subAccountTexts: Pairs = {
  'sub.title': ['分账子账户', 'Sub-account'], 'sub.ask': ['开通子账户', 'Open a sub-account'], 'sub.asked': ['已提交，等待渠道审核', 'Sent; the provider checks it'],
  'sub.hint': ['证件号与银行卡号加密提交给渠道审核，之后不再保存，也不再显示。', 'The numbers are sent encrypted for the provider\'s check; afterwards they are neither kept nor shown.'],
  'sub.name': ['户名', 'Name of the owner'], 'sub.id.1': ['统一社会信用代码', 'Registration number'], 'sub.id.2': ['身份证号', 'Certificate number'], 'sub.bank': ['银行账号', 'Bank account'],
  'sub.account': ['分账接收方（微信：商户号或 openid；支付宝：2088 开头的用户号）', 'Receiver (WeChat Pay: merchant number or open id; Alipay: user id, 2088…)'], 'sub.sharehint': ['先在渠道登记接收方，单次支付的订单才会由渠道直接分账。', 'The channel must know a receiver first; then it pays his shares of single payments itself.'],
  'channels.sharebp': ['渠道分账上限（万分比，0 为不用）', 'Most that the channel shares (1/10,000; 0 = it does not)'], 'channels.sharebp.hint': ['仅对“即付即充”的支付；微信与支付宝默认上限 30%，即 3000。支付宝扫码支付不分账。', 'Of payments for one order only; the default limit of WeChat Pay and Alipay is 30 %, that is 3000. Alipay payments by code are not shared.'],
  'channels.sharewarn': ['分账会经由本商户号把钱付给其他商户；只应分出属于自己收入的佣金，见文档。', 'Shares move money to others through this merchant account: share only out of your own revenue, see the documents.'],
  'sub.channel': ['渠道', 'Channel'], 'sub.kind.1': ['企业', 'Company'], 'sub.kind.2': ['个人', 'Person'], 'sub.none': ['尚未申请', 'Nobody asked yet'],
  'sub.state.1': ['已提交', 'Asked for'], 'sub.state.2': ['审核中', 'Being checked'], 'sub.state.3': ['已开通', 'Open'], 'sub.state.4': ['被拒绝', 'Refused'], 'sub.state.5': ['已关闭', 'Closed'], 'sub.state.6': ['待另一人同意', 'Waits for a second person'],
}
