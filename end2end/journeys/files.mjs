// Files of a draft: uploaded over a broken connection, rejected, decided about, and finally opened on a member's phone.

import { strict as assert } from 'node:assert';

import { bothWays } from '../support/report.mjs';
import { fits, texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';
import { docx, mp3, pdf, png } from '../support/files.mjs';

const { files } = texts('vi');

const file = (name, buffer) => ({ name, mimeType: 'application/octet-stream', buffer });

/** A stored draft of the ward's editor; returns its address. */
export async function draftOf(editor, title) {
  await editor.open('/desk/new');
  await editor.field('title').fill(title);
  await editor.field('body').fill('Có tệp kèm theo.');
  await editor.submit(editor.sender('body'));
  await until('the draft is stored', () => /^\/desk\/[0-9A-Z]{26}$/.test(editor.path));
  return editor.path;
}

/** Chooses a file and uploads it; waits until the page shows the result. */
export async function send(editor, chosen) {
  const button = editor.$('main form:has(input[type="file"]) button[type="submit"]');
  await editor.$('main input[type="file"]').setInputFiles(chosen);
  if (editor.script) {
    await button.click();
    return;
  }
  await Promise.all([editor.page.waitForEvent('domcontentloaded'), button.click()]);
  await editor.settled();
}

const named = (editor, name) => editor.$('#files .file-name', { hasText: name });

async function fromDeskToPhone(stage, script) {
  const title = `Thông báo kèm tệp ${script ? 'buổi sáng' : 'buổi chiều'}`;
  const editor = await stage.visitor({ as: 'editor', script });
  editor.expects(422);
  const draft = await draftOf(editor, title);
  await editor.follow(editor.$(`main a[href="${draft}/files"]`).first());
  assert.ok((await editor.text()).includes(files.none_title));

  const content = pdf(`Thông báo số ${script ? 57 : 58}\nvề việc neo đậu tàu thuyền`);
  await send(editor, file('Thông báo.pdf', content));
  await until('the file is attached', async () => (await named(editor, 'Thông báo.pdf').count()) === 1);
  await editor.sees('#files img.file-picture');

  await send(editor, file('anh.png', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')));
  await until('an SVG is rejected under any name', async () => (await editor.text()).includes(files.refused_markup));
  if (!script) assert.equal((await editor.problems()).file, files.refused_markup);
  await editor.open(`${draft}/files`);
  assert.equal(await editor.$('#files .file').count(), 1);

  // A picture has no text that the guard could check: a person has to.
  assert.ok(!(await editor.text('#files')).includes(files.unseen));
  await send(editor, file('ban-ve.png', png()));
  await until('the picture is attached', async () => (await named(editor, 'ban-ve.png').count()) === 1);
  await editor.settled();
  const picture = editor.$('#files .desk-file', { has: editor.page.locator('.file-name', { hasText: 'ban-ve.png' }) });
  assert.equal(await picture.locator('.notice-warn', { hasText: files.unseen }).count(), 1);

  await decided(editor);

  const chief = await stage.visitor({ as: 'chief', script });
  await editor.open(`${draft}/review`);
  await editor.submit(editor.sender('reviewer'));
  await editor.open(`${draft}/files`);
  assert.equal(await editor.field('file').count(), 0, 'a text in review is read-only');
  await chief.open(`${draft}/publish`);
  assert.ok((await chief.text('[data-part="goes-out"]')).includes('Thông báo.pdf'), 'the approver sees the files');
  await chief.$('main [name="when"][value="now"]').check();
  await chief.submit(chief.sender('version'));
  await chief.sees('main .notice-ok');

  const reader = await stage.visitor({ as: 'ward_member', script });
  await reader.open(draft.replace('/desk/', '/library/'));
  const link = reader.$('main .file', { hasText: 'Thông báo.pdf' });
  const address = await link.getAttribute('href');
  const [download] = await Promise.all([reader.page.waitForEvent('download'), link.click()]);
  assert.equal(download.suggestedFilename(), 'Thông báo.pdf');
  const got = await reader.context.request.get(address, { headers: { range: 'bytes=0-7' } });
  assert.deepEqual([got.status(), (await got.body()).toString()], [206, '%PDF-1.7']);

  const outsider = await stage.visitor({ as: 'member', script });
  assert.equal((await outsider.context.request.get(address)).status(), 404, 'people outside the audience get nothing');
}

/** A file with a warning of the guard is not published until somebody gives a reason. */
async function decided(editor) {
  await send(editor, file('ke-hoach.docx', docx('TỐI MẬT\nKế hoạch tuần tra')));
  await editor.sees('#waiting .notice-warn');
  await editor.settled();
  assert.ok((await editor.text('#waiting')).includes(files.warning_secrecy));
  assert.equal(await named(editor, 'ke-hoach.docx').count(), 0, 'it is not attached to the text yet');
  const main = editor.$('#waiting .button:not(.button-quiet, .button-secondary, .button-danger)');
  const leads = await main.evaluateAll((buttons) => buttons.map((button) => new URL(button.form.action).pathname));
  assert.deepEqual(leads, ['/api/files/remove'], 'the safe way is the main button, and the only one');
  await editor.submit(editor.$('#waiting form[action$="/keep"] button'));
  assert.ok((await editor.problems()).reason, 'a decision has a reason');
  await editor.field('reason').fill('Đã giải mật theo quyết định ngày 01/11.');
  await editor.submit(editor.$('#waiting form[action$="/keep"] button'));
  await until('it is stored', async () => (await named(editor, 'ke-hoach.docx').count()) === 1);
  assert.ok((await editor.text('#files')).includes('Đã giải mật theo quyết định'));
  const removals = editor.$('#files form[action$="/remove"] button');
  await Promise.all([editor.page.waitForEvent('domcontentloaded'), removals.last().click()]);
  await until('it is removed', async () => (await named(editor, 'ke-hoach.docx').count()) === 0);
}

/** A file of several pieces; the connection breaks in the middle, and once more by closing the page. */
async function interrupted(stage) {
  const editor = await stage.visitor({ as: 'editor' });
  const draft = await draftOf(editor, 'Thông báo có tệp ghi âm');
  await editor.open(`${draft}/files`);
  const song = file('Bài hát quê hương.mp3', Buffer.concat([mp3(), Buffer.alloc(3_500_000, 7)]));

  let sent = 0;
  const offsets = [];
  await editor.page.route('**/files/uploads/*', (route, request) => {
    if (request.method() !== 'PATCH') return route.continue();
    sent += 1;
    offsets.push(Number(request.headers()['upload-offset']));
    // The connection breaks during the second piece.
    return sent === 2 ? route.abort('connectionreset') : route.continue();
  });
  editor.forgives('net::ERR_CONNECTION_RESET');
  await send(editor, song);
  await until('it resumes and is attached', async () => (await named(editor, song.name).count()) === 1);
  assert.deepEqual(offsets, [0, 1 << 20, 1 << 20, 2 << 20, 3 << 20], 'only the lost piece is sent twice');

  // The same with the page closed: the received pieces wait for the same file.
  const other = { ...song, name: 'Bài hát biển.mp3' };
  sent = 0;
  offsets.length = 0;
  await editor.page.unroute('**/files/uploads/*');
  await editor.page.route('**/files/uploads/*', (route, request) => {
    if (request.method() !== 'PATCH') return route.continue();
    sent += 1;
    return sent > 2 ? route.abort('connectionreset') : route.continue();
  });
  await send(editor, other);
  await until('the connection is down', async () => (await editor.text()).includes(files.offline));
  const again = await stage.visitor({ as: 'editor' });
  await again.open(`${draft}/files`);
  await again.sees('#uploads');
  const shown = await again.text('#uploads');
  assert.ok(shown.includes(other.name) && fits(files.open_so_far, shown.split('\n').find((line) => line.includes(' / '))?.trim() ?? ''), shown);
  await editor.page.unroute('**/files/uploads/*');
  await until('it is attached in the end', async () => (await named(editor, other.name).count()) === 1);
}

export const tests = [
  ...bothWays('files: attached, refused, decided about, downloaded by a member', fromDeskToPhone),
  { name: 'files: an interrupted upload resumes', run: interrupted },
];
