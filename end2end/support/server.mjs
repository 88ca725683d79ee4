// The server under test: the real binary with the sample organisation in a separate folder.

import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { AHEAD_MS } from './clock.mjs';
import { Provider } from './provider.mjs';
import { until } from './wait.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const LOAD_MS = 600_000;
const START_MS = 240_000;
const STOP_MS = 15_000;
const LOG_LINES = 400;

/** A running server. Made by {@link Sample.start} or {@link startEmpty}; stopped with {@link Server.stop}. */
export class Server {
  #child;
  #folder;
  #keep;
  #exit;
  /** The folder of SMS messages, since no gateway is configured. */
  get outbox() {
    return path.join(this.#folder, 'data', 'outbox');
  }

  /** The latest lines that the server printed. */
  log = [];

  constructor(child, folder, keep, port, { signIns = [], provider } = {}) {
    this.#child = child;
    this.#folder = folder;
    this.#keep = keep;
    this.port = port;
    this.origin = `http://127.0.0.1:${port}`;
    this.signIns = signIns;
    /** The OpenID Connect provider, if one is configured. */
    this.provider = provider;
    this.#exit = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this.log.push(...text.split('\n').filter(Boolean));
        this.log.splice(0, this.log.length - LOG_LINES);
      });
    }
  }

  async ready() {
    let gone;
    this.#exit.then((exit) => (gone = exit));
    await until(
      'the server is ready',
      async () => {
        if (gone) return true;
        return (await fetch(`${this.origin}/readyz`)).ok;
      },
      START_MS,
    );
    if (gone) throw new Error(`the server ended at its start (${describe(gone)}):\n${this.log.join('\n')}`);
  }

  /** Lines in which the server reports an error. */
  complaints() {
    return this.log.filter((line) => /panicked at|"level":"ERROR"|\bERROR\b/.test(line));
  }

  /** Stops the server, waits for its exit, and removes its folder. Throws if it does not exit cleanly. */
  async stop() {
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    const exit = await this.#exit;
    clearTimeout(late);
    await this.provider?.stop();
    if (this.#keep) console.log(`kept: ${this.#folder}`);
    else await rm(this.#folder, { recursive: true, force: true });
    if (exit.code !== 0) throw new Error(`the server did not end cleanly (${describe(exit)}):\n${this.log.slice(-20).join('\n')}`);
  }
}

/** The sample organisation, loaded once: every server starts with a copy of it. */
export class Sample {
  #folder;

  constructor(folder, signIns) {
    this.#folder = folder;
    this.signIns = signIns;
  }

  static load() {
    return inNewFolder(false, async (folder) => {
      await handbook(folder, ['demo']);
      return new Sample(folder, JSON.parse(await handbook(folder, ['demo', '--list'], false)));
    });
  }

  /** Starts a server on a copy. */
  start({ keep }) {
    return inNewFolder(keep, async (folder) => {
      await cp(path.join(this.#folder, 'data'), path.join(folder, 'data'), { recursive: true });
      const port = await freePort();
      const origin = `http://127.0.0.1:${port}`;
      const provider = await Provider.start(origin, await freePort());
      const oidc = path.join(folder, 'oidc.toml');
      await writeFile(oidc, provider.settings(origin));
      return serve(folder, keep, port, ['--oidc', oidc], { signIns: this.signIns, provider });
    });
  }

  remove() {
    return rm(this.#folder, { recursive: true, force: true });
  }
}

/**
 * Starts the server on an empty store in which `handbook admin create` has created the first person.
 *
 * @param {{ keep?: boolean, admin: string[] }} options `admin`: arguments of `admin create`
 * @returns {Promise<{ server: Server, printed: string }>} and the output of the command
 */
export async function startEmpty({ keep = false, admin }) {
  let printed;
  const server = await inNewFolder(keep, async (folder) => {
    printed = await handbook(folder, ['admin', 'create', ...admin]);
    return serve(folder, keep, await freePort(), []);
  });
  return { server, printed };
}

async function inNewFolder(keep, run) {
  const folder = await mkdtemp(path.join(tmpdir(), 'handbook-end2end-'));
  try {
    return await run(folder);
  } catch (error) {
    if (!keep) await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Runs a command of the program on the folder's data to its end, and returns its output. */
async function handbook(folder, command, onData = true) {
  const options = { cwd: folder, env: environment(), timeout: LOAD_MS, maxBuffer: 16 << 20 };
  const data = onData ? ['--data', path.join(folder, 'data'), ...clock()] : [];
  const { stdout } = await promisify(execFile)(binary(), [...command, ...data], options);
  return stdout;
}

async function serve(folder, keep, port, settings, known) {
  const where = ['--addr', `127.0.0.1:${port}`, '--data', path.join(folder, 'data'), '--site', site()];
  const child = spawn(binary(), ['serve', ...where, ...clock(), ...settings], {
    cwd: folder,
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const server = new Server(child, folder, keep, port, known);
  await server.ready();
  return server;
}

const clock = () => (AHEAD_MS === 0 ? [] : ['--clock-ahead', String(AHEAD_MS / 1000)]);
const binary = () => built('HANDBOOK_BIN', 'target/debug/handbook');
const site = () => built('HANDBOOK_SITE', 'target/site');

function built(name, fallback) {
  const place = path.resolve(ROOT, process.env[name] ?? fallback);
  if (!existsSync(place)) throw new Error(`${place} is missing: run \`cargo xtask build\` first`);
  return place;
}

/** Without the settings of the person who runs the tests, and without colours in the log. */
function environment() {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('HANDBOOK_'));
  return { ...Object.fromEntries(kept), NO_COLOR: '1' };
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

const describe = ({ code, signal }) => (signal ? `signal ${signal}` : `exit code ${code}`);
