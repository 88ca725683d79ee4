// Communes are merged and divided by file: refused, corrected, confirmed with the numbers; a branch is assigned, a member sees where
// it belongs now, and what became of the communes is found by their old codes.

import { strict as assert } from 'node:assert';

import { bothWays } from '../support/report.mjs';
import { uploadPlan } from '../support/reorganisations.mjs';
import { fits, number, texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';

const { home, reorganisations, units } = texts('vi');

/** The records of a ward follow in batches. */
const FOLLOWED_MS = 90_000;

/** Each run reorganises other communes, so that it needs nothing of the other run. */
const CASES = {
  true: { member: 'member', other: '01/51/003', main: 'K201', part: 'K202' },
  false: { member: 'ward_member', other: '01/51/004', main: 'S301', part: 'S302' },
};

/** Presses a button of a page without WebAssembly by the keyboard, and waits for the next page. */
async function press(visitor, button) {
  await Promise.all([visitor.page.waitForEvent('domcontentloaded'), button.press('Enter')]);
  await visitor.settled();
}

/** The code of the unit above the member's branch. */
async function codeAbove(member) {
  await member.open('/more');
  await member.follow(member.$('main .facts a').first());
  const above = await member.$('main .breadcrumbs a').last().getAttribute('href');
  await member.open(above);
  const eyebrow = await member.text('.page-header .eyebrow');
  return eyebrow.split('·').pop().replace(units.code_of.replace('{code}', ''), '').trim();
}

/** Waits until the state of the page is over, reloading by hand without script. */
async function over(visitor, states) {
  await until(`the reorganisation is not "${states.join('" or "')}" any more`, async () => {
    const header = await visitor.text('.page-header');
    if (!states.some((state) => header.includes(state))) return true;
    if (!visitor.script) await visitor.reload();
    return false;
  }, FOLLOWED_MS);
  await visitor.settled();
}

async function divideAndMerge(stage, script) {
  const { member: role, other, main, part } = CASES[script];
  const member = await stage.visitor({ as: role, script });
  const own = `01/51/${await codeAbove(member)}`;
  const names = { main: `Đảng bộ xã Mới ${main}`, part: `Đảng bộ xã Mới ${part}` };

  const operator = await stage.visitor({ as: 'operator', script });
  await operator.open('/units');
  await operator.follow(operator.$('main a[href="/reorganisations"]'));
  await operator.follow(operator.$('main a[href="/reorganisations/new"]').first());

  // No row has the main part, and one code is unknown.
  const wrong = [
    [own, part, '01/51', names.part, 'một phần', 'giữ'],
    ['01/51/999', part, '01/51', names.part, 'toàn bộ', ''],
  ];
  await uploadPlan(operator, [{ name: `sai-${main}.csv`, rows: wrong }]);
  await operator.sees('main .notice-error');
  assert.ok((await operator.text('.page-header')).includes(reorganisations.state_refused), 'the state says why it cannot be confirmed');
  assert.ok(!(await operator.text()).includes(reorganisations.nothing_written), 'and nothing asks to confirm');
  assert.equal(await operator.$('main a[href$="?sure=1"]').count(), 0, 'it cannot be confirmed');
  const refused = await operator.text('main .table');
  assert.ok(refused.includes(reorganisations.problem_no_main_part), refused);
  assert.ok(refused.includes(reorganisations.problem_unknown_code), refused);
  const report = await operator.$('main a[href$="/refused.csv"]').getAttribute('href');
  const lines = await (await operator.context.request.get(report)).text();
  assert.equal(lines.trim().split('\r\n').length, 1 + 2);

  // Corrected, in two files.
  await operator.follow(operator.$('main a[href^="/reorganisations/new?on="]'));
  const divided = [
    [own, main, '01/51', names.main, 'phần chính', 'giữ'],
    [own, part, '01/51', names.part, 'một phần', ''],
  ];
  const merged = [[other, part, '01/51', names.part, 'toàn bộ', 'kết thúc']];
  await uploadPlan(operator, [{ name: `chia-${main}.csv`, rows: divided }, { name: `nhap-${part}.csv`, rows: merged }]);
  const preview = operator.path;
  await operator.follow(operator.$('main .chips a[href*="list=ended"]'));
  assert.ok((await operator.text('main .table')).includes(names.part), 'the list says what replaces a unit');
  await operator.follow(operator.$('main a[href$="?sure=1"]'));
  const asked = await operator.text('main .card-strong');
  const [question, told] = asked.split('\n').map((line) => line.trim()).filter(Boolean);
  assert.ok(fits(reorganisations.sure_title, question), question);
  assert.ok(fits(reorganisations.sure_text, told), told);
  const [before, after] = question.match(/\p{Nd}[\p{Nd}.]*/gu).map(number);
  assert.equal(after, before, 'two communes end and two begin');
  await press(operator, operator.$('main form[action$="/confirm"] button[type="submit"]'));
  assert.equal(operator.path, preview);
  await over(operator, [reorganisations.state_confirmed, reorganisations.state_following]);
  await operator.sees('main .notice-ok');
  assert.ok((await operator.text('.page-header')).includes(reorganisations.state_done));

  await seenByTheMember(member, names.main);
  await assignOne(operator, stage.account(role).unit, names.part);
  await foundByOldCode(operator, other, [names.part]);
  await foundByOldCode(operator, own, [names.main, names.part]);
  assert.ok(plain(await operator.text('#branches')).includes(names.main), 'its branches are listed with their place today');
}

/** Names are bound by no-break spaces on pages. */
const plain = (text) => text.replaceAll('\u00a0', ' ');

/** A former commune is found by the code it had, with the units that have its parts today. */
async function foundByOldCode(operator, code, names) {
  await operator.open('/units/became');
  await operator.field('q').fill(code);
  await operator.submit(operator.sender('q'));
  const card = operator.$('#found .card');
  assert.equal(await card.count(), 1, code);
  const told = plain(await card.innerText());
  for (const name of names) assert.ok(told.includes(name), told);
}

/** The card of the first page, until it is dismissed. */
async function seenByTheMember(member, unit) {
  await member.open('/');
  const card = member.$('main .notice:has(form[action$="/dismiss"])');
  await card.waitFor();
  const title = (await card.locator('.notice-title').innerText()).trim();
  assert.ok(fits(home.reorganised, title) && title.includes(unit), title);
  const former = home.reorganised_before.replace('{units}', '').trim();
  assert.ok((await card.innerText()).includes(former), 'the former unit is named');
  await member.submit(card.locator('button'));
  await until('the card is gone', async () => (await card.count()) === 0);
  await member.reload();
  assert.equal(await card.count(), 0, 'it does not come back');
}

/** A branch of the queue, other than that of the member, is moved to the part. */
async function assignOne(operator, except, target) {
  await operator.follow(operator.$('main a[href="/reorganisations/queue"]').first());
  const before = number(await operator.text('.chips [aria-current="true"]'));
  assert.ok(before > 0, 'branches wait');
  await operator.field('q').fill('khong co don vi nay');
  await press(operator, operator.field('q'));
  assert.ok((await operator.text()).includes(reorganisations.queue_none_title), 'the search finds nothing');
  await operator.open('/reorganisations/queue');
  const card = operator.$('main .card:has(form[action$="/assign"])', { hasText: target }).filter({ hasNotText: except }).first();
  const branch = await card.locator('h2 a').getAttribute('href');
  await press(operator, card.locator('button[type="submit"]'));
  assert.equal((await operator.problems()).target !== undefined, true, 'a choice is needed');

  const again = operator.$(`main .card:has(h2 a[href="${branch}"])`);
  const choice = reorganisations.move_to.replace('{unit}', target);
  await again.locator('select').selectOption({ label: choice });
  await press(operator, again.locator('button[type="submit"]'));
  await operator.sees('main .notice-ok');
  assert.equal(number(await operator.text('.chips [aria-current="true"]')), before - 1);
  await operator.open(branch);
  const trail = await operator.text('main .breadcrumbs');
  assert.ok(trail.includes(target), `the branch is below the target: ${trail}`);
}

async function forThoseWhoManageUnits(stage, script) {
  const member = await stage.visitor({ as: 'member', script });
  member.expects(404);
  for (const place of ['/reorganisations', '/reorganisations/new', '/reorganisations/queue']) {
    assert.equal((await member.open(place)).status(), 404, place);
  }
  await member.open('/units');
  assert.equal(await member.$('main a[href="/reorganisations"]').count(), 0, 'and no link leads there');

  const registrar = await stage.visitor({ as: 'registrar', script });
  await registrar.open('/imports');
  await registrar.follow(registrar.$('main a[href="/reorganisations"]'));
  await registrar.open('/reorganisations/new');
  await press(registrar, registrar.sender('files'));
  assert.equal(registrar.path, '/reorganisations/new');
  assert.ok((await registrar.problems()).files, 'the form says what is missing');
}

export const tests = [
  ...bothWays('reorganisations: only those who manage units prepare one', forThoseWhoManageUnits),
  ...bothWays('reorganisations: communes are divided and merged, a branch is assigned, a member is told', divideAndMerge),
];
