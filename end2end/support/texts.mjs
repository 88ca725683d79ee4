// The texts of the application, from its own files, so that no test repeats one.

import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const LANGUAGES = ['vi', 'en', 'bn'];

// The sample organisation is a party.
const PACK = 'packs/party.toml';
const LOCALES = fileURLToPath(new URL('../../app/locales/', import.meta.url));
const BENGALI_ZERO = '০'.codePointAt(0);

const known = new Map();

/**
 * All texts of a language: `texts('vi').frame.home`. A plural is an object with `one` and `other`.
 *
 * @returns {Record<string, Record<string, any>>}
 */
export function texts(language) {
  if (!known.has(language)) known.set(language, load(language));
  return known.get(language);
}

function load(language) {
  const words = parse(readFileSync(`${LOCALES}${PACK}`, 'utf8'))[language];
  const files = readdirSync(`${LOCALES}${language}`).filter((name) => name.endsWith('.toml'));
  return Object.fromEntries(
    files.map((name) => [name.replace('.toml', ''), parse(spoken(words, readFileSync(`${LOCALES}${language}/${name}`, 'utf8')))]),
  );
}

/** Fills in the words of the pack: `{@member}`, and `{@Member}` for a capital. */
function spoken(words, text) {
  return text.replace(/\{@(\w+)\}/g, (_, name) => {
    const word = words[name.toLowerCase()];
    return name[0] === name[0].toUpperCase() ? word[0].toUpperCase() + word.slice(1) : word;
  });
}

/** The subset of TOML in the text files: `key = "text"` and `[plural]` sections. */
function parse(toml) {
  const all = {};
  let section = all;
  for (const line of toml.split('\n')) {
    const head = /^\[(\w+)\]\s*$/.exec(line);
    const pair = /^(\w+)\s*=\s*(".*")\s*$/.exec(line);
    if (head) section = all[head[1]] = {};
    else if (pair) section[pair[1]] = JSON.parse(pair[2]);
  }
  return all;
}

/** The error of an empty field with this label. */
export function empty(label, language = 'vi') {
  return texts(language).problems.required_named.replace('{label}', label);
}

const patterns = new Map();

/** Whether `text` is the template with filled placeholders. */
export function fits(template, text) {
  if (!patterns.has(template)) patterns.set(template, pattern(template));
  return patterns.get(template).test(text);
}

function pattern(template) {
  const words = template
    .split(/\{\w+\}/)
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.+?');
  return new RegExp(`^\\s*${words}\\s*$`, 'su');
}

/** The integer in a text, in any digits and separators: `২,৫১৪` is 2514. */
export function number(text) {
  const digits = [...text].map(digit).filter((value) => value !== undefined);
  if (digits.length === 0) throw new Error(`no number in "${text}"`);
  return Number(digits.join(''));
}

function digit(char) {
  if (char >= '0' && char <= '9') return char;
  const value = char.codePointAt(0) - BENGALI_ZERO;
  return value >= 0 && value <= 9 ? String(value) : undefined;
}
