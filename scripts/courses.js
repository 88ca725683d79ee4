// Enhances the quiz of a course, which works without it too.
//
// Answers are kept on the device, and sent to the server a moment later. The remaining time is shown, and the form is submitted
// when it ends. The server measures the time; this clock only shows it.

'use strict';

/** Delay between the last tick and sending the answers. */
const REST_MS = 1_200;

/** Timeout of a request, and delay before a failed one is retried. */
const PATIENCE_MS = 8_000;
const AGAIN_MS = 10_000;

/** The remaining seconds at which the time is announced to screen readers. */
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
  /** Answers that the server may have for this page: those it rendered or accepted last, and those sent since without a response. */
  let known = [those('defaultChecked').join()];
  let waiting = 0;
  let handedIn = false;

  /** Keeps answers that the server has not stored on the device; `null` when it has all. */
  function keepHere(ticked) {
    try {
      if (ticked) localStorage.setItem(key, JSON.stringify({ number, ticked, known, at: Date.now() }));
      else localStorage.removeItem(key);
    } catch {
      // No space, or storage is disabled: the server still has them.
    }
  }

  /** Restores the answers that the device kept of this attempt, unless the server has newer ones, for example from another device. */
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
    // A response may be lost.
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
      // If the session has expired, only its owner can continue; the next tick sends again.
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

/** On a result page: deletes what the device kept of that attempt. */
function forgetHandedIn() {
  const [, , course, part, number] = location.pathname.split('/');
  if (part !== 'tries') return;
  try {
    const own = Object.keys(localStorage).filter((key) => key.startsWith(KEPT) && key.endsWith(`:${course}`));
    for (const key of own) if (JSON.parse(localStorage.getItem(key)).number === number) localStorage.removeItem(key);
  } catch {
    // Storage is disabled.
  }
}

/** Shows the remaining time, and submits the form at its end. */
function count(quiz, form) {
  const shown = document.querySelector('[data-time-left]');
  const said = document.querySelector('[data-time-told]');
  // A monotonic clock: the device's clock may be changed meanwhile.
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
