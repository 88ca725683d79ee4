// Waiting for a condition, never for a time.

/** Pauses between two queries: short at first, because most conditions hold soon. */
const PAUSES_MS = { first: 5, longest: 40 };

/** How long a page may take to show the expected state; generous, because the machine may be busy. */
export const PATIENCE_MS = 20_000;

/**
 * Polls until the result is neither false nor empty, and returns it.
 *
 * @template T
 * @param {string} what completes the message "waited in vain until …"
 * @param {() => T | Promise<T>} ask may throw: a page cannot be queried during a navigation
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(what, ask, patience = PATIENCE_MS) {
  const deadline = Date.now() + patience;
  let reason = '';
  for (let pause = PAUSES_MS.first; ; pause = Math.min(2 * pause, PAUSES_MS.longest)) {
    try {
      const answer = await ask();
      if (answer) return answer;
      reason = '';
    } catch (error) {
      reason = ` (${String(error.message ?? error).split('\n')[0]})`;
    }
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}${reason}`);
    await new Promise((resume) => setTimeout(resume, pause));
  }
}
