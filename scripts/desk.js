// Enhances the editor of the desk: toolbar, shortcuts, live preview, pasting from Word, and unsaved text is kept. The text is
// always the value of the field, so without this script, or when something here fails, writing and saving work the same. All
// texts come from the page.

const writing = document.querySelector('[data-writing]');

/** Delays after the last key: until the device stores the text, until the preview, until the server stores the text. */
const KEEP_MS = 400;
const SHOW_MS = 600;
const SEND_MS = 3000;

/** How often the server is told that the editor is still open. */
const PRESENT_MS = 15_000;

/** Timeout of a conversion, after which the plain text is inserted. */
const CONVERT_MS = 15_000;

const DAYS_KEPT = 30;

/** For the preview, which the server has sanitised. */
const rules = { createHTML: (html) => html };
const policy = window.trustedTypes?.createPolicy('handbook', rules) ?? rules;

if (writing) start();
document.querySelectorAll('[data-part="audience"]').forEach(findUnits);
remarkOnMarked();

/** A text normalised for comparison: without diacritics, in lower case. */
function plain(text) {
  return text.normalize('NFD').replace(/\p{M}/gu, '').replace(/[đĐ]/g, 'd').toLowerCase().trim();
}

/** A search field for units. */
function unitField(label) {
  const find = document.createElement('input');
  Object.assign(find, { type: 'search', className: 'input', placeholder: label, autocomplete: 'off' });
  find.setAttribute('aria-label', label);
  return find;
}

/** Adds a field above a long list of units that filters them by name, with or without diacritics. */
function findUnits(part) {
  const select = part.querySelector('select');
  if (select.options.length < 8) return;
  const all = [...select.options].map((option) => [option, plain(option.textContent)]);
  const find = unitField(part.dataset.find);
  find.setAttribute('aria-controls', select.id);
  find.addEventListener('input', () => {
    const words = plain(find.value).split(/\s+/).filter(Boolean);
    const chosen = select.value;
    // The selected unit stays selected and listed: searching is not selecting.
    const fits = all.filter(([option, name]) => option.value === chosen || words.every((word) => name.includes(word)));
    select.replaceChildren(...fits.map(([option]) => option));
    select.value = chosen;
  });
  // Enter moves to the list instead of submitting.
  find.addEventListener('keydown', (event) => event.key === 'Enter' && (event.preventDefault(), select.focus()));
  select.before(find);
}

/** Allows remarks on a selection in the preview without copying it. */
function remarkOnMarked() {
  const part = document.querySelector('[data-part="quote"]');
  const shown = document.querySelector('.phone-preview');
  if (!part || !shown) return;
  const quote = part.querySelector('textarea');
  const button = document.createElement('button');
  Object.assign(button, { type: 'button', className: 'button passage-button', textContent: part.dataset.use, hidden: true });
  let marked = '';
  document.addEventListener('selectionchange', () => {
    const selection = getSelection();
    marked = shown.contains(selection.anchorNode) && shown.contains(selection.focusNode) ? selection.toString().trim().slice(0, 1000) : '';
    button.hidden = !marked;
  });
  // The selection is kept while the button is pressed.
  button.addEventListener('pointerdown', (event) => event.preventDefault());
  button.addEventListener('click', () => {
    quote.value = marked;
    part.open = true;
    getSelection().removeAllRanges();
    document.querySelector('main [name="text"]').focus();
  });
  shown.after(button);
}

