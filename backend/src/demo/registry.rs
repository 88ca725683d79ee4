//! Fills the registry directly: units, members, accounts, offices, meetings. For the sample organisation and for tests; the
//! people of a real organisation are imported, which validates what this trusts.

use std::collections::BTreeMap;

use chrono::{DateTime, Months, NaiveDate, Utc};
use domain::{
    accounts::{Password, Preferences},
    events::{Event, EventBody},
    ids::{DocumentId, EventId, MeetingId, MemberId, UnitId},
    meetings::{AttendanceKind, MeetingForm, MeetingKind, MeetingState},
    members::{CardNumber, FullName, NationalId, PhoneNumber, QualityIssue, Sex, Standing},
    policy::Role,
    units::{UnitChange, UnitKind, UnitPath, UnitRef},
};

use super::dice::Dice;
use crate::{
    Backend, Error, Result,
    bulk::Bulk,
    change::Change,
    events::NewEvent,
    members::rows::{self, NewQualityIssue, Particulars},
    store::{RecordId, SurrealValue, pair, record, vars},
    units::{NewUnit, VersionRow},
};

/// A person to be registered.
#[derive(Debug, Clone)]
pub struct NewMember<'f> {
    /// Number of the member's card; unique.
    pub code: &'f str,
    pub full_name: &'f str,
    pub sex: Sex,
    pub birth_date: NaiveDate,
    pub admitted_on: NaiveDate,
    pub standing: Standing,
    pub national_id: &'f NationalId,
    pub phone: Option<&'f PhoneNumber>,
    /// The branch the person is posted to.
    pub unit: &'f UnitRef,
}

/// A meeting that was called.
#[derive(Debug, Clone)]
pub struct NewMeeting<'f> {
    /// The unit that meets.
    pub unit: &'f UnitRef,
    pub kind: MeetingKind,
    pub form: MeetingForm,
    pub state: MeetingState,
    pub title: &'f str,
    pub starts_at: DateTime<Utc>,
    pub venue: &'f str,
    /// Name of the person who chairs it.
    pub chair: &'f str,
    pub agenda: Vec<NewItem>,
}

/// An item of the agenda.
#[derive(Debug, Clone)]
pub struct NewItem {
    pub title: String,
    pub minutes: u32,
    pub papers: Vec<DocumentId>,
}

/// A level by its key, for units of the sample.
///
/// # Errors
/// [`Error::Internal`] when the terminology pack does not define it.
pub fn level(key: &str) -> Result<UnitKind> {
    UnitKind::from_key(key)
        .ok_or_else(|| Error::Internal(format!("the sample needs the level {key:?}, which the terminology pack does not define")))
}

/// Collects rows; [`Self::save`] writes them all.
pub struct Registry<'b> {
    backend: &'b Backend,
    dice: Dice,
    since: DateTime<Utc>,
    /// The first day of the units.
    units_since: NaiveDate,
    bulk: Bulk,
    /// Id and path of the members with each duplicate key.
    duplicates: BTreeMap<String, Vec<(MemberId, UnitPath)>>,
}

impl<'b> Registry<'b> {
    /// `since` is when the registry was filled. It must be at least five minutes ago: the process that fills it counts the rows
    /// once, from the tables, and must not tail their events as new.
    pub fn new(backend: &'b Backend, seed: u64, since: DateTime<Utc>) -> Self {
        let units_since = since.date_naive();
        Self { backend, dice: Dice::new(seed, 1), since, units_since, bulk: Bulk::default(), duplicates: BTreeMap::new() }
    }

    /// With units that began on this day instead of when the registry was filled.
    #[must_use]
    pub fn with_units_since(self, day: NaiveDate) -> Self {
        Self { units_since: day, ..self }
    }

    /// # Errors
    /// [`Error::Internal`] when `code` is not a unit code.
    pub fn unit(&mut self, parent: Option<&UnitRef>, kind: UnitKind, code: &str, name: &str) -> Result<UnitRef> {
        let unit = self.named(parent, kind, code, name)?;
        self.bulk.push("unit", NewUnit::new(&unit, self.units_since));
        Ok(unit)
    }

    /// A unit that no longer existed on the day `on`. Its parent is its successor.
    ///
    /// # Errors
    /// [`Error::Internal`] when `code` is not a unit code.
    pub fn ended_unit(&mut self, parent: &UnitRef, kind: UnitKind, code: &str, name: &str, on: NaiveDate) -> Result<UnitRef> {
        let unit = self.named(Some(parent), kind, code, name)?;
        self.bulk.push(
            "unit",
            EndedUnitRow {
                id: record("unit", unit.id),
                kind: kind.key().to_owned(),
                code: code.to_owned(),
                name: name.to_owned(),
                path: unit.path.to_string(),
                opened_on: self.units_since.to_string(),
                closed_on: on.to_string(),
                parent: parent.id.to_string(),
                successor: parent.id.to_string(),
            },
        );
        let first = self.version(&unit, parent, UnitChange::Created, self.units_since, Some(on));
        self.bulk.push("unit_version", first);
        Ok(unit)
    }

