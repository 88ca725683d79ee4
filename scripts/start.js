// Starts the WebAssembly half of a page of the application, and sees to it that a page it cannot take over goes on working as
// without script.
//
// Taking over compares the page with what the module would have rendered, node by node. A page that a translator or an extension has
// changed meanwhile would make it stop half way, with links that no longer lead anywhere. So:
// - a page that was changed before the module is there is left alone;
// - a start that fails all the same loads the page again, and no page of this tab starts that build of the module any more.
// Each is told to the server once in a tab.
//
// The module writes markup as texts, which browsers with Trusted Types take from the policy `default` only. Nothing of ours runs in
// them, so what would is refused.

// Animations can write an address.
const RUNS = 'script, iframe, object, embed, base, meta, link, template, animate, set';
const ADDRESS = /^(href|xlink:href|src|action|formaction|data)$/;
// Browsers pass over control characters and spaces in a scheme.
const isScript = (address) => /^javascript:/i.test(address.replace(/[\0- ]/g, ''));
// Any other value is text, whatever it says.
const runs = (element) =>
  element.matches(RUNS) ||
  [...element.attributes].some(({ name, value }) => /^(on|srcdoc$)/.test(name) || (ADDRESS.test(name) && isScript(value)));

if (window.trustedTypes) {
  const looking = trustedTypes.createPolicy('handbook', { createHTML: (html) => html });
  trustedTypes.createPolicy('default', {
    createHTML(html) {
      // What is in a template is not part of the page, and does not run.
      const seen = document.createElement('template');
      seen.innerHTML = looking.createHTML(html);
      return [...seen.content.querySelectorAll('*')].some(runs) ? null : html;
    },
  });
}

const own = document.querySelector('script[data-wasm]');
const root = document.getElementById('app');
const { js, wasm, build, scripts } = own.dataset;

/** Inside a document its own script may change something: the module does not look in there. */
const counts = ({ target }) => !(target.parentElement ?? root).closest('[data-document]');

// Translators wrap what they translate in this element, perhaps before this script is there.
let isChanged = root.querySelector('font') !== null;
const watch = new MutationObserver((changes) => {
  isChanged ||= changes.some(counts);
});
watch.observe(root, { childList: true, characterData: true, subtree: true });

const key = (what) => `handbook-${what}`;

/** Notes something for this tab and this build. False when it is noted already, or the browser keeps nothing. */
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

/** Where nothing can be noted, a failed start could not be told from a first one. */
function mayStart() {
  try {
    // A full or forbidden store can still be read.
    sessionStorage.setItem('handbook-probe', '1');
    sessionStorage.removeItem('handbook-probe');
    return sessionStorage.getItem(key('failed')) !== build;
  } catch {
    return false;
  }
}

/** The page stays as the server sent it. */
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
    // The line broke, or the browser is too old for the module.
    return leave();
  }
  isChanged ||= watch.takeRecords().some(counts);
  if (isChanged) {
    tell('changed');
    return leave();
  }
  watch.disconnect();
  // What stops the module later, e.g. a translation begun after the start, would leave dead links as well.
  addEventListener('error', ({ error }) => error instanceof WebAssembly.RuntimeError && fail());
  addEventListener('unhandledrejection', ({ reason }) => reason instanceof WebAssembly.RuntimeError && fail());
  try {
    half.hydrate();
  } catch {
    fail();
  }
}

// It must not compete with the first paint; until the module is there, every link and form works by itself.
const idle = () => ('requestIdleCallback' in window ? requestIdleCallback(start, { timeout: 2000 }) : setTimeout(start, 200));
if (document.readyState === 'complete') idle();
else addEventListener('load', idle, { once: true });
