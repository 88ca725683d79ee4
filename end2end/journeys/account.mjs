// Language, text size and theme: chosen once, stored for the account.

import { strict as assert } from 'node:assert';

import { prefer, signIn } from '../support/accounts.mjs';
import { bothWays } from '../support/report.mjs';
import { LANGUAGES, texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';

const AS_DELIVERED = { locale: 'vi', text_size: '1', theme: 'system' };

async function choose(stage, script) {
  // A separate session, because it signs out.
  const account = stage.account('ward_member');
  const visitor = await stage.visitor({ script });
  await signIn(visitor, account);
  try {
    for (const language of LANGUAGES) {
      await prefer(visitor, { locale: language });
      assert.equal(await root(visitor, 'lang'), language);
      assert.equal(await visitor.heading(), texts(language).account.more_title);
    }
    await visitor.open('/library');
    await visitor.sees('.row-meta', { hasText: /[০-৯]/ });
    const dates = (await visitor.$('.row-meta').allInnerTexts()).map(lastPart);
    assert.doesNotMatch(dates.join(), /[0-9]/, 'Bengali dates are in Bengali digits');

    await prefer(visitor, { locale: 'en', text_size: '3', theme: 'dark' });
    const small = await looks(visitor);
    assert.deepEqual(small, { lang: 'en', size: '3', theme: 'dark', font: '25px' });

    await visitor.submit(visitor.$('main form[action*="sign_out"] button'));
    await signIn(visitor, account);
    assert.deepEqual(await looks(visitor), small, 'kept for the next time');
  } finally {
    await prefer(visitor, AS_DELIVERED);
  }
  assert.deepEqual(await looks(visitor), { lang: 'vi', size: '1', theme: 'system', font: '18px' });
}

/** The page starts with the account's name; with script, settings that save on change have no button. */
async function firstThings(stage, script) {
  const visitor = await stage.visitor({ as: 'member', script });
  await visitor.open('/more');
  const isFirst = () => {
    const [card, menu] = ['main .card dl', 'main .menu'].map((what) => document.querySelector(what));
    return Boolean(card.compareDocumentPosition(menu) & Node.DOCUMENT_POSITION_FOLLOWING);
  };
  assert.ok(await visitor.page.evaluate(isFirst), 'the card of the person is above the menu');
  assert.equal(await visitor.$('main .menu-link > .icon:last-child:visible').count(), 0, 'the words have the width of the row');
  const button = visitor.sender('theme');
  await until(script ? 'the button goes' : 'the button stays', async () => (await button.isVisible()) !== script);
  for (const name of ['text_size', 'theme']) {
    const tops = await visitor.$(`main .choice:has([name="${name}"])`).evaluateAll((parts) => parts.map((part) => part.getBoundingClientRect().top));
    assert.equal(tops.length, 3, name);
    assert.equal(new Set(tops).size, 1, `the parts of ${name} are side by side`);
  }
}

const root = (visitor, attribute) => visitor.$('html').getAttribute(attribute);

async function looks(visitor) {
  return {
    lang: await root(visitor, 'lang'),
    size: await root(visitor, 'data-text-size'),
    theme: await root(visitor, 'data-theme'),
    font: await visitor.$('html').evaluate((html) => getComputedStyle(html).fontSize),
  };
}

/** Numbers of documents and names of units before it have fixed spellings. */
const lastPart = (line) => line.split('·').at(-1);

export const tests = [
  ...bothWays('account: language, digits, text size and theme are kept', choose),
  ...bothWays('account: the person first, then how the pages look', firstThings),
];
