// Checks the weight of pages, that they fit the phone, and that their HTML is valid.

import { strict as assert } from 'node:assert';
import { connect } from 'node:net';

import { Markup } from './markup.mjs';
import { STATES, addressOf, enter } from './states.mjs';
import { DESKTOP, PHONE } from './support/browser.mjs';

/** Ten TCP segments, the initial congestion window: sent before the first acknowledgement. */
const FIRST_FLIGHT = 14_600;
/** The budget of a document, smaller because real texts are longer than those of the sample. */
const DOCUMENT = 12_500;
/** px; our design requires it, WCAG 2.2 requires 24. */
const TARGET = 44;

async function firstHtml(stage) {
  const { server } = stage.world;
  const guest = await stage.visitor({ script: false });
  const member = await stage.visitor({ as: 'member', script: false });
  // Every document in the member's library, including the longest.
  const documents = [];
  for (let next = '/library'; next; ) {
    await member.open(next);
    documents.push(...(await member.$('main .row-link').evaluateAll((links) => links.map((link) => link.getAttribute('href')))));
    const more = member.$('main a[href*="after="]');
    next = (await more.count()) ? await more.first().getAttribute('href') : null;
  }
  assert.ok(documents.length > 40, `${documents.length} documents`);
  const meeting = STATES.find(({ name }) => name === 'meeting to come');

  const weights = [
    ['sign-in', await weigh(guest, server, '/sign-in')],
    ['home', await weigh(member, server, '/')],
    ['meeting', await weigh(member, server, await addressOf(meeting, member, server))],
  ];
  for (const address of documents) weights.push([address, await weigh(member, server, address)]);
  const most = (name) => (documents.includes(name) ? DOCUMENT : FIRST_FLIGHT);
  const heavy = weights.filter(([name, bytes]) => bytes > most(name)).map(([name, bytes]) => `${name}: ${bytes} bytes`);
  assert.deepEqual(heavy, [], `more than ${FIRST_FLIGHT} bytes, ${DOCUMENT} of a document`);
}

/** Bytes of the compressed page as this visitor gets it. */
async function weigh(visitor, server, address) {
  const { bytes, head } = await download(server.port, address, await visitor.context.cookies());
  assert.match(head, /^HTTP\/1\.1 200/, address);
  assert.match(head, /content-encoding: br/i, `${address} is compressed`);
  return bytes;
}

/** Counts every byte of the response, headers included. */
function download(port, address, cookies) {
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  const request = [
    `GET ${address} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Accept: text/html',
    'Accept-Encoding: br, gzip',
    'Accept-Language: vi',
    ...(cookie ? [`Cookie: ${cookie}`] : []),
    'Connection: close',
  ];
  return new Promise((resolve, reject) => {
    const chunks = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(`${request.join('\r\n')}\r\n\r\n`));
    socket.setTimeout(10_000, () => socket.destroy(new Error(`${address}: no answer`)));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('end', () => {
      const answer = Buffer.concat(chunks);
      resolve({ bytes: answer.length, head: answer.toString('latin1').split('\r\n\r\n')[0] });
    });
  });
}

/** A phone, its largest text size, the narrowest screen of WCAG 2.2 (1.4.10), and the desktop. */
const FITS = [
  { view: 'phone', size: PHONE, text: '1' },
  { view: 'phone with the largest text', size: PHONE, text: '3' },
  { view: 'narrowest phone', size: { width: 320, height: 640 }, text: '1' },
  { view: 'desktop', size: DESKTOP, text: '1' },
];

/** Nothing overflows the screen or is cut off by its edge, no target is too small for a thumb, and the HTML is valid. */
async function fits(stage, as) {
  const visitor = await stage.visitor({ as, script: false });
  const markup = new Markup(visitor);
  const wrong = [];
  const states = STATES.filter((state) => state.as === as);
  for (const state of states) {
    await visitor.page.setViewportSize(PHONE);
    await enter(state, visitor, stage.world.server);
    const small = await visitor.page.evaluate(smallTargets, TARGET);
    wrong.push(...small.map((target) => `${state.name}: too small to touch: ${target}`));
    for (const { view, size, text } of FITS) {
      await visitor.page.setViewportSize(size);
      await visitor.$('html').evaluate((html, text) => html.setAttribute('data-text-size', text), text);
      const out = await visitor.page.evaluate(stickingOut);
      wrong.push(...out.map((element) => `${state.name}, ${view}: sticks out: ${element}`));
    }
  }
  wrong.push(...(await markup.conclude()));
  assert.deepEqual(wrong, []);
  assert.ok(markup.pages >= states.length, `${markup.pages} pages for ${states.length} states`);
}

/** Runs in the page: the innermost elements beyond the screen's edge that cannot be scrolled into view within the page's width. */
export function stickingOut() {
  const root = document.scrollingElement;
  // Or is truncated with an ellipsis, as the last item of the breadcrumbs.
  const isKept = ({ overflowX, textOverflow }) => /auto|scroll/.test(overflowX) || textOverflow === 'ellipsis';
  const scrolls = (element) => element !== null && (isKept(getComputedStyle(element)) || scrolls(element.parentElement));
  const out = [...document.body.querySelectorAll('*')].filter((element) => {
    const box = element.getBoundingClientRect();
    const isShown = box.width > 1 && box.height > 1 && element.closest('.visually-hidden') === null;
    return isShown && box.right > root.clientWidth + 1 && !scrolls(element.parentElement);
  });
  const innermost = out.filter((element) => !out.some((other) => other !== element && element.contains(other)));
  const found = innermost.map((element) => `${element.localName}.${element.getAttribute('class') ?? ''} "${element.textContent.trim().slice(0, 40)}"`);
  return found.length === 0 && root.scrollWidth > root.clientWidth ? [`something, ${root.scrollWidth} px wide`] : found;
}

/** Runs in the page: buttons and links of navigation, rows and menus that are too small for a thumb. */
function smallTargets(least) {
  const targets = 'button, .button, .tab, .rail-link, .menu-link, .chip, .file, .card-more, select, input:not([type="hidden"]), textarea';
  return [...document.querySelectorAll(targets)]
    .filter((element) => element.checkVisibility({ checkVisibilityCSS: true }))
    .map((element) => element.closest('label.choice') ?? element)
    .map((element) => ({ element, box: element.getBoundingClientRect() }))
    .filter(({ box }) => box.height > 0 && (box.height < least - 0.5 || box.width < least - 0.5))
    .map(({ element, box }) => `${element.localName}.${element.className} ${Math.round(box.width)}×${Math.round(box.height)} "${element.textContent.trim().slice(0, 30)}"`);
}

export const tests = [{ name: 'budget: the first HTML of sign-in, home, meeting and the newest documents arrives in one go', run: firstHtml }];

/** The test of the pages of one person, or of the way in. */
export const layoutOf = (as) => ({
  name: `layout: pages of ${as ? `the ${as}` : 'the way in'} fit the screen and the thumb, and are valid HTML`,
  run: (stage) => fits(stage, as),
});
