// Every page of the application and its states, for checks that apply to all of them.

import { inDays } from './support/clock.mjs';
import { plannedOnce } from './support/reorganisations.mjs';
import { until } from './support/wait.mjs';

/**
 * @typedef {{
 *   name: string, as?: string, address?: string, page?: string, find?: Function, act?: Function, to?: string, status?: number
 * }} State
 */

/**
 * `as` is the role of the visitor (signed out if missing), `address` the page, or `find` the way to it, `act` an action on the
 * page, `status` the status of the response if it is not 200.
 *
 * `page` is the page that `find` leads to, and `to` the one where `act` ends if that is another, as in the table of
 * `app/src/pages.rs`. A test there compares the two lists: each page has a state.
 *
 * @type {State[]}
 */
export const STATES = [
  { name: 'sign-in', address: '/sign-in' },
  { name: 'sign-in refused', address: '/sign-in', act: (visitor) => refused(visitor, 'password') },
  { name: 'sign-in, the provider is down', address: '/sign-in?with=vneid&told=unreachable' },
  { name: 'sign-in, unknown to the registry', address: '/sign-in?with=vneid&told=unknown' },
  { name: 'welcome', address: '/welcome' },
  { name: 'welcome by a card', address: '/welcome?code=ACDEF-23456' },
  { name: 'welcome refused', address: '/welcome', act: (visitor) => refused(visitor, 'national_id') },
  { name: 'ways in', address: '/welcome', act: knocked, to: '/welcome/way' },
  { name: 'code by SMS', address: '/welcome', act: (visitor) => codeBy(visitor, 'sms'), to: '/welcome/code' },
  { name: 'code on paper, refused', address: '/welcome', act: codeRefused, to: '/welcome/code' },
  { name: 'visit over', address: '/welcome/password' },
  { name: 'phone changed', address: '/welcome/phone' },
  { name: 'home', as: 'member', address: '/' },
  { name: 'home without anything', as: 'exempt', address: '/' },
  { name: 'library', as: 'member', address: '/library' },
  { name: 'library, nothing found', as: 'member', address: '/library?kind=form&level=central' },
  { name: 'library, filtered', as: 'member', address: '/library?kind=guidance&field=digital&level=province' },
  { name: 'must read', as: 'member', address: '/shelf/must-read' },
  { name: 'unread', as: 'member', address: '/shelf/unread' },
  { name: 'begun, nothing', as: 'exempt', address: '/shelf/continue' },
  { name: 'marked, nothing', as: 'exempt', address: '/shelf/bookmarks' },
  { name: 'opened', as: 'member', address: '/shelf/recent' },
  { name: 'search, nothing asked', as: 'member', address: '/search' },
  { name: 'search', as: 'member', address: '/search?q=dang%20vien%20di%20bien' },
  { name: 'search, filtered', as: 'member', address: '/search?q=dang%20vien&kind=guidance&level=province' },
  { name: 'search, similar words', as: 'member', address: '/search?q=chuyn%20doi' },
  { name: 'search, most words', as: 'member', address: '/search?q=dang%20vien%20xylophon' },
  { name: 'search, nothing found', as: 'member', address: '/search?q=khinhkhicau' },
  { name: 'search, nothing found with filters', as: 'member', address: '/search?q=dang%20vien&kind=form&level=central' },
  { name: 'search, by field and unit', as: 'member', address: '/search?q=chuyen%20doi%20so&field=digital' },
  { name: 'search, without a connection', as: 'member', address: '/search?q=dang%20phi', act: lostConnection },
  { name: 'search, signs alone', as: 'member', address: '/search?q=%25%25%25' },
  { name: 'document', as: 'member', page: '/library/:id', find: (visitor) => by(visitor, '/library', '.row-link') },
  { name: 'document with notes and relations, marked, address open', as: 'member', page: '/library/:id', find: storms, act: marked },
  { name: 'document with a table', as: 'member', page: '/library/:id', find: withTable },
  { name: 'opinion form', as: 'member', page: '/library/:id/opinion', find: opinionForm },
  { name: 'opinion refused', as: 'member', page: '/library/:id/opinion', find: opinionForm, act: (visitor) => refused(visitor, 'text') },
  { name: 'receipt', as: 'member', page: '/opinions/:id', find: async (visitor) => `${await by(visitor, '/opinions', '.row-link')}?sent=1` },
  { name: 'own opinion', as: 'member', page: '/opinions/:id', find: (visitor) => by(visitor, '/opinions', '.row-link') },
  { name: 'opinions', as: 'member', address: '/opinions' },
  { name: 'opinions, none', as: 'operator', address: '/opinions' },
  { name: 'meetings', as: 'member', address: '/meetings' },
  { name: 'meeting to come', as: 'member', page: '/meetings/:id', find: (visitor) => by(visitor, '/meetings', 'section:nth-of-type(1) .row-link') },
  { name: 'meeting held', as: 'member', page: '/meetings/:id', find: (visitor) => by(visitor, '/meetings', 'section:nth-of-type(2) .row-link') },
  { name: 'more', as: 'member', address: '/more' },
  { name: 'devices', as: 'member', address: '/devices' },
  { name: 'password', as: 'member', address: '/password' },
  { name: 'password refused', as: 'member', address: '/password', act: (visitor) => refused(visitor, 'new_password') },
  { name: 'password again', as: 'editor', address: '/confirm' },
  { name: 'not found', as: 'member', address: '/library/01ARZ3NDEKTSV4RRFFQ69G5FAV', status: 404 },
  { name: 'told to try again', as: 'member', address: '/problem/busy', status: 503 },
  { name: 'branch', as: 'secretary', address: '/branch' },
  { name: 'received opinion', as: 'secretary', page: '/branch/:id', find: (visitor) => by(visitor, '/branch', '.row-link') },
  { name: 'received opinion, unanswered', as: 'secretary', page: '/branch/:id', find: unanswered },
  { name: 'answer refused', as: 'secretary', page: '/branch/:id', find: unanswered, act: (visitor) => refused(visitor, 'text') },
  { name: 'branches to issue codes in', as: 'secretary', address: '/codes' },
  { name: 'codes of a branch', as: 'secretary', page: '/units/:id/codes', find: (visitor) => by(visitor, '/codes', '.row-link') },
  { name: 'sheet of codes', as: 'secretary', page: '/units/:id/codes', find: (visitor) => by(visitor, '/codes', '.row-link'), act: sheet, to: '/codes/sheet' },
  { name: 'more of a secretary', as: 'secretary', address: '/more' },
  { name: 'desk', as: 'editor', address: '/desk' },
  { name: 'new draft', as: 'editor', address: '/desk/new' },
  { name: 'new draft refused', as: 'editor', address: '/desk/new', act: (visitor) => refused(visitor, 'body') },
  {
    name: 'new draft, units to choose from',
    as: 'editor',
    address: '/desk/new',
    act: (visitor) => visitor.$('main [data-part="parts"] > summary').click(),
  },
  { name: 'new draft, units selected and left out', as: 'editor', address: '/desk/new', act: pickedUnits },
  { name: 'new draft, no unit found', as: 'editor', address: '/desk/new', act: (visitor) => searchedUnits(visitor, 'xylophon') },
  { name: 'unsaved texts, none', as: 'member', address: '/desk/unsaved' },
  { name: 'unsaved texts', as: 'editor', page: '/desk/unsaved', find: unsavedTexts },
  { name: 'draft', as: 'editor', page: '/desk/:id', find: draft },
  { name: 'sending for review', as: 'editor', page: '/desk/:id/review', find: async (visitor) => `${await draft(visitor)}/review` },
  { name: 'sending for review, refused', as: 'editor', page: '/desk/:id/review', find: async (visitor) => `${await draft(visitor)}/review`, act: unknownCommenter },
  { name: 'discarding a draft', as: 'editor', page: '/desk/:id', find: async (visitor) => `${await draft(visitor)}?discard=1` },
  { name: 'saved versions', as: 'editor', page: '/desk/:id/revisions', find: async (visitor) => `${await draft(visitor)}/revisions` },
  { name: 'one saved version', as: 'editor', page: '/desk/:id/revisions', find: async (visitor) => `${await draft(visitor)}/revisions?version=1` },
  { name: 'desk of a chief editor', as: 'chief', address: '/desk' },
  { name: 'reviewing', as: 'chief', page: '/desk/:id/review', find: inReview },
  { name: 'reviewing, refused', as: 'chief', page: '/desk/:id/review', find: inReview, act: (visitor) => refused(visitor, 'reason') },
  { name: 'publish', as: 'chief', page: '/desk/:id/publish', find: async (visitor) => (await inReview(visitor)).replace('review', 'publish') },
  { name: 'nothing to approve', as: 'editor', page: '/desk/:id/publish', find: async (visitor) => `${await draft(visitor)}/publish` },
  { name: 'rules of the desk', as: 'chief', page: '/desk/rules/:unit', find: (visitor) => by(visitor, '/desk', 'a[href^="/desk/rules/"]') },
  { name: 'published at the desk', as: 'editor', page: '/desk/:id', find: published },
  { name: 'withdrawal', as: 'chief', page: '/desk/:id', find: async (visitor) => `${await published(visitor)}?withdraw=1` },
  { name: 'who reads, documents of a branch', as: 'secretary', address: '/readers' },
  { name: 'who reads, documents of a province', as: 'statistician', address: '/readers' },
  { name: 'who reads, by name', as: 'secretary', page: '/readers/:id', find: (visitor) => by(visitor, '/readers', '.row-link') },
  { name: 'who reads, by unit', as: 'statistician', page: '/readers/:id', find: (visitor) => by(visitor, '/readers', '.row-link') },
  { name: 'who reads, reminded today', as: 'chief', page: '/readers/:id', find: readersAtTheDesk, act: reminded },
  { name: 'courses', as: 'member', address: '/courses' },
  { name: 'courses, nothing to do', as: 'exempt', address: '/courses' },
  { name: 'course', as: 'member', page: '/courses/:id', find: (visitor) => by(visitor, '/courses', '.card-strong .row-link') },
  { name: 'course completed', as: 'member', page: '/courses/:id', find: completed },
  { name: 'certificate', as: 'member', page: '/courses/:id/certificate', find: async (visitor) => `${await completed(visitor)}/certificate` },
  { name: 'quiz', as: 'secretary', page: '/courses/:id/quiz', find: quiz },
  { name: 'quiz failed', as: 'committee', page: '/courses/:id/tries/:number', find: failedQuiz },
  { name: 'quiz, no try left', as: 'commune_editor', page: '/courses/:id/tries/:number', find: failedThrice },
  { name: 'courses followed', as: 'secretary', address: '/courses/results' },
  { name: 'course results with names', as: 'secretary', page: '/courses/:id/results', find: (visitor) => by(visitor, '/courses/results', '.row-link') },
  { name: 'course results', as: 'committee', page: '/courses/:id/results', find: commune },
  { name: 'giving courses', as: 'commune_editor', address: '/courses/manage' },
  { name: 'new course', as: 'commune_editor', address: '/courses/manage/new' },
  { name: 'new course refused', as: 'commune_editor', address: '/courses/manage/new', act: (visitor) => refused(visitor, 'title') },
  { name: 'course given', as: 'commune_editor', page: '/courses/manage/:id', find: givenCourse },
  { name: 'course about to end', as: 'commune_editor', page: '/courses/manage/:id', find: async (visitor) => `${await givenCourse(visitor)}?end=1` },
  { name: 'course results of who gives it', as: 'commune_editor', page: '/courses/:id/results', find: resultsOfGiven },
  { name: 'course draft', as: 'commune_editor', page: '/courses/manage/:id', find: courseDraft },
  { name: 'question', as: 'commune_editor', page: '/courses/manage/:id/questions/:number', find: async (visitor) => `${await courseDraft(visitor)}/questions/new` },
  {
    name: 'question refused',
    as: 'commune_editor',
    page: '/courses/manage/:id/questions/:number',
    find: async (visitor) => `${await courseDraft(visitor)}/questions/new`,
    act: (visitor) => refused(visitor, 'text'),
  },
  { name: 'assignment', as: 'commune_editor', page: '/courses/manage/:id/assign', find: async (visitor) => `${await courseDraft(visitor)}/assign` },
  {
    name: 'assignment refused',
    as: 'commune_editor',
    page: '/courses/manage/:id/assign',
    find: async (visitor) => `${await courseDraft(visitor)}/assign`,
    act: (visitor) => refused(visitor, 'due_on'),
  },
  {
    name: 'assignment, units to choose from',
    as: 'commune_editor',
    page: '/courses/manage/:id/assign',
    find: async (visitor) => `${await courseDraft(visitor)}/assign`,
    act: (visitor) => visitor.$('main [data-part="parts"] > summary').click(),
  },
  { name: 'files of a draft', as: 'editor', page: '/desk/:id/files', find: async (visitor) => `${await draft(visitor)}/files` },
  {
    name: 'files of a draft, refused',
    as: 'editor',
    page: '/desk/:id/files',
    find: async (visitor) => `${await draft(visitor)}/files`,
    act: (visitor) => sentWithoutAFile(visitor),
  },
  { name: 'committee of a commune', as: 'committee', address: '/committee' },
  { name: 'committee of a province', as: 'statistician', address: '/committee' },
  { name: 'committee, ordered and searched', as: 'committee', address: '/committee?q=chi%20bo&sort=-share&rows=60' },
  { name: 'committee, no such unit', as: 'committee', address: '/committee?q=khong-co' },
  { name: 'course results, ordered', as: 'committee', page: '/courses/:id/results', find: async (visitor) => `${await commune(visitor)}?sort=name` },
  { name: 'own record', as: 'member', address: '/record' },
  { name: 'asking for a correction', as: 'member', address: '/record/correction' },
  { name: 'asking for a correction, refused', as: 'member', address: '/record/correction', act: (visitor) => refused(visitor, 'wanted') },
  { name: 'members', as: 'registrar', address: '/members' },
  { name: 'members, nobody found', as: 'registrar', address: '/members?q=khong+co+ai' },
  { name: 'new member', as: 'registrar', address: '/members/new' },
  { name: 'new member refused', as: 'registrar', address: '/members/new', act: (visitor) => refused(visitor, 'full_name') },
  { name: 'record', as: 'registrar', page: '/members/:id', find: (visitor) => by(visitor, '/members', '.row-link') },
  { name: 'record, editing', as: 'registrar', page: '/members/:id/edit', find: async (visitor) => `${await by(visitor, '/members', '.row-link')}/edit` },
  { name: 'record, state', as: 'registrar', page: '/members/:id/state', find: async (visitor) => `${await by(visitor, '/members', '.row-link')}/state` },
  { name: 'record, transfer', as: 'registrar', page: '/members/:id/transfer', find: async (visitor) => `${await by(visitor, '/members', '.row-link')}/transfer` },
  { name: 'corrections', as: 'registrar', address: '/corrections' },
  { name: 'transfers', as: 'registrar', address: '/transfers' },
  { name: 'a transfer', as: 'registrar', page: '/transfers', find: (visitor) => by(visitor, '/transfers', '.row-link') },
  { name: 'records to check', as: 'registrar', address: '/quality' },
  { name: 'records to check, none left', as: 'registrar', address: '/quality?kind=missing_id' },
  { name: 'roles', as: 'registrar', page: '/units/:id/roles', find: roles },
  { name: 'unit of a role', as: 'registrar', address: '/units/roles' },
  { name: 'unit of a role, not chosen', as: 'registrar', address: '/units/roles', act: (visitor) => refused(visitor, 'find') },
  { name: 'unit of a role, found', as: 'registrar', address: '/units/roles?then=find&find=ben dinh' },
  { name: 'unit of a role, none found', as: 'registrar', address: '/units/roles?then=find&find=khong-co' },
  { name: 'unit of a role, selected', as: 'registrar', page: '/units/roles', find: selectedUnit },
  { name: 'role refused', as: 'registrar', page: '/units/:id/roles', find: roles, act: (visitor) => refused(visitor, 'card') },
  { name: 'role about to end', as: 'registrar', page: '/units/:id/roles', find: (visitor) => ending(visitor) },
  { name: 'roles, to look at', as: 'editor', page: '/units/:id/roles', find: roles },
  { name: 'audit', as: 'registrar', address: '/audit' },
  { name: 'audit of nobody', as: 'registrar', address: '/audit?member=99.999999' },
  { name: 'audit of a province', as: 'operator', address: '/audit?group=roles' },
  { name: 'own trail', as: 'member', address: '/record/trail' },
  { name: 'guides', address: '/guides' },
  { name: 'guide', address: '/guides/member' },
  { name: 'guide of an office', as: 'registrar', address: '/guides/registrar' },
  { name: 'imports, none', as: 'registrar', address: '/imports' },
  { name: 'new import', as: 'registrar', address: '/imports/new' },
  { name: 'new import, unit found', as: 'registrar', address: '/imports/new?then=find&find=ben dinh' },
  { name: 'new import refused', as: 'registrar', address: '/imports/new', act: (visitor) => sentWithoutAFile(visitor) },
  { name: 'reorganisations', as: 'registrar', address: '/reorganisations' },
  { name: 'new reorganisation', as: 'registrar', address: '/reorganisations/new' },
  { name: 'new reorganisation refused', as: 'registrar', address: '/reorganisations/new', act: (visitor) => sentWithoutAFile(visitor, 'files') },
  { name: 'reorganisation, rows refused', as: 'registrar', page: '/reorganisations/:id', find: refusedPlan },
  { name: 'reorganisation, preview', as: 'registrar', page: '/reorganisations/:id', find: async (visitor) => `${await validPlan(visitor)}?list=renamed` },
  { name: 'reorganisation, about to be confirmed', as: 'registrar', page: '/reorganisations/:id', find: async (visitor) => `${await validPlan(visitor)}?sure=1` },
  { name: 'units to assign, none', as: 'registrar', address: '/reorganisations/queue' },
  { name: 'committee, one level down', as: 'statistician', page: '/committee/:unit', find: (visitor) => by(visitor, '/committee', '.table tbody a') },
  { name: 'units', as: 'registrar', address: '/units' },
  { name: 'units, nothing found', as: 'registrar', address: '/units?q=khong-co' },
  { name: 'units of a province, with figures', as: 'statistician', address: '/units' },
  { name: 'units, two levels open', as: 'statistician', page: '/units', find: (visitor) => by(visitor, '/units', '.tree-toggle[aria-expanded="false"]') },
  { name: 'units, all closed', as: 'statistician', address: '/units?open=' },
  { name: 'units of a member', as: 'member', address: '/units' },
  { name: 'units by use', as: 'statistician', address: '/units?sort=-share' },
  { name: 'units of a past day', as: 'statistician', page: '/units', find: () => `/units?on=${inDays(-30)}` },
  { name: 'units before the first one', as: 'statistician', address: '/units?on=1900-01-01' },
  { name: 'units with a code', as: 'statistician', address: '/units/code/01' },
  { name: 'what became of a unit', as: 'registrar', address: '/units/became' },
  { name: 'what became of a unit, found', as: 'registrar', address: '/units/became?q=ben dinh' },
  { name: 'what became of a unit, several', as: 'statistician', address: '/units/became?q=chi bo thon' },
  { name: 'what became of a unit, nothing found', as: 'registrar', address: '/units/became?q=khong-co' },
  { name: 'what became of a unit, its branches', as: 'registrar', page: '/units/became', find: branchesThen },
  { name: 'unit with units below', as: 'registrar', page: '/units/:id', find: (visitor) => by(visitor, '/units', '.tree-link') },
  { name: 'unit, units below not found', as: 'registrar', page: '/units/:id', find: async (visitor) => `${await by(visitor, '/units', '.tree-link')}?q=khong-co` },
  { name: 'unit as of a day', as: 'registrar', page: '/units/:id', find: async (visitor) => `${await by(visitor, '/units', '.tree-link')}?on=${inDays(-300)}` },
  { name: 'unit of a member', as: 'member', page: '/units/:id', find: (visitor) => by(visitor, '/more', '.facts a') },
  { name: 'unit of a member of a group', as: 'group_member', page: '/units/:id', find: (visitor) => by(visitor, '/more', '.facts a') },
  { name: 'unit between the ward and its branches', as: 'registrar', page: '/units/:id', find: (visitor) => between(visitor) },
  { name: 'new unit', as: 'registrar', page: '/units/:id/new', find: (visitor) => step(visitor, 'new', false) },
  { name: 'new unit below a branch', as: 'registrar', page: '/units/:id/new', find: (visitor) => step(visitor, 'new') },
  { name: 'new unit refused', as: 'registrar', page: '/units/:id/new', find: (visitor) => step(visitor, 'new', false), act: (visitor) => refused(visitor, 'name') },
  { name: 'rename a unit', as: 'registrar', page: '/units/:id/rename', find: (visitor) => step(visitor, 'rename') },
  { name: 'roll-out of a unit', as: 'registrar', page: '/units/:id/phase', find: (visitor) => step(visitor, 'phase') },
  { name: 'move a unit, nowhere to go', as: 'registrar', page: '/units/:id/move', find: async (visitor) => `${await between(visitor)}/move` },
  { name: 'move a unit', as: 'operator', page: '/units/:id/move', find: (visitor) => step(visitor, 'move') },
  { name: 'merge a unit', as: 'registrar', page: '/units/:id/merge', find: (visitor) => step(visitor, 'merge') },
  { name: 'split a branch', as: 'registrar', page: '/units/:id/split', find: (visitor) => step(visitor, 'split') },
  { name: 'split refused', as: 'registrar', page: '/units/:id/split', find: (visitor) => step(visitor, 'split'), act: (visitor) => refused(visitor, 'name') },
  { name: 'close a unit with members', as: 'registrar', page: '/units/:id/close', find: (visitor) => step(visitor, 'close') },
];

