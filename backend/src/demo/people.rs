//! Units, members, offices and accounts of the sample.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, Months, NaiveDate, TimeDelta, Utc};
use domain::{
    accounts::{Password, Preferences, TextSize},
    ids::MemberId,
    members::{NationalId, PhoneNumber, Sex, Standing},
    policy::Role,
    units::{Meets, UnitRef},
};
use rand::RngCore as _;

use super::{
    Size,
    cast::{CAST, NEWCOMERS, NEWCOMERS_BRANCH, Newcomer, PASSWORD, Player},
    dice::Dice,
    files::{self, BySex, Names, UnitEntry},
    registry::{NewMember, Registry},
};
use crate::{Backend, Error, Result};

/// The day on which the units of the sample began: before the districts ended, so that the tree has a past.
const FOUNDED: (i32, u32, u32) = (2020, 8, 1);

/// How long ago the registry was filled.
pub(super) const REGISTERED_AGO: TimeDelta = TimeDelta::days(430);

/// Minimum age of an event in the sample: the process that loads it must not tail its events as new.
pub(super) const JUST_NOW: TimeDelta = TimeDelta::minutes(2);

/// Keys of levels of the party pack, in which the sample is written.
pub(super) const PROVINCE: &str = "province";
pub(super) const BASE: &str = "base";
pub(super) const SECTION: &str = "section";

/// The kind of a branch, which determines its age and sex distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Milieu {
    Neighbourhood,
    Coast,
    School,
    Office,
    Company,
    Retired,
}

impl Milieu {
    fn of(unit: &UnitEntry) -> Self {
        let is = |word: &str| unit.name.contains(word);
        if is("hưu trí") {
            Self::Retired
        } else if is("Trường") && !is("thôn") && !is("khu phố") {
            Self::School
        } else if is("Công ty") || is("Hợp tác xã") || is("Xí nghiệp") || is("Quỹ tín dụng") {
            Self::Company
        } else if is("khu phố") || is("tổ dân phố") {
            Self::Neighbourhood
        } else if is("thôn") {
            if unit.parent == "commune" || unit.parent == "commune-5" { Self::Coast } else { Self::Neighbourhood }
        } else {
            Self::Office
        }
    }

    /// Minimum and maximum age, and percentage of women.
    const fn ages(self) -> (i64, i64, i64) {
        match self {
            Self::Neighbourhood => (19, 91, 40),
            Self::Coast => (19, 86, 30),
            Self::School => (23, 60, 72),
            Self::Office => (22, 61, 42),
            Self::Company => (20, 62, 38),
            Self::Retired => (58, 91, 45),
        }
    }
}

/// A member of the sample.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) id: MemberId,
    /// The unit the person is registered in: the branch, or a group of it.
    pub(super) unit: UnitRef,
    pub(super) name: String,
    pub(super) age: i64,
    pub(super) standing: Standing,
    /// `None`: cannot sign in.
    pub(super) activated_at: Option<DateTime<Utc>>,
    /// Time of the last activity. All activity in the sample is between activation and this.
    pub(super) last_use: DateTime<Utc>,
    /// Relative amount of reading, in percent of the usual.
    pub(super) zeal: i64,
    pub(super) at_sea: bool,
    player: Option<usize>,
}

impl Person {
    /// Whether this person has a demo account.
    pub(super) fn is_player(&self) -> bool {
        self.player.is_some()
    }

    /// The start of the person's use of the handbook in `from..`, if any; `None` without an account.
    pub(super) fn uses_after(&self, from: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let start = self.activated_at?.max(from);
        (start < self.last_use).then_some(start)
    }
}

#[derive(Debug)]
pub(super) struct Branch {
    pub(super) key: String,
    pub(super) short_name: String,
    pub(super) unit: UnitRef,
    pub(super) milieu: Milieu,
    /// With those of its groups.
    pub(super) people: Vec<Person>,
    /// Index in `people`.
    pub(super) secretary: usize,
}

