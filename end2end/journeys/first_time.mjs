// A person who has never seen the desk publishes a resolution with a PDF; a member finds it despite typing errors, reads and
// prints it.
//
// Both use only what is visible: names of links, buttons and fields.

import { strict as assert } from 'node:assert';

import { DESKTOP } from '../support/browser.mjs';
import { pdf } from '../support/files.mjs';
import { pagesOf, paperOf } from '../support/pdf.mjs';
import { bothWays } from '../support/report.mjs';
import { empty, texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';

const { desk, files, frame, reading, terms } = texts('vi');

const BODY = `Căn cứ tình hình thực tế của địa phương.

## Mục tiêu

Đến năm 2030, mọi hộ nuôi lồng bè có phao tiêu và đèn báo.

## Tổ chức thực hiện

1. Chi ủy phổ biến đến từng đảng viên.
2. Báo cáo kết quả trước ngày 15 hằng tháng.
`;

async function firstTime(stage, script) {
  const [number, place] = script ? ['31-NQ/ĐU', 'Vũng Chùa'] : ['32-NQ/ĐU', 'Vũng Rô'];
  const title = `Nghị quyết về phát triển nghề nuôi lồng bè ${place}`;
  const editor = await stage.visitor({ as: 'editor', script, size: DESKTOP });
  const draft = await written(editor, { number, title });
  await provided(editor, number);

  // Whom it is for, and how many they are, is told before it is sent and before it goes out.
  await press(editor, 'button', desk.save_and_submit);
  await until('the page that asks who shall review it is there', () => editor.path === `${draft}/review`);
  const reached = (await editor.$('main strong', { hasText: /\d/ }).first().innerText()).trim();
  assert.match(reached, /\d+ \S+.*\d+ \S+/, 'members and branches');
  await press(editor, 'button', desk.submit);
  await editor.sees('main .notice-ok');

  const chief = await stage.visitor({ as: 'chief', script, size: DESKTOP });
  await chief.open('/');
  await press(chief, 'link', frame.desk, 'body');
  await press(chief, 'link', title);
  await press(chief, 'link', desk.go_approve);
  assert.ok((await chief.text()).includes(reached), 'the same people as the author was told');
  chief.expects(422);
  await chief.submit(chief.sender('version'));
  assert.equal((await chief.problems()).when, empty(desk.when), 'a quick press publishes nothing');
  await chief.$('main [name="when"][value="now"]').check();
  await chief.submit(chief.sender('version'));
  await chief.sees('main .notice-ok');

  await readOnAPhone(await stage.visitor({ as: 'ward_member', script }), { number, title, place });
  const beyond = await stage.visitor({ as: 'member', script });
  beyond.expects(404);
  assert.equal((await beyond.open(draft.replace('/desk/', '/library/'))).status(), 404, 'who is not in the subtree');
}

/** From the first page to a stored draft, with missing fields corrected. Returns its address. */
async function written(editor, { number, title }) {
  editor.expects(422);
  await editor.open('/');
  await press(editor, 'link', frame.desk, 'body');
  await press(editor, 'link', desk.new_document);
  const field = (name) => editor.page.getByRole('main').getByLabel(name, { exact: false }).first();
  await editor.$('main summary', { hasText: desk.more }).click();
  await field(desk.kind).selectOption({ label: terms.resolution });
  await field(desk.number).fill(number);
  await field(desk.body).fill(BODY);
  await editor.submit(editor.sender('body'));
  assert.equal((await editor.problems()).title, empty(desk.title), 'a resolution has a title');
  await field(desk.title).fill(title);
  await editor.submit(editor.sender('body'));
  await until('the draft is stored', () => /^\/desk\/[0-9A-Z]{26}$/.test(editor.path));
  return editor.path;
}

/** Attaches a PDF. */
async function provided(editor, number) {
  await press(editor, 'link', files.title);
  const name = 'Nghị quyết (bản ký).pdf';
  const buffer = pdf(`Nghị quyết số ${number}\nĐèn chớp vàng cho phao tiêu`);
  await editor.$('main input[type="file"]').setInputFiles({ name, mimeType: 'application/pdf', buffer });
  const send = editor.$('main form:has(input[type="file"]) button[type="submit"]');
  if (editor.script) await send.click();
  else await Promise.all([editor.page.waitForEvent('domcontentloaded'), send.click()]);
  await editor.sees('#files .file-name', { hasText: name });
  await editor.settled();
  await editor.follow(editor.$('main nav a[href^="/desk/"]').last());
}

/** On a phone, without tone marks, with a typing error: "nuoi lobg be". */
async function readOnAPhone(reader, { number, title, place }) {
  for (const typed of [`nghi quyet nuoi lonh be ${place === 'Vũng Rô' ? 'vung ro' : 'vung chua'}`, number.toLowerCase().replace('đ', 'd')]) {
    await until(`"${typed}" finds it`, async () => {
      await reader.open('/library');
      await reader.field('q').fill(typed);
      await reader.submit(reader.$('main form.search .button, main form[role="search"] .button').first());
      return (await reader.$('main .row-link').allInnerTexts()).slice(0, 3).some((found) => found.trim() === title);
    });
  }
  await until('the words of the PDF find it too', async () => {
    await reader.open(`/search?q=${encodeURIComponent(`den chop vang ${number}`)}`);
    return (await reader.$('main .row-link').allInnerTexts()).some((found) => found.trim() === title);
  });
  await reader.follow(reader.page.getByRole('main').getByRole('link', { name: title }).first());
  await until('the document is shown', async () => (await reader.heading()) === title);
  assert.ok((await reader.text()).includes('phao tiêu và đèn báo'));
  await reader.sees('main .file', { hasText: 'Nghị quyết (bản ký).pdf' });

  if (reader.script) {
    await reader.page.evaluate(() => {
      window.print = () => (window.printed = true);
    });
    await until('the script is loaded', () => reader.page.evaluate(() => document.documentElement.dataset.reading === 'true'));
    await reader.page.getByRole('button', { name: reading.print }).click();
    assert.ok(await reader.page.evaluate(() => window.printed), 'the button prints');
  }
  const printed = await reader.page.pdf({ preferCSSPageSize: true });
  assert.deepEqual(paperOf(printed), [210, 297], 'A4');
  const pages = pagesOf(printed);
  assert.ok(pages[0].includes(number) && pages.at(-1).includes(`${pages.length}/${pages.length}`), pages.join('\n'));
}

/** Follows or presses the element with this name. */
async function press(visitor, role, name, within = 'main') {
  const named = visitor.page.locator(within).getByRole(role, { name, exact: false }).filter({ visible: true }).first();
  if (role === 'link') await visitor.follow(named);
  else await visitor.submit(named);
}

export const tests = bothWays('first time: a resolution with a PDF, from a new editor to a printed page', firstTime);
