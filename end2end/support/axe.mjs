// Runs axe in a page.

import { readFileSync } from 'node:fs';

const SOURCE = readFileSync(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

/**
 * The violations on the open page.
 *
 * @param {object} options of `axe.run`
 * @returns {Promise<{ id: string, help: string, nodes: { target: string[], reason: string }[] }[]>}
 */
export async function violations({ page }, options = {}) {
  if (page.frames().length > 1) throw new Error(`${page.url()} has frames, in which axe does not look`);
  // Once in each document: the source is large.
  if (!(await page.evaluate(() => typeof window.axe?.run === 'function'))) await page.evaluate(SOURCE);
  // What is in order is checked too, but not described: selectors and markup of every element take longer than the checks.
  return page.evaluate(run, { ...options, resultTypes: ['violations'] });
}

/** Runs in the page. */
async function run(options) {
  const { violations } = await window.axe.run(document, options);
  const reason = ({ any, all, none }) => [...any, ...all, ...none].map(({ message }) => message)[0] ?? '';
  return violations.map(({ id, help, nodes }) => ({
    id,
    help,
    nodes: nodes.map((node) => ({ target: node.target, reason: reason(node) })),
  }));
}
