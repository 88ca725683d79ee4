//! `cargo xtask test`: runs and times all checks in sequence; prints a table and a count at the end.
//!
//! A failed check does not stop checks that do not depend on it.
//!
//! Invariant: the last line on standard output is `N passed, N failed`; build machines parse it.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    env,
    path::PathBuf,
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::{
    build, deny, node, process,
    project::Project,
    setup::{self, Need},
    size,
    toolchain::WASM,
};

/// One selection for lints and tests, with the features of the server's own build: `--workspace` would enable both halves of
/// `app` at once and compile all dependencies a second time.
pub(crate) const HOST_SELECTION: &str = "-p domain -p conversion -p backend -p app -p server --features app/ssr";
const WASM_SELECTION: &str = "-p domain -p app -p frontend --features app/hydrate";

/// Number of slowest tests listed per step.
const SLOWEST: usize = 10;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Skip the browser journeys.
    #[arg(long)]
    no_browser: bool,
}

pub(crate) fn test(project: &Project, arguments: &Arguments) -> Result<ExitCode> {
    let need = if arguments.no_browser { Need::Checks } else { Need::Everything };
    let toolchain = setup::setup(project, need)?;
    let cargo = |line: &str| process::run(toolchain.cargo(project).args(line.split(' ')));
    let mut checks = Checks::new();

    checks.run("format", || cargo("fmt --all --check"));
    checks.run("dependencies", || deny::check(project, &toolchain));
    checks.run("lints, server", || cargo(&format!("clippy --locked --all-targets {HOST_SELECTION} -- -D warnings")));
    checks.run("documentation", || {
        let mut doc = toolchain.cargo(project);
        doc.env("RUSTDOCFLAGS", "-D warnings").args(["doc", "--locked", "--no-deps", "--document-private-items"]);
        process::run(doc.args(HOST_SELECTION.split(' ')))
    });
    // Only domain has examples that run. nextest does not run them.
    checks.run("documentation examples", || cargo("test --locked --doc -p domain"));
    checks.run("lints, browser", || {
        // Uses the profile of the real build, so that macros and build scripts are compiled once for both.
        let target = format!("--target {WASM} --profile wasm");
        cargo(&format!("clippy --locked {target} {WASM_SELECTION} -- -D warnings"))
    });
    checks.run("lints, xtask", || {
        let mut clippy = toolchain.cargo(project);
        clippy.args(["clippy", "-p", "xtask", "--all-targets"]);
        clippy.arg("--target-dir").arg(own_target()?);
        process::run(clippy.args(["--", "-D", "warnings"]))
    });
    checks.run("tests, xtask", || {
        // Uses the cargo and environment that compiled this program, so that the dependencies are already compiled.
        let mut test = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        test.current_dir(&project.root).args(["test", "--quiet", "-p", "xtask"]);
        process::run(test.arg("--target-dir").arg(own_target()?))
    });
    let has_site = checks.run("build, browser", || build::build_site(project, &toolchain));
    if has_site {
        checks.run("size budget", || size::print_and_check(project));
    }
    let has_server = checks.run("build, server", || build::build_server(project, &toolchain));
    checks.run_counted("tests", |report| {
        let mut nextest = toolchain.cargo(project);
        // The failure names its line; stack traces of the runtime would only hide the others.
        nextest.env("RUST_BACKTRACE", "0").args(["nextest", "run", "--no-fail-fast"]).args(HOST_SELECTION.split(' '));
        let status = process::watch(&mut nextest, process::Stream::Error, |line| {
            // nextest prints each failure twice: immediately, and at the end.
            let Some((outcome, name, took)) = ended_test(line) else { return };
            let is_new = report.times.insert(name.to_owned(), took).is_none();
            if is_new && FAILED.contains(&outcome) {
                report.failures.push(name.to_owned());
            }
        })?;
        ensure!(status.success(), "`{}` failed ({status})", process::describe(&nextest));
        Ok(Tally { passed: 1, failed: 0 })
    });
    if has_site && has_server && !arguments.no_browser {
        checks.run_counted("browser journeys", |report| browse(project, report));
    }
    Ok(checks.conclude())
}

/// The target folder in which xtask itself was compiled.
fn own_target() -> Result<PathBuf> {
    let program = env::current_exe()?;
    Ok(program.ancestors().nth(2).context("xtask does not run from a target folder")?.to_owned())
}

