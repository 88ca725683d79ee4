// Makes two pages of courses more comfortable. Both do the same without it.
//
// The quiz: what is ticked is kept on the server a moment later, what is left of the time is shown, and when time is over the form
// is handed in. The server keeps the time; this clock only shows it. The certificate: a button that prints.

'use strict';

/** How long after the last tick the answers are sent. */
const REST_MS = 1_200;

/** How long a try to send may take, and when one that failed is made again. */
const PATIENCE_MS = 8_000;
const AGAIN_MS = 10_000;

/** What is left is said aloud when this many seconds are. */
const SAID_AT = [600, 300, 60, 20];

for (const button of document.querySelectorAll('[data-print]')) {
  button.hidden = false;
  button.addEventListener('click', () => window.print());
}

const quiz = document.querySelector('[data-quiz]');
if (quiz) take(quiz);

function take(quiz) {
  const form = quiz.querySelector('form');
  const mark = quiz.querySelector('[data-kept-mark]');
  let waiting = 0;
  let handedIn = false;

  const keep = async () => {
    if (handedIn) return;
    const body = new URLSearchParams(new FormData(form));
    body.set('step', 'save');
    try {
      const answer = await fetch(form.action, {
        method: 'POST',
        headers: { Accept: 'application/json' },
        body,
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (!answer.ok) throw new Error(`${answer.status}`);
      mark.textContent = quiz.dataset.kept;
    } catch {
      mark.textContent = quiz.dataset.lost;
      later(AGAIN_MS);
    }
  };
  const later = (rest) => {
    clearTimeout(waiting);
    waiting = setTimeout(keep, rest);
  };

  form.addEventListener('change', () => later(REST_MS));
  form.addEventListener('submit', (event) => {
    handedIn = event.submitter?.value === 'hand_in';
    clearTimeout(waiting);
  });
  if (quiz.dataset.seconds) count(quiz, form);
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
