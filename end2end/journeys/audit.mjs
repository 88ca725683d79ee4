// The audit trail: of a subtree for its registrar, of the own record for every member.

import { strict as assert } from 'node:assert';

import { bothWays } from '../support/report.mjs';
import { fits, texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';

const { audit } = texts('vi');

async function ofASubtree(stage, script) {
  const registrar = await stage.visitor({ as: 'registrar', script });
  await registrar.open('/more');
  await registrar.follow(registrar.$('main a[href="/audit"]').first());
  assert.equal(await registrar.heading(), audit.title);
  await registrar.sees('.trail .row');
  const newest = await lines(registrar);
  assert.equal(newest.length, 50);

  await registrar.follow(registrar.$('a[rel="next"]'));
  await until('older lines are shown', async () => (await lines(registrar))[0] !== newest[0]);

  await registrar.open('/audit');
  await registrar.follow(registrar.$('.chips a[href*="group=documents"]'));
  await until('only documents are shown', async () => {
    const told = await titles(registrar);
    const kinds = [
      'document_drafted',
      'document_saved',
      'draft_submitted',
      'draft_recalled',
      'draft_commented',
      'draft_discarded',
      'changes_wanted',
      'document_scheduled',
      'document_published',
      'document_corrected',
      'document_withdrawn',
      'document_expired',
      'file_attached',
      'file_removed',
      'warning_overruled',
      'readers_reminded',
      'course_saved',
      'course_assigned',
      'course_ended',
      'try_given',
      'meeting_announced',
      'meeting_reported',
    ];
    return told.length > 0 && told.every((line) => kinds.some((kind) => fits(audit[kind], line)));
  });

  // An unknown person, entered by hand.
  await registrar.field('member').fill('99.999999');
  await search(registrar);
  await registrar.sees('.notice-warn', { hasText: audit.unknown_title });
}

async function ofOneself(stage, script) {
  const member = await stage.visitor({ as: 'member', script });
  await member.open('/record/trail');
  assert.equal(await member.heading(), audit.own_title);
  const { name } = stage.account('member');
  const told = await titles(member);
  assert.ok(told.length > 0 && told.some((line) => line.includes(name) || line.startsWith(audit.you)), told.join('\n'));
}

async function notForEverybody(stage, script) {
  const member = await stage.visitor({ as: 'member', script });
  member.expects(404);
  assert.equal((await member.open('/audit')).status(), 404);
  assert.equal(await member.$('nav a[href="/audit"]').count(), 0);
}

/** Submits the search field; the result is a page with another address. */
async function search(visitor) {
  const button = visitor.$('main form[role="search"] button[type="submit"]');
  await Promise.all([visitor.page.waitForURL(/member=99/), button.click()]);
  await visitor.settled();
}

const lines = (visitor) => visitor.$('.trail .row').allInnerTexts();
const titles = async (visitor) => (await visitor.$('.trail .row-title').allInnerTexts()).map((line) => line.trim());

export const tests = [
  ...bothWays('audit: page by page, by kind, by person', ofASubtree),
  ...bothWays('audit: everybody sees who changed the own record', ofOneself),
  ...bothWays('audit: the trail of a subtree is for its registrars', notForEverybody),
];
