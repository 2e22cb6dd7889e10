// SPDX-License-Identifier: Apache-2.0
import { createRouter, createWebHashHistory } from 'vue-router'
import Home from './pages/Home.vue'
import Login from './pages/Login.vue'
import Order from './pages/Order.vue'
import Orders from './pages/Orders.vue'
import Start from './pages/Start.vue'
import Wallet from './pages/Wallet.vue'

export const router = createRouter({
  history: createWebHashHistory('/d'),
  routes: [
    { path: '/', component: Home, meta: { tab: 'home' } },
    { path: '/login', component: Login, meta: { open: true } },
    { path: '/c/:code', component: Start, props: true, meta: { open: true } },
    { path: '/orders', component: Orders, meta: { tab: 'orders' } },
    { path: '/orders/:id', component: Order, props: true },
    { path: '/wallet', component: Wallet, meta: { tab: 'wallet' } },
    { path: '/:rest(.*)*', redirect: '/' },
  ],
  scrollBehavior: () => ({ top: 0 }),
})
