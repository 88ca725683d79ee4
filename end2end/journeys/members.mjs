// The registry: search, correction, transfer, merge.

import { strict as assert } from 'node:assert';

import { bothWays } from '../support/report.mjs';
import { empty, fits, number, texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';

const { home, members } = texts('vi');

/** A folded name, half a name, and the whole ID each find the same person, but nobody of another ward. A part of an ID finds nobody. */
async function find(stage, script) {
  const { name } = stage.account('ward_member');
  const registrar = await stage.visitor({ as: 'registrar', script });
  await search(registrar, '0004');
  assert.equal(await registrar.$('main tr', { hasText: name }).count(), 0);
  for (const typed of ['nguyen thi hoa binh', 'hòa bình', '951000000004']) {
    await search(registrar, typed);
    await registrar.sees('main tr', { hasText: name });
  }
  await registrar.follow(registrar.$('main tr', { hasText: name }).locator('.row-link').first());
  assert.equal(await registrar.heading(), name);
  const record = await registrar.text();
  assert.ok(!record.replace(/\s/g, '').includes('951000000004'), 'the national ID is masked');
  assert.ok(record.replace(/\s/g, '').includes('••••••••••04'));

  await search(registrar, 'vo van khoi');
  await registrar.sees('.empty', { hasText: members.no_match_title });

  const member = await stage.visitor({ as: 'ward_member', script });
  member.expects(404);
  const refused = await member.open(registrar.path === '/members' ? '/members' : registrar.path);
  assert.equal(refused.status(), 404, 'members have no access to the registry');
}

/** Requested by the member, accepted by the registrar, seen by the member. */
async function correct(stage, script) {
  const { name } = stage.account('ward_member');
  const phone = script ? '0900 111 001' : '0900 111 002';
  const member = await stage.visitor({ as: 'ward_member', script });
  member.expects(422);
  await member.open('/more');
  await member.follow(member.$('main a[href="/record"]'));
  await member.follow(member.$('main a[href="/record/correction"]'));
  await member.$('main [name="field"][value="phone"]').check();
  await member.field('wanted').fill('12');
  await member.field('reason').fill('Tôi mới đổi số điện thoại.');
  await member.submit(member.sender('wanted'));
  assert.ok((await member.problems()).wanted.length > 0);
  assert.equal(await member.field('reason').inputValue(), 'Tôi mới đổi số điện thoại.', 'what was typed is kept');
  await member.field('wanted').fill(phone);
  await member.submit(member.sender('wanted'));
  await until('the request is on the own record', () => member.path === '/record');
  await member.sees('.notice-ok', { hasText: members.asked_done });

  const registrar = await stage.visitor({ as: 'registrar', script });
  registrar.expects(422);
  await registrar.open('/members');
  await registrar.follow(registrar.$('main a[href="/corrections"]'));
  await registrar.follow(registrar.$('.row', { hasText: name }).locator('.row-link').first());
  await registrar.sees('main', { hasText: 'Tôi mới đổi số điện thoại.' });
  await registrar.submit(registrar.sender('note'));
  assert.equal((await registrar.problems()).note, empty(members.note), 'a refusal needs a reason');
  await registrar.submit(registrar.$('main form:has([value="accept"]) button[type="submit"]'));
  await registrar.sees('.notice-ok', { hasText: members.accepted_done });

  await member.open('/');
  await member.follow(member.$('.notice', { hasText: home.correction_decided }).locator('a[href="/record"]'));
  await member.sees('.notice-ok');
  const digits = (await member.text()).replace(/\s/g, '');
  assert.ok(digits.includes(phone.replace(/\s/g, '')), 'the record has the new number');
  await member.open('/');
  assert.equal(await member.$('.notice', { hasText: home.correction_decided }).count(), 0, 'the news is shown once');
}

/** Requested by the secretary of the old branch, accepted by the registrar of the new one. */
async function transfer(stage, script) {
  const secretary = await stage.visitor({ as: 'ward_secretary', script });
  secretary.expects(422);
  // A person who is not in the cast, and a different one each time.
  await secretary.open('/members');
  const name = (await secretary.$('.row-link').last().innerText()).trim();
  await secretary.follow(secretary.$('.row-link').last());
  const record = secretary.path;
  await secretary.follow(secretary.$(`main a[href="${record}/transfer"]`));
  await secretary.field('reason').fill('Chuyển nơi cư trú.');
  await secretary.submit(secretary.sender('reason'));
  assert.equal((await secretary.problems()).to, empty(members.to_branch));
  await secretary.$('main [name="to"]').first().check();
  const branch = (await secretary.$('main .choice-label').first().innerText()).trim();
  await secretary.submit(secretary.sender('reason'));
  await until('the request waits', () => secretary.path === '/transfers');
  await secretary.sees('.row', { hasText: name });

  const registrar = await stage.visitor({ as: 'registrar', script });
  await registrar.open('/transfers');
  await registrar.follow(registrar.$('.card', { hasText: members.incoming }).locator('.row', { hasText: name }).locator('.row-link').first());
  await registrar.submit(registrar.$('main form:has([value="accept"]) button[type="submit"]'));
  await registrar.sees('.notice-ok', { hasText: members.transfer_accepted });
  await registrar.open(record);
  assert.ok((await registrar.text()).includes(branch), 'the record names the new branch');

  secretary.expects(404);
  assert.equal((await secretary.open(record)).status(), 404, 'the old branch cannot read the record any more');
}

/** Two records of one person, found in the queue and merged; the queue is shorter afterwards. */
async function merge(stage, script) {
  const registrar = await stage.visitor({ as: 'registrar', script });
  await registrar.open('/quality?kind=twin');
  const before = await registrar.$('.row-link').count();
  assert.ok(before >= 2, `${before} records may be duplicates`);
  const name = (await registrar.$('.row-link').first().innerText()).trim();
  await registrar.follow(registrar.$('.row-link').first());
  await registrar.follow(registrar.$('main a[href*="/merge?with="]').first());
  assert.equal(await registrar.heading(), members.merge_title);
  await registrar.follow(registrar.$('main a[href*="sure=1"]'));
  await registrar.submit(registrar.$('main form[action$="/merge"] button[type="submit"]'));
  await registrar.sees('.notice-ok', { hasText: members.saved_merged });
  assert.equal(await registrar.heading(), name);
  await registrar.open('/quality?kind=twin');
  assert.equal(await registrar.$('.row-link').count(), before - 2);
}

/** A table as wide as the page, below the pending work, with whole names; on the phone a list whose whole rows are links. */
async function tableAndList(stage, script) {
  const registrar = await stage.visitor({ as: 'registrar', script, size: { width: 1280, height: 900 } });
  await registrar.open('/members');
  const heads = (await registrar.$('main thead th').allInnerTexts()).map((head) => head.trim());
  assert.deepEqual(heads, [members.full_name, members.branch, members.card, members.birth_date, members.state]);
  const boxes = () => Promise.all(['.table', '.menu'].map((part) => registrar.$(`main ${part}`).first().boundingBox()));
  let [table, menu] = await boxes();
  assert.ok(menu.y + menu.height <= table.y, 'pending work is above');
  assert.ok(menu.height < 200, `${menu.height} px, side by side`);
  assert.equal(Math.round(table.width), Math.round(menu.width), 'the table has the width of the page');
  for (const cell of ['th:nth-child(1)', 'td:nth-child(3)', 'td:nth-child(4)', 'td:nth-child(5)']) {
    const lines = await registrar.$(`main tbody ${cell}`).evaluateAll(linesOf);
    assert.deepEqual(lines.filter(({ count }) => count > 1), [], `${cell} stands on one line`);
  }

  await registrar.page.setViewportSize({ width: 390, height: 844 });
  [table, menu] = await boxes();
  assert.ok(menu.y + menu.height <= table.y, 'pending work is before it');
  const row = registrar.$('main tbody tr').first();
  const record = await row.locator('.row-link').getAttribute('href');
  const { width, height } = await row.boundingBox();
  const position = { x: width - 8, y: height - 8 };
  if (script) await row.click({ position });
  else await Promise.all([registrar.page.waitForEvent('domcontentloaded'), row.click({ position })]);
  await until('the record is there', () => registrar.path === record);
}

/** Runs in the page: the words of cells, and their number of lines. */
function linesOf(cells) {
  return cells.map((cell) => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    const boxes = [...range.getClientRects()].filter(({ width }) => width > 1);
    const middles = boxes.map(({ top, height }) => top + height / 2).sort((one, other) => one - other);
    return { words: cell.innerText, count: middles.filter((middle, at) => at === 0 || middle - middles[at - 1] > 8).length };
  });
}

