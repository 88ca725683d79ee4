//! Selects the Rust compiler, and its flags.
//!
//! One toolchain builds both halves. There are two kinds:
//!
//! - [`Origin::Rustup`]: the active toolchain has the standard library for WebAssembly (`rustup target add`).
//! - [`Origin::Debian`]: Debian's `rustc-web`, for which [`crate::wasm_std`] builds that standard library once, linked as the
//!   rustup toolchain `handbook-web` if rustup exists. For machines that cannot download from rustup.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result};

use crate::{apt::Apt, process, project::Project, wasm_std};

pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// Name of Debian's compiler among rustup's toolchains.
const DEBIAN_TOOLCHAIN: &str = "handbook-web";
const DEBIAN_PACKAGES: [&str; 6] = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-clippy", "rustfmt-web", "lld-22"];
/// `ld.lld` and `wasm-ld` of the package `lld-22`: Debian's rustc has neither, and its default linker is slow.
const DEBIAN_LINKERS: &str = "/usr/lib/llvm-22/bin";

/// Erases components to one type, which halves compile time. Both halves must agree: erased views put other markers into the
/// page, and hydration expects its own.
const ERASE: &str = "--cfg erase_components";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Rustup,
    Debian,
}

pub(crate) struct Toolchain {
    origin: Origin,
    /// The value of `RUSTUP_TOOLCHAIN` that selects it; `None` without rustup.
    rustup_name: Option<OsString>,
    sysroot: PathBuf,
    /// For example `x86_64-unknown-linux-gnu`.
    host: String,
    /// For example `1.96.0`.
    release: String,
}

impl Toolchain {
    /// Finds a toolchain that can build both halves, and installs what is missing.
    pub(crate) fn provide(apt: &mut Apt) -> Result<Self> {
        let toolchain = Self::choose(apt)?;
        let origin = match toolchain.origin {
            Origin::Rustup => "rustup",
            Origin::Debian => "Debian",
        };
        println!("    Rust {} ({origin}) for {} and {WASM}", toolchain.release, toolchain.host);
        Ok(toolchain)
    }

    fn choose(apt: &mut Apt) -> Result<Self> {
        let from_rustup = Self::active().filter(|active| active.origin == Origin::Rustup);
        if let Some(toolchain) = from_rustup {
            if toolchain.has_wasm_std() {
                return Ok(toolchain);
            }
            // Before rustup: if its download fails on this machine, it would fail every time.
            if let Some(debian) = Self::debian().filter(Self::is_complete_debian) {
                return debian.linked();
            }
            if toolchain.add_wasm_target() {
                return Ok(toolchain);
            }
        }
        match Self::debian().filter(Self::is_complete_debian) {
            Some(debian) => debian.linked(),
            None => Self::install_debian(apt),
        }
    }

    /// The toolchain that started this process; `cargo run` passes its name on.
    fn active() -> Option<Self> {
        Self::inspect("rustc", env::var_os("RUSTUP_TOOLCHAIN"))
    }

    /// Debian's compiler if it is installed, whatever is first on `PATH`.
    fn debian() -> Option<Self> {
        Self::inspect("/usr/bin/rustc", None).filter(|found| found.origin == Origin::Debian)
    }

    fn inspect(rustc: &str, rustup_name: Option<OsString>) -> Option<Self> {
        let ask = |arguments: &[&str]| {
            let mut command = clean_command(rustc);
            if let Some(name) = &rustup_name {
                command.env("RUSTUP_TOOLCHAIN", name);
            }
            process::read(command.args(arguments)).ok()
        };
        let sysroot = fs::canonicalize(ask(&["--print", "sysroot"])?).ok()?;
        let version = ask(&["-vV"])?;
        let field = |name: &str| version.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        let origin = if sysroot == Path::new("/usr") { Origin::Debian } else { Origin::Rustup };
        Some(Self { origin, rustup_name, sysroot, host: field("host: ")?, release: field("release: ")? })
    }

    /// Whether the standard library for WebAssembly exists. Debian's may be from an older compiler; see [`wasm_std`].
    pub(crate) fn has_wasm_std(&self) -> bool {
        let Ok(files) = fs::read_dir(self.wasm_libraries()) else {
            return false;
        };
        files.flatten().any(|file| {
            let name = file.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libstd-") && name.ends_with(".rlib")
        })
    }

    /// The folder in which the compiler looks for the standard library for WebAssembly.
    pub(crate) fn wasm_libraries(&self) -> PathBuf {
        self.sysroot.join("lib/rustlib").join(WASM).join("lib")
    }

