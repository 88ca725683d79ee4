//! A registry of many members. Everything about a person is derived from their number.

use std::{path::Path, time::Instant};

use anyhow::{Result, anyhow};
use backend::{
    Backend,
    demo::{
        many,
        registry::{NewMember, Registry},
    },
};
use chrono::{Months, NaiveDate, TimeDelta};
use domain::{
    ids::MemberId,
    members::{NationalId, PhoneNumber, Sex, Standing},
    units::UnitRef,
};

use crate::{open, print_duration};

/// Members held in memory between writes.
const AT_ONCE: usize = 100_000;

const FAMILIES: [&str; 12] = ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ"];
const MIDDLES: [&str; 10] = ["Văn", "Thị", "Đức", "Minh", "Quốc", "Ngọc", "Thanh", "Hữu", "Xuân", "Kim"];
const GIVEN: [&str; 16] =
    ["An", "Bình", "Cường", "Dũng", "Đạt", "Giang", "Hà", "Hải", "Hương", "Khôi", "Lan", "Mai", "Nam", "Phúc", "Thắng", "Yến"];

/// Number of birth dates, from 1 January 1945 on.
const BIRTH_DATES: usize = 18_000;

/// Creates an organisation with members in all branches, without accounts.
pub(crate) async fn fill(folder: &Path, members: usize, seed: u64) -> Result<()> {
    let backend = open(folder).await?;
    many::organise(&backend, seed).await?;
    let start = Instant::now();
    let since = backend.clock().now() - TimeDelta::days(30);
    let tree = backend.units().tree();
    let branches: Vec<&UnitRef> = tree.all().filter(|unit| unit.kind.holds_members()).collect();
    for (chunk, first) in (1_u64..).zip((0..members).step_by(AT_ONCE)) {
        let mut registry = Registry::new(&backend, seed.wrapping_add(chunk), since);
        let until = members.min(first + AT_ONCE);
        for number in first..until {
            Person(number).register(&mut registry, branches[number % branches.len()])?;
        }
        registry.save().await?;
        println!("{until} of {members} members after {:.0} s", start.elapsed().as_secs_f64());
    }
    print_duration("members stored", start);
    Ok(())
}

/// The members of a unit, each with the branch.
pub(crate) fn members_of(backend: &Backend, unit: &UnitRef, members: usize) -> Vec<(Person, UnitRef)> {
    let tree = backend.units().tree();
    let branches: Vec<&UnitRef> = tree.all().filter(|unit| unit.kind.holds_members()).collect();
    let with_branch = (0..members).map(|number| (Person(number), branches[number % branches.len()]));
    let found = with_branch.filter(|(_, branch)| unit.path.contains(&branch.path));
    found.map(|(person, branch)| (person, branch.clone())).collect()
}

/// The member with this number.
#[derive(Clone, Copy)]
pub(crate) struct Person(pub(crate) usize);

impl Person {
    pub(crate) fn card(self) -> String {
        format!("51.{:08}", self.0)
    }

    pub(crate) fn national_id(self) -> String {
        format!("0510{:08}", self.0)
    }

    pub(crate) fn full_name(self) -> String {
        let mixed = self.mixed();
        let (family, mixed) = (FAMILIES[mixed % FAMILIES.len()], mixed / FAMILIES.len());
        let (middle, mixed) = (MIDDLES[mixed % MIDDLES.len()], mixed / MIDDLES.len());
        format!("{family} {middle} {}", GIVEN[mixed % GIVEN.len()])
    }

    pub(crate) fn birth_date(self) -> NaiveDate {
        let days = i64::try_from(self.mixed() / 7_919 % BIRTH_DATES).unwrap_or_default();
        NaiveDate::from_ymd_opt(1945, 1, 1).unwrap_or_default() + TimeDelta::days(days)
    }

    pub(crate) fn admitted_on(self) -> NaiveDate {
        self.birth_date() + Months::new(12 * 25)
    }

    /// Some have no phone.
    fn phone(self) -> Option<String> {
        (!self.0.is_multiple_of(9)).then(|| format!("09{:08}", self.0 % 100_000_000))
    }

    fn standing(self) -> Standing {
        if self.0.is_multiple_of(11) { Standing::Exempt } else { Standing::Official }
    }

    /// Permutes the numbers below 2³¹, so that neighbours differ.
    fn mixed(self) -> usize {
        self.0.wrapping_mul(1_103_515_245).wrapping_add(12_345) & 0x7fff_ffff
    }

    pub(crate) fn register(self, registry: &mut Registry<'_>, branch: &UnitRef) -> Result<MemberId> {
        let national_id = NationalId::parse(&self.national_id()).map_err(|problem| anyhow!("a national ID: {problem:?}"))?;
        let phone = self.phone().map(|phone| PhoneNumber::parse(&phone)).transpose();
        let phone = phone.map_err(|problem| anyhow!("a phone: {problem:?}"))?;
        let member = registry.member(&NewMember {
            code: &self.card(),
            full_name: &self.full_name(),
            sex: Sex::Male,
            birth_date: self.birth_date(),
            admitted_on: self.admitted_on(),
            standing: self.standing(),
            national_id: &national_id,
            phone: phone.as_ref(),
            unit: branch,
        })?;
        Ok(member)
    }
}
