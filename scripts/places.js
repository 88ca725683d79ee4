// Going from page to page within the application: the new page is told and has the focus, as a page that is loaded has it from the
// browser; whoever goes back finds the place they left; the numbers in the frame are asked for again. Also closes what is unfolded over
// the page with Escape.

/** Entries of the history whose place is kept. */
const MOST = 60;

const KEPT = 'handbook-places';

/** By entry: how far the page was scrolled, and the link that led on. */
const places = read();

const address = () => location.pathname + location.search;

let shown = address();
/** The entry that is gone back to; while its page is not there, scrolling means nothing. */
let returning = false;

function read() {
  try {
    return new Map(JSON.parse(sessionStorage.getItem(KEPT)) ?? []);
  } catch {
    return new Map();
  }
}

function write() {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify([...places].slice(-MOST)));
  } catch {
    // Without room the browser's own memory must do.
  }
}

/** Name of the entry of the history that is shown. */
function entry() {
  const state = history.state ?? {};
  if (state.place) return state.place;
  const place = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 6)}`;
  history.replaceState({ ...state, place }, '');
  return place;
}

function keep(more) {
  const name = entry();
  const kept = { ...places.get(name), top: Math.round(scrollY), ...more };
  // The newest last: the oldest are forgotten first.
  places.delete(name);
  places.set(name, kept);
}

addEventListener('scroll', () => returning || address() !== shown || keep(), { passive: true });
addEventListener('pagehide', write);
addEventListener('popstate', () => {
  if (address() !== shown) returning = true;
});
// Before the router takes the click, and the address with it.
addEventListener(
  'click',
  ({ target }) => {
    const link = target instanceof Element && target.closest('main a[href]');
    if (link) keep({ href: link.getAttribute('href') });
  },
  { capture: true },
);

/** Called when the page of another address is whole. */
function arrive(heading) {
  const from = returning ? places.get(entry()) : undefined;
  returning = false;
  shown = address();
  const link = from?.href && [...document.querySelectorAll('main a[href]')].find((each) => each.getAttribute('href') === from.href);
  if (!link) heading.tabIndex = -1;
  (link || heading).focus({ preventScroll: true });
  if (from) scrollTo({ top: from.top, behavior: 'instant' });
  keep();
  write();
  count();
}

/** Brings the numbers at the places up to date. Where that fails they stay as they are until the next page. */
async function count() {
  const badges = document.querySelectorAll('nav .badge');
  // Who is not signed in has no places.
  if (badges.length === 0) return;
  const answer = await fetch('/api/home/badges', { headers: { accept: 'application/json' } }).catch(() => undefined);
  if (!answer?.ok) return;
  const numbers = await answer.json();
  for (const badge of badges) {
    const found = numbers.find(({ place }) => place === badge.parentElement.getAttribute('href'));
    badge.hidden = !found;
    badge.textContent = found?.number ?? '';
    badge.setAttribute('aria-label', found?.label ?? '');
  }
}

let planned = 0;

function look() {
  planned = 0;
  const heading = document.querySelector('main h1');
  if (address() === shown) returning = false;
  else if (heading && !document.querySelector('main .waiting')) arrive(heading);
}

new MutationObserver(() => {
  planned ||= requestAnimationFrame(look);
}).observe(document.querySelector('main'), { childList: true, characterData: true, subtree: true });

addEventListener('keydown', ({ key }) => {
  const open = key === 'Escape' && document.querySelector('details.share[open]');
  if (!open) return;
  open.open = false;
  open.querySelector('summary').focus();
});

// A page loaded again, or gone back to from a page of the server: where the browser has not found the place by itself.
const { top: before = 0 } = places.get(entry()) ?? {};
if (scrollY === 0 && before > 0) scrollTo({ top: before, behavior: 'instant' });
