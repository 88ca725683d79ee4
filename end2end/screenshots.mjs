// Pictures of pages and states: of all of them for review, and of a few for the README.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { LOOKERS, STATES, enter } from './states.mjs';
import { DESKTOP, PHONE } from './support/browser.mjs';

const SIZES = { phone: PHONE, desktop: DESKTOP };

/** Pictures of the README: file name, name of the state, viewport, and device pixel ratio. */
const README = [
  { file: 'home', name: 'home', size: PHONE, scale: 2 },
  { file: 'document', name: 'document', size: PHONE, scale: 2 },
  { file: 'desk', name: 'desk', size: DESKTOP, scale: 1 },
  { file: 'statistics', name: 'committee of a province', size: DESKTOP, scale: 1 },
];

/** Maximum size of a README picture in bytes, and the qualities that are tried, in percent. */
const README_BYTES = 60_000;
const QUALITIES = [90, 80, 70, 60, 50, 40, 30];

/** As tests, so that they are run, timed and counted in the same way: one per person. */
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
      // As it is found after it was sent in a window of this size: what is wrong has the focus and is in sight.
      await visitor.page.evaluate(() => document.activeElement.closest('.error-summary')?.scrollIntoView());
      for (const colorScheme of ['light', 'dark']) {
        await visitor.page.emulateMedia({ colorScheme });
        const name = `${state.name.replace(/[^a-z]+/g, '-')}-${size}-${colorScheme}.png`;
        await visitor.page.screenshot({ path: path.join(folder, name) });
      }
    }
    await visitor.page.setViewportSize(PHONE);
  }
}

/** The pictures of the README, as tests too. */
export function readmePictures(folder) {
  return README.map(({ file, name, size, scale }) => ({
    name: `picture of the README: ${name}`,
    run: async (stage) => {
      const state = STATES.find((state) => state.name === name);
      const visitor = await stage.visitor({ as: state.as, size, scale });
      await enter(state, visitor, stage.world.server);
      await mkdir(folder, { recursive: true });
      await writeFile(path.join(folder, `${file}.webp`), await webp(visitor.page));
    },
  }));
}

/** The viewport as WebP, in the best quality that fits the limit. Playwright writes only PNG and JPEG, the browser also WebP. */
async function webp(page) {
  const session = await page.context().newCDPSession(page);
  for (const quality of QUALITIES) {
    const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality });
    const picture = Buffer.from(data, 'base64');
    if (picture.length <= README_BYTES) return picture;
  }
  throw new Error(`the picture has more than ${README_BYTES} bytes in every quality`);
}
