// SPDX-License-Identifier: Apache-2.0
/* Texts of the console about tax that is withheld of persons, and about what channels let through. */
import type { Pairs } from '@/i18n'

export const taxTexts: Pairs = {
  'page.taxes': ['个税代扣', 'Withheld tax'], 'tax.sub': ['个人分成方提现时按规则代扣，按月申报缴纳', 'Withheld of withdrawals of persons by rule, paid to the office by month'],
  'tax.rules': ['代扣规则', 'Rules'], 'tax.norule': ['还没有规则：不代扣任何税款', 'No rule: nothing is withheld'], 'tax.new': ['新建规则', 'New rule'], 'tax.off': ['不代扣', 'withholds nothing'],
  'tax.from': ['生效时间', 'In force from'], 'tax.deduct': ['每月减除额', 'Deduction of a month'], 'tax.deductbp': ['或减除比例（%），取较大者', 'or part of it (%), whichever is more'],
  'tax.deducted': ['减除 {v} 或 {p}%，取较大者', '{v} or {p} % off, whichever is more'], 'tax.rates': ['税率档', 'Brackets'], 'tax.above': ['应税额超过', 'Taxed above'], 'tax.rate': ['税率（%）', 'Rate (%)'], 'tax.bracket': ['超过 {v}：{p}%', 'above {v}: {p} %'],
  'tax.add': ['加一档', 'Add a bracket'], 'tax.rulehint': ['规则只能新增，须晚于最新一条；没有税率档表示从该日起不再代扣。税率由贵司按现行税法填写。', 'Rules are only added, after the newest; one without brackets ends withholding from that day. You enter what the law says.'],
  'tax.months': ['按月', 'By month'], 'tax.nomonth': ['还没有代扣税款', 'Nothing was withheld yet'], 'tax.month': ['月份', 'Month'], 'tax.withheld': ['已代扣', 'Withheld'], 'tax.paid': ['已缴纳', 'Paid'], 'tax.left': ['待缴纳', 'To be paid'], 'tax.persons': ['人数', 'Persons'],
  'tax.list': ['{m} 代扣明细', 'Withheld in {m}'], 'tax.person': ['姓名', 'Name'], 'tax.cert': ['证件号码', 'Certificate'], 'tax.payouts': ['提现笔数', 'Withdrawals'], 'tax.income': ['收入额', 'Income'], 'tax.tax': ['已扣税额', 'Withheld'],
  'tax.pay': ['登记缴税', 'Note payment'], 'tax.amount': ['缴纳金额', 'Amount'], 'tax.number': ['完税凭证号', "Number of the office's receipt"], 'tax.bank': ['付款账户', 'Paid by'], 'tax.otherbank': ['其他', 'Other'],
  'tax.receipts': ['缴税记录', 'Receipts'], 'tax.noreceipt': ['还没有缴税记录', 'No receipts yet'],
  'parties.cert': ['证件号码', 'Certificate number'], 'parties.cert.hint': ['个人收款方申报个税用；同一人只能登记一个分成方', "For the tax office; one person is one party"],
  'channels.most': ['单笔限额', 'Most of one transfer'], 'channels.daymost': ['单人单日限额', 'Most of one payee a day'], 'channels.named': ['实名校验起点', 'Names the payee from'], 'channels.limit.hint': ['按渠道审批的转账场景填写，0 为不限', 'As the provider approved the scene; 0 = no limit'],
  'payouts.tax': ['代扣个税 {v}', '{v} tax withheld'],
}
