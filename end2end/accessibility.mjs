// Runs axe on every page and state in every language, with colours in light and dark. Also checks the way back on the phone and
// the language marks of the same pages.

import { strict as assert } from 'node:assert';

import { LANGUAGE as MARKED, Marks } from './languages.mjs';
import { STATES, enter } from './states.mjs';
import { prefer } from './support/accounts.mjs';
import { violations } from './support/axe.mjs';
import { LANGUAGES } from './support/texts.mjs';
import { wayBackLacks } from './way_back.mjs';

/** WCAG 2.2 AA and best practices. */
const RULES = { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] };
const COLOURS = 'color-contrast';
/** The contrast that the project requires: 7:1, and 4.5:1 for large text. One rule with these limits looks at each text once. */
const checks = { [COLOURS]: { options: { contrastRatio: { normal: { expected: 7 }, large: { expected: 4.5 } } } } };
const EVERYTHING = { runOnly: RULES, checks };
const COLOURS_ALONE = { runOnly: { type: 'rule', values: [COLOURS] }, checks };
const WITHOUT_COLOURS = { runOnly: RULES, rules: { [COLOURS]: { enabled: false } } };
/** The language in which colours and positions are checked: they are the same in all. */
const FIRST = LANGUAGES[0];

async function look(stage, as, language) {
  const visitor = await stage.visitor({ as, language });
  if (as) await prefer(visitor, { locale: language });
  try {
    const found = [];
    const marks = language === MARKED ? await Marks.of(visitor, Boolean(as)) : undefined;
    for (const state of STATES.filter((state) => state.as === as)) {
      await enter(state, visitor, stage.world.server);
      assert.equal(await visitor.$('html').getAttribute('lang'), language, state.name);
      const note = (how, texts) => found.push(...texts.map((text) => `${state.name}, ${how}: ${text}`));
      if (language === FIRST) {
        note('light', await analyse(visitor, EVERYTHING));
        await visitor.page.emulateMedia({ colorScheme: 'dark' });
        // Only colours change in dark mode.
        note('dark', await analyse(visitor, COLOURS_ALONE));
        await visitor.page.emulateMedia({ colorScheme: 'light' });
        note('way back', [await wayBackLacks(visitor)].filter(Boolean));
      } else {
        note('light', await analyse(visitor, WITHOUT_COLOURS));
      }
      await marks?.look(visitor, state);
    }
    found.push(...(marks?.conclude() ?? []));
    if (found.length > 0) throw new Error(`${found.length} violations:\n${found.join('\n')}`);
  } finally {
    if (as && language !== 'vi') await prefer(visitor, { locale: 'vi' });
  }
}

async function analyse(visitor, options) {
  // Scrolled to the top, as a page loads: further down the sticky bar may cover a link, as on any scrolled page.
  await visitor.page.evaluate(() => scrollTo({ top: 0, behavior: 'instant' }));
  const found = await violations(visitor, options);
  return found.map(({ id, help, nodes }) => `${id} (${help}):\n    ${nodes.slice(0, 4).map(describe).join('\n    ')}`);
}

const describe = ({ target, reason }) => `${target.join(' ')} — ${reason}`;

/** Text that is pale for the project (5:1), but not for WCAG 2.2 AA, is found. */
async function paleTextIsFound(stage) {
  const guest = await stage.visitor();
  await guest.open('/sign-in');
  await guest.page.evaluate(() => {
    const pale = document.createElement('p');
    pale.textContent = 'Chữ nhạt';
    Object.assign(pale.style, { color: '#6f6f6f', background: '#fff', fontSize: '16px' });
    document.querySelector('main').prepend(pale);
  });
  for (const options of [EVERYTHING, COLOURS_ALONE]) {
    const found = (await violations(guest, options)).filter(({ id }) => id === COLOURS);
    assert.deepEqual(found.map(({ nodes }) => nodes.length), [1]);
    assert.match(found[0].nodes[0].reason, /7:1/);
  }
}

export const tests = [{ name: 'accessibility: text with too little contrast is found', run: paleTextIsFound }];

/** The tests of the pages of one person, or of the way in. */
export const testsOf = (as) =>
  LANGUAGES.map((language) => ({
    name: `accessibility: pages of ${as ? `the ${as}` : 'the way in'}, ${language}`,
    run: (stage) => look(stage, as, language),
  }));
