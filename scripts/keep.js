// Keeps what is typed into text areas on the device until the server has taken the form, so that a reload, going back, a closed tab and a
// session that ends lose nothing. It is kept by person, page and form, and put back where the field is empty. Fields of one line, where
// numbers, passwords and codes are typed, are never kept. The text of a draft is kept by `desk.js`.
//
// Whether a form was taken, only the server knows: a cookie names the form on its way, and the answer to one that is taken marks it
// (`app/src/forms.rs`).

const DAYS_KEPT = 30;
const KEPT = 'handbook-typed:';
const SENT = 'handbook-sent';
const COOKIE = 'handbook-typed';

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

const names = () => Object.keys(localStorage).filter((name) => name.startsWith(KEPT));

/** Forgets what is old, and what others typed who used this device. */
function tidy() {
  for (const name of names()) {
    const { at } = attempt(() => JSON.parse(localStorage.getItem(name))) ?? { at: 0 };
    const isOthers = owner && !name.startsWith(own);
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

/** Forgets what was sent with a form the server has taken. */
function forgetTaken() {
  const sent = attempt(() => JSON.parse(sessionStorage.getItem(SENT)));
  if (!sent || !document.cookie.split('; ').includes(`${COOKIE}=${sent.mark}.taken`)) return;
  document.cookie = `${COOKIE}=; Path=/; Max-Age=0; SameSite=Lax`;
  attempt(() => {
    sent.names.forEach((name) => localStorage.removeItem(name));
    sessionStorage.removeItem(SENT);
  });
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
    const isEnd = form.getAttribute('action') === '/api/account/sign_out';
    const fields = [...form.querySelectorAll('textarea')].filter(isKept);
    if (!isEnd && fields.length === 0) return;
    const mark = Math.random().toString(36).slice(2, 14);
    document.cookie = `${COOKIE}=${mark}; Path=/; SameSite=Lax`;
    // Who signs out leaves nothing on the device.
    attempt(() => sessionStorage.setItem(SENT, JSON.stringify({ mark, names: isEnd ? names() : fields.map(nameOf) })));
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
