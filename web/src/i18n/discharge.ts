// SPDX-License-Identifier: Apache-2.0
/* Texts about vehicles that give energy back and drivers who are paid for it, for all three faces. */
import type { Pairs } from './index'

export const dischargeTexts: Pairs = {
  'fee_kind.8': ['放电收益', 'Energy given back'],
  'transfer_code.18': ['放电付款', 'Paid for a discharge'],
  'pay_method.5': ['放电', 'Discharge'],
  'account_kind.18': ['放电购电', 'Energy bought from drivers'],
  'order_event.60': ['账户已注销，无法付款', 'Account closed: nobody to pay'],
  'give.title': ['向电网放电', 'Give energy back'],
  'give.price': ['现在每度付您', 'Paid to you per kWh now'],
  'give.floor': ['电池至少留', 'Keep at least'],
  'give.why': ['按上面的分时价格付到您的余额，有欠款先抵欠款；电量到您设定的下限自动停止。', 'You are paid into your balance at the prices above, debt first; it stops by itself at the level you set.'],
  'give.start': ['开始放电', 'Start giving back'],
  'give.turn': ['把正在进行的充电转为放电', 'Turn the running charge round'],
  'give.running': ['放电中', 'Giving back'],
  'give.sofar': ['已赚', 'earned so far'],
  'give.to': ['放到 {soc}% 停止', 'stops at {soc} %'],
  'give.stopask': ['停止放电？', 'Stop giving back?'],
  'give.stop': ['停止放电', 'Stop'],
  'give.approx': ['以结算为准', 'The bill counts'],
  'give.earned': ['本次收益', 'You earned'],
  'give.lines': ['收益明细', 'How it was earned'],
  'give.doubt': ['电量有出入，先付没有争议的部分；其余由平台核实后补付或作废。', 'The readings disagree: what is undisputed is paid; the rest follows if the operator confirms it.'],
  'give.unpaid': ['账户注销后更正，未付', 'Corrected after the account was closed: not paid'],
  'give.tariff': ['放电电价', 'Discharge tariff'],
  'give.notariff': ['不收购放电', 'Buys no energy'],
  'give.days': ['放电', 'Given back'],
  'give.paid': ['放电付款', 'Paid for discharges'],
  'give.split': ['放电没有分成：平台从购电账户付给车主。', 'Nobody shares in a discharge: the operator pays its driver.'],
  'profit.discharged': ['放电支出', 'Discharges'],
}
