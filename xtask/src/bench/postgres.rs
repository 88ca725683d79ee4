//! A `PostgreSQL` server for comparison, if one is installed.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use crate::process;

/// A `PostgreSQL` server that is stopped on drop.
pub(super) struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    by_root: bool,
}

impl Cluster {
    /// Starts a separate, empty cluster; `None` if `PostgreSQL` is not installed.
    pub(super) fn installed(what: &str) -> Result<Option<Self>> {
        let Some(programs) = programs() else {
            println!("    PostgreSQL is not installed here: there is nothing to compare with");
            return Ok(None);
        };
        println!("==> {what} by PostgreSQL ({})", programs.display());
        // In the temporary folder, which every user can access and where the path of a socket is short enough.
        Self::start(&programs, &env::temp_dir().join(format!("handbook-bench-{}", std::process::id()))).map(Some)
    }

    fn start(programs: &Path, folder: &Path) -> Result<Self> {
        let by_root = process::read(Command::new("id").arg("-u"))? == "0";
        let cluster = Self { programs: programs.to_owned(), folder: folder.to_owned(), by_root };
        fs::create_dir_all(folder)?;
        if by_root {
            process::run(Command::new("chown").arg("postgres").arg(folder))?;
        }
        let data = folder.join("data");
        process::read(cluster.program("initdb").args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "-D"]).arg(&data))?;
        let options = format!("-c listen_addresses='' -k {}", folder.display());
        process::run(
            cluster
                .program("pg_ctl")
                .arg("-D")
                .arg(&data)
                .arg("-l")
                .arg(folder.join("log"))
                .args(["-s", "-w", "-o", &options, "start"]),
        )?;
        Ok(cluster)
    }

    pub(super) fn run(&self, sql: &str) -> Result<String> {
        let mut psql = Command::new(process::find("psql").unwrap_or_else(|| self.programs.join("psql")));
        process::read(
            psql.args(["-U", "postgres", "-d", "postgres", "-qAt", "-v", "ON_ERROR_STOP=1", "-h"])
                .arg(&self.folder)
                .args(["-c", sql]),
        )
    }

    /// Fills a table from a file of tab-separated rows.
    pub(super) fn fill(&self, table: &str, file: &Path) -> Result<()> {
        self.run(&format!("\\copy {table} FROM '{}'", fs::canonicalize(file)?.display())).map(|_| ())
    }

    /// `PostgreSQL` refuses to run as root; as root, run it as the user created by its package.
    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        if self.by_root {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut stop = self.program("pg_ctl");
        // A failure here leaves a temporary folder, but no wrong figure.
        let _ = process::run(stop.arg("-D").arg(self.folder.join("data")).args(["-s", "-m", "immediate", "stop"]));
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The folder of `initdb`, which is not always on `PATH`.
fn programs() -> Option<PathBuf> {
    if let Some(initdb) = process::find("initdb") {
        return initdb.parent().map(Path::to_owned);
    }
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    folders.filter(|folder| folder.join("initdb").is_file()).max()
}
