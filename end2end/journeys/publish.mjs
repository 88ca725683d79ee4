// From an editor's draft to a reader of the own ward, and to nobody outside.

import { strict as assert } from 'node:assert';

import { inDays, inVietnam } from '../support/clock.mjs';
import { bothWays } from '../support/report.mjs';
import { empty, fits, number, texts } from '../support/texts.mjs';
import { findUnit, plain } from '../support/units.mjs';
import { until } from '../support/wait.mjs';

const { desk, documents, problems, writing } = texts('vi');

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
  await unfold(editor);
  await editor.field('kind').selectOption('news');
  await editor.field('body').fill(BODY);
  await editor.submit(editor.sender('body'));
  assert.equal((await editor.problems()).title, empty(desk.title));
  assert.equal(await editor.field('body').inputValue(), BODY, 'the text is kept');

  await editor.field('title').fill(title);
  await editor.submit(editor.sender('body'));
  await until('the draft is stored', () => /^\/desk\/[0-9A-Z]{26}$/.test(editor.path));
  const draft = editor.path;
  await editor.sees('.phone-preview table');
  await harmless(editor, '.phone-preview');

  await editor.submit(editor.$('main button[name="then"][value="review"]'));
  await until('the page that asks who shall review it is there', () => editor.path === `${draft}/review`);
  await editor.submit(editor.sender('reviewer'));
  await until('the draft was sent', () => editor.path === draft);
  assert.equal(await editor.field('body').count(), 0, 'a text in review is read-only');

  // The chief editor of the province reads it, remarks on a passage and requests a change.
  const chief = await stage.visitor({ as: 'chief', script });
  chief.expects(422);
  await chief.open(`${draft}/review`);
  await harmless(chief, '.phone-preview');
  await remarkOnAPassage(chief, script);
  await chief.submit(chief.sender('reason'));
  assert.equal((await chief.problems()).reason, empty(desk.reason), 'a request for changes needs a reason');
  await chief.field('reason').fill('Nêu rõ ngày áp dụng.');
  await chief.submit(chief.sender('reason'));
  await until('it was sent back', () => chief.path === '/desk');

  await editor.open(draft);
  assert.ok((await editor.text()).includes('Nêu rõ ngày áp dụng.'), 'the reason is shown in the editor');
  await editor.field('body').fill(`${BODY}\n\nÁp dụng từ ngày 01/12.`);
  await editor.submit(editor.sender('body'));
  await editor.open(`${draft}/review`);
  await editor.submit(editor.$('.remark form button'));
  await editor.sees('.remark-settled');
  await editor.submit(editor.sender('reviewer'));
  await until('the draft was sent again', () => editor.path === draft);
  assert.equal(await editor.$(`main a[href="${draft}/publish"]`).count(), 0, 'authors do not approve');

  await chief.open(draft);
  await chief.follow(chief.$(`main a[href="${draft}/publish"]`).first());
  assert.ok(fits(desk.publish_title, await chief.heading()), 'the confirmation shows the reach');
  assert.ok((await chief.text()).includes(title), 'the confirmation shows what will be published');
  await chief.$('main [name="when"][value="later"]').check();
  await chief.field('at').fill(inVietnam(Date.now() - 86_400_000));
  await chief.submit(chief.sender('version'));
  assert.equal((await chief.problems()).at, problems.over, 'a past time is asked for again');
  assert.match(await chief.field('at').inputValue(), /^\d\d\/\d\d\/\d{4} \d\d:\d\d$/, 'in a common format');
  assert.notEqual(await chief.$('output[for="at"]').innerText(), '', 'with its weekday');
  if (script) {
    await chief.field('at').fill('21-11-2026 7:30');
    assert.equal(await chief.$('output[for="at"]').innerText(), 'Thứ Bảy, 21/11/2026', 'which is shown while typing');
  }
  await chief.$('main [name="when"][value="now"]').check();
  await chief.submit(chief.sender('version'));
  await chief.sees('main .notice-ok');
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

  await correctAndWithdraw({ editor, chief, reader }, draft, address, script);

  const outsider = await stage.visitor({ as: 'member', script });
  outsider.expects(404);
  const response = await outsider.open(address);
  assert.equal(response.status(), 404, 'not found outside the audience');
  assert.equal(await outsider.heading(), problems.not_found_title);
  await outsider.open('/library');
  assert.equal(await outsider.$(`.row-link[href="${address}"]`).count(), 0);
}

