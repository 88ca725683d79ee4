// Pictures of every page and state, to be looked at.

import { mkdir } from 'node:fs/promises';
import path from 'node:path';

import { LOOKERS, STATES, enter } from './states.mjs';
import { DESKTOP, PHONE } from './support/browser.mjs';

const SIZES = { phone: PHONE, desktop: DESKTOP };

/** As tests, so that they are run, timed and counted like them: one for each person who looks. */
export function screenshots(folder) {
  return LOOKERS.map((as) => ({
    name: `screenshots: pages of ${as ? `the ${as}` : 'the way in'}`,
    run: (stage) => photograph(stage, as, folder),
    patience: 300_000,
  }));
}

async function photograph(stage, as, folder) {
  await mkdir(folder, { recursive: true });
  const visitor = await stage.visitor({ as });
  for (const state of STATES.filter((state) => state.as === as)) {
    await enter(state, visitor, stage.world.server);
    for (const [size, viewport] of Object.entries(SIZES)) {
      await visitor.page.setViewportSize(viewport);
      for (const colorScheme of ['light', 'dark']) {
        await visitor.page.emulateMedia({ colorScheme });
        const name = `${state.name.replace(/[^a-z]+/g, '-')}-${size}-${colorScheme}.png`;
        await visitor.page.screenshot({ path: path.join(folder, name) });
      }
    }
    await visitor.page.setViewportSize(PHONE);
  }
}
