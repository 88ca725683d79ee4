// Coming in on the word of another organisation: a real OpenID Connect provider, and what goes wrong on the way there and back.

import { strict as assert } from 'node:assert';

import { fillIn } from '../support/accounts.mjs';
import { KEY, NAME } from '../support/provider.mjs';
import { bothWays } from '../support/report.mjs';
import { fits, texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';

const { sessions } = texts('vi');
const UNKNOWN_ID = '001000000000';
const AWAY = `/sign-in/with/${KEY}`;
const BACK = `/sign-in/callback/${KEY}`;

const button = (visitor) => visitor.$(`main a[href^="${AWAY}"]`);
const isSignedIn = (visitor) => visitor.$('.tab-bar').isVisible();

/** Presses the button of the sign-in page and waits for the provider's page. */
async function leave(visitor, next = '/') {
  await visitor.open(`/sign-in?next=${encodeURIComponent(next)}`);
  assert.ok(fits(sessions.sign_in_with, await button(visitor).innerText()));
  await button(visitor).click();
  await visitor.page.waitForURL(/\/interaction\//);
}

/** Says at the provider's who one is, and waits until one is back. */
async function answer(visitor, nationalId, said = 'yes') {
  await visitor.page.locator('[name="national_id"]').fill(nationalId);
  await visitor.page.locator(`button[value="${said}"]`).click();
  await visitor.page.waitForURL((url) => url.origin === visitor.origin);
  await visitor.settled();
}

/** What the sign-in page says about the way that was not finished. */
async function told(visitor) {
  assert.equal(visitor.path, '/sign-in');
  assert.ok(!(await isSignedIn(visitor)));
  return (await visitor.$('.notice-title').innerText()).trim();
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
  assert.ok(await isSignedIn(visitor), 'the password is another door');
}

async function isNotInTheRegistry(stage, script) {
  const visitor = await stage.visitor({ script });
  await leave(visitor);
  await answer(visitor, UNKNOWN_ID);
  assert.equal(await told(visitor), sessions.unknown_title);
  assert.ok(!(await visitor.page.content()).includes(UNKNOWN_ID), 'the ID is not shown');
}

/** Somebody in between exchanges the nonce: the token that comes back belongs to another sign-in. */
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

/** The address of the return is used again, by somebody who even has the cookies of the departure. */
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
    // For a few seconds the server may still believe that the provider is there.
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
  ...bothWays('federation: comes in and again later', comesAndGoesAgain),
  ...bothWays('federation: broken off, the password still opens', breaksOff),
  ...bothWays('federation: not in the registry', isNotInTheRegistry),
  ...bothWays('federation: a token with a wrong nonce opens nothing', wrongNonce),
  ...bothWays('federation: a code used again opens nothing', replayedCode),
  ...bothWays('federation: the provider is down, the other doors are offered', providerIsDown),
];
