// SPDX-License-Identifier: Apache-2.0
/* The console of staff (/ and /console/): watch, decide, configure, and see every fen. Pages by hash, so that the server knows one address only. */
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import { can, loadSession, session, setFace, whenLoggedOut } from '@/api/client'
import { ROLE_PARTNER } from '@/gen/enums'
import { makeI18n } from '@/i18n'
import '@/ui/base.css'
import { useElement } from './element'
import './console.css'
import App from './App.vue'
import { router } from './router'
import { consoleTexts } from './texts'

setFace('console')
router.beforeEach((to) => {
  const s = session.value
  if (s?.setup) return to.path === '/setup' ? true : '/setup'
  if (to.path === '/setup') return '/'
  if (to.meta.open) return true
  if (!s?.kind || s.role === ROLE_PARTNER) return { path: '/login', query: { next: to.fullPath } }
  return !to.meta.perm || can(to.meta.perm as string) ? true : '/'
})
whenLoggedOut(() => void router.replace({ path: '/login', query: { next: router.currentRoute.value.fullPath } }))

loadSession()
  .catch(() => {})
  .finally(() => {
    const app = createApp(App).use(createPinia()).use(makeI18n(consoleTexts)).use(router)
    useElement(app)
    app.mount('#app')
  })
