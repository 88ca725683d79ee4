//! `cargo xtask size`: the download size for a phone, against a budget.

use std::fs;

use anyhow::{Result, bail};

use crate::{digest::files_below, project::Project, site::Manifest};

/// Compressed script and wasm of the first visit. On a slow connection (400 kbit/s) this takes nine seconds, after the page
/// itself is readable.
const BOOT_BUDGET: u64 = 450_000;
/// Compressed size of the linked style sheet.
const CSS_BUDGET: u64 = 30_000;

struct Asset {
    name: String,
    raw: u64,
    /// Bytes sent; equals `raw` without a compressed copy.
    brotli: u64,
}

/// A size with its limit.
#[derive(Debug, PartialEq, Eq)]
struct Budget {
    what: &'static str,
    bytes: u64,
    limit: u64,
}

impl Budget {
    fn is_kept(&self) -> bool {
        self.bytes <= self.limit
    }
}

/// Prints all sizes, and fails if a budget is exceeded.
pub(crate) fn print_and_check(project: &Project) -> Result<()> {
    let manifest = Manifest::read(project)?;
    let assets = assets(project)?;
    println!("{:>10} {:>10}  asset", "raw", "brotli");
    for asset in &assets {
        println!("{:>10} {:>10}  {}", asset.raw, asset.brotli, asset.name);
    }
    println!();
    let budgets = budgets(&manifest, &assets);
    println!("{:>10} {:>10}  budget", "bytes", "limit");
    for budget in &budgets {
        let verdict = if budget.is_kept() { "" } else { "  EXCEEDED" };
        println!("{:>10} {:>10}  {}{verdict}", budget.bytes, budget.limit, budget.what);
    }
    let exceeded: Vec<_> = budgets.iter().filter(|budget| !budget.is_kept()).map(|budget| budget.what).collect();
    if !exceeded.is_empty() {
        bail!("over budget: {}", exceeded.join(", "));
    }
    Ok(())
}

/// Prints one line, for the end of a build.
pub(crate) fn print(project: &Project) -> Result<()> {
    let budgets = budgets(&Manifest::read(project)?, &assets(project)?);
    let parts: Vec<_> = budgets.iter().map(|budget| format!("{} {} B", budget.what, budget.bytes)).collect();
    println!("    {}", parts.join(", "));
    Ok(())
}

fn assets(project: &Project) -> Result<Vec<Asset>> {
    let length = |path| fs::metadata(path).map(|file| file.len());
    let mut assets = Vec::new();
    for file in files_below(&project.site)? {
        let name = file.strip_prefix(&project.site)?.to_string_lossy().replace('\\', "/");
        let is_copy = file.extension().is_some_and(|extension| extension == "br" || extension == "gz");
        if is_copy || name == Manifest::FILE {
            continue;
        }
        let raw = length(file)?;
        let brotli = length(project.site.join(format!("{name}.br"))).unwrap_or(raw);
        assets.push(Asset { name, raw, brotli });
    }
    Ok(assets)
}

fn budgets(manifest: &Manifest, assets: &[Asset]) -> [Budget; 2] {
    let brotli = |address: &String| {
        let name = address.trim_start_matches('/');
        assets.iter().find(|asset| asset.name == name).map_or(0, |asset| asset.brotli)
    };
    [
        Budget { what: "script and wasm", bytes: brotli(&manifest.js) + brotli(&manifest.wasm), limit: BOOT_BUDGET },
        Budget { what: "style sheet", bytes: brotli(&manifest.css), limit: CSS_BUDGET },
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn manifest() -> Manifest {
        let address = |extension: &str| format!("/pkg/handbook.0.{extension}");
        Manifest {
            js: address("js"),
            wasm: address("wasm"),
            css: address("css"),
            scripts: BTreeMap::new(),
            build: "0".to_owned(),
        }
    }

    fn asset(extension: &str, brotli: u64) -> Asset {
        Asset { name: format!("pkg/handbook.0.{extension}"), raw: 10 * brotli, brotli }
    }

    #[test]
    fn script_and_wasm_share_a_budget_and_other_files_have_none() {
        let assets = [asset("js", 10_000), asset("wasm", 440_000), asset("css", 1), asset("png", 9_000_000)];
        let [boot, css] = budgets(&manifest(), &assets);
        assert_eq!(boot, Budget { what: "script and wasm", bytes: 450_000, limit: BOOT_BUDGET });
        assert!(boot.is_kept() && css.is_kept());
    }

    #[test]
    fn one_byte_too_many_is_too_many() {
        let assets = [asset("js", 10_000), asset("wasm", 440_001), asset("css", 30_001)];
        let budgets = budgets(&manifest(), &assets);
        assert!(budgets.iter().all(|budget| !budget.is_kept()), "{budgets:?}");
    }
}
