//! Runs the extraction of a file in a child process of this program, with limited time and memory.

use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use domain::files::{FileKind, Missing};
use tokio::task::spawn_blocking;

use super::{Extracted, Wanted, extract};

/// Time limit for one file.
const TIME_MAX: Duration = Duration::from_secs(20);

/// Maximum size of the answer of the process, in bytes.
const ANSWER_MAX: u64 = 16 << 20;

/// Limits of the process: address space in KiB and CPU seconds. The allocator alone reserves a third of the address space.
#[cfg(unix)]
const LIMITS: &str = "ulimit -v 1572864; ulimit -t 30; ulimit -c 0; exec \"$@\"";

/// Runs the extraction of files.
#[derive(Clone)]
pub struct Extractor {
    way: Execution,
    time: Duration,
}

#[derive(Clone)]
enum Execution {
    /// `program extract-file text|preview KIND`, the file on its standard input, an [`Extracted`] in JSON on its standard output.
    Process(PathBuf),
    /// In this process, for tests.
    Within(Arc<dyn Fn(Wanted, FileKind, Vec<u8>) -> Extracted + Send + Sync>),
}

impl Extractor {
    /// In a child process of this program.
    pub fn process(program: &Path) -> Self {
        Self { way: Execution::Process(program.to_owned()), time: TIME_MAX }
    }

    /// In this process, unprotected: for tests.
    pub fn within() -> Self {
        Self::of(extract)
    }

    /// With the given function, for tests.
    pub fn of(read: impl Fn(Wanted, FileKind, Vec<u8>) -> Extracted + Send + Sync + 'static) -> Self {
        Self { way: Execution::Within(Arc::new(read)), time: TIME_MAX }
    }

    /// With another time limit, for tests.
    #[must_use]
    pub fn within_time(self, time: Duration) -> Self {
        Self { time, ..self }
    }

    /// Never fails: the result says so if the file cannot be read.
    pub(super) async fn read(&self, wanted: Wanted, kind: FileKind, content: Vec<u8>) -> Extracted {
        let (way, time) = (self.way.clone(), self.time);
        let read = spawn_blocking(move || match way {
            Execution::Process(program) => in_process(&program, time, wanted, kind, content),
            Execution::Within(read) => Ok(read(wanted, kind, content)),
        });
        let outcome = read.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        outcome.unwrap_or_else(|error| {
            tracing::warn!(wanted = wanted.key(), kind = kind.key(), %error, "a file could not be read");
            Extracted::missing(Missing::Failed)
        })
    }
}

fn in_process(program: &Path, time: Duration, wanted: Wanted, kind: FileKind, content: Vec<u8>) -> std::io::Result<Extracted> {
    let mut child = command(program)
        .args(["extract-file", wanted.key(), kind.key()])
        // The process gets no secrets.
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let answer = converse(&mut child, time, content);
    // The process has answered, or timed out.
    let _ = child.kill();
    child.wait()?;
    serde_json::from_slice(&answer?).map_err(std::io::Error::other)
}

/// Writes the file and reads the answer concurrently: a process that answers before it has read everything must not block.
fn converse(child: &mut Child, time: Duration, content: Vec<u8>) -> std::io::Result<Vec<u8>> {
    let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(std::io::ErrorKind::BrokenPipe.into());
    };
    thread::spawn(move || {
        // A process that ended early reports why in its answer.
        let _ = input.write_all(&content);
    });
    let (sender, answer) = mpsc::channel();
    thread::spawn(move || {
        let mut answer = Vec::new();
        let read = output.take(ANSWER_MAX).read_to_end(&mut answer).map(|_| answer);
        // The receiver is gone after a timeout.
        let _ = sender.send(read);
    });
    answer.recv_timeout(time).map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))?
}

#[cfg(unix)]
fn command(program: &Path) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", LIMITS, "sh"]).arg(program);
    command
}

#[cfg(not(unix))]
fn command(program: &Path) -> Command {
    Command::new(program)
}

#[cfg(all(test, unix))]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt, time::Instant};

    use super::*;

    /// A script in place of the program.
    #[expect(clippy::expect_used, reason = "a helper of tests")]
    fn program(script: &str) -> (tempfile::TempDir, Extractor) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("program");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("writes");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("may run");
        let extractor = Extractor::process(&path);
        (folder, extractor)
    }

    #[tokio::test]
    async fn a_file_is_passed_to_the_process_and_its_answer_is_returned() {
        let (_folder, extractor) = program(r#"/bin/cat > /dev/null; echo "{\"text\": \"$1 $2 $3 $HOME\"}""#);
        let content = vec![b'x'; 3 << 20];
        let extracted = extractor.read(Wanted::Text, FileKind::Pdf, content).await;
        assert_eq!(extracted.text.as_deref(), Some("extract-file text pdf "), "the environment is empty");
    }

    #[tokio::test]
    async fn a_process_that_fails_leaves_the_file_unread() {
        for script in ["exit 1", "kill -9 $$", "echo nonsense", "while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done"]
        {
            let (_folder, extractor) = program(script);
            let extracted = extractor.read(Wanted::Text, FileKind::Pdf, vec![b'x'; 1 << 20]).await;
            assert_eq!(extracted, Extracted::missing(Missing::Failed), "{script}");
        }
        let nowhere = Extractor::process(Path::new("/nowhere/at/all"));
        assert_eq!(nowhere.read(Wanted::Text, FileKind::Pdf, Vec::new()).await, Extracted::missing(Missing::Failed));
        let panicking = Extractor::of(|_, _, _| panic!("a bug of a reader"));
        assert_eq!(panicking.read(Wanted::Text, FileKind::Pdf, Vec::new()).await, Extracted::missing(Missing::Failed));
    }

    #[tokio::test]
    async fn a_process_that_hangs_is_killed() {
        let (_folder, extractor) = program("while :; do :; done");
        let began = Instant::now();
        let extracted = extractor.within_time(Duration::from_millis(200)).read(Wanted::Text, FileKind::Pdf, Vec::new()).await;
        assert_eq!(extracted, Extracted::missing(Missing::Failed));
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}
