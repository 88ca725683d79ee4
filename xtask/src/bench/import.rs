//! `cargo xtask bench import`: throughput of importing members.
//!
//! For comparison, rows of the same columns and sizes are loaded into `PostgreSQL` by `COPY`, with the same indexes, but without
//! the checks, hashes and encryption of the import.

use std::{
    env,
    fmt::Write as _,
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use super::{Profile, done, emptied, postgres::Cluster};
use crate::{process, project::Project};

#[derive(Args)]
pub(super) struct Import {
    /// Members to import.
    #[arg(long, default_value_t = 100_000)]
    rows: u32,
    /// Seed of the members.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Members per branch, branches per commune, communes per province.
const MEMBERS: u32 = 28;
const BRANCHES: u32 = 40;
const COMMUNES: u32 = 96;

pub(super) fn bench_import(project: &Project, profile: Profile, import: &Import) -> Result<()> {
    let binary = profile.compile(project, &[])?.join(format!("handbook{}", env::consts::EXE_SUFFIX));
    let folder = emptied(project)?;
    let files = process::step(&format!("making {} members from seed {}", import.rows, import.seed), || {
        generate(&folder, import.rows, import.seed)
    })?;
    let data = folder.join("data");
    let units = measured(&binary, "units", &files.units, &data)?;
    let members = measured(&binary, "members", &files.members, &data)?;
    let again = measured(&binary, "members", &files.members, &data)?;
    println!();
    row("units", files.unit_rows, &units);
    row("members", import.rows, &members);
    row("members, again", import.rows, &again);
    if let Some(took) = postgres(&files, import.rows)? {
        row("members by COPY", import.rows, &Measured { took, peak_kib: None });
    }
    done(&folder)
}

struct Measured {
    took: Duration,
    /// Peak memory of the process; known on Linux only.
    peak_kib: Option<u64>,
}

fn row(what: &str, rows: u32, measured: &Measured) {
    let rate = f64::from(rows) / measured.took.as_secs_f64().max(0.001);
    let peak = measured.peak_kib.map_or_else(|| "not known".to_owned(), |kib| format!("{} MiB", kib / 1024));
    println!("    {what:<16} {rows:>9} rows {rate:>8.0} rows/s {:>12} peak memory {peak}", process::human(measured.took));
}

/// Runs an import and records its peak memory.
fn measured(binary: &Path, kind: &str, file: &Path, data: &Path) -> Result<Measured> {
    println!("==> handbook import {kind}");
    let mut command = Command::new(binary);
    command.args(["import", kind]).arg(file).arg("--data").arg(data).env_remove("HANDBOOK_BUILD_CACHE").stderr(Stdio::null());
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot start {}", binary.display()))?;
    let mut peak_kib = None;
    let status = loop {
        peak_kib = peak_of(&child).or(peak_kib);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        thread::sleep(Duration::from_millis(100));
    };
    let took = start.elapsed();
    ensure!(status.success(), "`handbook import {kind}` failed ({status})");
    Ok(Measured { took, peak_kib })
}

/// `VmHWM`, the high-water mark of resident memory.
fn peak_of(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

struct Files {
    units: PathBuf,
    unit_rows: u32,
    members: PathBuf,
    /// The rows as stored in a database, tab-separated.
    records: PathBuf,
}

fn generate(folder: &Path, rows: u32, seed: u64) -> Result<Files> {
    let files = Files {
        units: folder.join("units.csv"),
        unit_rows: 0,
        members: folder.join("members.csv"),
        records: folder.join("records.tsv"),
    };
    let branches = rows.div_ceil(MEMBERS);
    let unit_rows = write_units(&files.units, branches)?;
    let mut dice = Dice(seed);
    let mut members = BufWriter::new(File::create(&files.members)?);
    let mut records = BufWriter::new(File::create(&files.records)?);
    writeln!(
        members,
        "Số thẻ,Họ và tên,Giới tính,Ngày sinh,Ngày vào Đảng,Ngày chính thức,Diện,Số định danh,Điện thoại,Mã chi bộ"
    )?;
    for number in 0..rows {
        let person = Person::new(&mut dice, number, branches);
        writeln!(members, "{}", person.line())?;
        writeln!(records, "{}", person.record(&mut dice))?;
    }
    members.flush()?;
    records.flush()?;
    Ok(Files { unit_rows, ..files })
}

fn write_units(file: &Path, branches: u32) -> Result<u32> {
    let communes = branches.div_ceil(BRANCHES);
    let provinces = communes.div_ceil(COMMUNES);
    let mut out = BufWriter::new(File::create(file)?);
    writeln!(out, "Mã,Cấp,Tên đơn vị\n1,Trung ương,Trung ương")?;
    for number in 0..provinces {
        writeln!(out, "1/{},Tỉnh,Tỉnh số {number}", province(number))?;
    }
    for number in 0..communes {
        writeln!(out, "{},Xã,Xã số {number}", commune(number))?;
    }
    for number in 0..branches {
        writeln!(out, "{},Chi bộ,Chi bộ số {number}", branch(number))?;
    }
    out.flush()?;
    Ok(1 + provinces + communes + branches)
}

fn province(number: u32) -> String {
    format!("{:02}", number + 1)
}

fn commune(number: u32) -> String {
    format!("1/{}/{:03}", province(number / COMMUNES), number % COMMUNES + 1)
}

fn branch(number: u32) -> String {
    format!("{}/{:02}", commune(number / BRANCHES), number % BRANCHES + 1)
}

/// A reproducible random number generator (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, count: u32) -> u32 {
        u32::try_from(self.roll() % u64::from(count.max(1))).unwrap_or_default()
    }

    fn pick<'w>(&mut self, words: &[&'w str]) -> &'w str {
        words[self.below(u32::try_from(words.len()).unwrap_or(u32::MAX)) as usize]
    }

    fn hex(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits + 16);
        while text.len() < digits {
            let _ = write!(text, "{:016x}", self.roll());
        }
        text.truncate(digits);
        text
    }
}

