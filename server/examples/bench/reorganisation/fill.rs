//! Fills a store with the units before the reorganisation, and with branches, members and their rows.

use std::{fs, path::Path, time::Instant};

use anyhow::{Context as _, Result, ensure};
use backend::{
    Backend,
    demo::{
        country::{self, Discussed},
        many,
        registry::{NewMeeting, Registry},
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    ids::MemberId,
    imports::{ImportKind, ImportState},
    meetings::{AttendanceKind, MeetingForm, MeetingKind, MeetingState},
    policy::Role,
    units::UnitRef,
};

use super::{FOUNDED, Source, TREE_BEFORE, day, level, root, sums, sums_file};
use crate::{members::Person, open, print_duration};

/// When the registry was filled.
const SINCE: &str = "2025-01-15T08:00:00Z";

/// Members held in memory between writes.
const AT_ONCE: usize = 100_000;

const DOCUMENTS: usize = 2_000;

/// One member in this many reads a document, sends an opinion.
const READS: usize = 2;
const OPINIONS: usize = 50;

/// One branch in this many has met.
const MEETINGS: usize = 10;

/// Bytes handed to the import at once.
const PIECE: usize = 1 << 20;

/// The size of the generated part.
#[derive(Clone, Copy)]
pub(crate) struct Numbers {
    pub(crate) members: usize,
    /// Branches below each commune.
    pub(crate) branches: usize,
    pub(crate) seed: u64,
}

pub(crate) async fn fill(folder: &Path, source: &Source, numbers: Numbers) -> Result<()> {
    let backend = open(folder).await?;
    let start = Instant::now();
    import_units(&backend, source).await?;
    print_duration("units imported", start);
    // Before the reorganisation, so that the offices it ends have begun.
    let since = SINCE.parse::<DateTime<Utc>>().context("the day of the registry")?;
    let generated = Generated { backend: &backend, numbers, since };

    let start = Instant::now();
    let branches = generated.hang_branches().await?;
    print_duration(&format!("{} branches stored", branches.len()), start);
    let members = generated.register_members(&branches).await?;
    let start = Instant::now();
    let people: Vec<(MemberId, &UnitRef)> = members.into_iter().zip(branches.iter().cycle()).collect();
    generated.read_and_discuss(&people).await?;
    generated.meet(&people, branches.len()).await?;
    print_duration("documents, readings, opinions and meetings stored", start);

    let sums = sums(&backend).await?;
    print!("{sums}");
    fs::write(sums_file(folder), sums)?;
    backend.statistics().save_counters(TimeDelta::zero()).await?;
    Ok(())
}

/// By the import that operators use.
async fn import_units(backend: &Backend, source: &Source) -> Result<()> {
    let imports = backend.imports();
    let mut upload = imports.receive_from_operator(ImportKind::Units, None, TREE_BEFORE)?;
    upload.set_as_of(day(FOUNDED)?);
    for piece in source.content(TREE_BEFORE)?.chunks(PIECE) {
        upload.write(piece.to_vec()).await?;
    }
    let import = upload.finish().await?.import;
    imports.check(import).await?;
    imports.write(import, Some(day(FOUNDED)?)).await?;
    let page = imports.page_for_operator(import).await?;
    let (state, failure, counts) = (page.import.state, page.import.failure, page.import.counts);
    ensure!(state == ImportState::Done, "the units are not imported: {state:?} {failure:?} {:?}", page.missing);
    ensure!(counts.refused == 0, "{} units are refused, first: {:?}", counts.refused, page.refused.first());
    Ok(())
}

struct Generated<'b> {
    backend: &'b Backend,
    numbers: Numbers,
    /// When the registry was filled.
    since: DateTime<Utc>,
}

