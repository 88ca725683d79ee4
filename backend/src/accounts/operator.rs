//! Creating the first administrator on the command line. The operator is not authenticated: access to the machine gives access to
//! the data.
//!
//! In an empty store it also creates the root unit and a branch for its office, since every member belongs to a branch. The
//! registrar created here, or appointed by the operator, enters everything else by imports or forms.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use domain::{
    events::EventBody,
    ids::{MemberId, UnitId},
    members::{CardNumber, FullName, NationalId, Sex, Standing},
    offices::Period,
    policy::Role,
    units::{UnitKind, UnitPath, UnitRef, is_code},
};
use ulid::Ulid;

use super::Accounts;
use crate::{
    Error, Result,
    change::Change,
    events::NewEvent,
    members::rows::{NewMember, NewQualityIssue, Particulars},
    offices::NewOffice,
    store::{StoreError, SurrealValue, vars},
    units::NewUnit,
};

/// Code of the office's branch, below its unit.
const OFFICE_CODE: &str = "VP";

/// Minimum age of a member (Điều lệ Đảng, điều 1).
const AGE_MIN: i32 = 18;

/// The administrator to be created, as typed on the command line.
#[derive(Debug, Clone, Copy)]
pub struct NewAdmin<'f> {
    pub name: &'f str,
    pub national_id: &'f str,
    pub role: Role,
    /// Name of the unit, new or existing. None for the root.
    pub unit: Option<&'f str>,
    /// Key of the level of a new root unit.
    pub level: &'f str,
    /// Code of a new root unit.
    pub code: &'f str,
    /// Number of the member's card; generated when it is none.
    pub card: Option<&'f str>,
    /// The organisation's word for a branch, capitalised as the first word of a name: `Chi bộ`.
    pub branch: &'f str,
}

/// The result of [`Accounts::create_admin`].
#[derive(Clone)]
pub struct Admin {
    pub name: String,
    /// The unit of the role.
    pub unit: UnitRef,
    /// Whether the person was already in the registry.
    pub was_registered: bool,
    /// A one-time paper code for the next sign-in, without the dash; none for a person who can already sign in and did not have
    /// the role.
    pub code: Option<String>,
}

