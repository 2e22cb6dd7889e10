// SPDX-License-Identifier: Apache-2.0
/* split.ts: a preview of how a contract splits an amount. The server's deficit rule also remembers what earlier orders rounded; here
 * nothing is remembered, so a leftover unit goes to the largest remainder: a party may see one unit more or less on a real order. */

export interface Sharer {
  lines: number
  ratio: number
}

/** Parts of `amount` (units of 1/10,000) for those who share in fee line `line`, in posting units; they sum exactly. */
export function previewSplit(parties: readonly Sharer[], line: number, amount: bigint, unit: number): bigint[] {
  const step = BigInt(Math.max(1, unit))
  const sum = parties.reduce((s, p) => s + (p.lines & line ? BigInt(p.ratio) : 0n), 0n)
  if (sum === 0n) return parties.map(() => 0n)
  const total = amount / step
  const parts = parties.map((p) => (p.lines & line ? (total * BigInt(p.ratio)) / sum : 0n))
  const rest = parties.map((p, i) => ({ i, r: p.lines & line ? (total * BigInt(p.ratio)) % sum : -1n }))
  let left = total - parts.reduce((a, b) => a + b, 0n)
  for (const { i } of rest.filter((x) => x.r >= 0n).sort((a, b) => (a.r === b.r ? a.i - b.i : a.r > b.r ? -1 : 1))) {
    if (left === 0n) break
    parts[i] = parts[i]! + 1n
    left--
  }
  const cut = amount - total * step // less than one posting unit: to the first who shares
  const first = parties.findIndex((p) => p.lines & line)
  return parts.map((p, i) => p * step + (i === first ? cut : 0n))
}
