// The figures of a committee, updated while the page is open.

import { strict as assert } from 'node:assert';

import { DESKTOP } from '../support/browser.mjs';
import { bothWays } from '../support/report.mjs';
import { fits, number, texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';

const { statistics, terms, units } = texts('vi');

/** The labels of the figures. */
const LABELS = { ...statistics, members: terms.members };

async function figuresMove(stage, script) {
  const committee = await stage.visitor({ as: 'committee', script });
  await committee.open('/committee');
  const before = await figures(committee);
  assert.ok(before.members > 0 && before.documents > 0, JSON.stringify(before));
  assert.ok(before.activated <= before.members && before.active <= before.activated, JSON.stringify(before));
  const loaded = await loadTime(committee);

  const member = await stage.visitor({ as: 'member', script });
  await readSomethingNew(member);
  const read = await moved(committee, 'reads', before.reads);
  await sendOpinion(member, script);
  const spoken = await moved(committee, 'opinions', before.opinions);
  assert.equal(read.members, spoken.members);
  if (script) assert.equal(await loadTime(committee), loaded, 'the page was not loaded again');
}

async function levelByLevel(stage, script) {
  const visitor = await stage.visitor({ as: 'statistician', script });
  await visitor.open('/committee');
  const above = await visitor.heading();
  const whole = await figures(visitor);
  const row = visitor.$('.table tbody tr:has(a[href^="/committee/"])').first();
  const name = (await row.locator('a').innerText()).trim();
  const members = number(await row.locator('td').first().innerText());

  await visitor.follow(row.locator('a'));
  await until('the unit below is shown', async () => (await visitor.heading()) === name);
  const part = await figures(visitor);
  assert.equal(part.members, members, 'the row above and the page below say the same');
  assert.ok(part.members < whole.members);
  await visitor.sees('.table tbody tr');

  await visitor.follow(visitor.$('.breadcrumbs a:visible').first());
  await until('the way back leads up', async () => (await visitor.heading()) === above);
}

/** The table of a commune's branches: some at first, more in place, sorted by its headers, searched. */
async function tableOfUnits(stage, script) {
  const visitor = await stage.visitor({ as: 'statistician', script });
  const rows = visitor.$('#units tbody tr');
  await visitor.open('/committee');
  // The unit of the sample with the most branches.
  await visitor.follow(visitor.$('#units th a', { hasText: 'Cẩm Giang' }));
  await until('its branches are there', async () => (await rows.count()) === 20);
  const ward = visitor.path;
  await visitor.follow(visitor.$('#units a[rel~="next"]'));
  assert.ok((await rows.count()) > 20);
  assert.equal(new URL(visitor.page.url()).hash, '#units-21', 'the first of the new rows');

  const all = await rows.count();
  await visitor.follow(visitor.$('#units thead a').first());
  assert.equal(await visitor.$('#units thead th').first().getAttribute('aria-sort'), 'ascending');
  assert.equal(await rows.count(), all, 'as many as before');
  const first = (await rows.first().locator('th').innerText()).trim();
  await visitor.follow(visitor.$('#units thead a').first());
  assert.equal(await visitor.$('#units thead th').first().getAttribute('aria-sort'), 'descending');
  assert.notEqual((await rows.first().locator('th').innerText()).trim(), first);

  await visitor.open(`${ward}?sort=-members&rows=1000`);
  const members = (await rows.locator('td:nth-of-type(1)').allTextContents()).map((text) => text.trim());
  const shown = members.filter((text) => text !== statistics.hidden).map(number);
  assert.deepEqual(shown, [...shown].sort((one, other) => other - one));
  assert.ok(members.slice(shown.length).every((text) => text === statistics.hidden), 'hidden rows are last');

  await visitor.open(`${ward}?q=${encodeURIComponent(first)}`);
  assert.ok((await rows.locator('th').allInnerTexts()).some((name) => name.trim() === first));
  await visitor.open(`${ward}?q=%25%27--&sort=--x&rows=-5`);
  assert.equal(await rows.count(), 0);
  assert.ok((await visitor.text('#units')).includes(units.none_found));
}

/** Table headers and tree rows are on one line on a desktop, bars do not touch their figures, every unit is a link. */
async function roomInTables(stage) {
  const visitor = await stage.visitor({ as: 'committee', script: false, size: DESKTOP });
  const text = await firstIn(visitor, '/readers');
  const course = await firstIn(visitor, '/courses/results');
  for (const address of ['/committee', text, course].filter(Boolean)) {
    await visitor.open(address);
    const heads = await visitor.$('#units thead th').evaluateAll((heads) => heads.map((head) => [head.innerText.trim(), head.clientHeight]));
    assert.ok(heads.length > 3, address);
    assert.deepEqual(heads.filter(([, height]) => height > 52), [], `${address}: heads stand on one line`);
    const gaps = await visitor.$('#units tbody .share-bar').evaluateAll((bars) =>
      bars.map((bar) => {
        const figure = document.createRange();
        figure.setStartAfter(bar);
        figure.setEndAfter(bar.parentElement.lastChild);
        const words = [...figure.getClientRects()].filter(({ width }) => width > 6);
        return Math.min(...words.map(({ left }) => left)) - bar.getBoundingClientRect().right;
      }),
    );
    assert.equal(await visitor.$('#units tbody th a').count(), await visitor.$('#units tbody th').count(), `${address}: every row is a link`);
    assert.ok(gaps.length > 0 && gaps.every((gap) => gap >= 3), `${address}: ${gaps}`);
  }
  await visitor.open('/units');
  const rows = await visitor.$('main tbody tr').evaluateAll((rows) => rows.map((row) => row.clientHeight));
  assert.ok(rows.length > 5 && rows.filter((height) => height > 50).length <= rows.length / 10, `rows of the tree: ${rows}`);
  await visitor.page.setViewportSize({ width: 390, height: 844 });
  const [head, name] = await Promise.all(['thead th', '.tree-link'].map((part) => visitor.$(`main ${part}`).first().boundingBox()));
  assert.ok(head.width > 260 && name.x + name.width <= 390, `names have ${head.width} px of the phone`);
}

/** The address of the first item of a list; none if it is empty. */
async function firstIn(visitor, list) {
  await visitor.open(list);
  const link = visitor.$('main .row-link').first();
  return (await link.count()) > 0 && link.getAttribute('href');
}

/** Missing activations are shown as bars, the largest first, with links to the people to call. */
async function whoNeedsHelp(stage, script) {
  const visitor = await stage.visitor({ as: 'committee', script });
  await visitor.open('/committee');
  const bars = visitor.$('.chart-warn .bar');
  const widths = await bars.locator('rect').evaluateAll((bars) => bars.map((bar) => Number(bar.getAttribute('width'))));
  assert.ok(widths.length > 0);
  assert.deepEqual(widths, [...widths].sort((one, other) => other - one));
  const told = await bars.first().locator('.bar-value').innerText();
  assert.ok(fits(`${statistics.not_activated.other} ({share})`, told), told);
  const name = (await bars.first().locator('a').innerText()).trim();
  await visitor.follow(bars.first().locator('a'));
  assert.match(visitor.path, /^\/units\//);
  await until('the unit is there', async () => (await visitor.heading()) === name);
}

/** The large figures by their key in the text file. */
async function figures(visitor) {
  const found = {};
  for (const figure of await visitor.$('.figure').all()) {
    const label = (await figure.locator('.figure-label').innerText()).trim();
    const key = ['members', 'activated', 'active', 'documents', 'reads', 'opinions'].find((key) => LABELS[key] === label);
    if (key) found[key] = number(await figure.locator('.figure-value').innerText());
  }
  return found;
}

/** Waits until a figure has grown: by itself with script, otherwise after a reload. */
function moved(visitor, key, from) {
  return until(`the figure "${key}" has moved from ${from}`, async () => {
    if (!visitor.script) await visitor.reload();
    const now = await figures(visitor);
    return now[key] > from && now;
  });
}

const loadTime = (visitor) => visitor.page.evaluate(() => performance.timeOrigin);

async function readSomethingNew(visitor) {
  await visitor.open('/library');
  while ((await visitor.$('.row-unread .row-link').count()) === 0) {
    await visitor.open(await visitor.$('a[rel="next"]').getAttribute('href'));
  }
  await visitor.follow(visitor.$('.row-unread .row-link').first());
  await visitor.sees('.prose');
  await visitor.saysRead();
}

/** On the document that is open. */
async function sendOpinion(visitor, script) {
  await visitor.follow(visitor.$('main a[href$="/opinion"]').first());
  await visitor.$('main [name="audience"][value="branch"]').check();
  await visitor.field('text').fill(`Đã đọc và đồng ý. ${script ? 'Gửi từ điện thoại.' : 'Gửi từ máy cũ.'}`);
  await visitor.submit(visitor.sender('text'));
  assert.match(visitor.path, /^\/opinions\//);
}

export const tests = [
  ...bothWays('statistics: figures move when a member acts elsewhere', figuresMove),
  ...bothWays('statistics: the table of units is sorted, searched and extended', tableOfUnits),
  { name: 'statistics: tables have room for names, heads and figures', run: roomInTables },
  ...bothWays('statistics: units that need help are listed by missing activations', whoNeedsHelp),
  ...bothWays('statistics: one level down and back', levelByLevel),
];
