// Enhances the pages of documents: stores and restores the reading position, bookmarks in place, shares, prints. Without it only
// the position is missing. Loaded once while the application changes the page, so elements are looked up when they are needed.

/** Milliseconds between two reports of the position while reading. */
const PAUSE = 4000;

const article = () => document.querySelector('[data-document]');

/** A position that is not reported yet: `{ id, heading, part }`. */
let untold = null;
let timer = 0;

/** The position: the last heading above the middle of the screen, and the part of the text above its lower edge, in thousandths. */
function place(text) {
  const { top, height } = text.getBoundingClientRect();
  const part = Math.round((1000 * (innerHeight - top)) / Math.max(height, 1));
  let heading = '';
  for (const each of text.querySelectorAll('h2[id], h3[id]')) {
    if (each.getBoundingClientRect().top > innerHeight / 2) break;
    heading = each.id;
  }
  return { heading, part: Math.min(Math.max(part, 0), 1000) };
}

function tell() {
  clearTimeout(timer);
  timer = 0;
  if (!untold) return;
  const body = new URLSearchParams(untold);
  untold = null;
  // The request may outlive the page. If it fails, the next report replaces it.
  fetch('/api/documents/progress', { method: 'POST', body, keepalive: true }).catch(() => {});
}

addEventListener(
  'scroll',
  () => {
    const read = article();
    const text = read?.querySelector('.prose');
    if (!text) return;
    const { heading, part } = place(text);
    // No position is stored for an opening by office. The furthest position counts.
    if (!('part' in read.dataset) || part <= Number(read.dataset.part)) return;
    const id = read.dataset.document;
    if (untold && untold.id !== id) tell();
    read.dataset.was ??= read.dataset.part;
    read.dataset.part = String(part);
    untold = { id, heading, part };
    timer ||= setTimeout(tell, PAUSE);
  },
  { passive: true },
);
addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && tell());
addEventListener('pagehide', tell);

/** The text in view, for how many seconds, how much was read before, and the time of the last input. */
let viewed = { id: '', seconds: 0, before: 0 };
let moved = Date.now();
for (const kind of ['scroll', 'pointerdown', 'pointermove', 'keydown']) {
  addEventListener(kind, () => (moved = Date.now()), { passive: true });
}

// Whether a text was read: domain/src/documents/reading.rs has the rule and its numbers. The server checks them again.
setInterval(() => {
  const read = article();
  const { document: id, end, whole } = read?.dataset ?? {};
  if (!end || document.hidden || Date.now() - moved > 90000) return;
  const text = read.querySelector('.prose');
  const { top, bottom } = text.getBoundingClientRect();
  if (top > innerHeight || bottom < 0) return;
  const part = Number(read.dataset.part);
  // The part read before this visit, without what was scrolled over since.
  if (viewed.id !== id) viewed = { id, seconds: 0, before: Number(read.dataset.was ?? part) / 1000 };
  viewed.seconds += 1;
  if (viewed.seconds >= Number(whole)) markRead(read, 'in_view');
  else if (Math.max(place(text).part, part) >= 970 && viewed.seconds >= Math.max(5, end * (1 - viewed.before))) markRead(read, 'end');
}, 1000);

/** Reports to the server that a text was read, and shows the reader that it is recorded. Returns whether it is. */
async function markRead(read, seen) {
  const { document: id, end } = read.dataset;
  // Reported once; again if the request failed.
  delete read.dataset.end;
  const answer = await fetch('/api/documents/mark_read', {
    method: 'POST',
    headers: { Accept: 'application/json' },
    body: new URLSearchParams({ id, seen }),
    keepalive: true,
  }).catch(() => null);
  const form = read.querySelector('form[data-read]');
  if (!answer?.ok || !form) {
    if (end) read.dataset.end = end;
    // Retries soon, but not every second.
    viewed.seconds = Math.max(0, viewed.seconds - 10);
    return Boolean(answer?.ok);
  }
  const told = form.parentElement.querySelector('[role="status"]');
  told.textContent = form.dataset.read;
  if (form.contains(document.activeElement)) {
    told.tabIndex = -1;
    told.focus();
  }
  form.remove();
  return true;
}

