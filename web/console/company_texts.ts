// SPDX-License-Identifier: Apache-2.0
/* Texts of the console about companies that pay for their members, Chinese and English side by side. */
import type { Pairs } from '@/i18n'

export const companyTexts: Pairs = {
  'page.companies': ['企业', 'Companies'], 'companies.sub': ['为员工和车队付款的企业：预付或授信月结', 'They pay for their people and fleets: in advance, or by monthly bill'],
  'companies.new': ['新建企业', 'New company'], 'companies.edit': ['编辑企业', 'Edit company'], 'companies.empty': ['还没有企业客户', 'No companies yet'],
  'companies.members': ['成员', 'Members'], 'companies.bills': ['账单', 'Bills'], 'companies.credit': ['授信额度', 'Credit limit'], 'companies.free': ['可用额度', 'May be used'],
  'companies.credit.hint': ['调低额度不会追回已欠的款，只会停止新的充电', 'A lower limit asks nothing back; it stops new charges'],
  'companies.owed': ['已出账未付', 'Billed, not paid'], 'companies.overdue': ['逾期', 'Overdue'], 'companies.unbilled': ['未出账', 'Not billed yet'], 'companies.advance': ['预收', 'Paid in advance'],
  'companies.taxno': ['税号', 'Tax number'], 'companies.billday': ['每月付款日', 'To be paid by this day of the month'], 'companies.contact': ['联系人', 'Contact'],
  'companies.overrun': ['由企业承担（额度内）', 'Is paid by the company, within its limit'],
  'companies.topup': ['企业充值', 'Top up'], 'companies.topup.hint': ['现金或转账已收到，立即可用。', 'Cash or a bank transfer that has arrived; usable at once.'],
  'companies.payin': ['登记收款', 'Money came in'], 'companies.payin.hint': ['先抵最早的账单，多余的记为预收。', 'The oldest bills first; what is over is kept in advance.'], 'companies.paid': ['已收 {v}', '{v} received'],
  'company_kind.1': ['预付', 'Prepaid'], 'company_kind.2': ['授信月结', 'Credit'],
  'company_kind.hint.1': ['先充值后充电，余额不为负', 'Pays in first; its balance is never negative'], 'company_kind.hint.2': ['先充电后按月付款；各方分成在收款后结转', 'Charges first and pays by the month; shares of all parties mature as it pays'],
  'company_bill_state.1': ['未出账', 'Not issued'], 'company_bill_state.2': ['待收款', 'To be paid'], 'company_bill_state.3': ['部分收款', 'Partly paid'], 'company_bill_state.4': ['已结清', 'Settled'],
  'bills.empty': ['还没有账单；第一笔订单之后会有', 'No bills yet; the first order begins one'], 'bills.captured': ['充电扣款', 'Charged'], 'bills.refunded': ['退款', 'Given back'], 'bills.amount': ['应付', 'Amount'],
  'bills.collected': ['已收', 'Collected'], 'bills.overdue': ['已逾期', 'Overdue'], 'bills.due': ['{at} 前付清', 'to be paid before {at}'], 'bills.issue': ['出账', 'Issue'],
  'bills.issued': ['账单已出', 'Bill issued'], 'bills.collect': ['收款', 'Collect'], 'bills.collect.hint': ['部分收款时，各方分成按收款比例结转。', 'Of a part, shares mature in proportion.'],
  'members.new': ['新增成员', 'New member'], 'members.edit': ['编辑成员', 'Edit member'], 'members.empty': ['还没有成员', 'No members yet'], 'members.who': ['成员', 'Member'], 'members.nobody': ['没有此手机号的车主', 'No driver has this phone'],
  'members.what': ['范围', 'What is paid'], 'members.driver': ['车主本人（扫码时选择企业付款）', 'The driver, who chooses when scanning'], 'members.cards': ['刷卡和车架号启动也由企业付款', 'Cards and VINs are paid by the company too'],
  'members.plate': ['车牌', 'Plate'], 'members.quota.hint': ['留空或 0 为不限', 'Empty or 0: no limit'], 'members.month': ['每月额度（元）', 'Money a month'], 'members.order': ['每单额度', 'Money an order'],
  'members.kwh': ['每月电量（kWh）', 'Energy a month (kWh)'], 'members.count': ['每月次数', 'Orders a month'], 'members.stations': ['可用场站', 'Stations'], 'members.everywhere': ['全部场站', 'All stations'], 'members.usedmonth': ['本月已用 / 额度', 'Used this month / quota'],
  'account_kind.17': ['企业账户', 'Company'],
}
