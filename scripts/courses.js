// Makes the quiz of a course more comfortable. It does the same without it.
//
// What is ticked is kept on the device, and on the server a moment later; what is left of the time is shown, and when time is
// over the form is handed in. The server keeps the time; this clock only shows it.

'use strict';

/** How long after the last tick the answers are sent. */
const REST_MS = 1_200;

/** How long a try to send may take, and when one that failed is made again. */
const PATIENCE_MS = 8_000;
const AGAIN_MS = 10_000;

/** What is left is said aloud when this many seconds are. */
const SAID_AT = [600, 300, 60, 20];

const KEPT = 'handbook-quiz:';

const quiz = document.querySelector('[data-quiz]');
if (quiz) take(quiz);
else forgetHandedIn();

function take(quiz) {
  const form = quiz.querySelector('form');
  const mark = quiz.querySelector('[data-kept-mark]');
  const key = `${KEPT}${quiz.dataset.owner}:${form.elements.course.value}`;
  const number = form.elements.number.value;
  const boxes = [...form.querySelectorAll('[name^="answers"]')];
  const those = (property) => boxes.filter((box) => box[property]).map((box) => `${box.name}=${box.value}`);
  const ticks = () => those('checked');
  const way = document.createElement('a');
  Object.assign(way, { className: 'button button-secondary', hidden: true });
  mark.after(way);
  /** What the server may have of this page: what it showed, or took last, and what was sent since without an answer. */
  let known = [those('defaultChecked').join()];
  let waiting = 0;
  let handedIn = false;

  /** What the server has not got yet stays on the device; `null` when it has all. */
  function keepHere(ticked) {
    try {
      if (ticked) localStorage.setItem(key, JSON.stringify({ number, ticked, known, at: Date.now() }));
      else localStorage.removeItem(key);
    } catch {
      // No room, or the browser keeps nothing: the server still does.
    }
  }

  /** Ticks what the device kept of this try, unless the server has got other answers since, as from another device. */
  function restore() {
    try {
      const kept = JSON.parse(localStorage.getItem(key));
      if (kept?.number !== number) return false;
      if (!kept.known?.includes(known[0])) {
        keepHere(null);
        return false;
      }
      known = kept.known;
      for (const box of boxes) box.checked = kept.ticked.includes(`${box.name}=${box.value}`);
      return true;
    } catch {
      return false;
    }
  }

  const keep = async () => {
    if (handedIn) return;
    const sent = ticks().join();
    // An answer may be lost on its way.
    if (!known.includes(sent)) known.push(sent);
    keepHere(ticks());
    const body = new URLSearchParams(new FormData(form));
    body.set('step', 'save');
    try {
      const answer = await fetch(form.action, {
        method: 'POST',
        headers: { Accept: 'application/json' },
        body,
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const told = await answer.json();
      if (answer.ok) {
        known = [sent];
        keepHere(ticks().join() === sent ? null : ticks());
      }
      mark.textContent = answer.ok ? quiz.dataset.kept : told.message;
      // Where the session has ended only its owner can go on; the next tick asks again.
      way.hidden = answer.status !== 401;
      if (!way.hidden) Object.assign(way, { href: told.to, textContent: told.way });
      if (answer.ok || answer.status === 401) return;
    } catch {
      mark.textContent = quiz.dataset.lost;
    }
    later(AGAIN_MS);
  };
  const later = (rest) => {
    clearTimeout(waiting);
    waiting = setTimeout(keep, rest);
  };

  form.addEventListener('change', () => {
    keepHere(ticks());
    later(REST_MS);
  });
  form.addEventListener('submit', (event) => {
    handedIn = event.submitter?.value === 'hand_in';
    clearTimeout(waiting);
  });
  if (restore() || quiz.dataset.restored) later(REST_MS);
  if (quiz.dataset.seconds) count(quiz, form);
}

/** On the page of a result: what was kept of that try on the device is not needed any more. */
function forgetHandedIn() {
  const [, , course, part, number] = location.pathname.split('/');
  if (part !== 'tries') return;
  try {
    const own = Object.keys(localStorage).filter((key) => key.startsWith(KEPT) && key.endsWith(`:${course}`));
    for (const key of own) if (JSON.parse(localStorage.getItem(key)).number === number) localStorage.removeItem(key);
  } catch {
    // The browser keeps nothing.
  }
}

/** Shows what is left of the time, and hands the form in at its end. */
function count(quiz, form) {
  const shown = document.querySelector('[data-time-left]');
  const said = document.querySelector('[data-time-told]');
  // A clock that only goes forward: that of the device may be set while it runs.
  const end = performance.now() + Number(quiz.dataset.seconds) * 1_000;
  const tick = () => {
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1_000));
    const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
    const told = quiz.dataset.left.replace('{left}', time);
    if (shown) shown.textContent = told;
    if (said && SAID_AT.includes(left)) said.textContent = told;
    if (left > 0) return;
    clearInterval(timer);
    form.requestSubmit(form.querySelector('button[value="hand_in"]'));
  };
  const timer = setInterval(tick, 1_000);
  tick();
}
