//! Starts the program on a data folder: measures the time until it is ready, or kills it before.

use std::{
    io::{BufRead as _, BufReader, Read},
    path::Path,
    process::{Child, ChildStdout, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use super::Meter;
use crate::process;

/// Printed by the program once its store is open.
const READY: &str = "ready";

/// Starts the program, prints its output, and returns the time from the start until it was ready. `log` filters its log.
pub(super) fn opened(meter: &Meter, data: &Path, log: &str) -> Result<Duration> {
    let start = Instant::now();
    let mut child = started(meter, data, log)?;
    let ready = follow(output(&mut child)?, start)?;
    let status = child.wait()?;
    ensure!(status.success(), "the program ended with {status}");
    ready.context("the program ended before it was ready")
}

/// Starts the program and kills it (SIGKILL) after this time. Fails if it was ready before.
pub(super) fn killed(meter: &Meter, data: &Path, after: Duration) -> Result<()> {
    let start = Instant::now();
    let mut child = started(meter, data, "error")?;
    let lines = output(&mut child)?;
    let reader = thread::spawn(move || follow(lines, start));
    thread::sleep(after);
    let early = child.try_wait()?;
    child.kill()?;
    child.wait()?;
    let ready = reader.join().map_err(|_| anyhow!("the output of the program could not be read"))??;
    match (ready, early) {
        (Some(took), _) => bail!("it was ready after {}, before it could be killed", process::human(took)),
        (None, Some(status)) => bail!("the program ended by itself with {status}"),
        (None, None) => println!("    killed after {}", process::human(after)),
    }
    Ok(())
}

fn started(meter: &Meter, data: &Path, log: &str) -> Result<Child> {
    let mut command = meter.command("open", data);
    command.env("RUST_LOG", log).stdout(Stdio::piped());
    command.spawn().with_context(|| format!("cannot start `{}`", process::describe(&command)))
}

fn output(child: &mut Child) -> Result<ChildStdout> {
    child.stdout.take().context("the program has no output")
}

/// Prints each line with its time. Returns the time at which the program was ready; `None` if it never was.
fn follow(output: impl Read, start: Instant) -> Result<Option<Duration>> {
    let mut ready = None;
    for line in BufReader::new(output).lines() {
        let (line, took) = (line?, start.elapsed());
        println!("    {:>12}  {line}", process::human(took));
        if line == READY {
            ready = Some(took);
        }
    }
    Ok(ready)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_ready_when_the_program_says_so() {
        let start = Instant::now();
        assert!(follow("migrating 0014_readers: definitions\nready\n".as_bytes(), start).unwrap().is_some());
        assert!(follow("migrating 0014_readers: not ready\n".as_bytes(), start).unwrap().is_none());
    }
}
