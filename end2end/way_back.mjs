// On the phone every page but the roots of the places has an arrow back in the bar, and says beside it where one is.

import { strict as assert } from 'node:assert';

import { LOOKERS, STATES, enter } from './states.mjs';

/** Where a thumb begins: the tabs, and for who is not signed in the sign-in. */
const ROOTS = ['/', '/library', '/meetings', '/opinions', '/more', '/sign-in'];
const THUMB = 44;

async function look(stage, as) {
  const visitor = await stage.visitor({ as });
  const found = [];
  for (const state of STATES.filter((state) => state.as === as)) {
    await enter(state, visitor, stage.world.server);
    const trouble = ROOTS.includes(visitor.path) ? '' : await missing(visitor);
    if (trouble) found.push(`${state.name}, ${visitor.place}: ${trouble}`);
  }
  assert.deepEqual(found, []);
}

/** What the way back lacks. */
async function missing(visitor) {
  const arrows = await visitor.$('main .breadcrumbs a:visible').all();
  if (arrows.length !== 1) return `${arrows.length} arrows`;
  const { y, width, height } = await arrows[0].boundingBox();
  if (width < THUMB || height < THUMB) return `the arrow is ${width} × ${height}`;
  if (y < 0 || y > 20) return `the arrow is ${y} below the top`;
  if (!(await arrows[0].textContent()).trim()) return 'the arrow has no name';
  if (new URL(await arrows[0].getAttribute('href'), visitor.page.url()).href === visitor.page.url()) return 'the arrow leads here';
  const title = visitor.$('main .breadcrumbs [aria-current="page"]');
  return (await title.isVisible()) && (await title.innerText()).trim() ? '' : 'the bar does not say where one is';
}

export const tests = LOOKERS.map((as) => ({
  name: `way back: pages of ${as ? `the ${as}` : 'the way in'} have an arrow`,
  run: (stage) => look(stage, as),
}));
