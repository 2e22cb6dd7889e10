// SPDX-License-Identifier: Apache-2.0
import { createRouter, createWebHashHistory } from 'vue-router'
import Account from './pages/Account.vue'
import Home from './pages/Home.vue'
import Login from './pages/Login.vue'
import Statements from './pages/Statements.vue'
import ShareStory from './pages/ShareStory.vue'
import Stations from './pages/Stations.vue'
import Taken from './pages/Taken.vue'
import Withdraw from './pages/Withdraw.vue'

export const router = createRouter({
  history: createWebHashHistory('/p'),
  routes: [
    { path: '/', component: Home, meta: { tab: 'home' } },
    { path: '/login', component: Login, meta: { open: true } },
    { path: '/stations', component: Stations, meta: { tab: 'stations' } },
    { path: '/withdraw', component: Withdraw, meta: { tab: 'withdraw' } },
    { path: '/statements', component: Statements },
    { path: '/payouts/:id', component: Taken, props: (r) => ({ id: r.params.id, of: 'payouts' }) },
    { path: '/statements/:id', component: Taken, props: (r) => ({ id: r.params.id, of: 'statements' }) },
    { path: '/orders/:id', component: ShareStory, props: true },
    { path: '/account', component: Account, meta: { tab: 'account' } },
    { path: '/:rest(.*)*', redirect: '/' },
  ],
  scrollBehavior: () => ({ top: 0 }),
})
