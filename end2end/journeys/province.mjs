// From an empty store to the first member on a phone: a registrar imports a province and issues codes on paper, and a member
// without a phone number signs in.
//
// HANDBOOK_PROVINCE is the number of members of the province (600).

import { strict as assert } from 'node:assert';

import { strToU8, zipSync } from 'fflate';

import { signIn } from '../support/accounts.mjs';
import { DESKTOP, PHONE } from '../support/browser.mjs';
import { bothWays } from '../support/report.mjs';
import { startEmpty } from '../support/server.mjs';
import { number, texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';
import { figures, over } from './imports.mjs';

const { imports, terms } = texts('vi');
const MEMBERS = Number(process.env.HANDBOOK_PROVINCE ?? 600);
/** An import may take a while; a hanging page is noticed, because its progress is checked. */
const IMPORT_MS = 60_000 + MEMBERS * 60;
const IN_A_BRANCH = 30;
const BRANCHES_IN_A_COMMUNE = 40;

const PROVINCE = 'Tỉnh Trà Khúc';
const REGISTRAR = { name: 'Nguyễn Thị Sổ', national_id: '051185000777', password: 'so ho so dang vien cua tinh' };
const PASSWORD = 'thuyen ve ben luc 5 gio';

/** The member that the test follows: the third one of the second branch. */
const FOLLOWED = IN_A_BRANCH + 2;

const branches = () => Math.ceil(MEMBERS / IN_A_BRANCH);
const commune = (branch) => `51/${String(Math.floor(branch / BRANCHES_IN_A_COMMUNE) + 1).padStart(3, '0')}`;
const code = (branch) => `${commune(branch)}/${String((branch % BRANCHES_IN_A_COMMUNE) + 1).padStart(2, '0')}`;
const branchName = (branch) => `Chi bộ thôn số ${branch + 1}`;
const memberName = (at) => `${['Nguyễn', 'Trần', 'Lê', 'Phạm', 'Đặng'][at % 5]} Thị ${['Bến', 'Khơi', 'Sóng', 'Lưới'][at % 4]} ${at}`;
const nationalId = (at) => `0511${String(at).padStart(8, '0')}`;

function unitList() {
  const rows = [['Mã', 'Cấp', 'Tên đơn vị']];
  for (let at = 0; at < branches(); at += BRANCHES_IN_A_COMMUNE) rows.push([commune(at), 'Xã', `Xã số ${commune(at)}`]);
  for (let at = 0; at < branches(); at += 1) rows.push([code(at), 'Chi bộ', branchName(at)]);
  return rows;
}

function memberList() {
  const rows = [['Số thẻ', 'Họ và tên', 'Giới tính', 'Ngày sinh', 'Ngày vào Đảng', 'Diện', 'Số định danh', 'Điện thoại', 'Mã chi bộ']];
  for (let at = 0; at < MEMBERS; at += 1) {
    const phone = at === FOLLOWED ? '' : `09${String(at).padStart(8, '0')}`;
    const branch = code(Math.floor(at / IN_A_BRANCH));
    rows.push([`51.${String(at).padStart(8, '0')}`, memberName(at), 'Nữ', '12/05/1972', '03/02/2001', 'Chính thức', nationalId(at), phone, branch]);
  }
  return rows;
}

/** A workbook of one sheet with text cells. */
function workbook(rows) {
  const escape = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
  const cells = (row) => row.map((text) => `<c t="inlineStr"><is><t>${escape(text)}</t></is></c>`).join('');
  const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
  const office = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
  const packaged = 'http://schemas.openxmlformats.org/package/2006';
  const xml = (body) => strToU8(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n${body}`);
  const type = (kind) => `application/vnd.openxmlformats-officedocument.spreadsheetml.${kind}+xml`;
  const related = (what, target) => xml(`<Relationships xmlns="${packaged}/relationships"><Relationship Id="rId1" Type="${office}/${what}" Target="${target}"/></Relationships>`);
  return Buffer.from(
    zipSync({
      '[Content_Types].xml': xml(
        `<Types xmlns="${packaged}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
          `<Override PartName="/xl/workbook.xml" ContentType="${type('sheet.main')}"/>` +
          `<Override PartName="/xl/worksheets/sheet1.xml" ContentType="${type('worksheet')}"/></Types>`,
      ),
      '_rels/.rels': related('officeDocument', 'xl/workbook.xml'),
      'xl/workbook.xml': xml(`<workbook xmlns="${main}" xmlns:r="${office}"><sheets><sheet name="1" sheetId="1" r:id="rId1"/></sheets></workbook>`),
      'xl/_rels/workbook.xml.rels': related('worksheet', 'worksheets/sheet1.xml'),
      'xl/worksheets/sheet1.xml': xml(
        `<worksheet xmlns="${main}"><sheetData>${rows.map((row) => `<row>${cells(row)}</row>`).join('')}</sheetData></worksheet>`,
      ),
    }),
  );
}

