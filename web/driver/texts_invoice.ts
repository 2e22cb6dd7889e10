// SPDX-License-Identifier: Apache-2.0
/* Texts of the driver's pages about invoices. */
import type { Pairs } from '@/i18n'

export const invoiceTexts: Pairs = {
  'invoice.further': ['补开差额', 'The difference'],
  'invoice.title': ['发票', 'Invoices'], 'invoice.ask': ['申请开票', 'Ask for an invoice'], 'invoice.none': ['还没有发票', 'No invoices yet'], 'invoice.nothing': ['没有可开票的订单', 'No orders to invoice'],
  'invoice.choose': ['选择订单', 'Choose orders'], 'invoice.all': ['全选', 'All'], 'invoice.seller': ['销售方：{v}', 'Seller: {v}'], 'invoice.other': ['一张发票只能有一个销售方', 'One invoice has one seller'],
  'invoice.person': ['个人', 'A person'], 'invoice.company': ['企业', 'A company'], 'invoice.name': ['发票抬头', 'Title'], 'invoice.taxno': ['税号', 'Tax number'], 'invoice.taxbad': ['15 至 20 位大写字母或数字', '15 to 20 capitals or digits'], 'invoice.email': ['接收邮箱', 'E-mail'], 'invoice.emailbad': ['邮箱格式不对', 'Not an e-mail address'],
  'invoice.go': ['申请开票 {v}', 'Ask for {v}'], 'invoice.most': ['一次最多 50 单', 'At most 50 orders at once'], 'invoice.sum': ['{n} 单，共 {v}', '{n} orders, {v}'],
  'invoice.state.1': ['待开票', 'Requested'], 'invoice.state.2': ['开票中', 'Being issued'], 'invoice.state.3': ['已开票', 'Issued'], 'invoice.state.4': ['已驳回', 'Rejected'], 'invoice.state.5': ['已取消', 'Cancelled'],
  'invoice.red': ['红字发票', 'Red invoice'], 'invoice.redof': ['冲红 {n}', 'Takes back of {n}'], 'invoice.back': ['已冲红 {v}', '{v} taken back'], 'invoice.cancel': ['撤回申请', 'Take it back'], 'invoice.number': ['发票号码', 'Number'], 'invoice.day': ['开票日期', 'Issued on'], 'invoice.tax': ['其中税额', 'Tax in it'], 'invoice.lines': ['明细', 'Lines'], 'invoice.orders': ['订单', 'Orders'], 'invoice.why': ['原因', 'Reason'], 'invoice.asked': ['申请时间', 'Asked'], 'invoice.hint': ['只开具实付且未退款的部分；退款后自动红冲。', 'Over what you paid and did not get back; a refund takes its part back.'],
}
