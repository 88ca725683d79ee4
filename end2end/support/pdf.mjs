// The words on the pages of a PDF written by Chromium: enough to check what was printed where.

import { inflateSync } from 'node:zlib';

/**
 * The text of each page, in drawing order, without spaces: those are positions, not characters.
 *
 * @param {Buffer} pdf
 * @returns {string[]}
 */
export function pagesOf(pdf) {
  const objects = read(pdf);
  const pages = [...objects.values()].find(({ head }) => /\/Type \/Pages\b/.test(head) && !/\/Parent/.test(head));
  return leaves(objects, pages).map((page) => text(objects, page));
}

/** Size of the first page in millimetres: width and height. */
export function paperOf(pdf) {
  const box = /\/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/.exec(pdf.toString('latin1'));
  return box.slice(1).map((points) => Math.round((Number(points) * 25.4) / 72));
}

/** Objects by number: the part before the stream, and the stream. */
function read(pdf) {
  const source = pdf.toString('latin1');
  const objects = new Map();
  for (const [, number, body] of source.matchAll(/(?:^|\n)(\d+) 0 obj\s([\s\S]*?)endobj/g)) {
    const at = body.indexOf('stream\n');
    const head = at < 0 ? body : body.slice(0, at);
    const length = Number(/\/Length (\d+)/.exec(head)?.[1] ?? 0);
    const stream = at < 0 ? undefined : Buffer.from(body.slice(at + 7, at + 7 + length), 'latin1');
    objects.set(Number(number), { head, stream });
  }
  return objects;
}

function leaves(objects, node) {
  const kids = /\/Kids \[([^\]]*)\]/.exec(node.head);
  if (!kids) return [node];
  return [...kids[1].matchAll(/(\d+) 0 R/g)].flatMap(([, kid]) => leaves(objects, objects.get(Number(kid))));
}

const unpacked = ({ head, stream }) => (/FlateDecode/.test(head) ? inflateSync(stream) : stream).toString('latin1');

function text(objects, page) {
  const fonts = new Map();
  const dictionary = /\/Font <<([^>]*)>>/.exec(page.head)?.[1] ?? '';
  for (const [, name, number] of dictionary.matchAll(/\/(\S+) (\d+) 0 R/g)) {
    const unicode = /\/ToUnicode (\d+) 0 R/.exec(objects.get(Number(number)).head);
    if (unicode) fonts.set(name, letters(unpacked(objects.get(Number(unicode[1])))));
  }
  const contents = /\/Contents (\d+) 0 R/.exec(page.head);
  let font = new Map();
  let found = '';
  for (const [, name, glyphs] of unpacked(objects.get(Number(contents[1]))).matchAll(/\/(\S+) [\d.]+ Tf|<([0-9A-Fa-f]+)>/g)) {
    if (name) font = fonts.get(name) ?? new Map();
    else for (const glyph of glyphs.match(/.{4}/g) ?? []) found += font.get(parseInt(glyph, 16)) ?? '';
  }
  return found.replace(/\s/g, '').normalize('NFC');
}

/** Letters by glyph, from a font's table. */
function letters(table) {
  const found = new Map();
  const letter = (hex) => String.fromCharCode(...hex.match(/.{4}/g).map((unit) => parseInt(unit, 16)));
  for (const [, block] of table.matchAll(/beginbfchar([\s\S]*?)endbfchar/g)) {
    for (const [, glyph, unicode] of block.matchAll(/<(\w+)> <(\w+)>/g)) found.set(parseInt(glyph, 16), letter(unicode));
  }
  for (const [, block] of table.matchAll(/beginbfrange([\s\S]*?)endbfrange/g)) {
    for (const [, from, to, unicode] of block.matchAll(/<(\w+)> <(\w+)> <(\w+)>/g)) {
      const first = parseInt(unicode, 16);
      for (let glyph = parseInt(from, 16); glyph <= parseInt(to, 16); glyph += 1) {
        found.set(glyph, String.fromCharCode(first + glyph - parseInt(from, 16)));
      }
    }
  }
  return found;
}
