//! Roles on units: granted and ended by people whose own role allows it, within their own subtree.
//!
//! A role takes effect immediately: every request reads the offices of its session from the store.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use domain::{
    accounts::Viewer,
    events::EventBody,
    forms::{self, FormReader, Problem},
    ids::{MemberId, OfficeId, UnitId},
    members::CardNumber,
    offices::{Candidate, ChooseUnitPage, HeldOffice, OfficesPage, Period, Term},
    policy::{Action, Role},
    units::{PickPurpose, UnitPath, UnitRef},
};

use crate::{
    Backend, Error, Result,
    change::Change,
    store::{RecordId, StoreError, SurrealValue, record, vars},
    units::Tree,
};

mod holders;

pub(crate) use holders::Holder;

/// Most offices read for one unit: more than any unit has had in years.
const ROLES_MAX: usize = 500;

/// Sorts after every day.
const NEVER: &str = "9999-12-31";

/// See [`Backend::offices`].
pub struct Offices<'a> {
    backend: &'a Backend,
}

/// The form that grants a role, as typed.
#[derive(Debug, Clone, Copy)]
pub struct GrantForm<'f> {
    /// Id of the unit.
    pub unit: &'f str,
    /// Number of the member's card.
    pub card: &'f str,
    pub role: &'f str,
    /// First day.
    pub from: &'f str,
    /// Last day; may be empty.
    pub until: &'f str,
}

/// The form that chooses the unit on which a role is granted, as sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct UnitChoiceForm<'f> {
    /// Id of the selected unit; empty for none.
    pub unit: &'f str,
    /// Words of a name, or a code.
    pub find: &'f str,
    /// The member from whose record the viewer came.
    pub member: Option<MemberId>,
    /// Whether a unit has to be selected: not for a search.
    pub is_final: bool,
}

impl<'a> Offices<'a> {
    pub(crate) fn new(backend: &'a Backend) -> Self {
        Self { backend }
    }

    /// The units on which the viewer may grant roles. A unit outside their offices is refused like an unknown one.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a viewer who may grant roles nowhere.
    pub async fn choose_unit(&self, viewer: &Viewer, typed: UnitChoiceForm<'_>) -> Result<ChooseUnitPage> {
        let units = self.backend.unit_desk().pick_one(viewer, PickPurpose::Role, typed.unit, typed.find)?;
        let problem = match &units.selected {
            None if typed.is_final && typed.unit.is_empty() => Some(Problem::Required),
            None if typed.is_final => Some(Problem::NotOffered),
            _ => None,
        };
        let candidate = match typed.member {
            Some(member) => self.candidate(viewer, member).await?,
            None => None,
        };
        Ok(ChooseUnitPage { units, candidate, problem })
    }

    /// Current and former offices of a unit. `candidate` is the member from whose record the viewer opened the page to grant a
    /// role.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the viewer may not know of the unit, [`Error::NotAllowed`] when they may read it only as a
    /// member.
    pub async fn list(&self, viewer: &Viewer, unit: UnitId, candidate: Option<MemberId>) -> Result<OfficesPage> {
        let tree = self.backend.units().tree();
        let unit = visible(viewer, &tree, unit)?.clone();
        let today = self.backend.clock().today();
        let gives = viewer.standpoint.gives(&unit.path);
        let sql = format!(
            "SELECT record::id(id) AS id, {COLUMNS} FROM office WHERE unit = $unit ORDER BY `from` DESC LIMIT {ROLES_MAX}"
        );
        let rows: Vec<OfficeRow> = self.backend.store().read(sql, vars! { unit: unit.id.to_string() }).await?.rows(0)?;
        let people = self.people(rows.iter().flat_map(OfficeRow::people)).await?;
        let mut current = Vec::new();
        let mut over = Vec::new();
        for row in rows {
            let office = row.decode(viewer, &tree, &people, today)?;
            if office.term == Term::Over { over.push(office) } else { current.push(office) }
        }
        current.sort_by_key(|office| (office.role, office.period.from));
        let candidate = match candidate {
            Some(member) if !gives.is_empty() => self.candidate(viewer, member).await?,
            _ => None,
        };
        Ok(OfficesPage { unit, today, current, over, gives, candidate })
    }