impl Branch {
    pub(super) fn secretary(&self) -> &Person {
        &self.people[self.secretary]
    }
}

/// The committee of a unit above the branches, except the root.
#[derive(Debug)]
pub(super) struct Committee {
    pub(super) unit: UnitRef,
    /// The members, the secretary first.
    pub(super) members: Vec<Seat>,
    /// None in a section.
    pub(super) editors: Vec<Seat>,
}

/// An office holder: index of the branch, and of the person in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seat {
    branch: usize,
    person: usize,
}

#[derive(Debug)]
pub(super) struct Organisation {
    /// The open units.
    pub(super) units: BTreeMap<String, UnitRef>,
    pub(super) branches: Vec<Branch>,
    pub(super) committees: BTreeMap<String, Committee>,
}

impl Organisation {
    pub(super) fn at(&self, seat: Seat) -> (&Branch, &Person) {
        let branch = &self.branches[seat.branch];
        (branch, &branch.people[seat.person])
    }

    pub(super) fn unit(&self, key: &str) -> Result<&UnitRef> {
        self.units.get(key).ok_or_else(|| Error::Internal(format!("the sample has no unit {key}")))
    }

    pub(super) fn branch(&self, key: &str) -> Result<&Branch> {
        let found = self.branches.iter().find(|branch| branch.key == key);
        found.ok_or_else(|| Error::Internal(format!("the sample has no branch {key}")))
    }

    pub(super) fn people(&self) -> impl Iterator<Item = &Person> {
        self.branches.iter().flat_map(|branch| &branch.people)
    }
}

/// Writes the registry and returns its people.
pub(super) async fn found(backend: &Backend, seed: u64, size: Size) -> Result<Organisation> {
    let now = backend.clock().now();
    let since = now - REGISTERED_AGO;
    let (year, month, day) = FOUNDED;
    let founded = NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default();
    let mut registry = Registry::new(backend, seed, since).with_units_since(founded);
    let mut founder = Founder {
        now,
        since,
        today: backend.clock().today(),
        names: files::names()?,
        dice: Dice::new(seed, 2),
        serial: 100,
        likenesses: BTreeMap::new(),
    };

    let mut organisation = Organisation { units: BTreeMap::new(), branches: Vec::new(), committees: BTreeMap::new() };
    let mut ended: BTreeMap<String, (UnitRef, NaiveDate)> = BTreeMap::new();
    for mut entry in files::units()? {
        entry.members = entry.members.min(size.members_of_branch);
        let parent = if entry.parent.is_empty() { None } else { Some(organisation.unit(&entry.parent)?) };
        if let (Some(parent), Some(on)) = (parent, entry.ended_on) {
            let unit = registry.ended_unit(parent, entry.kind, &entry.code, &entry.name, on)?;
            ended.insert(entry.key, (unit, on));
            continue;
        }
        let unit = registry.unit(parent, entry.kind, &entry.code, &entry.name)?;
        if let (Some(parent), Some(former)) = (parent, &entry.formerly_below) {
            let unknown = || Error::Internal(format!("the sample has no former unit {former}"));
            let (former, on) = ended.get(former).ok_or_else(unknown)?;
            registry.moved(&unit, former, parent, *on);
        }
        organisation.units.insert(entry.key.clone(), unit.clone());
        if entry.kind.is_home() {
            organisation.branches.push(founder.branch(&mut registry, &entry, unit)?);
        } else if entry.kind.holds_members() {
            let branch = organisation.branches.iter_mut().find(|branch| branch.key == entry.parent);
            let branch = branch.ok_or_else(|| Error::Internal(format!("the group {} is below no branch", entry.key)))?;
            founder.group(&mut registry, &entry, &unit, branch)?;
        }
    }
    founder.offices(&mut registry, &mut organisation)?;
    founder.accounts(&mut registry, &organisation).await?;
    registry.save().await?;
    Ok(organisation)
}

