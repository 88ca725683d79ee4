// Finding a document and reading it.

import { strict as assert } from 'node:assert';

import { bothWays } from '../support/report.mjs';
import { texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';

const { terms } = texts('vi');

async function findAndRead(stage, script) {
  const visitor = await stage.visitor({ as: 'member', script });
  await visitor.open('/library');
  const newest = await addresses(visitor);
  assert.ok(newest.length >= 10, `the library shows ${newest.length} documents`);

  await visitor.follow(visitor.$('nav.chips a[href*="kind=resolution"]').first());
  await until('only resolutions are shown', async () => {
    const kinds = await visitor.$('.row .row-eyebrow').allInnerTexts();
    return kinds.length > 0 && kinds.every((kind) => kind.includes(terms.resolution));
  });
  await visitor.sees('nav.chips a[href*="kind=resolution"][aria-current]');

  await visitor.open('/library');
  await visitor.follow(visitor.$('a[rel="next"]'));
  await until('the next documents are shown', async () => {
    const older = await addresses(visitor);
    return older.length > 0 && older.every((address) => !newest.includes(address));
  });

  const { address, title } = await anUnread(visitor);
  const list = visitor.place;
  await visitor.follow(visitor.$(`.row-link[href="${address}"]`));
  await until('the document is shown', async () => (await visitor.heading()) === title);
  assert.ok((await visitor.text('.prose')).length > 200, 'the text is there');

  // Opening is not reading.
  await visitor.page.goBack();
  await visitor.settled();
  await visitor.reload();
  await visitor.sees(`.row-unread:has(.row-link[href="${address}"])`);
  await visitor.follow(visitor.$(`.row-link[href="${address}"]`));
  await visitor.saysRead();
  await visitor.open(list);
  await visitor.sees(`.row:has(.row-link[href="${address}"])`);
  assert.equal(await visitor.$(`.row-unread:has(.row-link[href="${address}"])`).count(), 0, 'the unread mark is gone');
}

const addresses = (visitor) => visitor.$('.row-link').evaluateAll((links) => links.map((link) => link.getAttribute('href')));

/** The first unread document from this page of the list on. */
async function anUnread(visitor) {
  for (;;) {
    const link = visitor.$('.row-unread .row-link').first();
    if ((await link.count()) > 0) {
      return { address: await link.getAttribute('href'), title: (await link.innerText()).trim() };
    }
    const before = await addresses(visitor);
    await visitor.follow(visitor.$('a[rel="next"]'));
    await until('older documents are shown', async () => (await addresses(visitor))[0] !== before[0]);
  }
}

async function unknownAddresses(stage, script) {
  const visitor = await stage.visitor({ as: 'member', script });
  visitor.expects(404);
  const { problems } = texts('vi');
  for (const address of ['/khong-co-trang-nay', '/library/khong-phai-ma', '/library/01ARZ3NDEKTSV4RRFFQ69G5FAV', '/meetings/01ARZ3NDEKTSV4RRFFQ69G5FAV']) {
    const response = await visitor.open(address);
    assert.equal(response.status(), 404, address);
    assert.equal(await visitor.heading(), problems.not_found_title, address);
    await visitor.sees('main a[href="/"]');
  }
}

export const tests = [
  ...bothWays('library: filter, page on, read, and the unread mark is gone', findAndRead),
  ...bothWays('library: an unknown address has an error page with the right status', unknownAddresses),
];
