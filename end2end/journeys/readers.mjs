// Readers: a secretary sees who of the branch has not read a document and reminds them; a member sees the reminder and reads.

import { strict as assert } from 'node:assert';

import { bothWays } from '../support/report.mjs';
import { fits, texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';

const { readers, reading } = texts('vi');

async function remindAndRead(stage, script) {
  const { name } = stage.account('ward_member');
  const member = await stage.visitor({ as: 'ward_member', script });
  const document = await anUnread(member);
  const address = document.replace('/library/', '/readers/');

  const secretary = await stage.visitor({ as: 'ward_secretary', script });
  await secretary.open(document);
  await secretary.follow(secretary.$(`main a[href="${address}"]`));
  // The way back opens it for an office, which is not recorded.
  await secretary.follow(secretary.$(`main a[href="${document}?look=1"]`));
  assert.ok((await secretary.text('#receipt')).includes(reading.only_looks));
  assert.equal(await secretary.$('main form[data-read]').count(), 0);
  await secretary.open(address);
  assert.ok((await waiting(secretary)).includes(name), 'members who have not read are listed');
  assert.ok(!(await done(secretary)).includes(name));

  // Another person of the branch has the page open too.
  const other = await stage.visitor({ as: 'ward_secretary', script });
  await other.open(address);
  await secretary.submit(reminding(secretary));
  await secretary.sees('main .notice-ok', { hasText: readers.reminded_now });
  assert.equal(await reminding(secretary).count(), 0, 'once a day');
  await other.submit(reminding(other));
  await other.sees('main .notice-warn', { hasText: readers.too_soon });
  assert.ok(fits(readers.reminded_today, await other.text('main .notice-warn .notice-body p:nth-of-type(2)')), 'the page says when, and by whom');

  await member.open('/');
  const first = member.$('main li', { has: member.$(`.row-link[href="${document}"]`) });
  assert.ok(fits(readers.reminded_by, await tag(first)), 'the first page shows who sent it');
  assert.equal(await member.$('main .row-link[href^="/library/"]').first().getAttribute('href'), document, 'before what is newer');
  await member.open('/shelf/unread');
  assert.ok(fits(readers.reminded_by, await tag(member.$('main li', { has: member.$(`.row-link[href="${document}"]`) }))));
  await member.follow(member.$(`main .row-link[href="${document}"]`));
  assert.ok(fits(reading.recorded_opened, (await member.text('#receipt p')).trim()), 'the member sees what is recorded');
  await secretary.open(address);
  assert.ok((await names(secretary, 'opened')).includes(name), 'opened is not read');
  await member.open('/');
  assert.ok((await member.$(`main .row-unread .row-link[href="${document}"]`).count()) > 0, 'opened documents are still listed');
  await member.open(document);
  await member.saysRead();
  assert.ok(fits(reading.recorded_read, (await member.text('#receipt p')).trim()));
  await member.open('/');
  assert.equal(await member.$('main .tag-warn', { hasText: readers.reminded_by.split('{')[0] }).count(), 0, 'read documents are not listed');

  await secretary.open(address);
  assert.ok((await done(secretary)).includes(name), 'the name moves to the other list');
  assert.ok(!(await waiting(secretary)).includes(name));

  await numbersAlone(stage, script, address, name);
}

/** A document of the province that the member has not read. */
async function anUnread(member) {
  await member.open('/library?level=province');
  return member.$('.row-unread .row-link').first().getAttribute('href');
}

function reminding(visitor) {
  return visitor.$('main form[action$="/documents/remind"] button');
}

/** The text of the row's tag about a reminder. */
async function tag(row) {
  const tags = await row.locator('.tag').allInnerTexts();
  return tags.map((text) => text.trim()).find((text) => fits(readers.reminded_by, text)) ?? tags.join(' | ');
}

/** Names of one group; each links to the record. */
async function names(visitor, group) {
  const found = await visitor.$(`#${group} li > a`).allInnerTexts();
  return found.map((name) => name.trim());
}

/** Names of those who have not read it. */
async function waiting(visitor) {
  const groups = ['not-activated', 'not-opened', 'opened'];
  return (await Promise.all(groups.map((group) => names(visitor, group)))).flat();
}

/** Names of those who have. */
async function done(visitor) {
  return names(visitor, 'read');
}

/** Units above see numbers and no name; others see nothing. */
async function numbersAlone(stage, script, address, name) {
  const statistician = await stage.visitor({ as: 'statistician', script });
  await statistician.open(address);
  assert.ok((await statistician.$('main .table tbody tr').count()) > 3, 'a row for each unit');
  const words = await statistician.text();
  assert.ok(!words.includes(name), 'no names');
  assert.equal(await reminding(statistician).count(), 0, 'searching is not selecting');
  await statistician.follow(statistician.$('main .table tbody a[href*="?unit="]').first());
  assert.ok(statistician.page.url().includes('?unit='), 'and goes down to a unit');
  await statistician.sees('main .breadcrumbs a:visible');

  const stranger = await stage.visitor({ as: 'member', script });
  stranger.expects(403);
  stranger.expects(404);
  const response = await stranger.open(address);
  assert.ok([403, 404].includes(response.status()), `${response.status()}`);
  assert.equal((await stranger.open('/readers')).status(), 404);
}

async function fromTheDesk(stage, script) {
  const chief = await stage.visitor({ as: 'chief', script });
  const desk = await chief.context.request.get('/api/documents/desk');
  const { id } = (await desk.json()).published[0];
  await chief.open(`/desk/${id}`);
  await chief.follow(chief.$(`main a[href="/readers/${id}"]`));
  await until('the figures are there', async () => (await chief.$('main .progress').count()) > 0);
  await chief.follow(chief.$(`main .breadcrumbs a[href="/desk/${id}"]`));
}

async function fromTheLibrary(stage, script) {
  const secretary = await stage.visitor({ as: 'ward_secretary', script });
  await secretary.open('/library');
  await secretary.follow(secretary.$('main a[href="/readers"]'));
  assert.equal(await secretary.heading(), readers.title);
  assert.ok((await secretary.$('main .row-link').count()) > 3, 'what was sent to the branch');
  await secretary.follow(secretary.$('main .row-link').first());
  assert.ok((await waiting(secretary)).length + (await done(secretary)).length > 0, 'names');
  const needsCode = secretary.$('#not-activated li').first();
  if ((await needsCode.count()) > 0) {
    await secretary.follow(needsCode.locator('a[href$="/code"]'));
    await secretary.sees('main form[action$="/issue_code"] button');
  }

  const member = await stage.visitor({ as: 'member', script });
  await member.open('/library');
  assert.equal(await member.$('main a[href="/readers"]').count(), 0, 'people without members to lead are not offered it');
}

export const tests = [
  ...bothWays('readers: the secretary sees names and reminds, the member reads, the name moves', remindAndRead),
  ...bothWays('readers: from the desk to the figures and back', fromTheDesk),
  ...bothWays('readers: from the library to what the branch has read', fromTheLibrary),
];