impl Accounts<'_> {
    /// Registers a person, grants them the role and issues a code for the first sign-in. A registered person who can sign in gets
    /// only the role, or only a code if they already have the role.
    ///
    /// # Errors
    /// [`Error::Internal`] with a message for the operator, which never contains the ID.
    pub async fn create_admin(&self, typed: NewAdmin<'_>) -> Result<Admin> {
        let name = FullName::entered(typed.name)
            .map_err(|_| internal_error("the name must be one line of letters, at most 100 characters"))?;
        let id =
            NationalId::parse(typed.national_id).map_err(|_| internal_error("the national ID must have exactly 12 digits"))?;
        let person = self.registered(&id).await?;
        let was_registered = person.is_some();
        let (member, name, unit, can_sign_in) = match person {
            Some(person) => {
                let unit = self.chosen_unit(typed)?;
                let member = person.id.parse().map_err(|_| Error::Damaged(format!("member {}", person.id)))?;
                if person.state != "active" {
                    return Err(internal_error(
                        "the person with this national ID is in the registry, but is not a member any more",
                    ));
                }
                (member, person.full_name, unit, person.activated_at.is_some())
            }
            None => {
                let (member, unit) = self.register_admin(typed, &name, &id).await?;
                (member, name.as_str().to_owned(), unit, false)
            }
        };
        let period = Period { from: self.backend.clock().today(), until: None };
        let office = NewOffice { member, role: typed.role, unit: &unit, period, by: None, given_from: None };
        let held = match self.backend.offices().write(office).await {
            Ok(_) => false,
            // For a person who has the role, this is the account recovery: nobody above the root unit can issue a code.
            Err(StoreError::Thrown(_)) => true,
            Err(error) => return Err(error.into()),
        };
        let code = if can_sign_in && !held { None } else { Some(self.first_code(member).await?) };
        Ok(Admin { name, unit, was_registered, code })
    }

    async fn registered(&self, id: &NationalId) -> Result<Option<RegisteredRow>> {
        let sql = "SELECT record::id(id) AS id, full_name, state, type::record('account', record::id(id)).activated_at AS activated_at \
                   FROM member WHERE id_hash = $hash LIMIT 1";
        let hash = self.backend.keys().lookup("id", id.expose());
        Ok(self.backend.store().read(sql, vars! { hash: hash }).await?.row(0)?)
    }

    /// The unit with the given name, or the root.
    fn chosen_unit(&self, typed: NewAdmin<'_>) -> Result<UnitRef> {
        let tree = self.backend.units().tree();
        // The path of the root is the prefix of all others, so it sorts first.
        let root = tree.all().next().ok_or_else(|| Error::Damaged("the tree of units has no root".to_owned()))?;
        let Some(name) = typed.unit else { return Ok(root.clone()) };
        let mut named = tree.subtree(&root.path).filter(|unit| unit.name == name || unit.path.as_str() == name);
        match (named.next(), named.next()) {
            (Some(unit), None) => Ok(unit.clone()),
            (Some(_), Some(_)) => {
                Err(internal_error("several units have this name: give the path of one, as /01/51/, with --unit"))
            }
            (None, _) => {
                Err(internal_error("there is no unit of this name; --unit takes a name as it is written, or a path as /01/51/"))
            }
        }
    }

    /// Registers the person and creates missing units in one transaction. Returns the member and the unit for the role.
    async fn register_admin(&self, typed: NewAdmin<'_>, name: &FullName, id: &NationalId) -> Result<(MemberId, UnitRef)> {
        let clock = self.backend.clock();
        let tree = self.backend.units().tree();
        let today = clock.today();
        let (sex, birth_date) = read_id(id, today)?;
        let mut founded = Vec::new();
        let unit = if tree.is_empty() {
            let unit = self.first_unit(typed)?;
            founded.push(unit.clone());
            unit
        } else {
            self.chosen_unit(typed)?
        };
        let branch = if unit.kind.holds_members() {
            unit.clone()
        } else {
            let path = unit.path.child(OFFICE_CODE).map_err(|error| Error::Internal(error.to_string()))?;
            match tree.at(&path) {
                Some(branch) => branch.clone(),
                None => {
                    let kind = office_level(unit.kind, today)?;
                    let name = format!("{} Văn phòng {}", typed.branch, unit.name);
                    let branch = UnitRef { id: UnitId::new(clock.ulid()), kind, name, path };
                    founded.push(branch.clone());
                    branch
                }
            }
        };
        let card = match typed.card {
            Some(card) => {
                CardNumber::parse(card).map_err(|_| internal_error("the card number may have letters, digits, - and / only"))?
            }
            None => made_up_card(clock.ulid())?,
        };
        let member = MemberId::new(clock.ulid());
        let says = Particulars {
            full_name: name.clone(),
            card,
            sex,
            birth_date,
            admitted_on: today,
            official_on: Some(today),
            standing: Standing::Official,
            national_id: Some(id.clone()),
            phone: None,
        };
        let quality_issues: Vec<_> = says
            .quality_issues(today)
            .into_iter()
            .map(|quality_issue| NewQualityIssue::new(quality_issue, member, &branch.path))
            .collect();
        let registered = EventBody::MemberRegistered { member, standing: None };
        let mut log = vec![NewEvent::now(clock, None, &branch.path, registered)];
        log.extend(founded.iter().map(|unit| NewEvent::now(clock, None, &unit.path, EventBody::UnitCreated(unit.id))));
        let vars = vars! {
            units: founded.iter().map(|unit| NewUnit::new(unit, today)).collect::<Vec<_>>(),
            // No version, as for imported members.
            row: NewMember { version: None, ..NewMember::new(self.backend, member, &says, &branch, today)? },
            flaws: quality_issues,
        };
        // Incrementing the version makes concurrent changes fail that were checked against the tree without these units.
        let sql = "INSERT INTO unit $units RETURN NONE; UPSERT tree:units SET version = (version ?? 0) + 1 RETURN NONE; \
                   INSERT INTO flaw $flaws RETURN NONE; INSERT INTO member $row RETURN NONE;";
        self.backend.transact(Change::new(sql, vars).events(log)).await.map_err(|error| match error {
            StoreError::Taken { index } if index == "member_code" => internal_error("another member has this card number"),
            error => error.into(),
        })?;
        self.backend.units().reload(self.backend.store()).await?;
        Ok((member, unit))
    }

    fn first_unit(&self, typed: NewAdmin<'_>) -> Result<UnitRef> {
        let name =
            typed.unit.ok_or_else(|| internal_error("the store is empty: say the name of the organisation with --unit"))?;
        let name = domain::forms::bounded_line(name, 200).map_err(|_| internal_error("the unit's name must be one line"))?;
        let level = root_level(typed.level, self.backend.clock().today())?;
        if !is_code(typed.code) {
            return Err(internal_error("the unit's code may have letters, digits and - only"));
        }
        let path = UnitPath::parse(&format!("/{}/", typed.code)).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(UnitRef { id: UnitId::new(self.backend.clock().ulid()), kind: level, name, path })
    }
}