struct Person {
    number: u32,
    name: String,
    given: &'static str,
    is_woman: bool,
    birth: (u32, u32, u32),
    branch: String,
}

impl Person {
    fn new(dice: &mut Dice, number: u32, branches: u32) -> Self {
        const FAMILIES: [&str; 12] = ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ"];
        const MIDDLES: [&str; 10] = ["Văn", "Thị", "Đức", "Minh", "Quốc", "Ngọc", "Thanh", "Hữu", "Xuân", "Kim"];
        const GIVEN: [&str; 16] = [
            "An", "Bình", "Cường", "Dũng", "Đạt", "Giang", "Hà", "Hải", "Hương", "Khôi", "Lan", "Mai", "Nam", "Phúc", "Thắng",
            "Yến",
        ];
        let given = dice.pick(&GIVEN);
        let name = format!("{} {} {given}", dice.pick(&FAMILIES), dice.pick(&MIDDLES));
        let birth = (1_945 + dice.below(55), 1 + dice.below(12), 1 + dice.below(28));
        Self { number, name, given, is_woman: dice.below(3) == 0, birth, branch: branch(number % branches.max(1)) }
    }

    /// The person as a line of an import file.
    fn line(&self) -> String {
        let (year, month, day) = self.birth;
        let admitted = year + 25;
        format!(
            "51.{:08},{},{},{day:02}/{month:02}/{year},03/02/{admitted},03/02/{},{},{},{},{}",
            self.number,
            self.name,
            if self.is_woman { "Nữ" } else { "Nam" },
            admitted + 1,
            if self.number.is_multiple_of(11) { "Miễn sinh hoạt" } else { "Chính thức" },
            self.national_id(),
            if self.number.is_multiple_of(9) { String::new() } else { format!("09{:08}", self.number % 100_000_000) },
            self.branch,
        )
    }

    fn national_id(&self) -> String {
        format!("051{}{:08}", u32::from(self.is_woman), self.number)
    }

    /// The person as a row of a database: the same columns and lengths, with invented hashes and ciphertexts.
    fn record(&self, dice: &mut Dice) -> String {
        let (year, month, day) = self.birth;
        let admitted = year + 25;
        let id = dice.hex(26);
        let place = format!("/{}/", self.branch);
        [
            id,
            format!("51{:08}", self.number),
            self.name.clone(),
            format!("{} {}", self.given, self.name),
            self.given.to_owned(),
            if self.is_woman { "female" } else { "male" }.to_owned(),
            format!("{year}-{month:02}-{day:02}"),
            format!("{admitted}-02-03"),
            format!("{}-02-03", admitted + 1),
            "official".to_owned(),
            "active".to_owned(),
            format!("{:026}", self.number / MEMBERS),
            place,
            dice.hex(64),
            dice.hex(70),
            dice.hex(64),
            dice.hex(67),
            dice.hex(64),
            dice.hex(64),
            "2026-01-01".to_owned(),
        ]
        .join("\t")
    }
}

const TABLES: &str = "CREATE TABLE member (id text PRIMARY KEY, code text NOT NULL, full_name text NOT NULL, sort_key text NOT NULL, \
    given text, sex text NOT NULL, birth_date text NOT NULL, admitted_on text NOT NULL, official_on text, standing text NOT NULL, \
    state text NOT NULL, unit text NOT NULL, path text NOT NULL, id_hash text, id_cipher text, phone_hash text, \
    phone_cipher text, twin_key text, import_print text, posted_from text NOT NULL); \
    CREATE UNIQUE INDEX ON member (code); CREATE UNIQUE INDEX ON member (id_hash); CREATE INDEX ON member (unit, sort_key); \
    CREATE INDEX ON member (path, sort_key); CREATE INDEX ON member (given, path); \
    CREATE INDEX ON member (twin_key);";

/// Loads the same rows by `COPY` into a separate cluster; `None` if `PostgreSQL` is not installed.
fn postgres(files: &Files, rows: u32) -> Result<Option<Duration>> {
    let Some(cluster) = Cluster::installed("the same rows by COPY")? else { return Ok(None) };
    cluster.run(TABLES)?;
    let start = Instant::now();
    cluster.fill("member", &files.records)?;
    let took = start.elapsed();
    let counted = cluster.run("SELECT count(*) FROM member")?;
    ensure!(counted == rows.to_string(), "PostgreSQL has {counted} rows instead of {rows}");
    Ok(Some(took))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_the_same_people_again() {
        let lines = |seed| {
            let mut dice = Dice(seed);
            (0..50).map(|number| Person::new(&mut dice, number, 3).line()).collect::<Vec<_>>()
        };
        assert_eq!(lines(1), lines(1));
        assert_ne!(lines(1), lines(2));
        assert!(lines(1).iter().all(|line| line.split(',').count() == 10));
    }

    #[test]
    fn numbers_of_units_become_paths() {
        assert_eq!(branch(0), "1/01/001/01");
        assert_eq!(branch(BRANCHES * COMMUNES), "1/02/001/01");
    }
}
