// A person at a browser: opens addresses, follows links, submits forms, and records errors on the way.

import { strict as assert } from 'node:assert';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

import { chromium } from 'playwright-core';

import { AHEAD_MS, moveDate } from './clock.mjs';
import { PATIENCE_MS, until } from './wait.mjs';

export const PHONE = { width: 390, height: 844 };
export const DESKTOP = { width: 1280, height: 800 };

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--no-first-run',
];

/** Starts the installed Chromium. Without a locale it supports only ASCII in file names. */
export function launch() {
  const env = { ...process.env, LC_ALL: 'C.UTF-8' };
  return chromium.launch({ executablePath: executable(), args: ARGUMENTS, env });
}

function executable() {
  if (process.env.CHROME) return process.env.CHROME;
  const places = (process.env.PATH ?? '').split(path.delimiter);
  const found = NAMES.flatMap((name) => places.map((place) => path.join(place, name))).find(isExecutable);
  if (!found) throw new Error(`no Chromium found (${NAMES.join(', ')}); set CHROME to its path`);
  return found;
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Compound terms have a non-breaking space; people read a space, and so do the tests. */
function readSpaces(locator) {
  if (locator.readsSpaces) return;
  locator.readsSpaces = true;
  const plain = (text) => (typeof text === 'string' ? text.replaceAll('\u00a0', ' ') : text);
  for (const reading of ['innerText', 'textContent', 'allInnerTexts', 'allTextContents']) {
    const read = locator[reading];
    locator[reading] = async function (...options) {
      const found = await read.apply(this, options);
      return Array.isArray(found) ? found.map(plain) : plain(found);
    };
  }
}

/** A browser window with its own cookies. With `script: false` no script runs. */
export class Visitor {
  /** Errors that were not {@link expects expected}. */
  troubles = [];
  #expected = new Set();
  #forgiven = new Set(['net::ERR_ABORTED']);

  constructor(context, page, origin, script) {
    this.context = context;
    this.page = page;
    this.origin = origin;
    this.script = script;
    page.on('pageerror', (error) => this.#trouble(`script error: ${error.message}`));
    page.on('console', (message) => this.#onConsole(message));
    page.on('requestfailed', (request) => this.#onFailure(request));
    page.on('response', (response) => this.#onResponse(response));
    page.on('dialog', (dialog) => {
      this.#trouble(`dialog: ${dialog.message()}`);
      return dialog.dismiss();
    });
  }

  static async arrive(browser, origin, { script = true, theme = 'light', size = PHONE, scale = 1, language = 'vi', cookies } = {}) {
    const context = await browser.newContext({
      baseURL: origin,
      javaScriptEnabled: script,
      viewport: size,
      deviceScaleFactor: scale,
      hasTouch: size === PHONE,
      locale: language,
      timezoneId: 'Asia/Ho_Chi_Minh',
      colorScheme: theme,
      reducedMotion: 'reduce',
      storageState: cookies,
    });
    context.setDefaultTimeout(PATIENCE_MS);
    if (AHEAD_MS !== 0) await context.addInitScript(moveDate, AHEAD_MS);
    const page = await context.newPage();
    readSpaces(Object.getPrototypeOf(page.locator('html')));
    return new Visitor(context, page, origin, script);
  }

  /** Declares that responses with this status, or requests that fail for this reason, are part of the test. */
  expects(status) {
    this.#expected.add(status);
  }

  /** Declares that requests that fail for this reason are part of the test. */
  forgives(reason) {
    this.#forgiven.add(reason);
  }

  /** Opens an address as if typed into the address bar, and returns the response. */
  async open(address) {
    const response = await this.page.goto(address, { waitUntil: 'load' });
    await this.settled();
    return response;
  }

  async reload() {
    await this.page.reload({ waitUntil: 'load' });
    await this.settled();
  }

  /** Follows a link and waits for the page it leads to. */
  async follow(link) {
    const target = new URL(await link.getAttribute('href'), this.page.url());
    if (this.script) await link.click();
    else await Promise.all([this.page.waitForEvent('domcontentloaded'), link.click()]);
    await until(`the link to ${target.pathname} has led there`, () => {
      const here = new URL(this.page.url());
      return here.pathname + here.search === target.pathname + target.search;
    });
    await this.settled();
  }

  /** Presses a form's button and waits for the result: another page, or errors. */
  async submit(button) {
    if (!this.script) {
      await Promise.all([this.page.waitForEvent('domcontentloaded'), button.click()]);
      return;
    }
    const before = await this.#place();
    await button.click();
    await until('the form was answered', async () => {
      const now = await this.#place();
      return !now.busy && (now.url !== before.url || now.loaded !== before.loaded || now.refused);
    });
    await this.settled();
  }

  /** Confirms that the open document was read, and waits until the page shows that it is recorded. */
  async saysRead() {
    const form = this.$('main form[data-read]');
    await form.waitFor();
    if (this.script) {
      await until('the script is there', () => this.page.evaluate(() => document.documentElement.dataset.reading === 'true'));
      await form.locator('button').click();
    } else {
      await Promise.all([this.page.waitForEvent('domcontentloaded'), form.locator('button').click()]);
    }
    await until('it is recorded', async () => (await form.count()) === 0);
  }

  #place() {
    return this.page.evaluate(() => ({
      url: location.href,
      loaded: performance.timeOrigin,
      busy: document.querySelector('form[aria-busy]') !== null,
      refused: document.querySelector('.error-summary, .notice-error') !== null,
    }));
  }

  /** Waits until the page is complete: hydrated if it loads the module, its data shown, its heading present. */
  async settled() {
    await until(`${this.page.url()} shows a whole page`, () =>
      this.page.evaluate(
        (script) =>
          document.readyState === 'complete' &&
          (!script || ['hydrated', 'static'].some((how) => document.documentElement.dataset[how] === 'true')) &&
          document.querySelector('.waiting') === null &&
          document.querySelector('main h1') !== null,
        this.script,
      ),
    );
  }

  /** Path and query of the page. */
  get place() {
    const { pathname, search } = new URL(this.page.url());
    return pathname + search;
  }

  get path() {
    return new URL(this.page.url()).pathname;
  }

  $(selector, options) {
    return this.page.locator(selector, options);
  }

  field(name) {
    return this.page.locator(`main [name="${name}"]`);
  }

  /** The submit button of the form with the control `name`; not one that saves and then goes elsewhere. */
  sender(name) {
    return this.page.locator(`main form:has([name="${name}"]) button[type="submit"]:not([name="then"])`).last();
  }

  async sees(selector, options) {
    await this.$(selector, options).first().waitFor({ state: 'visible' });
  }

  async heading() {
    const headings = await this.$('h1').allInnerTexts();
    assert.equal(headings.length, 1, `${this.place} has ${headings.length} main headings`);
    return headings[0].trim();
  }

  text(selector = 'main') {
    return this.$(selector).first().innerText();
  }

  /** The problems on the page: message by field, from the summary. Each must link to a control described by its message. */
  async problems() {
    await this.sees('.error-summary');
    const found = {};
    for (const link of await this.$('.error-summary a').all()) {
      const id = (await link.getAttribute('href')).slice(1);
      const control = this.$(`[id="${id}"]`);
      assert.equal(await control.count(), 1, `the summary leads to #${id}, which is not there once`);
      const message = this.$(`[id="${id}-error"]`);
      const told = (await link.innerText()).trim();
      assert.ok(told.endsWith((await message.innerText()).trim()), `#${id} and the summary say different things: ${told}`);
      found[await control.getAttribute('name')] = (await message.innerText()).trim();
    }
    assert.ok(Object.keys(found).length > 0, 'the error summary is empty');
    return found;
  }

  #trouble(what) {
    this.troubles.push(`${this.#here()}: ${what}`);
  }

  #here() {
    return this.page.url().replace(this.origin, '');
  }

  #onConsole(message) {
    const text = message.text();
    // Failed requests are checked by status, which the console does not give.
    if (!['error', 'warning', 'assert'].includes(message.type()) || text.startsWith('Failed to load resource')) return;
    this.#trouble(`console ${message.type()}: ${text}`);
  }

  #onFailure(request) {
    const reason = request.failure()?.errorText ?? 'failed';
    // The browser cancels pending loads of a page when it navigates.
    if (!this.#forgiven.has(reason) && !this.#expected.has(reason)) this.#trouble(`${request.method()} ${request.url()}: ${reason}`);
  }

  #onResponse(response) {
    const status = response.status();
    if (status >= 400 && !this.#expected.has(status)) {
      this.#trouble(`${response.request().method()} ${response.url().replace(this.origin, '')} answered ${status}`);
    }
  }

  async close() {
    await this.context.close();
  }
}
