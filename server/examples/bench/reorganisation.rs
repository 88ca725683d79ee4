//! Replays the reorganisation of a whole country: the units and files are real, everything else is generated.
//!
//! The data folder gets two more files: `sums.txt`, the figures before, and `reorganisation.txt`, the id of the reorganisation once
//! it is planned, so that a run can go on after it was killed.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use backend::{Backend, demo::country, units::Tree};
use chrono::NaiveDate;
use domain::{
    accounts::Viewer,
    ids::MemberId,
    policy::Role,
    units::{UnitKind, UnitRef},
};

use crate::viewer;

mod check;
mod fill;
mod replay;

pub(crate) use check::check;
pub(crate) use fill::{Numbers, fill};
pub(crate) use replay::replay;

/// The files in the source folder.
const TREE_BEFORE: &str = "tree-2024.csv";
const TREE_AFTER: &str = "tree-2025.csv";
/// Both parts of the reorganisation.
const PROVINCES: &str = "provinces-2025.csv";
const COMMUNES: &str = "reorganisation-2025.csv";

/// The first day of all units: while districts could still be created.
const FOUNDED: &str = "2024-12-31";
const LAST_DAY: &str = "2025-06-30";
const FIRST_DAY: &str = "2025-07-01";

/// The folder with the real units.
pub(crate) struct Source(pub(crate) PathBuf);

impl Source {
    fn content(&self, file: &str) -> Result<Vec<u8>> {
        let path = self.0.join(file);
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// The cells of each row, without the header.
    fn rows(&self, file: &str) -> Result<Vec<Vec<String>>> {
        let text = String::from_utf8(self.content(file)?).with_context(|| format!("{file} is not UTF-8"))?;
        ensure!(!text.contains('"'), "{file}: cells in quotation marks are not supported here");
        let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
        Ok(text.trim_start_matches('\u{feff}').lines().skip(1).map(cells).collect())
    }

    /// Name and code of the parent of each unit, by its code.
    fn units(&self, file: &str) -> Result<Units> {
        let mut units = Units::new();
        for cells in self.rows(file)? {
            let [code, parent, _, name] = &cells[..] else { return Err(anyhow!("{file}: a row has other columns: {cells:?}")) };
            let unit = Named { name: name.clone(), parent: parent.clone() };
            ensure!(units.insert(code.clone(), unit).is_none(), "{file}: {code} appears twice");
        }
        Ok(units)
    }

    /// The code of the unit that each province and commune becomes; of a divided one, that of its main part.
    fn became(&self) -> Result<BTreeMap<String, String>> {
        let pair = |cells: &[String]| Some((cells.first()?.clone(), cells.get(1)?.clone()));
        let mut became: BTreeMap<_, _> = self.rows(PROVINCES)?.iter().filter_map(|cells| pair(cells)).collect();
        let communes = self.rows(COMMUNES)?;
        let whole = communes.iter().filter(|cells| cells.get(4).is_none_or(|part| part != "part"));
        became.extend(whole.filter_map(|cells| pair(cells)));
        Ok(became)
    }
}

/// A unit in a file or a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    name: String,
    /// Code of the unit above.
    parent: String,
}

type Units = BTreeMap<String, Named>;

/// The units of a tree without the branches, as in [`Source::units`].
fn units_of(tree: &Tree) -> Result<Units> {
    let mut units = Units::new();
    for unit in tree.all().filter(|unit| !unit.kind.holds_members()) {
        let named = Named { name: unit.name.clone(), parent: parent_code(unit) };
        ensure!(units.insert(unit.path.code().to_owned(), named).is_none(), "the tree has {} twice", unit.path.code());
    }
    Ok(units)
}

fn parent_code(unit: &UnitRef) -> String {
    unit.path.parent().map(|above| above.code().to_owned()).unwrap_or_default()
}

fn day(text: &str) -> Result<NaiveDate> {
    text.parse().with_context(|| format!("{text} is not a day"))
}

fn level(key: &str) -> Result<UnitKind> {
    UnitKind::from_key(key).with_context(|| format!("the terminology pack has no level {key}"))
}

fn root(tree: &Tree) -> Result<&UnitRef> {
    tree.all().next().context("the tree is empty")
}

/// Somebody who may read all figures.
fn statistician(backend: &Backend, tree: &Tree) -> Result<Viewer> {
    let branch = tree.all().find(|unit| unit.kind.holds_members()).context("there is no branch")?;
    Ok(viewer(MemberId::new(backend.clock().ulid()), branch, Some((Role::Statistician, root(tree)?))))
}

/// What must be the same before and after, one number a line.
async fn sums(backend: &Backend) -> Result<String> {
    backend.catch_up().await?;
    let tree = backend.units().tree();
    let page = backend.statistics().page(&statistician(backend, &tree)?, Some(root(&tree)?.id)).await?;
    let figures = page.total.figures.context("the figures of the whole organisation are hidden")?;
    let branches = tree.all().filter(|unit| unit.kind.holds_members()).count();
    let mut sums = format!("branches: {branches}\nmembers, as counted: {}\n", figures.members);
    write!(sums, "documents: {}\nreads: {}\nopinions: {}\n", figures.documents, figures.reads, figures.opinions)?;
    for table in ["member", "document", "read_receipt", "opinion", "meeting", "attendance"] {
        writeln!(sums, "rows of {table}: {}", country::count(backend, table).await?)?;
    }
    Ok(sums)
}

fn sums_file(folder: &Path) -> PathBuf {
    folder.join("sums.txt")
}
