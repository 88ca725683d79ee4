//! Compares the rows of members with each other and with the registry: new, changed, unchanged or refused.
//!
//! The records that a file can refer to are loaded before its rows are checked (`check/load.rs`). Each is kept as a few numbers,
//! about 150 bytes a member, so that a row needs no query.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use chrono::NaiveDate;
use domain::{
    imports::{Column, Counts, Reason, RefusedLine},
    members::{CardNumber, DateField, FullName, NationalId, PhoneNumber, QualityIssue, Sex, Standing, check_dates},
    units::{UnitPath, UnitRef},
};
use ulid::Ulid;

use super::{
    file::Cell,
    read::{self, ColumnPositions, RowReader},
    report::ReportWriter,
};
use crate::{
    Backend, Keys, Result,
    keys::fingerprint,
    members::rows::{Derived, derived, quality_issues},
    units::Tree,
};

mod load;

pub(super) use load::FileKeys;

/// Maximum number of national IDs known outside the subtree that one file may contain, under any mapping of its columns. Beyond
/// it, every ID that is new to the subtree is refused with the same reason, so that a file does not reveal who is a member
/// elsewhere.
pub(super) const FOREIGN_IDS_MAX: usize = 20;

/// Result of checking a row.
pub(super) enum Verdict {
    Fresh(Box<Entry>),
    Changed(Box<Entry>),
    Unchanged(Vec<RefusedLine>),
    Refused(Vec<RefusedLine>),
    /// No imported column has a value.
    Passed(Option<RefusedLine>),
}

impl Verdict {
    /// Counts the row and adds its lines to the report.
    pub(super) fn note(&self, counts: &mut Counts, report: &mut ReportWriter) -> Result<()> {
        match self {
            Self::Fresh(entry) => {
                counts.fresh += 1;
                report.add(&entry.remarks)
            }
            Self::Changed(entry) => {
                counts.changed += 1;
                report.add(&entry.remarks)
            }
            Self::Unchanged(remarks) => {
                counts.unchanged += 1;
                report.add(remarks)
            }
            Self::Refused(lines) => {
                counts.refused += 1;
                report.add(lines)
            }
            Self::Passed(line) => report.pass(line.as_ref()),
        }
    }
}

/// A row to be written as a record.
pub(super) struct Entry {
    pub(super) row: u64,
    pub(super) member: Ulid,
    pub(super) card: CardNumber,
    pub(super) full_name: FullName,
    pub(super) sex: Sex,
    pub(super) birth_date: NaiveDate,
    pub(super) admitted_on: NaiveDate,
    /// `None` when the file has no value; the registry keeps its own.
    pub(super) official_on: Option<NaiveDate>,
    pub(super) standing: Option<Standing>,
    /// Standing of a new record whose row has none: probationary when the column of official dates exists and is empty.
    pub(super) likely_standing: Standing,
    pub(super) national_id: Option<(NationalId, String)>,
    pub(super) phone: Option<(PhoneNumber, String)>,
    pub(super) branch: Arc<UnitRef>,
    pub(super) remarks: Vec<RefusedLine>,
    /// The person belonged to another branch.
    pub(super) is_moved: bool,
    pub(super) derived: Derived,
    pub(super) print: String,
    pub(super) quality_issues: Vec<QualityIssue>,
    /// Another active record with the same name and birth date, and its branch.
    pub(super) duplicate: Option<(Ulid, String)>,
    /// The name or the birth date changed.
    pub(super) is_renamed: bool,
}

/// What the ledger keeps of a record.
struct Slot {
    member: u128,
    /// 0: never imported.
    print: u128,
    /// 0: no national ID.
    id: u128,
    /// 0: no phone.
    phone: u64,
    twin_key: u64,
    /// Index into [`Ledger::units`].
    unit: u32,
    /// The row of this file that refers to it; 0: none yet.
    row: u32,
    is_active: bool,
}

