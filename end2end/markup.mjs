// The HTML of every page and state, as the server sends it: no element where none may stand, no attribute that means nothing, no id twice.

import { strict as assert } from 'node:assert';

import { HtmlValidate, StaticConfigLoader } from 'html-validate';

import { LOOKERS, STATES, enter } from './states.mjs';

/** What HTML itself asks for. Style of writing is the renderer's matter: nobody writes this markup by hand. */
const RULES = {
  extends: ['html-validate:standard', 'html-validate:document'],
  rules: {
    // Of the same meaning, and one of them is what the renderer writes.
    'attr-quotes': 'off',
    'attribute-boolean-style': 'off',
    'attribute-empty-style': 'off',
    'doctype-style': 'off',
    'no-trailing-whitespace': 'off',
    'void-style': 'off',
    // The role brings back what a browser drops from a list without marks.
    'no-redundant-role': 'off',
    // Everything comes from this site.
    'require-sri': 'off',
    // Landmarks that lead to the same places, of which one is shown.
    'unique-landmark': 'off',
  },
};

const checker = new HtmlValidate(new StaticConfigLoader(RULES));

async function look(stage, as) {
  const visitor = await stage.visitor({ as, script: false });
  const found = new Map();
  let pages = 0;
  visitor.page.on('response', async (response) => {
    if (response.request().resourceType() !== 'document' || response.status() >= 300 && response.status() < 400) return;
    const { pathname } = new URL(response.url());
    await note(found, pathname, await response.text().catch(() => ''));
    pages += 1;
  });
  const states = STATES.filter((state) => state.as === as);
  for (const state of states) await enter(state, visitor, stage.world.server);
  assert.ok(pages >= states.length, `${pages} pages for ${states.length} states`);
  const told = [...found].map(([what, where]) => `${what}\n    ${where}`);
  assert.deepEqual(told, [], `${told.length} kinds of errors:\n${told.join('\n')}`);
}

/** Each kind of error once, with the first place where it was found. */
async function note(found, path, html) {
  if (!html) return;
  // The framework's marks between nodes; a browser reads them as empty comments, the checker does not.
  const read = html.replaceAll('<!>', '<!---->');
  const { results } = await checker.validateString(read);
  for (const { ruleId, message, offset, size } of results.flatMap(({ messages }) => messages)) {
    const what = `${ruleId}: ${message.replace(/\d+/g, 'N')}`;
    if (!found.has(what)) found.set(what, `${path}: …${read.slice(Math.max(0, offset - 60), offset + size + 60).replace(/\s+/g, ' ')}…`);
  }
}

export const tests = LOOKERS.map((as) => ({
  name: `markup: pages of ${as ? `the ${as}` : 'the way in'} are valid HTML`,
  run: (stage) => look(stage, as),
}));