    /// Grants a role to a member.
    ///
    /// # Errors
    /// As [`Self::list`]; [`Error::NotAllowed`] for a viewer who may grant no role here; [`Error::Invalid`] of the form `office`:
    /// [`Problem::UnknownCard`] for a card of nobody in the viewer's own subtree, [`Problem::AlreadyHeld`],
    /// [`Problem::DateRange`].
    pub async fn grant(&self, viewer: &Viewer, typed: GrantForm<'_>) -> Result<OfficeId> {
        let tree = self.backend.units().tree();
        let unit = visible(viewer, &tree, typed.unit.parse().map_err(|_| Error::NotFound)?)?;
        let gives = viewer.standpoint.gives(&unit.path);
        if gives.is_empty() {
            return Err(Error::NotAllowed);
        }
        let today = self.backend.clock().today();
        let mut form = FormReader::new("office");
        let card = form.read("card", typed.card, CardNumber::parse);
        let role = form.read("role", typed.role, |typed| match typed {
            "" => Err(Problem::Required),
            typed => Role::from_key(typed).filter(|role| gives.contains(role)).ok_or(Problem::NotOffered),
        });
        let from = form.read("from", typed.from, forms::day);
        let until = form.read("until", typed.until, |typed| {
            let until = forms::optional(typed, forms::day)?;
            // Without a first day, the last day is only compared with today.
            Period::new(from.unwrap_or(NaiveDate::MIN), until, today).map(|period| period.until)
        });
        let (Some(card), Some(role), Some(from), Some(until)) = (card, role, from, until) else {
            return Err(form.finish().err().map_or(Error::NotFound, Error::Invalid));
        };
        let Some(member) = self.member_of(viewer, &card, typed.card).await? else {
            return Err(form.refused("card", Problem::UnknownCard).into());
        };
        let given_from = viewer.standpoint.gives_from(role, &unit.path).and_then(|path| tree.at(path)).map(|unit| unit.id);
        let office = NewOffice { member, role, unit, period: Period { from, until }, by: Some(viewer.member), given_from };
        match self.write(office).await {
            Ok(office) => Ok(office),
            Err(StoreError::Thrown(_)) => Err(form.refused("role", Problem::AlreadyHeld).into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends a role, whose rights end immediately. Idempotent. Returns the unit of the role.
    ///
    /// # Errors
    /// As [`Self::list`]; [`Error::NotAllowed`] for a viewer who may not grant such a role here, and for a role that was granted
    /// from a higher unit.
    pub async fn end(&self, viewer: &Viewer, office: OfficeId) -> Result<UnitId> {
        let tree = self.backend.units().tree();
        let sql = format!("SELECT record::id(id) AS id, {COLUMNS} FROM $office");
        let row: Option<OfficeRow> = self.backend.store().read(sql, vars! { office: record("office", office) }).await?.row(0)?;
        let row = row.ok_or(Error::NotFound)?;
        let unit = visible(viewer, &tree, row.unit.parse().map_err(|_| row.damaged())?)?;
        let today = self.backend.clock().today();
        let role = row.role()?;
        if !viewer.standpoint.ends(role, &unit.path, row.given_from(&tree)) {
            return Err(Error::NotAllowed);
        }
        if row.period()?.on(today) == Term::Over {
            return Ok(unit.id);
        }
        let yesterday = today.checked_sub_days(Days::new(1)).unwrap_or(today);
        let vars = vars! {
            office: record("office", office),
            until: yesterday.to_string(),
            today: today.to_string(),
            by: viewer.member.to_string(),
        };
        let member = row.member.parse().map_err(|_| row.damaged())?;
        // The last day is yesterday: the rights must end now, and offices are stored by the day.
        let sql = "LET $open = (SELECT VALUE id FROM ONLY $office WHERE until = NONE OR until >= $today); \
                   IF $open = NONE { THROW 'over' }; \
                   UPDATE $office SET until = $until, ended_by = $by RETURN NONE;";
        let body = EventBody::RoleEnded { member, role };
        let change = Change::new(sql, vars).event(self.backend.clock(), Some(viewer.member), &unit.path, body);
        match self.backend.transact(change).await {
            // Thrown: another transaction ended it concurrently.
            Ok(_) | Err(StoreError::Thrown(_)) => Ok(unit.id),
            Err(error) => Err(error.into()),
        }
    }

    /// Stores an office.
    ///
    /// # Errors
    /// [`StoreError::Thrown`] when the member already holds the role on this unit in an overlapping period.
    pub(crate) async fn write(&self, office: NewOffice<'_>) -> Result<OfficeId, StoreError> {
        let clock = self.backend.clock();
        let id = OfficeId::new(clock.ulid());
        let vars = vars! {
            office: record("office", id),
            turn: record("office_turn", office.member),
            row: StoredOffice {
                member: office.member.to_string(),
                role: office.role.key().to_owned(),
                unit: office.unit.id.to_string(),
                path: office.unit.path.to_string(),
                from: office.period.from.to_string(),
                until: office.period.until.map(|day| day.to_string()),
                granted_by: office.by.map(|member| member.to_string()),
                granted_from: office.given_from.map(|unit| unit.to_string()),
            },
            end: office.period.until.map_or_else(|| NEVER.to_owned(), |day| day.to_string()),
        };
        let sql = "LET $same = (SELECT VALUE id FROM office WHERE member = $row.member AND role = $row.role AND unit = $row.unit \
                       AND `from` <= $end AND (until = NONE OR (until >= $row.from AND until >= `from`))); \
                   IF array::len($same) > 0 { THROW 'held' }; \
                   UPSERT $turn SET n = (n ?? 0) + 1 RETURN NONE; \
                   CREATE $office CONTENT $row RETURN NONE;";
        let body = EventBody::RoleGranted { member: office.member, role: office.role };
        self.backend.transact(Change::new(sql, vars).event(clock, office.by, &office.unit.path, body)).await?;
        Ok(id)
    }

    /// The active member with this card, if the viewer may grant roles in that member's branch.
    async fn member_of(&self, viewer: &Viewer, card: &CardNumber, typed: &str) -> Result<Option<MemberId>> {
        // Card numbers stored before they were normalised are found as typed.
        let sql = "SELECT record::id(id) AS id, full_name, code, unit, path, state FROM member WHERE code = $card; \
                   SELECT record::id(id) AS id, full_name, code, unit, path, state FROM member WHERE code = $typed";
        let vars = vars! { card: card.as_str(), typed: typed.trim() };
        let mut found = self.backend.store().read(sql, vars).await?;
        let rows: Vec<PersonRow> = found.rows::<PersonRow>(0)?.into_iter().chain(found.rows(1)?).collect();
        let person = rows.into_iter().find(|person| person.is_within_reach(viewer));
        person.map(|person| person.id.parse().map_err(|_| Error::Damaged(format!("member {}", person.id)))).transpose()
    }

    async fn candidate(&self, viewer: &Viewer, member: MemberId) -> Result<Option<Candidate>> {
        let people = self.people([member.to_string()].iter().map(String::as_str)).await?;
        let person = people.into_values().find(|person| person.is_within_reach(viewer));
        Ok(person.map(|person| Candidate { name: person.full_name, card: person.code }))
    }

    async fn people<'p>(&self, ids: impl Iterator<Item = &'p str>) -> Result<BTreeMap<String, PersonRow>> {
        let mut ids: Vec<&str> = ids.collect();
        ids.sort_unstable();
        ids.dedup();
        let ids: Vec<RecordId> = ids.into_iter().map(|id| record("member", id)).collect();
        let sql = "SELECT record::id(id) AS id, full_name, code, unit, path, state FROM $ids";
        let rows: Vec<PersonRow> = self.backend.store().read(sql, vars! { ids: ids }).await?.rows(0)?;
        Ok(rows.into_iter().map(|person| (person.id.clone(), person)).collect())
    }
}

/// An office to be stored.
pub(crate) struct NewOffice<'n> {
    pub(crate) member: MemberId,
    pub(crate) role: Role,
    pub(crate) unit: &'n UnitRef,
    pub(crate) period: Period,
    /// None for the command line.
    pub(crate) by: Option<MemberId>,
    /// The unit of the office by which the role is granted.
    pub(crate) given_from: Option<UnitId>,
}

/// The unit, if the viewer may see its roles: by an office, not only as a member.
fn visible<'t>(viewer: &Viewer, tree: &'t Tree, unit: UnitId) -> Result<&'t UnitRef> {
    let unit = tree.get(unit).ok_or(Error::NotFound)?;
    if viewer.standpoint.may_by_office(Action::ReadUnit, &unit.path) {
        Ok(unit)
    } else if viewer.standpoint.may(Action::ReadUnit, &unit.path) {
        Err(Error::NotAllowed)
    } else {
        Err(Error::NotFound)
    }
}

