// Pages that something else changes before the application hydrates them, and a start that fails: every link and form still
// works, and the server's log has one report.

import { strict as assert } from 'node:assert';

import { until } from '../support/wait.mjs';

const CHANGED = 'the browser half did not start';
const FAILED = 'the browser half stopped';

const told = (server, words) => server.log.filter((line) => line.includes(words)).length;

const how = (visitor) => visitor.page.evaluate(() => ({ ...document.documentElement.dataset }));

/** Opens a page, changes it before the module is loaded, and then lets the module load. */
async function changedBeforeTheStart(visitor, address, change) {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await visitor.page.route('**/*.wasm', async (route) => {
    await released;
    await route.continue();
  });
  const asked = visitor.page.waitForRequest('**/*.wasm');
  await visitor.page.goto(address, { waitUntil: 'load' });
  await asked;
  await visitor.page.evaluate(change);
  release();
  await visitor.settled();
  await visitor.page.unroute('**/*.wasm');
}

/** Like browser translators: each piece of text is put into two elements of its own. */
function translate() {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) if (texts.currentNode.data.trim() && !texts.currentNode.parentElement.closest('script, style')) found.push(texts.currentNode);
  for (const text of found) {
    const outer = document.createElement('font');
    const inner = outer.appendChild(document.createElement('font'));
    inner.textContent = `[${text.data}]`;
    text.replaceWith(outer);
  }
}

const loadTime = (visitor) => visitor.page.evaluate(() => performance.timeOrigin);

async function followsByLoading(visitor) {
  const before = await loadTime(visitor);
  await visitor.follow(visitor.$('.tab[href="/library"]'));
  assert.equal(visitor.path, '/library');
  assert.notEqual(await loadTime(visitor), before, 'the link loads its page from the server');
}

async function translated(stage) {
  const { server } = stage.world;
  const before = told(server, CHANGED);
  const member = await stage.visitor({ as: 'member' });
  await changedBeforeTheStart(member, '/', translate);
  assert.deepEqual([(await how(member)).static, (await how(member)).hydrated], ['true', undefined], 'the page is not hydrated');
  await followsByLoading(member);
  // A second page in the same tab.
  await changedBeforeTheStart(member, '/more', translate);
  const loaded = await loadTime(member);
  await member.sender('locale').click();
  await until('the form was sent', async () => (await loadTime(member)) !== loaded && member.place === '/more?saved=1');
  await until('the log reports it', () => told(server, CHANGED) > before);
  assert.equal(told(server, CHANGED), before + 1, 'once in a tab');
}

async function nodeBefore(stage) {
  const member = await stage.visitor({ as: 'member' });
  await changedBeforeTheStart(member, '/', () => {
    document.body.prepend(document.createElement('grammar-helper'), 'text of an extension');
  });
  assert.equal((await how(member)).hydrated, 'true', 'the page is hydrated');
  const before = await loadTime(member);
  await member.follow(member.$('.tab[href="/library"]'));
  await member.sees('main .row-link');
  assert.equal(await loadTime(member), before, 'and navigates without loading');
}

/** A change that the observer does not see: the module panics, and the page is reloaded without it. */
async function failedStart(stage) {
  const { server } = stage.world;
  const before = told(server, FAILED);
  const member = await stage.visitor({ as: 'member' });
  let pages = 0;
  member.page.on('request', (request) => (pages += Number(request.isNavigationRequest())));
  await member.page.addInitScript(() => {
    MutationObserver.prototype.observe = () => {};
    // Words in elements other than those that a translator creates.
    addEventListener('load', () => {
      for (const word of document.querySelectorAll('.tab span, main h1, main h2')) word.innerHTML = `<i>${word.textContent}</i>`;
    });
  });
  await member.page.goto('/');
  await until('the page was loaded again', () => pages === 2);
  await member.settled();
  assert.deepEqual([(await how(member)).static, (await how(member)).hydrated], ['true', undefined]);
  await followsByLoading(member);
  await member.sees('main .row-link');
  assert.equal(pages, 3, 'no further page is reloaded');
  await until('the log reports it', () => told(server, FAILED) > before);
  assert.equal(told(server, FAILED), before + 1);
  const complaints = member.troubles.splice(0);
  assert.ok(complaints.every((line) => /panicked|unreachable/.test(line)), complaints.join('\n'));
}

/** The outcome for each of these texts when a script of the page sets it as the markup of an element. */
const outcomes = (visitor, texts) =>
  visitor.page.evaluate(
    (all) =>
      all.map((text) => {
        try {
          document.createElement('div').innerHTML = text;
          return 'taken';
        } catch (error) {
          return error.name;
        }
      }),
    texts,
  );

/**
 * Script-capable markup is rejected, whoever inserts it: on pages with the module and on pages of the server. Markup that only
 * resembles it, as the renderer of documents writes, is accepted: see `what_looks_like_a_script_stays_text`.
 */
async function refusesMarkupThatRuns(stage) {
  const harms = [
    '<img src="/favicon.svg" onload="window.ran = true">',
    '<p><a href=" JavaScript:ran()">x</a></p>',
    '<a href="java&#10;script:ran()">x</a>',
    '<a href="&#1;javascript:ran()">x</a>',
    '<form action="javascript:ran()"><button formaction="javascript:ran()">x</button></form>',
    '<svg><a xlink:href="javascript:ran()"><text>x</text></a></svg>',
    '<svg><a><animate attributeName="href" values="javascript:ran()"/></a></svg>',
    '<object data="javascript:ran()"></object>',
    '<iframe srcdoc="x"></iframe>',
  ];
  const texts = [
    '<p><a href="https://example.org" title="javascript: giới thiệu" rel="external noopener nofollow">trang</a></p>',
    '<h2 id="s-javascript-alert-1">javascript:alert(1)</h2>',
    '<p>javascript: onload=&quot;x&quot; &lt;script&gt;alert(1)&lt;/script&gt;</p>',
    '<p><a href="https://example.org/?q=javascript:alert(1)" title="onclick=alert(1)" rel="external noopener nofollow">trang</a></p>',
    '<img src="/favicon.svg" alt="javascript: hình vẽ" width="320" height="220">',
    // A form that was returned with the typed values.
    '<form action="/search"><input name="q" value="javascript:alert(1)"></form>',
  ];
  const member = await stage.visitor({ as: 'member' });
  for (const place of ['/', '/search']) {
    await member.page.goto(place);
    await member.settled();
    if (place === '/') assert.equal((await how(member)).hydrated, 'true');
    // Pages of the server insert no markup, so they accept none.
    assert.deepEqual(await outcomes(member, texts), texts.map(() => (place === '/' ? 'taken' : 'TypeError')), place);
    assert.deepEqual(await outcomes(member, harms), harms.map(() => 'TypeError'), place);
    // The browser logs each of them.
    const complaints = member.troubles.splice(0);
    assert.ok(complaints.every((line) => /Trusted|inline event handler/.test(line)), complaints.join('\n'));
  }
}

export const tests = [
  { name: 'changed pages: markup that would run is refused, what looks like it is not', run: refusesMarkupThatRuns },
  { name: 'changed pages: translated before the start, all works as without script', run: translated },
  { name: 'changed pages: a foreign node in the body does no harm', run: nodeBefore },
  { name: 'changed pages: a start that fails loads the page again without it, once', run: failedStart },
];
