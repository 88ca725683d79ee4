// A registrar grants a role and ends it; both take effect at once, on open pages too.

import { strict as assert } from 'node:assert';

import { bothWays } from '../support/report.mjs';
import { texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';

const { offices, problems, terms } = texts('vi');

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

async function whoOnlyLooks(stage, script) {
  const registrar = await stage.visitor({ as: 'registrar', script });
  const { unit } = await json(registrar, '/api/audit/page');
  const editor = await stage.visitor({ as: 'editor', script });
  await editor.open(`/units/${unit.id}/roles`);
  assert.equal(await editor.field('card').count(), 0);
  assert.equal(await editor.$('a[href*="?end="]').count(), 0);
  const member = await stage.visitor({ as: 'member', script });
  member.expects(404);
  assert.equal((await member.open(`/units/${unit.id}/roles`)).status(), 404);
}

async function json(visitor, address) {
  const answer = await visitor.context.request.get(address);
  assert.equal(answer.status(), 200, address);
  return answer.json();
}

export const tests = [
  ...bothWays('roles: granted from a record, effective at once, ended at once', giveAndEnd),
  ...bothWays('roles: seen by offices, changed by registrars only', whoOnlyLooks),
];
