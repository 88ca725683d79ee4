// The editor at the desk: toolbar, shortcuts, pasting from Word, preview, unsaved text, two editors of one draft.

import { strict as assert } from 'node:assert';

import { violations } from '../support/axe.mjs';
import { DESKTOP } from '../support/browser.mjs';
import { bothWays } from '../support/report.mjs';
import { empty, fits, texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';

const { desk, problems, writing } = texts('vi');

const FIRST = 'Các khu phố treo cờ trước 17 giờ ngày 20.\n\nNhà sinh hoạt mở cửa cả ngày.';

/** The clipboard content of Word for a heading, a list and a table. */
const WORD = `<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style><!-- p.MsoNormal {margin:0} --></style></head><body>
<!--StartFragment--><h1>I. Phân công<o:p></o:p></h1>
<p class=MsoListParagraph style='mso-list:l0 level1 lfo1'><span style='mso-list:Ignore'>·<span>&nbsp;&nbsp;</span></span>Tổ <b>một</b> lo âm thanh</p>
<p class=MsoListParagraph style='mso-list:l0 level1 lfo1'><span style='mso-list:Ignore'>·<span>&nbsp;</span></span>Tổ hai lo ghế</p>
<table><tr><td><p>Việc</p></td><td><p>Người</p></td></tr><tr><td><p>Cờ</p></td><td><p>Chị Mai</p></td></tr></table>
<p><a href="javascript:alert(1)">xấu</a><img src=x onerror=alert(1)></p><!--EndFragment--></body></html>`;
const PASTED = `## I. Phân công

- Tổ **một** lo âm thanh
- Tổ hai lo ghế

| Việc | Người |
| --- | --- |
| Cờ | Chị Mai |

xấu`;

const area = (visitor) => visitor.field('body');
const text = (visitor) => area(visitor).inputValue();
const tool = (visitor, name) => visitor.$(`[role="toolbar"] [data-do="${name}"]`);
const status = (visitor) => visitor.$('[data-part="status"]');

/** A draft of the ward's editor, and its address. */
async function drafted(editor, title, body = FIRST) {
  await editor.open('/desk/new');
  await editor.field('title').fill(title);
  await area(editor).fill(body);
  await editor.submit(editor.sender('body'));
  await until('the draft is stored', () => /^\/desk\/[0-9A-Z]{26}$/.test(editor.path));
  return editor.path;
}

/** Selects a range of the text by its words. */
function select(visitor, words) {
  return area(visitor).evaluate((field, chosen) => {
    const from = field.value.indexOf(chosen);
    field.focus();
    field.setSelectionRange(from, from + chosen.length);
  }, words);
}

async function clean(visitor, what) {
  const found = await violations(visitor);
  assert.deepEqual(found.map(({ id, nodes }) => `${id}: ${nodes[0].target}`), [], what);
}

async function tools(stage) {
  const editor = await stage.visitor({ as: 'editor', size: DESKTOP });
  await editor.open('/desk/new');
  await editor.sees('[role="toolbar"]');
  await clean(editor, 'a new draft with its tools');

  await area(editor).fill('Kế hoạch ra quân');
  await select(editor, 'ra quân');
  await editor.page.keyboard.press('Control+b');
  assert.equal(await text(editor), 'Kế hoạch **ra quân**');
  await editor.page.keyboard.press('Control+b');
  assert.equal(await text(editor), 'Kế hoạch ra quân', 'the same key removes the markers');
  await editor.page.keyboard.press('Control+i');
  await editor.page.keyboard.press('Control+z');
  assert.equal(await text(editor), 'Kế hoạch ra quân', 'a tool can be undone');

  await tool(editor, 'heading').click();
  assert.equal(await text(editor), '## Kế hoạch ra quân');
  await area(editor).press('Control+End');
  await area(editor).press('Enter');
  await editor.page.keyboard.type('việc một');
  await tool(editor, 'numbers').click();
  await area(editor).press('Control+End');
  await area(editor).press('Enter');
  await editor.page.keyboard.type('việc hai');
  await area(editor).press('Enter');
  await area(editor).press('Enter');
  await editor.page.keyboard.type('hết');
  assert.equal(await text(editor), '## Kế hoạch ra quân\n1. việc một\n2. việc hai\nhết', 'lists continue, and end');

  await select(editor, 'hết');
  await editor.page.keyboard.press('Control+k');
  await editor.page.keyboard.type('https://vi.du');
  assert.ok((await text(editor)).endsWith('[hết](https://vi.du)'), 'the address is selected');
  await area(editor).press('Control+End');
  await tool(editor, 'footnote').click();
  await editor.page.keyboard.type('nguồn');
  assert.ok((await text(editor)).endsWith('[hết](https://vi.du)[^1]\n\n[^1]: nguồn'));

  // One tab stop; arrow keys move between tools.
  await tool(editor, 'heading').focus();
  await editor.page.keyboard.press('ArrowRight');
  assert.equal(await editor.page.evaluate(() => document.activeElement.dataset.do), 'subheading');
  await editor.page.keyboard.press('End');
  await editor.page.keyboard.press('ArrowRight');
  assert.equal(await editor.page.evaluate(() => document.activeElement.dataset.do), 'heading');
  assert.equal(await editor.$('[role="toolbar"] button[tabindex="0"]').count(), 1);

  // Shown as members will see it, before it is saved.
  await editor.sees('[data-part="preview"] .prose h2');
  await editor.sees('[data-part="preview"] .prose ol li');
  await until('the reading time is shown', async () => fits(writing.count, await editor.$('[data-part="count"]').innerText()));
  await until('the server has stored it', async () => fits(writing.kept, await status(editor).innerText()));
}

async function pasting(stage) {
  const editor = await stage.visitor({ as: 'editor', size: DESKTOP });
  await editor.open('/desk/new');
  await area(editor).fill('Trước\n\n');
  await area(editor).press('Control+End');
  const paste = (html, plain) =>
    area(editor).evaluate(
      (field, [html, plain]) => {
        const data = new DataTransfer();
        if (html) data.setData('text/html', html);
        data.setData('text/plain', plain);
        const event = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
        // A real paste without `preventDefault` inserts the plain text.
        if (field.dispatchEvent(event)) document.execCommand('insertText', false, plain);
      },
      [html, plain],
    );
  await paste(WORD, 'chữ');
  await until('it is converted', async () => (await status(editor).innerText()) === writing.converted);
  assert.equal(await text(editor), `Trước\n\n${PASTED}`);
  await editor.sees('[data-part="preview"] table');
  assert.equal(await editor.$('[data-part="preview"] a[href^="javascript"], [data-part="preview"] img').count(), 0);

  await area(editor).fill('');
  await tool(editor, 'rich').click();
  assert.equal(await tool(editor, 'rich').getAttribute('aria-pressed'), 'false');
  await area(editor).focus();
  await paste(WORD, 'chỉ chữ');
  assert.equal(await text(editor), 'chỉ chữ');
  await until('the server has stored it', async () => fits(writing.kept, await status(editor).innerText()));
}

async function kept(stage) {
  const editor = await stage.visitor({ as: 'editor' });
  const address = await drafted(editor, 'Thông báo treo cờ');
  await area(editor).fill(`${FIRST}\n\nTổ dân phố nhắc nhau.`);
  await until('the server has stored it', async () => fits(writing.kept, await status(editor).innerText()));
  // The window is closed without a warning.
  await editor.page.close();

  const later = await stage.visitor({ as: 'editor', script: false });
  await later.open(address);
  assert.ok(fits(writing.unsaved, await later.$('main .notice-warn .notice-title').first().innerText()));
  assert.equal(await text(later), FIRST, 'the draft is what was saved');
  await later.follow(later.$(`main a[href="${address}?resume=1"]`));
  assert.equal(await text(later), `${FIRST}\n\nTổ dân phố nhắc nhau.`);
  await later.submit(later.sender('body'));
  await later.sees('main .notice-ok');
  await later.open(address);
  assert.equal(await later.$('main .notice-warn:visible').count(), 0, 'nothing is offered any more');
  assert.equal(await text(later), `${FIRST}\n\nTổ dân phố nhắc nhau.`);

  // Without a connection, the device keeps the text.
  const offline = await stage.visitor({ as: 'editor' });
  await offline.open(address);
  await offline.page.route('**/api/documents/*', (route) => route.abort('internetdisconnected'));
  offline.troubles.length = 0;
  await area(offline).fill('Viết lúc mất mạng');
  await until('the device has stored it', async () => {
    return (await status(offline).innerText()).startsWith(writing.only_here.split(' {')[0]);
  });
  offline.troubles.length = 0;
  await offline.page.unroute('**/api/documents/*');
  const again = await offline.context.newPage();
  await again.goto(address, { waitUntil: 'load' });
  await again.locator('[data-part="here"]').waitFor({ state: 'visible' });
  await again.locator('[data-part="here"] button[value="use"]').click();
  assert.equal(await again.locator('[name="body"]').inputValue(), 'Viết lúc mất mạng');
  await again.locator('form:has([name="body"]) button[type="submit"]:not([value="review"])').last().click();
  await again.locator('main .notice-ok').waitFor();
  assert.equal(await again.locator('[data-part="here"]:visible').count(), 0);
  assert.deepEqual(await again.evaluate(() => Object.keys(localStorage)), [], 'the device deletes saved text');
}

async function twoEditors(stage, script) {
  const title = `Lịch trực tuần ${script ? 'này' : 'sau'}`;
  const editor = await stage.visitor({ as: 'editor', script, size: DESKTOP });
  editor.expects(422);
  const address = await drafted(editor, title);
  await editor.open(address);
  assert.equal(await editor.$('[data-part="others"]:visible').count(), 0);

  const chief = await stage.visitor({ as: 'chief', script, size: DESKTOP });
  await chief.open(address);
  const name = stage.account('editor').name;
  assert.ok((await chief.text('[data-part="others"]')).includes(name), 'the second editor is warned');
  await area(chief).fill(FIRST.replace('17 giờ', '16 giờ'));
  await chief.submit(chief.sender('body'));
  await chief.sees('main .notice-ok');

  const typed = FIRST.replace('cả ngày', 'buổi tối');
  await area(editor).fill(typed);
  await editor.submit(editor.sender('body'));
  assert.equal((await editor.problems()).body, problems.stale);
  assert.equal(await text(editor), typed, 'what was typed is still there');
  assert.equal(await editor.$('.diff del').first().innerText().then((words) => words.includes('16')), true);
  const added = await editor.$('.diff ins').allInnerTexts();
  assert.ok(added.some((words) => words.includes('17')) && added.some((words) => words.includes('buổi tối')), 'both texts are shown');
  if (script) await clean(editor, 'the conflict');
  await area(editor).fill(typed.replace('17 giờ', '16 giờ'));
  await editor.submit(editor.sender('body'));
  await editor.sees('main .notice-ok');
  assert.equal(await text(editor), typed.replace('17 giờ', '16 giờ'));
}

/** Stored text has no trailing whitespace: that difference alone does not offer the typed text again. */
async function savedOnce(stage) {
  const editor = await stage.visitor({ as: 'editor' });
  await drafted(editor, 'Thông báo họp tổ', `${FIRST}\n\n`);
  await editor.sees('[role="toolbar"]');
  assert.equal(await text(editor), FIRST);
  assert.equal(await editor.$('[data-part="here"]:visible').count(), 0, 'saved text is not offered as unsaved');
}

async function plainForm(stage) {
  const editor = await stage.visitor({ as: 'editor', script: false });
  editor.expects(422);
  const address = await drafted(editor, 'Biên bản họp tổ');
  assert.equal(await editor.$('[role="toolbar"]:visible').count(), 0, 'no tools without effect');
  assert.equal(await editor.$('[data-part="here"]:visible, [data-part="newer"]:visible').count(), 0);
  // An invalid file; the choice what happens to the existing text comes first.
  const send = async (mode) => {
    if (mode) await editor.field('mode').and(editor.$(`[value="${mode}"]`)).check();
    await editor.field('file').setInputFiles({ name: 'a.docx', mimeType: 'application/octet-stream', buffer: Buffer.from('PK') });
    await editor.submit(editor.sender('file'));
  };
  await send();
  assert.equal((await editor.problems()).mode, empty(writing.docx_mode));
  await send('append');
  assert.equal((await editor.problems()).file, problems.unreadable);
  assert.equal(editor.path, address);
  assert.equal(await text(editor), FIRST);
  assert.equal(desk.body, (await editor.$('label[for="body"]').innerText()).trim());
}

export const tests = [
  { name: 'desk: tools and keys', run: tools },
  { name: 'desk: pasting from Word', run: pasting },
  { name: 'desk: unsaved text is kept', run: kept },
  { name: 'desk: saved text is not offered again', run: savedOnce },
  ...bothWays('desk: two editors at one draft', twoEditors),
  { name: 'desk: the plain form', run: plainForm },
];
