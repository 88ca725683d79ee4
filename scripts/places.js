// Navigation within the application: announces and focuses the new page, as the browser does for a loaded one; restores the
// scroll position when going back; requests the badges of the frame again. Also closes what is open over the page on Escape.

/** History entries whose position is stored. */
const MOST = 60;

const KEPT = 'handbook-places';

/** By entry: the scroll position, and the link that was followed. */
const places = read();

const address = () => location.pathname + location.search;

let shown = address();
/** The entry being returned to; until its page is shown, scroll events are ignored. */
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
    // Storage is full: the browser's own restoration has to do.
  }
}

/** Key of the current history entry. */
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
  // The newest last, because the oldest are deleted first.
  places.delete(name);
  places.set(name, kept);
}

addEventListener('scroll', () => returning || address() !== shown || keep(), { passive: true });
addEventListener('pagehide', write);
addEventListener('popstate', () => {
  if (address() !== shown) returning = true;
});
// Before the router handles the click and changes the address.
addEventListener(
  'click',
  ({ target }) => {
    const link = target instanceof Element && target.closest('main a[href]');
    if (link) keep({ href: link.getAttribute('href') });
  },
  { capture: true },
);

/** Called when the page of another address is complete. */
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

/** Updates the badges. On failure they stay until the next page. */
async function count() {
  const badges = document.querySelectorAll('nav .badge');
  // A signed-out visitor has no badges.
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

// After a reload or a return from a page of the server, if the browser has not restored the position itself.
const { top: before = 0 } = places.get(entry()) ?? {};
if (scrollY === 0 && before > 0) scrollTo({ top: before, behavior: 'instant' });
