// Starts the WebAssembly half of a page, and keeps a page that cannot be hydrated working as without script.
//
// Hydration compares the page with the module's own rendering, node by node. A page that a translator or an extension has changed
// would make it panic half-way and leave dead links. Therefore:
// - a page that was changed before the module is loaded is not hydrated;
// - after a failed start the page is reloaded without the module, and no page of this tab starts that build again.
// Each case is reported to the server once per tab.
//
// The module writes markup as strings, which browsers with Trusted Types accept only through the policy `default`. Our markup
// contains nothing that runs, so the policy rejects what would.

// Animations can set an address.
const RUNS = 'script, iframe, object, embed, base, meta, link, template, animate, set';
const ADDRESS = /^(href|xlink:href|src|action|formaction|data)$/;
// Browsers ignore control characters and spaces in a scheme.
const isScript = (address) => /^javascript:/i.test(address.replace(/[\0- ]/g, ''));
// Any other value is text.
const runs = (element) =>
  element.matches(RUNS) ||
  [...element.attributes].some(({ name, value }) => /^(on|srcdoc$)/.test(name) || (ADDRESS.test(name) && isScript(value)));

if (window.trustedTypes) {
  const looking = trustedTypes.createPolicy('handbook', { createHTML: (html) => html });
  trustedTypes.createPolicy('default', {
    createHTML(html) {
      // The content of a template is not part of the page, and does not run.
      const seen = document.createElement('template');
      seen.innerHTML = looking.createHTML(html);
      return [...seen.content.querySelectorAll('*')].some(runs) ? null : html;
    },
  });
}

const own = document.querySelector('script[data-wasm]');
const root = document.getElementById('app');
const { js, wasm, build, scripts } = own.dataset;

/** A document's text may be changed by its own script: the module does not hydrate it. */
const counts = ({ target }) => !(target.parentElement ?? root).closest('[data-document]');

// Translators wrap translated text in this element, perhaps before this script runs.
let isChanged = root.querySelector('font') !== null;
const watch = new MutationObserver((changes) => {
  isChanged ||= changes.some(counts);
});
watch.observe(root, { childList: true, characterData: true, subtree: true });

const key = (what) => `handbook-${what}`;

/** Stores a note for this tab and this build. False if it exists already, or if storage is disabled. */
function note(what) {
  try {
    if (sessionStorage.getItem(key(what)) === build) return false;
    sessionStorage.setItem(key(what), build);
    return true;
  } catch {
    return false;
  }
}

function tell(what) {
  if (!note(what)) return false;
  navigator.sendBeacon(`/start-report/${what}`);
  return true;
}

/** Without storage, a failed start could not be distinguished from a first one. */
function mayStart() {
  try {
    // Full or disabled storage can still be read.
    sessionStorage.setItem('handbook-probe', '1');
    sessionStorage.removeItem('handbook-probe');
    return sessionStorage.getItem(key('failed')) !== build;
  } catch {
    return false;
  }
}

/** Leaves the page as the server sent it. */
function leave() {
  watch.disconnect();
  document.documentElement.dataset.static = 'true';
}

function fail() {
  if (tell('failed')) location.reload();
}

async function start() {
  for (const script of scripts.split(' ').filter(Boolean)) import(script);
  if (!mayStart()) return leave();
  let half;
  try {
    half = await import(js);
    await half.default({ module_or_path: wasm });
  } catch {
    // The connection broke, or the browser is too old for the module.
    return leave();
  }
  isChanged ||= watch.takeRecords().some(counts);
  if (isChanged) {
    tell('changed');
    return leave();
  }
  watch.disconnect();
  // A later panic of the module, for example by a translation started after hydration, would leave dead links too.
  addEventListener('error', ({ error }) => error instanceof WebAssembly.RuntimeError && fail());
  addEventListener('unhandledrejection', ({ reason }) => reason instanceof WebAssembly.RuntimeError && fail());
  try {
    half.hydrate();
  } catch {
    fail();
  }
}

// Must not compete with the first paint; until the module is loaded, every link and form works without it.
const idle = () => ('requestIdleCallback' in window ? requestIdleCallback(start, { timeout: 2000 }) : setTimeout(start, 200));
if (document.readyState === 'complete') idle();
else addEventListener('load', idle, { once: true });
