// On the phone every page but the roots of the places has an arrow back in the bar, and says beside it where one is.

/** Where a thumb begins: the tabs, and for who is not signed in the sign-in. */
const ROOTS = ['/', '/library', '/meetings', '/opinions', '/more', '/sign-in'];
const THUMB = 44;

/** What the way back of the page lacks; nothing where it is whole. Expects the screen of a phone. */
export const wayBackLacks = async (visitor) => (ROOTS.includes(visitor.path) ? '' : missing(visitor));

async function missing(visitor) {
  const arrows = await visitor.$('main .breadcrumbs a:visible').all();
  if (arrows.length !== 1) return `${arrows.length} arrows`;
  const { y, width, height } = await arrows[0].boundingBox();
  if (width < THUMB || height < THUMB) return `the arrow is ${width} × ${height}`;
  if (y < 0 || y > 20) return `the arrow is ${y} below the top`;
  if (!(await arrows[0].textContent()).trim()) return 'the arrow has no name';
  if (new URL(await arrows[0].getAttribute('href'), visitor.page.url()).href === visitor.page.url()) return 'the arrow leads here';
  const title = visitor.$('main .breadcrumbs [aria-current="page"]');
  return (await title.isVisible()) && (await title.innerText()).trim() ? '' : 'the bar does not say where one is';
}
