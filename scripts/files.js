// Uploads the files of a draft: dropped or chosen, sent in pieces, resumed after an interruption.
//
// The form on the page does the same without script, in one request. A file is announced with a POST; each PATCH sends the piece
// at `Upload-Offset`; if the server has more, or the connection breaks, a HEAD returns the offset. Uploads in progress are stored
// in localStorage by the file's name, size and time, so that choosing the same file after a reload resumes it.

const PIECE = 1 << 20;
const PAUSES = [1000, 2000, 4000, 8000, 15000];
const OFFSET = 'Upload-Offset';

const form = document.querySelector('form[data-files]');
if (form) takeOver(form);

function takeOver(form) {
  const texts = form.dataset;
  const input = form.querySelector('input[type="file"]');
  const button = form.querySelector('button[type="submit"]');
  const list = form.querySelector('[data-sent]');
  const said = form.querySelector('[data-said]');
  let underWay = 0;
  let arrived = false;

  input.multiple = true;
  const hint = document.createElement('p');
  hint.className = 'drop-hint';
  hint.textContent = texts.drop;
  form.prepend(hint);

  form.addEventListener('submit', (event) => {
    // Without a file the server reports what is missing, as without script.
    if (input.files.length === 0) return;
    event.preventDefault();
    take(input.files);
  });
  form.addEventListener('dragover', (event) => {
    event.preventDefault();
    form.dataset.over = 'true';
  });
  form.addEventListener('dragleave', () => delete form.dataset.over);
  form.addEventListener('drop', (event) => {
    event.preventDefault();
    delete form.dataset.over;
    take(event.dataTransfer.files);
  });

  // The progress would be lost from the page, though not from the server.
  addEventListener('beforeunload', (event) => underWay > 0 && event.preventDefault());

  async function take(files) {
    const chosen = [...files];
    input.value = '';
    // In sequence: two uploads would share the bandwidth.
    underWay += chosen.length;
    button.setAttribute('aria-disabled', 'true');
    for (const file of chosen) {
      arrived = (await send(file)) || arrived;
      underWay -= 1;
    }
    if (underWay > 0) return;
    button.removeAttribute('aria-disabled');
    // The page then shows all files; failed ones stay visible here.
    if (arrived && !list.querySelector('[data-failed]')) location.assign(`${location.pathname}?added=1`);
  }

  async function send(file) {
    const shown = row(file.name);
    if (file.size === 0 || file.size > Number(texts.max)) {
      const reason = file.size === 0 ? texts.empty : texts.tooBig;
      say(reason, shown.fail(reason));
      return false;
    }
    say(named(texts.sending, file));
    const key = `files:${texts.files}:${file.name}:${file.size}:${file.lastModified}`;
    try {
      const { waiting } = await deliver(file, key, shown);
      const text = named(waiting ? texts.decide : texts.done, file);
      say(text, shown.done(text));
      return true;
    } catch (problem) {
      if (!(problem instanceof Refused)) throw problem;
      const text = problem.message || named(texts.failed, file);
      say(text, shown.fail(text));
      return false;
    } finally {
      if (!shown.stopped) forget(key);
    }
  }

  /** Sends a file completely, retrying on network errors. */
  async function deliver(file, key, shown) {
    let address = known(key);
    let offset = address ? undefined : 0;
    for (let tries = 0; ; ) {
      try {
        if (!address) {
          address = await announce(file);
          remember(key, address);
          offset = 0;
        }
        offset ??= await progress(address);
        if (offset === undefined) {
          // It was cancelled or has expired: start again.
          address = undefined;
          continue;
        }
        shown.progress(offset, file.size);
        if (offset + PIECE >= file.size) shown.say(named(texts.checking, file));
        const answer = await patch(address, offset, file.slice(offset, offset + PIECE), shown.signal);
        tries = 0;
        if (answer.status === 200) return await answer.json();
        if (answer.status === 404) {
          address = undefined;
          offset = undefined;
          continue;
        }
        if (answer.status !== 204 && answer.status !== 409) throw new Refused(await message(answer));
        offset = Number(answer.headers.get(OFFSET));
      } catch (problem) {
        if (shown.signal.aborted) {
          if (address) await fetch(address, { method: 'DELETE' }).catch(() => undefined);
          forget(key);
          throw new Refused(texts.stop);
        }
        // Only a network error makes fetch throw a TypeError.
        if (!(problem instanceof TypeError)) throw problem;
        shown.say(texts.offline);
        say(texts.offline);
        await backOnline(PAUSES[Math.min(tries, PAUSES.length - 1)]);
        tries += 1;
        offset = undefined;
      }
    }
  }

  async function announce(file) {
    const body = new URLSearchParams({ document: texts.files, name: file.name, size: String(file.size) });
    const answer = await fetch('/files/uploads', { method: 'POST', body });
    if (answer.status !== 201) throw new Refused(await message(answer));
    return answer.headers.get('Location');
  }

  /** The server's offset; undefined if it does not have the upload any more. */
  async function progress(address) {
    const answer = await fetch(address, { method: 'HEAD' });
    if (answer.status === 404) return undefined;
    if (!answer.ok) throw new Refused('');
    return Number(answer.headers.get(OFFSET));
  }

  function patch(address, offset, body, signal) {
    const headers = { [OFFSET]: String(offset), 'Content-Type': 'application/offset+octet-stream' };
    return fetch(address, { method: 'PATCH', headers, body, signal });
  }

  async function message(answer) {
    const told = await answer.json().catch(() => ({}));
    return told.message ?? '';
  }

  function say(text) {
    said.textContent = text;
  }

  function named(text, file) {
    return text.replace('{name}', file.name);
  }

  /** A row of the list: name, progress bar, state, and a button to cancel. */
  function row(name) {
    const stop = new AbortController();
    const line = document.createElement('li');
    line.className = 'desk-file';
    const title = document.createElement('bdi');
    title.className = 'file-name';
    title.textContent = name;
    const bar = document.createElement('progress');
    bar.setAttribute('aria-label', name);
    bar.max = 1;
    bar.value = 0;
    const text = document.createElement('p');
    text.className = 'muted small';
    const quit = document.createElement('button');
    quit.type = 'button';
    quit.className = 'button button-quiet';
    quit.textContent = texts.stop;
    quit.addEventListener('click', () => stop.abort());
    line.append(title, bar, text, quit);
    list.append(line);
    list.hidden = false;
    const over = (words) => {
      bar.remove();
      quit.remove();
      text.textContent = words;
    };
    return {
      signal: stop.signal,
      get stopped() {
        return stop.signal.aborted;
      },
      say: (words) => (text.textContent = words),
      progress(done, whole) {
        bar.max = whole;
        bar.value = done;
        text.textContent = `${Math.floor((100 * done) / whole)} %`;
      },
      done: over,
      fail(words) {
        line.dataset.failed = 'true';
        over(words);
      },
    };
  }
}

/** A permanent error: a retry would not help. */
class Refused extends Error {}

/** Resolves after a delay, or when the browser is online again. */
function backOnline(pause) {
  return new Promise((resume) => {
    const go = () => {
      clearTimeout(timer);
      removeEventListener('online', go);
      resume();
    };
    const timer = setTimeout(go, pause);
    addEventListener('online', go);
  });
}

// Storage may be disabled: then a reload starts again, and nothing else is lost.
function known(key) {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

function remember(key, address) {
  try {
    localStorage.setItem(key, address);
  } catch {
    // As above.
  }
}

function forget(key) {
  try {
    localStorage.removeItem(key);
  } catch {
    // As above.
  }
}