    /// The history of a unit that a reorganisation moved from `former` to `parent` on the day `on`.
    pub fn moved(&mut self, unit: &UnitRef, former: &UnitRef, parent: &UnitRef, on: NaiveDate) {
        let first = self.version(unit, former, UnitChange::Created, self.units_since, Some(on));
        let second = self.version(unit, parent, UnitChange::Reorganised, on, None);
        self.bulk.push("unit_version", first);
        self.bulk.push("unit_version", second);
    }

    fn named(&mut self, parent: Option<&UnitRef>, kind: UnitKind, code: &str, name: &str) -> Result<UnitRef> {
        let path = match parent {
            Some(parent) => parent.path.child(code),
            None => UnitPath::parse(&format!("/{code}/")),
        }
        .map_err(|error| Error::Internal(format!("unit code {code:?}: {error}")))?;
        Ok(UnitRef { id: UnitId::new(self.dice.ulid_at(self.since)), kind, name: name.to_owned(), path })
    }

    /// A version of a unit, from one day to the day before another one.
    fn version(
        &mut self,
        unit: &UnitRef,
        parent: &UnitRef,
        change: UnitChange,
        from: NaiveDate,
        replaced_on: Option<NaiveDate>,
    ) -> VersionRow {
        VersionRow {
            id: record("unit_version", self.dice.ulid_at(self.since)),
            unit: unit.id.to_string(),
            kind: unit.kind.key().to_owned(),
            code: unit.path.code().to_owned(),
            name: unit.name.clone(),
            parent: Some(parent.id.to_string()),
            from: from.to_string(),
            until: replaced_on.and_then(|day| day.pred_opt()).map(|day| day.to_string()),
            cause: change.key().to_owned(),
        }
    }

    /// # Errors
    /// [`Error::Internal`] when the name or the card number is invalid, or encryption fails.
    pub fn member(&mut self, member: &NewMember<'_>) -> Result<MemberId> {
        let id = MemberId::new(self.dice.ulid_at(self.since));
        let today = self.backend.clock().today();
        let refused = |what: &str| Error::Internal(format!("{what} of {id}"));
        let says = Particulars {
            full_name: FullName::parse(member.full_name).map_err(|_| refused("the name"))?,
            card: CardNumber::parse(member.code).map_err(|_| refused("the card number"))?,
            sex: member.sex,
            birth_date: member.birth_date,
            admitted_on: member.admitted_on,
            official_on: (member.standing != Standing::Probationary).then(|| (member.admitted_on + Months::new(12)).min(today)),
            standing: member.standing,
            national_id: Some(member.national_id.clone()),
            phone: member.phone.cloned(),
        };
        for quality_issue in says.quality_issues(today) {
            self.bulk.push("flaw", NewQualityIssue::new(quality_issue, id, &member.unit.path));
        }
        let row = rows::NewMember::new(self.backend, id, &says, member.unit, member.admitted_on)?;
        self.duplicates.entry(row.twin_key.clone()).or_default().push((id, member.unit.path.clone()));
        self.bulk.push("member", row);
        let registered = EventBody::MemberRegistered { member: id, standing: Some(member.standing) };
        self.bulk.log(&mut self.dice, self.since, None, &member.unit.path, registered);
        Ok(id)
    }

    /// The hash of a password, for [`Self::account`]. It is expensive, so many accounts may share one.
    ///
    /// # Errors
    /// [`Error::Internal`] when hashing fails.
    pub async fn hash(&self, password: &Password) -> Result<String> {
        self.backend.accounts().hash_password(password).await
    }

    /// An activated account of a member posted to `unit`. A member without one cannot sign in.
    pub fn account(
        &mut self,
        member: MemberId,
        unit: &UnitRef,
        activated_at: DateTime<Utc>,
        hash: &str,
        preferences: Preferences,
    ) {
        self.bulk.push(
            "account",
            AccountRow {
                id: record("account", member),
                activated_at: Some(activated_at),
                password: Some(hash.to_owned()),
                failures: 0,
                locked_until: None,
                locale: preferences.locale.tag().to_owned(),
                text_size: preferences.text_size.key().to_owned(),
                theme: preferences.theme.key().to_owned(),
            },
        );
        self.bulk.log(&mut self.dice, activated_at, Some(member), &unit.path, EventBody::AccountActivated(member));
    }

    /// Gives `member` a role on `unit` from the day the registry was filled through `until`.
    pub fn office(&mut self, member: MemberId, role: Role, unit: &UnitRef, until: Option<NaiveDate>) {
        self.bulk.push(
            "office",
            OfficeRow {
                id: record("office", self.dice.ulid_at(self.since)),
                member: member.to_string(),
                role: role.key().to_owned(),
                unit: unit.id.to_string(),
                path: unit.path.to_string(),
                from: self.since.date_naive().to_string(),
                until: until.map(|day| day.to_string()),
            },
        );
    }

