// SPDX-License-Identifier: Apache-2.0
// workbook.mjs: what a workbook (XLSX) that we wrote says, read without any library: its sheets' names, and the cells of its first sheet with their text and how they are shown.
import { inflateRawSync } from 'node:zlib';

/** The parts of a ZIP by name, from its central directory. */
function parts(zip) {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1')), out = {};
  let at = zip.readUInt32LE(end + 16);
  for (let n = zip.readUInt16LE(end + 10); n > 0; n--) {
    const [name, extra, comment] = [28, 30, 32].map((o) => zip.readUInt16LE(at + o)), local = zip.readUInt32LE(at + 42);
    const data = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const bytes = zip.subarray(data, data + zip.readUInt32LE(at + 20));
    out[zip.toString('utf8', at + 46, at + 46 + name)] = (zip.readUInt16LE(at + 10) === 8 ? inflateRawSync(bytes) : bytes).toString('utf8');
    at += 46 + name + extra + comment;
  }
  return out;
}

const plain = (xml) => xml.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
const all = (xml, re) => [...xml.matchAll(re)];

export function workbook(bytes) {
  const p = parts(bytes);
  const strings = all(p['xl/sharedStrings.xml'] ?? '', /<si>.*?<t[^>]*>(.*?)<\/t>.*?<\/si>|<si><t\/><\/si>/gs).map((m) => plain(m[1] ?? ''));
  const formats = all(/<cellXfs.*?<\/cellXfs>/s.exec(p['xl/styles.xml'])[0], /<xf numFmtId="(\d+)"/g).map((m) => Number(m[1]));
  const rows = all(p['xl/worksheets/sheet1.xml'], /<row .*?<\/row>/gs).map((r) => all(r[0], /<c r="[A-Z]+\d+"(?: s="(\d+)")?(?: t="(\w+)")?(?:\/>|>(.*?)<\/c>)/gs)
    .map(([, style, type, inner]) => {
      const v = /<v>(.*?)<\/v>/.exec(inner ?? '')?.[1] ?? '';
      return { kind: type ?? (v ? 'number' : 'empty'), text: type === 's' ? strings[Number(v)] : v, format: formats[Number(style ?? 0)] };
    }));
  return { sheets: all(p['xl/workbook.xml'], /<sheet name="([^"]*)"/g).map((m) => m[1]), rows };
}