struct Founder {
    now: DateTime<Utc>,
    since: DateTime<Utc>,
    today: NaiveDate,
    names: Names,
    dice: Dice,
    serial: u32,
    /// People who get a duplicate record, by the key of their branch.
    likenesses: BTreeMap<&'static str, Likeness>,
}

/// The fields that two records of one person share.
#[derive(Debug, Clone)]
struct Likeness {
    name: String,
    sex: Sex,
    birth_date: NaiveDate,
}

/// Branches whose last people are recorded twice: the second record is in the second branch.
const DUPLICATES: [(&str, &str); 2] = [("ward-24", "ward-46"), ("ward-61", "ward-62")];

/// The branch whose last member has an impossible date: admitted as a child.
const IMPOSSIBLE: &str = "ward-59";

/// One in this many people has no phone number on file.
const WITHOUT_PHONE: u32 = 16;

/// How the figures of one branch differ from another's, in percent.
struct Spirit {
    activated: i64,
    active: i64,
}

impl Founder {
    fn branch(&mut self, registry: &mut Registry<'_>, entry: &UnitEntry, unit: UnitRef) -> Result<Branch> {
        let milieu = Milieu::of(entry);
        let mut people = self.people(registry, milieu, entry, &unit, BTreeSet::new())?;
        if entry.key == "fishing" {
            // The fisherman and two others are at sea for a long time.
            people.iter_mut().filter(|person| person.player == Some(0)).for_each(|person| person.at_sea = true);
            let others = people
                .iter_mut()
                .filter(|person| person.player.is_none() && person.activated_at.is_some() && (25..60).contains(&person.age));
            others.take(2).for_each(|person| person.at_sea = true);
        }
        Ok(Branch { key: entry.key.clone(), short_name: entry.short_name.clone(), unit, milieu, people, secretary: 0 })
    }

    /// Registers the members of a group in it (tổ đảng). They are people of its branch.
    fn group(&mut self, registry: &mut Registry<'_>, entry: &UnitEntry, unit: &UnitRef, branch: &mut Branch) -> Result<()> {
        let taken = branch.people.iter().map(|person| person.name.clone()).collect();
        branch.people.extend(self.people(registry, branch.milieu, entry, unit, taken)?);
        Ok(())
    }

    /// The people registered in a unit, none with a name that is `taken`.
    fn people(
        &mut self,
        registry: &mut Registry<'_>,
        milieu: Milieu,
        entry: &UnitEntry,
        unit: &UnitRef,
        mut taken: BTreeSet<String>,
    ) -> Result<Vec<Person>> {
        let spirit =
            Spirit { activated: 100 - self.dice.between(0, 41).min(self.dice.between(8, 49)), active: self.dice.between(52, 89) };
        let mut people = Vec::with_capacity(entry.members);
        for (index, player) in CAST.iter().enumerate().filter(|(_, player)| player.branch == entry.key) {
            taken.insert(player.name.to_owned());
            people.push(self.player(registry, index, player, unit)?);
        }
        for newcomer in NEWCOMERS.iter().filter(|_| entry.key == NEWCOMERS_BRANCH) {
            taken.insert(newcomer.name.to_owned());
            people.push(self.newcomer(registry, newcomer, unit)?);
        }
        while people.len() < entry.members {
            let is_last = people.len() + 1 == entry.members;
            let key = if is_last { entry.key.as_str() } else { "" };
            let person = self.person(registry, milieu, &spirit, unit, &mut taken, key)?;
            people.push(person);
        }
        Ok(people)
    }

