// Keeps what is typed into text areas on the device until the server has taken the form, so that a reload, going back, a closed tab and a
// session that ends lose nothing. It is kept by person, page and form, and put back where the field is empty. Fields of one line, where
// numbers, passwords and codes are typed, are never kept. The text of a draft is kept by `desk.js`, what is ticked in a quiz by
// `courses.js`; when all of it goes is seen to here.
//
// Whether a form was taken, only the server knows: a cookie names the form on its way, to its own address only, and the answer to one
// that is taken is a cookie of that name (`app/src/forms.rs`). So several forms can be on their way at a time.

const DAYS_KEPT = 30;
const KEPT = 'handbook-typed:';
/** All that scripts keep of a person. Whose it is follows. */
const ALL_KEPT = [KEPT, 'handbook-quiz:', 'handbook-desk:'];
const SENT = 'handbook-sent';
const COOKIE = 'handbook-typed';
/** Forms of a tab that are remembered until the server has taken them. */
const SENT_MAX = 20;

const { owner, kept, remove } = document.querySelector('script[data-kept]').dataset;
const own = `${KEPT}${owner}:`;

/** What a task with the browser's stores gives; nothing where the browser keeps nothing or has no room. */
function attempt(task) {
  try {
    return task();
  } catch {
    return undefined;
  }
}

const names = () => Object.keys(localStorage).filter((name) => ALL_KEPT.some((kept) => name.startsWith(kept)));

/** Forgets what is old, and what is kept of others who used this device. */
function tidy() {
  for (const name of names()) {
    const { at = 0 } = attempt(() => JSON.parse(localStorage.getItem(name))) ?? {};
    const isOthers = owner && !ALL_KEPT.some((kept) => name.startsWith(`${kept}${owner}:`));
    if (isOthers || Date.now() - at > DAYS_KEPT * 86_400_000) localStorage.removeItem(name);
  }
}

const isKept = (field) =>
  owner && field.matches('form[method="post"] textarea:not([readonly])') && !field.closest('[data-writing]');

/** Under which name a field is kept: whose, on which page, in which form of it. */
function nameOf(field) {
  const open = new URLSearchParams(location.search).get('open') ?? '';
  const file = field.form.elements.file?.value ?? '';
  return [own + location.pathname, open, field.form.getAttribute('action'), file, field.name].join(' ');
}

/** Fields that were looked at, and under which name. */
const seen = new WeakMap();
/** Fields something was put back into, which is not said yet. */
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

/** Says below the field that it was kept, and offers to forget it. */
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

/** The forms of this tab that are on their way: the mark of each, and under which names its fields are kept or that all of it goes. */
const onTheirWay = () => [].concat(attempt(() => JSON.parse(sessionStorage.getItem(SENT))) ?? []);

/** Forgets what was sent with forms the server has taken. */
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
  // The module compares the page with its own while it takes it over: nothing is added before.
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
    // Who signs out leaves nothing on the device.
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