/** Opens the particulars that most documents do not need. */
async function unfold(editor) {
  if (!(await editor.field('number').isVisible())) await editor.$('main details:has([name="number"]) > summary').click();
}

/** With script a passage is selected in the text; without, it is chosen from a list. Nobody copies it. */
async function remarkOnAPassage(chief, script) {
  const passage = 'Mang theo thẻ';
  if (script) {
    await chief.page.evaluate((words) => {
      const item = [...document.querySelectorAll('.phone-preview li')].find((found) => found.textContent.trim() === words);
      getSelection().selectAllChildren(item);
    }, passage);
    await chief.$('.passage-button').click();
    assert.equal(await chief.field('quote').inputValue(), passage);
  } else {
    await chief.field('passage').selectOption(passage);
  }
  await chief.field('text').fill('Từ ngày nào?');
  await chief.submit(chief.sender('text'));
  await chief.sees('.remark blockquote', { hasText: passage });
}

/** Writes a text and sends it to review; returns its address at the desk. */
async function sent(editor, title, body) {
  await editor.open('/desk/new');
  await editor.field('title').fill(title);
  await editor.field('body').fill(body);
  // The button next to "save" saves too.
  await editor.submit(editor.$('main button[name="then"][value="review"]'));
  await until('the page that selects the reviewer is shown', () => /^\/desk\/[0-9A-Z]{26}\/review$/.test(editor.path));
  const draft = editor.path.replace('/review', '');
  await editor.submit(editor.sender('reviewer'));
  await until('the draft was sent', () => editor.path === draft);
  return draft;
}

async function approve(chief, draft) {
  await chief.open(`${draft}/publish`);
  await chief.$('main [name="when"][value="now"]').check();
  await chief.submit(chief.sender('version'));
}

/** Starts a correction and sends it. */
async function correct(editor, draft, body, correction, particulars = {}) {
  await editor.open(draft);
  await editor.submit(editor.$('main form[action$="/revise"] button'));
  await editor.sees('[name="body"]');
  await editor.field('body').fill(body);
  await editor.field('correction').fill(correction);
  await unfold(editor);
  for (const name in particulars) await editor.field(name).fill(particulars[name]);
  await editor.submit(editor.$('main button[name="then"][value="review"]'));
  await until('it can be sent', () => editor.path === `${draft}/review`);
  await editor.submit(editor.sender('reviewer'));
  await until('the correction was sent', () => editor.path === draft);
}