/// The records that the rows of a file can refer to, and the rows seen so far.
pub(super) struct Ledger {
    parser: RowParser,
    /// The time part of the ids of new records.
    made_at: u64,
    slots: Vec<Slot>,
    cards: HashMap<u128, u32>,
    /// Cards with leading zeros, keyed without them; `None` where several records have such a card.
    zeroed: HashMap<u128, Option<u32>>,
    ids: HashMap<u128, u32>,
    duplicates: HashMap<u64, u32>,
    /// Rows with a national ID that is known outside the subtree.
    foreign_rows: u64,
    /// These IDs, and those found under earlier mappings, up to [`FOREIGN_IDS_MAX`].
    foreign_ids: HashSet<u128>,
    /// Members who hold a role outside the subtree of the file. Few members hold roles.
    held: HashSet<u128>,
    units: Vec<Arc<str>>,
    unit_numbers: HashMap<Arc<str>, u32>,
}

impl Ledger {
    fn enter(&mut self, card: &CardNumber, slot: Slot) {
        let number = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        let packed = packed(card);
        self.cards.insert(packed, number);
        if let Some(bare) = bare(card).filter(|bare| *bare != packed) {
            self.zeroed.entry(bare).and_modify(|known| *known = None).or_insert(Some(number));
        }
        if slot.id != 0 {
            self.ids.insert(slot.id, number);
        }
        if slot.twin_key != 0 && slot.is_active {
            self.duplicates.entry(slot.twin_key).or_insert(number);
        }
        self.slots.push(slot);
    }

    fn unit_number(&mut self, unit: &str) -> u32 {
        if let Some(number) = self.unit_numbers.get(unit) {
            return *number;
        }
        let number = u32::try_from(self.units.len()).unwrap_or(u32::MAX);
        let unit: Arc<str> = unit.into();
        self.units.push(Arc::clone(&unit));
        self.unit_numbers.insert(unit, number);
        number
    }

