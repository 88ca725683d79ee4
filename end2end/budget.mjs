// What a page may weigh, and how it must fit the phone.

import { strict as assert } from 'node:assert';
import { connect } from 'node:net';

import { LOOKERS, STATES, addressOf, enter } from './states.mjs';
import { PHONE } from './support/browser.mjs';

/** Ten TCP segments: what arrives before the first acknowledgement. */
const FIRST_FLIGHT = 14_600;
/** px; LOOK asks for it, WCAG 2.2 for 24. */
const TARGET = 44;

async function firstHtml(stage) {
  const weights = [];
  for (const name of ['sign-in', 'home', 'document', 'meeting to come']) {
    const state = STATES.find((state) => state.name === name);
    const visitor = await stage.visitor({ as: state.as, script: false });
    const address = await addressOf(state, visitor, stage.world.server);
    const cookies = await visitor.context.cookies();
    const { bytes, head } = await download(stage.world.server.port, address, cookies);
    assert.match(head, /^HTTP\/1\.1 200/, address);
    assert.match(head, /content-encoding: br/i, `${address} is compressed`);
    weights.push([name, bytes]);
  }
  const heavy = weights.filter(([, bytes]) => bytes > FIRST_FLIGHT);
  const all = weights.map(([name, bytes]) => `${name} ${bytes}`).join(', ');
  console.log(`       first HTML in bytes: ${all}`);
  assert.equal(heavy.length, 0, `more than ${FIRST_FLIGHT} bytes: ${all}`);
}

/** Counts every byte the server sends for a page, headers included. */
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

/** Nothing sticks out of the phone, at the smallest and the largest text. */
async function fitsThePhone(stage, as) {
  const visitor = await stage.visitor({ as, script: false });
  const wrong = [];
  for (const state of STATES.filter((state) => state.as === as)) {
    await enter(state, visitor, stage.world.server);
    for (const size of ['1', '3']) {
      await visitor.$('html').evaluate((html, size) => html.setAttribute('data-text-size', size), size);
      const { width, widest } = await visitor.page.evaluate(measure);
      if (width > PHONE.width) wrong.push(`${state.name}, text size ${size}: ${width} px wide, because of ${widest}`);
      const small = await visitor.page.evaluate(smallTargets, TARGET);
      if (size === '1') wrong.push(...small.map((target) => `${state.name}: too small to touch: ${target}`));
    }
  }
  assert.deepEqual(wrong, []);
}

/** Runs in the page: its width, and the innermost element that makes it so wide. */
function measure() {
  const root = document.scrollingElement;
  const over = [...document.body.querySelectorAll('*')].filter((element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.right > innerWidth + 0.5 && element.closest('.table-scroll, .chips, pre') === null;
  });
  const last = over.at(-1);
  const widest = last ? `<${last.localName} class="${last.getAttribute('class') ?? ''}">${last.textContent.trim().slice(0, 40)}` : 'nothing seen';
  return { width: root.scrollWidth, widest };
}

/** Runs in the page: buttons and links of navigation, rows and menus that a thumb would miss. */
function smallTargets(least) {
  const targets = 'button, .button, .tab, .rail-link, .menu-link, .chip, .file, .card-more, select, input:not([type="hidden"]), textarea';
  return [...document.querySelectorAll(targets)]
    .filter((element) => element.checkVisibility({ checkVisibilityCSS: true }))
    .map((element) => element.closest('label.choice') ?? element)
    .map((element) => ({ element, box: element.getBoundingClientRect() }))
    .filter(({ box }) => box.height > 0 && (box.height < least - 0.5 || box.width < least - 0.5))
    .map(({ element, box }) => `${element.localName}.${element.className} ${Math.round(box.width)}×${Math.round(box.height)} "${element.textContent.trim().slice(0, 30)}"`);
}

export const tests = [
  { name: 'budget: the first HTML of a page arrives in one go', run: firstHtml },
  ...LOOKERS.map((as) => ({
    name: `layout: pages of ${as ? `the ${as}` : 'the way in'} fit the phone and the thumb`,
    run: (stage) => fitsThePhone(stage, as),
  })),
];
