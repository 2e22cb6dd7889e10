// SPDX-License-Identifier: Apache-2.0
/* Texts to drivers about their charges, for all faces. */
import type { Pairs } from './index'

export const noticeTexts: Pairs = {
  'order_event.61': ['短信已发送', 'Text sent'],
  'order_event.62': ['短信未发送', 'Text not sent'],
  'order_event.63': ['短信是否送出未知', 'Whether a text was sent is not known'],
  'notice_kind.1': ['充电结束', 'charge ended'],
  'notice_kind.2': ['免费时间即将结束', 'free time ends'],
  'notice_kind.3': ['占位费开始计费', 'occupancy fee begins'],
  'notice_kind.4': ['占位费计费中', 'occupancy fee runs'],
  'notice_kind.5': ['充电结束，部分电量存疑', 'charge ended, a part in doubt'],
  'notice.until': ['{what}：{at}', '{what}: {at}'],
  'notice.why': ['{what}（{why}）', '{what} ({why})'],
  'notice_why.demo': ['演示环境不发送短信', 'a demonstration sends none'],
  'notice_why.no-sender': ['未配置短信发送', 'no sender is set up'],
  'notice_why.no-template': ['未配置该类短信模板', 'no template of this kind'],
  'notice_why.country': ['该号码所在地区不发送短信', 'numbers of that country get none'],
  'notice_why.limit-hour': ['本小时通知短信已达上限', 'the limit of the hour is spent'],
  'notice_why.limit-phone': ['该手机号今日通知短信已达上限', 'the limit of the phone is spent for today'],
  'notice_why.too-many': ['待发送短信过多', 'too many texts waited'],
  'notice_why.too-late': ['未能及时送出', 'it could not be sent in time'],
  'notice_why.restart': ['平台重启', 'the platform was restarted'],
  'notice_why.stopping': ['平台正在停机', 'the platform was stopping'],
  'notice_why.keys': ['密钥无法读取', 'the keys cannot be read'],
  'notice_why.no-answer': ['短信服务无应答', 'the sender of texts did not answer'],
  'notice_why.time-over': ['短信服务超时', 'the sender of texts took too long'],
  'notice_why.broken-off': ['与短信服务的连接中断', 'the connection broke off'],
  'notice_why.certificate': ['短信服务证书有误', 'its certificate is wrong'],
  'notice_why.no-usable-answer': ['短信服务应答异常', 'its answer could not be used'],
  'notice_why.refused': ['短信服务拒绝', 'refused'],
}
