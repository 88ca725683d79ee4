// Search results while typing. The script fetches the page for the current form values and replaces the results with those of the
// response; the field keeps its focus and text. Without this script the form reloads the page, so a failure here loses nothing.

/** Pause after the last key before the search is sent. */
const PAUSE_MS = 250;

/** Delay before an index that is being built is queried again. */
const AGAIN_MS = 2000;

const form = document.querySelector('main form[role="search"]');
const results = document.getElementById('search-results');
const told = document.getElementById('search-told');
const failed = document.getElementById('search-failed');

/** The parameters in a canonical form, the same for every spelling of an address. */
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
  // A newer query makes the pending one obsolete.
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
    // Signed out meanwhile: the sign-in is a separate page.
    if (answer.redirected) {
      location.assign(address);
      return;
    }
    if (!answer.ok) throw new Error(`${address} answered ${answer.status}`);
    const page = parse(await answer.text());
    if (asking === mine) show(page, address, meaning(params));
  } catch {
    // The previous results stay, and the page says which query they belong to. An aborted request shows nothing.
    if (asking === mine) settle(failed.dataset.text);
  }
}

/** The response as a document, without its styles: this page has them, and its policy would reject those with another nonce. */
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
    // The on-screen keyboard of a phone covers the results.
    if (matchMedia('(pointer: coarse)').matches) form.elements.q.blur();
  });
  addEventListener('online', () => {
    if (failed.textContent !== '') find();
  });
  if (results.querySelector('[data-look-again]')) {
    shown = undefined;
    soon(AGAIN_MS);
  }
  // Values that the browser restored after a reload.
  if (meaning(asked()) !== shown && !new URLSearchParams(location.search).has('after')) soon(0);
}