    /// A meeting, announced when the registry was filled.
    pub fn meeting(&mut self, meeting: &NewMeeting<'_>) -> MeetingId {
        let id = MeetingId::new(self.dice.ulid_at(self.since));
        call_meeting(&mut self.bulk, id, meeting);
        self.bulk.log(&mut self.dice, self.since, None, &meeting.unit.path, EventBody::MeetingAnnounced(id));
        id
    }

    /// Whether and how a member took part.
    pub fn attendance(&mut self, meeting: MeetingId, member: MemberId, kind: AttendanceKind) {
        note_attendance(&mut self.bulk, meeting, member, kind, None);
    }

    /// Writes all rows, and reloads the backend's tree and counters.
    ///
    /// # Errors
    /// [`Error::Internal`] when a code, a path or a national ID is not unique; [`Error::Store`].
    pub async fn save(mut self) -> Result<()> {
        for (id, path) in self.duplicates.values().filter(|group| group.len() > 1).flatten() {
            self.bulk.push("flaw", NewQualityIssue::new(QualityIssue::Twin, id, path));
        }
        self.bulk.save(self.backend).await?;
        self.backend.recount().await.map(drop)
    }
}

/// Sets a unit back to the planned phase: its members are shown the day and the contact.
///
/// # Errors
/// [`Error::Store`].
pub async fn plan(backend: &Backend, unit: &UnitRef, live_from: NaiveDate, contact: &str) -> Result<()> {
    let vars = vars! { unit: record("unit", unit.id), day: live_from.to_string(), contact: contact.to_owned() };
    let sql = "UPDATE $unit SET phase = 'planned', live_from = $day, contact = $contact RETURN NONE";
    backend.transact(Change::new(sql, vars)).await?;
    backend.recount().await.map(drop)
}

impl Bulk {
    /// A row of the event log.
    pub(crate) fn log(&mut self, dice: &mut Dice, at: DateTime<Utc>, actor: Option<MemberId>, unit: &UnitPath, body: EventBody) {
        let event = Event { id: EventId::new(dice.ulid_at(at)), at, actor, unit: unit.clone(), body };
        self.push("event", NewEvent::from(&event));
    }
}

/// The row of a meeting.
pub(super) fn call_meeting(bulk: &mut Bulk, id: MeetingId, meeting: &NewMeeting<'_>) {
    let item = |item: &NewItem| ItemRow {
        title: item.title.clone(),
        minutes: i64::from(item.minutes),
        papers: item.papers.iter().map(DocumentId::to_string).collect(),
    };
    bulk.push(
        "meeting",
        MeetingRow {
            id: record("meeting", id),
            unit: meeting.unit.id.to_string(),
            path: meeting.unit.path.to_string(),
            kind: meeting.kind.key().to_owned(),
            form: meeting.form.key().to_owned(),
            state: meeting.state.key().to_owned(),
            title: meeting.title.to_owned(),
            starts_at: meeting.starts_at,
            place: meeting.venue.to_owned(),
            venue: meeting.venue.to_owned(),
            chair: Some(meeting.chair.to_owned()),
            agenda: meeting.agenda.iter().map(item).collect(),
        },
    );
}

/// The row of a member's attendance.
pub(super) fn note_attendance(bulk: &mut Bulk, meeting: MeetingId, member: MemberId, kind: AttendanceKind, reason: Option<&str>) {
    let row =
        AttendanceRow { id: pair("attendance", meeting, member), kind: kind.key().to_owned(), reason: reason.map(str::to_owned) };
    bulk.push("attendance", row);
}

#[derive(Debug, SurrealValue)]
struct EndedUnitRow {
    id: RecordId,
    kind: String,
    code: String,
    name: String,
    path: String,
    opened_on: String,
    closed_on: String,
    parent: String,
    successor: String,
}

#[derive(Debug, SurrealValue)]
struct AccountRow {
    id: RecordId,
    activated_at: Option<DateTime<Utc>>,
    password: Option<String>,
    failures: i64,
    locked_until: Option<DateTime<Utc>>,
    locale: String,
    text_size: String,
    theme: String,
}

#[derive(Debug, SurrealValue)]
struct OfficeRow {
    id: RecordId,
    member: String,
    role: String,
    unit: String,
    path: String,
    from: String,
    until: Option<String>,
}

#[derive(Debug, SurrealValue)]
struct MeetingRow {
    id: RecordId,
    unit: String,
    path: String,
    kind: String,
    form: String,
    state: String,
    title: String,
    starts_at: DateTime<Utc>,
    /// The venue, for servers that do not know `venue`.
    place: String,
    venue: String,
    chair: Option<String>,
    agenda: Vec<ItemRow>,
}

#[derive(Debug, SurrealValue)]
struct ItemRow {
    title: String,
    minutes: i64,
    papers: Vec<String>,
}

#[derive(Debug, SurrealValue)]
struct AttendanceRow {
    id: RecordId,
    kind: String,
    reason: Option<String>,
}
