// From a list of an office to records in the register: sent, looked at, mended, confirmed, and sent again.

import { strict as assert } from 'node:assert';

import { bothWays } from '../support/report.mjs';
import { fits, number, texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';

const { imports } = texts('vi');

/** Six good rows and two bad ones, under a header of which one word is unknown. */
function list(script) {
  const first = script ? '81' : '82';
  // A header of its own: what an unknown word stands for is remembered.
  const unknown = script ? 'Mã hồ sơ cũ' : 'Mã sổ cũ';
  const rows = Array.from({ length: 6 }, (_, at) =>
    [`${first}00000${at}`, `Trần Thị Nhập ${at}`, 'Nữ', '1/2/1985', '3/2/2010', `07${first}0000000${at}`, '61'].join(';'),
  );
  return [
    `${unknown};Họ và tên;Giới tính;Ngày sinh;Ngày vào Đảng;CCCD;Mã chi bộ`,
    ...rows,
    `${first}000010;=1+1;Nữ;1/2/2190;3/2/2010;;61`,
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

/** Waits until the import is not in this state any more, looking again by hand where no script does. */
export async function over(registrar, state, patience) {
  const progressed = async () => {
    if (!(await registrar.text('.page-header')).includes(state)) return true;
    if (!registrar.script) await registrar.reload();
    return false;
  };
  await until(`the import is not "${state}" any more`, progressed, patience);
  await registrar.settled();
}

/** How many rows are new, changed, unchanged, refused. */
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
  assert.ok(report.includes('••••••••123') && !report.includes('05109000123'), 'no number is shown whole');

  const address = await registrar.$('main a[href$="/report.csv"]').getAttribute('href');
  const file = await (await registrar.context.request.get(address)).text();
  assert.equal(file.trim().split('\r\n').length, 1 + 3);

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

export const tests = [
  ...bothWays('imports: a list is sent, mended, confirmed, and sent again without a change', fromListToRegister),
  ...bothWays('imports: no file, no import; no office, no page', withoutAFile),
];