/** A correction waits for approval while the document is withdrawn: it is published again only by an explicit decision. */
async function withdrawnMeanwhile(stage, script) {
  const title = `Thông báo cắt nước tổ ${script ? 'Bốn' : 'Năm'}`;
  const editor = await stage.visitor({ as: 'editor', script });
  const chief = await stage.visitor({ as: 'chief', script });
  const draft = await sent(editor, title, 'Cắt nước lúc 7 giờ.');
  await approve(chief, draft);
  const address = draft.replace('/desk/', '/library/');
  const reader = await stage.visitor({ as: 'ward_member', script });
  // The open page reports reading a document that was withdrawn meanwhile.
  reader.expects(404);
  await reader.open(address);
  await correct(editor, draft, 'Cắt nước lúc 9 giờ.', 'Sửa giờ cắt nước.');

  // One window shows the approval; in another one the document is withdrawn.
  const open = await stage.visitor({ as: 'chief', script });
  open.expects(403);
  await open.open(`${draft}/publish`);
  await open.$('main [name="when"][value="now"]').check();
  await chief.open(`${draft}?withdraw=1`);
  assert.ok((await chief.text()).includes(desk.withdraw_recalls), 'the republication is announced before');
  await chief.field('reason').fill('Không cắt nước nữa.');
  await chief.submit(chief.sender('reason'));
  await chief.sees('main .notice-warn', { hasText: 'Không cắt nước nữa.' });
  await open.submit(open.sender('version'));
  assert.equal(await open.heading(), problems.not_allowed_title, 'the older window approves nothing');

  await reader.open(address);
  assert.ok(!(await reader.text()).includes('Cắt nước lúc 9 giờ'), 'it was not republished');
  await reader.open('/library');
  assert.equal(await reader.$(`.row-link[href="${address}"]`).count(), 0);

  // Its editor is notified and sends it again; the approval says that it is republished, and requires a note.
  await editor.open(draft);
  assert.ok((await editor.text()).includes(desk.held_withdrawn), 'the reason why it is back at the desk');
  assert.equal(await editor.field('body').inputValue(), 'Cắt nước lúc 9 giờ.');
  await editor.open(`${draft}/review`);
  await editor.submit(editor.sender('reviewer'));
  chief.expects(422);
  await chief.open(`${draft}/publish`);
  assert.ok(fits(desk.republish_title, await chief.heading()), 'the confirmation says that it is republished');
  assert.ok((await chief.text()).includes('Không cắt nước nữa.'), 'and why it was withdrawn');
  await chief.$('main [name="when"][value="now"]').check();
  await chief.submit(chief.sender('version'));
  assert.equal((await chief.problems()).again, empty(desk.again));
  await chief.$('main [name="when"][value="now"]').check();
  await chief.field('again').check();
  await chief.submit(chief.sender('version'));
  await chief.sees('main .notice-ok');
  await reader.open(address);
  const text = await reader.text();
  assert.ok(text.includes('Cắt nước lúc 9 giờ') && text.includes('Sửa giờ cắt nước.'), 'it is republished with the note');
}

/** An approval covers what was shown: the difference, the particulars, and nothing that was saved since. */
async function whatIsShown(stage, script) {
  const title = `Thông báo phun thuốc muỗi ${script ? 'đợt một' : 'đợt hai'}`;
  const editor = await stage.visitor({ as: 'editor', script });
  const chief = await stage.visitor({ as: 'chief', script });
  const draft = await sent(editor, title, 'Phun lúc 7 giờ sáng thứ Hai.');
  await approve(chief, draft);
  const address = draft.replace('/desk/', '/library/');
  const reader = await stage.visitor({ as: 'ward_member', script });
  await reader.open(address);
  await reader.saysRead();

  const signer = 'Nguyễn Thị Lài, Bí thư';
  const readBy = inDays(20).split('-').reverse().join('/');
  await correct(editor, draft, 'Phun lúc 8 giờ sáng thứ Hai.', 'Sửa giờ phun.', { signer, must_read_by: readBy });
  chief.expects(422);
  for (const page of [`${draft}/review`, `${draft}/publish`]) {
    await chief.open(page);
    const shown = await chief.text('[data-part="goes-out"]');
    assert.ok(shown.includes(signer) && shown.includes('Sửa giờ phun.'), `${page} shows all that goes out: ${shown}`);
    assert.ok(shown.includes(desk.must_read_by) && shown.includes(readBy), `${page} shows by when it must be read: ${shown}`);
    assert.ok((await chief.$('.diff del').first().innerText()).includes('7'), `${page} shows what it was`);
    assert.ok((await chief.$('.diff ins').first().innerText()).includes('8'), `${page} shows what it becomes`);
  }

  // While the approval page is open, the text is recalled, changed and sent again.
  await editor.open(draft);
  await editor.submit(editor.$('main form[action$="/recall"] button'));
  await editor.sees('[name="body"]');
  await editor.field('body').fill('Phun lúc 9 giờ sáng thứ Hai.');
  await unfold(editor);
  await editor.field('must_read_by').fill('');
  await editor.submit(editor.$('main button[name="then"][value="review"]'));
  await editor.submit(editor.sender('reviewer'));
  await chief.$('main [name="when"][value="now"]').check();
  await chief.submit(chief.sender('version'));
  await chief.sees('.error-summary', { hasText: problems.stale });
  await chief.open(`${draft}/publish`);
  assert.ok((await chief.$('.diff ins').first().innerText()).includes('9'));
  await chief.$('main [name="when"][value="now"]').check();
  await chief.submit(chief.sender('version'));
  await chief.sees('main .notice-ok');

  // Members who had read the wrong text are notified until they open the right one.
  await reader.open('/library');
  const row = reader.$(`.row:has(.row-link[href="${address}"])`);
  await row.filter({ hasText: documents.corrected }).waitFor();
  await reader.open(address);
  assert.ok((await reader.text()).includes('Phun lúc 9 giờ'));
  // They had confirmed reading another text.
  await reader.saysRead();
  await reader.open('/library');
  await row.waitFor();
  assert.ok(!(await row.innerText()).includes(documents.corrected));
}

