// Every page of the application and the states it can be in, for whatever must hold on all of them.

import { until } from './support/wait.mjs';

/** @typedef {{ name: string, as?: string, address?: string, find?: Function, act?: Function, status?: number }} State */

/**
 * `as` is who looks (nobody when missing), `address` where, or `find` how a person gets there, `act` what is done on the page,
 * `status` what the server answers when it is not 200.
 *
 * @type {State[]}
 */
export const STATES = [
  { name: 'sign-in', address: '/sign-in' },
  { name: 'sign-in refused', address: '/sign-in', act: (visitor) => refused(visitor, 'password') },
  { name: 'home', as: 'member', address: '/' },
  { name: 'home without anything', as: 'exempt', address: '/' },
  { name: 'library', as: 'member', address: '/library' },
  { name: 'library, nothing found', as: 'member', address: '/library?kind=form&level=central' },
  { name: 'document', as: 'member', find: (visitor) => by(visitor, '/library', '.row-link') },
  { name: 'document with a table', as: 'member', find: withTable },
  { name: 'opinion form', as: 'member', find: opinionForm },
  { name: 'opinion refused', as: 'member', find: opinionForm, act: (visitor) => refused(visitor, 'text') },
  { name: 'receipt', as: 'member', find: async (visitor) => `${await by(visitor, '/opinions', '.row-link')}?sent=1` },
  { name: 'own opinion', as: 'member', find: (visitor) => by(visitor, '/opinions', '.row-link') },
  { name: 'opinions', as: 'member', address: '/opinions' },
  { name: 'opinions, none', as: 'operator', address: '/opinions' },
  { name: 'meetings', as: 'member', address: '/meetings' },
  { name: 'meeting to come', as: 'member', find: (visitor) => by(visitor, '/meetings', 'section:nth-of-type(1) .row-link') },
  { name: 'meeting held', as: 'member', find: (visitor) => by(visitor, '/meetings', 'section:nth-of-type(2) .row-link') },
  { name: 'more', as: 'member', address: '/more' },
  { name: 'not found', as: 'member', address: '/library/01ARZ3NDEKTSV4RRFFQ69G5FAV', status: 404 },
  { name: 'told to try again', as: 'member', address: '/problem/busy', status: 503 },
  { name: 'branch', as: 'secretary', address: '/branch' },
  { name: 'received opinion', as: 'secretary', find: (visitor) => by(visitor, '/branch', '.row-link') },
  { name: 'received opinion, unanswered', as: 'secretary', find: unanswered },
  { name: 'answer refused', as: 'secretary', find: unanswered, act: (visitor) => refused(visitor, 'text') },
  { name: 'more of a secretary', as: 'secretary', address: '/more' },
  { name: 'desk', as: 'editor', address: '/desk' },
  { name: 'new draft', as: 'editor', address: '/desk/new' },
  { name: 'new draft refused', as: 'editor', address: '/desk/new', act: (visitor) => refused(visitor, 'body') },
  { name: 'draft', as: 'editor', find: draft },
  { name: 'publish', as: 'editor', find: async (visitor) => `${await draft(visitor)}/publish` },
  { name: 'published at the desk', as: 'editor', find: published },
  { name: 'withdrawal', as: 'editor', find: async (visitor) => `${await published(visitor)}?withdraw=1` },
  { name: 'committee of a commune', as: 'committee', address: '/committee' },
  { name: 'committee of a province', as: 'statistician', address: '/committee' },
  { name: 'imports, none', as: 'registrar', address: '/imports' },
  { name: 'new import', as: 'registrar', address: '/imports/new' },
  { name: 'new import refused', as: 'registrar', address: '/imports/new', act: (visitor) => sentWithoutAFile(visitor) },
  { name: 'committee, one level down', as: 'statistician', find: (visitor) => by(visitor, '/committee', '.table a') },
];

/** Everybody who looks at a state; `undefined` is who is not signed in. */
export const LOOKERS = [...new Set(STATES.map(({ as }) => as))];

const found = new WeakMap();

/** The address of a state, found once for all tests with a visitor of the right role. */
export async function addressOf(state, visitor, server) {
  if (state.address) return state.address;
  const known = found.get(server) ?? new Map();
  found.set(server, known);
  if (!known.has(state.name)) known.set(state.name, await state.find(visitor));
  return known.get(state.name);
}

/** Brings the visitor into the state. */
export async function enter(state, visitor, server) {
  visitor.expects(422);
  if (state.status) visitor.expects(state.status);
  const address = await addressOf(state, visitor, server);
  const response = await visitor.open(address);
  const wanted = state.status ?? 200;
  if (response.status() !== wanted) throw new Error(`${address} answered ${response.status()} instead of ${wanted}`);
  await state.act?.(visitor);
}

/** The address a link leads to. */
async function by(visitor, from, selector) {
  await visitor.open(from);
  return visitor.$(`main ${selector}`).first().getAttribute('href');
}

async function opinionForm(visitor) {
  return `${await by(visitor, '/library', '.row-link')}/opinion`;
}

/** The first document whose text has a table: the widest thing there is. */
async function withTable(visitor) {
  let next = '/library';
  while (next) {
    await visitor.open(next);
    next = (await visitor.$('a[rel="next"]').count()) > 0 && (await visitor.$('a[rel="next"]').getAttribute('href'));
    const addresses = await visitor.$('main .row-link').evaluateAll((links) => links.map((link) => link.getAttribute('href')));
    for (const address of addresses) {
      const page = await visitor.context.request.get(address);
      if ((await page.text()).includes('class="table-scroll"')) return address;
    }
  }
  throw new Error('no document has a table');
}

/** An opinion nobody has answered; opening it makes it seen, as a secretary does. */
async function unanswered(visitor) {
  await visitor.open('/branch');
  const addresses = await visitor.$('main .row-link').evaluateAll((links) => links.map((link) => link.getAttribute('href')));
  for (const address of addresses) {
    await visitor.open(address);
    if ((await visitor.field('text').count()) > 0) return address;
  }
  throw new Error('the branch has answered every opinion');
}

/** A stored draft: the first of the desk that can still be edited, else a new one. */
async function draft(visitor) {
  await visitor.open('/desk');
  const addresses = await visitor.$('main .row-link').evaluateAll((links) => links.map((link) => link.getAttribute('href')));
  for (const address of addresses.slice(0, 3)) {
    await visitor.open(address);
    if ((await visitor.field('body').count()) > 0) return address;
  }
  await visitor.open('/desk/new');
  await visitor.field('title').fill('Thông báo thử lịch tập huấn dùng sổ tay cho đảng viên mới trong phường');
  await visitor.field('body').fill('## Nội dung\n\nMang theo **điện thoại**.\n\n| Ngày | Giờ |\n| --- | --- |\n| Thứ Hai | 7:30 |\n');
  await visitor.submit(visitor.sender('body'));
  await until('the draft is stored', () => visitor.path !== '/desk/new');
  return visitor.path;
}

/** A document that went out, as its editors see it. */
function published(visitor) {
  return by(visitor, '/desk', '.card:nth-of-type(2) .row-link');
}

/** Sends the form around the control as it is, empty, and waits for what is to be mended. */
async function refused(visitor, name) {
  await visitor.submit(visitor.sender(name));
  await visitor.sees('.error-summary');
}

/** The browser sends this form itself, with script too. */
async function sentWithoutAFile(visitor) {
  await Promise.all([visitor.page.waitForEvent('domcontentloaded'), visitor.sender('file').click()]);
  await visitor.settled();
  await visitor.sees('.error-summary');
}