/// nextest's words for a test that passed, and for one that failed.
const PASSED: [&str; 2] = ["PASS", "LEAK"];
const FAILED: [&str; 3] = ["FAIL", "TIMEOUT", "SIGABRT"];

/// Parses nextest's line for a completed test, `PASS [   1.876s] (952/954) server::server start::a_script`: outcome, name, time.
fn ended_test(line: &str) -> Option<(&str, &str, Duration)> {
    let (outcome, rest) = line.trim_start().split_once(" [")?;
    let (seconds, rest) = rest.split_once("s] ")?;
    let (_, name) = rest.split_once(") ")?;
    let is_known = PASSED.contains(&outcome) || FAILED.contains(&outcome);
    is_known.then_some((outcome, name, duration(seconds)?))
}

/// Parses the line for a completed journey, `ok        3.4 s  the library, script on`: name, time.
fn ended_journey(line: &str) -> Option<(&str, Duration)> {
    let rest = ["ok ", "FAILED "].iter().find_map(|word| line.strip_prefix(word))?;
    let (seconds, name) = rest.split_once(" s  ")?;
    Some((name, duration(seconds)?))
}

fn duration(seconds: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds.trim().parse().ok()?).ok()
}

/// Runs the journeys, which start the server themselves and print a count at the end.
fn browse(project: &Project, report: &mut Report) -> Result<Tally> {
    let mut tally = None;
    let mut is_reason = false;
    let status = process::watch(&mut node::journeys(project)?, process::Stream::Output, |line| {
        tally = Tally::parse(line).or(tally);
        report.times.extend(ended_journey(line).map(|(name, took)| (name.to_owned(), took)));
        // The indented line after it gives the reason.
        if line.starts_with("FAILED ") || is_reason {
            report.failures.push(line.to_owned());
        }
        is_reason = line.starts_with("FAILED ");
    })?;
    let tally = tally.with_context(|| format!("the journeys ended without a count ({status})"))?;
    ensure!(status.success() || tally.failed > 0, "the journeys ended early ({status})");
    Ok(tally)
}

/// Results of a step that counts its own checks.
#[derive(Default)]
struct Report {
    failures: Vec<String>,
    /// Duration of each of its tests, by name.
    times: BTreeMap<String, Duration>,
}

/// The checks run so far.
struct Checks {
    start: Instant,
    outcomes: Vec<Outcome>,
    /// Printed again at the end, because a build machine may truncate the middle of a long log.
    failures: Vec<String>,
}

impl Checks {
    fn new() -> Self {
        Self { start: Instant::now(), outcomes: Vec::new(), failures: Vec::new() }
    }

    /// Runs a step that is one check. Returns whether it passed.
    fn run(&mut self, name: &'static str, check: impl FnOnce() -> Result<()>) -> bool {
        self.run_counted(name, |_| check().map(|()| Tally { passed: 1, failed: 0 }))
    }

    /// Runs a step that counts its own checks and reports those that fail. An error of the step counts as one failed check.
    fn run_counted(&mut self, name: &'static str, check: impl FnOnce(&mut Report) -> Result<Tally>) -> bool {
        println!("\n=== {name}");
        let start = Instant::now();
        let mut report = Report::default();
        let tally = check(&mut report).unwrap_or_else(|error| {
            println!("FAILED: {error:#}");
            report.failures.push(format!("{name}: {error:#}"));
            Tally { passed: 0, failed: 1 }
        });
        self.failures.append(&mut report.failures);
        self.outcomes.push(Outcome { name, tally, took: start.elapsed(), times: report.times });
        tally.failed == 0
    }

    fn total(&self) -> Tally {
        let sum = |count: fn(&Tally) -> u32| self.outcomes.iter().map(|outcome| count(&outcome.tally)).sum();
        Tally { passed: sum(|tally| tally.passed), failed: sum(|tally| tally.failed) }
    }