    fn player(&mut self, registry: &mut Registry<'_>, index: usize, player: &Player, unit: &UnitRef) -> Result<Person> {
        let (year, month, day) = player.born;
        let birth_date = NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default();
        let admitted_on = match player.standing {
            Standing::Probationary => self.today - TimeDelta::days(150),
            _ => birth_date + Months::new(12 * 23),
        };
        let national_id = NationalId::parse(player.national_id).map_err(|problem| Error::Internal(format!("{problem:?}")))?;
        let (phone, dates) = (self.phone()?, (birth_date, admitted_on));
        let id = self.register(registry, player.name, player.sex, dates, player.standing, &national_id, Some(&phone), unit)?;
        // The fisherman has been at sea for five days, so the papers of the next meeting are new to him.
        let last_use = if index == 0 { self.now - TimeDelta::days(5) } else { self.just_now() };
        Ok(Person {
            id,
            unit: unit.clone(),
            name: player.name.to_owned(),
            age: self.age(birth_date),
            standing: player.standing,
            activated_at: Some(self.since + TimeDelta::days(20)),
            last_use,
            zeal: 110,
            at_sea: false,
            player: Some(index),
        })
    }

    fn newcomer(&mut self, registry: &mut Registry<'_>, newcomer: &Newcomer, unit: &UnitRef) -> Result<Person> {
        let (year, month, day) = newcomer.born;
        let birth_date = NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default();
        let admitted_on = birth_date + Months::new(12 * 24);
        let national_id = NationalId::parse(newcomer.national_id).map_err(|problem| Error::Internal(format!("{problem:?}")))?;
        let phone = if newcomer.has_phone { Some(self.phone()?) } else { None };
        let dates = (birth_date, admitted_on);
        let standing = Standing::Official;
        let id = self.register(registry, newcomer.name, newcomer.sex, dates, standing, &national_id, phone.as_ref(), unit)?;
        Ok(Person {
            id,
            unit: unit.clone(),
            name: newcomer.name.to_owned(),
            age: self.age(birth_date),
            standing,
            activated_at: None,
            last_use: self.since,
            zeal: 0,
            at_sea: false,
            player: None,
        })
    }

    fn person(
        &mut self,
        registry: &mut Registry<'_>,
        milieu: Milieu,
        spirit: &Spirit,
        unit: &UnitRef,
        taken: &mut BTreeSet<String>,
        // Key of the branch for its last person, whose record may have a quality issue.
        odd: &str,
    ) -> Result<Person> {
        let likeness =
            DUPLICATES.iter().find(|(_, second)| *second == odd).and_then(|(first, _)| self.likenesses.get(first)).cloned();
        let (youngest, oldest, women) = milieu.ages();
        let sex = if self.dice.chance(women) { Sex::Female } else { Sex::Male };
        // The mean of two draws: few are very young or very old.
        let mut throw = || self.dice.between(youngest * 365 + 10, oldest * 365);
        let days = i64::midpoint(throw(), throw());
        let birth_date = self.today - TimeDelta::days(days);
        let (sex, birth_date) = likeness.as_ref().map_or((sex, birth_date), |known| (known.sex, known.birth_date));
        let age = self.age(birth_date);
        let admitted_on = self.admission(birth_date);
        let admitted_on = if odd == IMPOSSIBLE { birth_date + Months::new(12 * 9) } else { admitted_on };
        let standing = if self.today < admitted_on + Months::new(12) {
            Standing::Probationary
        } else if age >= 75 && self.dice.chance(25) {
            Standing::Exempt
        } else {
            Standing::Official
        };
        let name = self.name(sex, taken);
        let name = likeness.map_or(name, |known| known.name);
        if let Some((first, _)) = DUPLICATES.iter().find(|(first, _)| *first == odd) {
            self.likenesses.insert(first, Likeness { name: name.clone(), sex, birth_date });
        }
        let national_id = self.national_id(sex, birth_date)?;
        let has_phone = !(self.serial + 1).is_multiple_of(WITHOUT_PHONE);
        let (phone, dates) = (self.phone()?, (birth_date, admitted_on));
        let id = self.register(registry, &name, sex, dates, standing, &national_id, has_phone.then_some(&phone), unit)?;
        // Older people have activated less often.
        let reluctance = if age >= 75 { 25 } else { 0 };
        let activated_at = self
            .dice
            .chance(spirit.activated - reluctance)
            .then(|| self.dice.early_moment(self.since + TimeDelta::days(12), self.now - TimeDelta::days(14)));
        let last_use = if self.dice.chance(spirit.active) {
            self.dice.early_moment(self.now - TimeDelta::days(6), self.now).max(self.now - TimeDelta::days(6))
        } else {
            let earliest = activated_at.unwrap_or(self.since);
            let latest = self.now - TimeDelta::days(9);
            self.dice.moment(earliest, latest).max(self.dice.moment(earliest, latest))
        };
        Ok(Person {
            id,
            unit: unit.clone(),
            name,
            age,
            standing,
            activated_at,
            last_use: last_use.min(self.now - JUST_NOW),
            zeal: self.dice.between(20, 170),
            at_sea: false,
            player: None,
        })
    }

