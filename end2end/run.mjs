// Browser tests: journeys in a real Chromium against the real server with the sample organisation.
//
//   node end2end/run.mjs [--grep TEXT] [--screenshots DIR | --readme-pictures DIR] [--keep]
//
// With a folder, it writes pictures instead: of all states, or those of the README.
// HANDBOOK_BIN and HANDBOOK_SITE select what is tested (default target/debug/handbook, target/site), CHROME the browser,
// HANDBOOK_DAY the time in Vietnam (2028-02-29T23:50; needs a server of the dev profile).
// Invariant: the last line is `N passed, N failed`; the exit code is 1 when something failed.

import { strict as assert } from 'node:assert';
import { parseArgs } from 'node:util';

import * as accessibility from './accessibility.mjs';
import * as budget from './budget.mjs';
import * as account from './journeys/account.mjs';
import * as audit from './journeys/audit.mjs';
import * as byHand from './journeys/by_hand.mjs';
import * as changedPages from './journeys/changed_pages.mjs';
import * as dates from './journeys/dates.mjs';
import * as deskEditor from './journeys/desk_editor.mjs';
import * as courses from './journeys/courses.mjs';
import * as devices from './journeys/devices.mjs';
import * as federation from './journeys/federation.mjs';
import * as files from './journeys/files.mjs';
import * as firstTime from './journeys/first_time.mjs';
import * as guides from './journeys/guides.mjs';
import * as home from './journeys/home.mjs';
import * as imports from './journeys/imports.mjs';
import * as library from './journeys/library.mjs';
import * as meetings from './journeys/meetings.mjs';
import * as members from './journeys/members.mjs';
import * as navigation from './journeys/navigation.mjs';
import * as opinion from './journeys/opinion.mjs';
import * as pressed from './journeys/pressed.mjs';
import * as province from './journeys/province.mjs';
import * as publish from './journeys/publish.mjs';
import * as readers from './journeys/readers.mjs';
import * as reading from './journeys/reading.mjs';
import * as reorganisations from './journeys/reorganisations.mjs';
import * as roles from './journeys/roles.mjs';
import * as search from './journeys/search.mjs';
import * as signIn from './journeys/sign_in.mjs';
import * as statistics from './journeys/statistics.mjs';
import * as units from './journeys/units.mjs';
import * as welcome from './journeys/welcome.mjs';
import { readmePictures, screenshots } from './screenshots.mjs';
import { LOOKERS, STATES } from './states.mjs';
import { Accounts } from './support/accounts.mjs';
import { launch } from './support/browser.mjs';
import { Report } from './support/report.mjs';
import { Sample } from './support/server.mjs';

/** Lanes run concurrently; the suites of a lane run in sequence, on a server and in a browser of its own. */
const LANES = [
  [
    signIn,
    welcome,
    federation,
    home,
    library,
    reading,
    search,
    opinion,
    publish,
    deskEditor,
    dates,
    readers,
    courses,
    files,
    firstTime,
    meetings,
    statistics,
    account,
    devices,
    guides,
    byHand,
  ],
  [
    navigation,
    changedPages,
    pressed,
    budget,
    accessibility,
    // Suites that change the registry come last: the others expect the sample as it was loaded.
    audit,
    roles,
    members,
    imports,
    units,
    reorganisations,
  ],
];

/** Suites whose tests start servers of their own: they run while the sample is loaded. */
const WITHOUT_SAMPLE = [province];

/**
 * The checks of all pages. The checks of one person's pages run in sequence and share the addresses of the states. After its suites
 * a lane starts another server, because pages expect the sample as it was loaded, and runs the checks of the next person until none
 * are left, so both lanes end at about the same time. The person with the most states is first.
 */
const PAGES = LOOKERS.map((as) => ({ as, states: STATES.filter((state) => state.as === as).length }))
  .sort((one, other) => other.states - one.states)
  .map(({ as }) => [budget.layoutOf(as), ...accessibility.testsOf(as)]);

const { values: options } = parseArgs({
  options: {
    grep: { type: 'string', default: '' },
    screenshots: { type: 'string' },
    'readme-pictures': { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});

const wanted = ({ name }) => name.toLowerCase().includes(options.grep.toLowerCase());
const { lanes, pages, first } = selected();
const report = new Report();

const servers = [];
let started = 0;
let sample;
for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]]) {
  process.once(signal, async () => {
    await Promise.allSettled([...servers.map((server) => server.stop()), sample?.remove()]);
    process.exit(code);
  });
}

const loading = report.check('the program loads the sample organisation', async () => {
  sample = await Sample.load();
});
await Promise.all([loading, runWithoutSample()]);
if (sample) {
  await Promise.all(lanes.map((tests) => runLane(tests)));
  await sample.remove();
}
report.conclude();
process.exitCode = report.failed === 0 ? 0 : 1;

/** The tests of each lane, those of all pages by person, and those that run first. */
function selected() {
  if (options.screenshots) return { lanes: [screenshots(options.screenshots).filter(wanted)], pages: [], first: [] };
  if (options['readme-pictures']) return { lanes: [readmePictures(options['readme-pictures']).filter(wanted)], pages: [], first: [] };
  const of = (suites) => suites.flatMap((suite) => suite.tests).filter(wanted);
  return {
    lanes: LANES.map(of),
    pages: PAGES.map((tests) => tests.filter(wanted)).filter((tests) => tests.length > 0),
    first: of(WITHOUT_SAMPLE),
  };
}

async function runWithoutSample() {
  if (first.length === 0) return;
  const browser = await launch();
  for (const test of first) await report.run({ browser }, test);
  await browser.close();
}

async function runLane(tests) {
  if (tests.length > 0) {
    await onServer(async (world) => {
      for (const test of tests) await report.run(world, test);
    });
  }
  let next = pages.shift();
  if (next) {
    await onServer(async (world) => {
      for (; next; next = pages.shift()) {
        for (const test of next) await report.run(world, test);
      }
    });
  }
}

/** Starts a server with the sample as it was loaded, and a browser; runs tests on them and ends both. */
async function onServer(run) {
  started += 1;
  const name = `server ${started}`;
  let server;
  await report.check(`${name} gets ready`, async () => {
    server = await sample.start({ keep: options.keep });
  });
  if (!server) return;
  servers.push(server);
  const browser = await launch();
  await run({ server, browser, accounts: new Accounts(server.signIns) });
  await browser.close();
  await report.check(`${name} has logged no error`, () => assert.deepEqual(server.complaints(), []));
  await report.check(`${name} ends cleanly`, () => server.stop());
}
