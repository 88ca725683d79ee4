// The devices of a person, and the password.

import { strict as assert } from 'node:assert';

import { fillIn, signIn } from '../support/accounts.mjs';
import { bothWays } from '../support/report.mjs';
import { fits, texts } from '../support/texts.mjs';

const { problems, sessions } = texts('vi');
const NEW_PASSWORD = 'thuyền về bến lúc năm giờ';

/** A lost phone: its owner signs it out from another device. */
async function lostPhone(stage, script) {
  const account = stage.account('probationary');
  const lost = await stage.visitor({ script });
  const owner = await stage.visitor({ script });
  lost.expects(401);
  await signIn(lost, account);
  await signIn(owner, account);

  await owner.open('/more');
  await owner.follow(owner.$('main a[href="/devices"]'));
  assert.equal(await owner.heading(), sessions.devices_title);
  const buttons = owner.$('main form[action*="revoke_session"] button');
  const count = await buttons.count();
  assert.ok(count >= 1, 'the lost phone is listed');
  assert.ok((await buttons.first().innerText()).startsWith(sessions.revoke));
  await owner.submit(buttons.first());
  assert.equal((await owner.$('.notice-title').first().innerText()).trim(), sessions.revoked);
  assert.equal(await buttons.count(), count - 1);

  await lost.open('/library');
  assert.equal(lost.path, '/sign-in', 'the lost phone is signed out');
  await owner.open('/library');
  assert.equal(owner.path, '/library', 'the other one stays signed in');
}

async function otherPassword(stage, script) {
  const account = stage.account('probationary');
  const visitor = await stage.visitor({ script });
  const other = await stage.visitor({ script });
  visitor.expects(422);
  await signIn(visitor, account);
  await signIn(other, account);

  await visitor.open('/more');
  await visitor.follow(visitor.$('main a[href="/password"]'));
  await change(visitor, 'khong phai mat khau nay', 'ngắn quá');
  assert.ok(fits(problems.too_short, (await visitor.problems()).new_password));
  await change(visitor, 'khong phai mat khau nay', NEW_PASSWORD);
  assert.deepEqual(await visitor.problems(), { current_password: problems.wrong_password });
  await change(visitor, account.password, NEW_PASSWORD);
  assert.equal((await visitor.$('.notice-title').first().innerText()).trim(), sessions.changed);
  try {
    await other.open('/');
    assert.equal(other.path, '/sign-in', 'the other device is signed out');
    await fillIn(other, { ...account, password: NEW_PASSWORD });
    assert.equal(other.path, '/');
  } finally {
    await visitor.open('/password');
    await change(visitor, NEW_PASSWORD, account.password);
  }
  assert.equal((await visitor.$('.notice-title').first().innerText()).trim(), sessions.changed);
}

async function change(visitor, current, next) {
  await visitor.field('current_password').fill(current);
  await visitor.field('new_password').fill(next);
  await visitor.submit(visitor.sender('new_password'));
}

/** The page that asks for the password again leads back to the previous page. */
async function confirmed(stage, script) {
  const visitor = await stage.visitor({ script });
  visitor.expects(422);
  const account = stage.account('registrar');
  await signIn(visitor, account);
  await visitor.open('/confirm?next=%2Fmeetings');
  assert.equal(await visitor.heading(), sessions.confirm_title);
  await visitor.field('password').fill('khong phai mat khau nay');
  await visitor.submit(visitor.sender('password'));
  assert.deepEqual(await visitor.problems(), { password: problems.wrong_password });
  await visitor.field('password').fill(account.password);
  await visitor.submit(visitor.sender('password'));
  assert.equal(visitor.path, '/meetings');
}

export const tests = [
  ...bothWays('devices: a lost phone is signed out from another one', lostPhone),
  ...bothWays('devices: a new password signs the other devices out', otherPassword),
  ...bothWays('devices: confirming the password leads back', confirmed),
];
