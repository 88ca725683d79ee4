//! The registry: records of members, and how they are searched, corrected, transferred and checked for quality.
//!
//! National ID and phone are stored only as a keyed hash and a sealed text, and returned only to people who may read them. The
//! hash of the national ID is unique, so an import or a form with an existing ID is refused. Possible duplicates are detected by
//! name and birth date.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::{
    accounts::{AccountNotice, Viewer},
    events::EventBody,
    forms::{FormReader, Problem},
    ids::MemberId,
    members::{
        CardNumber, CorrectionField, FullName, MemberLine, MemberState, NationalId, PhoneNumber, RECORD_HOLDER,
        RECORD_HOLDER_NAME, Sex, Standing,
    },
    policy::Action,
    units::{UnitKind, UnitPath, UnitRef},
};

mod branches;
mod corrections;
mod edit;
mod merge;
mod quality;
mod quality_issues;
mod record;
mod refold;
mod roster;
pub(crate) mod rows;
mod search;
mod state;
mod transfers;

pub use corrections::CorrectionForm;
pub(crate) use corrections::NewCorrection;
pub use edit::MemberForm;
pub use state::StateForm;
pub(crate) use transfers::NewTransfer;
pub use transfers::TransferForm;

use crate::{
    Backend, Error, Result, accounts,
    change::Change,
    store::{RecordId, SurrealValue, Variables, record, vars},
};

/// The use-cases on the registry.
#[derive(Clone, Copy)]
pub struct Members<'a> {
    backend: &'a Backend,
}

impl<'a> Members<'a> {
    pub(crate) fn new(backend: &'a Backend) -> Self {
        Self { backend }
    }

    async fn row(&self, id: MemberId) -> Result<MemberRow> {
        let sql = format!("SELECT {COLUMNS} FROM ONLY $member");
        self.backend.store().read(sql, vars! { member: record("member", id) }).await?.row(0)?.ok_or(Error::NotFound)
    }

    /// The row of a member whose record the viewer may read by an office.
    async fn readable(&self, viewer: &Viewer, id: MemberId) -> Result<MemberRow> {
        let row = self.row(id).await?;
        if viewer.standpoint.may_by_office(Action::ReadMembers, &row.unit_path()?) { Ok(row) } else { Err(Error::NotFound) }
    }

    /// Like [`Self::readable`], if the viewer may also do `action`. A merged record cannot be changed.
    async fn within_reach(&self, viewer: &Viewer, id: MemberId, action: Action) -> Result<MemberRow> {
        let row = self.readable(viewer, id).await?;
        let is_merged = row.state == MemberState::Merged.key();
        let may = !is_merged && viewer.standpoint.may_by_office(action, &row.unit_path()?);
        if may { Ok(row) } else { Err(Error::NotAllowed) }
    }

    /// Decodes rows for lists.
    async fn lines(&self, rows: Vec<LineRow>) -> Result<Vec<MemberLine>> {
        let names = self.branch_names(rows.iter().map(|row| row.unit.as_str())).await?;
        rows.into_iter().map(|row| row.decode(&names)).collect()
    }

    /// Names of units by id, including closed ones.
    async fn unit_names(&self, units: impl Iterator<Item = &str>) -> Result<BTreeMap<String, String>> {
        let tree = self.backend.units().tree();
        let mut names = BTreeMap::new();
        let mut former: Vec<RecordId> = Vec::new();
        for unit in units {
            if names.contains_key(unit) {
                continue;
            }
            let name = tree.named(unit).map(|known| known.name.clone());
            if name.is_none() {
                former.push(record("unit", unit));
            }
            names.insert(unit.to_owned(), name.unwrap_or_default());
        }
        if !former.is_empty() {
            let sql = "SELECT record::id(id) AS id, name FROM $former";
            let rows: Vec<NamedRow> = self.backend.store().read(sql, vars! { former: former }).await?.rows(0)?;
            names.extend(rows.into_iter().map(|row| (row.id, row.name)));
        }
        Ok(names)
    }

