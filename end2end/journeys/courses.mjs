// A course from the first draft to the certificate: an editor writes and assigns it; a member reads, fails until no attempt is
// left, gets another one and passes.

import { strict as assert } from 'node:assert';

import { fillIn } from '../support/accounts.mjs';
import { inDays } from '../support/clock.mjs';
import { pagesOf, paperOf } from '../support/pdf.mjs';
import { bothWays } from '../support/report.mjs';
import { empty, fits, texts } from '../support/texts.mjs';
import { findUnit } from '../support/units.mjs';
import { until } from '../support/wait.mjs';

const { courses, desk, frame, home, problems } = texts('vi');

const WHY = 'Vì hướng dẫn nói ít nhất hai ngày.';
const RIGHT = 'Hai ngày';

async function writeGiveAndStudy(stage, script) {
  const title = `Chuyên đề kiểm tra ${script ? 'buổi sáng' : 'buổi chiều'} <b>1</b>`;
  const editor = await stage.visitor({ as: 'editor', script });
  editor.expects(422);
  const member = await stage.visitor({ as: 'ward_member', script });
  const paper = await anUnread(member);
  const course = await write(editor, title, paper);
  await give(editor, course);
  const address = course.replace('/manage', '');

  await read(member, address, title);
  await fail(member, address, stage.account('ward_member'));
  await useUp(member, address);
  await giveAnother(stage, script, editor, member, address);
  await pass(member, address, title, stage.account('ward_member').name);
  await follow(stage, script, address);
  await end(editor, course);
}

/** Title of a document of the province that the member has not read. */
async function anUnread(member) {
  await member.open('/library?level=province');
  return (await member.$('.row-unread .row-link').first().innerText()).trim();
}

/** A draft with one document and two questions. */
async function write(editor, title, paper) {
  await editor.open('/more');
  await editor.follow(editor.$('main a.menu-link[href="/courses/manage"]').first());
  await editor.follow(editor.$('main a[href="/courses/manage/new"]'));
  await editor.submit(editor.sender('title'));
  assert.equal((await editor.problems()).title, empty(courses.name_of_course));
  await editor.field('title').fill(title);
  await editor.field('description').fill('Đọc **kỹ** tài liệu.');
  await editor.submit(editor.sender('title'));
  await editor.sees('main .notice-ok');
  const course = editor.path;
  assert.match(course, /^\/courses\/manage\/[0-9A-Z]{26}$/);
  assert.equal(await editor.heading(), title);

  // Two documents: one of the newest, one found by search. The second is moved up, the first removed.
  const chosen = () => editor.$('#documents ol .arranged-text').allInnerTexts();
  await editor.submit(editor.$('#documents ul .arranged').filter({ hasNotText: paper }).first().locator('button'));
  await editor.field('q').fill(paper);
  await Promise.all([editor.page.waitForURL(/q=/), editor.sender('q').click()]);
  await editor.settled();
  await editor.submit(editor.$('#documents ul .arranged', { hasText: paper }).locator('button'));
  const [first, second] = await chosen();
  assert.ok(second?.includes(paper), 'two documents are chosen');
  await editor.submit(editor.$('#documents ol .arranged').nth(1).locator('button[value="up"]'));
  assert.deepEqual(await chosen(), [second, first]);
  await editor.submit(editor.$('#documents ol .arranged').nth(1).locator('button[value="remove"]'));
  assert.deepEqual(await chosen(), [second]);

  await editor.follow(editor.$('#quiz a[href$="/questions/new"]'));
  await editor.field('text').fill('Tài liệu gửi trước mấy ngày?');
  await editor.submit(editor.sender('text'));
  assert.deepEqual(Object.keys(await editor.problems()), ['options[1]']);
  await ask(editor, 'Tài liệu gửi trước mấy ngày?', 'single', ['Một ngày', RIGHT, 'Ba ngày'], [2]);
  await editor.follow(editor.$('#quiz a[href$="/questions/new"]'));
  await ask(editor, 'Những ai gửi?', 'multiple', ['Chi ủy', 'Thư ký', 'Người qua đường'], [1, 2]);
  assert.equal(await editor.$('#quiz ol .arranged').count(), 2);

  await editor.field('pass_percent').selectOption('100');
  await editor.field('minutes').selectOption('10');
  await editor.field('tries').selectOption('2');
  await editor.submit(editor.sender('tries'));
  await editor.sees('main .notice-ok');
  assert.equal(await editor.field('tries').inputValue(), '2');
  return course;
}

