// The meetings of the own branch.

import { strict as assert } from 'node:assert';

import { pagesOf } from '../support/pdf.mjs';
import { bothWays } from '../support/report.mjs';
import { until } from '../support/wait.mjs';

async function lookThrough(stage, script) {
  const visitor = await stage.visitor({ as: 'member', script });
  await visitor.open('/');
  await visitor.follow(visitor.$('.tab-bar a[href="/meetings"]'));
  const links = visitor.$('main .row-link[href^="/meetings/"]');
  await links.first().waitFor();
  assert.ok((await links.count()) >= 3, 'three months of meetings');

  const title = (await links.first().innerText()).trim();
  await visitor.follow(links.first());
  await until('the meeting is shown', async () => (await visitor.heading()) === title);
  const items = visitor.$('ol.numbered > li');
  assert.ok((await items.count()) >= 3, 'the agenda has items');
  for (const item of await items.all()) {
    assert.match(await item.locator('.numbered-meta').first().innerText(), /\d/, 'each item says how long it takes');
  }

  // A long agenda continues below the previous content, not on a new page.
  const printed = pagesOf(await visitor.page.pdf({ preferCSSPageSize: true }));
  const begin = (await items.first().locator('h3').textContent()).replace(/\s/g, '').normalize('NFC');
  assert.ok(printed[0].includes(begin), `the first of ${printed.length} pages has the agenda: ${printed[0]}`);

  const paper = visitor.$('ol.numbered a[href^="/library/"]').first();
  assert.equal(await paper.evaluate((link) => getComputedStyle(link).borderInlineStartWidth), '0px', 'no card in the card');
  const name = (await paper.locator('.file-name').innerText()).trim();
  await visitor.follow(paper);
  await until('the paper is shown', async () => (await visitor.heading()) === name);
}

async function othersMeetingsAreHidden(stage, script) {
  const insider = await stage.visitor({ as: 'member', script });
  await insider.open('/meetings');
  const address = await insider.$('main .row-link[href^="/meetings/"]').first().getAttribute('href');
  const outsider = await stage.visitor({ as: 'ward_member', script });
  outsider.expects(404);
  assert.equal((await outsider.open(address)).status(), 404);
}

export const tests = [
  ...bothWays('meetings: list, agenda with times, papers to read', lookThrough),
  ...bothWays("meetings: another branch's meeting cannot be found", othersMeetingsAreHidden),
];
