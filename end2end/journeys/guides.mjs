// Guides: read before the first sign-in, with their drawings, in every language.

import { strict as assert } from 'node:assert';

import { bothWays } from '../support/report.mjs';
import { LANGUAGES, texts } from '../support/texts.mjs';
import { until } from '../support/wait.mjs';

async function beforeSigningIn(stage, script) {
  for (const language of LANGUAGES) {
    const visitor = await stage.visitor({ script, language });
    await visitor.open('/sign-in');
    await visitor.follow(visitor.$('main a[href="/guides"]').first());
    assert.equal(await visitor.heading(), texts(language).guides.title);
    assert.equal(await visitor.$('.row-link[href^="/guides/"]').count(), 10);
    const row = visitor.$('.row-link[href="/guides/android"]');
    const title = (await row.innerText()).trim();
    await visitor.follow(row);
    await until('the guide is shown', async () => (await visitor.heading()) === title);
    await visitor.sees('.guide ol > li');
    const drawings = await visitor.$('.guide img').evaluateAll(async (images) => {
      await Promise.all(images.map((image) => image.decode()));
      return images.map(({ alt, naturalWidth }) => ({ alt, naturalWidth }));
    });
    assert.equal(drawings.length, 2);
    for (const { alt, naturalWidth } of drawings) assert.ok(alt.length > 10 && naturalWidth > 0, alt);
  }
}

async function fromMore(stage, script) {
  const visitor = await stage.visitor({ as: 'member', script });
  visitor.expects(404);
  await visitor.open('/more');
  await visitor.follow(visitor.$('main a[href="/guides"]').first());
  await visitor.sees('.row-link[href="/guides/member"]');
  assert.equal((await visitor.open('/guides/nothing')).status(), 404);
}

export const tests = [
  ...bothWays('guides: found and read before signing in, in every language', beforeSigningIn),
  ...bothWays('guides: found under More', fromMore),
];
