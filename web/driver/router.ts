// SPDX-License-Identifier: Apache-2.0
import { createRouter, createWebHashHistory } from 'vue-router'
import Home from './pages/Home.vue'
import InvoiceAsk from './pages/InvoiceAsk.vue'
import InvoicePage from './pages/InvoicePage.vue'
import Invoices from './pages/Invoices.vue'
import Login from './pages/Login.vue'
import Order from './pages/Order.vue'
import Orders from './pages/Orders.vue'
import Start from './pages/Start.vue'
import TopUp from './pages/TopUp.vue'
import Wallet from './pages/Wallet.vue'

// A QR code opens /c/<code>; from here on it is a page by hash like the others. The history below reads the address as it is made.
const scanned = /^\/c\/([^/]{1,32})\/?$/.exec(location.pathname)
if (scanned) history.replaceState(null, '', `/d#/c/${scanned[1]}`)

export const router = createRouter({
  history: createWebHashHistory('/d'),
  routes: [
    { path: '/', component: Home, meta: { tab: 'home' } },
    { path: '/login', component: Login, meta: { open: true } },
    { path: '/c/:code', component: Start, props: true, meta: { open: true } },
    { path: '/orders', component: Orders, meta: { tab: 'orders' } },
    { path: '/orders/:id', component: Order, props: true },
    { path: '/topup', component: TopUp },
    { path: '/wallet', component: Wallet, meta: { tab: 'wallet' } },
    { path: '/invoices', component: Invoices },
    { path: '/invoices/new', component: InvoiceAsk },
    { path: '/invoices/:id', component: InvoicePage, props: true },
    { path: '/:rest(.*)*', redirect: '/' },
  ],
  scrollBehavior: () => ({ top: 0 }),
})
