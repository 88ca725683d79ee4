// Results while one types. The page asks for itself again with what the form says now, and the results of the answer take the place
// of those shown; the field, and whoever is writing in it, is left alone. Without this script the form does the same by loading the
// page, so whatever goes wrong here loses nothing.

/** How long somebody has to pause before what they typed is searched for. */
const PAUSE_MS = 250;

/** How soon an index that is being made is asked again. */
const AGAIN_MS = 2000;

const form = document.querySelector('main form[role="search"]');
const results = document.getElementById('search-results');
const told = document.getElementById('search-told');
const failed = document.getElementById('search-failed');

/** What is asked for, the same for every spelling of an address. */
const meaning = (params) => [...params].filter(([, value]) => value !== '').map(([name, value]) => `${name}=${value}`).sort().join('&');

const asked = () => new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ''));

let shown = meaning(new URLSearchParams(location.search));
let timer;
let asking;

function soon(pause) {
  clearTimeout(timer);
  timer = setTimeout(find, pause);
}

async function find() {
  clearTimeout(timer);
  const params = asked();
  // Whoever is still waiting for an older answer does not want it any more.
  asking?.abort();
  asking = undefined;
  if (meaning(params) === shown) {
    settle('');
    return;
  }
  const mine = new AbortController();
  asking = mine;
  results.setAttribute('aria-busy', 'true');
  const query = params.toString();
  const address = form.getAttribute('action') + (query && `?${query}`);
  try {
    const answer = await fetch(address, { signal: mine.signal });
    // Signed out meanwhile: the way back in is a page of its own.
    if (answer.redirected) {
      location.assign(address);
      return;
    }
    if (!answer.ok) throw new Error(`${address} answered ${answer.status}`);
    const page = parse(await answer.text());
    if (asking === mine) show(page, address, meaning(params));
  } catch {
    // The results of before stay, and the page says whose they are. One that was given up for a newer one says nothing.
    if (asking === mine) settle(failed.dataset.text);
  }
}

/** The answer as a document. Its styles are left out: this page has them, and would refuse those meant for another. */
const rules = { createHTML: (text) => text.replace(/<style[\s\S]*?<\/style>/g, '') };
const policy = window.trustedTypes?.createPolicy('handbook', rules) ?? rules;
const parse = (text) => new DOMParser().parseFromString(policy.createHTML(text), 'text/html');

function show(page, address, meant) {
  const fresh = page.getElementById('search-results');
  results.replaceChildren(...fresh.childNodes);
  document.title = page.title;
  history.replaceState(null, '', address);
  shown = meant;
  settle('');
  told.textContent = fresh.dataset.told;
  if (results.querySelector('[data-look-again]')) {
    shown = undefined;
    soon(AGAIN_MS);
  }
}

function settle(problem) {
  asking = undefined;
  results.removeAttribute('aria-busy');
  failed.textContent = problem;
}

if (form && results && told && failed) {
  form.addEventListener('input', (event) => soon(event.target.name === 'q' ? PAUSE_MS : 0));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    find();
    // The keyboard of a phone hides what was found.
    if (matchMedia('(pointer: coarse)').matches) form.elements.q.blur();
  });
  addEventListener('online', () => {
    if (failed.textContent !== '') find();
  });
  if (results.querySelector('[data-look-again]')) {
    shown = undefined;
    soon(AGAIN_MS);
  }
  // What a browser has put back into the form after a reload.
  if (meaning(asked()) !== shown && !new URLSearchParams(location.search).has('after')) soon(0);
}
