// The pickers of units (`app/src/units/picker.rs`), with checkboxes or, for one unit, with radio buttons: searches while the person types, and shows how many members a selection reaches.
// Without this script, or when something here fails, the button beside the field searches and saving reports problems.

/** Delay after the last key until the search. */
const SEARCH_MS = 250;

document.querySelectorAll('[data-picker]').forEach(start);
document.querySelectorAll('[data-reach]').forEach(tellReach);

function start(picker) {
  const { form } = picker.querySelector('[name="find"]');
  // A form that takes one unit offers all units of the person's offices.
  const within = form.elements[picker.dataset.within];
  const part = (name) => picker.querySelector(`[data-part="${name}"]`);
  const find = picker.querySelector('[name="find"]');
  const group = (way) => picker.querySelector(`[data-way="${way}"]`);
  const selected = () => [...picker.querySelectorAll('[data-way] input:checked')];

  // The search follows the field.
  picker.querySelector('button[name="then"]').remove();

  /** A row of a unit that was found. */
  function row([id, label]) {
    const made = part('row').content.firstElementChild.cloneNode(true);
    made.querySelectorAll('input').forEach((box) => (box.value = id));
    made.querySelectorAll('[data-part="name"]').forEach((name) => (name.textContent = label));
    return made;
  }

  /** Ticked units join the selected ones, so that the next results do not remove them. */
  function keep() {
    for (const box of part('rows').querySelectorAll('input:checked')) {
      const list = group(box.name);
      const known = [...list.querySelectorAll('input')].find(({ value }) => value === box.value);
      if (known) {
        known.checked = true;
        continue;
      }
      if (box.type === 'radio') list.querySelectorAll('.choice').forEach((other) => other.remove());
      const card = part('card').content.firstElementChild.cloneNode(true);
      Object.assign(card.querySelector('input'), { name: box.name, value: box.value, checked: true });
      card.querySelector('.choice-label').textContent = box.closest('li').querySelector('.picker-name').textContent;
      list.append(card);
    }
  }

  /** The words for no selected unit are shown while there is none: selected, found or of a level. */
  function tellNone() {
    for (const list of picker.querySelectorAll('[data-way]')) {
      const isAny = picker.querySelector(`input[name="${list.dataset.way}"]:checked`) !== null;
      list.querySelector('[data-part="none"]').hidden = isAny;
    }
  }

  let asked = 0;
  async function search() {
    const mine = (asked += 1);
    const query = new URLSearchParams({ purpose: picker.dataset.picker, q: find.value });
    if (within) query.set('within', within.value);
    try {
      const answer = await fetch(`/api/units/pick?${query}`, { headers: { Accept: 'application/json' } });
      const found = await answer.json();
      if (mine !== asked) return;
      if (!answer.ok) {
        part('found').textContent = found.message;
        return;
      }
      keep();
      const ids = selected().map(({ value }) => value);
      part('rows').replaceChildren(...found.rows.filter(([id]) => !ids.includes(id)).map(row));
      part('found').textContent = found.told;
    } catch {
      // The results stay; the next key searches again.
    }
  }

  let timer = 0;
  function searchNow() {
    clearTimeout(timer);
    timer = 0;
    search();
  }
  find.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(searchNow, SEARCH_MS);
  });
  find.addEventListener('keydown', (event) => {
    // Vietnamese is typed with an input method: its key events are ignored.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === 'Enter') {
      // Enter searches instead of submitting.
      event.preventDefault();
      if (timer) searchNow();
    } else if (event.key === 'ArrowDown') {
      event.preventDefault();
      part('rows').querySelector('input')?.focus();
    }
  });
  picker.addEventListener('change', ({ target }) => {
    if (!['checkbox', 'radio'].includes(target.type)) return;
    if (target.checked) {
      // A unit is included or excluded, not both.
      const others = [...picker.querySelectorAll('input:checked')].filter((box) => box.value === target.value && box.name !== target.name);
      others.forEach((box) => (box.checked = false));
    }
    tellNone();
  });
  if (within && within.type !== 'hidden') within.addEventListener('change', search);
}

/** Shows the reach of the selection after each change. */
function tellReach(part) {
  const form = part.closest('form');
  const fields = part.dataset.fields.split(' ');
  const said = part.querySelector('[data-part="reach"]');
  let asked = 0;
  form.addEventListener('change', async ({ target }) => {
    if (!fields.includes(target.name)) return;
    const mine = (asked += 1);
    const wanted = [...new FormData(form)].filter(([name]) => fields.includes(name));
    try {
      const headers = { Accept: 'application/json' };
      const answer = await fetch(part.dataset.reach, { method: 'POST', headers, body: new URLSearchParams(wanted) });
      const found = await answer.json();
      if (mine === asked) said.textContent = answer.ok ? found : found.message;
    } catch {
      // Saving reports the same error.
    }
  });
}