async function ask(editor, text, kind, options, right) {
  await editor.field('text').fill(text);
  await editor.$(`main [name="kind"][value="${kind}"]`).check();
  for (const [at, option] of options.entries()) await editor.field(`options[${at + 1}]`).fill(option);
  for (const number of right) await editor.$(`main [name="right[]"][value="${number}"]`).check();
  await editor.field('explanation').fill(WHY);
  await editor.submit(editor.sender('text'));
  await until('the question is on the list', async () => (await editor.text('#quiz')).includes(text));
}

async function give(editor, course) {
  await editor.follow(editor.$(`main a[href="${course}/assign"]`));
  assert.ok(fits(desk.reach, await editor.text('.card-strong .fact:nth-of-type(2) dd')), 'the confirmation shows the reach');
  await editor.submit(editor.sender('due_on'));
  assert.equal((await editor.problems()).due_on, empty(courses.due));
  await editor.field('due_on').fill(inDays(-30));
  await editor.submit(editor.sender('due_on'));
  assert.equal((await editor.problems()).due_on, problems.date_range);
  await editor.field('due_on').fill(inDays(5));
  await editor.submit(editor.sender('due_on'));
  await editor.sees('main .notice-ok', { hasText: courses.assigned_now });
  assert.equal(await editor.field('title').count(), 0, 'an assigned course is not editable');
}

/** Read documents are marked; the quiz comes afterwards. */
async function read(member, address, title) {
  await member.open('/more');
  await member.follow(member.$('main a[href="/courses"]'));
  await member.follow(member.$(`main .row-link[href="${address}"]`));
  assert.equal(await member.heading(), title);
  await member.sees('main', { hasText: courses.not_read });
  assert.equal(await member.$('main form[action$="/courses/start"]').count(), 0, 'documents have to be read first');
  await member.follow(member.$('main .row-link[href^="/library/"]').first());
  await member.saysRead();
  await member.open(address);
  assert.equal(await member.$('main .row-unread').count(), 0);
}

async function fail(member, address, account) {
  await member.submit(member.$('main form[action$="/courses/start"] button'));
  await until('the quiz is open', () => member.path === `${address}/quiz`);
  assert.ok(!(await member.page.content()).includes(WHY), 'the explanation is shown afterwards');
  await tick(member, 0, ['Một ngày']);
  await tick(member, 1, ['Chi ủy']);
  if (member.script) {
    await member.sees('.quiz-kept', { hasText: courses.kept });
    assert.match(await member.text('[data-time-left]'), /[89]:\d\d/);
  } else {
    await member.submit(member.$('button[value="save"]'));
  }
  await member.open(`${address}/quiz`);
  assert.equal(await option(member, 0, 'Một ngày').isChecked(), true, 'a reload shows the same attempt');
  if (member.script) await answeredElsewhere(member, address);
  await sessionEnds(member, address, account);
  await member.submit(member.$('button[value="hand_in"]'));
  await until('the result is shown', () => member.path === `${address}/tries/1`);
  await member.sees('main .notice-warn', { hasText: courses.not_passed });
  const told = await member.page.content();
  assert.ok(!told.includes(WHY) && !told.includes('answer-right'), 'no answers are shown while an attempt is left');
}

/** Answers kept on the device do not replace newer answers from another device. */
async function answeredElsewhere(member, address) {
  const key = await member.page.evaluate(() => {
    const { owner } = document.querySelector('[data-quiz]').dataset;
    const { course, number } = document.querySelector('[data-quiz] form').elements;
    const key = `handbook-quiz:${owner}:${course.value}`;
    const old = { number: number.value, ticked: ['answers[1][]=2'], known: [''], at: Date.now() };
    localStorage.setItem(key, JSON.stringify(old));
    return key;
  });
  await member.open(`${address}/quiz`);
  await until('older answers are deleted', () => member.page.evaluate((key) => localStorage.getItem(key) === null, key));
  assert.ok(await option(member, 0, 'Một ngày').isChecked(), 'the newer answers stay');
}