const COLUMNS: &str = "member, role, unit, `from`, until, granted_by, granted_from, ended_by";

#[derive(Debug, SurrealValue)]
struct OfficeRow {
    id: String,
    member: String,
    role: String,
    unit: String,
    from: String,
    until: Option<String>,
    granted_by: Option<String>,
    granted_from: Option<String>,
    ended_by: Option<String>,
}

impl OfficeRow {
    /// Ids of all members in the row.
    fn people(&self) -> impl Iterator<Item = &str> {
        [Some(&self.member), self.granted_by.as_ref(), self.ended_by.as_ref()].into_iter().flatten().map(String::as_str)
    }

    fn role(&self) -> Result<Role> {
        Role::from_key(&self.role).ok_or_else(|| self.damaged())
    }

    fn period(&self) -> Result<Period> {
        let day = |text: &String| text.parse::<NaiveDate>().map_err(|_| self.damaged());
        Ok(Period { from: day(&self.from)?, until: self.until.as_ref().map(day).transpose()? })
    }

    /// The unit from which the role was granted; none for a closed unit, which restricts nobody.
    fn given_from<'t>(&self, tree: &'t Tree) -> Option<&'t UnitPath> {
        Some(&tree.named(self.granted_from.as_ref()?)?.path)
    }

    fn decode(self, viewer: &Viewer, tree: &Tree, people: &BTreeMap<String, PersonRow>, today: NaiveDate) -> Result<HeldOffice> {
        let name = |id: &Option<String>| id.as_ref().and_then(|id| people.get(id)).map(|person| person.full_name.clone());
        let person = people.get(&self.member).ok_or_else(|| self.damaged())?;
        let (role, period) = (self.role()?, self.period()?);
        let unit = tree.named(&self.unit).ok_or_else(|| self.damaged())?;
        let term = period.on(today);
        Ok(HeldOffice {
            id: self.id.parse().map_err(|_| self.damaged())?,
            role,
            member: self.member.parse().map_err(|_| self.damaged())?,
            name: person.full_name.clone(),
            branch: tree.named(&person.unit).map(|unit| unit.name.clone()),
            period,
            term,
            given_by: name(&self.granted_by),
            ended_by: name(&self.ended_by),
            may_end: term != Term::Over && viewer.standpoint.ends(role, &unit.path, self.given_from(tree)),
        })
    }

    fn damaged(&self) -> Error {
        Error::Damaged(format!("office {}", self.id))
    }
}