    /// Checks the next row of the file.
    pub(super) fn check(&mut self, row: u64, cells: &[Cell<'_>]) -> Verdict {
        match self.judge(row, cells) {
            Ok(verdict) => verdict,
            Err(problems) => Verdict::Refused(problems),
        }
    }

    fn judge(&mut self, row: u64, cells: &[Cell<'_>]) -> Result<Verdict, Vec<RefusedLine>> {
        let positions = self.parser.positions.clone();
        if positions.is_blank(cells) {
            return Ok(Verdict::Passed(read::passed(row, cells)));
        }
        let mut reader = RowReader::new(row, cells, &positions);
        let Some(mut parsed) = self.parser.parse(&mut reader) else { return Err(reader.problems) };

        let known = self.holder(&parsed.card).unwrap_or_else(|reason| {
            reader.refuse(Column::CardNumber, reason);
            None
        });
        let print = parsed.print();
        self.compare(&mut reader, &parsed, known);
        let changed = known.filter(|number| self.slots[*number as usize].print != prefix(&print));
        if let Some(slot) = changed.map(|number| &self.slots[number as usize]).filter(|slot| self.held.contains(&slot.member)) {
            self.compare_held(&mut reader, &parsed, slot);
        }
        if !reader.problems.is_empty() {
            return Err(reader.problems);
        }
        let row_number = u32::try_from(row).unwrap_or(u32::MAX);
        if let Some(number) = known {
            let slot = &mut self.slots[number as usize];
            if slot.print == prefix(&print) {
                slot.row = row_number;
                return Ok(Verdict::Unchanged(std::mem::take(&mut parsed.remarks)));
            }
            if !slot.is_active {
                reader.refuse(Column::CardNumber, Reason::NotActive);
                return Err(reader.problems);
            }
            slot.row = row_number;
            return Ok(Verdict::Changed(Box::new(self.change(number, row, parsed, print))));
        }
        Ok(Verdict::Fresh(Box::new(self.register(row, parsed, print))))
    }

    /// Record with this card. Spreadsheets drop leading zeros, so they are ignored in cards of digits only.
    fn holder(&self, card: &CardNumber) -> Result<Option<u32>, Reason> {
        if let Some(known) = self.cards.get(&packed(card)) {
            return Ok(Some(*known));
        }
        let Some(bare) = bare(card) else { return Ok(None) };
        match (self.cards.get(&bare), self.zeroed.get(&bare)) {
            (Some(known), None) | (None, Some(Some(known))) => Ok(Some(*known)),
            (None, None) => Ok(None),
            _ => Err(Reason::AmbiguousCard),
        }
    }

    /// Number of rows with a national ID that is known outside the subtree.
    pub(super) fn foreign_rows(&self) -> u64 {
        self.foreign_rows
    }

    /// First halves, in hex, of the hashes of these IDs and of those found before: at most [`FOREIGN_IDS_MAX`].
    pub(super) fn foreign_ids(&self) -> Vec<String> {
        self.foreign_ids.iter().map(|print| format!("{print:032x}")).collect()
    }

    /// Compares the row with the registry and with the rows before it.
    fn compare(&mut self, reader: &mut RowReader<'_>, parsed: &Parsed, known: Option<u32>) {
        if let Some(slot) = known.map(|number| &self.slots[number as usize]) {
            if slot.row != 0 {
                reader.refuse(Column::CardNumber, Reason::CardTwice { row: slot.row.into() });
            } else if !self.parser.branches.holds(&self.units[slot.unit as usize]) {
                reader.refuse(Column::CardNumber, Reason::Elsewhere);
            }
        }
        let Some((_, hash)) = &parsed.national_id else { return };
        match self.ids.get(&prefix(hash)) {
            Some(holder) if Some(*holder) == known => {}
            Some(holder) => {
                let slot = &self.slots[*holder as usize];
                let reason = match slot.row {
                    0 if self.parser.branches.holds(&self.units[slot.unit as usize]) => Reason::IdTaken,
                    0 => {
                        self.foreign_rows += 1;
                        if self.foreign_ids.len() < FOREIGN_IDS_MAX {
                            self.foreign_ids.insert(prefix(hash));
                        }
                        Reason::ToBeVerified
                    }
                    row => Reason::IdTwice { row: row.into() },
                };
                reader.refuse(Column::NationalId, reason);
            }
            None if self.foreign_ids.len() >= FOREIGN_IDS_MAX => reader.refuse(Column::NationalId, Reason::ToBeVerified),
            None => {}
        }
    }

    /// Setting a member's national ID or phone gives access to the account, and a subordinate unit must not move a member who
    /// holds a role above it.
    fn compare_held(&self, reader: &mut RowReader<'_>, parsed: &Parsed, slot: &Slot) {
        if parsed.national_id.as_ref().is_some_and(|(_, hash)| prefix(hash) != slot.id) {
            reader.refuse(Column::NationalId, Reason::HeldAbove);
        }
        if parsed.phone.as_ref().is_some_and(|(_, hash)| short(hash) != slot.phone) {
            reader.refuse(Column::Phone, Reason::HeldAbove);
        }
        if *self.units[slot.unit as usize] != *parsed.branch.id.to_string() {
            reader.refuse(Column::Branch, Reason::HeldAbove);
        }
    }

    fn register(&mut self, row: u64, parsed: Parsed, print: String) -> Entry {
        let member = self.fresh_id(row, &parsed.card);
        let derived = parsed.derived(&self.parser.keys);
        let unit = self.unit_number(&parsed.branch.id.to_string());
        let slot = Slot {
            member: member.0,
            print: prefix(&print),
            id: parsed.national_id.as_ref().map(|(_, hash)| prefix(hash)).unwrap_or_default(),
            twin_key: short(&derived.twin_key),
            unit,
            phone: parsed.phone.as_ref().map(|(_, hash)| short(hash)).unwrap_or_default(),
            row: u32::try_from(row).unwrap_or(u32::MAX),
            is_active: true,
        };
        let duplicate = self.duplicate_of(slot.twin_key, None);
        self.enter(&parsed.card, slot);
        let quality_issues = self.quality_issues(&parsed, parsed.national_id.is_some(), parsed.phone.is_some());
        let is_probationary = self.parser.positions.has(Column::OfficialOn) && parsed.official_on.is_none();
        let likely_standing = if is_probationary { Standing::Probationary } else { Standing::Official };
        Entry { likely_standing, ..parsed.into_entry(row, member, derived, print, quality_issues, duplicate) }
    }

    fn change(&mut self, number: u32, row: u64, parsed: Parsed, print: String) -> Entry {
        let unit = self.unit_number(&parsed.branch.id.to_string());
        let derived = parsed.derived(&self.parser.keys);
        let twin_key = short(&derived.twin_key);
        let id = parsed.national_id.as_ref().map(|(_, hash)| prefix(hash));
        let slot = &mut self.slots[number as usize];
        let (is_moved, is_renamed) = (slot.unit != unit, slot.twin_key != twin_key);
        let (before, member) = (slot.id, Ulid(slot.member));
        slot.print = prefix(&print);
        slot.unit = unit;
        slot.twin_key = twin_key;
        slot.id = id.unwrap_or(slot.id);
        slot.phone = parsed.phone.as_ref().map_or(slot.phone, |(_, hash)| short(hash));
        let (has_id, has_phone) = (slot.id != 0, slot.phone != 0);
        if let Some(id) = id.filter(|id| *id != before) {
            self.ids.remove(&before);
            self.ids.insert(id, number);
        }
        // A pair that was already reviewed is not reported again for a new phone number.
        let duplicate = if is_renamed { self.duplicate_of(twin_key, Some(number)) } else { None };
        let quality_issues = self.quality_issues(&parsed, has_id, has_phone);
        Entry { is_moved, is_renamed, ..parsed.into_entry(row, member, derived, print, quality_issues, duplicate) }
    }

    fn quality_issues(&self, parsed: &Parsed, has_id: bool, has_phone: bool) -> Vec<QualityIssue> {
        quality_issues(has_id, has_phone, parsed.birth_date, parsed.admitted_on, parsed.official_on, self.parser.today)
    }

    /// Another record with the same name and birth date. Stores `own` as the first of its key when there is none.
    fn duplicate_of(&mut self, key: u64, own: Option<u32>) -> Option<(Ulid, String)> {
        if let Some(first) = self.duplicates.get(&key).copied() {
            let slot = &self.slots[first as usize];
            if Some(first) == own {
                return None;
            }
            return self.parser.branches.path(&self.units[slot.unit as usize]).map(|path| (Ulid(slot.member), path));
        }
        if let Some(own) = own {
            self.duplicates.insert(key, own);
        }
        None
    }

    /// In the order of the file, and the same each time this import processes this row.
    fn fresh_id(&self, row: u64, card: &CardNumber) -> Ulid {
        let hash = prefix(&self.parser.keys.lookup("import", card.as_str()));
        let within = (u128::from(row) << 40 | hash >> 88) & ((1 << 80) - 1);
        Ulid::from_parts(self.made_at, within)
    }
}

/// Parses rows without comparing them with the registry.
pub(super) struct RowParser {
    keys: Keys,
    positions: ColumnPositions,
    branches: Branches,
    today: NaiveDate,
}

impl RowParser {
    /// `scope` is the unit whose subtree the file is for; `None` for the whole tree.
    pub(super) fn new(backend: &Backend, scope: Option<UnitPath>, mapping: &[Option<Column>]) -> Self {
        let positions = ColumnPositions::new(mapping);
        let mut branches = Branches::new(backend.units().tree(), scope);
        branches.is_asked = positions.has(Column::Branch) || branches.only().is_none();
        Self { keys: backend.keys().clone(), positions, branches, today: backend.clock().today() }
    }

    /// `None` for a refused row; its problems are in the reader.
    fn parse(&mut self, reader: &mut RowReader<'_>) -> Option<Parsed> {
        if !reader.is_whole() {
            return None;
        }
        let parsed = Parsed::read(reader, &mut self.branches, &self.keys, self.today);
        parsed.filter(|_| reader.problems.is_empty())
    }
}

/// The values of a row.
struct Parsed {
    card: CardNumber,
    full_name: FullName,
    sex: Sex,
    birth_date: NaiveDate,
    admitted_on: NaiveDate,
    official_on: Option<NaiveDate>,
    standing: Option<Standing>,
    national_id: Option<(NationalId, String)>,
    phone: Option<(PhoneNumber, String)>,
    branch: Arc<UnitRef>,
    remarks: Vec<RefusedLine>,
}

impl Parsed {
    fn read(reader: &mut RowReader<'_>, branches: &mut Branches, keys: &Keys, today: NaiveDate) -> Option<Self> {
        let card = reader.required(Column::CardNumber, read::card_number);
        let full_name = reader.required(Column::FullName, read::full_name);
        let (sex, birth_date) = sex_and_birth_date(reader, today);
        let admitted_on = reader.required(Column::AdmittedOn, read::date);
        let official_on = reader.optional(Column::OfficialOn, read::date);
        let standing = reader.optional(Column::Standing, read::standing);
        let national_id = reader.optional(Column::NationalId, read::national_id);
        // A bad phone number is no reason to refuse a member.
        let problems = reader.problems.len();
        let phone = reader.optional(Column::Phone, read::phone);
        let left_out = reader.problems.split_off(problems);
        reader.remarks.extend(left_out.into_iter().map(|line| RefusedLine { reason: Reason::PhoneLeftOut, ..line }));
        let branch = match branches.only() {
            Some(only) if !branches.is_asked => Some(only),
            _ => reader.required(Column::Branch, |cell| branches.find(cell)),
        };
        if let (Some(birth_date), Some(admitted_on)) = (birth_date, admitted_on) {
            remark_dates(reader, birth_date, admitted_on, official_on, today);
        }
        Some(Self {
            card: card?,
            full_name: full_name?,
            sex: sex?,
            birth_date: birth_date?,
            admitted_on: admitted_on?,
            official_on,
            standing,
            national_id: national_id.map(|id| {
                let hash = keys.lookup("id", id.expose());
                (id, hash)
            }),
            phone: phone.map(|phone| {
                let hash = keys.lookup("phone", phone.expose());
                (phone, hash)
            }),
            branch: branch?,
            remarks: std::mem::take(&mut reader.remarks),
        })
    }

    fn derived(&self, keys: &Keys) -> Derived {
        derived(keys, &self.full_name, self.birth_date)
    }

    /// Equal for equal values. National ID and phone enter as keyed hashes, so the fingerprint does not reveal them.
    fn print(&self) -> String {
        let hash = |hash: Option<&String>| hash.cloned().unwrap_or_default();
        fingerprint(&format!(
            "{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}",
            self.card.as_str(),
            self.full_name.as_str(),
            self.sex.key(),
            self.birth_date,
            self.admitted_on,
            self.official_on.map(|day| day.to_string()).unwrap_or_default(),
            self.standing.map(Standing::key).unwrap_or_default(),
            hash(self.national_id.as_ref().map(|(_, hash)| hash)),
            hash(self.phone.as_ref().map(|(_, hash)| hash)),
            self.branch.id,
        ))
    }

    fn into_entry(
        self,
        row: u64,
        member: Ulid,
        derived: Derived,
        print: String,
        quality_issues: Vec<QualityIssue>,
        duplicate: Option<(Ulid, String)>,
    ) -> Entry {
        Entry {
            row,
            member,
            card: self.card,
            full_name: self.full_name,
            sex: self.sex,
            birth_date: self.birth_date,
            admitted_on: self.admitted_on,
            official_on: self.official_on,
            standing: self.standing,
            likely_standing: Standing::Official,
            national_id: self.national_id,
            phone: self.phone,
            branch: self.branch,
            remarks: self.remarks,
            is_moved: false,
            derived,
            print,
            quality_issues,
            duplicate,
            is_renamed: false,
        }
    }
}

/// Reads them from their own columns, or from the filled one of the two columns for men and women.
fn sex_and_birth_date(reader: &mut RowReader<'_>, today: NaiveDate) -> (Option<Sex>, Option<NaiveDate>) {
    let sided = [(Column::Male, Sex::Male), (Column::Female, Sex::Female)];
    let mut filled = sided.into_iter().filter(|(column, _)| reader.is_filled(*column));
    let (side, other) = (filled.next(), filled.next());
    if let Some((column, _)) = other {
        reader.refuse(column, Reason::BothSexes);
        return (None, None);
    }
    let Some((column, sex)) = side else {
        return (
            reader.required(Column::Sex, read::sex),
            reader.required(Column::BirthDate, |cell| read::birth_date(cell, today)),
        );
    };
    let Some(marked) = reader.optional(column, |cell| read::mark_or_birth_date(cell, today)) else { return (None, None) };
    let birth_date = marked.or_else(|| reader.required(Column::BirthDate, |cell| read::birth_date(cell, today)));
    (Some(sex), birth_date)
}

/// Remarks on inconsistent dates. The row is imported; the remarks are in the preview, before anything is written.
fn remark_dates(
    reader: &mut RowReader<'_>,
    birth_date: NaiveDate,
    admitted_on: NaiveDate,
    official_on: Option<NaiveDate>,
    today: NaiveDate,
) {
    for field in check_dates(birth_date, admitted_on, official_on, today) {
        let (column, day, reason) = match field {
            DateField::BirthDate => continue,
            DateField::AdmittedOn => (Column::AdmittedOn, Some(admitted_on), Reason::TooYoung),
            DateField::OfficialOn => (Column::OfficialOn, official_on, Reason::BeforeAdmission),
        };
        let is_future = day.is_some_and(|day| day > today);
        reader.remark(column, if is_future { Reason::InFuture } else { reason });
    }
}

/// The branches members can be imported into.
pub(super) struct Branches {
    scope: Option<UnitPath>,
    tree: Arc<Tree>,
    closed: HashSet<UnitPath>,
    by_code: HashMap<String, Vec<Arc<UnitRef>>>,
    /// Files repeat the same few thousand branches.
    found: HashMap<(String, bool), Result<Arc<UnitRef>, Reason>>,
    /// Whether the branch is read from the file.
    pub(super) is_asked: bool,
}

impl Branches {
    fn new(tree: Arc<Tree>, scope: Option<UnitPath>) -> Self {
        let closed: HashSet<UnitPath> = tree.closed_paths().cloned().collect();
        let mut by_code: HashMap<String, Vec<Arc<UnitRef>>> = HashMap::new();
        let inside = |unit: &&UnitRef| scope.as_ref().is_none_or(|scope| scope.contains(&unit.path));
        for unit in tree.all().filter(inside).filter(|unit| unit.kind.holds_members() && !closed.contains(&unit.path)) {
            by_code.entry(unit.path.code().to_owned()).or_default().push(Arc::new(unit.clone()));
        }
        Self { scope, tree, closed, by_code, found: HashMap::new(), is_asked: true }
    }

    /// The branch itself when the file is for one branch.
    pub(super) fn only(&self) -> Option<Arc<UnitRef>> {
        let unit = self.tree.at(self.scope.as_ref()?)?;
        unit.kind.holds_members().then(|| Arc::new(unit.clone()))
    }

    fn holds(&self, unit: &str) -> bool {
        let Some(scope) = &self.scope else { return true };
        self.tree.named(unit).is_some_and(|unit| scope.contains(&unit.path))
    }

    fn path(&self, unit: &str) -> Option<String> {
        self.tree.named(unit).map(|unit| unit.path.to_string())
    }

    fn find(&mut self, cell: &Cell<'_>) -> Result<Arc<UnitRef>, Reason> {
        let key = (cell.shown().into_owned(), matches!(cell, Cell::Number(..)));
        if let Some(known) = self.found.get(&key) {
            return known.clone();
        }
        // A value that is not a valid code names no unit.
        let codes = read::codes(cell).map_err(|reason| match reason {
            Reason::Value(_) => Reason::UnknownUnit,
            other => other,
        });
        let found = codes.and_then(|codes| match &codes[..] {
            [code] => self.by_code(code, key.1),
            codes => self.by_path(codes),
        });
        self.found.insert(key, found.clone());
        found
    }

    /// Path of codes, from the root or from the unit of the file.
    fn by_path(&self, codes: &[String]) -> Result<Arc<UnitRef>, Reason> {
        let from_top = UnitPath::parse(&format!("/{}/", codes.join("/"))).map_err(|_| Reason::UnknownUnit)?;
        let inside = |path: &UnitPath| self.scope.as_ref().is_none_or(|scope| scope.contains(path));
        let below = self.scope.as_ref().and_then(|scope| UnitPath::parse(&format!("{scope}{}/", codes.join("/"))).ok());
        for path in [Some(from_top), below].into_iter().flatten().filter(inside) {
            if self.closed.contains(&path) {
                return Err(Reason::ClosedUnit);
            }
            // A moved branch is still found by its former path.
            let moved = || self.tree.former(&path).filter(|unit| inside(&unit.path));
            if let Some(unit) = self.tree.at(&path).or_else(moved) {
                return if unit.kind.holds_members() { Ok(Arc::new(unit.clone())) } else { Err(Reason::NotABranch) };
            }
        }
        Err(Reason::UnknownUnit)
    }

    fn by_code(&self, code: &str, is_number: bool) -> Result<Arc<UnitRef>, Reason> {
        if let Some(only) = self.only().filter(|only| only.path.code() == code) {
            return Ok(only);
        }
        let bare = |code: &str| code.trim_start_matches('0').to_owned();
        let named: Vec<&Arc<UnitRef>> = match self.by_code.get(code) {
            Some(named) => named.iter().collect(),
            // A number cell has lost its leading zeros.
            None if is_number => {
                self.by_code.iter().filter(|(known, _)| bare(known) == bare(code)).flat_map(|(_, named)| named).collect()
            }
            None => Vec::new(),
        };
        match named[..] {
            [only] => Ok(Arc::clone(only)),
            [] => Err(self.why_not(code)),
            _ => Err(Reason::AmbiguousUnit),
        }
    }

    /// The reason when no open branch has this code.
    fn why_not(&self, code: &str) -> Reason {
        let inside = |path: &UnitPath| self.scope.as_ref().is_none_or(|scope| scope.contains(path)) && path.code() == code;
        if self.closed.iter().any(inside) {
            Reason::ClosedUnit
        } else if self.tree.all().any(|unit| inside(&unit.path)) {
            Reason::NotABranch
        } else {
            Reason::UnknownUnit
        }
    }
}

/// A card number as a number. It has at most twenty characters out of 38, so no two are equal.
fn packed(card: &CardNumber) -> u128 {
    card.as_str().bytes().fold(0, |packed, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' => byte - b'A' + 10,
            b'-' => 36,
            _ => 37,
        };
        packed * 39 + u128::from(digit) + 1
    })
}

