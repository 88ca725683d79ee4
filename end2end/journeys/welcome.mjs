// The first sign-in and the forgotten password, by SMS and by a paper card; and rejected attempts.

import { strict as assert } from 'node:assert';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';

import { fillIn, signIn } from '../support/accounts.mjs';
import { bothWays } from '../support/report.mjs';
import { empty, fits, texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';

const { account, codes, home, problems, welcome } = texts('vi');
const UNKNOWN_ID = '001000000000';
const PASSWORD = 'thuyen ve ben luc 5 gio';
const OTHER_PASSWORD = 'con meo nha ba tu leo rao';

/** Each run has its own newcomer, because the first sign-in happens once. */
const newcomer = (stage, script, kind = 'newcomer') => stage.account(script ? kind : `${kind}_2`);

async function bySms(stage, script) {
  const { national_id: nationalId, name } = newcomer(stage, script, 'newcomer_with_phone');
  const visitor = await stage.visitor({ script });
  visitor.expects(422);
  await visitor.open('/sign-in');
  await visitor.follow(visitor.$('main a[href="/welcome"]'));

  await visitor.submit(visitor.sender('national_id'));
  assert.deepEqual(await visitor.problems(), { national_id: empty(account.national_id) });
  await knock(visitor, nationalId);
  const before = new Set(await messages(stage));
  await choose(visitor, 'sms');
  const code = await sentCode(stage, before);

  const wrong = code === '111111' ? '222222' : '111111';
  await type(visitor, 'code', wrong);
  assert.deepEqual(await visitor.problems(), { code: problems.code_refused });
  await type(visitor, 'code', `${code.slice(0, 3)} ${code.slice(3)}`);
  assert.equal(visitor.path, '/welcome/password');

  await type(visitor, 'password', 'matkhau123456');
  assert.deepEqual(await visitor.problems(), { password: problems.common_password });
  assert.ok(!(await visitor.page.content()).includes('matkhau123456'), 'the page never contains the password');
  await type(visitor, 'password', PASSWORD);
  assert.equal(visitor.path, '/');
  assert.ok((await visitor.heading()).includes(name.split(' ').at(-1)), 'the home page greets by name');
  await signsIn(stage, script, nationalId, PASSWORD);
}

async function byPaperCard(stage, script) {
  const { national_id: nationalId, name } = newcomer(stage, script);
  const secretary = await stage.visitor({ as: 'secretary', script });
  await openCodes(secretary);
  const choice = secretary.$('main .choice', { hasText: name });
  assert.ok(await choice.locator('input').isChecked(), 'members without password and card are preselected');
  const code = await printCard(secretary, name);

  // The card is pending: issuing codes for all who wait does not invalidate it.
  await openCodes(secretary);
  assert.ok(fits(codes.has_card, await choice.locator('.choice-hint').textContent()), 'the expiry of the card is shown');
  assert.ok(!(await choice.locator('input').isChecked()), 'members with a valid card are not preselected');

  // Somebody else's card, and the card with a misread letter: the same answer.
  const visitor = await stage.visitor({ script });
  visitor.expects(422);
  await visitor.open('/welcome');
  await knock(visitor, stage.account('member').national_id);
  await choose(visitor, 'paper');
  await type(visitor, 'code', code);
  assert.deepEqual(await visitor.problems(), { code: problems.code_refused });

  // The phone scans the card's QR code; only the ID has to be typed.
  await visitor.open(`/welcome?code=${code}`);
  assert.equal(await visitor.field('code').inputValue(), code);
  await knock(visitor, nationalId);
  assert.equal(visitor.path, '/welcome/password');
  await type(visitor, 'password', PASSWORD);
  assert.equal(visitor.path, '/');

  const late = await stage.visitor({ script });
  late.expects(422);
  await late.open(`/welcome?code=${code}`);
  await type(late, 'national_id', nationalId);
  assert.deepEqual(await late.problems(), { code: problems.code_refused }, 'a card is used once');
  await signsIn(stage, script, nationalId, PASSWORD);

  // The list shows that it was used.
  await secretary.open('/codes');
  await secretary.follow(secretary.$('main .row-link').first());
  const row = secretary.$('main .table tr', { hasText: name }).first();
  assert.ok((await row.innerText()).includes(texts('vi').codes.used), await row.innerText());
}

async function forgottenPassword(stage, script) {
  const { national_id: nationalId, name } = newcomer(stage, script);
  const secretary = await stage.visitor({ as: 'secretary', script });
  const visitor = await stage.visitor({ script });
  const chosen = async (password) => {
    const code = await printCard(secretary, name);
    await visitor.open('/sign-in');
    await visitor.follow(visitor.$('main a[href="/welcome"]'));
    await knock(visitor, nationalId);
    await choose(visitor, 'paper');
    await type(visitor, 'code', code.toLowerCase().replace('-', ' '));
    assert.equal(visitor.path, '/welcome/password');
    await type(visitor, 'password', password);
    assert.equal(visitor.path, '/');
  };
  await chosen(PASSWORD);
  const elsewhere = await signsIn(stage, script, nationalId, PASSWORD);

  await visitor.context.clearCookies();
  await chosen(OTHER_PASSWORD);
  // The change of the account is shown on the first page until its owner has seen it.
  const told = visitor.$('main .notice-warn', { hasText: home.account_password }).filter({ hasText: home.account_not_you });
  await told.waitFor();
  await visitor.follow(told.locator('a[href="/record"]'));
  await told.waitFor();
  await visitor.open('/');
  assert.equal(await told.count(), 0, 'shown once');
  elsewhere.expects(401);
  await elsewhere.open('/library');
  assert.equal(elsewhere.path, '/sign-in', 'other devices are signed out');
  elsewhere.expects(422);
  await fillIn(elsewhere, { national_id: nationalId, password: PASSWORD });
  assert.deepEqual(await elsewhere.problems(), { password: problems.wrong_credentials }, 'the old password is invalid');
}

async function revokedAndUnknown(stage, script) {
  const { national_id: nationalId, name } = newcomer(stage, script);
  const secretary = await stage.visitor({ as: 'secretary', script });
  const code = await printCard(secretary, name);
  await secretary.follow(secretary.$('main a[href$="/codes"]').first());
  const row = secretary.$('main .table tr', { hasText: name }).first();
  await secretary.submit(row.locator('button[type="submit"]'));
  await secretary.sees('.notice-ok');

  const told = [];
  for (const id of [nationalId, UNKNOWN_ID]) {
    const visitor = await stage.visitor({ script });
    visitor.expects(422);
    await visitor.open('/welcome');
    await knock(visitor, id);
    await choose(visitor, 'paper');
    await type(visitor, 'code', code);
    told.push(await visitor.problems());
  }
  assert.deepEqual(told[0], { code: problems.code_refused });
  assert.deepEqual(told[0], told[1], 'a revoked code and an unknown ID get one answer');
}

async function phoneChanged(stage, script) {
  const visitor = await stage.visitor({ script });
  await visitor.open('/welcome');
  await knock(visitor, UNKNOWN_ID);
  await choose(visitor, 'phone');
  assert.equal(await visitor.heading(), welcome.phone_title);
  await visitor.open('/welcome/password');
  assert.equal(await visitor.heading(), welcome.over_title, 'the activation is not proved');
}

/** Enters the ID on the first page. */
async function knock(visitor, nationalId) {
  await type(visitor, 'national_id', nationalId);
  await until('the next page is there', () => visitor.path !== '/welcome');
  await visitor.settled();
}

async function choose(visitor, way) {
  await visitor.$(`main [name="way"][value="${way}"]`).check();
  await visitor.submit(visitor.sender('way'));
}

async function type(visitor, field, text) {
  await visitor.field(field).fill(text);
  await visitor.submit(visitor.sender(field));
}

async function openCodes(secretary) {
  await secretary.open('/codes');
  await secretary.follow(secretary.$('main .row-link').first());
}

/** Issues a code for one member of the secretary's branch, and reads it from the sheet. */
async function printCard(secretary, name) {
  await openCodes(secretary);
  const others = secretary.$('main .code-others > summary');
  if ((await others.count()) > 0) await others.click();
  for (const box of await secretary.field('members[]').all()) await box.uncheck();
  await secretary.$('main .choice', { hasText: name }).locator('input').check();
  await secretary.submit(secretary.sender('members[]'));
  await secretary.sees('.code-card');
  assert.equal(await secretary.$('.code-card').count(), 1);
  assert.ok((await secretary.text('.code-card')).includes(name));
  assert.equal(await secretary.$('.code-card svg path').count(), 1, 'with a QR code');
  assert.equal(await secretary.$('[data-print]').isVisible(), secretary.script, 'the button that prints');
  await keepsOffTheCut(secretary);
  await secretary.reload();
  return (await secretary.text('.code-card-code')).trim();
}

/** On A4 the text of a card ends 3 mm above the cutting line. */
async function keepsOffTheCut(visitor) {
  const size = visitor.page.viewportSize();
  await visitor.page.setViewportSize({ width: 718, height: 1047 });
  await visitor.page.emulateMedia({ media: 'print' });
  const room = await visitor
    .$('.code-card')
    .first()
    .evaluate((card) => card.getBoundingClientRect().bottom - card.lastElementChild.getBoundingClientRect().bottom);
  await visitor.page.emulateMedia({ media: null });
  await visitor.page.setViewportSize(size);
  assert.ok(room >= (3.3 / 25.4) * 96, `${room} px`);
}

async function signsIn(stage, script, nationalId, password) {
  const visitor = await stage.visitor({ script });
  await signIn(visitor, { national_id: nationalId, password });
  assert.equal(visitor.path, '/');
  return visitor;
}

async function messages(stage) {
  const names = await readdir(stage.world.server.outbox).catch(() => []);
  return names.filter((name) => name.endsWith('.txt'));
}

/** The code of the message that arrived after those in `before`. */
async function sentCode(stage, before) {
  let fresh;
  await until('a message is in the outbox', async () => {
    fresh = (await messages(stage)).find((name) => !before.has(name));
    return fresh !== undefined;
  });
  const text = await readFile(path.join(stage.world.server.outbox, fresh), 'utf8');
  return /\b\d{6}\b/.exec(text.split('\n\n').slice(1).join('\n'))[0];
}

export const tests = [
  ...bothWays('welcome: by a code sent to the registered phone', bySms),
  ...bothWays('welcome: by a paper card of the secretary, used once', byPaperCard),
  ...bothWays('welcome: a forgotten password, and other devices are signed out', forgottenPassword),
  ...bothWays('welcome: a revoked code and an unknown ID get one answer', revokedAndUnknown),
  ...bothWays('welcome: a member with another phone sees whom to ask', phoneChanged),
];