/** Returns to the exact position, not only to its heading. */
function goOn(event) {
  const read = article();
  const text = read?.querySelector('.prose');
  const part = Number(read?.dataset.part);
  if (!text || !part) return;
  event.preventDefault();
  const { top, height } = text.getBoundingClientRect();
  scrollTo({ top: scrollY + top + (height * part) / 1000 - innerHeight + 120 });
  text.tabIndex = -1;
  text.focus({ preventScroll: true });
}

async function share(event) {
  if (!navigator.share) return;
  event.preventDefault();
  const url = document.querySelector('#address')?.value ?? location.href;
  // Closing the share dialog is not an error.
  await navigator.share({ title: document.title, url }).catch(() => {});
}

addEventListener('click', (event) => {
  const clicked = (what) => event.target instanceof Element && event.target.closest(what);
  if (clicked('[data-go-on]')) goOn(event);
  else if (clicked('[data-share]')) share(event);
  else if (clicked('[data-print-page]')) print();
});

/** Sends a bookmark in the background and offers the opposite. On failure, the browser submits the form. */
async function mark(form) {
  const answer = await fetch(form.action, {
    method: 'POST',
    headers: { Accept: 'application/json' },
    body: new URLSearchParams(new FormData(form)),
  }).catch(() => null);
  const other = [...document.querySelectorAll('form[data-mark]')].find((each) => each !== form);
  if (!answer?.ok || !other) return form.submit();
  form.hidden = true;
  other.hidden = false;
  other.querySelector('button').focus();
}

addEventListener('submit', (event) => {
  const form = event.target;
  if (form.matches('[data-mark]')) {
    event.preventDefault();
    mark(form);
  } else if (form.matches('[data-read]')) {
    event.preventDefault();
    markRead(article(), 'said').then((done) => done || form.submit());
  } else if (form.method === 'get') {
    // Empty fields are left out of the address.
    for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
  }
});
// Enables the fields again after navigating back.
addEventListener('pageshow', () => {
  for (const field of document.querySelectorAll('form[method="get"] :disabled')) field.disabled = false;
});

/** The running header of each printed page. */
addEventListener('beforeprint', () => {
  const head = article()?.dataset.print;
  if (head) document.documentElement.style.setProperty('--running-head', JSON.stringify(head));
});
addEventListener('afterprint', () => document.documentElement.style.removeProperty('--running-head'));

/** Changes the text size by one step and keeps the current line in view. If it cannot be saved, the browser submits the form. */
async function resize(form, button) {
  const root = document.documentElement;
  const before = Number(root.dataset.textSize);
  const size = Math.min(Math.max(before + Number(button.dataset.step), 1), 3);
  if (size === before) return;
  const line = [...document.querySelectorAll('.prose > *')].find((each) => each.getBoundingClientRect().bottom > innerHeight / 4);
  const at = line?.getBoundingClientRect().top;
  root.dataset.textSize = String(size);
  if (line && scrollY > 0) scrollBy({ top: line.getBoundingClientRect().top - at, behavior: 'instant' });
  const body = new URLSearchParams(new FormData(form));
  body.set('text_size', size);
  const answer = await fetch(form.action, { method: 'POST', headers: { Accept: 'application/json' }, body }).catch(() => null);
  // Signed out meanwhile: the sign-in is a separate page. Offline, the size holds until the page is left.
  if (answer?.status === 401) {
    form.dataset.sent = 'true';
    button.value = size;
    form.requestSubmit(button);
  }
}

addEventListener('submit', (event) => {
  if (!event.target.matches('[data-text-size-form]') || event.target.dataset.sent) return;
  event.preventDefault();
  resize(event.target, event.submitter);
});

/** Text size and theme are saved on change, in sequence. On failure the form is submitted and shows the error. */
let saving = Promise.resolve();
addEventListener('change', ({ target }) => {
  const saved = target.closest('[data-saved]');
  const form = target.form;
  if (!saved || !form) return;
  document.documentElement.dataset[target.name === 'theme' ? 'theme' : 'textSize'] = target.value;
  saving = saving.then(async () => {
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.action, { method: 'POST', headers: { Accept: 'application/json' }, body }).catch(() => null);
    if (answer?.ok) saved.querySelector('[role="status"]').textContent = saved.dataset.saved;
    else if (form.isConnected) form.requestSubmit();
  });
});

// Marks that scripts run, for controls that need them: see style/document.css.
document.documentElement.dataset.reading = 'true';
