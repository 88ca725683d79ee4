// Comfort on the pages of documents: keeps the place, goes on from it, marks without leaving, shares, prints. Without it they do
// the same but for the place. Loaded once; the application changes the page below it, so everything is looked up when it is needed.

/** Milliseconds between two messages about the place while somebody reads. */
const PAUSE = 4000;

const article = () => document.querySelector('[data-document]');

/** What was read and is not told yet: `{ id, heading, part }`. */
let untold = null;
let timer = 0;

/** The place on the screen: the last heading above its middle, and the part of the text above its lower edge, in thousandths. */
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
  // It may outlive the page. When it does not arrive, the next place does.
  fetch('/api/documents/progress', { method: 'POST', body, keepalive: true }).catch(() => {});
}

addEventListener(
  'scroll',
  () => {
    const read = article();
    const text = read?.querySelector('.prose');
    if (!text) return;
    const { heading, part } = place(text);
    // Who only looks has no place. The furthest one counts.
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

/** The text in view, for how many seconds, and how much of it was read before; when something was last moved or pressed. */
let viewed = { id: '', seconds: 0, before: 0 };
let moved = Date.now();
for (const kind of ['scroll', 'pointerdown', 'pointermove', 'keydown']) {
  addEventListener(kind, () => (moved = Date.now()), { passive: true });
}

// Whether a text was read: the rule, and its numbers, are in domain/src/documents/reading.rs. The server checks them again.
setInterval(() => {
  const read = article();
  const { document: id, end, whole } = read?.dataset ?? {};
  if (!end || document.hidden || Date.now() - moved > 90000) return;
  const text = read.querySelector('.prose');
  const { top, bottom } = text.getBoundingClientRect();
  if (top > innerHeight || bottom < 0) return;
  const part = Number(read.dataset.part);
  // What was read before this visit, not what was scrolled over since it began.
  if (viewed.id !== id) viewed = { id, seconds: 0, before: Number(read.dataset.was ?? part) / 1000 };
  viewed.seconds += 1;
  if (viewed.seconds >= Number(whole)) markRead(read, 'in_view');
  else if (Math.max(place(text).part, part) >= 970 && viewed.seconds >= Math.max(5, end * (1 - viewed.before))) markRead(read, 'end');
}, 1000);

/** Tells the server that a text was read, and the reader that it is recorded. Says whether it is. */
async function markRead(read, seen) {
  const { document: id, end } = read.dataset;
  // Not twice; again when it did not arrive.
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
    // Soon again, but not every second.
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

/** Puts the reader back to the very place, not only below its heading. */
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
  // Closing the sheet is no error.
  await navigator.share({ title: document.title, url }).catch(() => {});
}

addEventListener('click', (event) => {
  const clicked = (what) => event.target instanceof Element && event.target.closest(what);
  if (clicked('[data-go-on]')) goOn(event);
  else if (clicked('[data-share]')) share(event);
  else if (clicked('[data-print-page]')) print();
});

/** Sends a mark in the background and offers the opposite. When that fails, the browser sends the form. */
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
    // The address names only what is asked for.
    for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
  }
});
// Whoever comes back finds the fields usable again.
addEventListener('pageshow', () => {
  for (const field of document.querySelectorAll('form[method="get"] :disabled')) field.disabled = false;
});

/** Above each printed page stands what it is a page of. */
addEventListener('beforeprint', () => {
  const head = article()?.dataset.print;
  if (head) document.documentElement.style.setProperty('--running-head', JSON.stringify(head));
});
addEventListener('afterprint', () => document.documentElement.style.removeProperty('--running-head'));

/** The text size, one step at a time, without losing the line one reads. When it cannot be kept, the browser sends the form. */
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
  // Signed out meanwhile: the way back in is a page of its own. Without a connection the size holds as long as the page.
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

/** Text size and theme, saved as they are chosen, one after the other. When that fails the form is sent, and tells why. */
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

// What only a script can do is offered where one runs: see style/document.css.
document.documentElement.dataset.reading = 'true';
