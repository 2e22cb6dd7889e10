// SPDX-License-Identifier: Apache-2.0
/* The lines of a party's statement, for its phone and the console; and the transfers that stand behind them. */
import type { Pairs } from './index'

export const statementTexts: Pairs = {
  'statement_line.shares': ['分成', 'Shares'],
  'statement_line.refunds': ['退款扣回', 'Refunds taken back'],
  'statement_line.corrections': ['更正', 'Corrections'],
  'statement_line.guarantees': ['月末保底', 'Guarantee of the month'],
  'statement_line.rents': ['月末租金', 'Rent of the month'],
  'statement_line.suspense': ['挂账转入', 'Out of suspense'],
  'statement_line.withdrawn': ['提现到账', 'Withdrawn, paid'],
  'statement_line.fees': ['提现手续费', 'Withdrawal fees'],
  'statement_line.tax': ['代扣个税', 'Tax withheld'],
  'statement_line.capped': ['封顶未计 {v}（不在结余内）', '{v} over caps (not in the balance)'],
  'transfer_code.23': ['月末租金', 'Rent of a month'],
  'transfer_code.24': ['更正补收', 'Charged by the true end'],
}
