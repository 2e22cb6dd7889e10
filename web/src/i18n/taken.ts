// SPDX-License-Identifier: Apache-2.0
/* Texts of the way back: which orders a withdrawal or a statement consists of, for the console and the partner's phone. */
import type { Pairs } from './index'

export const takenTexts: Pairs = {
  'taken.payout': ['这笔出款由哪些订单组成', 'The orders of this payout'],
  'taken.mypayout': ['这笔提现由哪些订单组成', 'The orders of this withdrawal'],
  'taken.statement': ['对账单 {m}：逐单明细', 'Statement {m}: order by order'],
  'taken.open': ['订单明细', 'Its orders'],
  'taken.order': ['订单 {n}', 'Order {n}'],
  'taken.fee': ['费用', 'Fees'],
  'taken.where': ['来源', 'From'],
  'taken.share': ['该单分成', 'Share of the order'],
  'taken.inpayout': ['计入本笔', 'In this payout'],
  'taken.instatement': ['计入本月', 'In this month'],
  'taken.of': ['分成共 {v}', 'of a share of {v}'],
  'taken.matured': ['结转', 'Became available'],
  'taken.rule.4': ['企业账单收款', "as the company's bill was collected"],
  'taken.rule.5': ['更早的资金，未再追踪', 'Money from before, not looked at'],
  'taken.rule.6': ['已全部退回，没有用去任何分成', 'It came back: nothing was taken'],
  'taken.even': ['逐笔相加等于本笔金额 {v}', 'The rows add up to {v}, the whole amount'],
  'taken.evenmonth': ['逐笔相加 {v}，与对账单各行一致', 'The rows add up to {v}, as the lines of the statement do'],
  'taken.uneven': ['逐笔相加为 {v}，与金额不符！请运行 even check', 'The rows add up to {v}, which is not the amount! Run even check'],
  'taken.empty': ['没有订单', 'No orders'],
  'taken.none': ['没有这笔记录', 'There is no such record'],
  'taken.fifo': ['账户里的钱没有记号：先到账的先提走，同一天到期的按订单先后。', 'Money in an account has no marks: what came first is withdrawn first, and what matured on one day goes by the order of its orders.'],
}