/** A text for one branch of the ward, and one for all but that branch: who is not addressed does not learn of it. */
async function someUnits(stage, script) {
  const editor = await stage.visitor({ as: 'editor', script });
  const chief = await stage.visitor({ as: 'chief', script });
  const reader = await stage.visitor({ as: 'ward_member', script });
  reader.expects(404);
  const { unit } = stage.account('ward_member');
  for (const isTheirs of [true, false]) {
    const title = `Phân công trực ${isTheirs ? 'nhà văn hóa' : 'bến xe'} ${script ? 'tháng Mười Hai' : 'tháng Một'}`;
    await editor.open('/desk/new');
    await editor.field('title').fill(title);
    await editor.$('main [data-part="parts"] > summary').click();
    const [row, name] = await findUnit(editor, script, unit);
    assert.equal(await editor.field('title').inputValue(), title, 'a search keeps what was typed');
    const way = isTheirs ? 'parts' : 'except';
    const box = row.locator(`input[name="${way}[]"]`);
    const value = await box.getAttribute('value');
    await box.check();
    const chosen = editor.$(`main fieldset[id="${way}"] input[value="${value}"]`);
    if (script) {
      const said = () => editor.text('[data-part="reach"]');
      await until('the reach is shown at once', async () => fits(desk.reach_now, await said()));
      if (isTheirs) assert.equal(number((await said()).split('ở').at(-1)), 1, 'one branch');
    } else {
      await editor.submit(editor.$('main button[name="then"][value="find"]'));
      assert.ok(fits(desk.reach_now, (await editor.text('[data-part="audience"] > .small.muted')).trim()), 'the reach comes with the page');
      assert.ok(await chosen.isChecked(), 'the choice comes back');
    }
    await editor.field('body').fill('Trực từ 7 giờ.');
    await editor.submit(editor.sender('body'));
    await until('the draft is stored', () => /^\/desk\/[0-9A-Z]{26}$/.test(editor.path));
    const draft = editor.path;
    assert.ok(await chosen.isChecked(), 'the choice is shown again');
    await editor.open(`${draft}/review`);
    const named = plain(await editor.text('[data-part="goes-out"]')).split(name).length - 1;
    assert.equal(named, 1, 'the page of the review names the unit, once');
    await editor.submit(editor.sender('reviewer'));
    await chief.open(`${draft}/publish`);
    assert.ok(plain(await chief.text('[data-part="goes-out"]')).includes(name), 'and so does the approval page');
    await approve(chief, draft);

    const address = draft.replace('/desk/', '/library/');
    const response = await reader.open(address);
    assert.equal(response.status(), isTheirs ? 200 : 404);
    await reader.open('/library');
    assert.equal(await reader.$(`.row-link[href="${address}"]`).count(), isTheirs ? 1 : 0);
    const isFound = async () => {
      await reader.open(`/search?q=${encodeURIComponent(title)}`);
      return (await reader.$(`main a[href^="${address}"]`).count()) > 0;
    };
    if (isTheirs) await until('it is found', isFound);
    else assert.ok(!(await isFound()), 'nor in the search');
  }
}

