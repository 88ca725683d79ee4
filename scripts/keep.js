// Keeps the text of text areas on the device until the server has accepted the form, so that a reload, navigation, a closed tab
// and an expired session lose nothing. It is stored by person, page and form, and restored if the field is empty. Single-line
// fields, which hold numbers, passwords and codes, are never stored. `desk.js` stores the text of a draft, `courses.js` the
// answers of a quiz; this script deletes all of it.
//
// Only the server knows whether a form was accepted: a cookie names the submitted form, for its own address only, and the answer
// to an accepted one is a cookie with that name (`app/src/forms.rs`). So several forms can be in flight at a time.

const DAYS_KEPT = 30;
const KEPT = 'handbook-typed:';
/** Prefixes of everything that scripts store for a person; the person's id follows. */
const ALL_KEPT = [KEPT, 'handbook-quiz:', 'handbook-desk:'];
const SENT = 'handbook-sent';
const COOKIE = 'handbook-typed';
/** Submitted forms that a tab remembers until the server has accepted them. */
const SENT_MAX = 20;

const { owner, kept, remove } = document.querySelector('script[data-kept]').dataset;
const own = `${KEPT}${owner}:`;

/** The result of a storage access; undefined if storage is disabled or full. */
function attempt(task) {
  try {
    return task();
  } catch {
    return undefined;
  }
}

const names = () => Object.keys(localStorage).filter((name) => ALL_KEPT.some((kept) => name.startsWith(kept)));

/** Deletes expired values, and those of other people who used this device. */
function tidy() {
  for (const name of names()) {
    const { at = 0 } = attempt(() => JSON.parse(localStorage.getItem(name))) ?? {};
    const isOthers = owner && !ALL_KEPT.some((kept) => name.startsWith(`${kept}${owner}:`));
    if (isOthers || Date.now() - at > DAYS_KEPT * 86_400_000) localStorage.removeItem(name);
  }
}

const isKept = (field) =>
  owner && field.matches('form[method="post"] textarea:not([readonly])') && !field.closest('[data-writing]');

/** The key of a field: the person, the page, and the form on it. */
function nameOf(field) {
  const open = new URLSearchParams(location.search).get('open') ?? '';
  const file = field.form.elements.file?.value ?? '';
  return [own + location.pathname, open, field.form.getAttribute('action'), file, field.name].join(' ');
}

/** The keys of fields that were processed. */
const seen = new WeakMap();
/** Restored fields whose notice is not shown yet. */
const restored = new Set();
let isRestoring = false;

function restore(field) {
  const name = nameOf(field);
  if (seen.get(field) === name) return;
  seen.set(field, name);
  const found = attempt(() => JSON.parse(localStorage.getItem(name)));
  if (field.value !== '' || !found?.text) return;
  field.value = found.text;
  restored.add(field);
  isRestoring = true;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  isRestoring = false;
}

/** Shows below the field that its text was kept, and offers to delete it. */
function say(field) {
  const line = document.createElement('p');
  line.className = 'kept';
  line.setAttribute('role', 'status');
  const button = document.createElement('button');
  Object.assign(button, { type: 'button', className: 'button button-quiet', textContent: remove });
  button.addEventListener('click', () => {
    field.value = '';
    field.dispatchEvent(new Event('input', { bubbles: true }));
    field.focus();
  });
  line.append(kept, ' ', button);
  field.parentElement.append(line);
}

/** The submitted forms of this tab: the mark of each, and the keys of its fields or that everything is deleted. */
const onTheirWay = () => [].concat(attempt(() => JSON.parse(sessionStorage.getItem(SENT))) ?? []);

/** Deletes the text of forms that the server has accepted. */
function forgetTaken() {
  const cookies = document.cookie.split('; ');
  const sent = onTheirWay();
  const isTaken = ({ mark }) => cookies.includes(`${COOKIE}-${mark}=taken`);
  const taken = sent.filter(isTaken);
  if (taken.length === 0) return;
  attempt(() => {
    for (const { all, fields } of taken) (all ? names() : fields).forEach((name) => localStorage.removeItem(name));
    sessionStorage.setItem(SENT, JSON.stringify(sent.filter((form) => !isTaken(form))));
  });
  for (const { mark } of taken) document.cookie = `${COOKIE}-${mark}=; Path=/; Max-Age=0; SameSite=Lax`;
}

function look() {
  planned = 0;
  forgetTaken();
  for (const field of document.querySelectorAll('textarea')) if (isKept(field)) restore(field);
  // Hydration compares the page with the module's own: nothing is added before.
  const { hydrated, static: still } = document.documentElement.dataset;
  if (!hydrated && !still) return;
  for (const field of restored) if (field.isConnected && field.value) say(field);
  restored.clear();
}

addEventListener('input', ({ target: field }) => {
  if (!(field instanceof HTMLTextAreaElement) || !isKept(field) || isRestoring) return;
  const name = nameOf(field);
  const text = field.value;
  attempt(() => {
    if (text.trim()) localStorage.setItem(name, JSON.stringify({ text, at: Date.now() }));
    else localStorage.removeItem(name);
  });
  if (!text) field.parentElement.querySelector('.kept')?.remove();
});

// Before the module sends the form.
addEventListener(
  'submit',
  ({ target: form }) => {
    if (!owner || form.hasAttribute('aria-busy')) return;
    const action = form.getAttribute('action') ?? '';
    // Signing out deletes everything from the device.
    const all = action === '/api/account/sign_out';
    const fields = [...form.querySelectorAll('textarea')].filter(isKept);
    if (!all && fields.length === 0) return;
    const mark = Math.random().toString(36).slice(2, 14);
    document.cookie = `${COOKIE}=${mark}; Path=${new URL(action, location).pathname}; SameSite=Lax`;
    const sent = [...onTheirWay(), { mark, all, fields: fields.map(nameOf) }].slice(-SENT_MAX);
    attempt(() => sessionStorage.setItem(SENT, JSON.stringify(sent)));
  },
  { capture: true },
);

let planned = 0;
const plan = () => (planned ||= requestAnimationFrame(look));
new MutationObserver(plan).observe(document.querySelector('main') ?? document.body, { childList: true, subtree: true });
new MutationObserver(plan).observe(document.documentElement, { attributeFilter: ['data-hydrated', 'data-static'] });
addEventListener('pagehide', forgetTaken);

attempt(tidy);
look();
