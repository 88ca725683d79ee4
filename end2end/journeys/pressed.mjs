// Pressed controls change their look on touch screens, which have no hover.

import { strict as assert } from 'node:assert';

/** By viewer: addresses, or a page and the selector of a link on it. */
const PAGES = {
  member: ['/', '/more', '/meetings', '/search?q=dang%20vien', ['/search?q=21-CT/TU', '.row-link'], ['/courses', '.row-link']],
  editor: ['/desk/new'],
  registrar: ['/units', '/imports/new'],
};

const PRESSED = 'a[href], button, summary';

/** Each control that looks the same while pressed. Selected and disabled ones need no change. */
async function silent({ page, context }) {
  const looks = () =>
    page.$$eval(PRESSED, (all) =>
      all.map((element) => {
        const { backgroundColor, borderTopColor } = getComputedStyle(element);
        return `${backgroundColor} ${borderTopColor}`;
      }),
    );
  const before = await looks();
  const tools = await context.newCDPSession(page);
  await tools.send('DOM.enable');
  await tools.send('CSS.enable');
  const { root } = await tools.send('DOM.getDocument', { depth: 0 });
  const { nodeIds } = await tools.send('DOM.querySelectorAll', { nodeId: root.nodeId, selector: PRESSED });
  for (const nodeId of nodeIds) await tools.send('CSS.forcePseudoState', { nodeId, forcedPseudoClasses: ['active'] });
  const pressed = await looks();
  await tools.detach();
  assert.equal(pressed.length, before.length);
  const names = await page.$$eval(PRESSED, (all) =>
    all.map((element) => {
      const counts = element.checkVisibility({ visibilityProperty: true }) && !element.matches('[aria-current], [aria-disabled="true"], .skip-link');
      return counts ? `${element.localName}.${element.className}: ${element.textContent.trim().slice(0, 40)}` : '';
    }),
  );
  assert.ok(names.some(Boolean), 'there is something to press');
  return names.filter((name, at) => name && before[at] === pressed[at]);
}

async function answers(stage, as) {
  const visitor = await stage.visitor({ as });
  const found = [];
  for (const page of PAGES[as]) {
    const [from, link] = [page].flat();
    await visitor.open(from);
    if (link) await visitor.open(await visitor.$(`main ${link}`).first().getAttribute('href'));
    for (const name of await silent(visitor)) found.push(`${visitor.place}: ${name}`);
  }
  assert.deepEqual(found, []);
}

async function passwordButton(stage) {
  const guest = await stage.visitor();
  await guest.open('/sign-in');
  await guest.sees('.input-button');
  assert.deepEqual(await silent(guest), []);
}

export const tests = [
  ...Object.keys(PAGES).map((as) => ({ name: `pressed: what the ${as} presses answers`, run: (stage) => answers(stage, as) })),
  { name: 'pressed: what one presses at the sign-in answers', run: passwordButton },
];
