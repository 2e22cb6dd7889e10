// SPDX-License-Identifier: Apache-2.0
/* sha256.ts: SHA-256 (FIPS 180-4) of bytes. The browser's own exists on https and loopback only; a console on a local network comes by
 * plain http. */

const primes = (n: number): number[] => {
  const out: number[] = []
  for (let x = 2; out.length < n; x++) if (out.every((p) => x % p)) out.push(x)
  return out
}
const fraction = (x: number) => Math.floor((x - Math.floor(x)) * 2 ** 32) >>> 0
const K = new Uint32Array(primes(64).map((p) => fraction(Math.cbrt(p))))
const START = primes(8).map((p) => fraction(Math.sqrt(p)))

const turn = (x: number, n: number) => (x >>> n) | (x << (32 - n))

function block(h: Uint32Array, w: Uint32Array, v: DataView, at: number): void {
  for (let i = 0; i < 16; i++) w[i] = v.getUint32(at + 4 * i)
  for (let i = 16; i < 64; i++) {
    const a = w[i - 15]!, b = w[i - 2]!
    w[i] = w[i - 16]! + (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) + w[i - 7]! + (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10))
  }
  let [a, b, c, d, e, f, g, k] = h as unknown as [number, number, number, number, number, number, number, number]
  for (let i = 0; i < 64; i++) {
    const t1 = (k + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[i]! + w[i]!) | 0
    const t2 = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0
    k = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0
  }
  h[0]! += a; h[1]! += b; h[2]! += c; h[3]! += d; h[4]! += e; h[5]! += f; h[6]! += g; h[7]! += k
}

export function sha256(bytes: Uint8Array): string {
  const h = new Uint32Array(START), w = new Uint32Array(64)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const whole = bytes.length - (bytes.length % 64)
  for (let at = 0; at < whole; at += 64) block(h, w, view, at)
  const rest = bytes.subarray(whole)
  const tail = new Uint8Array(rest.length < 56 ? 64 : 128)
  tail.set(rest)
  tail[rest.length] = 0x80
  const end = new DataView(tail.buffer)
  end.setUint32(tail.length - 8, Math.floor(bytes.length / 2 ** 29))
  end.setUint32(tail.length - 4, (bytes.length * 8) >>> 0)
  for (let at = 0; at < tail.length; at += 64) block(h, w, end, at)
  return [...h].map((x) => x.toString(16).padStart(8, '0')).join('')
}