    /// The compiler's full version; it rejects libraries from any other.
    pub(crate) fn identity(&self) -> Result<String> {
        process::read(self.command("rustc").arg("-vV"))
    }

    fn add_wasm_target(&self) -> bool {
        println!("    rustup target add {WASM} (gives up after a minute)");
        let mut rustup = clean_command("rustup");
        rustup.env("RUST_BACKTRACE", "0").args(["target", "add", WASM]);
        if let Some(name) = &self.rustup_name {
            rustup.arg("--toolchain").arg(name);
        }
        if let Err(error) = process::run_within(&mut rustup, Duration::from_mins(1)) {
            println!("    {error}");
        }
        self.has_wasm_std()
    }

    /// Debian and Ubuntu: installs the packages and the standard library for WebAssembly, and links the toolchain in rustup.
    fn install_debian(apt: &mut Apt) -> Result<Self> {
        apt.install(&DEBIAN_PACKAGES).context(
            "no Rust toolchain has the standard library for wasm32-unknown-unknown. Where rustup can download, run \
             `rustup target add wasm32-unknown-unknown`; on Debian run `cargo xtask setup` as root",
        )?;
        let debian = Self::debian().context("rustc-web is installed, but /usr/bin/rustc is another compiler")?;
        if !wasm_std::is_current(&debian) {
            wasm_std::install(&debian)?;
        }
        debian.linked()
    }

    fn is_complete_debian(&self) -> bool {
        let programs = ["/usr/bin/cargo", "/usr/bin/cargo-clippy", "/usr/bin/cargo-fmt"].map(Path::new);
        programs.iter().all(|program| program.is_file())
            && Path::new(DEBIAN_LINKERS).join("wasm-ld").is_file()
            && wasm_std::is_current(self)
    }

    /// Links Debian's compiler as a rustup toolchain, so that rustup's `cargo` runs it.
    fn linked(mut self) -> Result<Self> {
        if process::find("rustup").is_some() {
            let known = Self::inspect("rustc", Some(DEBIAN_TOOLCHAIN.into()));
            if known.is_none_or(|known| known.sysroot != self.sysroot) {
                println!("    rustup toolchain link {DEBIAN_TOOLCHAIN} {}", self.sysroot.display());
                let mut link = clean_command("rustup");
                process::run(link.args(["toolchain", "link", DEBIAN_TOOLCHAIN]).arg(&self.sysroot))?;
            }
            self.rustup_name = Some(DEBIAN_TOOLCHAIN.into());
        }
        Ok(self)
    }

    /// Installs `rustfmt` and `clippy`; Debian's are among [`DEBIAN_PACKAGES`].
    pub(crate) fn provide_lints(&self) -> Result<()> {
        let has = |program: &str| self.sysroot.join("bin").join(format!("{program}{}", env::consts::EXE_SUFFIX)).is_file();
        if self.origin == Origin::Rustup && !(has("cargo-clippy") && has("cargo-fmt")) {
            let mut rustup = clean_command("rustup");
            rustup.args(["component", "add", "clippy", "rustfmt"]);
            if let Some(name) = &self.rustup_name {
                rustup.arg("--toolchain").arg(name);
            }
            process::run(&mut rustup)?;
        }
        Ok(())
    }

    /// `cargo` of this toolchain in the clone, with the project's flags. All verbs build with it.
    pub(crate) fn cargo(&self, project: &Project) -> Command {
        let mut cargo = self.command("cargo");
        cargo.current_dir(&project.root).env("CARGO_TARGET_DIR", &project.target);
        cargo.envs(self.flags());
        // RocksDB has 330 C++ files, and clang takes three quarters of gcc's time. `CXX` takes precedence.
        if env::var_os("CXX").is_none() && process::find("clang++").is_some() {
            cargo.env("CXX", "clang++");
        }
        cargo
    }

    /// A program of this toolchain, without the project's flags.
    pub(crate) fn command(&self, program: &str) -> Command {
        match (&self.rustup_name, self.origin) {
            (Some(name), _) => {
                let mut command = clean_command(program);
                command.env("RUSTUP_TOOLCHAIN", name);
                command
            }
            (None, Origin::Debian) => {
                let mut command = clean_command(Path::new("/usr/bin").join(program));
                command.env("RUSTC", "/usr/bin/rustc");
                command
            }
            (None, Origin::Rustup) => clean_command(program),
        }
    }