/// A card of digits only, packed without its leading zeros.
fn bare(card: &CardNumber) -> Option<u128> {
    CardNumber::parse(without_zeros(card)?).ok().map(|card| packed(&card))
}

/// A card of digits only, without its leading zeros.
fn without_zeros(card: &CardNumber) -> Option<&str> {
    let digits = card.as_str();
    let bare = digits.trim_start_matches('0');
    let is_number = !bare.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(bare)
}

/// First half of a hash in hex: enough to distinguish a few million.
fn prefix(hash: &str) -> u128 {
    hash.get(..32).and_then(|half| u128::from_str_radix(half, 16).ok()).unwrap_or_default()
}

fn short(hash: &str) -> u64 {
    hash.get(..16).and_then(|part| u64::from_str_radix(part, 16).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_card_numbers_do_not_collide() {
        let card = |text: &str| packed(&CardNumber::parse(text).expect("a card number"));
        let all = ["0", "00", "1", "10", "51.000123", "51000124", "AB-12/9", "99999999999999999999", "ZZZZZZZZZZZZZZZZZZZZ"];
        let distinct: HashSet<u128> = all.iter().map(|text| card(text)).collect();
        assert_eq!(distinct.len(), all.len());
        assert_eq!(card("51.000123"), card("51000123"));
    }
}
