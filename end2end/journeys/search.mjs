// Finding a document, a meeting or a course by what one remembers of it.

import { strict as assert } from 'node:assert';

import { bothWays } from '../support/report.mjs';
import { texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';

const { documents, meetings, search, terms } = texts('vi');

/** From the library, without marks and with a letter too few, to the text of the document. */
async function findByHeart(stage, script) {
  const visitor = await stage.visitor({ as: 'member', script });
  await ready(visitor);
  await visitor.open('/library');
  await ask(visitor, 'chuyn doi so');
  await visitor.sees('.notice', { hasText: search.similar });
  await visitor.sees('.notice a', { hasText: 'chuyển đổi số' });
  await visitor.follow(visitor.$('.notice a'));
  await until('the words that were meant are searched for', async () => (await visitor.field('q').inputValue()) === 'chuyển đổi số');
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
  assert.equal(await visitor.$('.search-filters[open]').count(), 1, 'what filters is in sight');
  await visitor.$('[name="level"]').selectOption('branch');
  await visitor.$('.search-choices button').click();
  await visitor.sees('.empty', { hasText: search.none_filtered });
  await visitor.follow(visitor.$('.empty a'));
  await visitor.sees('.row');
  assert.equal(await visitor.field('q').inputValue(), 'sổ tay đảng viên', 'the words are kept');
}

/** What is written in the address is shown as it is, and does nothing. */
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

/** Found where it was sent, and nowhere else. */
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

/** Meetings and courses are among what is found, can be looked for alone, and are found by those they concern. */
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
  assert.equal(await fisherman.$('.search-filters').count(), 0, 'what only documents have is not asked');
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

/** Results come while one types; the library leads to them. */
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
  await until('the address says what is shown', () => new URL(visitor.page.url()).searchParams.get('q') === 'dang phi');
  const count = (await visitor.text('#search-results > p.muted')).trim();
  await until('what was found is told', async () => (await visitor.$('#search-told').innerText()).trim() === count);
  assert.equal(await visitor.$('#search-told').getAttribute('role'), 'status');
  assert.ok(await focused(visitor), 'whoever types goes on typing');
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
  await until('that nothing was found is told', async () => (await visitor.$('#search-told').innerText()).trim() === search.none_title);
  await field.fill('');
  await visitor.sees('.empty', { hasText: search.start_title });
  assert.ok(await visitor.page.evaluate(() => window.stillHere), 'the page was never left');
  await visitor.reload();
  await visitor.sees('.empty', { hasText: search.start_title });
}

/** Of two answers the one to the later question is shown, whichever comes first. */
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
  await until('the first question is on its way', () => older);
  await visitor.field('q').fill('57-NQ/TW');
  await visitor.sees('#search-results .row', { hasText: '57-NQ/TW' });
  const late = '<!DOCTYPE html><title>late</title><div id="search-results" data-told="late">late</div>';
  // A question that was given up takes no answer any more.
  await older.fulfill({ contentType: 'text/html', body: late }).catch(() => {});
  await visitor.field('q').fill('339-QĐ/TW');
  await visitor.sees('#search-results .row', { hasText: '339-QĐ/TW' });
  const shown = await visitor.page.evaluate(() => window.shown);
  assert.ok(shown.length >= 2 && !shown.some((text) => text.includes('late')), shown.join('\n'));
}

/** Without a connection what was found stays, the page says so, and goes on by itself. */
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
  assert.deepEqual(await visitor.$('.row-link').allInnerTexts(), before, 'the results of before are still there');
  assert.equal(await visitor.field('q').inputValue(), '57-NQ/TW', 'and so is what was typed');
  await visitor.context.setOffline(false);
  await until('it goes on by itself', async () => /57-NQ\/TW/.test(await visitor.$('.row').first().innerText()));
  assert.equal((await visitor.text('#search-failed')).trim(), '');
}

const focused = (visitor) => visitor.page.evaluate(() => document.activeElement?.getAttribute('name') === 'q');

/** A server that has just started makes its index first. */
async function ready(visitor) {
  await until('the search is ready', async () => {
    await visitor.open('/search?q=dang');
    return (await visitor.$('[data-look-again]').count()) === 0;
  });
}

/** Types and sends. On the search page itself the answer comes without leaving it, where a script can. */
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
  ...bothWays('search: whatever is in the address, the page is whole and does nothing', hostile),
  ...bothWays('search: a document is found by those it was sent to', others),
  ...bothWays('search: meetings and courses are found by those they concern', meetingsAndCourses),
  { name: 'search: results come while one types, and the writer is left alone', run: inSight },
  { name: 'search: an older answer does not take the place of a newer one', run: overtaken },
  { name: 'search: without a connection the last results stay', run: offline },
];