    /// Names of units in which members are registered by id, with the name of the branch where that is another unit.
    async fn branch_names(&self, units: impl Iterator<Item = &str>) -> Result<BTreeMap<String, String>> {
        let tree = self.backend.units().tree();
        let mut names = self.unit_names(units).await?;
        for (id, name) in &mut names {
            let Some(unit) = tree.named(id) else { continue };
            let home = tree.home(unit);
            if home.id != unit.id {
                *name = format!("{name}, {}", home.name);
            }
        }
        Ok(names)
    }

    /// Names of members by id.
    pub(crate) async fn names(&self, members: impl Iterator<Item = &str>) -> Result<BTreeMap<String, String>> {
        let ids: Vec<RecordId> = members.map(|member| record("member", member)).collect();
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let sql = "SELECT record::id(id) AS id, full_name AS name FROM $ids";
        let rows: Vec<NamedRow> = self.backend.store().read(sql, vars! { ids: ids }).await?.rows(0)?;
        Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
    }

    /// Adds a check to the change that makes it fail when the member's roles change concurrently. None if the member's roles do
    /// not allow the viewer to do `action`.
    async fn guard(&self, change: Change, viewer: &Viewer, row: &MemberRow, action: Action) -> Result<Option<Change>> {
        let holder = self.backend.offices().holder(&row.id).await?;
        Ok(holder.is_in_hands_of(viewer, action).then(|| holder.hold_still(change, "holder")))
    }

    /// Adds notices about changed numbers to the change: one for the owner's first page, with the unit that made the change, and
    /// a short message to the previous phone number.
    fn tell_owner(&self, change: Change, viewer: &Viewer, row: &MemberRow, changed: &[&str]) -> Result<Change> {
        let notices: Vec<AccountNotice> = notices_of(changed).collect();
        if notices.is_empty() {
            return Ok(change);
        }
        let tree = self.backend.units().tree();
        let top_units = viewer.standpoint.top_units(Action::ManageMembers);
        let office =
            top_units.into_iter().find(|top_unit| row.path.starts_with(top_unit.as_str())).and_then(|top_unit| tree.at(top_unit));
        let office = office.map(|unit| unit.id.to_string());
        let (clock, mut vars) = (self.backend.clock(), Variables::new());
        let sql = accounts::tell(&mut vars, clock, &row.id, &notices, office);
        let change = change.then(sql).bind(vars);
        // An invalid phone number gets no message.
        if let Ok(Some(phone)) = row.phone(self.backend) {
            let notify = self.backend.notify(&row.id, Some(&phone), &notices)?;
            return Ok(change.jobs(clock, notify));
        }
        Ok(change)
    }
}

/// The notices to the owner about changed fields.
fn notices_of(changed: &[&str]) -> impl Iterator<Item = AccountNotice> {
    let (phone, id) = (CorrectionField::Phone.key(), CorrectionField::NationalId.key());
    let told = [(phone, AccountNotice::PhoneChanged), (id, AccountNotice::IdChanged)];
    told.into_iter().filter(move |(field, _)| changed.contains(field)).map(|(_, notice)| notice)
}

/// The columns of [`MemberRow`].
const COLUMNS: &str = "record::id(id) AS id, code, full_name, sex, birth_date, admitted_on, official_on, standing, state, unit, \
                       path, id_hash, id_cipher, phone_hash, phone_cipher, twin_key, distinct_from, merged_into, version, posted_from";

/// The stored row of a member.
#[derive(Debug, Clone, SurrealValue)]
struct MemberRow {
    id: String,
    code: String,
    full_name: String,
    sex: String,
    birth_date: String,
    admitted_on: String,
    official_on: Option<String>,
    standing: String,
    state: String,
    unit: String,
    path: String,
    id_hash: Option<String>,
    id_cipher: Option<String>,
    phone_hash: Option<String>,
    phone_cipher: Option<String>,
    twin_key: Option<String>,
    distinct_from: Option<Vec<String>>,
    merged_into: Option<String>,
    version: Option<i64>,
    posted_from: Option<String>,
}

impl MemberRow {
    fn key(&self) -> Result<MemberId> {
        self.id.parse().map_err(|_| self.damaged())
    }

    fn unit_path(&self) -> Result<UnitPath> {
        UnitPath::parse(&self.path).map_err(|_| self.damaged())
    }

