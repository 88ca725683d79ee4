// Reading on a phone and continuing on a desktop: personal lists, reading position, bookmarks, notes, printing.

import { strict as assert } from 'node:assert';

import { DESKTOP } from '../support/browser.mjs';
import { pagesOf, paperOf } from '../support/pdf.mjs';
import { bothWays } from '../support/report.mjs';
import { fits, texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';

const { reading, home } = texts('vi');

const addresses = (visitor) => visitor.$('main .row-link').evaluateAll((links) => links.map((link) => link.getAttribute('href')));

/** A document of the sample that is long, has notes and is referenced by others: the directive on storms. */
const STORMS = '21-CT/TU';

async function find(visitor, number) {
  await visitor.open(`/search?q=${encodeURIComponent(number)}`);
  return visitor.$('main .row-link').first().getAttribute('href');
}

async function lists(stage, script) {
  const visitor = await stage.visitor({ as: 'member', script });
  await visitor.open('/');
  if ((await visitor.$('main .notice a[href="/shelf/must-read"]').count()) > 0) {
    await visitor.follow(visitor.$('main .notice a[href="/shelf/must-read"]'));
  } else {
    await visitor.open('/library');
    await visitor.follow(visitor.$('main a[href="/shelf/must-read"]'));
  }
  assert.equal(await visitor.heading(), reading.must_read);
  const urgent = await addresses(visitor);
  assert.ok(urgent.length >= 3, `${urgent.length} documents must be read`);
  await visitor.sees('.row .tag');

  for (const list of ['unread', 'continue', 'bookmarks', 'recent']) {
    await visitor.follow(visitor.$(`main nav.chips a[href="/shelf/${list}"]`));
    await visitor.sees(`main nav.chips a[href="/shelf/${list}"][aria-current]`);
  }

  // A read document leaves the unread list; an opened one stays.
  await visitor.open('/shelf/unread');
  const [first] = await addresses(visitor);
  await visitor.open(first);
  await visitor.open('/shelf/unread');
  assert.ok((await addresses(visitor)).includes(first), 'opened is not read');
  await visitor.open(first);
  await visitor.saysRead();
  await visitor.open('/shelf/unread');
  assert.ok(!(await addresses(visitor)).includes(first), 'read documents are not unread');
  await visitor.open('/shelf/recent');
  assert.equal((await addresses(visitor))[0], first);
}

async function filters(stage, script) {
  const visitor = await stage.visitor({ as: 'member', script });
  await visitor.open('/library');
  await visitor.sees('main .row .tag');
  await visitor.$('main details.search-filters summary').click();
  await visitor.field('field').selectOption('digital');
  await visitor.field('level').selectOption('province');
  await Promise.all([visitor.page.waitForEvent('domcontentloaded'), visitor.$('main .search-choices button').click()]);
  await visitor.settled();
  const wanted = new URL(visitor.page.url()).searchParams;
  assert.deepEqual([wanted.get('field'), wanted.get('level')], ['digital', 'province']);
  if (script) assert.deepEqual([...wanted.keys()].sort(), ['field', 'level'], 'the address has only the filters in use');
  assert.ok((await addresses(visitor)).length > 0);
  await visitor.sees('main details.search-filters[open]');
  await visitor.follow(visitor.$('main nav.chips a[href*="kind=guidance"]'));
  const both = new URL(visitor.page.url()).searchParams;
  assert.deepEqual([both.get('kind'), both.get('field')], ['guidance', 'digital'], 'a kind keeps the other filters');
  await until('guidance is shown', async () => (await addresses(visitor)).length > 0);
}

async function marks(stage, script) {
  const phone = await stage.visitor({ as: 'member', script });
  const address = await find(phone, STORMS);
  await phone.open(address);
  const form = (name) => phone.$(`form[action="/api/documents/${name}"]`);
  await form('bookmark').waitFor({ state: 'visible' });
  await press(phone, form('bookmark'));
  await form('remove_bookmark').waitFor({ state: 'visible' });
  assert.equal(await form('bookmark').isVisible(), false);
  if (script) assert.equal(await phone.page.evaluate(() => document.activeElement.closest('form').getAttribute('action')), '/api/documents/remove_bookmark');

  const desk = await stage.visitor({ as: 'member', script, size: DESKTOP });
  await desk.open('/shelf/bookmarks');
  assert.ok((await addresses(desk)).includes(address), 'the bookmark is shown on another device');
  await desk.open(address);
  await press(desk, desk.$('form[action="/api/documents/remove_bookmark"]'));
  await desk.open('/shelf/bookmarks');
  assert.ok(!(await addresses(desk)).includes(address));
}

/** With script the bookmark is set in place; without, the page is reloaded. */
async function press(visitor, form) {
  const button = form.locator('button');
  if (visitor.script) {
    await button.waitFor();
    await until('the script is loaded', () => visitor.page.evaluate(() => document.documentElement.dataset.reading === 'true'));
    await Promise.all([visitor.page.waitForResponse((response) => response.url().includes('bookmark')), button.click()]);
  } else {
    await Promise.all([visitor.page.waitForEvent('domcontentloaded'), button.click()]);
  }
}

async function goesOn(stage) {
  const phone = await stage.visitor({ as: 'ward_member' });
  await phone.open('/library');
  // By navigation within the application, not a page load: the current position counts.
  await phone.follow(phone.$('main nav.chips a[href*="kind=directive"]'));
  await until('directives are shown', async () => (await phone.$('main .row').count()) > 0);
  const link = phone.$(`main .row:has-text("${STORMS}") .row-link`);
  const address = await link.getAttribute('href');
  await phone.follow(link);
  await phone.sees('[data-document]');
  const told = phone.page.waitForResponse((response) => response.url().endsWith('/api/documents/progress'));
  await phone.$('.prose h2').nth(2).evaluate((heading) => heading.scrollIntoView({ block: 'start' }));
  assert.equal((await told).status(), 200);

  const desk = await stage.visitor({ as: 'ward_member', size: DESKTOP });
  await desk.open('/shelf/continue');
  const row = desk.$(`main .row:has(.row-link[href="${address}"])`);
  assert.ok(/\d+%/.test(await row.innerText()), 'the reading position is shown');
  await desk.open(address);
  const notice = await desk.text('main .notice-title');
  assert.ok(fits(reading.was_at, notice) || fits(reading.was_at_part, notice), notice);
  await until('the script is loaded', () => desk.page.evaluate(() => document.documentElement.dataset.reading === 'true'));
  await desk.$('a[data-go-on]').click();
  await until('the place is on the screen', () => desk.page.evaluate(() => scrollY > 300));
}

/** Reaching the end counts as read after the minimum time, as the page reports by itself. A glance does not. */
async function readToTheEnd(stage) {
  const visitor = await stage.visitor({ as: 'member' });
  await visitor.open('/library?kind=news');
  const link = visitor.$('.row-unread .row-link').first();
  await visitor.follow(link);
  const seconds = Number(await visitor.$('[data-document]').getAttribute('data-end'));
  assert.ok(seconds >= 5, `${seconds} seconds`);
  await until('the script is loaded', () => visitor.page.evaluate(() => document.documentElement.dataset.reading === 'true'));
  const told = visitor.page.waitForResponse((response) => response.url().endsWith('/api/documents/mark_read'), { timeout: (seconds + 20) * 1000 });
  await visitor.$('.prose > :last-child').evaluate((end) => end.scrollIntoView({ block: 'end' }));
  assert.ok(fits(reading.recorded_opened, (await visitor.text('#receipt p')).trim()), 'reaching the end at once is not reading');
  assert.equal((await told).status(), 200);
  await until('the page shows it', async () => fits(reading.recorded_read, (await visitor.text('#receipt p')).trim()));
  assert.equal(await visitor.$('main form[data-read]').count(), 0);
}

async function notesAndRelations(stage, script) {
  const visitor = await stage.visitor({ as: 'member', script });
  const address = await find(visitor, STORMS);
  await visitor.open(address);
  await visitor.$('.prose .footnote-reference a').first().click();
  await until('the note is reached', () => visitor.page.evaluate(() => location.hash === '#note-1'));
  await visitor.$('.prose #note-1 a[href="#noteref-1"]').click();
  await until('and the way back', () => visitor.page.evaluate(() => location.hash === '#noteref-1'));
  assert.equal(visitor.path, address);

  const related = visitor.$('.document-related a').first();
  assert.ok((await visitor.text('.document-related')).includes(reading.guided_by));
  const title = (await related.innerText()).trim();
  await visitor.follow(related);
  await until('the other document is shown', async () => title.endsWith(await visitor.heading()));
  assert.ok((await visitor.text('.document-related')).includes(reading.guides), 'it names the first one');
}

async function paper(stage, script) {
  const visitor = await stage.visitor({ as: 'member', script });
  const address = await find(visitor, STORMS);
  await visitor.open(address);
  const date = /\d{1,2}\/\d{1,2}\/\d{4}/.exec(await visitor.text('.document-number'))[0];
  const [day, month, year] = date.split('/');
  const signer = (await visitor.$('.official-end > :last-child').textContent()).replace(/\s/g, '');
  const issuer = (await visitor.$('.official-head p').first().textContent()).replace(/\s/g, '').toUpperCase();
  assert.ok(signer && issuer && !(await visitor.$('.official-head, .official-end').first().isVisible()), 'on paper only');
  if (script) await until('the script is loaded', () => visitor.page.evaluate(() => document.documentElement.dataset.reading === 'true'));
  const pdf = await visitor.page.pdf({ preferCSSPageSize: true });
  assert.deepEqual(paperOf(pdf), [210, 297], 'A4');
  const pages = pagesOf(pdf);
  assert.ok(pages.length > 1, `${pages.length} pages`);
  // The official layout: issuer, number, organisation, date; then the title. At the end: recipients and signer.
  const first = pages[0];
  const head = [issuer, `Số${STORMS}`, 'ĐẢNGCỘNGSẢNVIỆTNAM', `Ngày${day}tháng${month}năm${year}`, 'Chỉthị'];
  let at = 0;
  for (const part of head) {
    at = first.indexOf(part, at);
    assert.ok(at >= 0, `${part} has its place in ${first}`);
  }
  const whole = pages.join('');
  assert.ok(whole.includes('Nơinhận') && whole.lastIndexOf(signer) > whole.lastIndexOf('Nơinhận'), 'recipients and signature');
  for (const [at, page] of pages.entries()) {
    assert.ok(page.includes(`${at + 1}/${pages.length}`), `page ${at + 1} says so: ${page.slice(0, 120)}`);
    if (script) assert.ok(page.includes(STORMS) && page.includes(date), `page ${at + 1} says what it is a page of`);
    for (const word of [reading.download, reading.share]) assert.ok(!page.includes(word.replace(/\s/g, '')), `${word} is not printed`);
  }

  const file = await visitor.context.request.get(`${address}/download`);
  assert.equal(file.status(), 200);
  assert.match(file.headers()['content-disposition'], /^attachment; filename="21-ct-tu\.html"$/);
  const alone = await stage.visitor({ script });
  await alone.page.setContent(await file.text());
  const taken = pagesOf(await alone.page.pdf({ preferCSSPageSize: true }));
  assert.ok(taken[0].includes('ĐẢNGCỘNGSẢNVIỆTNAM') && taken.join('').includes('Nơinhận'), 'the file has the layout');
  assert.ok(taken.every((page, at) => page.includes(STORMS) && page.includes(`${at + 1}/${taken.length}`)), 'the file prints the same');
}

async function shared(stage, script) {
  const visitor = await stage.visitor({ as: 'member', script });
  const address = await find(visitor, STORMS);
  await visitor.open(address);
  await visitor.$('details.share summary').click();
  await visitor.sees('#address');
  assert.equal(await visitor.$('#address').inputValue(), `${stage.origin}${address}`);
}

export const tests = [
  ...bothWays('reading: one’s own lists are found and follow what is read', lists),
  ...bothWays('reading: filters are combined', filters),
  ...bothWays('reading: a bookmark set on the phone is shown on the desktop', marks),
  { name: 'reading: begun on the phone, continued on the desktop', run: goesOn },
  { name: 'reading: reaching the end counts as read after the minimum time', run: readToTheEnd },
  ...bothWays('reading: notes lead there and back, relations from document to document', notesAndRelations),
  ...bothWays('reading: on paper and as a file, with number, date and page', paper),
  ...bothWays('reading: the address can be shared', shared),
];
