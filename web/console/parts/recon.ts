// SPDX-License-Identifier: Apache-2.0
/* recon.ts: what people may do to a difference (enum diff_act of core/cmd.h), and days of bills, which are China's. */
export const DIFF_ACT_ASSIGN = 1
export const DIFF_ACT_POST = 2
export const DIFF_ACT_RESOLVE = 3
export const DIFF_ACT_APPROVE = 4
export const DIFF_ACT_REFUSE = 5

/** 20261125 as 2026-11-25. */
export const dayText = (n: number) => `${Math.floor(n / 10000)}-${String(Math.floor(n / 100) % 100).padStart(2, '0')}-${String(n % 100).padStart(2, '0')}`
/** The day in China some days ago, as 20261125. */
export function dayInChina(back: number): number {
  const d = new Date(Date.now() + 8 * 3600e3 - back * 86400e3)
  return d.getUTCFullYear() * 10000 + (d.getUTCMonth() + 1) * 100 + d.getUTCDate()
}
/** Whole days since. */
export const ageDays = (ms: number) => Math.max(0, Math.floor((Date.now() - ms) / 86400e3))
