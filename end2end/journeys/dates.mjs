// Dates are typed in common formats and shown with their weekday: by the server, and while typing.

import { strict as assert } from 'node:assert';

import { STATES, enter } from '../states.mjs';
import { prefer } from '../support/accounts.mjs';
import { LANGUAGES } from '../support/texts.mjs';

/** Pages with date fields, by their names in `states.mjs`. */
const DATED = [
  'new draft',
  'sending for review',
  'assignment',
  'new member',
  'record, editing',
  'record, state',
  'roles',
  'unit with units below',
  'roll-out of a unit',
  'rename a unit',
];

const ONE_DAY = ['21/11/2026', '21-11-2026', '21.11.2026', ' 2026-11-21 '];
const NO_DAY = ['31/02/2026', '21/11', '21/11/26', 'mai'];

/** Types into each date field and reads the shown date; some of the fields are collapsed. */
function said(visitor, typed) {
  return visitor.$('main input[data-date]').evaluateAll(
    (fields, typed) =>
      fields.map((field) => {
        field.value = field.dataset.date === 'moment' ? `${typed.trim()} 07:30` : typed;
        field.dispatchEvent(new Event('input', { bubbles: true }));
        return field.parentElement.querySelector('[data-said]').textContent;
      }),
    typed,
  );
}

async function saidWhileTyped(stage, as) {
  const visitor = await stage.visitor({ as });
  for (const state of STATES.filter((state) => state.as === as && DATED.includes(state.name))) {
    await enter(state, visitor, stage.world.server);
    const { length } = await said(visitor, '');
    assert.ok(length > 0, `${state.name} asks for a day`);
    for (const typed of ONE_DAY) assert.deepEqual(await said(visitor, typed), Array(length).fill('Thứ Bảy, 21/11/2026'), `${state.name}: ${typed}`);
    for (const typed of NO_DAY) assert.deepEqual(await said(visitor, typed), Array(length).fill(''), `${state.name}: ${typed}`);
  }
}

/** The script shows the same text as the server, in every language. */
async function saidAlike(stage) {
  const visitor = await stage.visitor({ as: 'registrar' });
  const roles = STATES.find(({ name }) => name === 'roles');
  try {
    for (const language of LANGUAGES) {
      await prefer(visitor, { locale: language });
      await enter(roles, visitor, stage.world.server);
      const served = await (await visitor.context.request.get(visitor.path)).text();
      const [, byServer] = /data-said[^>]*>([^<]+)/.exec(served) ?? [];
      assert.ok(byServer, `the server says a day in ${language}`);
      assert.equal((await visitor.$('[data-said]').first().textContent()).normalize(), byServer.replaceAll('\u00a0', ' ').normalize());
    }
  } finally {
    await prefer(visitor, { locale: 'vi' });
  }
}

/** Without script, a returned date is shown as parsed. */
async function comesBack(stage) {
  const registrar = await stage.visitor({ as: 'registrar', script: false });
  registrar.expects(422);
  for (const typed of ONE_DAY) {
    await registrar.open('/members/new');
    await registrar.field('birth_date').fill(typed);
    await registrar.submit(registrar.sender('full_name'));
    assert.equal(await registrar.field('birth_date').inputValue(), '21/11/2026');
    assert.equal(await registrar.$('output[for="birth_date"]').innerText(), 'Thứ Bảy, 21/11/2026');
  }
}

const editors = [...new Set(STATES.filter(({ name }) => DATED.includes(name)).map(({ as }) => as))];

export const tests = [
  ...editors.map((as) => ({ name: `dates: what the ${as} types is said back`, run: (stage) => saidWhileTyped(stage, as) })),
  { name: 'dates: script and server show a date alike', run: saidAlike },
  { name: 'dates: without script a date is returned as parsed', run: comesBack },
];