/** More people are added below, at the position of the first new one; their number is announced. */
async function moreOfThem(stage, script) {
  const registrar = await stage.visitor({ as: 'registrar', script });
  const names = () => registrar.$('main .row-link').allInnerTexts();
  const told = async () => {
    const text = await registrar.$('main section > p.muted').first().innerText();
    assert.ok(fits(members.shown_of, text), text);
    return number(text.match(/\d[\d.]*/g)[1]);
  };
  await registrar.open('/members');
  const first = await names();
  assert.equal(first.length, 20);
  const all = await told();
  assert.ok(all > 20);
  await registrar.follow(registrar.$('main .pager a'));
  const more = await names();
  assert.equal(more.length, Math.min(60, all));
  assert.deepEqual(more.slice(0, 20), first, 'those that were there stay');
  assert.equal(new URL(registrar.page.url()).hash, '#members-21', 'the first of the new rows');
  assert.equal(await told(), all);
  await search(registrar, 'nguyen thi hoa binh');
  assert.equal(await told(), await registrar.$('main .row-link').count(), 'a search tells how many it found');
}

async function search(visitor, typed) {
  await visitor.open('/members');
  await visitor.field('q').fill(typed);
  const button = visitor.$('main form[role="search"] button[type="submit"]');
  if (visitor.script) await button.click();
  else await Promise.all([visitor.page.waitForEvent('domcontentloaded'), button.click()]);
  await until('the search is answered', () => new URL(visitor.page.url()).searchParams.get('q') === typed);
  await visitor.settled();
}

export const tests = [
  ...bothWays('members: found by name and number in the own subtree', find),
  ...bothWays('members: a table on a desktop, a list on the phone', tableAndList),
  ...bothWays('members: more rows are added below, and all are counted', moreOfThem),
  ...bothWays('members: a correction is asked for, accepted and seen', correct),
  ...bothWays('members: a transfer is asked for and accepted', transfer),
  ...bothWays('members: two records of one person become one', merge),
];
