// SPDX-License-Identifier: Apache-2.0
// size.mjs: after a build, adds up what each page loads (gzip) and fails above its budget: the driver's page is opened on a weak
// network beside a charger. The console loads its pages on demand; all of them are counted.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const dist = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist')
const BUDGET = { console: 640, driver: 250, partner: 250 }
const size = (f) => gzipSync(readFileSync(f), { level: 9 }).length

function reach(file, seen) {
  if (seen.has(file) || !existsSync(file)) return
  seen.add(file)
  if (!/\.(html|js|css)$/.test(file)) return
  for (const m of readFileSync(file, 'utf8').matchAll(/["'`(/](?:assets\/|\.\/)([\w.-]+\.(?:js|css|woff2|svg|png))/g)) reach(join(dist, 'assets', m[1]), seen)
}

let bad = false
for (const [page, limit] of Object.entries(BUDGET)) {
  const index = join(dist, page, 'index.html')
  if (/<script(?![^>]*src=)/.test(readFileSync(index, 'utf8'))) {
    process.stderr.write(`${page}: an inline script, which the content policy forbids\n`)
    bad = true
  }
  const seen = new Set()
  reach(index, seen)
  const kb = [...seen].reduce((s, f) => s + size(f), 0) / 1000
  process.stdout.write(`${page}: ${seen.size} files, ${kb.toFixed(0)} kB gzip of ${limit}\n`)
  bad ||= kb > limit
}
for (const f of readdirSync(join(dist, 'assets'))) {
  if (/\.(js|css)$/.test(f) && /\beval\(|new Function\(|url\(["']?(https?:)?\/\//.test(readFileSync(join(dist, 'assets', f), 'utf8'))) {
    process.stderr.write(`${f}: eval, or an address of another host\n`)
    bad = true
  }
}
process.exit(bad ? 1 : 0)
