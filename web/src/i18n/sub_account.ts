// SPDX-License-Identifier: Apache-2.0
/* Texts about sub-accounts at an allocation rail, which the console and the partner's phone show alike. */
import type { Pairs } from '@/i18n'

export const subAccountTexts: Pairs = {
  'sub.title': ['分账子账户', 'Sub-account'], 'sub.ask': ['开通子账户', 'Open a sub-account'], 'sub.asked': ['已提交，等待渠道审核', 'Sent; the provider checks it'],
  'sub.hint': ['证件号与银行卡号加密提交给渠道审核，之后不再保存，也不再显示。', 'The numbers are sent encrypted for the provider\'s check; afterwards they are neither kept nor shown.'],
  'sub.name': ['户名', 'Name of the owner'], 'sub.id.1': ['统一社会信用代码', 'Registration number'], 'sub.id.2': ['身份证号', 'Certificate number'], 'sub.bank': ['银行账号', 'Bank account'],
  'sub.channel': ['渠道', 'Channel'], 'sub.kind.1': ['企业', 'Company'], 'sub.kind.2': ['个人', 'Person'], 'sub.none': ['尚未申请', 'Nobody asked yet'],
  'sub.state.1': ['已提交', 'Asked for'], 'sub.state.2': ['审核中', 'Being checked'], 'sub.state.3': ['已开通', 'Open'], 'sub.state.4': ['被拒绝', 'Refused'], 'sub.state.5': ['已关闭', 'Closed'],
}
