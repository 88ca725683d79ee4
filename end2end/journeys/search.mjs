// Finding a document by what one remembers of it.

import { strict as assert } from 'node:assert';

import { bothWays } from '../support/report.mjs';
import { texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';

const { documents, search, terms } = texts('vi');

/** From the library, without marks and with a letter too few, to the text of the document. */
async function findByHeart(stage, script) {
  const visitor = await stage.visitor({ as: 'member', script });
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
  await visitor.open('/search');
  await visitor.sees('.empty', { hasText: search.start_title });
  for (const typed of ['339-QĐ/TW', '339 qd tw', '339qdtw']) {
    await ask(visitor, typed);
    await until(`${typed} comes first`, async () => /339-QĐ\/TW/.test(await visitor.$('.row').first().innerText()));
  }
  await ask(visitor, 'sổ tay đảng viên');
  await visitor.$('.search-filters > summary').click();
  await visitor.$('[name="kind"]').selectOption('regulation');
  await visitor.submit(visitor.$('.search-choices button'));
  await until('only regulations are shown', async () => {
    const kinds = await visitor.$('.row .row-eyebrow').allInnerTexts();
    return kinds.length > 0 && kinds.every((kind) => kind.includes(terms.regulation));
  });
  assert.equal(await visitor.$('.search-filters[open]').count(), 1, 'what filters is in sight');
  await visitor.$('[name="level"]').selectOption('branch');
  await visitor.submit(visitor.$('.search-choices button'));
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

async function ask(visitor, typed) {
  await visitor.field('q').fill(typed);
  await visitor.submit(visitor.$('form[role="search"] .search button, form.search button').first());
  await until(`there is an answer to ${typed}`, async () => (await visitor.heading()) === search.title);
}

export const tests = [
  ...bothWays('search: without marks and with an error, from the library to the text', findByHeart),
  ...bothWays('search: a number in any spelling, filters and the way out of them', findByNumber),
  ...bothWays('search: whatever is in the address, the page is whole and does nothing', hostile),
  ...bothWays('search: a document is found by those it was sent to', others),
];