/// The level of a new root unit.
fn root_level(key: &str, today: NaiveDate) -> Result<UnitKind> {
    let is_top = |level: &UnitKind| !level.holds_members() || UnitKind::all().all(|above| !level.hangs_on(above));
    let fits = |level: &UnitKind| is_top(level) && level.may_begin_on(today);
    if let Some(level) = UnitKind::from_key(key).filter(fits) {
        return Ok(level);
    }
    let choices: Vec<&str> = UnitKind::all().filter(fits).map(UnitKind::key).collect();
    Err(Error::Internal(format!("the organisation cannot be of the level {key:?}: --level is one of {}", choices.join(", "))))
}

/// The level of the office's branch: members are registered in it, and it may hang on the unit. Preferably what members call their
/// branch.
fn office_level(above: UnitKind, today: NaiveDate) -> Result<UnitKind> {
    let mut below: Vec<UnitKind> = above.levels_below(today).filter(|level| level.holds_members()).collect();
    below.sort_by_key(|level| !level.is_home());
    below.first().copied().ok_or_else(|| {
        internal_error(
            "no level of the terminology pack in which members are registered may hang on this unit: choose another --unit",
        )
    })
}

fn internal_error(sentence: &str) -> Error {
    Error::Internal(sentence.to_owned())
}

/// Reads sex and year of birth from a national ID (Nghị định 137/2015/NĐ-CP, điều 13): after three digits of the place come one
/// digit of century and sex and two of the year. The birth date is set to the first day of that year until the record is
/// corrected.
fn read_id(id: &NationalId, today: NaiveDate) -> Result<(Sex, NaiveDate)> {
    let refused =
        || internal_error("the national ID is of nobody who could be a member: it names no birth eighteen years ago or more");
    let digit = |at: usize| id.expose().as_bytes().get(at).map_or(0, |byte| i32::from(byte - b'0'));
    let (century, year) = (1900 + digit(3) / 2 * 100, digit(4) * 10 + digit(5));
    let sex = if digit(3) % 2 == 0 { Sex::Male } else { Sex::Female };
    let birth_date = NaiveDate::from_ymd_opt(century + year, 1, 1).ok_or_else(refused)?;
    if today.year() - birth_date.year() < AGE_MIN { Err(refused()) } else { Ok((sex, birth_date)) }
}

/// A card number for a person without a card. It cannot be mistaken for a real one.
fn made_up_card(id: Ulid) -> Result<CardNumber> {
    let text = id.to_string();
    CardNumber::parse(&format!("VP-{}", &text[text.len() - 12..])).map_err(|_| internal_error("no card number could be made"))
}

#[derive(Debug, SurrealValue)]
struct RegisteredRow {
    id: String,
    full_name: String,
    state: String,
    activated_at: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_national_id_contains_sex_and_year_of_birth() {
        let today = NaiveDate::from_ymd_opt(2026, 11, 21).expect("a day");
        let read = |id: &str| read_id(&NationalId::parse(id).expect("twelve digits"), today).ok();
        let new_year = |year: i32| NaiveDate::from_ymd_opt(year, 1, 1).expect("a day");
        assert_eq!(read("051090001234"), Some((Sex::Male, new_year(1990))));
        assert_eq!(read("051175001234"), Some((Sex::Female, new_year(1975))));
        assert_eq!(read("051201001234"), Some((Sex::Male, new_year(2001))));
        assert_eq!(read("051308001234"), Some((Sex::Female, new_year(2008))));
        assert_eq!(read("051209001234"), None, "seventeen");
        assert_eq!(read("051490001234"), None, "not born yet");
    }
}