    /// Flags are set per target, never in `RUSTFLAGS`, because the two halves need different ones. `WebAssembly` needs none.
    ///
    /// Invariant: every host build has exactly the same flags, else all dependencies are compiled again.
    fn flags(&self) -> Vec<(String, String)> {
        let host_flags = format!("CARGO_TARGET_{}_RUSTFLAGS", environment_form(&self.host));
        let wasm_flags = (format!("CARGO_TARGET_{}_RUSTFLAGS", environment_form(WASM)), ERASE.to_owned());
        match self.origin {
            Origin::Rustup => vec![(host_flags, ERASE.to_owned()), wasm_flags],
            Origin::Debian => {
                let linker = format!("-Clink-arg=-B{DEBIAN_LINKERS} -Clink-arg=-fuse-ld=lld");
                let wasm_linker = format!("CARGO_TARGET_{}_LINKER", environment_form(WASM));
                vec![(host_flags, format!("{ERASE} {linker}")), wasm_flags, (wasm_linker, format!("{DEBIAN_LINKERS}/wasm-ld"))]
            }
        }
    }
}

/// A command without the toolchain and flags set by `cargo run` or the caller's shell.
pub(crate) fn clean_command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(steers_cargo) {
            command.env_remove(name);
        }
    }
    // `cargo run` adds the libraries of its own toolchain here; another compiler must not load them.
    if let Some(path) = env::var_os("LD_LIBRARY_PATH") {
        let kept = env::split_paths(&path).filter(|dir| !is_from_cargo_run(dir)).collect::<Vec<_>>();
        match env::join_paths(&kept) {
            Ok(path) if !kept.is_empty() => command.env("LD_LIBRARY_PATH", path),
            _ => command.env_remove("LD_LIBRARY_PATH"),
        };
    }
    command
}

/// Variables that select a compiler, its flags or its folders. Others (`CARGO_HOME`, `CARGO_BUILD_JOBS`, mirrors, proxies) are
/// the user's settings and are kept.
fn steers_cargo(name: &str) -> bool {
    const EXACT: [&str; 15] = [
        "CARGO",
        "CARGO_BUILD_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "CARGO_BUILD_TARGET_DIR",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_PATH",
        "CARGO_PRIMARY_PACKAGE",
        "CARGO_TARGET_DIR",
        "RUSTC",
        "RUSTC_BOOTSTRAP",
        "RUSTDOC",
        "RUSTFLAGS",
        "RUSTUP_TOOLCHAIN",
        "RUST_RECURSION_COUNT",
    ];
    EXACT.contains(&name)
        || name.starts_with("CARGO_PKG_")
        || name.starts_with("CARGO_TARGET_") && (name.ends_with("_RUSTFLAGS") || name.ends_with("_LINKER"))
}

fn is_from_cargo_run(dir: &Path) -> bool {
    let own_target = env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_owned));
    dir.components().any(|part| part.as_os_str() == "rustlib") || own_target.is_some_and(|target| dir.starts_with(target))
}

/// `x86_64-unknown-linux-gnu` as cargo spells it in names of variables.
fn environment_form(target: &str) -> String {
    target.replace(['-', '.'], "_").to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toolchain(origin: Origin) -> Toolchain {
        Toolchain {
            origin,
            rustup_name: None,
            sysroot: "/usr".into(),
            host: "x86_64-unknown-linux-gnu".to_owned(),
            release: "1.96.0".to_owned(),
        }
    }

    #[test]
    fn debian_needs_linkers_and_rustup_has_its_own() {
        let host = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS";
        let expected = "--cfg erase_components -Clink-arg=-B/usr/lib/llvm-22/bin -Clink-arg=-fuse-ld=lld";
        let wasm = ("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS".to_owned(), ERASE.to_owned());
        let flags = toolchain(Origin::Debian).flags();
        assert_eq!(flags[..2], [(host.to_owned(), expected.to_owned()), wasm.clone()]);
        assert_eq!(flags[2].0, "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER");
        assert_eq!(toolchain(Origin::Rustup).flags(), [(host.to_owned(), ERASE.to_owned()), wasm]);
    }

    #[test]
    fn what_steers_cargo_is_told_from_what_the_user_configured() {
        for name in ["CARGO", "RUSTUP_TOOLCHAIN", "CARGO_PKG_NAME", "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER"] {
            assert!(steers_cargo(name), "{name}");
        }
        for name in ["CARGO_HOME", "CARGO_BUILD_JOBS", "CARGO_INCREMENTAL", "CARGO_NET_OFFLINE", "RUSTUP_HOME", "PATH"] {
            assert!(!steers_cargo(name), "{name}");
        }
    }
}
