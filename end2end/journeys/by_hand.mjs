// Properties that automated checkers miss: focus, announcements, kept state, cut-off text.

import { strict as assert } from 'node:assert';

import { stickingOut } from '../budget.mjs';
import { fillIn, prefer } from '../support/accounts.mjs';
import { DESKTOP } from '../support/browser.mjs';
import { pdf } from '../support/files.mjs';
import { bothWays } from '../support/report.mjs';
import { texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';
import { draftOf, send } from './files.mjs';

const { frame } = texts('vi');
const NARROW = { width: 320, height: 640 };

const focused = (visitor, selector) => visitor.page.evaluate((selector) => document.activeElement?.matches(selector) ?? false, selector);

const by = async (visitor, from, selector) => {
  await visitor.open(from);
  return visitor.$(`main ${selector}`).first().getAttribute('href');
};

/** With navigation in place, without a page load. */
async function withPlaces(visitor) {
  await until('the script is loaded', () => visitor.page.evaluate(() => Boolean(history.state?.place)));
}

// A1

async function skipLink(stage, script) {
  const member = await stage.visitor({ as: 'member', script });
  for (const address of ['/', '/library', '/courses']) {
    await member.open(address);
    await member.page.keyboard.press('Tab');
    assert.ok(await focused(member, '.skip-link'), `${address}: the first stop is the link to the content`);
    await member.page.keyboard.press('Enter');
    await until(`${address}: the content has the focus`, () => focused(member, 'main'));
    await member.page.keyboard.press('Tab');
    assert.ok(await member.page.evaluate(() => document.activeElement.closest('main') !== null), `${address}: and the next stop is in it`);
  }
}

// A2

async function headingIsTold(stage) {
  const member = await stage.visitor({ as: 'member' });
  await member.open('/');
  await withPlaces(member);
  for (const place of ['/library', '/meetings', '/opinions', '/more']) {
    await member.follow(member.$(`.tab[href="${place}"]`));
    await until(`the heading of ${place} has the focus`, () => focused(member, 'main h1'));
    assert.equal(await member.$('h1').getAttribute('tabindex'), '-1', 'and is not a tab stop');
  }
  await member.follow(member.$('.tab[href="/library"]'));
  // The same page with another list.
  await member.follow(member.$('main nav.chips a[href*="kind=directive"]'));
  await until('the heading has the focus', () => focused(member, 'main h1'));
}

// A4

async function quietClock(stage) {
  const member = await stage.visitor({ as: 'member' });
  const course = await by(member, '/courses', '.card-strong .row-link');
  await member.open(course);
  const papers = await member.$('main .row-link[href^="/library/"]').evaluateAll((links) => links.map((link) => link.getAttribute('href')));
  for (const paper of papers) {
    await member.open(paper);
    if ((await member.$('main form[data-read]').count()) > 0) await member.saysRead();
  }
  await member.open(course);
  const start = member.$('main form[action$="/courses/start"] button');
  if ((await start.count()) > 0) await member.submit(start);
  await member.page.clock.install();
  await member.open(`${course}/quiz`);
  const clock = member.$('[data-time-left]');
  const before = await clock.innerText();
  assert.equal(await clock.evaluate((shown) => shown.closest('[role="status"], [role="alert"], [aria-live]')), null, 'the clock announces itself');
  await member.page.clock.runFor(3_000);
  assert.notEqual(await clock.innerText(), before, 'the clock is running');
  const told = member.$('[data-time-told][role="status"]');
  assert.equal(await told.innerText(), '');
  const seconds = Number(await member.$('[data-quiz]').getAttribute('data-seconds'));
  await member.page.clock.runFor((seconds - 300) * 1_000);
  assert.notEqual(await told.innerText(), '', 'five minutes before its end it is announced');
}

// A5

/** A running import: the page updates in place. */
async function importKeepsTheFocus(stage) {
  const registrar = await stage.visitor({ as: 'registrar' });
  let looks = 0;
  // The page while rows are read: the progress and a link.
  await registrar.page.route('**/imports?at-work', async (route) => {
    const page = await route.fetch();
    looks += 1;
    const part = looks < 4 ? `<div data-look-again=""><p id="told">${looks}</p><a id="more" href="/imports">…</a></div>` : '<p id="told">done</p>';
    const body = (await page.text()).replace(/<main[^>]*>/, (main) => main + part);
    await route.fulfill({ response: page, body });
  });
  await registrar.page.clock.install();
  await registrar.open('/imports?at-work');
  const loaded = await registrar.page.evaluate(() => performance.timeOrigin);
  await registrar.$('#more').focus();
  await registrar.page.clock.runFor(2_000);
  await until('the page was polled', async () => (await registrar.text('#told')) === '2');
  assert.ok(await focused(registrar, '#more'), 'the focus stays');
  await registrar.page.clock.runFor(2_000);
  await until('polled again', async () => (await registrar.text('#told')) === '3');
  assert.ok(await focused(registrar, '#more'));
  await registrar.page.clock.runFor(2_000);
  await until('it is done', async () => (await registrar.text('#told')) === 'done');
  assert.ok(await focused(registrar, 'main h1'), 'the focus was in a removed element and is on the heading');
  assert.equal(await registrar.page.evaluate(() => performance.timeOrigin), loaded, 'nothing was reloaded');
}

// A6, A7

/** The spacing that WCAG 1.4.12 allows a reader to set. */
const SPACING = '* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important } p { margin-block-end: 2em !important }';

/** Runs in the page: words that are cut off where they cannot be scrolled into view. */
function cutOff() {
  const hidden = (element) => /hidden|clip/.test(getComputedStyle(element).overflowY) && element.closest('.visually-hidden') === null;
  return [...document.querySelectorAll('body *')]
    .filter((element) => element.checkVisibility({ checkVisibilityCSS: true }) && element.clientHeight > 2 && hidden(element))
    .filter((element) => element.scrollHeight > element.clientHeight + 2 || element.scrollWidth > element.clientWidth + 2)
    .map((element) => `cut off: ${element.localName}.${element.getAttribute('class')} "${element.textContent.trim().slice(0, 50)}"`);
}

/** Runs in the page: the widest day in Bengali and full badges, whatever the day and the sample are. */
function fillWidest() {
  for (const badge of document.querySelectorAll('.badge:not([hidden])')) badge.textContent = '৯৯+';
  for (const day of document.querySelectorAll('.occasion-day')) day.textContent = 'বৃহস্পতিবার, ৩০ সেপ্টেম্বর ২০২৬';
}

async function roomForLetters(stage) {
  const pages = {
    member: [
      '/',
      '/library',
      (visitor) => by(visitor, '/search?q=21-CT/TU', '.row-link'),
      (visitor) => by(visitor, '/more', '.facts a'),
      (visitor) => by(visitor, '/meetings', '.row-link'),
    ],
    registrar: ['/units', '/members', (visitor) => by(visitor, '/units', '.tree-link').then((unit) => `${unit}/roles`)],
  };
  const wrong = [];
  for (const [as, addresses] of Object.entries(pages)) {
    const visitor = await stage.visitor({ as, script: true, size: NARROW });
    try {
      await prefer(visitor, { locale: 'bn', text_size: '3' });
      for (const find of addresses) {
        const address = typeof find === 'string' ? find : await find(visitor);
        await visitor.open(address);
        await visitor.page.evaluate((rules) => {
          const sheet = new CSSStyleSheet();
          sheet.replaceSync(rules);
          document.adoptedStyleSheets = [sheet];
        }, SPACING);
        await visitor.page.evaluate(fillWidest);
        for (const look of [stickingOut, cutOff]) wrong.push(...(await visitor.page.evaluate(look)).map((what) => `${address}: ${what}`));
        // A bar that grows must not cover the first content.
        const hidden = await visitor.page.evaluate(() => {
          const bars = [...document.querySelectorAll('.top-bar, .breadcrumbs')].map((bar) => bar.getBoundingClientRect().bottom);
          return document.querySelector('main h1').getBoundingClientRect().top < Math.max(...bars) - 1;
        });
        if (hidden) wrong.push(`${address}: the heading lies under the bar`);
      }
    } finally {
      await prefer(visitor, { locale: 'vi', text_size: '1' });
    }
  }
  assert.deepEqual(wrong, []);
}

// A8

async function titlesSayWhatHappened(stage, script) {
  const guest = await stage.visitor({ script });
  guest.expects(422);
  await guest.open('/sign-in');
  const before = await guest.page.title();
  await guest.submit(guest.sender('password'));
  await guest.sees('.error-summary');
  assert.equal(await guest.page.title(), frame.refused_title.replace('{title}', before));

  const member = await stage.visitor({ as: 'member', script });
  for (const [address, status] of [['/library/01ARZ3NDEKTSV4RRFFQ69G5FAV', 404], ['/problem/busy', 503]]) {
    member.expects(status);
    await member.open(address);
    const title = await member.heading();
    // Next to the way back the bar shows the name of the page, on every page.
    const said = await member.$('main *:not(.breadcrumbs *)').evaluateAll(
      (elements, title) => elements.filter((element) => element.childElementCount === 0 && element.textContent.trim() === title && element.checkVisibility()).length,
      title,
    );
    assert.equal(said, 1, `${address} says "${title}" once`);
    assert.ok(await member.$('h1').evaluate((heading) => heading.getBoundingClientRect().height > 10), 'where everybody sees it');
  }
}

// A9

/** Touch targets within a text: a note's mark, and the link back from it. */
async function notesAreBigEnough(stage) {
  const member = await stage.visitor({ as: 'member', script: false });
  await member.open(await by(member, '/search?q=21-CT/TU', '.row-link'));
  const marks = member.$('.prose .footnote-reference a, .prose .footnotes a[href^="#noteref-"]');
  assert.ok((await marks.count()) >= 2);
  for (const mark of await marks.all()) {
    const missed = await mark.evaluate((link) => {
      link.scrollIntoView({ block: 'center' });
      const { left, top, width, height } = link.getBoundingClientRect();
      const [x, y] = [left + width / 2, top + height / 2];
      const corners = [[-21, -21], [21, -21], [-21, 21], [21, 21]].map(([right, down]) => [x + right, y + down]);
      return corners.filter(([x, y]) => x > 0 && x < innerWidth && document.elementFromPoint(x, y)?.closest('a') !== link);
    });
    assert.deepEqual(missed, [], `${await mark.innerText()} is hit within 44 px`);
  }
}

// A10

async function escapeCloses(stage) {
  const member = await stage.visitor({ as: 'member' });
  await member.open(await by(member, '/search?q=21-CT/TU', '.row-link'));
  await withPlaces(member);
  // The browser's native share dialog is not available in a test.
  await member.page.evaluate(() => delete Navigator.prototype.share);
  await member.$('details.share summary').click();
  await member.sees('#address');
  await member.$('#address').focus();
  await member.page.keyboard.press('Escape');
  await until('the dialog is closed', async () => !(await member.$('#address').isVisible()));
  assert.ok(await focused(member, 'details.share summary'), 'the focus is on the button that opened it');
}

// Navigating back

async function backKeepsThePlace(stage) {
  const member = await stage.visitor({ as: 'member' });
  await member.open('/');
  await withPlaces(member);
  await member.follow(member.$('.tab[href="/library"]'));
  await member.sees('main .row-link');
  const heading = await member.heading();
  const link = member.$('main .row-link').nth(12);
  const href = await link.getAttribute('href');
  await link.evaluate((row) => scrollTo({ top: row.getBoundingClientRect().top - 300, behavior: 'instant' }));
  const top = await member.page.evaluate(() => scrollY);
  assert.ok(top > 600, `scrolled to ${top}`);
  await member.follow(link);
  await until('the document is read from its beginning', () => member.page.evaluate(() => scrollY < 10));
  await member.page.goBack();
  await until('the list is shown at its scroll position', async () => {
    const now = await member.page.evaluate(() => scrollY);
    return member.path === '/library' && Math.abs(now - top) < 40;
  });
  assert.ok(await focused(member, `a[href="${href}"]`), 'the followed link has the focus');

  // Reloaded, and returned to from a page of the server.
  await member.reload();
  await until('the position is kept', async () => Math.abs((await member.page.evaluate(() => scrollY)) - top) < 40);
  await member.page.evaluate(() => document.querySelector('main nav.chips a[href="/shelf/unread"]').click());
  await until('the personal list is shown', () => member.path === '/shelf/unread');
  await member.settled();
  await member.page.goBack();
  const isThere = async () => member.path === '/library' && (await member.heading()) === heading;
  await until('the list is shown again', isThere);
  await member.settled();
  await until('the position is kept', async () => Math.abs((await member.page.evaluate(() => scrollY)) - top) < 40);
}

// A failed submission

async function failureIsSeen(stage) {
  const member = await stage.visitor({ as: 'member' });
  await member.open(`${await by(member, '/library', '.row-link')}/opinion`);
  await member.field('text').fill('Một ý kiến dài.\n'.repeat(30));
  await member.context.setOffline(true);
  await member.submit(member.sender('text'));
  const notice = member.$('.form-failure');
  await notice.waitFor();
  await until('it has the focus', () => focused(member, '.form-failure'));
  const [told, button, bar] = await Promise.all([notice, member.sender('text'), member.$('.tab-bar')].map((each) => each.boundingBox()));
  assert.ok(told.y > 56 && told.y + told.height < bar.y, `between the bars: ${told.y} to ${told.y + told.height}, the bar at ${bar.y}`);
  assert.ok(told.y + told.height <= button.y, 'above the button');
  assert.match(member.troubles.splice(0).join(), /ERR_INTERNET_DISCONNECTED/);
  await member.context.setOffline(false);
}

/** The session has expired: one tap to the sign-in, and back to the text. */
async function endedSession(stage) {
  const words = 'Phiên kết thúc giữa chừng,\nnội dung vẫn còn.';
  const member = await stage.visitor({ as: 'member' });
  member.expects(401);
  const address = `${await by(member, '/library', '.row-link')}/opinion`;
  await member.open(address);
  await member.$('main [name="audience"][value="editors"]').check();
  await member.field('text').fill(words);
  await member.context.clearCookies({ name: /handbook$/ });
  await member.submit(member.sender('text'));
  await member.follow(member.$('.form-failure a', { hasText: frame.sign_in_again_kept }));
  await fillIn(member, stage.account('member'));
  assert.equal(member.path, address);
  assert.equal(await member.field('text').inputValue(), words);
  assert.ok(await member.$('main [name="audience"][value="editors"]').isChecked());
}

// The first screen of a document

async function textOnTheFirstScreen(stage, script) {
  const member = await stage.visitor({ as: 'member', script });
  await member.open('/library');
  const rows = await member.$('main .row-link').evaluateAll((links) => links.map((link) => [link.getAttribute('href'), link.innerText.length]));
  // Titles of the usual length; a title of nine lines does not fit.
  const usual = rows.filter(([, length]) => length <= 80).slice(0, 5);
  assert.ok(usual.length >= 3);
  for (const [address] of usual) {
    await member.open(address);
    if (script) await until('the script is loaded', () => member.page.evaluate(() => document.documentElement.dataset.reading === 'true'));
    const [text, notice] = await member.page.evaluate(() => [
      document.querySelector('.prose').getBoundingClientRect().top,
      document.querySelector('.document > .notice, .document > .no-print > .notice') !== null,
    ]);
    if (!notice) assert.ok(text < 420, `${address}: the text begins at ${text}`);
  }
}

// Text size on the reading page

async function textSize(stage, script) {
  const member = await stage.visitor({ as: 'member', script });
  await member.open(await by(member, '/library', '.row-link'));
  const { path } = member;
  const size = () => member.$('html').getAttribute('data-text-size');
  const press = async (step, wanted) => {
    const button = member.$(`.reading-bar [data-step="${step}"]`);
    if (script) {
      await until('the script is loaded', () => member.page.evaluate(() => document.documentElement.dataset.reading === 'true'));
      await Promise.all([member.page.waitForResponse((response) => response.url().endsWith('/set_text_size')), button.click()]);
    } else {
      await Promise.all([member.page.waitForEvent('domcontentloaded'), button.click()]);
    }
    await until(`the size is ${wanted}`, async () => (await size()) === wanted);
    assert.equal(member.path, path);
  };
  await press(1, '2');
  await press(1, '3');
  await press(1, '3').catch((error) => {
    // With script, the largest size is not requested again.
    if (!script) throw error;
  });
  await member.reload();
  assert.equal(await size(), '3', 'it is stored');
  await press(-1, '2');
  await press(-1, '1');
}

// Larger text in the frame

/** Runs in the page: the words of the tab bar, with their size in pixels and their number of lines. */
function tabLabels() {
  return [...document.querySelectorAll('.tab-bar .tab')].map((tab) => {
    const words = document.createTreeWalker(tab, NodeFilter.SHOW_TEXT);
    const lines = new Set();
    let size = 0;
    while (words.nextNode()) {
      const { currentNode: text } = words;
      if (text.data.trim() === '' || text.parentElement.closest('.badge, .visually-hidden')) continue;
      const range = document.createRange();
      range.selectNodeContents(text);
      for (const { top } of range.getClientRects()) lines.add(Math.round(top));
      size = Number.parseFloat(getComputedStyle(text.parentElement).fontSize);
    }
    return { label: tab.innerText.trim(), size, lines: lines.size };
  });
}

async function frameGrowsWithTheText(stage) {
  const member = await stage.visitor({ as: 'member' });
  const wide = await stage.visitor({ as: 'member', size: DESKTOP });
  const heading = (visitor) => visitor.$('main h1').evaluate((heading) => Number.parseFloat(getComputedStyle(heading).fontSize));
  const narrow = await stage.visitor({ as: 'member', size: NARROW });
  await member.open('/library');
  const small = await member.page.evaluate(tabLabels);
  await narrow.open('/library');
  const smallest = await narrow.page.evaluate(tabLabels);
  try {
    await prefer(member, { text_size: '3' });
    await narrow.open('/library');
    for (const [at, { label, size }] of (await narrow.page.evaluate(tabLabels)).entries()) {
      assert.ok(size > smallest[at].size + 1, `${label} grows on the narrowest phone: ${smallest[at].size} px, ${size} px`);
    }
    const tops = await narrow.$('.tab-bar .tab').evaluateAll((tabs) => tabs.map((tab) => tab.getBoundingClientRect().top));
    assert.equal(new Set(tops).size, 1, 'in one row');
    assert.deepEqual(await narrow.page.evaluate(stickingOut), []);
    for (const visitor of [member, wide]) {
      await visitor.open('/library');
      const size = await heading(visitor);
      assert.ok(size <= 36, `the heading leaves room for what it is about: ${size} px`);
    }
    const large = await member.page.evaluate(tabLabels);
    assert.equal(large.length, 5);
    for (const [at, { label, size, lines }] of large.entries()) {
      assert.equal(lines, 1, `${label} stands on ${lines} lines`);
      assert.ok(size >= 17 && size > small[at].size + 1, `${label} grows with the text: ${small[at].size} px, ${size} px`);
    }
  } finally {
    await prefer(member, { text_size: '1' });
  }
}

// Content is not covered by the frame

async function frameIsClear(stage) {
  const registrar = await stage.visitor({ as: 'registrar', script: false });
  const wide = await stage.visitor({ as: 'registrar', script: false, size: DESKTOP });
  for (const visitor of [registrar, wide]) {
    await visitor.open('/members');
    const badges = await visitor.$('nav .badge').evaluateAll((badges) => {
      for (const badge of badges) {
        badge.hidden = false;
        badge.textContent = '99+';
      }
      return badges.flatMap((badge) => {
        const [number, icon] = [badge, badge.parentElement.querySelector('.icon')].map((part) => part.getBoundingClientRect());
        if (number.width === 0) return [];
        const covers = number.left < icon.right && number.right > icon.left && number.top < icon.bottom && number.bottom > icon.top;
        return [{ covers, height: number.height, left: number.left, right: innerWidth - number.right }];
      });
    });
    assert.ok(badges.length >= 2);
    for (const badge of badges) {
      assert.ok(!badge.covers && badge.height < 32 && badge.left >= 4 && badge.right >= 4, JSON.stringify(badge));
    }
    const tails = await visitor.$('.acting-unit').evaluate((unit) => {
      const name = document.createRange();
      name.selectNodeContents(unit);
      return unit.getBoundingClientRect().bottom - name.getBoundingClientRect().bottom;
    });
    assert.ok(tails >= 0, `the name is cut ${-tails} px above its end`);
  }
}

/** A list of links has no markers outside the page, and each link is as high as a thumb. */
async function templatesAreWithinReach(stage) {
  const registrar = await stage.visitor({ as: 'registrar', script: false });
  await registrar.open('/imports/new');
  const links = await registrar.$('main a[download]').evaluateAll((links) =>
    links.map((link) => ({ height: link.getBoundingClientRect().height, mark: getComputedStyle(link.closest('li')).listStyleType })),
  );
  assert.ok(links.length >= 2);
  for (const { height, mark } of links) assert.ok(height >= 44 && mark === 'none', `${height} px, ${mark}`);
}

/** Runs in the page: numbers of documents that are broken although they would fit on one line. */
function tornNumbers() {
  return [...document.querySelectorAll('.unbroken')]
    .filter((number) => number.checkVisibility({ checkVisibilityCSS: true }) && number.getClientRects().length > 0)
    .filter((number) => {
      const range = document.createRange();
      range.selectNodeContents(number);
      const isTorn = new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1;
      number.style.whiteSpace = 'nowrap';
      const fits = number.scrollWidth <= number.clientWidth;
      number.style.whiteSpace = '';
      return isTorn && fits;
    })
    .map((number) => number.textContent);
}

async function numbersStayWhole(stage) {
  const member = await stage.visitor({ as: 'member', size: NARROW });
  try {
    await prefer(member, { text_size: '3' });
    const address = await by(member, '/search?q=339-QĐ/TW', '.row-link');
    for (const place of ['/library', address]) {
      await member.open(place);
      assert.ok((await member.$('.unbroken').count()) > 0, `${place} has numbers`);
      assert.deepEqual(await member.page.evaluate(tornNumbers), [], place);
    }
    for (const width of [320, 360, 390]) {
      await member.page.setViewportSize({ width, height: 640 });
      const { height } = await member.$('.reading-bar .unbroken').boundingBox();
      assert.ok(height < 30, `the number in the bar stands on one line at ${width} px: ${height} px`);
    }
  } finally {
    await prefer(member, { text_size: '1' });
  }
}

/** The parts of one control are next to each other, each on one line, or all below each other. */
async function partsOfOneControl(stage, script) {
  const visitor = await stage.visitor({ as: 'member', script });
  const groups = () =>
    visitor.$('.segmented').evaluateAll((groups) =>
      groups.map((group) =>
        [...group.querySelectorAll('.choice')].map((choice) => {
          const { top, left, right } = choice.getBoundingClientRect();
          const label = choice.querySelector('.choice-label');
          const range = document.createRange();
          range.selectNodeContents(label);
          const lines = new Set([...range.getClientRects()].map((line) => Math.round(line.top))).size;
          return { top: Math.round(top), left: Math.round(left), width: right - left, lines, label: label.textContent };
        }),
      ),
    );
  const distinct = (parts, key) => new Set(parts.map((part) => part[key])).size;
  try {
    for (const [size, text_size] of [[undefined, '1'], [DESKTOP, '1'], [undefined, '3']]) {
      await prefer(visitor, { text_size });
      await visitor.page.setViewportSize(size ?? { width: 390, height: 844 });
      await visitor.open('/more');
      const found = await groups();
      assert.equal(found.length, 2);
      for (const parts of found) {
        const told = JSON.stringify(parts);
        assert.ok(parts.every(({ lines }) => lines === 1), told);
        assert.equal(distinct(parts, text_size === '1' ? 'top' : 'left'), 1, told);
        if (size === DESKTOP) assert.ok(Math.max(...parts.map(({ width }) => width)) - Math.min(...parts.map(({ width }) => width)) < 2, told);
      }
    }
  } finally {
    await prefer(visitor, { text_size: '1' });
  }
}

// One left edge

async function oneLeftEdge(stage) {
  const member = await stage.visitor({ as: 'member', size: DESKTOP });
  const edges = {};
  // Narrow and wide pages.
  for (const address of ['/library', '/more', '/courses', '/meetings', '/opinions']) {
    await member.open(address);
    edges[address] = await member.$('main h1').evaluate((heading) => Math.round(heading.getBoundingClientRect().left));
  }
  assert.equal(new Set(Object.values(edges)).size, 1, JSON.stringify(edges));
}

// Reading progress

async function lineOfReading(stage) {
  // Without script a page has no animation frames to wait for.
  const member = await stage.visitor({ as: 'member' });
  await member.open(await by(member, '/search?q=21-CT/TU', '.row-link'));
  /** Scrolls to a part of the text, from 0 to 1, and returns the length of the progress bar, from 0 to 1. */
  const at = async (part) => {
    await member.page.evaluate((part) => {
      const { top, height } = document.querySelector('.document > .prose').getBoundingClientRect();
      scrollTo({ top: scrollY + top + height * part - innerHeight / 2, behavior: 'instant' });
    }, part);
    return member.page.evaluate(
      () =>
        new Promise((resolve) => {
          // A scroll-driven bar is updated in the next frame.
          requestAnimationFrame(() => {
            requestAnimationFrame(() => {
              const { transform } = getComputedStyle(document.querySelector('.reading-bar'), '::after');
              resolve(transform === 'none' ? 1 : new DOMMatrix(transform).a);
            });
          });
        }),
    );
  };
  const lengths = [await at(0), await at(0.5), await at(1)];
  assert.ok(lengths[0] < 0.1 && lengths[1] > 0.3 && lengths[1] < 0.7 && lengths[2] > 0.9, `the line grows: ${lengths}`);
}

// Selected and pressed controls

/** Runs in the page: the colours of an element, and those of the tokens. */
function colours(part) {
  const probe = document.createElement('i');
  probe.style.cssText = 'background: var(--wash); color: var(--accent)';
  document.documentElement.append(probe);
  const { backgroundColor: wash, color: accent } = getComputedStyle(probe);
  const { backgroundColor: background, borderTopColor: border } = getComputedStyle(part);
  const seen = { washed: background === wash, accented: border === accent };
  probe.remove();
  return seen;
}

async function chosenIsSeen(stage, script) {
  const member = await stage.visitor({ as: 'member', script });
  await member.open(`${await by(member, '/library', '.row-link')}/opinion`);
  const choice = (value) => member.$(`main .choice:has([name="audience"][value="${value}"])`);
  const values = await member.field('audience').evaluateAll((inputs) => inputs.map((input) => input.value));
  assert.ok(values.length > 1);
  for (const chosen of values.slice(0, 2)) {
    await member.$(`main [name="audience"][value="${chosen}"]`).check();
    for (const value of values) {
      const expected = { washed: value === chosen, accented: value === chosen };
      assert.deepEqual(await choice(value).evaluate(colours), expected, `${chosen} is chosen; ${value}`);
    }
  }
}

/** On touch screens, without hover, a pressed control changes its look. */
async function pressIsSeen(stage) {
  const guest = await stage.visitor();
  const member = await stage.visitor({ as: 'member' });
  const editor = await stage.visitor({ as: 'editor' });
  await guest.open('/sign-in');
  await answersThePress(guest, 'main .input-button');
  await member.open(await by(member, '/search?q=21-CT/TU', '.row-link'));
  await answersThePress(member, 'main details.contents > summary', 'main .contents a', 'main .particulars > summary');
  await editor.open('/desk/new');
  await editor.$('main .tool').first().waitFor();
  await answersThePress(editor, 'main .tool', 'main .more-fields > summary');
  const draft = await draftOf(editor, 'Thông báo để bấm thử');
  await editor.open(`${draft}/files`);
  await send(editor, { name: 'Bấm thử.pdf', mimeType: 'application/octet-stream', buffer: pdf('Bấm thử') });
  await editor.sees('#files .file');
  await editor.settled();
  await answersThePress(editor, '#files .file');
}

async function answersThePress(visitor, ...selectors) {
  await visitor.page.mouse.move(0, 0);
  const browser = await visitor.context.newCDPSession(visitor.page);
  await browser.send('DOM.enable');
  await browser.send('CSS.enable');
  const { root } = await browser.send('DOM.getDocument');
  for (const selector of selectors) {
    const washed = () => visitor.$(selector).first().evaluate(colours).then((seen) => seen.washed);
    assert.equal(await washed(), false, `${selector} at rest`);
    const { nodeId } = await browser.send('DOM.querySelector', { nodeId: root.nodeId, selector });
    await browser.send('CSS.forcePseudoState', { nodeId, forcedPseudoClasses: ['active'] });
    assert.equal(await washed(), true, `${selector} when pressed`);
    await browser.send('CSS.forcePseudoState', { nodeId, forcedPseudoClasses: [] });
  }
  await browser.detach();
}

export const tests = [
  ...bothWays('by hand: the skip link leads to the content', skipLink),
  { name: 'by hand: after a step to another page its heading has the focus', run: headingIsTold },
  { name: 'by hand: the clock of a quiz does not speak every second', run: quietClock },
  { name: 'by hand: a running import keeps the focus', run: importKeepsTheFocus },
  { name: 'by hand: large and wide letters fit', run: roomForLetters },
  ...bothWays('by hand: titles announce the result, once', titlesSayWhatHappened),
  { name: 'by hand: marks of notes are as big as a thumb', run: notesAreBigEnough },
  { name: 'by hand: Escape closes what is shared', run: escapeCloses },
  { name: 'by hand: going back keeps the place', run: backKeepsThePlace },
  { name: 'by hand: a failed submission is visible', run: failureIsSeen },
  { name: 'by hand: an ended session keeps what was typed', run: endedSession },
  ...bothWays('by hand: a document begins on the first screen', textOnTheFirstScreen),
  ...bothWays('by hand: the text size is changed on the reading page', textSize),
  { name: 'by hand: the frame grows with the text', run: frameGrowsWithTheText },
  { name: 'by hand: badges and names in the frame do not overlap', run: frameIsClear },
  { name: 'by hand: templates of imports are within reach', run: templatesAreWithinReach },
  { name: 'by hand: the number of a document is not broken', run: numbersStayWhole },
  ...bothWays('by hand: the parts of one control are aligned', partsOfOneControl),
  { name: 'by hand: narrow and wide pages have one left edge', run: oneLeftEdge },
  { name: 'by hand: a line shows the reading progress', run: lineOfReading },
  ...bothWays('by hand: selected controls are visible', chosenIsSeen),
  { name: 'by hand: pressed controls change', run: pressIsSeen },
];
