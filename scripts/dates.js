// Shows a typed date with its weekday, as the server does (`domain::Locale::long_date`). Dates are parsed as on the server
// (`domain::forms::day`): 21/11/2026, 21-11-2026, 21.11.2026, 2026-11-21; in a field with a time, the time follows the date.

const TIME = /[ T]\d{1,2}:\d{1,2}(:\d{1,2})?$/;
const DAY = /^(\d{1,2}|\d{4})\s*[/.-]\s*(\d{1,2})\s*[/.-]\s*(\d{1,2}|\d{4})$/;

const { lang } = document.documentElement;
const [digits, month, between] = lang === 'vi' ? ['2-digit', '2-digit', '/'] : ['numeric', 'long', ' '];
const names = new Intl.DateTimeFormat(lang === 'en' ? 'en-GB' : lang, { weekday: 'long', day: digits, month, year: 'numeric' });

/** The typed date; none if the calendar has no such day. */
function dayOf({ value, dataset }) {
  const typed = value.trim();
  const [, first, middle, last] = DAY.exec(dataset.date === 'moment' ? typed.replace(TIME, '').trim() : typed) ?? [];
  if (!first || (first.length === 4) === (last.length === 4)) return undefined;
  const [year, day] = (first.length === 4 ? [first, last] : [last, first]).map(Number);
  const date = new Date(year, middle - 1, day);
  return date.getMonth() === middle - 1 && date.getDate() === day ? date : undefined;
}

function say(input) {
  const date = dayOf(input);
  const parts = date && Object.fromEntries(names.formatToParts(date).map(({ type, value }) => [type, value]));
  const said = input.parentElement.querySelector('[data-said]');
  said.textContent = parts ? `${parts.weekday}, ${[parts.day, parts.month, parts.year].join(between)}` : '';
}

document.addEventListener('input', ({ target }) => target.matches('input[data-date]') && say(target));
// Values that the browser restored.
document.querySelectorAll('input[data-date]').forEach(say);
