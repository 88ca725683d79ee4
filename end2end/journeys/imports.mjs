// From a list of an office to records in the registry: uploaded, checked, corrected, confirmed, and uploaded again.

import { strict as assert } from 'node:assert';

import { bothWays } from '../support/report.mjs';
import { fits, number, texts } from '../support/texts.mjs';
import { bare, findUnit, plain } from '../support/units.mjs';
import { until } from '../support/wait.mjs';

const { imports } = texts('vi');

/** Six good rows and two bad ones, with one unknown word in the header. */
function list(script) {
  const first = script ? '81' : '82';
  // A separate header for each run, because the mapping of an unknown word is stored.
  const unknown = script ? 'Mã hồ sơ cũ' : 'Mã sổ cũ';
  const rows = Array.from({ length: 6 }, (_, at) =>
    [`${first}00000${at}`, `Trần Thị Nhập ${at}`, 'Nữ', '1/2/1985', '3/2/2010', `07${first}0000000${at}`, '61'].join(';'),
  );
  return [
    `${unknown};Họ và tên;Giới tính;Ngày sinh;Ngày vào Đảng;CCCD;Mã chi bộ`,
    ...rows,
    `${first}000010;=Lê+1;Nữ;1/2/2190;3/2/2010;;61`,
    `${first}000011;Lê Văn Sai;Nam;1/2/1985;3/2/2010;05109000123;không có`,
    '',
  ].join('\n');
}

async function send(registrar, script) {
  await registrar.open('/imports');
  await registrar.follow(registrar.$('main a[href="/imports/new"]').first());
  await registrar.field('file').setInputFiles({ name: 'danh-sach.csv', mimeType: 'text/csv', buffer: Buffer.from(list(script)) });
  await Promise.all([registrar.page.waitForURL(/\/imports\/[0-9A-Z]{26}$/), registrar.sender('file').click()]);
  await registrar.settled();
  await over(registrar, imports.state_checking);
}

/** Waits until the import leaves this state, reloading by hand without script. */
export async function over(registrar, state, patience) {
  const progressed = async () => {
    if (!(await registrar.text('.page-header')).includes(state)) return true;
    if (!registrar.script) await registrar.reload();
    return false;
  };
  await until(`the import is not "${state}" any more`, progressed, patience);
  await registrar.settled();
}

/** The numbers of new, changed, unchanged and rejected rows. */
export async function figures(registrar) {
  await registrar.sees('.figures');
  const values = await registrar.$('.figures dd').allInnerTexts();
  return values.slice(0, 4).map(number);
}

async function fromListToRegister(stage, script) {
  const registrar = await stage.visitor({ as: 'registrar', script });
  await send(registrar, script);
  await registrar.sees('main .notice-error');
  assert.ok(fits(imports.missing_hint, await registrar.text('main .notice-error p:last-child')), 'what is missing is named');

  await registrar.$('[id="columns-0"]').selectOption('card_number');
  await registrar.submit(registrar.$('main form[action$="/remap"] button[type="submit"]'));
  await over(registrar, imports.state_checking);
  assert.deepEqual(await figures(registrar), [6, 0, 0, 2]);
  const report = await registrar.text('.table');
  assert.ok(report.includes('•••••••••23') && !report.includes('•123'), 'of a national ID two digits are shown');

  const address = await registrar.$('main a[href$="/report.csv"]').getAttribute('href');
  const file = await (await registrar.context.request.get(address)).text();
  // The first of the two has a name with symbols and a future date, the second an invalid ID and an unknown unit.
  assert.equal(file.trim().split('\r\n').length, 1 + 4);

  await registrar.submit(registrar.$('main form[action$="/confirm"] button[type="submit"]'));
  await over(registrar, imports.state_running);
  await registrar.sees('main .notice-ok');
  assert.deepEqual(await figures(registrar), [6, 0, 0, 2]);

  await send(registrar, script);
  assert.deepEqual(await figures(registrar), [0, 0, 6, 2], 'the columns are remembered, and nothing is new');
  await registrar.submit(registrar.$('main form[action$="/cancel"] button[type="submit"]'));
  await until('the import is given up', async () => (await registrar.text('.page-header')).includes(imports.state_cancelled));
}

async function withoutAFile(stage, script) {
  const registrar = await stage.visitor({ as: 'registrar', script });
  await registrar.open('/imports/new');
  await Promise.all([registrar.page.waitForEvent('domcontentloaded'), registrar.sender('file').click()]);
  await registrar.settled();
  assert.equal(registrar.path, '/imports/new');
  assert.ok((await registrar.problems()).file, 'the form says what is missing');

  const member = await stage.visitor({ as: 'member', script });
  member.expects(404);
  for (const place of ['/imports', '/imports/new']) {
    assert.equal((await member.open(place)).status(), 404, place);
  }
}