    fn version(&self) -> u32 {
        self.version.and_then(|version| u32::try_from(version).ok()).unwrap_or_default()
    }

    /// The day the member joined the branch; none for a former member.
    fn posted_from(&self) -> Result<Option<NaiveDate>> {
        self.posted_from.as_deref().map(|day| self.day(day)).transpose()
    }

    fn is_active(&self) -> bool {
        self.state == MemberState::Active.key()
    }

    fn state(&self) -> Result<MemberState> {
        MemberState::from_key(&self.state).ok_or_else(|| self.damaged())
    }

    fn standing(&self) -> Result<Standing> {
        Standing::from_key(&self.standing).ok_or_else(|| self.damaged())
    }

    fn sex(&self) -> Result<Sex> {
        Sex::from_key(&self.sex).ok_or_else(|| self.damaged())
    }

    fn full_name(&self) -> Result<FullName> {
        FullName::parse(&self.full_name).map_err(|_| self.damaged())
    }

    fn birth_date(&self) -> Result<NaiveDate> {
        self.day(&self.birth_date)
    }

    fn admitted_on(&self) -> Result<NaiveDate> {
        self.day(&self.admitted_on)
    }

    fn official_on(&self) -> Result<Option<NaiveDate>> {
        self.official_on.as_deref().map(|day| self.day(day)).transpose()
    }

    fn national_id(&self, backend: &Backend) -> Result<Option<NationalId>> {
        let opened = self.id_cipher.as_deref().map(|sealed| backend.keys().open(&self.id, sealed)).transpose()?;
        opened.map(|text| NationalId::parse(&text).map_err(|_| self.damaged())).transpose()
    }

    fn phone(&self, backend: &Backend) -> Result<Option<PhoneNumber>> {
        let opened = self.phone_cipher.as_deref().map(|sealed| backend.keys().open(&self.id, sealed)).transpose()?;
        opened.map(|text| PhoneNumber::parse(&text).map_err(|_| self.damaged())).transpose()
    }

    /// The unit in which the member is registered, open or closed.
    fn branch(&self, tree: &crate::units::Tree, names: &BTreeMap<String, String>) -> Result<UnitRef> {
        if let Some(known) = tree.named(&self.unit) {
            return Ok(known.clone());
        }
        let id = self.unit.parse().map_err(|_| self.damaged())?;
        let name = names.get(&self.unit).cloned().unwrap_or_default();
        let kind = tree.known(&self.unit).map(|unit| unit.kind).or_else(|| UnitKind::all().find(|kind| kind.is_home()));
        Ok(UnitRef { id, kind: kind.ok_or_else(|| self.damaged())?, name, path: self.unit_path()? })
    }

    fn line(&self, names: &BTreeMap<String, String>) -> Result<MemberLine> {
        Ok(MemberLine {
            id: self.key()?,
            name: self.full_name.clone(),
            card: self.code.clone(),
            birth_date: self.birth_date()?,
            standing: self.standing()?,
            state: self.state()?,
            branch: names.get(&self.unit).cloned().unwrap_or_default(),
        })
    }

    fn day(&self, text: &str) -> Result<NaiveDate> {
        text.parse().map_err(|_| self.damaged())
    }

    fn damaged(&self) -> Error {
        Error::Damaged(format!("member {}", self.id))
    }
}

/// The columns of [`LineRow`].
const LINE: &str = "record::id(id) AS id, code, full_name, sort_key, given, birth_date, standing, state, unit, path";

/// The columns that a list shows or pages by.
#[derive(Debug, Clone, SurrealValue)]
struct LineRow {
    id: String,
    code: String,
    full_name: String,
    sort_key: String,
    given: Option<String>,
    birth_date: String,
    standing: String,
    state: String,
    unit: String,
    path: String,
}

