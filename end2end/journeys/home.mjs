// The first page of a member.

import { strict as assert } from 'node:assert';

import { DESKTOP, PHONE } from '../support/browser.mjs';
import { bothWays } from '../support/report.mjs';
import { fits, number, texts } from '../support/texts.mjs';

const { home, frame } = texts('vi');

async function firstLook(stage, script) {
  const { name } = stage.account('member');
  const visitor = await stage.visitor({ as: 'member', script });
  await visitor.open('/');
  assert.ok((await visitor.text()).includes(name), 'the greeting names the member');

  const next = visitor.$('.card-strong');
  await next.locator('.occasion-when').waitFor();
  const countdown = (await next.locator('.occasion-countdown').innerText()).trim();
  assert.ok(
    [home.today, home.tomorrow, home.in_days.other].some((template) => fits(template, countdown)),
    `the countdown says "${countdown}"`,
  );
  const [read, total] = await papers(next);

  assert.equal(await visitor.$('main .row-link[href^="/library/"]').count(), 5, 'five newest documents');
  assert.ok(await visitor.$('main a[href^="/opinions"]').count(), 'own opinions, or the way to them');

  await visitor.follow(next.locator('a[href^="/meetings/"]').first());
  const all = await visitor.$('main li a[href^="/library/"]').count();
  assert.equal(all, total, 'home and meeting count the same papers');
  assert.ok(read <= total);
}

/** The number of read papers of the next meeting, and of all. */
async function papers(card) {
  const text = await card.locator('.progress-text').innerText();
  assert.ok(fits(home.papers_read, text), text);
  return text.match(/\p{Nd}+/gu).map(number);
}

/** The accessible text of the badges, by address. */
const badges = (visitor, places) =>
  visitor.$(`${places} .badge:not([hidden])`).evaluateAll((found) =>
    Object.fromEntries(found.map((badge) => [badge.closest('a').getAttribute('href'), badge.getAttribute('aria-label').replaceAll('\u00a0', ' ')])),
  );

/** The pending work on the card of the first page, by the place where it is done. */
async function waiting(visitor) {
  const rows = await visitor.$('main .card-strong .menu-link').evaluateAll((links) => links.map((link) => [link.getAttribute('href'), link.innerText]));
  const registry = ['/transfers', '/corrections', '/quality'];
  const counts = {};
  for (const [href, text] of rows) {
    const place = registry.includes(href) ? '/members' : href === '/reorganisations/queue' ? '/units' : href;
    counts[place] = (counts[place] ?? 0) + number(text.match(/[\p{Nd}.,]+/u)[0]);
  }
  return counts;
}

async function numbersAgree(stage, script) {
  for (const role of ['registrar', 'ward_secretary', 'chief']) {
    const staff = await stage.visitor({ as: role, script, size: DESKTOP });
    await staff.open('/');
    const counts = await waiting(staff);
    const { '/library': read, ...heard } = await badges(staff, '.rail');
    const told = Object.fromEntries(Object.entries(heard).map(([place, label]) => [place, number(label)]));
    assert.deepEqual(told, counts, `rail and card of the ${role}`);
    for (const label of Object.values(heard)) assert.ok(fits(frame.badge_work.other, label), label);
    if (read) assert.ok(fits(frame.badge_read.other, read), read);

    await staff.page.setViewportSize(PHONE);
    const { '/more': all = '0' } = await badges(staff, '.tab-bar');
    assert.equal(number(all), Object.values(counts).reduce((sum, count) => sum + count, 0), `the tab of the ${role}`);
    const shown = await staff.$('.tab-bar .badge:visible').allInnerTexts();
    assert.ok(shown.every((text) => /^(\d{1,2}|99\+)$/.test(text.trim())), shown.join(' '));
  }
  const member = await stage.visitor({ as: 'member', script });
  await member.open('/');
  const { '/library': own, ...others } = await badges(member, '.tab-bar');
  assert.deepEqual(others, {}, 'a member without an office has no work');
  const must = member.$('main a[href="/shelf/must-read"]');
  assert.equal(Boolean(own), (await must.count()) > 0, 'must-reads stand at the library and on the first page');
}

export const tests = [
  ...bothWays('home: next meeting with countdown and papers, newest documents, own opinions', firstLook),
  ...bothWays('home: the badges equal the numbers of the card', numbersAgree),
];
