// Signing in and out, with the same answer whatever was wrong.

import { strict as assert } from 'node:assert';

import { fillIn } from '../support/accounts.mjs';
import { bothWays } from '../support/report.mjs';
import { empty, texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';

const { account, problems } = texts('vi');
const UNKNOWN_ID = '001000000000';
const WRONG_PASSWORD = 'khong phai mat khau nay';

async function signInAndOut(stage, script) {
  const { national_id: nationalId, password } = stage.account('member');
  const visitor = await stage.visitor({ script });
  visitor.expects(422);

  await visitor.open('/library');
  assert.equal(visitor.path, '/sign-in', 'signed-out visitors are redirected to the sign-in page');

  await visitor.submit(visitor.sender('password'));
  assert.deepEqual(await visitor.problems(), { national_id: empty(account.national_id), password: empty(account.password) });

  const answers = [];
  for (const id of [nationalId, UNKNOWN_ID]) {
    await fillIn(visitor, { national_id: id, password: WRONG_PASSWORD });
    answers.push(await visitor.problems());
    assert.equal(await visitor.field('national_id').inputValue(), id, 'the typed ID is kept');
    assert.ok(!(await visitor.page.content()).includes(WRONG_PASSWORD), 'the page never contains the password');
  }
  assert.deepEqual(answers[0], answers[1], 'a wrong password and an unknown ID get the same answer');
  assert.deepEqual(answers[0], { password: problems.wrong_credentials });

  await fillIn(visitor, { national_id: nationalId.replace(/(\d{3})/g, '$1 '), password });
  assert.equal(visitor.path, '/library', 'signing in leads to the page that was asked for');
  await visitor.sees('.row-link');

  await visitor.open('/more');
  await visitor.submit(visitor.$('main form[action*="sign_out"] button'));
  assert.equal(visitor.path, '/sign-in', 'signing out leads to the sign-in page');
  await visitor.open('/library');
  assert.equal(visitor.path, '/sign-in', 'the session has ended');
}

async function onlyLocalPagesAreFollowed(stage, script) {
  const visitor = await stage.visitor({ script });
  await visitor.open('/sign-in?next=//evil.example/');
  await fillIn(visitor, stage.account('member'));
  assert.equal(new URL(visitor.page.url()).origin, stage.origin);
}

/** A person who was signed out meanwhile is asked to sign in and then sees the requested page. */
async function sessionEndsMeanwhile(stage, script) {
  const visitor = await stage.visitor({ as: 'member', script });
  visitor.expects(401);
  await visitor.open('/');
  await visitor.context.clearCookies();
  await visitor.$('.tab-bar a[href="/meetings"]').click();
  await until('the sign-in page is there', () => visitor.path === '/sign-in');
  await visitor.settled();
  await fillIn(visitor, stage.account('member'));
  assert.equal(visitor.path, '/meetings');
}

export const tests = [
  ...bothWays('sign in: one answer for every error, then in and out', signInAndOut),
  ...bothWays('sign in: never leads to another site', onlyLocalPagesAreFollowed),
  ...bothWays('sign in: asked for again when the session has ended', sessionEndsMeanwhile),
];