    #[expect(clippy::too_many_arguments, reason = "the columns of a row")]
    fn register(
        &mut self,
        registry: &mut Registry<'_>,
        full_name: &str,
        sex: Sex,
        (birth_date, admitted_on): (NaiveDate, NaiveDate),
        standing: Standing,
        national_id: &NationalId,
        phone: Option<&PhoneNumber>,
        unit: &UnitRef,
    ) -> Result<MemberId> {
        self.serial += 1;
        registry.member(&NewMember {
            code: &format!("51.{:06}", self.serial),
            full_name,
            sex,
            birth_date,
            admitted_on,
            standing,
            national_id,
            phone,
            unit,
        })
    }

    /// The phone number of the next person registered.
    fn phone(&self) -> Result<PhoneNumber> {
        PhoneNumber::parse(&format!("0900{:06}", self.serial + 1)).map_err(|problem| Error::Internal(format!("{problem:?}")))
    }

    /// Admitted between 18 and 40, never in the future.
    fn admission(&mut self, birth_date: NaiveDate) -> NaiveDate {
        let earliest = birth_date + Months::new(12 * 18 + 1);
        let latest = (birth_date + Months::new(12 * 40)).min(self.today - TimeDelta::days(20));
        let span = (latest - earliest).num_days();
        // The lower of two draws: most are admitted young.
        earliest + TimeDelta::days(self.dice.between(0, span).min(self.dice.between(span / 6, span)))
    }

    fn age(&self, birth_date: NaiveDate) -> i64 {
        self.today.years_since(birth_date).map_or(0, i64::from)
    }

    /// Names are unique within a branch, so that nobody is a duplicate by accident.
    fn name(&mut self, sex: Sex, taken: &mut BTreeSet<String>) -> String {
        loop {
            let family = self.family_name();
            let of = |names: &BySex| if sex == Sex::Female { names.female.clone() } else { names.male.clone() };
            let (middle, given) = (of(&self.names.middle), of(&self.names.given));
            let parts = [Some(family), self.dice.pick(&middle).cloned(), self.dice.pick(&given).cloned()];
            let name = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
            let repeats = name.split(' ').collect::<BTreeSet<_>>().len() < name.split(' ').count();
            if !repeats && taken.insert(name.clone()) {
                return name;
            }
        }
    }

    fn family_name(&mut self) -> String {
        let total: usize = self.names.family.iter().map(|family| family.weight).sum();
        let mut at = self.dice.below(total);
        for family in &self.names.family {
            if at < family.weight {
                return family.name.clone();
            }
            at -= family.weight;
        }
        "Nguyễn".to_owned()
    }

    /// Province, century and sex, year of birth, serial number: as on a real card, but of an unassigned province.
    fn national_id(&mut self, sex: Sex, birth_date: NaiveDate) -> Result<NationalId> {
        let century = if birth_date.year() < 2000 { 0 } else { 2 } + u8::from(sex == Sex::Female);
        let text = format!("951{century}{:02}{:06}", birth_date.year() % 100, self.serial);
        NationalId::parse(&text).map_err(|problem| Error::Internal(format!("{problem:?}")))
    }