impl LineRow {
    fn decode(self, names: &BTreeMap<String, String>) -> Result<MemberLine> {
        let damaged = || Error::Damaged(format!("member {}", self.id));
        Ok(MemberLine {
            id: self.id.parse().map_err(|_| damaged())?,
            birth_date: self.birth_date.parse().map_err(|_| damaged())?,
            standing: Standing::from_key(&self.standing).ok_or_else(damaged)?,
            state: MemberState::from_key(&self.state).ok_or_else(damaged)?,
            branch: names.get(&self.unit).cloned().unwrap_or_default(),
            name: self.full_name,
            card: self.code,
        })
    }
}

#[derive(Debug, SurrealValue)]
struct NamedRow {
    id: String,
    name: String,
}

#[derive(Debug, SurrealValue)]
struct CountRow {
    count: i64,
}

fn counted(rows: &[CountRow]) -> u64 {
    rows.first().and_then(|row| u64::try_from(row.count).ok()).unwrap_or_default()
}

/// The highest unit of the top units.
fn highest<'t>(tree: &'t crate::units::Tree, top_units: &[&UnitPath]) -> Result<&'t UnitRef> {
    top_units.iter().min_by_key(|path| path.as_str().len()).and_then(|path| tree.at(path)).ok_or(Error::NotFound)
}

impl Members<'_> {
    /// The error for a form with a number that another record has, as reported by a unique index. For a national ID outside the
    /// viewer's own subtree the form does not reveal this, and the log records it.
    async fn taken_by(&self, viewer: &Viewer, reader: FormReader, index: &str, form: MemberForm<'_>) -> Result<Error> {
        let is_id = index == ID_INDEX;
        let (id, card) = (NationalId::parse(form.national_id).ok(), CardNumber::parse(form.card).ok());
        let holder = self.number_holder(id.as_ref().filter(|_| is_id), card.as_ref().filter(|_| !is_id)).await?;
        let is_foreign = holder.as_ref().is_some_and(|holder| !holder.is_readable_by(viewer));
        if !is_id || !is_foreign {
            let field = if is_id { "national_id" } else { "card" };
            return Ok(taken(viewer, reader, field, holder));
        }
        let own = &viewer.standpoint.branch;
        let unit_path = viewer.standpoint.top_units(Action::ManageMembers).first().map_or(own, |top_unit| *top_unit).clone();
        let met = EventBody::ForeignIdsMet { source: viewer.member.ulid(), met: 1 };
        self.backend.transact(Change::default().event(self.backend.clock(), Some(viewer.member), &unit_path, met)).await?;
        Ok(reader.refused("national_id", Problem::ToBeVerified).into())
    }

    /// The record that has this national ID or this card number.
    async fn number_holder(&self, id: Option<&NationalId>, card: Option<&CardNumber>) -> Result<Option<HolderRow>> {
        let (condition, number) = match (id, card) {
            (Some(id), _) => ("id_hash = $number", self.backend.keys().lookup("id", id.expose())),
            (None, Some(card)) => ("code = $number", card.as_str().to_owned()),
            (None, None) => return Ok(None),
        };
        let sql = format!("SELECT record::id(id) AS id, full_name, path FROM member WHERE {condition} LIMIT 1");
        Ok(self.backend.store().read(sql, vars! { number: number }).await?.row(0)?)
    }
}

/// The unique index of national IDs; that of card numbers is the other one.
const ID_INDEX: &str = "member_id_hash";

/// The record that holds a number.
#[derive(Debug, SurrealValue)]
struct HolderRow {
    id: String,
    full_name: String,
    path: String,
}

impl HolderRow {
    /// Whether the viewer may read the record by an office.
    fn is_readable_by(&self, viewer: &Viewer) -> bool {
        UnitPath::parse(&self.path).is_ok_and(|path| viewer.standpoint.may_by_office(Action::ReadMembers, &path))
    }
}

/// Refuses a number, and names the record that has it if the viewer may read that record.
fn taken(viewer: &Viewer, reader: FormReader, field: &str, holder: Option<HolderRow>) -> Error {
    let mut errors = reader.refused(field, Problem::Taken);
    if let Some(holder) = holder.filter(|holder| holder.is_readable_by(viewer)) {
        errors.values.insert(RECORD_HOLDER.to_owned(), holder.id);
        errors.values.insert(RECORD_HOLDER_NAME.to_owned(), holder.full_name);
    }
    errors.into()
}
