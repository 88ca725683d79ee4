// Runs tests and reports the results.

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { Visitor } from './browser.mjs';

const RESULTS = fileURLToPath(new URL('../results/', import.meta.url));
const TEST_MS = 180_000;

/** The same test with script on and off. */
export function bothWays(name, run) {
  return [true, false].map((script) => ({
    name: `${name}, script ${script ? 'on' : 'off'}`,
    run: (stage) => run(stage, script),
  }));
}

/** The environment of a test; it creates and closes the visitors. */
export class Stage {
  #visitors = [];
  #servers = [];

  /** Without a server in the world, the test provides one: see {@link before}. */
  constructor(world) {
    this.world = world;
    this.origin = world.server?.origin;
  }

  /** A new browser window; `as` signs in first. */
  async visitor({ as, ...options } = {}) {
    const { browser, accounts } = this.world;
    const cookies = as && (await accounts.session(browser, this.origin, as));
    const visitor = await Visitor.arrive(browser, this.origin, { ...options, cookies });
    this.#visitors.push(visitor);
    return visitor;
  }

  /** The same stage with another server, which ends with it. */
  before(server) {
    this.#servers.push(server);
    this.origin = server.origin;
    this.world = { ...this.world, server };
  }

  account(role) {
    return this.world.accounts.of(role);
  }

  /** Errors of all pages of the test. */
  troubles() {
    return this.#visitors.flatMap((visitor) => visitor.troubles);
  }

  /** Pictures of the windows after a failure. */
  async photograph(name) {
    await mkdir(RESULTS, { recursive: true });
    const file = name.replace(/[^\p{L}\p{N}]+/gu, '-');
    const shots = this.#visitors.map((visitor, index) => {
      const where = path.join(RESULTS, `${file}-${index + 1}.png`);
      return visitor.page.screenshot({ path: where, timeout: 5_000 }).then(
        () => `${visitor.page.url()} ${where}`,
        () => visitor.page.url(),
      );
    });
    return Promise.all(shots);
  }

  async close() {
    await Promise.allSettled(this.#visitors.map((visitor) => visitor.close()));
    for (const server of this.#servers) await server.stop();
  }
}

/** Counts passed and failed tests; prints a line for each. */
export class Report {
  passed = 0;
  failed = 0;
  #start = Date.now();

  /** Runs one test with its own stage. */
  async run(world, { name, run, patience = TEST_MS }) {
    const stage = new Stage(world);
    const start = Date.now();
    try {
      await within(patience, run(stage));
      const troubles = stage.troubles();
      if (troubles.length > 0) throw new Error(`the pages complained:\n${troubles.join('\n')}`);
      this.#pass(name, start);
    } catch (error) {
      this.#fail(name, start, [explain(error), ...stage.troubles(), ...(await stage.photograph(name))]);
    } finally {
      await stage.close();
    }
  }

  /** Counts a check besides the tests, for example that the server exits cleanly. */
  async check(name, run) {
    const start = Date.now();
    try {
      await run();
      this.#pass(name, start);
    } catch (error) {
      this.#fail(name, start, [explain(error)]);
    }
  }

  conclude() {
    console.log(`all: ${seconds(this.#start)}`);
    console.log(`${this.passed} passed, ${this.failed} failed`);
  }

  #pass(name, start) {
    this.passed += 1;
    console.log(line('ok', name, start));
  }

  /** Printed at once, because concurrent tests print too. */
  #fail(name, start, reasons) {
    this.failed += 1;
    console.log([line('FAILED', name, start), ...reasons.map(indent)].join('\n'));
  }
}

async function within(patience, running) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${patience / 1000} s`)), patience);
  });
  try {
    await Promise.race([running, late]);
  } finally {
    clearTimeout(timer);
  }
}

function explain(error) {
  const where = (error.stack ?? '').split('\n').filter((line) => line.includes('/end2end/') && !line.includes('/support/wait'));
  return [error.message ?? String(error), ...where.slice(0, 3)].join('\n');
}

const line = (outcome, name, start) => `${outcome.padEnd(6)} ${seconds(start).padStart(7)}  ${name}`;
const seconds = (start) => `${((Date.now() - start) / 1000).toFixed(1)} s`;
const indent = (text) => text.replace(/^/gm, '         ');
