// On the phone every page except the roots of the navigation has a back arrow in the bar, with the name of the page next to it.

/** Start pages: the tabs, and the sign-in for visitors without a session. */
const ROOTS = ['/', '/library', '/meetings', '/opinions', '/more', '/sign-in'];
const THUMB = 44;

/** The missing parts of the page's way back; empty if complete. Expects the viewport of a phone. */
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
