// SPDX-License-Identifier: Apache-2.0
/* Texts of the console about invoices and the reports of a month. */
import type { Pairs } from '@/i18n'

export const invoiceTexts: Pairs = {
  'page.invoices': ['发票', 'Invoices'], 'page.profit': ['场站分润', 'Profit and loss'],
  'f.taxservice': ['服务费税率（%）', 'Tax of service (%)'], 'f.taxservice.hint': ['0 表示与电费相同；占位费同服务费', '0 = as electricity; occupancy as service'],
  'inv.sub': ['车主申请，导出到税务系统，回填号码；退款自动红冲', 'Asked by drivers, handed to the tax system, numbered; refunds make red ones'],
  'inv.export': ['导出待开票（{n}）', 'Export requests ({n})'], 'inv.exported': ['已导出 {n} 张', '{n} handed out'], 'inv.import': ['导入开票结果', 'Import results'], 'inv.again': ['重新下载已导出', 'Exported, again'],
  'inv.imported': ['已处理 {n} 行', '{n} rows done'], 'inv.importbad': ['{n} 行被拒', '{n} rows refused'], 'inv.importhint': ['CSV 六列：invoice,amount,result,number,issued_on,note；result 填 issued 或 rejected。', 'CSV of six columns: invoice,amount,result,number,issued_on,note; result is issued or rejected.'],
  'inv.row': ['第 {line} 行：{invoice} {error}', 'Line {line}: {invoice} {error}'],
  'inv.empty': ['还没有开票申请', 'No requests yet'], 'inv.title': ['抬头', 'Title'], 'inv.taxno': ['税号', 'Tax number'], 'inv.email': ['邮箱', 'E-mail'], 'inv.amount': ['价税合计', 'With tax'], 'inv.tax': ['税额', 'Tax'], 'inv.net': ['不含税', 'Net'], 'inv.rate': ['税率', 'Rate'],
  'inv.number': ['发票号码', 'Number'], 'inv.day': ['开票日期', 'Issued on'], 'inv.orders': ['订单', 'Orders'], 'inv.lines': ['税目', 'Tax lines'], 'inv.reds': ['红字发票', 'Red invoices'], 'inv.rest': ['未冲红', 'Not taken back'], 'inv.back': ['已冲红 {v}', '{v} taken back'],
  'inv.redof': ['冲红 {n}', 'Takes back of {n}'], 'inv.red': ['红字', 'Red'], 'inv.seller': ['销售方', 'Seller'], 'inv.company': ['企业', 'Company'], 'inv.person': ['个人', 'Person'], 'inv.item': ['项目', 'Item'],
  'invoice_state.1': ['待开票', 'Requested'], 'invoice_state.2': ['已导出', 'Exported'], 'invoice_state.3': ['已开票', 'Issued'], 'invoice_state.4': ['已驳回', 'Rejected'], 'invoice_state.5': ['已取消', 'Cancelled'],
  'inv.redstate.1': ['待红冲', 'Red requested'], 'inv.redstate.2': ['红冲已导出', 'Red exported'], 'inv.redstate.3': ['已红冲', 'Red issued'],
  'invoice_act.2': ['登记已开票', 'Issued'], 'invoice_act.3': ['驳回', 'Reject'], 'invoice_act.5': ['整张红冲', 'Reverse all'], 'invoice_act.6': ['退回待开票', 'Back to requested'],
  'inv.hint.2': ['填写税务系统给出的号码和日期；号码不能重复。', 'The number and date that the tax system gave; a number is used once.'], 'inv.hint.3': ['车主会看到原因；订单可重新申请。', 'The driver reads the reason; the orders may be asked for again.'],
  'inv.hint.5': ['生成一张红字申请；红字开出后，这些订单可重新申请。', 'Makes a red request; once it is issued, the orders may be asked for again.'], 'inv.hint.6': ['税务系统未受理时用；退款期间已扣减的金额会反映在新申请中。', 'When the tax system did not take it; what was refunded meanwhile is off it.'],
  'inv.why': ['原因', 'Why'],
  'parties.payeekind': ['收款方性质', 'Payee is'], 'payee_kind.0': ['未说明', 'not said'], 'payee_kind.1': ['企业（先票后款）', 'a company (invoice before payment)'], 'payee_kind.2': ['个人', 'a person'],
  'payouts.paper': ['登记发票', 'Note its invoice'], 'payouts.papered': ['发票 {n} · {v}', 'invoice {n} · {v}'], 'payouts.paperhint': ['企业须先提供发票，登记后才能审核；发票金额不得小于出款。', 'A company hands in its invoice before approval; it covers at least the payout.'],
  'profit.sub': ['数字来自日统计与分成明细；成本由人工录入', 'From the statistics of days and the splits; costs are entered'],
  'profit.month': ['月份', 'Month'], 'profit.cost': ['录入成本', 'Enter a cost'], 'profit.costkind': ['成本种类', 'Kind'], 'cost_kind.1': ['购电成本', 'Power bought'], 'cost_kind.2': ['场地租金', 'Rent'], 'cost_kind.3': ['运维成本', 'Maintenance'], 'cost_kind.4': ['其他成本', 'Other costs'],
  'profit.costhint': ['每场站、每月、每种一笔；再次录入会替换，填 0 删除。', 'One a station, month and kind: the last counts, 0 takes it away.'],
  'profit.billed': ['应收', 'Billed'], 'profit.loss': ['坏账', 'Loss'], 'profit.paid': ['实收', 'Paid'], 'profit.moved': ['跨月入账', 'Other months'], 'profit.back': ['退款', 'Given back'], 'profit.own': ['平台分成', 'Own share'], 'profit.partners': ['其他方分成', 'Partners'], 'profit.fee': ['渠道费(估)', 'Channel fee (est.)'], 'profit.costs': ['成本', 'Costs'], 'profit.result': ['结果', 'Result'],
  'profit.foot': ['应收 - 坏账 = 实收；实收 + 跨月入账 - 退款 = 平台分成 + 其他方分成；结果 = 平台分成 - 渠道费 - 放电支出 - 成本。', 'Billed - loss = paid; paid + other months - given back = own share + partners; result = own share - channel fee - discharges - costs.'],
  'profit.ties': ['两边相等 ✓', 'both sides agree ✓'], 'profit.notties': ['两边不等！', 'the sides differ!'], 'profit.shares': ['各方分成', 'Shares'], 'profit.total': ['合计', 'Total'], 'profit.empty': ['还没有场站', 'No stations yet'],
  'revenue.title': ['收入报表：总额法与净额法', 'Revenue: gross and net'], 'revenue.sub': ['作为销售方（总额法）与作为代理（净额法）的收入和税额；税额从含税金额中分离', 'As principal (gross) and as agent (net), with the tax contained in each'], 'revenue.gross': ['总额法', 'Gross'], 'revenue.net': ['净额法', 'Net'], 'revenue.grosstax': ['税额', 'Tax'], 'revenue.grossnet': ['不含税', 'Without tax'], 'revenue.orders': ['订单数', 'Orders'], 'revenue.months': ['个月', 'months'],
}
