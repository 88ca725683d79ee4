// Polls a page of the server that has parts marked as not final, and updates what changed in them in place. Focus, scroll position
// and typed text stay. Without it a link reloads the page.

/** Milliseconds between two requests, and after a failed one. */
const PAUSE = 2000;
const AGAIN = 8000;

const parts = (page) => [...page.querySelectorAll('[data-look-again]')];

/** The response as a document, without its styles: this page has them, and its policy would reject those with another nonce. */
const rules = { createHTML: (text) => text.replace(/<style[\s\S]*?<\/style>/g, '') };
const policy = window.trustedTypes?.createPolicy('handbook', rules) ?? rules;
const parse = (text) => new DOMParser().parseFromString(policy.createHTML(text), 'text/html');

async function look() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: 'text/html' } });
    // Signed out meanwhile: the sign-in is a separate page.
    if (answer.redirected) return location.reload();
    if (!answer.ok) throw new Error(`${answer.status}`);
    show(parse(await answer.text()));
  } catch {
    setTimeout(look, AGAIN);
  }
}

function show(page) {
  const [shown, fresh] = [parts(document), parts(page)];
  if (fresh.length > 0) {
    shown.forEach((part, at) => fresh[at] && change(part, fresh[at]));
    setTimeout(look, PAUSE);
    return;
  }
  // The final page may differ and has its own title.
  document.title = page.title;
  const main = document.querySelector('main');
  const had = main.contains(document.activeElement);
  main.replaceChildren(...page.querySelector('main').childNodes);
  const heading = main.querySelector('h1');
  heading.tabIndex = -1;
  if (had || document.activeElement === document.body) heading.focus({ preventScroll: true });
}

/** Updates the current nodes from the response, and leaves equal ones unchanged. */
function change(shown, fresh) {
  if (shown.isEqualNode(fresh)) return;
  if (shown.nodeType !== fresh.nodeType || shown.nodeName !== fresh.nodeName) return shown.replaceWith(fresh.cloneNode(true));
  if (shown.nodeType !== Node.ELEMENT_NODE) {
    shown.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...shown.attributes]) if (!fresh.hasAttribute(name)) shown.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (shown.getAttribute(name) !== value) shown.setAttribute(name, value);
  const [old, news] = [[...shown.childNodes], [...fresh.childNodes]];
  if (old.length !== news.length) return shown.replaceChildren(...news);
  old.forEach((child, at) => change(child, news[at]));
}

if (parts(document).length > 0) setTimeout(look, PAUSE);
