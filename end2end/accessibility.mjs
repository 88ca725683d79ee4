// Runs axe on every page and state in every language, with colours in light and dark. Also checks the way back on the phone and
// the language marks of the same pages.

import { strict as assert } from 'node:assert';

import { LANGUAGE as MARKED, Marks } from './languages.mjs';
import { LOOKERS, STATES, enter } from './states.mjs';
import { prefer } from './support/accounts.mjs';
import { violations } from './support/axe.mjs';
import { LANGUAGES } from './support/texts.mjs';
import { wayBackLacks } from './way_back.mjs';

/** WCAG 2.2 AA and best practices, and contrast 7:1 for text, which the project requires. */
const EVERYTHING = {
  runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] },
  rules: { 'color-contrast-enhanced': { enabled: true } },
};
const COLOURS = ['color-contrast', 'color-contrast-enhanced'];
const COLOURS_ALONE = { runOnly: { type: 'rule', values: COLOURS } };
/** The language in which colours and positions are checked: they are the same in all. */
const FIRST = LANGUAGES[0];
const WITHOUT_COLOURS = {
  ...EVERYTHING,
  rules: Object.fromEntries(COLOURS.map((rule) => [rule, { enabled: false }])),
};

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
    if (as) await prefer(visitor, { locale: 'vi' });
  }
}

async function analyse(visitor, options) {
  // Scrolled to the top, as a page loads: further down the sticky bar may cover a link, as on any scrolled page.
  await visitor.page.evaluate(() => scrollTo({ top: 0, behavior: 'instant' }));
  const found = await violations(visitor, options);
  return found.map(({ id, help, nodes }) => `${id} (${help}):\n    ${nodes.slice(0, 4).map(describe).join('\n    ')}`);
}

const describe = ({ target, reason }) => `${target.join(' ')} — ${reason}`;

export const tests = LANGUAGES.flatMap((language) =>
  LOOKERS.map((as) => ({
    name: `accessibility: pages of ${as ? `the ${as}` : 'the way in'}, ${language}`,
    run: (stage) => look(stage, as, language),
  })),
);