impl Generated<'_> {
    fn registry(&self, part: u64) -> Registry<'_> {
        Registry::new(self.backend, self.numbers.seed.wrapping_add(part), self.since)
    }

    async fn hang_branches(&self) -> Result<Vec<UnitRef>> {
        let tree = self.backend.units().tree();
        let (commune, branch) = (level("commune")?, level("branch")?);
        let mut registry = self.registry(0).with_units_since(day(FOUNDED)?);
        let mut branches = Vec::new();
        for above in tree.all().filter(|unit| unit.kind == commune) {
            for number in 1..=self.numbers.branches {
                let name = format!("Chi bộ số {number}");
                branches.push(registry.unit(Some(above), branch, &format!("{number:02}"), &name)?);
            }
        }
        registry.save().await?;
        ensure!(!branches.is_empty(), "there is no commune in {TREE_BEFORE}");
        Ok(branches)
    }

    /// The member with number `n` is in the branch with number `n`, from the start again after the last branch. The first member of
    /// a branch is its secretary, that of the first branch of a commune also the commune's.
    async fn register_members(&self, branches: &[UnitRef]) -> Result<Vec<MemberId>> {
        let (start, count) = (Instant::now(), self.numbers.members);
        let tree = self.backend.units().tree();
        let mut members = Vec::with_capacity(count);
        for (part, first) in (1_u64..).zip((0..count).step_by(AT_ONCE)) {
            let mut registry = self.registry(part);
            for number in first..count.min(first + AT_ONCE) {
                let branch = &branches[number % branches.len()];
                let member = Person(number).register(&mut registry, branch)?;
                members.push(member);
                if number < branches.len() {
                    registry.office(member, Role::Secretary, branch, None);
                }
                if number < branches.len() && number.is_multiple_of(self.numbers.branches) {
                    let commune = branch.path.parent().and_then(|path| tree.at(&path)).context("a branch without a commune")?;
                    registry.office(member, Role::Secretary, commune, None);
                }
            }
            registry.save().await?;
            println!("{} of {count} members after {:.0} s", members.len(), start.elapsed().as_secs_f64());
        }
        print_duration("members stored", start);
        Ok(members)
    }

    async fn read_and_discuss(&self, people: &[(MemberId, &UnitRef)]) -> Result<()> {
        let tree = self.backend.units().tree();
        let root = root(&tree)?;
        let mut central = Vec::new();
        let seed = self.numbers.seed;
        let keep = |document: many::Invented<'_>| {
            if document.audience.id == root.id {
                central.push(Discussed { id: document.id, title: document.title.to_owned(), issuer: root.clone() });
            }
        };
        many::publish(self.backend, seed, DOCUMENTS, 0, keep).await?;
        ensure!(!central.is_empty(), "no document is for everybody");
        let documents = || central.iter().cycle();
        let readers = people.iter().step_by(READS).zip(documents());
        let reads: Vec<_> = readers.map(|((member, branch), document)| (document.id, *member, *branch)).collect();
        many::read(self.backend, &reads).await?;
        let authors = people.iter().step_by(OPINIONS).zip(documents());
        let opinions: Vec<_> = authors.map(|((member, branch), document)| (*member, *branch, document)).collect();
        country::discuss(self.backend, seed, &opinions).await?;
        Ok(())
    }

    /// Meetings of some branches, with their first members present.
    async fn meet(&self, people: &[(MemberId, &UnitRef)], branches: usize) -> Result<()> {
        // The members have the parts from 1 on.
        let mut registry = self.registry(1 << 32);
        for (member, branch) in people.iter().take(branches).step_by(MEETINGS) {
            let meeting = registry.meeting(&NewMeeting {
                unit: branch,
                kind: MeetingKind::Regular,
                form: MeetingForm::InPerson,
                state: MeetingState::Reported,
                title: "Sinh hoạt chi bộ thường kỳ",
                starts_at: self.since + TimeDelta::days(20),
                venue: "Nhà văn hóa",
                chair: "Bí thư chi bộ",
                agenda: Vec::new(),
            });
            registry.attendance(meeting, *member, AttendanceKind::Present);
        }
        registry.save().await?;
        Ok(())
    }
}