#[derive(Debug, SurrealValue)]
struct PersonRow {
    id: String,
    full_name: String,
    code: String,
    unit: String,
    path: String,
    state: String,
}

impl PersonRow {
    /// Whether the viewer may grant a role to this person, who must be an active member in the viewer's own subtree. Any other
    /// card is reported as unknown, so that the form does not reveal who is a member elsewhere.
    fn is_within_reach(&self, viewer: &Viewer) -> bool {
        let path = UnitPath::parse(&self.path);
        self.state == "active" && path.is_ok_and(|path| viewer.standpoint.may_by_office(Action::GrantRoles, &path))
    }
}

#[derive(Debug, SurrealValue)]
struct StoredOffice {
    member: String,
    role: String,
    unit: String,
    path: String,
    from: String,
    until: Option<String>,
    granted_by: Option<String>,
    granted_from: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn roles_are_found_by_indexes() {
        let store = migrated().await;
        let sql = format!("SELECT {COLUMNS} FROM office WHERE unit = $unit ORDER BY `from` DESC LIMIT {ROLES_MAX}");
        store.assert_no_scan(&sql, vars! { unit: "01ARZ3NDEKTSV4RRFFQ69G5FAV" }).await;
        store.assert_no_scan("SELECT full_name FROM member WHERE code = $card", vars! { card: "51001234" }).await;
    }
}
