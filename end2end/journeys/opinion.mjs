// An opinion on a document, from the member's phone to the secretary and back.

import { strict as assert } from 'node:assert';

import { fillIn } from '../support/accounts.mjs';
import { bothWays } from '../support/report.mjs';
import { empty, texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';

const { feedback, frame, terms } = texts('vi');
const MOST = 5000;
const WORDS = 'Luồng vào cảng cạn quá, tàu lớn phải đợi nước.\nĐề nghị xã sớm nạo vét trước mùa mưa bão.';

async function sendAndAnswer(stage, script) {
  const opinion = `Tài liệu dễ hiểu, nhưng xin gửi sớm hơn để kịp tải trước khi ra khơi. ${stamp(script)}`;
  const answer = `Chi ủy tiếp thu: từ tháng sau gửi trước ngày mười hai. ${stamp(script)}`;

  const member = await stage.visitor({ as: 'member', script });
  member.expects(422);
  const title = await openInvitation(member);
  await audienceComesFirst(member);

  await member.field('text').fill('   ');
  await member.submit(member.sender('text'));
  assert.equal((await member.problems()).text, empty(feedback.text));
  await summaryLeadsTo(member, 'text');

  const long = 'ộ'.repeat(MOST + 1);
  await member.field('text').fill(long);
  await member.submit(member.sender('text'));
  assert.match((await member.problems()).text, /5\.000/);
  assert.equal(await member.field('text').inputValue(), long, 'a text that is too long is kept');

  await member.$('main [name="audience"][value="branch"]').check();
  await member.field('text').fill(opinion);
  await member.submit(member.sender('text'));
  assert.match(member.path, /^\/opinions\/[0-9A-Z]{26}$/, 'sending leads to the receipt');
  await member.sees('.receipt-code');
  assert.match((await member.text('.receipt-code')).trim(), /^[0-9A-Z]{4}-[0-9A-Z]{4}$/);
  const receipt = member.path;

  await member.open('/opinions');
  const own = member.$(`.row:has(a[href^="${receipt}"])`);
  await own.waitFor();
  assert.ok((await own.innerText()).includes(title), 'the list names the document');
  assert.ok((await own.innerText()).includes(terms.received), 'the list says that it was received');

  const secretary = await stage.visitor({ as: 'secretary', script });
  secretary.expects(422);
  await secretary.open('/branch?show=all');
  await secretary.follow(secretary.$(`a[href^="${receipt.replace('/opinions/', '/branch/')}"]`).first());
  await secretary.sees('main', { hasText: opinion });

  await member.open(receipt);
  await currentStep(member, terms.seen);

  await secretary.submit(secretary.sender('text'));
  assert.equal((await secretary.problems()).text, empty(feedback.answer_label));
  await secretary.field('text').fill(answer);
  await secretary.submit(secretary.sender('text'));
  await secretary.sees('main', { hasText: answer });

  await member.open(receipt);
  await member.sees('main', { hasText: answer });
  assert.equal(await member.$('.steps [aria-current="step"]').count(), 0, 'the way ends with the answer');
  await member.open('/opinions');
  assert.ok((await own.innerText()).includes(terms.answered), 'the list says that it was answered');
}

/** The script loads late: earlier text and the position of the cursor are kept. */
async function typedBeforeTheScript(stage) {
  const member = await stage.visitor({ as: 'member' });
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await member.page.route('**/*.wasm', async (route) => {
    await released;
    await route.continue();
  });
  await member.page.goto(await invitationAddress(stage));
  await member.$('main [name="audience"][value="editors"]').check();
  await member.field('text').fill(WORDS);
  release();
  await member.settled();
  assert.equal(await member.field('text').inputValue(), WORDS);
  assert.ok(await member.$('main [name="audience"][value="editors"]').isChecked());
  assert.ok(await member.field('text').evaluate((field) => document.activeElement === field), 'the cursor stays');
}

/** No network while sending: the text stays, and can be sent when the network is back. */
async function sentWithoutNetwork(stage) {
  const member = await stage.visitor({ as: 'member' });
  await member.open(await invitationAddress(stage));
  await member.field('text').fill(WORDS);
  await member.context.setOffline(true);
  await member.submit(member.sender('text'));
  await member.sees('.notice-error', { hasText: frame.network_failed });
  assert.equal(await member.field('text').inputValue(), WORDS);
  assert.match(member.troubles.splice(0).join(), /ERR_INTERNET_DISCONNECTED/);
  await member.context.setOffline(false);
  await member.submit(member.sender('text'));
  assert.match(member.path, /^\/opinions\//);
}

/** The session expires while a member writes: after signing in again the text is still there. */
async function writtenAfterTheSession(stage, script) {
  const member = await stage.visitor({ as: 'member', script });
  member.expects(401);
  const address = await invitationAddress(stage);
  await member.open(address);
  await member.field('text').fill(WORDS);
  await member.context.clearCookies({ name: /handbook$/ });
  await member.submit(member.sender('text'));
  if (script) {
    await member.sees('.notice-error');
  } else {
    assert.equal(member.path, '/sign-in');
    await fillIn(member, stage.account('member'));
    assert.equal(member.path, address);
  }
  assert.equal(await member.field('text').inputValue(), WORDS);
}

/** Typed text survives a reload, navigation, a closed tab and the session. It is deleted when sent, deleted or signed out. */
async function keptOnTheDevice(stage) {
  const member = await stage.visitor({ as: 'member' });
  member.expects(401);
  const address = await invitationAddress(stage);
  const typed = () => member.field('text').inputValue();
  const isBack = (when) => until(`the text is back ${when}`, async () => (await typed()) === WORDS);
  const kept = () =>
    member.page.evaluate(() => Object.keys(localStorage).filter((name) => /^handbook-(typed|quiz|desk):/.test(name)).length);

  await member.open(address);
  await member.field('text').fill(WORDS);
  await member.reload();
  await isBack('after a reload');
  await member.open(address);
  await isBack('when the page is opened again');
  await member.sees('.kept', { hasText: frame.kept });

  await member.follow(member.$('nav a[href="/library"]:visible').first());
  await member.page.goBack();
  await until('the page is there again', () => member.path === address);
  await member.settled();
  await isBack('after going back');

  const tab = await member.context.newPage();
  await member.page.close();
  member.page = tab;
  await member.open(address);
  await isBack('in another tab');

  await member.context.clearCookies({ name: /handbook$/ });
  await member.open(address);
  assert.equal(member.path, '/sign-in');
  await fillIn(member, stage.account('member'));
  await until('the redirect back is done', () => member.path === address);
  await member.settled();
  await isBack('after the session');

  await member.submit(member.sender('text'));
  assert.match(member.path, /^\/opinions\//);
  await member.sees('main', { hasText: WORDS });
  await until('sent text is deleted', async () => (await kept()) === 0);
  await member.open(address);
  assert.equal(await typed(), '');

  await member.field('text').fill(WORDS);
  await member.open(address);
  await member.$('.kept button', { hasText: frame.kept_remove }).click();
  assert.equal(await typed(), '');
  assert.deepEqual([await kept(), await member.$('.kept').count()], [0, 0], 'deleted');

  await member.field('text').fill(WORDS);
  const [own] = await member.page.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith('handbook-typed:')));
  const owner = own.split(':')[1];
  const keep = (name, days) =>
    member.page.evaluate(
      ([name, at]) => localStorage.setItem(name, JSON.stringify({ at })),
      [name, Date.now() - days * 86_400_000],
    );
  for (const name of ['typed:somebody:/x', 'quiz:somebody:X', 'desk:somebody:X']) await keep(`handbook-${name}`, 0);
  await keep(`handbook-quiz:${owner}:OLD`, 31);
  await member.open(address);
  await isBack('beside what others typed');
  assert.equal(await kept(), 1, 'expired text and that of other people is deleted');

  // Concurrent forms: the answer to one is not taken for the answer to another.
  await member.page.evaluate(() => {
    sessionStorage.setItem('handbook-sent', JSON.stringify([
      { mark: 'first', fields: ['handbook-typed:first'] },
      { mark: 'second', fields: ['handbook-typed:second'] },
      { mark: 'third', fields: ['handbook-typed:third'] },
    ]));
    for (const mark of ['first', 'second']) document.cookie = `handbook-typed-${mark}=taken; Path=/`;
  });
  await member.open(address);
  const onTheirWay = await member.page.evaluate(() => JSON.parse(sessionStorage.getItem('handbook-sent')).map(({ mark }) => mark));
  assert.deepEqual(onTheirWay, ['third']);

  await keep(`handbook-quiz:${owner}:X`, 0);
  await keep(`handbook-desk:${owner}:X`, 0);
  await member.open('/more');
  assert.equal(await kept(), 3, 'text of the same person stays');
  await member.submit(member.$('main form[action*="sign_out"] button'));
  await until('signing out deletes everything', async () => member.path === '/sign-in' && (await kept()) === 0);
}

/** The opinion is open in two windows: the second answer cannot be sent, stays for copying, and the first one is shown. */
async function answeredTwice(stage, script) {
  const given = `Chi ủy đã nhận. ${stamp(script)}`;
  const late = `Chi ủy sẽ trả lời sau. ${stamp(script)}`;
  const member = await stage.visitor({ as: 'member', script: false });
  await member.open(await invitationAddress(stage));
  await member.field('text').fill(`${WORDS} ${stamp(script)}`);
  await member.submit(member.sender('text'));
  const address = member.path.replace('/opinions/', '/branch/');

  const first = await stage.visitor({ as: 'secretary', script });
  const second = await stage.visitor({ as: 'secretary', script });
  await first.open(address);
  await second.open(address);
  await first.field('text').fill(given);
  await first.submit(first.sender('text'));
  await first.sees('main', { hasText: given });

  await second.field('text').fill(late);
  await second.submit(second.sender('text'));
  await second.sees('.notice-error', { hasText: feedback.answered_meanwhile });
  await second.sees('main .quote', { hasText: given });
  assert.equal(await second.field('unsent').inputValue(), late);
  assert.equal(await second.field('unsent').getAttribute('readonly'), '');
  assert.equal(await second.field('text').count(), 0, 'no text that cannot be sent');
}

async function invitationAddress(stage) {
  const member = await stage.visitor({ as: 'member', script: false });
  await member.open('/library');
  return `${await member.$('.row-link').first().getAttribute('href')}/opinion`;
}

/** Opens the page before writing from a document of the library; returns the document's title. */
async function openInvitation(visitor) {
  await visitor.open('/library');
  await visitor.follow(visitor.$('.row-link').first());
  const title = await visitor.heading();
  await visitor.follow(visitor.$('main a[href$="/opinion"]').first());
  await visitor.sees('main [name="text"]');
  return title;
}

/** A member sees who will read a text before writing it. */
async function audienceComesFirst(visitor) {
  const notice = visitor.$('main .notice', { hasText: feedback.who_reads_title }).first();
  await notice.waitFor();
  const field = await visitor.field('text').elementHandle();
  assert.ok(
    await notice.evaluate((told, field) => Boolean(told.compareDocumentPosition(field) & Node.DOCUMENT_POSITION_FOLLOWING), field),
    'who will read it stands before the field',
  );
}

async function summaryLeadsTo(visitor, name) {
  await visitor.$('.error-summary a').first().click();
  await until('the summary has led to the field', () => visitor.field(name).evaluate((field) => document.activeElement === field));
}

async function currentStep(visitor, word) {
  await visitor.sees('.steps [aria-current="step"]', { hasText: word });
}

/** Distinguishes the texts of the two runs. */
const stamp = (script) => (script ? '(có mã lệnh)' : '(không mã lệnh)');

export const tests = [
  ...bothWays('opinion: sent, received, seen and answered', sendAndAnswer),
  ...bothWays('opinion: the text survives the session', writtenAfterTheSession),
  ...bothWays('opinion: a second answer is not sent and not lost', answeredTwice),
  { name: 'opinion: unsent text is kept on the device', run: keptOnTheDevice },
  { name: 'opinion: the text survives the late start of the script', run: typedBeforeTheScript },
  { name: 'opinion: the text survives a lost connection', run: sentWithoutNetwork },
];
