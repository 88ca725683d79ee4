// Search for a document, a meeting or a course by what a person remembers.

import { strict as assert } from 'node:assert';

import { bothWays } from '../support/report.mjs';
import { texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';

const { documents, meetings, search, terms } = texts('vi');

/** From the library, without tone marks and with a missing letter, to the text of the document. */
async function findByHeart(stage, script) {
  const visitor = await stage.visitor({ as: 'member', script });
  await ready(visitor);
  await visitor.open('/library');
  await ask(visitor, 'chuyn doi so');
  await visitor.sees('.notice', { hasText: search.similar });
  await visitor.sees('.notice a', { hasText: 'chuyển đổi số' });
  await visitor.follow(visitor.$('.notice a'));
  await until('the corrected words are searched', async () => (await visitor.field('q').inputValue()) === 'chuyển đổi số');
  const first = visitor.$('.row-link').first();
  assert.match((await first.innerText()).toLowerCase(), /chuyển đổi số/);
  assert.match((await first.locator('mark').first().innerText()).toLowerCase(), /chuyển đổi số/);
  await visitor.follow(first);
  await until('the document is shown', async () => /chuyển đổi số/i.test(await visitor.heading()));
}

/** A number in any spelling, filters, and the way out when they leave nothing. */
async function findByNumber(stage, script) {
  const visitor = await stage.visitor({ as: 'member', script });
  await ready(visitor);
  await visitor.open('/search');
  await visitor.sees('.empty', { hasText: search.start_title });
  for (const typed of ['339-QĐ/TW', '339 qd tw', '339qdtw']) {
    await ask(visitor, typed);
    await until(`${typed} comes first`, async () => /339-QĐ\/TW/.test(await visitor.$('.row').first().innerText()));
  }
  await ask(visitor, 'sổ tay đảng viên');
  await visitor.$('.search-filters > summary').click();
  await visitor.$('[name="kind"]').selectOption('regulation');
  await visitor.$('.search-choices button').click();
  await until('only regulations are shown', async () => {
    const kinds = await visitor.$('.row .row-eyebrow').allInnerTexts();
    return kinds.length > 0 && kinds.every((kind) => kind.includes(terms.regulation));
  });
  assert.equal(await visitor.$('.search-filters[open]').count(), 1, 'the active filter is visible');
  await visitor.$('[name="level"]').selectOption('section');
  await visitor.$('.search-choices button').click();
  await visitor.sees('.empty', { hasText: search.none_filtered });
  await visitor.follow(visitor.$('.empty a'));
  await visitor.sees('.row');
  assert.equal(await visitor.field('q').inputValue(), 'sổ tay đảng viên', 'the words are kept');
}

/** Input from the address is shown as text and has no effect. */
async function hostile(stage, script) {
  const visitor = await stage.visitor({ as: 'member', script });
  for (const typed of ['<img src=x onerror=alert(1)>', '"><script>alert(1)</script>', '%', '\u202e\u200b', 'a'.repeat(5000)]) {
    const response = await visitor.open(`/search?q=${encodeURIComponent(typed)}&kind=none&year=x&after=y`);
    assert.equal(response.status(), 200, typed);
    assert.equal(await visitor.heading(), search.title);
    assert.equal(await visitor.$('main img, main script').count(), 0, typed);
  }
  await visitor.sees('.search-cut');
}

/** Found by its audience, and by nobody else. */
async function others(stage, script) {
  const fisherman = await stage.visitor({ as: 'member', script });
  await ready(fisherman);
  await fisherman.open('/library');
  await ask(fisherman, 'neo dau so tan ganh da');
  await fisherman.sees('.row-link', { hasText: 'Gành Đá' });
  const title = await fisherman.$('.row-link').first().innerText();

  const elsewhere = await stage.visitor({ as: 'ward_member', script });
  await elsewhere.open('/library');
  await ask(elsewhere, 'neo dau so tan ganh da');
  await until('the answer is there', async () => (await elsewhere.$('.row, .empty').count()) > 0);
  assert.ok(!(await elsewhere.$('.row-link').allInnerTexts()).includes(title), 'another branch does not find it');
  assert.ok(documents.unread.length > 0);
}

/** Meetings and courses are among the results, can be searched alone, and are found by their members. */
async function meetingsAndCourses(stage, script) {
  const fisherman = await stage.visitor({ as: 'member', script });
  await ready(fisherman);
  await fisherman.open('/search');
  await ask(fisherman, 'sinh hoat chuyen de giu sach bien va ben ca ganh da');
  await until('the meeting with this title comes first', async () => /^Sinh hoạt chuyên đề: Giữ sạch biển/.test(await fisherman.$('.row-link').first().innerText()));
  await ask(fisherman, 'san lang van');
  await fisherman.follow(fisherman.$('#search-results .chip', { hasText: meetings.title }));
  await until('only meetings are looked for', () => new URL(fisherman.page.url()).searchParams.get('what') === 'meetings');
  await fisherman.sees('#search-results .chip[aria-current]', { hasText: meetings.title });
  assert.equal(await fisherman.$('.search-filters').count(), 0, 'filters of documents are not shown');
  await fisherman.sees('.row-eyebrow', { hasText: terms.meeting_thematic });
  await fisherman.sees('.row-excerpt mark');
  await fisherman.follow(fisherman.$('.row-link').first());
  await until('the meeting is shown', async () => /Giữ sạch biển/.test(await fisherman.heading()));

  await fisherman.open('/search?q=doc+truoc+mua+bao&what=courses');
  await fisherman.sees('.row-eyebrow', { hasText: search.course });
  await fisherman.follow(fisherman.$('.row-link').first());
  await until('the course is shown', async () => /Phòng, chống bão lũ trên biển/.test(await fisherman.heading()));

  const elsewhere = await stage.visitor({ as: 'ward_member', script });
  for (const [what, typed] of [['meetings', 'giu sach bien va ben ca ganh da'], ['courses', 'phong chong bao lu tren bien']]) {
    await elsewhere.open(`/search?q=${encodeURIComponent(typed)}&what=${what}`);
    await until('the answer is there', async () => (await elsewhere.$('.row, .empty').count()) > 0);
    const titles = await elsewhere.$('.row-link').allInnerTexts();
    assert.ok(!titles.some((title) => /Gành Đá|bão lũ trên biển/.test(title)), titles.join('\n'));
  }
}

/** Results appear while typing; the library links to them. */
async function inSight(stage) {
  const visitor = await stage.visitor({ as: 'member' });
  await ready(visitor);
  await visitor.open('/search');
  const field = visitor.field('q');
  await visitor.page.evaluate(() => {
    window.stillHere = true;
  });
  await field.pressSequentially('dang phi', { delay: 20 });
  await visitor.sees('#search-results .row-link mark');
  await until('the address has the query', () => new URL(visitor.page.url()).searchParams.get('q') === 'dang phi');
  const count = (await visitor.text('#search-results > p.muted')).trim();
  await until('the number of results is announced', async () => (await visitor.$('#search-told').innerText()).trim() === count);
  assert.equal(await visitor.$('#search-told').getAttribute('role'), 'status');
  assert.ok(await focused(visitor), 'typing is not interrupted');
  assert.match(await visitor.page.title(), /dang phi/);

  await visitor.$('.search-filters > summary').click();
  await visitor.$('[name="kind"]').selectOption('directive');
  await until('only directives are shown', async () => {
    const kinds = await visitor.$('.row .row-eyebrow').allInnerTexts();
    return kinds.length > 0 && kinds.every((kind) => kind.includes(terms.directive));
  });
  assert.equal(new URL(visitor.page.url()).searchParams.get('kind'), 'directive');
  await visitor.$('[name="kind"]').selectOption('');
  await field.fill('khinhkhicau');
  await visitor.sees('.empty', { hasText: search.none_title });
  await until('the empty result is announced', async () => (await visitor.$('#search-told').innerText()).trim() === search.none_title);
  await field.fill('');
  await visitor.sees('.empty', { hasText: search.start_title });
  assert.ok(await visitor.page.evaluate(() => window.stillHere), 'the page was never left');
  await visitor.reload();
  await visitor.sees('.empty', { hasText: search.start_title });
}

/** Of two responses, the one to the later query is shown, whichever arrives first. */
async function overtaken(stage) {
  const visitor = await stage.visitor({ as: 'member' });
  await ready(visitor);
  await visitor.open('/search');
  await visitor.page.evaluate(() => {
    window.shown = [];
    const results = document.getElementById('search-results');
    new MutationObserver(() => window.shown.push(results.textContent)).observe(results, { childList: true });
  });
  let older;
  await visitor.page.route('**/search?q=rac', (route) => {
    older = route;
  });
  await visitor.field('q').fill('rac');
  await until('the first query is sent', () => older);
  await visitor.field('q').fill('57-NQ/TW');
  await visitor.sees('#search-results .row', { hasText: '57-NQ/TW' });
  const late = '<!DOCTYPE html><title>late</title><div id="search-results" data-told="late">late</div>';
  // An aborted request accepts no response.
  await older.fulfill({ contentType: 'text/html', body: late }).catch(() => {});
  await visitor.field('q').fill('339-QĐ/TW');
  await visitor.sees('#search-results .row', { hasText: '339-QĐ/TW' });
  const shown = await visitor.page.evaluate(() => window.shown);
  assert.ok(shown.length >= 2 && !shown.some((text) => text.includes('late')), shown.join('\n'));
}

/** Offline, the results stay, the page says so, and it recovers by itself. */
async function offline(stage) {
  const visitor = await stage.visitor({ as: 'member' });
  await ready(visitor);
  await visitor.open('/search?q=dang+phi');
  const before = await visitor.$('.row-link').allInnerTexts();
  assert.ok(before.length > 0);
  visitor.expects('net::ERR_INTERNET_DISCONNECTED');
  await visitor.context.setOffline(true);
  await visitor.field('q').fill('57-NQ/TW');
  await visitor.sees('#search-failed', { hasText: search.failed });
  assert.deepEqual(await visitor.$('.row-link').allInnerTexts(), before, 'the previous results are still shown');
  assert.equal(await visitor.field('q').inputValue(), '57-NQ/TW', 'and so is what was typed');
  await visitor.context.setOffline(false);
  await until('it recovers by itself', async () => /57-NQ\/TW/.test(await visitor.$('.row').first().innerText()));
  assert.equal((await visitor.text('#search-failed')).trim(), '');
}

const focused = (visitor) => visitor.page.evaluate(() => document.activeElement?.getAttribute('name') === 'q');

/** A server that has just started builds its index first. */
async function ready(visitor) {
  await until('the search is ready', async () => {
    await visitor.open('/search?q=dang');
    return (await visitor.$('[data-look-again]').count()) === 0;
  });
}

/** Types and submits. On the search page, the results arrive in place with script. */
async function ask(visitor, typed) {
  const stays = visitor.script && visitor.path === '/search';
  const button = visitor.$('main form[role="search"] .button, main form.search .button').first();
  await visitor.field('q').fill(typed);
  if (stays) await button.click();
  else await visitor.submit(button);
  await until(`there is an answer to ${typed}`, async () => {
    const asked = new URL(visitor.page.url()).searchParams.get('q');
    return asked === typed && (await visitor.heading()) === search.title;
  });
}

export const tests = [
  ...bothWays('search: without marks and with an error, from the library to the text', findByHeart),
  ...bothWays('search: a number in any spelling, filters and the way out of them', findByNumber),
  ...bothWays('search: hostile input in the address is shown as text', hostile),
  ...bothWays('search: a document is found by its audience', others),
  ...bothWays('search: meetings and courses are found by their members', meetingsAndCourses),
  { name: 'search: results appear while typing without interrupting it', run: inSight },
  { name: 'search: an older response does not replace a newer one', run: overtaken },
  { name: 'search: offline, the last results stay', run: offline },
];