    fn just_now(&mut self) -> DateTime<Utc> {
        self.dice.moment(self.now - TimeDelta::hours(40), self.now - JUST_NOW)
    }

    fn offices(&mut self, registry: &mut Registry<'_>, organisation: &mut Organisation) -> Result<()> {
        for branch in &mut organisation.branches {
            self.branch_offices(registry, branch);
        }
        let keys: Vec<String> = organisation
            .units
            .iter()
            .filter(|(_, unit)| unit.kind.meets() == Some(Meets::AsCommittee) && unit.path.parent().is_some())
            .map(|(key, _)| key.clone())
            .collect();
        for key in keys {
            let committee = self.committee(registry, organisation, &key)?;
            organisation.committees.insert(key, committee);
        }
        Ok(())
    }

    fn branch_offices(&mut self, registry: &mut Registry<'_>, branch: &mut Branch) {
        let mut held: Vec<usize> = Vec::new();
        for role in [Role::Secretary, Role::Deputy] {
            let of_cast = branch
                .people
                .iter()
                .position(|person| person.player.is_some_and(|player| CAST[player].office == Some((role, CAST[player].branch))));
            let needed = role == Role::Secretary || branch.people.len() >= 15 && self.dice.chance(88);
            let Some(person) = of_cast.or_else(|| needed.then(|| self.candidate(&branch.people, &held)).flatten()) else {
                continue;
            };
            held.push(person);
            if role == Role::Secretary {
                branch.secretary = person;
            }
            let unit = branch.unit.clone();
            self.appoint(registry, &mut branch.people[person], role, &unit);
        }
    }

    /// A suitable person for an office who has no demo account and holds none yet.
    fn candidate(&mut self, people: &[Person], held: &[usize]) -> Option<usize> {
        // A newcomer has never signed in, so holds no office.
        let is_newcomer = |person: &Person| NEWCOMERS.iter().any(|newcomer| newcomer.name == person.name);
        let fits = |(index, person): &(usize, &Person)| {
            let is_free = person.player.is_none() && !person.at_sea && !is_newcomer(person);
            is_free && person.standing == Standing::Official && !held.contains(index)
        };
        let mut fit: Vec<usize> = people
            .iter()
            .enumerate()
            .filter(fits)
            .filter(|(_, person)| (32..68).contains(&person.age))
            .map(|(index, _)| index)
            .collect();
        if fit.is_empty() {
            fit = people.iter().enumerate().filter(fits).map(|(index, _)| index).collect();
        }
        self.dice.pick(&fit).copied()
    }

    fn committee(&mut self, registry: &mut Registry<'_>, organisation: &mut Organisation, key: &str) -> Result<Committee> {
        let unit = organisation.unit(key)?.clone();
        let offices = self.offices_of(&unit);
        let has_editors = offices.iter().any(|(role, _)| *role == Role::Editor);
        let mut committee = Committee { unit: unit.clone(), members: Vec::new(), editors: Vec::new() };
        let mut held = BTreeSet::new();
        for (role, count) in offices {
            for number in 0..count {
                let of_cast = if number == 0 { cast_seat(organisation, role, key) } else { None };
                let Some(seat) = of_cast.or_else(|| self.committee_candidate(organisation, &unit, &held)) else { continue };
                held.insert(seat);
                self.appoint(registry, &mut organisation.branches[seat.branch].people[seat.person], role, &unit);
                match role {
                    Role::Secretary | Role::Deputy | Role::CommitteeMember => committee.members.push(seat),
                    Role::ChiefEditor | Role::Editor => committee.editors.push(seat),
                    Role::Registrar | Role::Statistician | Role::Operator => {}
                }
            }
        }
        if committee.members.is_empty() || has_editors && committee.editors.is_empty() {
            return Err(Error::Internal(format!("the sample has too few people for the committee of {key}")));
        }
        Ok(committee)
    }