function start() {
  const form = writing.closest('form');
  const area = writing.querySelector('textarea');
  const toolbar = writing.querySelector('[role="toolbar"]');
  const part = (name) => document.querySelector(`[data-part="${name}"]`);
  const texts = JSON.parse(writing.dataset.texts);
  const { owner } = writing.dataset;
  const numbers = new Intl.NumberFormat(document.documentElement.lang);
  const clock = new Intl.DateTimeFormat(document.documentElement.lang, { hour: '2-digit', minute: '2-digit' });
  const minute = { hour: '2-digit', minute: '2-digit', day: '2-digit', month: '2-digit', year: 'numeric' };
  const moment = new Intl.DateTimeFormat(document.documentElement.lang, minute);
  const say = (text) => (part('status').textContent = text);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  const later = (pause, task) => {
    let timer;
    return () => {
      clearTimeout(timer);
      timer = setTimeout(task, pause);
    };
  };

  /** Calls a server function; a rejection is thrown with its message. */
  async function ask(what, data, signal) {
    const headers = { Accept: 'application/json' };
    const answer = await fetch(`/api/documents/${what}`, { method: 'POST', headers, body: new URLSearchParams(data), signal });
    const found = await answer.json();
    if (!answer.ok) throw new Error(found.message);
    return found;
  }

  // --- The text -------------------------------------------------------------------------------------------------------------

  /** Replaces a range with text, so that the browser can undo it, and selects a part of the result. */
  function put(from, to, text, selected = [from + text.length, from + text.length]) {
    area.focus();
    area.setSelectionRange(from, to);
    const done = text ? document.execCommand('insertText', false, text) : from === to || document.execCommand('delete');
    if (!done) {
      area.setRangeText(text, from, to, 'end');
      area.dispatchEvent(new Event('input', { bubbles: true }));
    }
    area.setSelectionRange(...selected);
  }

  const selection = () => [area.selectionStart, area.selectionEnd];

  /** Wraps the selected words in markers, or removes the markers. */
  function mark(sign, sample) {
    let [from, to] = selection();
    const all = area.value;
    while (from < to && /\s/.test(all[from])) from += 1;
    while (to > from && /\s/.test(all[to - 1])) to -= 1;
    const words = all.slice(from, to);
    const size = sign.length;
    // A single asterisk around a word may be part of a double one.
    const marked = all.slice(from - size, from) === sign && all.slice(to, to + size) === sign;
    const doubled = size === 1 && all[from - 2] === sign && all[from - 3] !== sign;
    if (words && marked && !doubled) {
      put(from - size, to + size, words, [from - size, to - size]);
    } else {
      put(from, to, sign + (words || sample) + sign, [from + size, from + size + (words || sample).length]);
    }
  }

  /** Changes every line of the selection. */
  function lines(change) {
    const [start, end] = selection();
    const from = area.value.lastIndexOf('\n', start - 1) + 1;
    const next = area.value.indexOf('\n', end);
    const to = next < 0 ? area.value.length : next;
    const text = change(area.value.slice(from, to).split('\n')).join('\n');
    put(from, to, text, start === end ? [from + text.length, from + text.length] : [from, from + text.length]);
  }

  /** Adds a prefix to lines, or removes it if all have it. */
  function begin(sign, own, others) {
    lines((all) => {
      const has = all.every((line) => own.test(line));
      return all.map((line, at) => (has ? line.replace(own, '') : sign(at) + line.replace(others, '')));
    });
  }

  const LIST = /^\s*(?:[-*+]|\d+[.)])\s+/;
  const HEADING = /^#{1,6}\s+/;

  const actions = {
    heading: () => begin(() => '## ', /^##\s+/, HEADING),
    subheading: () => begin(() => '### ', /^###\s+/, HEADING),
    bold: () => mark('**', texts.bold),
    italic: () => mark('*', texts.italic),
    bullets: () => begin(() => '- ', /^\s*[-*+]\s+/, LIST),
    numbers: () => begin((at) => `${at + 1}. `, /^\s*\d+[.)]\s+/, LIST),
    quote: () => begin(() => '> ', /^>\s?/, /^$/),
    link() {
      const [from, to] = selection();
      const words = area.value.slice(from, to);
      const isAddress = /^(https?:\/\/|mailto:)\S+$/.test(words);
      const label = isAddress ? texts.link : words || texts.link;
      const address = isAddress ? words : 'https://';
      const at = from + label.length + 3;
      put(from, to, `[${label}](${address})`, isAddress ? [from + 1, from + 1 + label.length] : [at, at + address.length]);
    },
    table() {
      const to = area.selectionEnd;
      const before = /(^|\n\n)$/.test(area.value.slice(0, to)) ? '' : area.value[to - 1] === '\n' ? '\n' : '\n\n';
      const head = texts.column;
      const table = `| ${head} 1 | ${head} 2 |\n| --- | --- |\n|  |  |\n|  |  |\n`;
      put(to, to, before + table, [to + before.length + 2, to + before.length + 4 + head.length]);
    },
    footnote() {
      const to = area.selectionEnd;
      const used = [...area.value.matchAll(/\[\^(\d+)\]/g)].map((found) => Number(found[1]));
      const name = `[^${Math.max(0, ...used) + 1}]`;
      put(to, to, name);
      const end = area.value.trimEnd().length;
      put(end, area.value.length, `\n\n${name}: `);
      area.scrollTop = area.scrollHeight;
    },
    rich(button) {
      const keeps = button.getAttribute('aria-pressed') !== 'true';
      button.setAttribute('aria-pressed', keeps);
    },
  };

  /** A new line continues the list; an empty item ends it. */
  function newLine(event) {
    const [start, end] = selection();
    if (start !== end) return;
    const from = area.value.lastIndexOf('\n', start - 1) + 1;
    const found = /^(\s*)([-*+]|\d+[.)]|>)(\s+)(.*)$/.exec(area.value.slice(from, start));
    if (!found) return;
    event.preventDefault();
    const [whole, indent, sign, space, words] = found;
    if (!words.trim()) put(from, from + whole.length, '');
    else put(start, start, `\n${indent}${/\d/.test(sign) ? parseInt(sign, 10) + 1 + sign.slice(-1) : sign}${space}`);
  }

  // --- Toolbar and keys -----------------------------------------------------------------------------------------------------

  const buttons = [...toolbar.querySelectorAll('button')];
  toolbar.hidden = false;
  buttons.forEach((button, at) => (button.tabIndex = at ? -1 : 0));
  toolbar.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (button) actions[button.dataset.do](button);
  });
  toolbar.addEventListener('keydown', (event) => {
    const at = buttons.indexOf(document.activeElement);
    const last = buttons.length - 1;
    const to = { ArrowRight: at < last ? at + 1 : 0, ArrowLeft: at > 0 ? at - 1 : last, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    buttons.forEach((button, place) => (button.tabIndex = place === to ? 0 : -1));
    buttons[to].focus();
  });
  area.addEventListener('keydown', (event) => {
    // Vietnamese is typed with an input method: its key events are ignored.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey) return newLine(event);
    if (!event.ctrlKey && !event.metaKey) return;
    const pressed = ['Control', event.altKey && 'Alt', event.shiftKey && 'Shift', event.code.replace(/^Key|^Digit/, '')].filter(Boolean);
    if (pressed.join('+') === 'Control+S') {
      event.preventDefault();
      form.requestSubmit();
      return;
    }
    const button = buttons.find((found) => found.getAttribute('aria-keyshortcuts') === pressed.join('+'));
    if (!button) return;
    event.preventDefault();
    actions[button.dataset.do](button);
  });

  // --- Pasting and files ----------------------------------------------------------------------------------------------------

  /** Waits for a converted text from the server and inserts it at the selection. The field is read-only meanwhile. */
  async function convert(work, otherwise, tell = say) {
    const [from, to] = selection();
    area.readOnly = true;
    tell(texts.converting);
    let text = otherwise;
    let told = '';
    try {
      text = (await work()) || otherwise;
      told = texts.converted;
    } catch (error) {
      told = error.message || texts.not_converted;
    }
    area.readOnly = false;
    if (text) put(from, to, text);
    tell(told);
  }

  area.addEventListener('paste', (event) => {
    const data = event.clipboardData;
    const html = data?.getData('text/html');
    const keeps = toolbar.querySelector('[data-do="rich"]').getAttribute('aria-pressed') === 'true';
    if (!html || !keeps) return;
    event.preventDefault();
    // Styles and pictures are most of Word's clipboard content, and none of it is used.
    const lean = html
      .replace(/<style[\s\S]*?<\/style>/gi, '')
      .replace(/<!--[\s\S]*?-->/g, '')
      .replace(/"data:[^"]*"/gi, '""')
      .replace(/\sstyle=("[^"]*"|'[^']*')/gi, (style) => (/mso-(list|hide)|font-(weight|style)|decoration|vertical|none/i.test(style) ? style : ''));
    convert(() => ask('convert_html', { html: lean }, AbortSignal.timeout?.(CONVERT_MS)), data.getData('text/plain'));
  });

  /** The text of a file without its title, if that goes into the form or equals the one there. */
  function titled({ title, text, whole }) {
    const own = field('title');
    const same = (one) => one.trim().replace(/\s+/g, ' ').normalize('NFC').toLocaleLowerCase('vi');
    if (!title || (own.value.trim() && same(own.value) !== same(title))) return whole;
    if (!own.value.trim()) {
      own.value = title;
      own.dispatchEvent(new Event('input', { bubbles: true }));
    }
    return text;
  }

  part('docx')?.addEventListener('submit', (event) => {
    const sent = event.target;
    event.preventDefault();
    const mode = new FormData(sent).get('mode');
    if (mode === 'replace') area.select();
    else area.setSelectionRange(area.value.length, area.value.length);
    // Reported where the file was chosen, because the text may be far from there.
    const tell = (told) => (part('docx-status').textContent = told);
    let aside = '';
    convert(async () => {
      const answer = await fetch(sent.action, { method: 'POST', headers: { Accept: 'application/json' }, body: new FormData(sent) });
      if (!answer.ok) throw new Error(await answer.text());
      const taken = await answer.json();
      sent.reset();
      if (taken.told) aside = ` ${taken.told}`;
      const fresh = mode === 'replace' || !area.value.trim();
      return fresh ? titled(taken) : `\n\n${taken.whole}`;
    }, '', (told) => tell(told === texts.converted ? told + aside : told));
  });

  // --- What is typed is kept ------------------------------------------------------------------------------------------------

  const field = (name) => form.elements[name];
  const now = () => ({ id: field('id').value, version: field('version').value, title: field('title').value, body: area.value });
  const key = (id) => `handbook-desk:${owner}:${id}`;
  const opened = now();
  let unsent = false;
  let leaving = false;

  function keepHere() {
    const typed = now();
    try {
      localStorage.setItem(key(typed.id), JSON.stringify({ ...typed, at: Date.now() }));
      say(fill(texts.kept_here, { time: clock.format(new Date()) }));
      return true;
    } catch {
      // No space, or storage is disabled: the server still has it.
      return false;
    }
  }

  async function send() {
    if (!unsent || leaving) return;
    const typed = now();
    try {
      heard(await ask('keep_typed', typed));
      if (area.value === typed.body && field('title').value === typed.title) {
        unsent = false;
        localStorage.removeItem(key(typed.id));
      }
      say(fill(texts.kept, { time: clock.format(new Date()) }));
    } catch (error) {
      if (leaving) return;
      part('others').hidden = true;
      const here = keepHere();
      // A network error has no message for people.
      say(fill(here ? texts.only_here : texts.not_kept, { why: error instanceof TypeError ? '' : error.message }));
    }
  }

  /** Shows who else is editing, and whether they saved. */
  function heard({ others, version }) {
    const notice = part('others');
    notice.querySelector('[data-names]').textContent = others.join(', ');
    notice.hidden = others.length === 0;
    part('newer').hidden = version <= Number(field('version').value);
  }

  // Nothing is stored after the form was submitted: it would look newer than the saved text.
  const keepSoon = later(KEEP_MS, () => leaving || !unsent || keepHere());
  const sendSoon = later(SEND_MS, send);
  form.addEventListener('input', (event) => {
    if (event.target !== area && event.target !== field('title')) return;
    unsent = true;
    leaving = false;
    count();
    keepSoon();
    showSoon();
    sendSoon();
  });
  form.addEventListener('submit', () => {
    if (unsent) keepHere();
    leaving = true;
  });
  addEventListener('pageshow', () => (leaving = false));
  addEventListener('beforeunload', (event) => {
    if (unsent && !leaving) event.preventDefault();
  });
  addEventListener('online', send);

  /** Reports that this editor is open, and shows the others. An expired report is not shown. */
  function present() {
    if (document.hidden || opened.version === '0') return;
    if (unsent) send();
    else ask('still_writing', { id: opened.id }).then(heard, () => (part('others').hidden = true));
  }
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) return present();
    if (!unsent || leaving) return;
    keepHere();
    send();
  });
  setInterval(present, PRESENT_MS);

  /** Without the whitespace that is not stored. */
  const lean = (text) => text.replaceAll(/\s+/g, ' ').trim();

  /** Offers the text that this device has and the server does not, and deletes text that the server has. */
  function offer() {
    const found = Object.keys(localStorage)
      .filter((name) => name.startsWith(key('')))
      .map((name) => [name, JSON.parse(localStorage.getItem(name))]);
    for (const [name, { at }] of found) if (Date.now() - at > DAYS_KEPT * 86_400_000) localStorage.removeItem(name);
    const mine = found.filter(([, kept]) => (opened.version === '0' ? kept.version === '0' : kept.id === opened.id));
    const [name, kept] = mine.sort((one, other) => other[1].at - one[1].at)[0] ?? [];
    if (!kept) return;
    // Text that the server has is deleted here, so this is the only copy: it is offered whatever its time.
    if (lean(kept.body) === lean(opened.body) && lean(kept.title) === lean(opened.title)) {
      if (!document.querySelector('.error-summary')) localStorage.removeItem(name);
      return;
    }
    const notice = part('here');
    notice.querySelector('[data-time]').textContent = moment.format(kept.at);
    notice.hidden = false;
    notice.addEventListener('click', ({ target }) => {
      const choice = target.closest('button')?.value;
      if (!choice) return;
      notice.hidden = true;
      if (choice === 'use') {
        field('id').value = kept.id;
        field('version').value = kept.version;
        field('title').value = kept.title;
        put(0, area.value.length, kept.body);
      } else {
        localStorage.removeItem(name);
      }
    });
  }

  // --- How it will look -----------------------------------------------------------------------------------------------------

  let minutes = 0;
  function count() {
    const words = (area.value.match(/\S*[\p{L}\p{N}]\S*/gu) ?? []).length;
    const values = { words, characters: [...area.value].length, max: Number(writing.dataset.max), minutes };
    for (const name in values) values[name] = numbers.format(values[name]);
    part('count').textContent = fill(minutes ? texts.count : texts.count_words, values);
  }

  let shown = 0;
  async function show() {
    const mine = (shown += 1);
    try {
      const found = await ask('preview', { body: area.value });
      if (mine !== shown) return;
      minutes = found.minutes;
      count();
      part('preview').hidden = false;
      if (part('preview-later')) part('preview-later').hidden = true;
      part('preview').querySelector('.prose').innerHTML = policy.createHTML(found.html);
      part('preview').querySelector('.preview-title').textContent = field('title').value;
    } catch {
      // The previous preview stays; saving reports the error.
    }
  }
  const showSoon = later(SHOW_MS, show);

  try {
    offer();
  } catch {
    // Storage is disabled, or has an invalid value: nothing to offer.
  }
  count();
}
