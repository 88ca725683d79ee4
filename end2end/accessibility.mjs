// axe on every page and state, in light and dark, in every language.

import { strict as assert } from 'node:assert';

import { AxeBuilder } from '@axe-core/playwright';

import { LOOKERS, STATES, enter } from './states.mjs';
import { prefer } from './support/accounts.mjs';
import { LANGUAGES } from './support/texts.mjs';

/** WCAG 2.2 AA and good practice, and 7:1 for text, which the project asks of itself. */
const EVERYTHING = {
  runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] },
  rules: { 'color-contrast-enhanced': { enabled: true } },
};
const COLOURS = ['color-contrast', 'color-contrast-enhanced'];

async function look(stage, as, language) {
  const visitor = await stage.visitor({ as, language });
  if (as) await prefer(visitor, { locale: language });
  try {
    const found = [];
    for (const state of STATES.filter((state) => state.as === as)) {
      await enter(state, visitor, stage.world.server);
      assert.equal(await visitor.$('html').getAttribute('lang'), language, state.name);
      const light = await analyse(visitor, (axe) => axe.options(EVERYTHING));
      await visitor.page.emulateMedia({ colorScheme: 'dark' });
      // Nothing but colours changes in the dark.
      const dark = await analyse(visitor, (axe) => axe.withRules(COLOURS));
      await visitor.page.emulateMedia({ colorScheme: 'light' });
      found.push(...light.map((text) => `${state.name}, light: ${text}`), ...dark.map((text) => `${state.name}, dark: ${text}`));
    }
    if (found.length > 0) throw new Error(`${found.length} violations:\n${found.join('\n')}`);
  } finally {
    if (as) await prefer(visitor, { locale: 'vi' });
  }
}

async function analyse({ page }, choose) {
  // From the top, as a page comes: somewhere below it a link may lie half under the bar that stays, as on any page that is scrolled.
  await page.evaluate(() => scrollTo({ top: 0, behavior: 'instant' }));
  // Legacy mode needs no second page; ours have no frames.
  const { violations } = await choose(new AxeBuilder({ page }).setLegacyMode(true)).analyze();
  return violations.map(({ id, help, nodes }) => `${id} (${help}):\n    ${nodes.slice(0, 4).map(describe).join('\n    ')}`);
}

function describe({ target, any, all, none }) {
  const reason = [...any, ...all, ...none].map(({ message }) => message)[0] ?? '';
  return `${target.join(' ')} — ${reason}`;
}

export const tests = LANGUAGES.flatMap((language) =>
  LOOKERS.map((as) => ({
    name: `accessibility: pages of ${as ? `the ${as}` : 'the way in'}, ${language}`,
    run: (stage) => look(stage, as, language),
  })),
);