/** The roles of all states; `undefined` is signed out. */
export const LOOKERS = [...new Set(STATES.map(({ as }) => as))];

const found = new WeakMap();

/** The address of a state, looked up once for all tests with a visitor of the right role. */
export async function addressOf(state, visitor, server) {
  if (state.address) return state.address;
  const known = found.get(server) ?? new Map();
  found.set(server, known);
  if (!known.has(state.name)) {
    const address = await state.find(visitor);
    if (!isAt(address.split(/[?#]/)[0], state.page)) throw new Error(`${state.name} is at ${address}, not at ${state.page}`);
    known.set(state.name, address);
  }
  return known.get(state.name);
}

/** Whether a path is that of a page such as `/desk/:id`. */
function isAt(path, page) {
  const [parts, own] = [path, page].map((path) => path.split('/'));
  return parts.length === own.length && own.every((part, at) => part.startsWith(':') || part === parts[at]);
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
  if (state.to) await until(`${state.name} is at ${state.to}`, () => isAt(visitor.path, state.to));
}

/** The address a link leads to. */
async function by(visitor, from, selector) {
  await visitor.open(from);
  return visitor.$(`main ${selector}`).first().getAttribute('href');
}

/** A course that the fisherman has completed. */
function completed(visitor) {
  return by(visitor, '/courses', '.card:not(.card-strong) .row-link');
}

/** The course with a quiz, all its documents read. */
async function readCourse(visitor) {
  const course = await by(visitor, '/courses', '.card-strong .row-link');
  await visitor.open(course);
  const papers = await visitor.$('main .row-link[href^="/library/"]').evaluateAll((links) => links.map((link) => link.getAttribute('href')));
  for (const paper of papers) {
    await visitor.open(paper);
    if ((await visitor.$('main form[data-read]').count()) > 0) await visitor.saysRead();
  }
  await visitor.open(course);
  return course;
}

/** The quiz, started. */
async function quiz(visitor) {
  const course = await readCourse(visitor);
  const start = visitor.$('main form[action$="/courses/start"] button');
  if ((await start.count()) > 0) await visitor.submit(start);
  return `${course}/quiz`;
}

/** The quiz, submitted without an answer. */
async function failedQuiz(visitor) {
  await visitor.open(await quiz(visitor));
  await visitor.submit(visitor.$('button[value="hand_in"]'));
  return visitor.path;
}

/** The same until no attempt is left and the right answers are shown. */
async function failedThrice(visitor) {
  await failedQuiz(visitor);
  await failedQuiz(visitor);
  return failedQuiz(visitor);
}

/** The results of a course with limited attempts, for its editor, after another attempt was given. Drafts are listed first. */
async function resultsOfGiven(visitor) {
  await visitor.open('/courses/manage');
  const courses = visitor.$('main .card').last().locator('.row-link');
  for (const course of await courses.evaluateAll((links) => links.map((link) => link.getAttribute('href')))) {
    const results = `${course.replace('/manage', '')}/results?given=1`;
    await visitor.open(results);
    if ((await visitor.$('form[action$="/courses/give_try"]').count()) > 0) return results;
  }
  throw new Error('no course lets another try be given');
}

/** The results of the course assigned to the commune, which has units below. */
async function commune(visitor) {
  await visitor.open('/courses/results');
  const links = await visitor.$('main .row-link').evaluateAll((links) => links.map((link) => link.getAttribute('href')));
  for (const link of links) {
    await visitor.open(link);
    if ((await visitor.$('.table').count()) > 0) return link;
  }
  throw new Error('no course has results by unit');
}

function givenCourse(visitor) {
  return by(visitor, '/courses/manage', '.row-link');
}

/** A draft with a question: created once, later found by its title. */
async function courseDraft(visitor) {
  const title = 'Chuyên đề đang soạn';
  await visitor.open('/courses/manage');
  const known = visitor.$('main .row-link', { hasText: title });
  if ((await known.count()) > 0) return known.first().getAttribute('href');
  await visitor.open('/courses/manage/new');
  await visitor.field('title').fill(title);
  await visitor.submit(visitor.sender('title'));
  const draft = visitor.path;
  await visitor.submit(visitor.$('#documents ul .arranged button').first());
  await visitor.open(`${draft}/questions/new`);
  await visitor.field('text').fill('Tài liệu gửi trước mấy ngày?');
  await visitor.field('options[1]').fill('Một ngày');
  await visitor.field('options[2]').fill('Hai ngày');
  await visitor.$('main [name="right[]"][value="2"]').check();
  await visitor.submit(visitor.sender('text'));
  return draft;
}

/** The last typed query could not be sent. */
async function lostConnection(visitor) {
  // Without script, typing sends no query.
  if (!visitor.script) return;
  visitor.expects('net::ERR_FAILED');
  await visitor.page.route('**/search?q=*', (route) => route.abort());
  await visitor.field('q').fill('dang phi hang thang');
  await visitor.sees('#search-failed:not(:empty)');
  await visitor.page.unroute('**/search?q=*');
}

async function opinionForm(visitor) {
  return `${await by(visitor, '/library', '.row-link')}/opinion`;
}

/** The first document with a table, the widest content. */
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

/** A document with every optional part. */
async function storms(visitor) {
  return by(visitor, '/search?q=21-CT/TU', '.row-link');
}

async function marked(visitor) {
  const form = visitor.$('form[action="/api/documents/bookmark"]');
  if (await form.isVisible()) {
    if (visitor.script) {
      await until('the script is loaded', () => visitor.page.evaluate(() => document.documentElement.dataset.reading === 'true'));
      await form.locator('button').click();
    } else {
      await Promise.all([visitor.page.waitForEvent('domcontentloaded'), form.locator('button').click()]);
    }
  }
  await visitor.sees('form[action="/api/documents/remove_bookmark"]');
  await visitor.$('details.share summary').click();
  await visitor.sees('#address');
}

/** An unanswered opinion; opening it as a secretary marks it as seen. */
async function unanswered(visitor) {
  await visitor.open('/branch');
  const addresses = await visitor.$('main .row-link').evaluateAll((links) => links.map((link) => link.getAttribute('href')));
  for (const address of addresses) {
    await visitor.open(address);
    if ((await visitor.field('text').count()) > 0) return address;
  }
  throw new Error('the branch has answered every opinion');
}

/** A base committee, which has sections with branches below it. */
function between(visitor) {
  return by(visitor, '/units?q=truong hoc phuong', '.row-link');
}

/** The page of one change of the own unit, or of the first branch by code. */
async function step(visitor, change, below = true) {
  if (!below) return `${await by(visitor, '/units', '.tree-link')}/${change}`;
  return `${await by(visitor, '/units?q=ben dinh', '.row-link')}/${change}`;
}

/** The branches of the own unit on a past day. */
async function branchesThen(visitor) {
  const unit = (await by(visitor, '/units', '.tree-link')).split('/').pop();
  return `/units/became?unit=${unit}&on=${inDays(-30)}`;
}

/** A reorganisation with an unknown code; uploaded once. */
function refusedPlan(visitor) {
  return plannedOnce(visitor, 'sap-xep-sai.csv', [['khong-co', '09', '', 'Chi bộ không có', 'toàn bộ', '']]);
}

/** A reorganisation that renames a branch; uploaded once and never confirmed. */
function validPlan(visitor) {
  return plannedOnce(visitor, 'sap-xep-dung.csv', [['01/51/001/01', '01', '', 'Chi bộ khu phố Bến Đình Mới', 'toàn bộ', 'giữ']]);
}

/** A stored draft: the first editable one at the desk, otherwise a new one. */
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

/** A text typed in a new document and not saved. */
async function unsavedTexts(visitor) {
  await visitor.open('/desk/new');
  const typed = { version: '0', title: 'Thông báo lịch trực phòng chống bão', body: '## Nội dung\n\nTrực **ba ca** mỗi ngày.\n' };
  const status = await visitor.page.evaluate(async (typed) => {
    const id = document.querySelector('[name="body"]').form.elements.namedItem('id').value;
    const kept = await fetch('/api/documents/keep_typed', { method: 'POST', body: new URLSearchParams({ ...typed, id }) });
    return kept.status;
  }, typed);
  if (status !== 200) throw new Error(`the text is not kept: ${status}`);
  return '/desk/unsaved';
}

/** A draft of the chief editor in review by another one: sent once, later found at the desk. */
async function inReview(visitor) {
  await visitor.open('/desk/new');
  await visitor.field('title').fill('Kế hoạch kiểm tra việc dùng sổ tay ở các chi bộ trong quý');
  await visitor.field('body').fill('## Nội dung\n\nKiểm tra **ba** chi bộ mỗi xã.\n');
  await visitor.submit(visitor.sender('body'));
  const address = `${visitor.path}/review`;
  await visitor.open(address);
  await visitor.submit(visitor.sender('reviewer'));
  return address;
}

async function unknownCommenter(visitor) {
  await visitor.field('commenter').fill('99.999999');
  await refused(visitor, 'reviewer');
}

/** The roles of the unit on which the visitor holds an office. */
async function roles(visitor) {
  const own = await visitor.context.request.get('/api/account/own');
  const { viewer } = await own.json();
  return `/units/${viewer.offices[0].unit.id}/roles`;
}

/** The choice of the unit, with the own unit selected. */
async function selectedUnit(visitor) {
  const unit = (await roles(visitor)).split('/').at(-2);
  return `/units/roles?unit=${unit}`;
}

/** The confirmation page for the first role that may be ended. */
async function ending(visitor) {
  return by(visitor, await roles(visitor), 'a[href*="?end="]');
}

/** A published document, as its editors see it. */
async function published(visitor) {
  const out = await visitor.context.request.get('/api/documents/desk');
  return `/desk/${(await out.json()).published[0].id}`;
}

/** The readers of documents published by the own units. */
async function readersAtTheDesk(visitor) {
  return (await published(visitor)).replace('/desk/', '/readers/');
}

/** Allowed once a day. */
async function reminded(visitor) {
  const remind = visitor.$('main form[action$="/documents/remind"] button');
  if ((await remind.count()) > 0) await visitor.submit(remind);
}

/** Submits the empty form of the control and waits for the errors. */
async function refused(visitor, name) {
  await visitor.submit(visitor.sender(name));
  await visitor.sees('.error-summary');
}

/** Searches the units of a form. */
async function searchedUnits(visitor, words) {
  await visitor.$('main [data-part="parts"] > summary').click();
  await visitor.field('find').fill(words);
  if (visitor.script) await until('the search was answered', async () => (await visitor.text('[data-part="found"]')).trim() !== '');
  else await visitor.submit(visitor.$('main button[name="then"][value="find"]'));
}

/** Selects a unit and leaves another one out, and searches again, so that both are listed. */
async function pickedUnits(visitor) {
  await visitor.$('main [data-part="parts"] > summary').click();
  await visitor.$('main .picker-row').nth(0).locator('input[name="parts[]"]').check();
  await visitor.$('main .picker-row').nth(1).locator('input[name="except[]"]').check();
  await visitor.field('find').fill('xylophon');
  if (!visitor.script) await visitor.submit(visitor.$('main button[name="then"][value="find"]'));
  await visitor.sees('main fieldset[id="except"] input');
}

let visits = 0;

/** Begins an activation with an unknown ID: the pages are the same for all. Each call uses another ID, because messages are limited. */
async function knocked(visitor) {
  visits += 1;
  await visitor.field('national_id').fill(String(1_000_000_000 + visits).padStart(12, '0'));
  await visitor.submit(visitor.sender('national_id'));
  await visitor.sees('input[name="way"]');
}

async function codeBy(visitor, way) {
  await knocked(visitor);
  await visitor.$(`main [name="way"][value="${way}"]`).check();
  await visitor.submit(visitor.sender('way'));
  await visitor.sees('input[name="code"]');
}

async function codeRefused(visitor) {
  await codeBy(visitor, 'paper');
  await visitor.field('code').fill('ACDEF-23456');
  await visitor.submit(visitor.sender('code'));
  await visitor.sees('.error-summary');
}

/** Issues codes for the preselected members without an account; for one of those with a card if all have one. */
async function sheet(visitor) {
  if ((await visitor.$('main [name="members[]"]:checked').count()) === 0) {
    await visitor.page.evaluate(() => document.querySelectorAll('main details').forEach((group) => (group.open = true)));
    await visitor.$('main [name="members[]"]').first().check();
  }
  await visitor.submit(visitor.sender('members[]'));
  await visitor.sees('.code-card');
}
/** The browser submits this form itself, also with script. */
async function sentWithoutAFile(visitor, name = 'file') {
  await Promise.all([visitor.page.waitForEvent('domcontentloaded'), visitor.sender(name).click()]);
  await visitor.settled();
  await visitor.sees('.error-summary');
}