    /// The offices on a unit, with the number of people in each. Smaller committees do without staff of their own.
    fn offices_of(&mut self, unit: &UnitRef) -> Vec<(Role, usize)> {
        let mut offices = vec![(Role::Secretary, 1), (Role::Deputy, 1)];
        match unit.kind.key() {
            SECTION => offices.push((Role::CommitteeMember, 1)),
            BASE => offices.extend([(Role::CommitteeMember, 2), (Role::Editor, 1)]),
            key => {
                offices.push((Role::CommitteeMember, 3 + self.dice.below(3)));
                offices.extend([(Role::ChiefEditor, 1), (Role::Editor, 2), (Role::Registrar, 1), (Role::Statistician, 1)]);
                if key == PROVINCE {
                    offices.push((Role::Operator, 1));
                }
            }
        }
        offices
    }

    fn committee_candidate(&mut self, organisation: &Organisation, unit: &UnitRef, held: &BTreeSet<Seat>) -> Option<Seat> {
        let below: Vec<usize> = (0..organisation.branches.len())
            .filter(|index| {
                let branch = &organisation.branches[*index];
                unit.path.contains(&branch.unit.path) && branch.milieu != Milieu::Retired
            })
            .collect();
        // People from office branches are preferred.
        let offices: Vec<usize> =
            below.iter().copied().filter(|index| organisation.branches[*index].milieu == Milieu::Office).collect();
        let branch = *self.dice.pick(if offices.len() > 4 { &offices } else { &below })?;
        let secretary = organisation.branches[branch].secretary;
        let taken: Vec<usize> =
            held.iter().filter(|seat| seat.branch == branch).map(|seat| seat.person).chain([secretary]).collect();
        let person = self.candidate(&organisation.branches[branch].people, &taken)?;
        Some(Seat { branch, person })
    }

    /// Office holders have an account and use it.
    fn appoint(&mut self, registry: &mut Registry<'_>, person: &mut Person, role: Role, unit: &UnitRef) {
        registry.office(person.id, role, unit, None);
        person.activated_at =
            Some(person.activated_at.unwrap_or(self.since + TimeDelta::days(15)).min(self.since + TimeDelta::days(25)));
        if person.player.is_none() {
            person.last_use = self.just_now();
            person.zeal = person.zeal.max(90);
        }
    }

    async fn accounts(&mut self, registry: &mut Registry<'_>, organisation: &Organisation) -> Result<()> {
        let nobodys = registry.hash(&password_nobody_knows()?).await?;
        let known = Password::parse(PASSWORD).map_err(|problem| Error::Internal(format!("{problem:?}")))?;
        for branch in &organisation.branches {
            for person in &branch.people {
                let Some(activated_at) = person.activated_at else { continue };
                let text_size = match person.age {
                    75.. if self.dice.chance(60) => TextSize::Largest,
                    60.. if self.dice.chance(50) => TextSize::Large,
                    _ => TextSize::Normal,
                };
                let preferences = Preferences { text_size, ..Preferences::default() };
                if person.player.is_some() {
                    let own = registry.hash(&known).await?;
                    registry.account(person.id, &person.unit, activated_at, &own, Preferences::default());
                } else {
                    registry.account(person.id, &person.unit, activated_at, &nobodys, preferences);
                }
            }
        }
        Ok(())
    }
}

/// From the system's entropy, not from the seed, so that the seed does not reveal a password.
fn password_nobody_knows() -> Result<Password> {
    let mut rng = rand::rng();
    let text = format!("{:016x}{:016x}", rng.next_u64(), rng.next_u64());
    Password::parse(&text).map_err(|problem| Error::Internal(format!("{problem:?}")))
}

/// The demo account that holds the office, if any.
fn cast_seat(organisation: &Organisation, role: Role, key: &str) -> Option<Seat> {
    let player = CAST.iter().position(|player| player.office == Some((role, key)))?;
    organisation.branches.iter().enumerate().find_map(|(branch, found)| {
        let person = found.people.iter().position(|person| person.player == Some(player))?;
        Some(Seat { branch, person })
    })
}
