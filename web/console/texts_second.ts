// SPDX-License-Identifier: Apache-2.0
/* Texts of the console about what needs a second person, and about rails that contradict themselves. */
import type { Pairs } from '@/i18n'

export const secondTexts: Pairs = {
  'closing.asked': ['{who} 申请注销此账户并放弃本金 {v}，须由另一人同意。', '{who} asks to close this account and to give up {v} of principal. Another person must agree.'],
  'closing.agree': ['同意并注销', 'Agree and close'], 'closing.refuse': ['驳回', 'Refuse'], 'closing.cancel': ['撤回', 'Take back'], 'closing.dropped': ['注销申请已撤销', 'The wish to close it was dropped'],
  'closing.hint': ['放弃本金须两人操作：您先申请，由另一人同意后才注销。', 'Giving up principal takes two people: you ask, and it is closed when another person agrees.'],
  'closing.waits': ['已申请，等待另一人同意', 'Asked for; another person must agree'],
  'sub.other': ['户名或证件号与分成方登记的不一致，须由另一人同意后才提交渠道。', 'Not the name or number that the party is registered with: another person must agree before the provider is asked.'],
  'sub.agree': ['同意', 'Agree'], 'sub.refuse': ['驳回', 'Refuse'], 'sub.cancel': ['撤回', 'Take back'], 'sub.second': ['须由另一人审核', 'Another person decides'],
  'payout_doubt.1': ['渠道称已付，金额不同', 'The rail says that it paid another amount'], 'payout_doubt.2': ['渠道称已付，金额为 0', 'The rail says that it paid 0'],
  'payout_doubt.3': ['渠道先称已付 {v}，后称失败', 'The rail said that it paid {v}, and then that it failed'],
  'payouts.nothing': ['未付，退回', 'Nothing was paid'],
  'payouts.nothinghint': ['渠道自相矛盾。请在渠道或银行账单中查明确实没有付款，再退回原账户；否则会付两次。', 'The rail contradicts itself. Make sure by its statement or the bank that nothing was paid, or it is paid twice. The amount returns to its account.'],
  'settings.payee_hold_h': ['新收款账户复核期（小时）', 'New payees (hours)'],
  'settings.payee_hold_h.hint': ['子账户新开通或收款信息变更后的这段时间内，提现不论金额都须另一人审核；0 为不限', 'So long after a sub-account was opened, or the payee changed, each withdrawal needs a second person, whatever its amount; 0 = never'],
  'settings.loose': ['放宽后的免审额度与复核期于 {at} 起生效；此前仍按 {v}、{h} 小时审核。', 'The looser limits count from {at} on; until then a second person is asked for by {v} and {h} hours, as before.'],
  'companies.overduedays': ['逾期停用（天）', 'Stop when overdue for (days)'],
  'companies.overduedays.hint': ['账单逾期满此天数后，成员不能再启动由企业付款的充电；进行中的充电不受影响。0 为不停用', 'A bill that is overdue for so many days stops new charges at the company\'s expense; what runs goes on. 0 = never'],
  'companies.stopped': ['账单逾期已满 {n} 天：成员不能启动由本企业付款的充电，收款后自动恢复。', 'A bill is overdue for {n} days or more: members cannot begin charges that the company pays. Collecting it ends that.'],
}
