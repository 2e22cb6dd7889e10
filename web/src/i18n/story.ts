// SPDX-License-Identifier: Apache-2.0
/* Texts of the money story, for the three faces. */
import type { Pairs } from './index'

export const storyTexts: Pairs = {
  'trail.title': ['资金全程', 'The money story'], 'trail.sub': ['订单 {n}：从付款到提现，每一步都有转账号、时间和金额', 'Order {n}: from the payment to the withdrawal, each step with transfer, time and amount'],
  'trail.open': ['资金全程', 'Money story'], 'trail.print': ['打印', 'Print'],
  'trail.lots': ['钱从哪里来', 'Where the money came from'], 'trail.nolots': ['没有付款', 'Nothing was paid'], 'trail.lots.of': ['共 {v}', 'of {v}'],
  'trail.rule.1': ['本单付款', "this order's own payment"], 'trail.rule.2': ['先进先出', 'first in first out'], 'trail.rule.3': ['记入车主欠款', 'owed by the driver'], 'trail.rule.4': ['记入企业账单', "on the company's bill"], 'trail.rule.5': ['更早的资金', 'money from before'],
  'trail.lot.staff': ['人工充值', 'Top-up by staff'], 'trail.lot.gift': ['赠送金', 'Gift money'], 'trail.lot.refund': ['订单退款', 'Refund of an order'], 'trail.lot.in': ['入账', 'Came in'], 'trail.lot.company': ['企业付款', 'Payment of the company'],
  'trail.settledsince': ['已还 {v}', '{v} settled since'],
  'trail.hold': ['冻结与扣款', 'Hold and capture'], 'trail.nohold': ['没有冻结', 'Nothing was held'], 'trail.held': ['冻结', 'Held'], 'trail.captured': ['扣款', 'Captured'], 'trail.released': ['退回', 'Released'], 'trail.stillheld': ['冻结中，尚未扣款', 'Still on hold'],
  'trail.bill': ['账单', 'The bill'], 'trail.nobill': ['尚未出账', 'Not billed yet'], 'trail.loss': ['运营商承担', 'Borne by the operator'], 'trail.paid': ['实收', 'Paid'], 'trail.kwh': ['{n} kWh', '{n} kWh'],
  'trail.split': ['分成', 'The split'], 'trail.nosplit': ['没有分成', 'Nothing to split'], 'trail.contract0': ['合同 {name}；取整：{rule}，单位 {unit}', 'Contract {name}; rounding: {rule}, unit {unit}'], 'trail.contract': ['合同 {name}，{at} 起；取整：{rule}，单位 {unit}', 'Contract {name}, since {at}; rounding: {rule}, unit {unit}'], 'trail.nocontract': ['没有合同，全部归平台', "No contract: all of it is the operator's"],
  'trail.shares': ['每一份到哪里去了', 'Where each share went'], 'trail.noshares': ['没有分成', 'No shares'],
  'trail.income': ['平台收入，立即入账', "The operator's income, at once"], 'trail.repaid': ['抵扣欠款', 'Settled what was owed'], 'trail.pending': ['待结算，{at} 到期', 'Pending, due {at}'], 'trail.pendingbill': ['待结算，随企业 {m} 账单收款', "Pending until the company's bill of {m} is collected"], 'trail.collected': ['账单未收 {l}，本次收款 {p}', '{p} of {l} that the bill lacked came in'], 'trail.collectedall': ['企业账单收款', "A payment of the company's bill"], 'trail.collecteddue': ['{at} 起可提现', 'available from {at}'],
  'trail.returned': ['到期前退款扣回', 'Taken back before it matured'], 'trail.waits': ['仍待结算', 'Still pending'], 'trail.matured': ['转为可提现', 'Became available'], 'trail.maturedebt': ['到期时抵扣欠款', 'Settled a debt as it matured'],
  'trail.free': ['仍可提现', 'Still available'], 'trail.other': ['用于订单退款', 'Taken for refunds'], 'trail.withdrawn': ['提现', 'Withdrawn'], 'trail.ofpayout': ['整笔 {v}', 'of {v}'], 'trail.fee': ['手续费 {v}', 'fee {v}'],
  'trail.takenback': ['退款扣回', 'Taken back by a refund'], 'trail.back.pending': ['从待结算扣回', 'from what was pending'], 'trail.back.available': ['从可提现扣回', 'from what was available'], 'trail.back.income': ['从平台收入扣回', "from the operator's income"], 'trail.back.owed': ['记为欠款', 'owed by the party'], 'trail.back.settled': ['其中已由后续分成抵扣 {v}', '{v} of it netted by later shares'],
  'trail.statement': ['对账单 {m}', 'Statement {m}'], 'trail.nostatement': ['尚无对账单', 'No statement yet'], 'trail.toofar': ['此后转账过多，未再追踪', 'Too many transfers since then: not followed'],
  'trail.byfifo': ['账户里的钱没有记号：按先进先出归属。', 'Money in an account has no marks: it is attributed first in first out.'], 'trail.bybill': ['每次收款，账单中每笔分成按同一比例转为可提现', 'Each payment of the bill sets the same part of each of its shares free'],
  'trail.backs': ['退款与更正', 'Refunds and corrections'], 'trail.nobacks': ['没有退款', 'No refunds'], 'trail.towallet': ['退回钱包', 'to the wallet'], 'trail.togift': ['退回赠送金', 'as gift money'], 'trail.todebt': ['抵扣车主欠款', "settled the driver's debt"], 'trail.tocompany': ['退给企业', 'to the company'],
  'trail.returns': ['余款原路退回', 'The rest, back to its source'],
  'trail.company': ['企业账单', "The company's bill"], 'trail.company.line': ['{m} · 已收 {c} / {t}', '{m} · {c} of {t} collected'],
  'trail.links': ['相关订单', 'Linked orders'], 'trail.occupancy': ['占位费', 'Occupancy fee'], 'trail.charging': ['充电订单', 'Charging order'],
  'trail.invoices': ['发票', 'Invoices'], 'trail.noinvoices': ['未开票', 'No invoice'], 'trail.red': ['红字', 'red'],
  'trail.sum': ['进出相符', 'In equals out'], 'trail.sum.lots': ['付款来源', 'Paid from'], 'trail.sum.back': ['已退回', 'Given back'], 'trail.sum.came': ['净收入', 'Came in, net'], 'trail.sum.income': ['平台收入', "Operator's income"], 'trail.sum.waits': ['待结算', 'Pending'],
  'trail.sum.free': ['可提现', 'Available'], 'trail.sum.withdrawn': ['已提现或在途', 'Withdrawn or on its way'], 'trail.sum.debts': ['抵扣分成方欠款', 'Settled what parties owed'], 'trail.sum.owed': ['分成方因退款所欠', 'Owed by parties after refunds'], 'trail.sum.other': ['与其他退款的差', 'Against refunds of others'], 'trail.sum.marketing': ['营销（赠送金）', 'Marketing (gift money)'], 'trail.sum.went': ['净去向', 'Went out, net'],
  'trail.even': ['每一步都相符，差 0.0000', 'Every step agrees: off by 0.0000'], 'trail.uneven': ['不相符！请运行 even check', 'The sums differ! Run even check'],
  'trail.check.off': ['来源 = 去向', 'came in = went out'], 'trail.check.bill_off': ['账单 = 实收 + 承担', 'bill = paid + borne'], 'trail.check.parts_off': ['分录 = 分成明细', 'legs = parts of the split'], 'trail.check.shares_off': ['分成 = 各处之和', 'shares = where they are'], 'trail.check.holds_off': ['冻结 = 扣款 + 退回', 'holds = captured + released'],
  'recon_at.0': ['无需对账', 'nothing to reconcile'], 'recon_at.1': ['{d} 的账单未导入', 'bill of {d} not imported'], 'recon_at.2': ['与 {d} 的账单一致', 'matched in the bill of {d}'], 'recon_at.3': ['与 {d} 的账单有差异', 'differs from the bill of {d}'], 'recon_at.4': ['差异已结（{d}）', 'difference resolved ({d})'], 'recon_at.closed': ['已日结', 'day closed'],
  'trail.mine': ['我的分成去向', 'Where my share went'], 'trail.none': ['这笔订单没有您的分成', 'You have no share in this order'],
  'trail.transfer': ['转账 {n}', 'transfer {n}'],
}