/** The first sign-in with a code on paper. */
async function firstSignIn(visitor, { national_id: id, password }, paper) {
  await visitor.open('/welcome');
  await send(visitor, 'national_id', id);
  await visitor.$('main [name="way"][value="paper"]').check();
  await visitor.submit(visitor.sender('way'));
  await send(visitor, 'code', paper);
  await send(visitor, 'password', password);
  await until('the home page is there', () => visitor.path === '/');
  await visitor.settled();
}

async function send(visitor, field, text) {
  const before = visitor.place;
  await visitor.field(field).fill(text);
  await visitor.submit(visitor.sender(field));
  await until(`${field} was taken`, () => visitor.place !== before);
  await visitor.settled();
}

/** Uploads a list, checks the preview, confirms, and waits for the end. */
async function bringIn(registrar, kind, rows) {
  await registrar.open('/imports/new');
  await registrar.$(`main [name="kind"][value="${kind}"]`).check();
  const mimeType = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
  await registrar.field('file').setInputFiles({ name: `${kind}.xlsx`, mimeType, buffer: workbook(rows) });
  await Promise.all([registrar.page.waitForURL(/\/imports\/[0-9A-Z]{26}$/), registrar.sender('file').click()]);
  await registrar.settled();
  await over(registrar, imports.state_checking, IMPORT_MS);
  assert.deepEqual(await figures(registrar), [rows.length - 1, 0, 0, 0], 'all rows are new, none is refused');
  await registrar.submit(registrar.$('main form[action$="/confirm"] button[type="submit"]'));
  await over(registrar, imports.state_running, IMPORT_MS);
  await registrar.sees('main .notice-ok');
}

/** Issues codes for a whole branch and reads the one of `name` from the printed sheet. */
async function handOutCodes(registrar, branch, name) {
  await registrar.open(`/units?q=${encodeURIComponent(branch)}`);
  await registrar.follow(registrar.$('main .row-link', { hasText: branch }).first());
  await until('the figure of the members is there', async () => {
    const figure = registrar.$(`.figure:has(.figure-label:text-is("${terms.members}")) .figure-value`);
    if ((await figure.count()) > 0 && number(await figure.first().innerText()) === IN_A_BRANCH) return true;
    await registrar.reload();
    return false;
  });
  await registrar.follow(registrar.$('main a[href$="/codes"]').first());
  const others = registrar.$('main .code-others > summary');
  for (const summary of await others.all()) await summary.click();
  for (const box of await registrar.field('members[]').all()) await box.check();
  await registrar.submit(registrar.sender('members[]'));
  await registrar.sees('.code-card');
  assert.equal(await registrar.$('.code-card').count(), IN_A_BRANCH, 'a card for everybody');
  return (await registrar.$('.code-card', { hasText: name }).locator('.code-card-code').innerText()).trim();
}

async function fromNothingToTheFirstSignIn(stage, script) {
  const { server, printed } = await startEmpty({
    admin: ['--role', 'registrar', '--name', REGISTRAR.name, '--national-id', REGISTRAR.national_id, '--unit', PROVINCE, '--code', '51'],
  });
  stage.before(server);
  const registrar = await stage.visitor({ script, size: DESKTOP });
  await firstSignIn(registrar, REGISTRAR, /\b[2-9A-HJ-NP-Z]{5}-[2-9A-HJ-NP-Z]{5}\b/.exec(printed)[0]);

  await bringIn(registrar, 'units', unitList());
  await bringIn(registrar, 'members', memberList());
  await registrar.open('/members');
  const paper = await handOutCodes(registrar, branchName(1), memberName(FOLLOWED));

  const member = await stage.visitor({ script, size: PHONE });
  await firstSignIn(member, { national_id: nationalId(FOLLOWED), password: PASSWORD }, paper);
  assert.ok((await member.heading()).includes(String(FOLLOWED)), 'the home page greets by name');
  await member.open('/record');
  assert.ok((await member.text()).includes(branchName(1)));

  const again = await stage.visitor({ script, size: PHONE });
  await signIn(again, { national_id: nationalId(FOLLOWED), password: PASSWORD });
  assert.equal(again.path, '/');
  assert.deepEqual(server.complaints(), []);
}

const patience = IMPORT_MS * 3;
export const tests = bothWays('province: from an empty store to a member on a phone', fromNothingToTheFirstSignIn).map((test) => ({ ...test, patience }));
