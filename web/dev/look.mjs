// SPDX-License-Identifier: Apache-2.0
// look.mjs: pictures of every page in both languages, from dist/ as built and under the server's content policy, by headless
// Chromium into dev/shots/. Ends non-zero when a page logs an error or violates the policy. Development only.
//   node dev/look.mjs [zh|en] [filter]      CHROMIUM=/path to use another browser
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const here = dirname(fileURLToPath(import.meta.url))
const shots = join(here, 'shots')
const only = process.argv[2] === 'zh' || process.argv[2] === 'en' ? [process.argv[2]] : ['zh', 'en']
const filter = process.argv[3] ?? ''
const PORT = 8311
const base = `http://127.0.0.1:${PORT}`
mkdirSync(shots, { recursive: true })

const wait = (ms) => new Promise((done) => setTimeout(done, ms))
async function mock(port, ...more) {
  const p = spawn(process.execPath, [join(here, 'mock.mjs'), '--port', String(port), ...more], { stdio: ['ignore', 'ignore', 'inherit'] })
  for (let i = 0; i < 50; i++) {
    try {
      await fetch(`http://127.0.0.1:${port}/api/v1/session`)
      return p
    } catch {
      await wait(100)
    }
  }
  throw new Error('the mock does not answer')
}
const complaints = []
async function face(browser, lang, width, height, mobile) {
  const ctx = await browser.newContext({ viewport: { width, height }, deviceScaleFactor: mobile ? 2 : 1, isMobile: mobile, hasTouch: mobile, locale: lang === 'zh' ? 'zh-CN' : 'en-GB' })
  const page = await ctx.newPage()
  page.setDefaultTimeout(15000)
  page.on('console', (m) => { if (['error', 'warning'].includes(m.type())) complaints.push(`${lang} ${page.url()}: ${m.text()}`) })
  page.on('pageerror', (e) => complaints.push(`${lang} ${page.url()}: ${e.stack}`))
  const shot = async (name, full = true) => {
    await wait(500)
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    if (wide > 0) complaints.push(`${lang} ${name}: ${wide} px wider than the screen`)
    await page.screenshot({ path: join(shots, `${lang}-${name}.png`), fullPage: full })
  }
  return { ctx, page, shot, id: (x) => page.getByTestId(x) }
}

