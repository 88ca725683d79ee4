// Checks the HTML of every page and state as the server sends it: element nesting, attributes and duplicate ids.

import { HtmlValidate, StaticConfigLoader } from 'html-validate';

/** The rules of HTML itself. Style rules are off: a renderer writes this markup. */
const RULES = {
  extends: ['html-validate:standard', 'html-validate:document'],
  rules: {
    // Equivalent forms, one of which the renderer writes.
    'attr-quotes': 'off',
    'attribute-boolean-style': 'off',
    'attribute-empty-style': 'off',
    'doctype-style': 'off',
    'no-trailing-whitespace': 'off',
    'void-style': 'off',
    // The role restores the list semantics that browsers drop from a list without markers.
    'no-redundant-role': 'off',
    // All resources come from this site.
    'require-sri': 'off',
    // Landmarks with the same links, one of which is visible.
    'unique-landmark': 'off',
  },
};

const checker = new HtmlValidate(new StaticConfigLoader(RULES));

/** Checks each page that the visitor gets from the server from now on. */
export class Markup {
  pages = 0;
  #found = new Map();
  #checks = [];

  constructor(visitor) {
    visitor.page.on('response', (response) => this.#checks.push(this.#check(response)));
  }

  async #check(response) {
    if (response.request().resourceType() !== 'document' || (response.status() >= 300 && response.status() < 400)) return;
    const { pathname } = new URL(response.url());
    await note(this.#found, pathname, await response.text().catch(() => ''));
    this.pages += 1;
  }

  /** The errors, each kind once. */
  async conclude() {
    await Promise.all(this.#checks);
    return [...this.#found].map(([what, where]) => `${what}\n    ${where}`);
  }
}

/** Each kind of error once, with the first place where it was found. */
async function note(found, path, html) {
  if (!html) return;
  // The framework's markers between nodes; a browser reads them as empty comments, the checker does not.
  const read = html.replaceAll('<!>', '<!---->');
  const { results } = await checker.validateString(read);
  for (const { ruleId, message, offset, size } of results.flatMap(({ messages }) => messages)) {
    const what = `${ruleId}: ${message.replace(/\d+/g, 'N')}`;
    if (!found.has(what)) found.set(what, `${path}: …${read.slice(Math.max(0, offset - 60), offset + size + 60).replace(/\s+/g, ' ')}…`);
  }
}
