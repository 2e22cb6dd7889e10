// SPDX-License-Identifier: Apache-2.0
/* Texts of the console about files of payouts for a bank. */
import type { Pairs } from '@/i18n'

export const payfileTexts: Pairs = {
  'page.payfiles': ['银行付款文件', 'Files for the bank'],
  'payfile.sub': ['每笔待付的出款只列入一个文件，下一个文件不再列入；同一文件可再次下载，请勿重复提交给银行', 'A payout that waits stands in one file only, and the next leaves it out. A file may be fetched again: hand it to the bank once'],
  'payfile.bank': ['银行渠道', 'Bank'], 'payfile.nobank': ['还没有银行渠道', 'There is no channel of kind bank'],
  'payfile.make': ['生成付款文件', 'Make a file'], 'payfile.made': ['已生成付款文件：{n} 笔，共 {v}', 'The file is made: {n} payouts, {v}'],
  'payfile.empty': ['还没有付款文件', 'No files yet'], 'payfile.file': ['付款文件', 'File'], 'payfile.get': ['下载 CSV', 'Download CSV'],
  'payfile.sum': ['银行付款', 'The bank pays'], 'payfile.n': ['{n} 笔', '{n} payouts'], 'payfile.maker': ['生成人', 'Made by'], 'payfile.became': ['进展', 'What became of them'],
  'payfile.waiting': ['待回单 {n}', '{n} wait'], 'payfile.settled': ['已到账 {n}', '{n} settled'], 'payfile.failed': ['失败 {n}', '{n} failed'],
  'payfile.out': ['已移出 {n} 笔，{v}', '{n} taken out, {v}'],
  'payfile.in': ['已列入付款文件', 'Stands in file'], 'payfile.again': ['重新付款', 'Take again'],
  'payfile.warning': ['可能造成重复付款', 'It may be paid twice'],
  'payfile.hint': ['请先向银行查明：这笔款没有付出，也不会再按该文件付出。移出后，下一个付款文件会再次列入它；如果银行仍按原文件付款，收款方会收到两次。须由生成文件者和申请出款者以外的人操作，并记入审计。',
    'First make sure with the bank that this was not paid, and will not be by that file. The next file lists it again: if the bank does pay by the first one, the payee is paid twice. Neither whoever made the file nor whoever asked for the payout may do this, and the audit says who did.'],
  'payfile.why': ['为何银行不会按该文件付款', 'Why the bank will not pay it by that file'],
}
