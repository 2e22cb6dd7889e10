// SPDX-License-Identifier: Apache-2.0
// Styles of just the Vant components that the phone pages use.
import 'vant/es/button/style'
import 'vant/es/checkbox/style'
import 'vant/es/dialog/style'
import 'vant/es/field/style'
import 'vant/es/list/style'
import 'vant/es/pull-refresh/style'
import 'vant/es/radio/style'
import 'vant/es/radio-group/style'
import 'vant/es/skeleton/style'
import 'vant/es/tabbar/style'
import 'vant/es/tabbar-item/style'
import 'vant/es/toast/style'