/** The session expires while a member answers: all answers are there after the sign-in, with script also the later ones. */
async function sessionEnds(member, address, account) {
  member.expects(401);
  const ticked = ['Chi ủy', 'Thư ký'];
  await member.context.clearCookies({ name: /handbook$/ });
  await option(member, 1, 'Thư ký').check();
  if (member.script) {
    const way = member.$('.quiz-kept + a', { hasText: frame.sign_in_again_kept });
    await way.waitFor();
    assert.ok(!(await member.text('.quiz-kept')).includes(courses.not_kept), 'not reported as a connection error');
    await option(member, 1, 'Người qua đường').check();
    ticked.push('Người qua đường');
    await member.follow(way);
  } else {
    await member.submit(member.$('button[value="hand_in"]'));
  }
  await fillIn(member, account);
  assert.equal(member.path, `${address}/quiz`);
  if (member.script) await member.sees('.quiz-kept', { hasText: courses.kept });
  const checked = await question(member, 1).locator('label:has(:checked)').allInnerTexts();
  assert.deepEqual(checked.map((text) => text.trim()).sort(), ticked.sort());
  assert.ok(await option(member, 0, 'Một ngày').isChecked());
}

/** The second and last attempt fails too: the first page and the course ask for nothing more, and say who can give another one. */
async function useUp(member, address) {
  await member.submit(member.$('main form[action$="/courses/start"] button'));
  await until('the quiz is open again', () => member.path === `${address}/quiz`);
  await tick(member, 0, ['Một ngày']);
  await member.submit(member.$('button[value="hand_in"]'));
  await until('the result is shown', () => member.path === `${address}/tries/2`);
  await member.open('/');
  assert.ok(fits(home.course_used_up, await member.text(`main .notice a[href="${address}"]`)), 'the first page asks for nothing impossible');
  await member.open('/courses');
  const row = member.$('main .card-strong li', { has: member.$(`.row-link[href="${address}"]`) });
  assert.ok((await row.innerText()).includes(courses.used_up));
  await member.open(address);
  await member.sees('main .notice', { hasText: courses.no_try_left_hint });
  assert.equal(await member.$('main form[action$="/courses/start"]').count(), 0);
}

/** The branch sees who has no attempt left; the editor gives another one, and the first page says so. */
async function giveAnother(stage, script, editor, member, address) {
  const { name } = stage.account('ward_member');
  const secretary = await stage.visitor({ as: 'ward_secretary', script });
  const row = secretary.$('.table tr', { hasText: name });
  const offer = 'main form[action$="/courses/give_try"]';
  await secretary.open(`${address}/results`);
  assert.ok((await row.innerText()).includes(courses.used_up));
  assert.equal(await secretary.$(offer).count(), 0, 'only the assigner gives an attempt');
  await editor.open(`${address}/results`);
  assert.ok(!(await editor.text()).includes(name));
  await editor.submit(editor.$(`${offer} button`));
  await editor.sees('main .notice-ok', { hasText: courses.given_now });
  await editor.open(`${address}/results`);
  await editor.submit(editor.$(`${offer} button`));
  await editor.sees('main .notice-info', { hasText: courses.given_nobody });
  await secretary.open(`${address}/results`);
  assert.ok((await row.innerText()).includes(courses.try_given));
  await member.open('/');
  assert.equal(await member.text(`main .notice a[href="${address}"]`), home.course_try_given);
  await member.follow(member.$(`main .notice a[href="${address}"]`));
  await member.sees('main .notice-ok', { hasText: courses.given_again_hint });
}

async function pass(member, address, title, name) {
  await member.submit(member.$('main form[action$="/courses/start"] button'));
  await until('the quiz is open again', () => member.path === `${address}/quiz`);
  await tick(member, 0, [RIGHT]);
  await tick(member, 1, ['Chi ủy', 'Thư ký']);
  await member.submit(member.$('button[value="hand_in"]'));
  await member.sees('main .notice-ok', { hasText: courses.passed });
  assert.equal(await member.$('.answer-right').count(), 3);
  assert.ok((await member.text()).includes(WHY));
  await member.follow(member.$('main a[href$="/certificate"]'));
  const certificate = await member.text('.certificate');
  for (const part of [name, title]) assert.ok(certificate.includes(part), `${part} is on the certificate`);
  assert.match(certificate, /\d{4}-[0-9A-Z]{4}-[0-9A-Z]{4}/);
  assert.match(await member.text('.certificate-serial [translate="no"]'), /^\d{4}-/, 'no browser translates its number');
  const sheet = await member.page.pdf({ preferCSSPageSize: true });
  assert.deepEqual(paperOf(sheet), [297, 210], 'A4, lying');
  assert.equal(pagesOf(sheet).length, 1, 'one sheet and no empty one');
  assert.equal(await member.$('[data-print]').isVisible(), member.script);
  await member.open('/courses');
  assert.equal(await member.$(`.card-strong .row-link[href="${address}"]`).count(), 0, 'it is not pending any more');
}

