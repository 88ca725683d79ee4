// What a member finds when opening the handbook.

import { strict as assert } from 'node:assert';

import { bothWays } from '../support/report.mjs';
import { fits, number, texts } from '../support/texts.mjs';

const { home } = texts('vi');

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

/** How many papers of the next meeting were read, and how many there are. */
async function papers(card) {
  const text = await card.locator('.progress-text').innerText();
  assert.ok(fits(home.papers_read, text), text);
  return text.match(/\p{Nd}+/gu).map(number);
}

export const tests = bothWays('home: next meeting with countdown and papers, newest documents, own opinions', firstLook);
