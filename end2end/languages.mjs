// On a page in another language than the content every text in Vietnamese says so, and no browser translates a name. Looks at all
// that is shown on every page and state, not at places known to be marked.
//
// What may stay in the language of the page: a sentence of the application with a name in it, or one that quotes. It fits a text of
// `app/locales` that has words of its own; of a line, each part between dots is looked at by itself. A name that stands alone, or in
// a text made of places only (`{name}, {unit}`), has to say its language. What is in a field is in the language of who writes there.

import { strict as assert } from 'node:assert';

import { DESKTOP, PHONE } from './support/browser.mjs';
import { fits, texts } from './support/texts.mjs';

/** Any but that of the content. Bengali has no letter in common with it. */
export const LANGUAGE = 'bn';

const SENTENCES = Object.values(texts(LANGUAGE))
  .flatMap((file) => Object.values(file))
  .flatMap((text) => (typeof text === 'string' ? [text] : Object.values(text)))
  .filter((text) => /\p{L}/u.test(text.replace(/\{\w+\}/g, '')))
  .map((text) => text.replaceAll('\u00a0', ' '));

/** Whether a text has letters with the marks of Vietnamese. */
const isVietnamese = (text) => /đ|\p{Script=Latin}[\u0300-\u036f]/iu.test(text.normalize('NFD'));

const isSentence = (text) => SENTENCES.some((sentence) => fits(sentence, text));

const mayStay = (text) => isSentence(text) || text.split(/(?:^|\s)·(?:\s|$)/).every((part) => !isVietnamese(part) || isSentence(part));

/** Runs in the page: every text that is shown, the language it is in, and whether a browser may translate it. */
function shownTexts() {
  for (const fold of document.querySelectorAll('details')) fold.open = true;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const shown = [];
  while (walker.nextNode()) {
    const around = walker.currentNode.parentElement;
    // The options of a list that is closed are not drawn, and are read out all the same.
    const drawn = around.closest('select') ?? around;
    if (!drawn.checkVisibility({ visibilityProperty: true }) || around.closest('textarea, [contenteditable]')) continue;
    const text = walker.currentNode.data.replaceAll('\u00a0', ' ').trim();
    const lang = around.closest('[lang]').lang;
    // The text of a document may name a unit; it is translated as a whole.
    const translated = around.translate && !around.closest('.prose');
    if (text) shown.push({ text, lang, translated, where: around.getAttribute('class') ?? around.localName });
  }
  return shown;
}

/** Names that stand alone in many places: the viewer's own, and of the units they belong to. */
async function ownNames(visitor) {
  const { viewer } = await (await visitor.context.request.get('/api/account/own')).json();
  return [viewer.name, viewer.branch.name, ...viewer.offices.map(({ unit }) => unit.name)];
}

/** What is found on the pages of one person who reads in {@link LANGUAGE}. */
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

  /** Looks at the page that is open, as on a phone and as on a desktop; unfolds what is folded. */
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

  /** What is not marked as it should be. */
  conclude() {
    const [content, named, names] = [this.#content, this.#named, this.#names.length];
    assert.ok(content > 0 && (names === 0 || named > 0), `${content} texts in Vietnamese and ${named} names were looked at`);
    return [...this.#wrong];
  }
}
