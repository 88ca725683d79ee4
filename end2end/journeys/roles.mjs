// A registrar grants a role and ends it; both take effect at once, on open pages too.

import { strict as assert } from 'node:assert';

import { bothWays } from '../support/report.mjs';
import { empty, texts } from '../support/texts.mjs';
import { bare, findUnit, plain } from '../support/units.mjs';
import { until } from '../support/wait.mjs';

const { offices, problems, terms, units } = texts('vi');

async function giveAndEnd(stage, script) {
  const registrar = await stage.visitor({ as: 'registrar', script });
  registrar.expects(422);
  const { unit } = await json(registrar, '/api/audit/page');
  const { current } = await json(registrar, `/api/offices/list?unit=${unit.id}`);
  const { name } = stage.account('editor');
  const { member } = current.find((office) => office.name === name);
  const roles = `/units/${unit.id}/roles`;

  // From the person's record, so the card is prefilled but not the role.
  await registrar.open(`${roles}?member=${member}`);
  assert.equal(await registrar.heading(), offices.title);
  assert.notEqual(await registrar.field('card').inputValue(), '');
  await registrar.submit(registrar.sender('card'));
  assert.deepEqual(Object.keys(await registrar.problems()), ['role']);

  const editor = await stage.visitor({ as: 'editor', script });
  await editor.open('/more');
  assert.ok(!(await editor.text()).includes(terms.statistician));

  await registrar.field('role').selectOption('statistician');
  await registrar.submit(registrar.sender('card'));
  await registrar.sees('main .notice-ok', { hasText: offices.granted });
  const row = registrar.$('.row', { hasText: name }).filter({ hasText: terms.statistician });
  await row.filter({ hasText: stage.account('registrar').name }).first().waitFor();
  await editor.open('/more');
  assert.ok((await editor.text()).includes(terms.statistician), 'the role takes effect in an open session');

  // Not twice at the same time.
  await registrar.open(`${roles}?member=${member}`);
  await registrar.field('role').selectOption('statistician');
  await registrar.submit(registrar.sender('card'));
  assert.equal((await registrar.problems()).role, problems.already_held);

  await registrar.open(roles);
  await registrar.follow(row.locator('a[href*="?end="]').first());
  await registrar.sees('.card-strong');
  await registrar.submit(registrar.$('main form[action$="/offices/end"] button[type="submit"]'));
  await registrar.sees('main .notice-ok', { hasText: offices.ended });
  await until('the role has ended', async () => (await row.locator('a[href*="?end="]').count()) === 0);
  await editor.open('/more');
  assert.ok(!(await editor.text()).includes(terms.statistician), 'its rights are gone at once');
}

/** From the list of units: the unit is found by its name without accents, and its roles are given on its own page. */
async function atAUnitThatIsFound(stage, script) {
  const registrar = await stage.visitor({ as: 'registrar', script });
  await registrar.open('/units');
  await registrar.follow(registrar.$('main a[href="/units/roles"]'));
  assert.equal(await registrar.heading(), offices.choose_title);
  await registrar.submit(registrar.sender('find'));
  assert.equal((await registrar.text('[id="unit-error"]')).trim(), empty(offices.unit));

  const { unit } = stage.account('ward_member');
  const [row, name] = await findUnit(registrar, script, unit, bare(unit));
  await row.locator('input[name="unit"]').check();
  const id = await row.locator('input[name="unit"]').getAttribute('value');
  // Another search keeps the selected unit.
  await registrar.field('find').fill('xylophon');
  if (!script) await registrar.submit(registrar.$('main button[name="then"][value="find"]'));
  const selected = registrar.$(`main [data-way="unit"] input[value="${id}"]`);
  await selected.waitFor();
  assert.ok(await selected.isChecked());
  await until('nothing is found', async () => (await registrar.text('[data-part="found"]')).trim() === units.pick_none);
  await registrar.submit(registrar.sender('find'));
  await until('the roles of the unit are shown', () => registrar.place === `/units/${id}/roles`);
  assert.ok(plain(await registrar.text('.page-header')).includes(name), `the page is that of ${name}`);

  // From a record, to a unit that is not the person's own.
  const { unit: own } = await json(registrar, '/api/audit/page');
  const { current } = await json(registrar, `/api/offices/list?unit=${own.id}`);
  const { member } = current.find((office) => office.name === stage.account('editor').name);
  await registrar.open(`/units/${own.id}/roles?member=${member}`);
  await registrar.follow(registrar.$('main a[href^="/units/roles"]'));
  assert.ok((await registrar.text('.page-header')).includes(stage.account('editor').name));
  const [again] = await findUnit(registrar, script, unit);
  await again.locator('input[name="unit"]').check();
  await registrar.submit(registrar.sender('find'));
  await until('the roles of the unit are shown', () => registrar.place === `/units/${id}/roles?member=${member}`);
  assert.notEqual(await registrar.field('card').inputValue(), '', 'the person is still chosen');
}

/** The unit is chosen without a mouse. */
async function chosenByKeyboard(stage) {
  const registrar = await stage.visitor({ as: 'registrar' });
  await registrar.open('/units/roles');
  await findUnit(registrar, true, stage.account('ward_member').unit);
  await registrar.field('find').press('Enter');
  assert.equal(registrar.place, '/units/roles', 'Enter in the search field sends nothing');
  await registrar.field('find').press('ArrowDown');
  await registrar.page.keyboard.press('Space');
  const first = registrar.$('main .picker-row input').first();
  assert.ok(await first.isChecked(), 'the first result is selected');
  assert.ok(!(await registrar.$('main [data-part="none"]').isVisible()), 'and the page no longer says that none is');
  const id = await first.getAttribute('value');
  await registrar.submit(registrar.sender('find'));
  await until('the roles of the unit are shown', () => registrar.place === `/units/${id}/roles`);
}

async function whoOnlyLooks(stage, script) {
  const registrar = await stage.visitor({ as: 'registrar', script });
  const { unit } = await json(registrar, '/api/audit/page');
  const editor = await stage.visitor({ as: 'editor', script });
  await editor.open(`/units/${unit.id}/roles`);
  assert.equal(await editor.field('card').count(), 0);
  assert.equal(await editor.$('a[href*="?end="]').count(), 0);
  await editor.open('/units');
  assert.equal(await editor.$('main a[href="/units/roles"]').count(), 0);
  const member = await stage.visitor({ as: 'member', script });
  for (const visitor of [editor, member]) {
    visitor.expects(404);
    assert.equal((await visitor.open('/units/roles')).status(), 404);
  }
  assert.equal((await member.open(`/units/${unit.id}/roles`)).status(), 404);
}

async function json(visitor, address) {
  const answer = await visitor.context.request.get(address);
  assert.equal(answer.status(), 200, address);
  return answer.json();
}

export const tests = [
  ...bothWays('roles: granted from a record, effective at once, ended at once', giveAndEnd),
  ...bothWays('roles: given at a unit that is found by its name', atAUnitThatIsFound),
  { name: 'roles: the unit is chosen by keyboard', run: chosenByKeyboard },
  ...bothWays('roles: seen by offices, changed by registrars only', whoOnlyLooks),
];
