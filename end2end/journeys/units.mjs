// A registrar changes the tree: a branch is created, renamed, rolled out, split, merged and closed; a member sees the own line.

import { strict as assert } from 'node:assert';

import { inDays } from '../support/clock.mjs';
import { bothWays } from '../support/report.mjs';
import { empty, fits, number, texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';

const { units, problems, statistics, terms } = texts('vi');

/** Codes are never reused, so each run has its own. */
const code = (script, which) => `${script ? 'K' : 'S'}${which}`;

async function ownUnit(visitor) {
  await visitor.open('/units');
  await visitor.follow(visitor.$('main .tree-link').first());
  return visitor.path;
}

/** Opens the page of a change from the page of the unit, as a person does. */
async function take(visitor, step) {
  await visitor.follow(visitor.$(`main .menu-link[href$="/${step}"]`).first());
}

async function arrives(visitor, told) {
  await visitor.sees('main .notice-ok');
  assert.equal((await visitor.text('main .notice-ok')).trim(), told);
}

async function createRenameAndClose(stage, script) {
  const registrar = await stage.visitor({ as: 'registrar', script });
  registrar.expects(422);
  const ward = await ownUnit(registrar);

  await take(registrar, 'new');
  await registrar.submit(registrar.sender('name'));
  const refused = await registrar.problems();
  assert.equal(refused.name, empty(units.name));
  assert.equal(refused.code, empty(units.code));
  const name = `Chi bộ khu phố ${script ? 'Bình Minh' : 'Hoàng Hôn'}`;
  await registrar.field('name').fill(name);
  await registrar.field('code').fill(code(script, 1));
  await registrar.submit(registrar.sender('name'));
  await arrives(registrar, units.done_new);
  assert.equal(await registrar.heading(), name);
  const branch = registrar.path;

  await take(registrar, 'rename');
  await registrar.field('name').fill(`${name} Đông`);
  await registrar.submit(registrar.sender('name'));
  await arrives(registrar, units.done_rename);
  assert.equal(await registrar.heading(), `${name} Đông`);
  assert.ok((await registrar.text('.numbered')).includes(units.form_renamed), 'the history tells of it');

  await take(registrar, 'phase');
  await registrar.$('main [name="phase"][value="planned"]').check();
  await registrar.field('contact').fill('Đồng chí Hoa, 0255 123 456');
  await registrar.submit(registrar.sender('phase'));
  await arrives(registrar, units.done_phase);
  assert.ok((await registrar.text()).includes(units.phase_planned));
  assert.ok((await registrar.text()).includes('0255 123 456'));

  await registrar.open(`${ward}/new`);
  await registrar.field('name').fill('Chi bộ trùng mã');
  await registrar.field('code').fill(code(script, 1));
  await registrar.submit(registrar.sender('name'));
  assert.equal((await registrar.problems()).code, problems.code_taken);

  await registrar.open(branch);
  await take(registrar, 'new');
  const levels = await registrar.$('main select[name="kind"] option').evaluateAll((all) => all.map((one) => one.value));
  assert.deepEqual(levels, ['group'], 'only groups are below a branch');
  await registrar.field('name').fill('Tổ Một');
  await registrar.field('code').fill('1');
  await registrar.submit(registrar.sender('name'));
  await arrives(registrar, units.done_new);
  assert.equal(await registrar.heading(), 'Tổ Một');
  await take(registrar, 'close');
  await registrar.submit(registrar.sender('on'));
  await arrives(registrar, units.done_close);

  await registrar.open(branch);
  await take(registrar, 'close');
  await registrar.submit(registrar.sender('on'));
  await arrives(registrar, units.done_close);
  assert.equal(await registrar.$('main .menu-link[href$="/rename"]').count(), 0, 'a closed unit cannot be changed');
  await registrar.open(ward);
  assert.equal(await registrar.$(`main .row-link[href="${branch}"]`).count(), 0);
}

async function splitAndMerge(stage, script) {
  const registrar = await stage.visitor({ as: 'registrar', script });
  registrar.expects(422);
  await ownUnit(registrar);
  const ward = registrar.path;
  const row = registrar.$(`main .row-link >> nth=${script ? 2 : 3}`);
  await registrar.follow(row);
  const branch = registrar.path;
  const before = await members(registrar);

  await take(registrar, 'close');
  await registrar.sees('main .notice-warn');
  assert.ok(fits(units.still_members, await registrar.text('main .notice-warn')), 'the way out is shown');
  assert.equal(await registrar.$('main form[action$="/close"]').count(), 0);

  await registrar.open(branch);
  await take(registrar, 'split');
  await registrar.field('name').fill(`Chi bộ tách ${code(script, 2)}`);
  await registrar.field('code').fill(code(script, 2));
  await registrar.submit(registrar.sender('name'));
  await registrar.sees('.error-summary');
  const people = registrar.$('main [name="members[]"]');
  const going = await people.count();
  for (let at = 0; at < going; at += 2) await people.nth(at).check();
  await registrar.submit(registrar.sender('name'));
  await arrives(registrar, units.done_split);
  const fresh = registrar.path;
  const gone = await until('the figures follow', async () => {
    await registrar.open(fresh);
    const now = await members(registrar);
    return now > 0 && now;
  });
  await registrar.open(branch);
  assert.equal((await members(registrar)) + gone, before);

  await registrar.open(`${fresh}/merge?q=${encodeURIComponent(await nameOf(registrar, branch))}`);
  await registrar.$(`main [name="target"][value="${branch.split('/').pop()}"]`).check();
  await registrar.submit(registrar.sender('target'));
  // The confirmation, with both names.
  await registrar.submit(registrar.sender('version'));
  await arrives(registrar, units.done_merge);
  assert.equal(registrar.path, branch);
  await until('all rows are shown again', async () => {
    await registrar.open(branch);
    return (await members(registrar)) === before;
  });
  await registrar.open(fresh);
  assert.ok((await registrar.text('main .notice-warn')).includes(units.closed_into));
  await registrar.open(ward);
}

async function readOnly(stage, script) {
  const member = await stage.visitor({ as: 'member', script });
  member.expects(403);
  member.expects(404);
  await member.open('/more');
  await member.follow(member.$('main .facts a').first());
  const branch = member.path;
  assert.equal(await member.$('main .menu-link').count(), 0, 'nothing to change');
  await member.open(`${branch}?on=${inDays(-180)}`);
  await member.sees('main .notice');
  assert.equal((await member.open(`${branch}/rename`)).status(), 403);

  const stranger = await stage.visitor({ as: 'ward_member', script });
  stranger.expects(404);
  assert.equal((await stranger.open(branch)).status(), 404, 'units outside the own line are not found');
}

/** One level down and closed again, in place; the figures are those of the statistics. */
async function treeOpens(stage, script) {
  const visitor = await stage.visitor({ as: 'statistician', script });
  await visitor.open('/units');
  const shown = () => visitor.$('main .tree-link').count();
  const before = await shown();
  assert.ok(before > 1, 'units below the own one are found');
  const closed = visitor.$('main .tree-toggle[aria-expanded="false"]').first();
  const row = await closed.evaluate((link) => link.closest('tr').id);
  // Behind the level.
  const figures = (await visitor.$(`#${row} td`).allInnerTexts()).slice(1).map((figure) => figure.trim());
  await visitor.follow(closed);
  assert.equal(await visitor.$(`#${row} .tree-toggle`).getAttribute('aria-expanded'), 'true');
  assert.ok((await shown()) > before);
  assert.equal(new URL(visitor.page.url()).hash, `#${row}`, 'the position is kept');
  await visitor.follow(visitor.$(`#${row} .tree-toggle`));
  assert.equal(await shown(), before);

  await visitor.open(`/committee/${row.replace('unit-', '')}`);
  const [members, activated] = [terms.members, statistics.activated].map((label) =>
    visitor.$(`.figure:has(.figure-label:text-is("${label}"))`),
  );
  assert.equal((await members.locator('.figure-value').innerText()).trim(), figures[0], 'the same, or hidden in both');
  assert.ok(figures[1] === statistics.hidden || (await activated.innerText()).includes(figures[1]));
}

/** The tree by name and back, and as of a day. */
async function treeOfADay(stage, script) {
  const visitor = await stage.visitor({ as: 'statistician', script });
  await visitor.open('/units');
  const sorted = () => visitor.$('main thead th').first().getAttribute('aria-sort');
  await visitor.follow(visitor.$('main thead .sort').first());
  assert.equal(await sorted(), 'ascending');
  const names = (await visitor.$('main .tree-1 .tree-link').allInnerTexts()).map((name) => name.trim());
  await visitor.follow(visitor.$('main thead .sort').first());
  assert.equal(await sorted(), 'descending');
  const reversed = (await visitor.$('main .tree-1 .tree-link').allInnerTexts()).map((name) => name.trim());
  assert.ok(names.length > 1 && reversed.length === names.length);
  assert.notDeepEqual(reversed, names);

  await visitor.field('on').fill(inDays(-30));
  await visitor.submit(visitor.sender('on'));
  await visitor.sees('main .notice');
  assert.ok((await visitor.text('main .notice')).includes(units.then_hint));
  assert.equal(await visitor.$('main thead th').count(), 2, 'no figures of a past day');
  const link = visitor.$('main .tree-link').first();
  assert.ok((await link.getAttribute('href')).endsWith(`?on=${inDays(-30)}`), 'links stay on that day');
  await visitor.follow(visitor.$('main .notice a'));
  assert.equal(await visitor.$('main .notice').count(), 0);

  await visitor.open('/units?on=1900-01-01');
  assert.ok(plain(await visitor.text('main .empty')).includes(plain(units.none_then)));
  assert.equal(await visitor.$('main thead').count(), 0);

  for (const page of ['/units', '/units/became?q=xa']) {
    for (const day of ['31/02/2025', '01/01/2999']) {
      await visitor.open(`${page}${page.includes('?') ? '&' : '?'}on=${encodeURIComponent(day)}`);
      assert.equal(await visitor.$('main .field-invalid [name="on"]').inputValue(), day, 'the day is shown with what is wrong');
    }
  }
}

/** A unit with more units below than the tree lists: the rest is on the pages of the unit. */
async function manyBelow(stage, script) {
  const registrar = await stage.visitor({ as: 'registrar', script });
  await registrar.open('/units');
  const more = registrar.$('main .tree-name a[href$="#below"]');
  assert.ok(fits(units.more_below.other, plain(await more.innerText())));
  await registrar.follow(more);
  const rows = registrar.$('#below .row-link');
  const first = await rows.evaluateAll((links) => links.map((link) => link.getAttribute('href')));
  await registrar.follow(registrar.$('#below a[rel="next"]'));
  const second = await rows.evaluateAll((links) => links.map((link) => link.getAttribute('href')));
  assert.ok(second.length > 0 && second.every((address) => !first.includes(address)), 'the next ones');
}

/** A branch is created, renamed and merged; its old name and its code lead to the one that took over. */
async function findsWhatBecame(stage, script) {
  const registrar = await stage.visitor({ as: 'registrar', script });
  const ward = await ownUnit(registrar);
  await registrar.follow(registrar.$('#below .row-link').first());
  const into = registrar.path;
  const successor = await registrar.heading();

  await registrar.open(`${ward}/new`);
  const mark = script ? 'Rạng Đông' : 'Trăng Non';
  const [old, renamed] = [`Chi bộ xóm ${mark}`, `Chi bộ thôn ${mark}`];
  await registrar.field('name').fill(old);
  await registrar.field('code').fill(code(script, 3));
  await registrar.field('on').fill(inDays(-20));
  await registrar.submit(registrar.sender('name'));
  await arrives(registrar, units.done_new);
  const branch = registrar.path;
  await take(registrar, 'rename');
  await registrar.field('name').fill(renamed);
  await registrar.field('on').fill(inDays(-10));
  await registrar.submit(registrar.sender('name'));
  await arrives(registrar, units.done_rename);
  await registrar.open(`${branch}/merge?q=${encodeURIComponent(successor)}`);
  await registrar.$(`main [name="target"][value="${into.split('/').pop()}"]`).check();
  await registrar.submit(registrar.sender('target'));
  await registrar.submit(registrar.sender('version'));
  await arrives(registrar, units.done_merge);

  // By the first name, without marks.
  const words = script ? 'xom rang dong' : 'xom trang non';
  await registrar.open('/units');
  await registrar.field('q').fill(words);
  await registrar.submit(registrar.sender('q'));
  const row = registrar.$('main .row');
  assert.equal(await row.count(), 1);
  assert.equal(await row.locator('.row-link').getAttribute('href'), into);
  const formerly = units.formerly_was.replace('{unit}', old).replace('{code}', code(script, 3));
  assert.ok(plain(await row.locator('.row-meta').innerText()).includes(plain(formerly)));

  // By the code, in one step.
  await registrar.open(`/units/code/${code(script, 3)}`);
  assert.equal(registrar.path, into);

  await registrar.open('/units');
  await registrar.follow(registrar.$('main a[href="/units/became"]'));
  await registrar.field('q').fill(words);
  await registrar.submit(registrar.sender('q'));
  const card = registrar.$('#found .card');
  assert.equal(await card.count(), 1);
  const told = plain(await card.innerText());
  for (const part of [old, units.form_renamed, renamed, units.became_now]) assert.ok(told.includes(plain(part)), part);
  assert.ok(told.includes(plain(units.became_into.replace('{unit}', successor))));
  await registrar.field('on').fill(inDays(-5));
  await registrar.submit(registrar.sender('q'));
  assert.equal(await card.count(), 0, 'it had its second name then');
  await registrar.field('on').fill(inDays(-15));
  await registrar.submit(registrar.sender('q'));
  await registrar.follow(card.locator(`.facts a[href="${into}"]`));
  assert.equal(await registrar.heading(), successor);

  const stranger = await stage.visitor({ as: 'member', script });
  stranger.expects(404);
  await stranger.open(`/units/became?q=${encodeURIComponent(words)}`);
  assert.equal(await stranger.$('#found').count(), 0, 'only for those who see the unit of today');
  assert.equal((await stranger.open(`/units/code/${code(script, 3)}`)).status(), 404);
}

/** Names are bound by no-break spaces on pages. */
const plain = (text) => text.replaceAll('\u00a0', ' ');

/** A search among the units below one. */
async function searchesBelow(stage, script) {
  const registrar = await stage.visitor({ as: 'registrar', script });
  const ward = await ownUnit(registrar);
  const rows = registrar.$('#below .row-link');
  const name = (await rows.nth(1).innerText()).trim();
  const all = await rows.count();
  await registrar.open(`${ward}?q=${encodeURIComponent(name)}&page=9`);
  assert.ok((await rows.allInnerTexts()).some((found) => found.trim() === name));
  assert.ok((await rows.count()) < all);
  await registrar.open(`${ward}?q=khong-co`);
  assert.equal(await rows.count(), 0);
  assert.ok((await registrar.text('#below')).includes(units.none_found));
}

/** A member of a group belongs to the branch above it; between the ward and its branches are committees; a district has ended. */
async function everyLevel(stage, script) {
  const plain = (text) => text.replaceAll('\u00a0', ' ').trim();
  const member = await stage.visitor({ as: 'group_member', script });
  await member.open('/more');
  await member.follow(member.$('main .facts a').first());
  assert.equal(plain(await member.heading()), 'Chi bộ khu phố Hòa Bình');
  await member.open('/record');
  const record = plain((await member.$('main .facts .fact').allInnerTexts()).join(' '));
  assert.ok(record.includes('Chi bộ khu phố Hòa Bình') && record.includes('Tổ đảng 1 khu phố Hòa Bình'), record);
  await member.open('/meetings');
  assert.ok((await member.$('main .row-link[href^="/meetings/"]').count()) > 0, 'the group meets with its branch');

  const registrar = await stage.visitor({ as: 'registrar', script });
  await registrar.open('/units?q=truong%20hoc%20phuong');
  await registrar.follow(registrar.$('main .row-link').first());
  for (const name of ['Đảng bộ bộ phận các trường mầm non', 'Chi bộ Trường Mầm non Hoa Mai']) {
    const rows = registrar.$('#below .row-link');
    const names = (await rows.allInnerTexts()).map(plain);
    await registrar.follow(rows.nth(names.findIndex((found) => found.includes(name))));
    assert.equal(plain(await registrar.heading()), name);
  }

  const statistician = await stage.visitor({ as: 'statistician', script });
  await statistician.open('/units?q=tra%20bong');
  await statistician.follow(statistician.$('main .row-link').first());
  const commune = statistician.path;
  const above = async (day) => {
    await statistician.open(`${commune}?on=${day}`);
    return plain(await statistician.$(`nav[aria-label="${units.trail}"]`).first().textContent());
  };
  const district = 'Đảng bộ huyện Hành Trà';
  assert.ok(!(await above('2025-07-01')).includes(district));
  assert.ok((await above('2025-06-30')).includes(district), 'the unit above it on the last day of the districts');
}

/** The number of members on the page of a unit. */
async function members(visitor) {
  const figure = visitor.$(`.figure:has(.figure-label:text-is("${terms.members}")) .figure-value`);
  return number(await figure.first().innerText());
}

async function nameOf(visitor, address) {
  await visitor.open(address);
  return visitor.heading();
}

export const tests = [
  ...bothWays('units: a branch is created, renamed, planned and closed', createRenameAndClose),
  ...bothWays('units: a branch is split and merged again', splitAndMerge),
  ...bothWays('units: the tree is opened level by level', treeOpens),
  ...bothWays('units: the rest of many units below is on further pages', manyBelow),
  ...bothWays('units: the tree is sorted and shown as of a day', treeOfADay),
  ...bothWays('units: what became of a branch is found by its old name and code', findsWhatBecame),
  ...bothWays('units: the units below one are searched', searchesBelow),
  ...bothWays('units: a member sees the own line and changes nothing', readOnly),
  ...bothWays('units: every level of the sample is reached', everyLevel),
];
