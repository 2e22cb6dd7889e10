// SPDX-License-Identifier: Apache-2.0
/* The partner's phone (/p): a property owner or agent sees the share of every order arrive, and nothing about drivers. */
import { createApp } from 'vue'
import { loadSession, session, setFace, whenLoggedOut } from '@/api/client'
import { ROLE_PARTNER } from '@/gen/enums'
import { makeI18n } from '@/i18n'
import './vant'
import '@/ui/base.css'
import '@/ui/phone.css'
import App from './App.vue'
import { router } from './router'
import { partnerTexts } from './texts'

setFace('partner')
router.beforeEach((to) => (to.meta.open || session.value?.role === ROLE_PARTNER && session.value.kind ? true : '/login'))
whenLoggedOut(() => void router.replace('/login'))

loadSession()
  .catch(() => {})
  .finally(() => createApp(App).use(makeI18n(partnerTexts)).use(router).mount('#app'))
