// From an editor's first word to a reader of the own ward, and to nobody beyond.

import { strict as assert } from 'node:assert';

import { bothWays } from '../support/report.mjs';
import { fits, texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';

const { desk, problems } = texts('vi');

const BODY = `Ban biên tập xin thông báo **lịch mới** của nhà sinh hoạt.

## Giờ mở cửa

| Ngày | Giờ |
| --- | --- |
| Thứ Hai | 7:30 |
| Thứ Bảy | 8:00 |

- Mang theo thẻ
- Giữ vệ sinh chung

<script>document.title = 'hỏng'</script>
[Không bấm](javascript:alert(1))
`;

async function writeAndPublish(stage, script) {
  const title = `Thông báo lịch mở cửa nhà sinh hoạt khu phố ${script ? 'Đông' : 'Tây'}`;
  const editor = await stage.visitor({ as: 'editor', script });
  editor.expects(422);

  await editor.open('/desk');
  await editor.follow(editor.$('main a[href="/desk/new"]').first());
  await editor.field('kind').selectOption('news');
  await editor.field('body').fill(BODY);
  await editor.submit(editor.sender('body'));
  assert.equal((await editor.problems()).title, problems.required);
  assert.equal(await editor.field('body').inputValue(), BODY, 'the text is kept');

  await editor.field('title').fill(title);
  await editor.submit(editor.sender('body'));
  await until('the draft is stored', () => /^\/desk\/[0-9A-Z]{26}$/.test(editor.path));
  const draft = editor.path;
  await editor.sees('.phone-preview table');
  await harmless(editor, '.phone-preview');

  await editor.follow(editor.$(`main a[href="${draft}/publish"]`).first());
  assert.ok(fits(desk.publish_title, await editor.heading()), 'the question says how many it will reach');
  assert.ok((await editor.text()).includes(title), 'the question says what will go out');
  await editor.submit(editor.$('main form[action$="/publish"] button[type="submit"]'));
  await editor.sees('main .notice-ok');
  const address = draft.replace('/desk/', '/library/');

  const reader = await stage.visitor({ as: 'ward_member', script });
  await reader.open('/library');
  const row = reader.$(`.row-unread:has(.row-link[href="${address}"])`);
  await row.waitFor();
  assert.equal((await row.locator('.row-link').innerText()).trim(), title);
  await reader.follow(row.locator('.row-link'));
  await until('the document is shown', async () => (await reader.heading()) === title);
  await reader.sees('.prose table');
  await harmless(reader, '.prose');

  const outsider = await stage.visitor({ as: 'member', script });
  outsider.expects(404);
  const response = await outsider.open(address);
  assert.equal(response.status(), 404, 'who is not reached cannot know that it is there');
  assert.equal(await outsider.heading(), problems.not_found_title);
  await outsider.open('/library');
  assert.equal(await outsider.$(`.row-link[href="${address}"]`).count(), 0);
}

/** The script of the text is shown as text, its link leads nowhere. */
async function harmless(visitor, selector) {
  assert.equal(await visitor.$(`${selector} script`).count(), 0);
  assert.equal(await visitor.$(`${selector} a[href^="javascript:" i]`).count(), 0);
  assert.ok(!(await visitor.page.title()).includes('hỏng'));
}

/** Two windows on one draft: the later save does not overwrite the earlier one unseen, and loses nothing. */
async function twoEditors(stage, script) {
  const first = await stage.visitor({ as: 'editor', script });
  first.expects(422);
  await first.open('/desk/new');
  await first.field('title').fill(`Kế hoạch tập huấn ${script ? 'buổi sáng' : 'buổi chiều'}`);
  await first.field('body').fill('Bản đầu.');
  await first.submit(first.sender('body'));
  const draft = first.path;
  assert.match(draft, /^\/desk\/[0-9A-Z]{26}$/);

  const second = await stage.visitor({ as: 'editor', script });
  await second.open(draft);
  await second.field('body').fill('Bản của người thứ hai.');
  await second.submit(second.sender('body'));

  await first.field('body').fill('Bản của người thứ nhất.');
  await first.submit(first.sender('body'));
  assert.equal((await first.problems()).body, problems.stale);
  assert.equal(await first.field('body').inputValue(), 'Bản của người thứ nhất.');
  await second.reload();
  assert.equal(await second.field('body').inputValue(), 'Bản của người thứ hai.');

  await first.submit(first.sender('body'));
  await second.reload();
  assert.equal(await second.field('body').inputValue(), 'Bản của người thứ nhất.', 'after comparing, it can be saved');
}

async function onlyEditorsHaveADesk(stage, script) {
  const visitor = await stage.visitor({ as: 'member', script });
  visitor.expects(404);
  visitor.expects(403);
  for (const address of ['/desk', '/desk/new', '/branch', '/committee']) {
    const response = await visitor.open(address);
    assert.ok([403, 404].includes(response.status()), `${address} answered ${response.status()}`);
    assert.equal(await visitor.$(`nav a[href="${address}"]`).count(), 0, `${address} is not offered`);
  }
}

export const tests = [
  ...bothWays('publish: written, previewed, published to the own ward, hidden from others', writeAndPublish),
  ...bothWays('publish: two editors of one draft do not overwrite each other', twoEditors),
  ...bothWays('publish: who holds no office finds no desk', onlyEditorsHaveADesk),
];
