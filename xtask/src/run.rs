//! `cargo xtask run`: serves the sample organisation for a developer.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::{
    build,
    digest::files_below,
    process,
    project::Project,
    setup::{self, Need},
};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Delete `./data` and load the sample organisation again.
    #[arg(long)]
    fresh: bool,
    /// Address and port to listen on.
    #[arg(long, default_value = "127.0.0.1:3000")]
    addr: SocketAddr,
}

pub(crate) fn run(project: &Project, arguments: &Arguments) -> Result<()> {
    let data = project.root.join("data");
    // Check before building, which may take minutes.
    if TcpStream::connect_timeout(&arguments.addr, Duration::from_secs(1)).is_ok() {
        bail!("{} is in use: stop the handbook that runs there, or choose another --addr", arguments.addr);
    }
    if let Some(holder) = process_using(&data)? {
        bail!("the process {holder} is working on {}: stop it first", data.display());
    }
    let toolchain = setup::setup(project, Need::Build)?;
    build::build_all(project, &toolchain)?;
    if arguments.fresh && data.exists() {
        println!("==> removing {}", data.display());
        fs::remove_dir_all(&data)?;
    }
    if is_empty(&data)? {
        process::step("loading the sample organisation", || load_sample(project, &data))?;
    }
    println!("==> starting (stop it with Ctrl-C)");
    let mut serve = server(project);
    serve.args(["serve", "--addr", &arguments.addr.to_string(), "--data"]).arg(&data);
    become_process(serve)
}

/// Loads into a temporary folder, then moves it, so that an interrupted load leaves no incomplete store.
fn load_sample(project: &Project, data: &Path) -> Result<()> {
    let beside = data.with_extension("loading");
    if beside.exists() {
        fs::remove_dir_all(&beside)?;
    }
    process::run(server(project).arg("demo").arg("--data").arg(&beside))?;
    if data.exists() {
        fs::remove_dir(data)?;
    }
    fs::rename(&beside, data).with_context(|| format!("cannot move {} to {}", beside.display(), data.display()))
}

/// The server's command. The server treats `HANDBOOK_*` variables as settings and rejects unknown ones, so those of xtask are
/// removed.
fn server(project: &Project) -> Command {
    let mut server = Command::new(project.server_binary());
    server.current_dir(&project.root).env_remove("HANDBOOK_BUILD_CACHE");
    server
}

fn is_empty(folder: &Path) -> Result<bool> {
    Ok(!folder.exists() || fs::read_dir(folder)?.next().is_none())
}

/// On Unix the server replaces this process, so that it receives signals directly and its exit code is returned.
fn become_process(mut command: Command) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        let error = command.exec();
        Err(error).with_context(|| format!("cannot start `{}`", process::describe(&command)))
    }
    #[cfg(not(unix))]
    process::run(&mut command)
}

/// The process that holds a lock on a store in the folder. Known on Linux only; elsewhere the engine reports the conflict.
fn process_using(data: &Path) -> Result<Option<u32>> {
    let Ok(locks) = fs::read_to_string("/proc/locks") else {
        return Ok(None);
    };
    let files = files_below(data)?;
    let lock_files = files.iter().filter(|file| file.file_name().is_some_and(|name| name == "LOCK"));
    let inodes = lock_files.filter_map(inode).collect::<Vec<_>>();
    Ok(holder_of(&locks, &inodes))
}

#[cfg(unix)]
fn inode(file: &PathBuf) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(file).ok().map(|file| file.ino())
}

#[cfg(not(unix))]
fn inode(_: &PathBuf) -> Option<u64> {
    None
}

/// Parses lines such as `1: POSIX  ADVISORY  WRITE 4711 fe:00:131090 0 EOF`: process id, then device and inode.
fn holder_of(locks: &str, inodes: &[u64]) -> Option<u32> {
    locks.lines().find_map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        let inode = words.get(5)?.rsplit(':').next()?.parse().ok()?;
        if inodes.contains(&inode) { words.get(4)?.parse().ok() } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_lock_is_found_by_inode() {
        let locks = "1: POSIX  ADVISORY  WRITE 4711 fe:00:131090 0 EOF\n2: FLOCK  ADVISORY  WRITE 12 fe:00:99 0 EOF\n";
        assert_eq!(holder_of(locks, &[131_090]), Some(4711));
        assert_eq!(holder_of(locks, &[99, 5]), Some(12));
        assert_eq!(holder_of(locks, &[4711]), None);
        assert_eq!(holder_of("", &[1]), None);
    }
}
