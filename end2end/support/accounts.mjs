// The people of the sample organisation who sign in during the tests.

import { Visitor } from './browser.mjs';
import { until } from './wait.mjs';

/** The names of roles in the tests, and in `handbook demo --list`. */
const ROLES = {
  member: 'Member, fisherman at sea',
  secretary: 'Branch secretary',
  ward_member: 'Member, ward branch',
  vouched: 'Newcomer known to a provider',
  vouched_too: 'Newcomer known to a provider, second',
  probationary: 'Member on probation',
  registrar: 'Registrar, ward',
  exempt: 'Member exempt from activities',
  group_member: 'Member of a party group',
  editor: 'Editor, ward',
  chief: 'Chief editor, province',
  commune_editor: 'Editor, commune',
  committee: 'Committee member, commune',
  statistician: 'Statistician, province',
  registrar: 'Registrar, ward',
  operator: 'Operator',
  ward_secretary: 'Branch secretary, ward',
  // People without a password.
  newcomer: 'Newcomer without a phone',
  newcomer_2: 'Newcomer without a phone, second',
  newcomer_with_phone: 'Newcomer with a phone',
  newcomer_with_phone_2: 'Newcomer with a phone, second',
};

export class Accounts {
  #signIns;
  #sessions = new Map();

  constructor(signIns) {
    this.#signIns = signIns;
  }

  /** The demo sign-in of a role: `name`, `national_id`, `password`, `unit`. */
  of(role) {
    const found = this.#signIns.find((account) => account.role === ROLES[role]);
    if (!found) throw new Error(`no demo sign-in "${ROLES[role]}"; there are: ${this.#signIns.map((account) => account.role).join('; ')}`);
    return found;
  }

  /** Cookies of a session of this role, created once by a normal sign-in. */
  async session(browser, origin, role) {
    if (!this.#sessions.has(role)) this.#sessions.set(role, this.#open(browser, origin, role));
    return this.#sessions.get(role);
  }

  async #open(browser, origin, role) {
    const visitor = await Visitor.arrive(browser, origin, { script: false });
    try {
      await signIn(visitor, this.of(role));
      return await visitor.context.storageState();
    } finally {
      await visitor.close();
    }
  }
}

/** Opens the sign-in page and signs in. */
export async function signIn(visitor, account) {
  await visitor.open('/sign-in');
  await fillIn(visitor, account);
}

/** Fills in and submits the open sign-in page. */
export async function fillIn(visitor, { national_id: nationalId, password }) {
  await visitor.field('national_id').fill(nationalId);
  await visitor.field('password').fill(password);
  await visitor.submit(visitor.sender('password'));
}

/** Chooses language, text size and theme on the account's page; omitted ones stay as they are. */
export async function prefer(visitor, { locale, ...looks }) {
  await visitor.open('/more');
  const choice = (name, value) => visitor.$(`main [name="${name}"][value="${value}"]`);
  if (visitor.script) await until('the script is there', () => visitor.page.evaluate(() => document.documentElement.dataset.reading === 'true'));
  for (const [name, value] of Object.entries(looks)) {
    if (!visitor.script || (await choice(name, value).isChecked())) await choice(name, value).check();
    else {
      const saved = visitor.page.waitForResponse((response) => response.url().endsWith('/api/account/save_preferences'));
      await choice(name, value).check();
      if (!(await saved).ok()) throw new Error(`${name} was not saved`);
    }
  }
  if (!visitor.script && Object.keys(looks).length > 0) await visitor.submit(visitor.sender(Object.keys(looks)[0]));
  if (locale) {
    await choice('locale', locale).check();
    await visitor.submit(visitor.sender('locale'));
  }
}