    /// Prints failures, slowest tests, the table and, last, the count.
    fn conclude(&self) -> ExitCode {
        if !self.failures.is_empty() {
            println!("\n=== what failed");
            self.failures.iter().for_each(|failure| println!("{failure}"));
        }
        for Outcome { name, times, .. } in self.outcomes.iter().filter(|outcome| !outcome.times.is_empty()) {
            println!("\n=== slowest {name}");
            for (test, took) in slowest(times) {
                println!("{:>14}  {test}", process::human(took));
            }
        }
        println!("\n{:<24} {:>14} {:>8} {:>8}", "check", "time", "passed", "failed");
        for Outcome { name, tally, took, .. } in &self.outcomes {
            println!("{name:<24} {:>14} {:>8} {:>8}", process::human(*took), tally.passed, tally.failed);
        }
        println!("{:<24} {:>14}", "all", process::human(self.start.elapsed()));
        let total = self.total();
        println!("{} passed, {} failed", total.passed, total.failed);
        if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

struct Outcome {
    name: &'static str,
    tally: Tally,
    took: Duration,
    /// Durations of its tests, as in [`Report`]; empty for a step that is one check.
    times: BTreeMap<String, Duration>,
}

/// The [`SLOWEST`] of these tests, the slowest first.
fn slowest(times: &BTreeMap<String, Duration>) -> Vec<(&str, Duration)> {
    let mut slowest: Vec<(&str, Duration)> = times.iter().map(|(name, took)| (name.as_str(), *took)).collect();
    slowest.sort_by_key(|(_, took)| Reverse(*took));
    slowest.truncate(SLOWEST);
    slowest
}

/// Numbers of passed and failed checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tally {
    passed: u32,
    failed: u32,
}

impl Tally {
    /// Parses `12 passed, 0 failed`.
    fn parse(line: &str) -> Option<Self> {
        let (passed, failed) = line.trim().strip_suffix(" failed")?.split_once(" passed, ")?;
        Some(Self { passed: passed.parse().ok()?, failed: failed.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn the_count_of_the_journeys_is_read_from_their_last_line() {
        assert_eq!(Tally::parse("12 passed, 3 failed"), Some(Tally { passed: 12, failed: 3 }));
        assert_eq!(Tally::parse("12 passed"), None);
        assert_eq!(Tally::parse("all passed, none failed"), None);
    }

    #[test]
    fn counts_add_up_and_a_broken_step_is_one_failure() {
        let mut checks = Checks::new();
        assert!(checks.run("fine", || Ok(())));
        assert!(!checks.run("broken", || bail!("no")));
        assert!(!checks.run_counted("journeys", |report| {
            report.failures.push("FAILED  the library".to_owned());
            Ok(Tally { passed: 7, failed: 2 })
        }));
        assert_eq!(checks.total(), Tally { passed: 8, failed: 3 });
        assert_eq!(checks.failures, ["broken: no", "FAILED  the library"]);
    }

    #[test]
    fn what_a_test_took_is_read_from_the_line_on_its_end() {
        let took = Duration::from_millis;
        for (line, expected) in [
            (
                "        FAIL [   1.952s] (951/954) server::server writing::a_docx_waits",
                Some(("FAIL", "server::server writing::a_docx_waits", took(1_952))),
            ),
            (
                "        PASS [   1.876s] (952/954) server::server start::a_script",
                Some(("PASS", "server::server start::a_script", took(1_876))),
            ),
            ("     TIMEOUT [ 180.002s] (  1/954) domain guard::a", Some(("TIMEOUT", "domain guard::a", took(180_002)))),
            ("        SLOW [>180.000s] (───────) server::server start::a_script", None),
            ("     Summary [ 312.104s] 954 tests run: 954 passed (3 slow), 12 skipped", None),
            ("    Finished `dev` profile [unoptimized + debuginfo] target(s) in 0.45s", None),
        ] {
            assert_eq!(ended_test(line), expected, "{line}");
        }
    }

    #[test]
    fn what_a_journey_took_is_read_from_the_line_on_its_end() {
        let took = Duration::from_millis;
        for (line, expected) in [
            ("ok        3.4 s  the library, script on", Some(("the library, script on", took(3_400)))),
            ("FAILED  120.0 s  axe: pages of the member", Some(("axe: pages of the member", took(120_000)))),
            ("         not done after 180 s", None),
            ("all: 812.3 s", None),
        ] {
            assert_eq!(ended_journey(line), expected, "{line}");
        }
    }

    #[test]
    fn the_slowest_come_first_and_are_few() {
        let times = (1..=2 * SLOWEST).map(|n| (format!("test {n}"), Duration::from_secs(n as u64))).collect();
        let slowest = slowest(&times);
        assert_eq!(slowest.len(), SLOWEST);
        assert_eq!(slowest[0], ("test 20", Duration::from_secs(20)));
        assert!(slowest.is_sorted_by_key(|(_, took)| Reverse(*took)));
    }
}
