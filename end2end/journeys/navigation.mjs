// Navigation inside the application shows the same page as the server sends.

import { strict as assert } from 'node:assert';

import { DESKTOP } from '../support/browser.mjs';
import { bothWays } from '../support/report.mjs';
import { texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';

const { frame, problems } = texts('vi');

/** The start of each role's walk, and the places it must visit. Pages of the desk are loaded from the server; all others are not. */
const WALKS = {
  member: ['/', '/library', '/meetings', '/opinions', '/more'],
  secretary: ['/more', '/branch'],
  editor: ['/more', '/desk', '/desk/new'],
  statistician: ['/more', '/committee'],
};

const PLACES = /^\/(|library|meetings|opinions|more|branch|desk|desk\/new|committee)$/;

/** One link of each kind is followed, and each of the places. */
const KINDS = [
  PLACES,
  /^\/library\?kind=\w+$/,
  /^\/library\?after=\w+$/,
  /^\/library\/[0-9A-Z]{26}$/,
  /^\/library\/[0-9A-Z]{26}\/opinion$/,
  /^\/meetings\/[0-9A-Z]{26}$/,
  /^\/opinions\/[0-9A-Z]{26}$/,
  /^\/branch\/[0-9A-Z]{26}$/,
  /^\/desk\/[0-9A-Z]{26}$/,
  /^\/desk\/[0-9A-Z]{26}\/revisions$/,
  /^\/committee\/[0-9A-Z]{26}$/,
];

async function walk(stage, role) {
  const walker = await stage.visitor({ as: role });
  const reader = await stage.visitor({ as: role, script: false });
  const [start, ...others] = WALKS[role];
  await walker.open(start);
  const loaded = await loadTime(walker);
  const taken = new Set([start]);
  await explore(walker, reader, taken);
  for (const place of others) assert.ok(taken.has(place), `${place} can be reached by links`);
  if (role !== 'editor') assert.equal(await loadTime(walker), loaded, 'all without a page load');
}

/** Follows every new kind of link of the page, compares the result, continues from there, and returns. */
async function explore(walker, reader, taken) {
  const here = walker.place;
  for (const href of await newLinks(walker)) {
    if (!isNew(href, taken)) continue;
    await walker.follow(walker.$(`a[href="${href}"]:visible`).first());
    await sameAsServed(walker, reader, href);
    await explore(walker, reader, taken);
    await goBack(walker, here);
  }
}

async function goBack(walker, place) {
  while (walker.place !== place) {
    const before = walker.place;
    await walker.page.evaluate(() => history.back());
    await until(`"back" has left ${before}`, () => walker.place !== before);
    await walker.settled();
  }
}

/** Visible links into the application, to pages of known kinds. */
async function newLinks(walker) {
  const hrefs = await walker.$('a[href^="/"]:visible').evaluateAll((links) => links.map((link) => link.getAttribute('href')));
  return [...new Set(hrefs)].filter((href) => KINDS.some((kind) => kind.test(href)));
}

/** Whether no link of this kind was followed before. Records it. */
function isNew(href, taken) {
  const kind = PLACES.test(href) ? href : KINDS.findIndex((pattern) => pattern.test(href));
  return !taken.has(kind) && Boolean(taken.add(kind));
}

async function sameAsServed(walker, reader, href) {
  await reader.open(href);
  const served = await reader.heading();
  await until(`${href} shows the heading "${served}"`, async () => (await walker.heading()) === served);
  assert.equal(await walker.page.title(), await reader.page.title(), `title of ${href}`);
}

/** After each navigation within the application the badges are requested again. */
async function numbersFollow(stage) {
  const walker = await stage.visitor({ as: 'secretary' });
  await walker.open('/');
  const label = 'bảy việc đang chờ';
  await walker.page.route('**/api/home/badges', (route) => route.fulfill({ json: [{ place: '/more', number: '7', label }] }));
  const loaded = await loadTime(walker);
  await walker.follow(walker.$('.tab[href="/library"]'));
  const shown = () =>
    walker.$('nav .badge:not([hidden])').evaluateAll((badges) => badges.map((badge) => [badge.textContent, badge.getAttribute('aria-label')]));
  await until('the numbers are the new ones', async () => JSON.stringify(await shown()) === JSON.stringify([['7', label]]));
  assert.equal(await loadTime(walker), loaded, 'without a page load');
}

/** At a place of an office the bar shows the unit of the office, elsewhere the own branch. */
async function unitStandsInTheBar(stage, script) {
  const leader = await stage.visitor({ as: 'ward_secretary', script, size: DESKTOP });
  await leader.open('/');
  const unit = await leader.text('.rail-staff .rail-unit');
  const named = () => leader.$('.top-bar .acting-unit').allInnerTexts();
  assert.deepEqual(await named(), []);
  for (const place of ['/branch', '/members', '/committee']) {
    await leader.follow(leader.$(`.rail a[href="${place}"]`));
    await until(`the bar of ${place} names ${unit}`, async () => (await named()).join() === unit);
    assert.equal(await leader.$('.acting').count(), 0, 'no choice with one unit');
    // And on the pages of the place.
    const inner = leader.$(`main a[href^="${place}/"]:visible`).first();
    if ((await inner.count()) === 0) continue;
    await leader.follow(inner);
    assert.equal((await named()).join(), unit, `${leader.path} names it too`);
  }
  await leader.follow(leader.$('.rail a[href="/library"]'));
  await until('the bar names the own branch', async () => (await named()).length === 0);
}

/** At the side the place is marked through which one reaches the page. */
async function placeIsMarked(stage, script) {
  const registrar = await stage.visitor({ as: 'registrar', script, size: DESKTOP });
  const pages = {
    '/': '/',
    '/search': '/library',
    '/courses': '/more',
    '/record/trail': '/more',
    '/guides/member': '/more',
    '/devices': '/more',
    '/password': '/more',
    '/imports': '/members',
    '/audit': '/audit',
  };
  for (const [page, place] of Object.entries(pages)) {
    await registrar.open(page);
    const marked = registrar.$('.rail [aria-current="page"]');
    assert.deepEqual(await marked.evaluateAll((links) => links.map((link) => link.getAttribute('href'))), [place], page);
  }
}

const loadTime = (visitor) => visitor.page.evaluate(() => performance.timeOrigin);

/** A page that could not be fetched offers to retry, and loads when the connection is back. */
async function triesAgain(stage) {
  const visitor = await stage.visitor({ as: 'member' });
  await visitor.open('/');
  visitor.expects('net::ERR_INTERNET_DISCONNECTED');
  await visitor.context.setOffline(true);
  await visitor.$('.tab-bar a[href="/meetings"]').click();
  await visitor.sees('main h1', { hasText: problems.offline_title });
  await visitor.context.setOffline(false);
  await visitor.page.getByRole('button', { name: frame.try_again }).click();
  await visitor.sees('main .row-link[href^="/meetings/"]');
}

/** A page that was rejected under overload is requested again, also after a failed form. */
async function busyTriesAgain(stage, script) {
  const visitor = await stage.visitor({ as: 'member', script });
  visitor.expects(503);
  const again = visitor.$('main a.button', { hasText: frame.try_again });
  await visitor.open('/problem/busy?next=%2F%2Fevil.example');
  assert.equal(await again.getAttribute('href'), '/', 'never to another site');
  await visitor.open('/problem/busy?next=%2Fmeetings');
  await visitor.follow(again);
  assert.equal(visitor.path, '/meetings');
  if (!script) return;
  await visitor.open('/');
  await visitor.page.route('**/api/meetings/**', (route) => route.fulfill({ status: 503, json: { kind: 'busy', message: 'x' } }));
  await visitor.$('.tab-bar a[href="/meetings"]').click();
  await visitor.sees('main h1', { hasText: problems.busy_title });
  await visitor.page.unroute('**/api/meetings/**');
  await again.click();
  await visitor.sees('main .row-link[href^="/meetings/"]');
}

export const tests = [
  ...Object.keys(WALKS).map((role) => ({
    name: `navigation: what the ${role} reaches by links is what the server sends`,
    run: (stage) => walk(stage, role),
  })),
  { name: 'navigation: a page that did not arrive is asked for again', run: triesAgain },
  ...bothWays('navigation: a page that was too busy is asked for again', busyTriesAgain),
  { name: 'navigation: the numbers at the places follow', run: numbersFollow },
  ...bothWays('navigation: the bar names the unit one acts for', unitStandsInTheBar),
  ...bothWays('navigation: the side marks the place one is at', placeIsMarked),
];
