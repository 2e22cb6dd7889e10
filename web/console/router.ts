// SPDX-License-Identifier: Apache-2.0
import { createRouter, createWebHashHistory, type RouteRecordRaw } from 'vue-router'

/** perm: what a person needs to see the page; menu: group of the side bar it stands in. */
export const routes: RouteRecordRaw[] = [
  { path: '/setup', component: () => import('./pages/Setup.vue'), meta: { open: true, bare: true } },
  { path: '/login', component: () => import('./pages/Login.vue'), meta: { open: true, bare: true } },
  { path: '/', component: () => import('./pages/Overview.vue'), meta: { perm: 'station.read', menu: 'watch', icon: 'home', key: 'overview' } },
  { path: '/wall', component: () => import('./pages/Wall.vue'), meta: { perm: 'station.read', menu: 'watch', icon: 'wall', key: 'wall' } },
  { path: '/orders', component: () => import('./pages/Orders.vue'), meta: { perm: 'order.read', menu: 'watch', icon: 'orders', key: 'orders' } },
  { path: '/orders/:id', component: () => import('./pages/OrderPage.vue'), props: true, meta: { perm: 'order.read', under: '/orders' } },
  { path: '/held', component: () => import('./pages/Held.vue'), meta: { perm: 'order.read', menu: 'watch', icon: 'doubt', key: 'held' } },
  { path: '/ledger', component: () => import('./pages/Ledger.vue'), meta: { perm: 'ledger.read', menu: 'money', icon: 'ledger', key: 'ledger' } },
  { path: '/accounts/:id', component: () => import('./pages/Account.vue'), props: true, meta: { perm: 'ledger.read', under: '/ledger' } },
  { path: '/transfers/:id', component: () => import('./pages/Transfer.vue'), props: true, meta: { perm: 'ledger.read', under: '/ledger' } },
  { path: '/contracts', component: () => import('./pages/Contracts.vue'), meta: { perm: 'ledger.read', menu: 'money', icon: 'contract', key: 'contracts' } },
  { path: '/parties', component: () => import('./pages/Parties.vue'), meta: { perm: 'ledger.read', menu: 'money', icon: 'party', key: 'parties' } },
  { path: '/statements', component: () => import('./pages/Statements.vue'), meta: { perm: 'ledger.read', menu: 'money', icon: 'orders', key: 'statements' } },
  { path: '/payouts', component: () => import('./pages/Payouts.vue'), meta: { perm: 'ledger.read', menu: 'money', icon: 'logout', key: 'payouts' } },
  { path: '/payments', component: () => import('./pages/Payments.vue'), meta: { perm: 'ledger.read', menu: 'money', icon: 'wallet', key: 'payments' } },
  { path: '/channels', component: () => import('./pages/Channels.vue'), meta: { perm: 'ledger.read', menu: 'money', icon: 'globe', key: 'channels' } },
  { path: '/packages', component: () => import('./pages/Packages.vue'), meta: { perm: 'ledger.read', menu: 'money', icon: 'wallet', key: 'packages' } },
  { path: '/stats', component: () => import('./pages/Stats.vue'), meta: { perm: 'station.read', menu: 'money', icon: 'stats', key: 'stats' } },
  { path: '/stations', component: () => import('./pages/Stations.vue'), meta: { perm: 'station.read', menu: 'things', icon: 'station', key: 'stations' } },
  { path: '/chargers', component: () => import('./pages/Chargers.vue'), meta: { perm: 'station.read', menu: 'things', icon: 'charger', key: 'chargers' } },
  { path: '/chargers/:id', component: () => import('./pages/ChargerPage.vue'), props: true, meta: { perm: 'station.read', under: '/chargers' } },
  { path: '/tariffs', component: () => import('./pages/Tariffs.vue'), meta: { perm: 'station.read', menu: 'things', icon: 'tariff', key: 'tariffs' } },
  { path: '/tariffs/:id', component: () => import('./pages/TariffEditor.vue'), props: true, meta: { perm: 'station.read', under: '/tariffs' } },
  { path: '/drivers', component: () => import('./pages/Drivers.vue'), meta: { perm: 'driver.read', menu: 'things', icon: 'driver', key: 'drivers' } },
  { path: '/drivers/:id', component: () => import('./pages/DriverPage.vue'), props: true, meta: { perm: 'driver.read', under: '/drivers' } },
  { path: '/people', component: () => import('./pages/People.vue'), meta: { perm: 'person.read', menu: 'house', icon: 'people', key: 'people' } },
  { path: '/keys', component: () => import('./pages/Keys.vue'), meta: { perm: 'person.read', menu: 'house', icon: 'key', key: 'keys' } },
  { path: '/settings', component: () => import('./pages/Settings.vue'), meta: { perm: 'station.read', menu: 'house', icon: 'settings', key: 'settings' } },
  { path: '/audit', component: () => import('./pages/Audit.vue'), meta: { perm: 'audit.read', menu: 'house', icon: 'audit', key: 'audit' } },
  { path: '/:rest(.*)*', redirect: '/' },
]

export const router = createRouter({ history: createWebHashHistory(), routes, scrollBehavior: () => ({ top: 0 }) })
