// Sign-in by a real OpenID Connect provider, and failures on the way there and back.

import { strict as assert } from 'node:assert';

import { fillIn, signIn } from '../support/accounts.mjs';
import { KEY, NAME } from '../support/provider.mjs';
import { bothWays } from '../support/report.mjs';
import { fits, texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';

const { problems, sessions } = texts('vi');
const OWN_PASSWORD = 'gió nồm thổi từ ngoài khơi vào';
const UNKNOWN_ID = '001000000000';
const AWAY = `/sign-in/with/${KEY}`;
const BACK = `/sign-in/callback/${KEY}`;

const button = (visitor) => visitor.$(`main a[href^="${AWAY}"]`);
const isSignedIn = (visitor) => visitor.$('.tab-bar').isVisible();

/** Presses the button on the sign-in page and waits for the provider's page. */
async function leave(visitor, next = '/') {
  await visitor.open(`/sign-in?next=${encodeURIComponent(next)}`);
  assert.ok(fits(sessions.sign_in_with, await button(visitor).innerText()));
  await button(visitor).click();
  await visitor.page.waitForURL(/\/interaction\//);
}

/** Signs in at the provider, and waits for the return. */
async function answer(visitor, nationalId, said = 'yes') {
  await visitor.page.locator('[name="national_id"]').fill(nationalId);
  await visitor.page.locator(`button[value="${said}"]`).click();
  await visitor.page.waitForURL((url) => url.origin === visitor.origin);
  await visitor.settled();
}

/** The notice of the sign-in page about the failed sign-in. */
async function told(visitor) {
  assert.equal(visitor.path, '/sign-in');
  assert.ok(!(await isSignedIn(visitor)));
  return (await visitor.$('.notice-title').innerText()).trim();
}

/** A person without a password: first with the provider, then with a password of their own. */
async function firstSignIn(stage, script) {
  const { national_id: nationalId } = stage.account(script ? 'vouched' : 'vouched_too');
  const visitor = await stage.visitor({ script });
  visitor.expects(422);
  await leave(visitor);
  await answer(visitor, nationalId);
  assert.equal(visitor.path, '/welcome/password', 'a password is chosen first');
  assert.ok(!(await isSignedIn(visitor)));
  await visitor.field('password').fill('123456789012');
  await visitor.submit(visitor.sender('password'));
  assert.deepEqual(await visitor.problems(), { password: problems.common_password });
  await visitor.field('password').fill(OWN_PASSWORD);
  await visitor.submit(visitor.sender('password'));
  assert.equal(visitor.path, '/', 'then the first page is shown');
  assert.ok(await isSignedIn(visitor));

  const later = await stage.visitor({ script });
  await leave(later, '/library');
  await answer(later, nationalId);
  assert.equal(later.path, '/library', 'later the provider signs in at once');
  const another = await stage.visitor({ script });
  await signIn(another, { national_id: nationalId, password: OWN_PASSWORD });
  assert.equal(another.path, '/', 'and so does the password');
}

async function comesAndGoesAgain(stage, script) {
  const { national_id: nationalId } = stage.account('ward_member');
  const visitor = await stage.visitor({ script });
  for (const next of ['/library', '/meetings']) {
    await leave(visitor, next);
    await answer(visitor, nationalId);
    assert.equal(visitor.path, next, 'signing in leads to the page that was asked for');
    assert.ok(await isSignedIn(visitor));
    await visitor.open('/more');
    await visitor.submit(visitor.$('main form[action*="sign_out"] button'));
  }
}

async function breaksOff(stage, script) {
  const visitor = await stage.visitor({ script });
  await leave(visitor);
  await answer(visitor, '', 'no');
  assert.ok(fits(sessions.unfinished_title, await told(visitor)));
  await fillIn(visitor, stage.account('ward_member'));
  assert.ok(await isSignedIn(visitor), 'the password still works');
}

async function isNotInTheRegistry(stage, script) {
  const visitor = await stage.visitor({ script });
  await leave(visitor);
  await answer(visitor, UNKNOWN_ID);
  assert.equal(await told(visitor), sessions.unknown_title);
  assert.ok(!(await visitor.page.content()).includes(UNKNOWN_ID), 'the ID is not shown');
}

/** An attacker replaces the nonce: the returned token belongs to another sign-in. */
async function wrongNonce(stage, script) {
  const { national_id: nationalId } = stage.account('ward_member');
  const visitor = await stage.visitor({ script });
  const away = await visitor.context.request.get(AWAY, { maxRedirects: 0 });
  const page = new URL(away.headers().location);
  page.searchParams.set('nonce', 'of-somebody-else');
  await visitor.page.goto(page.href);
  await answer(visitor, nationalId);
  assert.ok(fits(sessions.unfinished_title, await told(visitor)));
}

/** The return address is used again, by somebody who also has the cookies of the departure. */
async function replayedCode(stage, script) {
  const { national_id: nationalId } = stage.account('ward_member');
  const visitor = await stage.visitor({ script });
  let address;
  visitor.page.on('request', (request) => {
    if (new URL(request.url()).pathname === BACK) address = request.url();
  });
  await leave(visitor);
  const cookies = await visitor.context.cookies();
  await answer(visitor, nationalId);
  assert.ok(await isSignedIn(visitor));

  const thief = await stage.visitor({ script });
  await thief.context.addCookies(cookies);
  await thief.page.goto(address);
  await thief.settled();
  assert.ok(fits(sessions.unfinished_title, await told(thief)));
}

async function providerIsDown(stage, script) {
  const { provider } = stage.world.server;
  const visitor = await stage.visitor({ script });
  await provider.stop();
  try {
    // For a few seconds the server may still treat the provider as available.
    await until('the server has noticed', async () => {
      const away = await fetch(stage.origin + AWAY, { redirect: 'manual' });
      return away.headers.get('location').startsWith('/sign-in?');
    });
    await visitor.open('/sign-in?next=%2Flibrary');
    await button(visitor).click();
    await visitor.page.waitForURL(/told=unreachable/);
    await visitor.settled();
    assert.ok(fits(sessions.unreachable_title, await told(visitor)), `it is told that ${NAME} does not answer`);
    await visitor.sees('.notice a[href="/welcome"]');
    await fillIn(visitor, stage.account('ward_member'));
    assert.equal(visitor.path, '/library', 'the password opens at once, and leads on');
  } finally {
    await provider.start();
    await until('the server has noticed that it is back', async () => {
      const away = await fetch(stage.origin + AWAY, { redirect: 'manual' });
      return away.headers.get('location').startsWith(provider.issuer);
    });
  }
}

export const tests = [
  ...bothWays('federation: the first sign-in ends with a password of one\'s own', firstSignIn),
  ...bothWays('federation: signs in, and again later', comesAndGoesAgain),
  ...bothWays('federation: after a cancelled sign-in the password still works', breaksOff),
  ...bothWays('federation: not in the registry', isNotInTheRegistry),
  ...bothWays('federation: a token with a wrong nonce opens nothing', wrongNonce),
  ...bothWays('federation: a reused code opens nothing', replayedCode),
  ...bothWays('federation: the provider is down, other ways are offered', providerIsDown),
];
