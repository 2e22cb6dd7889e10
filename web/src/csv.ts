// SPDX-License-Identifier: Apache-2.0
/* csv.ts: the bytes of a CSV as text. Spreadsheets of Chinese machines write GBK unless they are told otherwise; what is neither that nor UTF-8
 * goes as it is, for the server says in which line. */

/** null: it is no CSV but a workbook. */
export function csvText(bytes: Uint8Array<ArrayBuffer>): string | Uint8Array<ArrayBuffer> | null {
  if (bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3) return null // PK: a ZIP, as XLSX is
  for (const code of ['utf-8', 'gb18030']) {
    try {
      return new TextDecoder(code, { fatal: true }).decode(bytes)
    } catch {
      // The next one.
    }
  }
  return bytes
}