const question = (visitor, at) => visitor.$(`main fieldset:has(#question-${at + 1})`);
const option = (visitor, at, text) => question(visitor, at).locator('label', { hasText: text }).locator('input');

async function tick(visitor, at, options) {
  for (const text of options) await option(visitor, at, text).check();
}

/** The branch sees names, units above see numbers, others see nothing. */
async function follow(stage, script, address) {
  const { name } = stage.account('ward_member');
  const secretary = await stage.visitor({ as: 'ward_secretary', script });
  await secretary.open('/courses');
  await secretary.follow(secretary.$('main a[href="/courses/results"]'));
  await secretary.follow(secretary.$(`main .row-link[href="${address}/results"]`));
  const row = secretary.$('.table tr', { hasText: name });
  assert.ok((await row.innerText()).includes(courses.done));

  const statistician = await stage.visitor({ as: 'statistician', script });
  await statistician.open(`${address}/results`);
  assert.equal(await statistician.$('.table tbody tr').count(), 20, 'not all at once');
  await statistician.open(`${address}/results?rows=1000`);
  assert.ok((await statistician.$('.table tbody tr').count()) > 50, 'a row for each branch');
  assert.ok(!(await statistician.text()).includes(name));

  const stranger = await stage.visitor({ as: 'member', script });
  stranger.expects(404);
  for (const place of [address, `${address}/quiz`, `${address}/tries/1`, `${address}/certificate`, `${address}/results`]) {
    const response = await stranger.open(place);
    assert.equal(response.status(), 404, place);
  }
}

async function end(editor, course) {
  await editor.open(`${course}?end=1`);
  await editor.submit(editor.$('main form[action$="/courses/end"] button'));
  await editor.sees('main', { hasText: courses.state_ended });
  await editor.submit(editor.$('main form[action$="/courses/copy"] button'));
  await until('the copy is a draft', async () => editor.path !== course && (await editor.field('title').count()) === 1);
  assert.equal(await editor.$('#quiz ol .arranged').count(), 2);
}

async function remindedAtHome(stage, script) {
  const member = await stage.visitor({ as: 'member', script });
  await member.open('/');
  const link = member.$('main .notice a[href^="/courses/"]');
  const address = await link.getAttribute('href');
  await member.follow(link);
  assert.equal(member.path, address);
}

/** Assigned to a ward without one of its branches: the members of that branch do not have it. */
async function givenToAllButOne(stage, script) {
  const editor = await stage.visitor({ as: 'editor', script });
  editor.expects(422);
  const member = await stage.visitor({ as: 'ward_member', script });
  member.expects(404);
  const course = await write(editor, `Chuyên đề cho các chi bộ khác ${script ? 'sáng' : 'chiều'}`, await anUnread(member));
  await editor.follow(editor.$(`main a[href="${course}/assign"]`));
  const reach = () => editor.text('.card-strong .fact:nth-of-type(2) dd');
  const before = await reach();
  await editor.$('main [data-part="parts"] > summary').click();
  const [row] = await findUnit(editor, script, stage.account('ward_member').unit);
  await row.locator('input[name="except[]"]').check();
  if (script) {
    await until('the reach is shown at once', async () => fits(courses.reach_now, await editor.text('[data-part="reach"]')));
  } else {
    await editor.submit(editor.$('main button[name="then"][value="find"]'));
    assert.notEqual(await reach(), before, 'the reach comes with the page');
  }
  await editor.field('due_on').fill(inDays(5));
  await editor.submit(editor.sender('due_on'));
  await editor.sees('main .notice-ok', { hasText: courses.assigned_now });
  const address = course.replace('/manage', '');
  const response = await member.open(address);
  assert.equal(response.status(), 404, 'the member has no such course');
  await member.open('/courses');
  assert.equal(await member.$(`main a[href="${address}"]`).count(), 0);
}

async function onlyEditorsGive(stage, script) {
  const visitor = await stage.visitor({ as: 'member', script });
  visitor.expects(404);
  for (const address of ['/courses/manage', '/courses/manage/new', '/courses/results']) {
    const response = await visitor.open(address);
    assert.equal(response.status(), 404, address);
  }
}

export const tests = [
  ...bothWays('courses: written, given, read, failed, passed, certified, followed and ended', writeGiveAndStudy),
  ...bothWays('courses: assigned to all branches but one', givenToAllButOne),
  ...bothWays('courses: the first page shows what is due', remindedAtHome),
  ...bothWays('courses: people without an office assign none', onlyEditorsGive),
];
