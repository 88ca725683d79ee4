// The time of the tests: the machine's, or the one in HANDBOOK_DAY.

/** Offset of Vietnam from UTC. */
const ZONE_MS = 7 * 3_600_000;

/** Milliseconds by which the server under test, the pages and these tests are ahead of the machine's clock. */
export const AHEAD_MS = process.env.HANDBOOK_DAY ? ahead(process.env.HANDBOOK_DAY) : 0;

/** The local time in Vietnam, to the minute: `2028-02-29T23:59`. */
export function inVietnam(at) {
  return new Date(at + ZONE_MS).toISOString().slice(0, 16);
}

/** The day in Vietnam in `days` days: `2028-02-29`. */
export function inDays(days) {
  return inVietnam(Date.now() + days * 86_400_000).slice(0, 10);
}

function ahead(day) {
  const moment = Date.parse(`${day}:00+07:00`);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(day) || Number.isNaN(moment)) {
    throw new Error(`HANDBOOK_DAY is ${day}: it must be a moment in Vietnam, as 2028-02-29T23:50`);
  }
  // Whole seconds, as the server requires.
  return Math.round((moment - Date.now()) / 1000) * 1000;
}

/** Shifts `Date` in the current realm, in a page before the page's own scripts; timers and durations are unchanged. */
export function moveDate(ahead) {
  const Real = Date;
  globalThis.Date = class Date extends Real {
    constructor(...given) {
      if (given.length === 0) super(Real.now() + ahead);
      else super(...given);
    }

    static now() {
      return Real.now() + ahead;
    }
  };
}

// The OpenID Connect provider runs in this process.
if (AHEAD_MS !== 0) moveDate(AHEAD_MS);
