// The pickers of units on a form.

import { strict as assert } from 'node:assert';

import { until } from './wait.mjs';

/** With plain spaces: compounds of a name are joined by others. */
export const plain = (text) => text.replaceAll('\u00a0', ' ');

/** Without accents, as people type. */
export const bare = (text) => text.normalize('NFD').replace(/\p{M}/gu, '').replaceAll('đ', 'd').replaceAll('Đ', 'D');

/**
 * Searches units by the words that are typed; without script the form comes back with them. Returns the row whose name ends like
 * this, and the name.
 */
export async function findUnit(visitor, script, unit, typed = unit) {
  const words = bare(unit).toLowerCase().split(' ');
  await visitor.field('find').fill(typed);
  if (!script) await visitor.submit(visitor.$('main button[name="then"][value="find"]'));
  const rows = visitor.$('main .picker-row');
  const names = async () => (await rows.locator('.picker-name').allInnerTexts()).map(plain);
  const isFound = (name) => words.every((word) => bare(name).toLowerCase().includes(word));
  await until('the units are found', async () => (await names()).length > 0 && (await names()).every(isFound));
  const all = await names();
  const at = all.findIndex((name) => name.split(' · ')[0].toLowerCase().endsWith(unit.toLowerCase()));
  assert.ok(at >= 0, `${unit} is among ${all}`);
  return [rows.nth(at), all[at].split(' · ')[0]];
}
