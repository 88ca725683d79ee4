//! Runs other programs: prints the step, measures its time, and names the command in errors.

use std::{
    env,
    ffi::OsStr,
    io::{BufRead as _, BufReader, Read},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

/// Runs a command with the standard streams of this process.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| cannot_start(command))?;
    if !status.success() {
        bail!("`{}` failed ({status})", describe(command));
    }
    Ok(())
}

/// Runs a command and returns its trimmed standard output. Standard error is only part of the error.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| cannot_start(command))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed ({}): {}", describe(command), output.status, stderr.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// An output stream of a program.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Output,
    Error,
}

/// Runs a command, prints each line of one of its streams and passes it to `see`. The other stream is inherited.
pub(crate) fn watch(command: &mut Command, stream: Stream, mut see: impl FnMut(&str)) -> Result<ExitStatus> {
    match stream {
        Stream::Output => command.stdout(Stdio::piped()),
        Stream::Error => command.stderr(Stdio::piped()),
    };
    let mut child = command.spawn().with_context(|| cannot_start(command))?;
    let piped: Option<Box<dyn Read>> = match stream {
        Stream::Output => child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read>),
        Stream::Error => child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read>),
    };
    let piped = piped.with_context(|| format!("`{}` has no output", describe(command)))?;
    for line in BufReader::new(piped).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        see(&line);
    }
    Ok(child.wait()?)
}

/// Like [`run`], but kills the program and fails if it takes longer than `limit`.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> Result<()> {
    let start = Instant::now();
    let mut child = command.stdin(Stdio::null()).spawn().with_context(|| cannot_start(command))?;
    while start.elapsed() < limit {
        if let Some(status) = child.try_wait()? {
            if status.success() {
                return Ok(());
            }
            bail!("`{}` failed ({status})", describe(command));
        }
        thread::sleep(Duration::from_millis(50));
    }
    child.kill()?;
    child.wait()?;
    bail!("`{}` did not end within {}", describe(command), human(limit))
}

/// Prints the step, runs it, and prints its duration.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("==> {what}");
    let start = Instant::now();
    let result = work();
    if result.is_ok() {
        println!("    done ({})", human(start.elapsed()));
    }
    result
}

/// The first file of this name on `PATH`.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let name = format!("{program}{}", env::consts::EXE_SUFFIX);
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(&name)).find(|file| file.is_file())
}

/// `2.4 s`, `3 min 05 s`: short, for a table.
pub(crate) fn human(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

/// The command as typed in a shell, without the folder of the program.
pub(crate) fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args()).map(OsStr::to_string_lossy);
    words.collect::<Vec<_>>().join(" ")
}

fn cannot_start(command: &Command) -> String {
    format!("cannot start `{}`: is it installed and on PATH?", describe(command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(human(Duration::from_millis(340)), "0.3 s");
        assert_eq!(human(Duration::from_secs(59)), "59 s");
        assert_eq!(human(Duration::from_secs(185)), "3 min 05 s");
    }

    #[test]
    fn a_command_is_described_without_its_folder() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["build", "-p", "server"]);
        assert_eq!(describe(&command), "cargo build -p server");
    }

    #[cfg(unix)]
    #[test]
    fn each_line_is_seen_whatever_its_bytes() {
        let mut seen = Vec::new();
        let mut shell = Command::new("sh");
        shell.args(["-c", "printf 'one\\ntw\\377o' >&2; exit 3"]);
        let status = watch(&mut shell, Stream::Error, |line| seen.push(line.to_owned())).unwrap();
        assert_eq!((status.code(), seen), (Some(3), vec!["one".to_owned(), "tw\u{fffd}o".to_owned()]));
    }

    #[cfg(unix)]
    #[test]
    fn a_failure_names_the_command_and_a_slow_one_is_ended() {
        let error = run(&mut Command::new("false")).unwrap_err();
        assert!(error.to_string().starts_with("`false` failed"), "{error}");
        let start = Instant::now();
        let error = run_within(Command::new("sleep").arg("30"), Duration::from_millis(100)).unwrap_err();
        assert!(error.to_string().contains("did not end within"), "{error}");
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}