async function driver(browser, lang) {
  const { ctx, page, shot, id } = await face(browser, lang, 360, 740, true)
  await page.goto(`${base}/d#/login`)
  await id('driver-operators').waitFor()
  await shot('d-operators')
  await page.goto(`${base}/c/100001`)
  await id('connector-card').waitFor()
  await shot('d-scan-loggedout')
  await id('start').click()
  await id('driver-phone').locator('input').fill('13600000004')
  await id('driver-code-send').click()
  await id('driver-demo-fill').click()
  await shot('d-login')
  await id('driver-login').click()
  await page.goto(`${base}/d`)
  await id('available').waitFor()
  await shot('d-home')
  const codes = await page.evaluate(async () => {
    for (let c = 100001; c < 100300; c++) {
      const r = await fetch(`/api/v1/codes/${c}`)
      if (r.ok && (await r.json()).status === 1) return String(c)
    }
    return ''
  })
  await id('code-input').locator('input').fill(codes)
  await id('code-open').click()
  await id('connector-card').waitFor()
  await id('amount-4').click()
  await shot('d-start')
  await id('start').click()
  await id('start-hint').waitFor()
  await shot('d-starting')
  await id('live-cost').waitFor()
  await wait(9000)
  await page.reload()
  await id('live-cost').waitFor()
  await wait(1500)
  await shot('d-live')
  await page.goto(`${base}/d#/`)
  await id('running-order').click()
  await id('stop').click()
  await wait(400)
  await shot('d-stopask', false)
  await page.locator('.van-dialog__confirm').click()
  await id('receipt-total').waitFor()
  await shot('d-receipt')
  await id('receipt-done').click()
  await id('tab-orders').click()
  await wait(400)
  await shot('d-orders', false)
  await id('tab-wallet').click()
  await wait(400)
  await shot('d-wallet', false)
  await page.goto(`${base}/c/nothing`)
  await id('code-unknown').waitFor()
  await shot('d-unknown')
  complaints.pop() // the browser logs the 404 that was asked for
  await ctx.close()
}
async function partner(browser, lang) {
  const { ctx, page, shot, id } = await face(browser, lang, 360, 740, true)
  await page.goto(`${base}/p`)
  await shot('p-login')
  await id('login-name').locator('input').fill('partner')
  await id('login-password').locator('input').fill('demo-password')
  await id('login-submit').click()
  await id('partner-today').waitFor()
  await wait(800)
  await shot('p-home', false)
  await id('tab-stations').click()
  await id('partner-station').first().waitFor()
  await shot('p-stations', false)
  await id('tab-account').click()
  await id('partner-contract').first().waitFor()
  await shot('p-account', false)
  await ctx.close()
}
async function console_(browser, lang) {
  const { ctx, page, shot, id } = await face(browser, lang, 1440, 900, false)
  await page.goto(`${base}/`)
  await shot('k-login')
  await id('login-name').fill('admin')
  await id('login-password').fill('wrong-password')
  await id('login-submit').click()
  await id('login-error').waitFor()
  complaints.pop() // the browser logs the 401 that was asked for
  await id('login-password').fill('demo-password')
  await id('login-submit').click()
  await id('tile-charging').waitFor()
  await wait(700)
  await shot('k-overview')
  const open = async (path, name, ready) => {
    await page.goto(`${base}/#${path}`)
    await (ready ? page.locator(ready).first().waitFor() : wait(600))
    await shot(name)
  }
  await open('/wall', 'k-wall', '[data-testid=wall-tile]')
  await page.locator('[data-testid=wall-tile][data-status="3"]').first().click()
  await id('connector-drawer').waitFor()
  await shot('k-wall-drawer', false)
  await page.keyboard.press('Escape')
  await wait(400)
  await page.locator('[data-testid=wall-tile][data-status="1"]').first().click()
  await wait(400)
  await shot('k-wall-drawer-idle', false)
  await open('/orders', 'k-orders', '[data-testid=order-link]')
  const ids = await page.evaluate(async () => {
    const rows = (await (await fetch('/api/v1/orders?limit=200')).json()).items
    return { settled: rows.find((o) => o.state === 8 && o.payer_kind === 1).id, running: rows.find((o) => o.state === 4)?.id, doubt: rows.find((o) => o.state === 10).id, failed: rows.find((o) => o.state === 9).id }
  })
  for (const k of ['settled', 'running', 'doubt', 'failed']) if (ids[k]) await open(`/orders/${ids[k]}`, `k-order-${k}`, '[data-testid=money-story]')
  await open('/held', 'k-held', '[data-testid=held-open]')
  await id('held-open').first().click()
  await id('decide-box').waitFor()
  await shot('k-held-decide', false)
  await open('/ledger', 'k-ledger', '[data-testid=trial-verdict]')
  for (const tab of ['accounts', 'transfers']) await open(`/ledger?tab=${tab}`, `k-ledger-${tab}`)
  const money = await page.evaluate(async () => ({ a: (await (await fetch('/api/v1/accounts')).json()).items[1].id, t: (await (await fetch('/api/v1/transfers?code=2')).json()).items[0].id }))
  await open(`/accounts/${money.a}`, 'k-account')
  await open(`/transfers/${money.t}`, 'k-transfer')
  for (const p of ['stations', 'chargers', 'drivers', 'tariffs', 'contracts', 'parties', 'people', 'keys', 'settings', 'audit', 'stats']) await open(`/${p}`, `k-${p}`)
  for (const p of ['stations', 'chargers', 'drivers', 'contracts', 'people']) {
    await open(`/${p}`, `k-${p}`)
    await id('new').first().click()
    await wait(500)
    await shot(`k-${p}-new`, false)
  }
  await open('/tariffs/new', 'k-tariff-new')
  const x = await page.evaluate(async () => ({ c: (await (await fetch('/api/v1/chargers')).json()).items[0].id, d: (await (await fetch('/api/v1/drivers')).json()).items[0].id, t: (await (await fetch('/api/v1/tariffs')).json()).items[0].id }))
  await open(`/tariffs/${x.t}`, 'k-tariff')
  await open(`/drivers/${x.d}`, 'k-driver')
  await id('topup').click()
  await id('topup-amount').fill('50')
  await shot('k-topup', false)
  await id('topup-go').click()
  await wait(500)
  await shot('k-topup-done', false)
  await open(`/chargers/${x.c}`, 'k-charger')
  await id('show-qr').first().click()
  await wait(500)
  await shot('k-qr', false)
  await page.keyboard.press('Escape')
  await page.locator('.el-tabs__item').nth(1).click()
  await id('call-action').click()
  await wait(400)
  await shot('k-call-list', false)
  await page.locator('.el-select-dropdown__item', { hasText: 'SetChargingProfile' }).click()
  await id('call-send').click()
  await wait(2500)
  await page.locator('.el-table__expand-icon').first().click()
  await shot('k-calls')
  await page.locator('.el-tabs__item').nth(2).click()
  await id('config-read').click()
  await id('config-table').waitFor()
  await shot('k-config')
  await page.setViewportSize({ width: 1024, height: 768 })
  await open('/wall', 'k-wall-narrow', '[data-testid=wall-tile]')
  await ctx.close()
}
async function fresh(browser, lang) {
  const p = await mock(PORT + 1, '--empty')
  const { ctx, page, shot, id } = await face(browser, lang, 1280, 800, false)
  await page.goto(`http://127.0.0.1:${PORT + 1}/`)
  await id('setup-tenant').waitFor()
  await shot('k-setup1')
  await id('setup-tenant').fill('晨星充电')
  await id('setup-next').click()
  await id('setup-password').fill('a-long-password')
  await id('setup-password2').fill('a-long-password')
  await shot('k-setup2')
  await id('setup-finish').click()
  await id('tile-charging').waitFor()
  await ctx.close()
  p.kill()
}

const server = await mock(PORT)
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] })
try {
  for (const lang of only) {
    for (const [name, fn] of Object.entries({ driver, partner, console: console_, fresh })) {
      if (filter && !name.startsWith(filter)) continue
      try {
        await fn(browser, lang)
      } catch (e) {
        complaints.push(`${lang} ${name}: ${e.message}`)
      }
    }
  }
} finally {
  await browser.close()
  server.kill()
}
for (const c of complaints) process.stderr.write(`${c}\n`)
process.exit(complaints.length ? 1 : 0)