/** A picker is used without a mouse: the search, the results, a whole level. */
async function pickedByKeyboard(stage) {
  const editor = await stage.visitor({ as: 'editor' });
  const { unit } = stage.account('ward_member');
  await editor.open('/desk/new');
  await editor.$('main [data-part="parts"] > summary').press('Enter');
  await findUnit(editor, true, unit);
  await editor.field('find').press('Enter');
  assert.equal(editor.path, '/desk/new', 'Enter in the search field saves nothing');
  await editor.field('find').press('ArrowDown');
  await editor.page.keyboard.press('Space');
  const said = () => editor.text('[data-part="reach"]');
  await until('the reach is shown', async () => fits(desk.reach_now, await said()));
  const first = editor.$('main .picker-row input[name="parts[]"]').first();
  assert.ok(await first.isChecked(), 'the first result is ticked');
  const saysNone = (way) => editor.$(`main fieldset[id="${way}"] [data-part="none"]`).isVisible();
  assert.deepEqual([await saysNone('parts'), await saysNone('except')], [false, true], 'the words for none follow the ticks');
  await first.locator('xpath=ancestor::li').locator('input[name="except[]"]').check();
  assert.ok(!(await first.isChecked()), 'a unit is included or excluded, not both');
  assert.deepEqual([await saysNone('parts'), await saysNone('except')], [true, false], 'the words for none follow the ticks');
  await first.check();

  // Another search keeps it among the selected ones.
  const value = await first.getAttribute('value');
  await editor.field('find').fill('');
  await editor.sees(`main fieldset[id="parts"] input[value="${value}"]`);
  const before = await said();
  const level = editor.$('main [id="parts-level"]');
  await level.focus();
  await editor.page.keyboard.press('Space');
  await until('a whole level reaches more', async () => (await said()) !== before && fits(desk.reach_now, await said()));
}

/** The error for a used number links to the document that has it. */
async function numberTaken(stage, script) {
  const number = script ? '91-TB/ĐU' : '92-TB/ĐU';
  const editor = await stage.visitor({ as: 'editor', script });
  editor.expects(422);
  const drafts = [];
  for (const title of [`Thông báo tiêm phòng ${number}`, `Thông báo khám mắt ${number}`]) {
    await editor.open('/desk/new');
    await editor.field('title').fill(title);
    await editor.field('body').fill('Đúng giờ.');
    await unfold(editor);
    await editor.field('number').fill(number);
    await editor.submit(editor.sender('body'));
    drafts.push(editor.path);
  }
  assert.equal((await editor.problems()).number, problems.number_taken);
  await editor.follow(editor.$(`main .notice a[href="${drafts[0]}"]`));
  assert.equal(await editor.field('title').inputValue(), `Thông báo tiêm phòng ${number}`);
}

/** A mistake is corrected while the old text stays published; then the document is withdrawn, with the reason. */
async function correctAndWithdraw({ editor, chief, reader }, draft, address, script) {
  reader.expects(404);
  await editor.open(draft);
  await editor.submit(editor.$('main form[action$="/revise"] button'));
  await editor.sees('[name="body"]');
  await editor.field('body').fill('Nhà sinh hoạt mở cửa **cả Chủ nhật**.');
  await editor.submit(editor.sender('body'));
  assert.equal((await editor.problems()).correction, empty(desk.correction), 'a correction needs a note');
  await editor.field('correction').fill('Thêm ngày Chủ nhật.');
  await editor.submit(editor.sender('body'));
  await until('the correction is stored', () => editor.place === `${draft}?saved=1`);
  await reader.open(address);
  assert.ok(!(await reader.text()).includes('cả Chủ nhật'), 'members read the version that was approved');

  await editor.open(`${draft}/revisions`);
  await editor.submit(editor.$('main form[method="get"] button'));
  await editor.sees('.diff ins');
  await editor.open(`${draft}/review`);
  await editor.submit(editor.sender('reviewer'));
  await chief.open(`${draft}/publish`);
  if (script) {
    // The next full minute, in the time zone of this field.
    await chief.$('main [name="when"][value="later"]').check();
    await chief.field('at').fill(inVietnam(Date.now() + 61_000));
    await chief.submit(chief.sender('version'));
    await until('it is scheduled', () => chief.place === `${draft}?scheduled=1`);
  } else {
    await chief.$('main [name="when"][value="now"]').check();
    await chief.submit(chief.sender('version'));
  }
  await until(
    'the correction is out',
    async () => {
      await reader.open(address);
      return (await reader.text()).includes('cả Chủ nhật');
    },
    120_000,
  );

  // The next correction is started; a wrong text can be withdrawn before it is written.
  await editor.open(draft);
  await editor.submit(editor.$('main form[action$="/revise"] button'));
  await editor.sees('[name="body"]');
  await chief.open(draft);
  await chief.follow(chief.$(`main a[href="${draft}?withdraw=1"]`));
  await chief.submit(chief.sender('reason'));
  assert.equal((await chief.problems()).reason, empty(desk.withdraw_reason));
  await chief.field('reason').fill('Nhà sinh hoạt sửa chữa.');
  await chief.submit(chief.sender('reason'));
  await until('it is withdrawn', async () => (await chief.text()).includes('Nhà sinh hoạt sửa chữa.'));
  await reader.open('/library');
  assert.equal(await reader.$(`.row-link[href="${address}"]`).count(), 0, 'it left the library');
}

