// On a page in another language than the content, every Vietnamese text is marked as such, and no browser translates a name.
// Checks all visible text on every page and state, not only places known to be marked.
//
// Exceptions that may be in the language of the page: a sentence of the application that contains a name or a quote. It matches a
// text of `app/locales` that has words besides its placeholders; in a line, each part between dots is checked separately. A name
// that stands alone, or in a text of placeholders only (`{name}, {unit}`), must be marked. The content of a field is in the
// language of its author.

import { strict as assert } from 'node:assert';

import { DESKTOP, PHONE } from './support/browser.mjs';
import { fits, texts } from './support/texts.mjs';

/** Any language but that of the content. Bengali shares no letter with it. */
export const LANGUAGE = 'bn';

const SENTENCES = Object.values(texts(LANGUAGE))
  .flatMap((file) => Object.values(file))
  .flatMap((text) => (typeof text === 'string' ? [text] : Object.values(text)))
  .filter((text) => /\p{L}/u.test(text.replace(/\{\w+\}/g, '')))
  .map((text) => text.replaceAll('\u00a0', ' '));

/** Whether a text has letters with Vietnamese diacritics. */
const isVietnamese = (text) => /đ|\p{Script=Latin}[\u0300-\u036f]/iu.test(text.normalize('NFD'));

const known = new Map();

/** The same texts are on many pages: each is compared with all sentences once. */
function isSentence(text) {
  if (!known.has(text)) known.set(text, SENTENCES.some((sentence) => fits(sentence, text)));
  return known.get(text);
}

const mayStay = (text) => isSentence(text) || text.split(/(?:^|\s)·(?:\s|$)/).every((part) => !isVietnamese(part) || isSentence(part));

/** Runs in the page: every visible text, its language, and whether a browser may translate it. */
function shownTexts() {
  for (const fold of document.querySelectorAll('details')) fold.open = true;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const shown = [];
  while (walker.nextNode()) {
    const around = walker.currentNode.parentElement;
    // The options of a closed list are not rendered but are read by screen readers.
    const drawn = around.closest('select') ?? around;
    if (!drawn.checkVisibility({ visibilityProperty: true }) || around.closest('textarea, [contenteditable]')) continue;
    const text = walker.currentNode.data.replaceAll('\u00a0', ' ').trim();
    const lang = around.closest('[lang]').lang;
    // The text of a document may contain the name of a unit; it is translated as a whole.
    const translated = around.translate && !around.closest('.prose');
    if (text) shown.push({ text, lang, translated, where: around.getAttribute('class') ?? around.localName });
  }
  return shown;
}

/** Names that stand alone in many places: the viewer's own, and those of the viewer's units. */
async function ownNames(visitor) {
  const { viewer } = await (await visitor.context.request.get('/api/account/own')).json();
  return [viewer.name, viewer.branch.name, ...viewer.offices.map(({ unit }) => unit.name)];
}

/** Findings on the pages of one person who reads in {@link LANGUAGE}. */
export class Marks {
  #names;
  #wrong = new Set();
  #content = 0;
  #named = 0;

  constructor(names) {
    this.#names = names;
  }

  static async of(visitor, isSignedIn) {
    return new Marks(isSignedIn ? await ownNames(visitor) : []);
  }

  /** Checks the current page at the size of a phone and of a desktop, with collapsed parts opened. */
  async look(visitor, state) {
    for (const size of [DESKTOP, PHONE]) {
      await visitor.page.setViewportSize(size);
      for (const { text, lang, translated, where } of await visitor.page.evaluate(shownTexts)) {
        const told = `${state.name}, ${where}: ${text.slice(0, 80)}`;
        if (isVietnamese(text)) {
          this.#content += 1;
          if (lang !== 'vi' && !mayStay(text)) this.#wrong.add(`not marked: ${told}`);
        }
        if (this.#names.includes(text)) {
          this.#named += 1;
          if (translated) this.#wrong.add(`translated: ${told}`);
        }
      }
    }
  }

  /** Texts that are not marked correctly. */
  conclude() {
    const [content, named, names] = [this.#content, this.#named, this.#names.length];
    assert.ok(content > 0 && (names === 0 || named > 0), `${content} texts in Vietnamese and ${named} names were looked at`);
    return [...this.#wrong];
  }
}
