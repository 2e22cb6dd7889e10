// SPDX-License-Identifier: Apache-2.0
// gen.mjs: makes src/gen/ from the tables of the house, so that the faces can never speak of a field, an error, a number
// or a right that the server does not have: api.msg → TypeScript types, types.h → enum constants, errors.tsv → texts,
// permissions.tbl → who may do what. Its output is never committed. It fails loudly on a line it does not understand.
import { mkdirSync, readFileSync, writeFileSync, existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const web = dirname(dirname(fileURLToPath(import.meta.url)))
const house = join(web, '..', 'src')
const out = join(web, 'src', 'gen')
const HEAD = '// SPDX-License-Identifier: Apache-2.0\n// Made by tools/gen.mjs. Not edited, not committed.\n'

const KINDS = { id: 'string', money: 'string', text: 'string', int: 'number', dec: 'number', time: 'number',
  datetime: 'string', bool: 'boolean', json: 'unknown' }

function die(file, line, why) {
  process.stderr.write(`gen.mjs: ${file}:${line}: ${why}\n`)
  process.exit(1)
}

function types() {
  const file = join(house, 'web', 'tables', 'api.msg')
  const lines = readFileSync(file, 'utf8').split('\n')
  const names = new Set()
  for (const l of lines) {
    const m = /^type\s+(\w+)/.exec(l)
    if (m) names.add(m[1])
  }
  let text = HEAD
  let open = false
  lines.forEach((raw, i) => {
    const l = raw.replace(/#.*$/, '').trimEnd()
    if (!l.trim() || l.startsWith('proto')) return
    const t = /^type\s+(\w+)/.exec(l)
    if (t) {
      text += `${open ? '}\n' : ''}\nexport interface ${t[1]} {\n`
      open = true
      return
    }
    const f = /^\s+(\w+)\s+(\w+)(\[[^\]]*\])?(.*)$/.exec(l)
    if (!f || !open) return die(file, i + 1, 'not a field')
    const kind = KINDS[f[2]] ?? (names.has(f[2]) ? f[2] : null)
    if (!kind) return die(file, i + 1, `unknown kind ${f[2]}`)
    const optional = /\?/.test(f[4]) ? '?' : ''
    text += `  ${f[1]}${optional}: ${kind}${f[3] ? '[]' : ''}\n`
  })
  return text + '}\n'
}

function enums() {
  const source = readFileSync(join(house, 'core', 'types.h'), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
  let text = HEAD
  for (const m of source.matchAll(/enum\s+(\w+)\s*\{([^}]*)\}/g)) {
    let next = 0
    for (const part of m[2].split(',')) {
      const p = /^\s*(\w+)\s*(?:=\s*(-?\d+))?\s*$/.exec(part)
      if (!p) continue
      const value = p[2] === undefined ? next : Number(p[2])
      text += `export const ${p[1]} = ${value} // ${m[1]}\n`
      next = value + 1
    }
  }
  return text
}

function errors() {
  const file = join(house, 'base', 'tables', 'errors.tsv')
  let text = HEAD + '\nexport interface ErrorText {\n  name: string\n  en: string\n  zh: string\n}\n' +
    'export const ERRORS: Record<number, ErrorText> = {\n'
  readFileSync(file, 'utf8').split('\n').forEach((l, i) => {
    if (!l.trim() || l.startsWith('#')) return
    const c = l.split('\t')
    if (c.length < 7) return die(file, i + 1, 'seven columns wanted')
    text += `  [${c[1]}]: { name: '${c[0]}', en: ${JSON.stringify(c[5])}, zh: ${JSON.stringify(c[6])} },\n`
  })
  return text + '}\n'
}

function permissions() {
  let text = HEAD + '\nexport const PERMISSIONS: Record<string, readonly string[]> = {\n'
  for (const l of readFileSync(join(house, 'web', 'tables', 'permissions.tbl'), 'utf8').split('\n')) {
    const c = l.replace(/#.*$/, '').trim().split(/\s+/)
    if (c.length < 2) continue
    text += `  '${c[0]}': [${c.slice(1).map((r) => `'${r}'`).join(', ')}],\n`
  }
  return text + '}\n'
}

// An unchanged file keeps its time, so that a running development server does not reload for nothing.
function put(name, text) {
  const path = join(out, name)
  if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text)
}

mkdirSync(out, { recursive: true })
put('api.ts', types())
put('enums.ts', enums())
put('errors.ts', errors())
put('permissions.ts', permissions())