/** The unit is found by its name without accents. The file of a branch needs no column for it. */
async function intoAUnitThatIsFound(stage, script) {
  const registrar = await stage.visitor({ as: 'registrar', script });
  await registrar.open('/imports/new');
  const own = await registrar.$('main [data-way="unit"] input').getAttribute('value');
  await registrar.$('main [name="kind"][value="units"]').check();
  const { unit } = stage.account('ward_member');
  const [row, name] = await findUnit(registrar, script, unit, bare(unit));
  assert.ok(await registrar.$('main [name="kind"][value="units"]').isChecked(), 'a search keeps the kind');
  assert.ok(await registrar.$(`main [data-way="unit"] input[value="${own}"]`).isChecked(), 'and the unit');
  await row.locator('input[name="unit"]').check();
  await registrar.$('main [name="kind"][value="members"]').check();

  const person = `${script ? '85' : '86'}000001,Lê Thị Chọn,Nữ,1/2/1985,3/2/2010,`;
  const content = Buffer.from(`Số thẻ,Họ và tên,Giới tính,Ngày sinh,Ngày vào Đảng,CCCD\n${person}\n`);
  await registrar.field('file').setInputFiles({ name: 'chi-bo.csv', mimeType: 'text/csv', buffer: content });
  await Promise.all([registrar.page.waitForURL(/\/imports\/[0-9A-Z]{26}$/), registrar.sender('file').click()]);
  await registrar.settled();
  await over(registrar, imports.state_checking);
  assert.ok(plain(await registrar.text('.page-header')).includes(name), `the file is for ${name}`);
  assert.deepEqual(await figures(registrar), [1, 0, 0, 0]);
  await registrar.submit(registrar.$('main form[action$="/cancel"] button[type="submit"]'));
  await until('the import is given up', async () => (await registrar.text('.page-header')).includes(imports.state_cancelled));
}

/** A file as spreadsheets write it on Windows: CR LF, a byte order mark, and an invalid date in the last row but one. */
async function listOfWindows(stage, script) {
  const registrar = await stage.visitor({ as: 'registrar', script });
  const first = script ? '83' : '84';
  const person = (at, born = '1/2/1985') => `${first}00000${at},Lê Thị Xuống Dòng ${at},Nữ,${born},3/2/2010,,61`;
  const header = 'Số thẻ,Họ và tên,Giới tính,Ngày sinh,Ngày vào Đảng,CCCD,Mã chi bộ';
  const rows = [header, person(1), person(2), person(3, '31/02/1985'), person(4, '1/2/2005'), ''];
  await registrar.open('/imports/new');
  const content = Buffer.from(`\ufeff${rows.join('\r\n')}`);
  await registrar.field('file').setInputFiles({ name: 'windows.csv', mimeType: 'text/csv', buffer: content });
  await Promise.all([registrar.page.waitForURL(/\/imports\/[0-9A-Z]{26}$/), registrar.sender('file').click()]);
  await registrar.settled();
  await over(registrar, imports.state_checking);
  assert.deepEqual(await figures(registrar), [3, 0, 0, 1], 'no row is lost');
  const page = await registrar.text('main');
  assert.ok(fits(imports.sum, await registrar.text('.figures + p')), 'the sum is shown');
  assert.ok(!page.includes(imports.sum_wrong_title), 'and it agrees');
  assert.ok(page.includes(texts('vi').problems.no_such_day), 'the invalid date is reported as such');

  // The row number of an editor, and the person; rows that are imported with a warning are listed above.
  const tables = await registrar.$('main table').allInnerTexts();
  const refused = tables.find((table) => table.includes(imports.report_title));
  assert.match(refused, /\b4\b[\s\S]*Lê Thị Xuống Dòng 3/);
  const remarks = tables.find((table) => table.includes(imports.remarks_title));
  assert.ok(remarks.includes('Lê Thị Xuống Dòng 4') && remarks.includes(imports.reason_too_young), remarks);

  await registrar.submit(registrar.$('main form[action$="/confirm"] button[type="submit"]'));
  await over(registrar, imports.state_running);
  await registrar.sees('main .notice-ok');
  assert.deepEqual(await figures(registrar), [3, 0, 0, 1]);
  await registrar.open(`/members?q=${first}000001`);
  assert.ok((await registrar.text('main')).includes('Lê Thị Xuống Dòng 1'), 'the first person is in the register');
}

/** The importer accepts the templates: it recognises their header and refuses their examples. */
async function templates(stage, script) {
  const registrar = await stage.visitor({ as: 'registrar', script });
  for (const ending of ['csv', 'xlsx']) {
    await registrar.open('/imports/new');
    const link = registrar.$(`main a[href="/imports/template/members.${ending}"]`);
    const answer = await registrar.context.request.get(await link.getAttribute('href'));
    assert.equal(answer.status(), 200, ending);
    const file = { name: `members.${ending}`, mimeType: 'application/octet-stream', buffer: await answer.body() };
    await registrar.field('file').setInputFiles(file);
    await Promise.all([registrar.page.waitForURL(/\/imports\/[0-9A-Z]{26}$/), registrar.sender('file').click()]);
    await registrar.settled();
    await over(registrar, imports.state_checking);
    assert.deepEqual(await figures(registrar), [0, 0, 0, 2], `${ending}: the examples are refused`);
  }
}

export const tests = [
  ...bothWays('imports: a list with the line ends of Windows loses nobody', listOfWindows),
  ...bothWays('imports: a template is accepted, its examples are refused', templates),
  ...bothWays('imports: a list is sent, mended, confirmed, and sent again without a change', fromListToRegister),
  ...bothWays('imports: into a unit that is found by its name', intoAUnitThatIsFound),
  ...bothWays('imports: no file, no import; no office, no page', withoutAFile),
];