/** A script in the text is shown as text, and its link has no target. */
async function harmless(visitor, selector) {
  assert.equal(await visitor.$(`${selector} script`).count(), 0);
  assert.equal(await visitor.$(`${selector} a[href^="javascript:" i]`).count(), 0);
  assert.ok(!(await visitor.page.title()).includes('hỏng'));
}

/** Two windows with one draft: the later save does not silently overwrite the earlier one, and no text is lost. */
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
  const number = script ? '77-TB/ĐU' : '78-TB/ĐU';
  await unfold(second);
  await second.field('number').fill(number);
  await second.field('body').fill('Bản của người thứ hai.');
  await second.submit(second.sender('body'));

  await first.field('body').fill('Bản của người thứ nhất.');
  await first.submit(first.sender('body'));
  assert.equal((await first.problems()).body, problems.stale);
  assert.equal(await first.field('body').inputValue(), 'Bản của người thứ nhất.');
  assert.ok((await first.text()).includes(number), 'a number that saving would remove is shown');
  await second.reload();
  assert.equal(await second.field('body').inputValue(), 'Bản của người thứ hai.');

  await first.submit(first.sender('body'));
  await second.reload();
  assert.equal(await second.field('body').inputValue(), 'Bản của người thứ nhất.', 'after comparing, it can be saved');
}

/** A draft is sent to review while somebody else edits it: nothing can be saved to it, and no text is lost. */
async function tooLate(stage, script) {
  const slow = await stage.visitor({ as: 'editor', script });
  await slow.open('/desk/new');
  await slow.field('title').fill(`Kế hoạch dân vận ${script ? 'quý một' : 'quý hai'}`);
  await slow.field('body').fill('Bản đầu.');
  await slow.submit(slow.sender('body'));
  const draft = slow.path;

  const quick = await stage.visitor({ as: 'editor', script });
  await quick.open(`${draft}/review`);
  await quick.submit(quick.sender('reviewer'));

  await slow.field('body').fill('Bản viết thêm khi đã gửi duyệt.');
  await slow.submit(slow.sender('body'));
  assert.equal(slow.path, draft);
  await slow.sees('main .notice-warn', { hasText: writing.too_late });
  assert.equal(await slow.field('body').count(), 0, 'a text in review is read-only');
  await slow.follow(slow.$('main .notice-warn a[href^="/desk/new?resume="]'));
  assert.equal(await slow.field('body').inputValue(), 'Bản viết thêm khi đã gửi duyệt.');
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
  ...bothWays('publish: withdrawn during a pending correction, it stays withdrawn', withdrawnMeanwhile),
  ...bothWays('publish: an approval covers what was shown', whatIsShown),
  ...bothWays('publish: for some units only, or all but some, others do not learn of it', someUnits),
  { name: 'publish: units are picked by keyboard', run: pickedByKeyboard },
  ...bothWays('publish: the error for a used number links to its document', numberTaken),
  ...bothWays('publish: two editors of one draft do not overwrite each other', twoEditors),
  ...bothWays('publish: a text that is too late to be saved is kept', tooLate),
  ...bothWays('publish: people without an office have no desk', onlyEditorsHaveADesk),
];
