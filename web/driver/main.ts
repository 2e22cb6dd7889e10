// SPDX-License-Identifier: Apache-2.0
/* The driver's phone. /d is the page; /c/<code> is what a QR code opens: the same page, with that connector at once. A reload in
 * the middle of a charge finds the running order again, because the server knows it (GET /me), not this page. */
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import { loadSession, session, setFace, whenLoggedOut } from '@/api/client'
import { ACTOR_DRIVER } from '@/gen/enums'
import { makeI18n } from '@/i18n'
import './vant'
import '@/ui/base.css'
import '@/ui/phone.css'
import App from './App.vue'
import { router } from './router'
import { driverTexts } from './texts'

setFace('driver')
router.beforeEach((to) => {
  if (to.meta.open) return true
  if (session.value?.kind === ACTOR_DRIVER) return true
  return { path: '/login', query: { next: to.fullPath } }
})
whenLoggedOut(() => void router.replace({ path: '/login', query: { next: router.currentRoute.value.fullPath } }))

// Without the server there is nothing to show but that; the application says so and tries again.
loadSession()
  .catch(() => {})
  .finally(() => createApp(App).use(createPinia()).use(makeI18n(driverTexts)).use(router).mount('#app'))
