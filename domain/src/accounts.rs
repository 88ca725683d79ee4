//! Accounts and sign-in, and what a page carries about the signed-in person.

pub mod codes;

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};
use unicode_normalization::UnicodeNormalization;

use crate::{
    Locale,
    forms::Problem,
    ids::{MemberId, SessionId, UnitId},
    policy::{Action, Role, Standpoint},
    units::UnitRef,
};

/// A password, independent of the keyboard it was typed on. 12 to 256 characters; no composition rules (NIST SP 800-63B-4
/// §3.1.1.2). Text is normalised to NFC before it is counted and hashed, as RFC 8265 requires.
#[derive(Clone, PartialEq, Eq)]
pub struct Password {
    composed: String,
    typed: String,
}

impl Password {
    pub const MIN: u32 = 12;
    pub const MAX: u32 = 256;

    /// Parses a new password.
    ///
    /// # Errors
    /// [`Problem::Required`], [`Problem::TooShort`], [`Problem::TooLong`].
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        if typed.nfc().count() < Self::MIN as usize && !typed.is_empty() {
            return Err(Problem::TooShort { min: Self::MIN });
        }
        Self::attempt(typed)
    }

    /// Parses a password for signing in. A minimum length is not checked; the maximum bounds the cost of an argon2 run.
    ///
    /// # Errors
    /// [`Problem::Required`], [`Problem::TooLong`].
    pub fn attempt(typed: &str) -> Result<Self, Problem> {
        match typed.nfc().count() {
            0 => Err(Problem::Required),
            n if n > Self::MAX as usize => Err(Problem::TooLong { max: Self::MAX }),
            _ => Ok(Self { composed: typed.nfc().collect(), typed: typed.to_owned() }),
        }
    }

    /// The text to hash.
    pub fn expose(&self) -> &str {
        &self.composed
    }

    /// The same password as different keyboards encode it: NFC, as typed, NFD, and with only the tones decomposed, as the Windows
    /// keyboard does. Older passwords were hashed as typed. The number of spellings depends on the password alone; a password
    /// without marks has one.
    pub fn spellings(&self) -> Vec<String> {
        let apart = self.composed.nfd().collect();
        let mut spellings = vec![self.composed.clone()];
        for other in [self.typed.clone(), apart, tones_apart(&self.composed, true), tones_apart(&self.composed, false)] {
            if !spellings.contains(&other) {
                spellings.push(other);
            }
        }
        spellings
    }
}

/// Keeps each letter's own mark composed and puts its tone behind the letter: all tones, or only those of letters with two marks.
fn tones_apart(composed: &str, all: bool) -> String {
    let is_tone = |c: &char| matches!(c, '\u{300}' | '\u{301}' | '\u{303}' | '\u{309}' | '\u{323}');
    let mut apart = String::with_capacity(composed.len() * 2);
    for letter in composed.chars() {
        let parts: Vec<char> = std::iter::once(letter).nfd().collect();
        let (tones, rest): (Vec<char>, Vec<char>) = parts.iter().copied().partition(is_tone);
        if tones.is_empty() || (rest.len() < 2 && !all) {
            apart.push(letter);
        } else {
            apart.extend(rest.into_iter().nfc().chain(tones));
        }
    }
    apart
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Text size: 18, 21 or 25 px.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
pub enum TextSize {
    #[default]
    #[strum(to_string = "1")]
    Normal,
    #[strum(to_string = "2")]
    Large,
    #[strum(to_string = "3")]
    Largest,
}

crate::keyed!(TextSize);

impl TextSize {
    /// The next larger size, or the largest.
    #[must_use]
    pub const fn larger(self) -> Self {
        match self {
            Self::Normal => Self::Large,
            Self::Large | Self::Largest => Self::Largest,
        }
    }

    /// The next smaller size, or the smallest.
    #[must_use]
    pub const fn smaller(self) -> Self {
        match self {
            Self::Normal | Self::Large => Self::Normal,
            Self::Largest => Self::Large,
        }
    }
}

/// Light, dark, or the setting of the device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

crate::keyed!(Theme);

/// A person's display settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preferences {
    pub locale: Locale,
    pub text_size: TextSize,
    pub theme: Theme,
}

/// A role on a unit, with the unit's name for display.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Office {
    pub role: Role,
    pub unit: UnitRef,
}

/// The signed-in person, as the frame of every page needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewer {
    pub member: MemberId,
    pub name: String,
    /// What the person calls “my branch”: the unit in which they are registered, or the nearest one above it that
    /// [is a home](crate::units::UnitKind::is_home).
    pub branch: UnitRef,
    pub standpoint: Standpoint,
    pub offices: Vec<Office>,
    /// Suspended offices: the password was not entered in this session for twelve hours. They grant no rights until it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resting: Vec<Office>,
}

impl Viewer {
    /// The office used on pages of a matching role: the one on the highest unit.
    pub fn office(&self, fits: impl Fn(Role) -> bool) -> Option<&Office> {
        highest(self.offices.iter(), fits)
    }

    /// As [`Self::office`], including suspended offices, so that links to their pages stay visible.
    pub fn office_held(&self, fits: impl Fn(Role) -> bool) -> Option<&Office> {
        highest(self.offices.iter().chain(&self.resting), fits)
    }

    /// The units on which the person holds an office that covers one of `actions`, without duplicates, highest first.
    pub fn units_for(&self, actions: &[Action]) -> Vec<&UnitRef> {
        let covering = self.offices.iter().filter(|office| actions.iter().any(|action| office.role.covers(*action)));
        let mut units: Vec<&UnitRef> = covering.map(|office| &office.unit).collect();
        units.sort_by(|a, b| a.path.as_str().len().cmp(&b.path.as_str().len()).then_with(|| a.path.cmp(&b.path)));
        units.dedup_by_key(|unit| unit.id);
        units
    }

    /// The same person acting for one of [`Self::units_for`]: offices that cover one of `actions` count on that unit only. Any
    /// other unit has no effect. The result never has more rights.
    #[must_use]
    pub fn acting_for(mut self, actions: &[Action], unit: UnitId) -> Self {
        let found = self.units_for(actions).into_iter().find(|held| held.id == unit).map(|held| held.path.clone());
        let Some(path) = found else { return self };
        let covers = |role: Role| actions.iter().any(|action| role.covers(*action));
        self.standpoint.grants.retain(|grant| grant.path == path || !covers(grant.role));
        self
    }

    /// The same person with all offices suspended until the password is entered again.
    #[must_use]
    pub fn at_rest(mut self) -> Self {
        self.resting.append(&mut self.offices);
        self.standpoint.grants.clear();
        self
    }
}

fn highest<'o>(offices: impl Iterator<Item = &'o Office>, fits: impl Fn(Role) -> bool) -> Option<&'o Office> {
    offices.filter(|office| fits(office.role)).min_by_key(|office| office.unit.path.as_str().len())
}

/// A security notice sent to the owner of an account by SMS, because somebody else may have made the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
pub enum AccountNotice {
    /// A paper code was issued that resets the account.
    #[strum(to_string = "code")]
    CodeIssued,
    /// The password was changed.
    #[strum(to_string = "password")]
    PasswordChanged,
    /// The phone number was changed; sent to the previous number.
    #[strum(to_string = "phone")]
    PhoneChanged,
    /// The national ID was changed: the old one no longer signs in.
    #[strum(to_string = "national_id")]
    IdChanged,
}

crate::keyed!(AccountNotice);

impl AccountNotice {
    /// Notices shown on the first page until the owner has seen them. An open code is shown there separately.
    pub const CHANGES: [Self; 3] = [Self::PasswordChanged, Self::PhoneChanged, Self::IdChanged];
}

/// One of [`AccountNotice::CHANGES`] made to the viewer's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountChange {
    pub notice: AccountNotice,
    pub at: DateTime<Utc>,
    /// The unit whose office made the change, or issued the paper code it was made with.
    pub office: Option<String>,
}

/// A signed-in device, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenSession {
    pub id: SessionId,
    /// A short form of the user agent, `Android · Chrome`; empty when the device sent none.
    pub device: String,
    pub opened_at: DateTime<Utc>,
    /// Rounded to the hour.
    pub seen_at: DateTime<Utc>,
    /// Whether this is the session of the current request.
    pub is_here: bool,
}

/// An external identity provider, shown as a button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// Key in addresses.
    pub key: String,
    /// Display name.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;
    use crate::{levels::tests::level, members::Standing, policy::Grant, units::UnitPath};

    fn unit(path: &str) -> UnitRef {
        let id = UnitId::new(Ulid::from_parts(1, path.len() as u128));
        UnitRef { id, kind: level("branch"), name: path.to_owned(), path: UnitPath::parse(path).expect("a path") }
    }

    #[test]
    fn acting_for_one_unit_limits_rights_to_it_and_adds_none() {
        let (branch, commune, hills) = (unit("/1/2/3/"), unit("/1/2/"), unit("/1/9/44/"));
        let held = [(Role::Secretary, &branch), (Role::Editor, &commune), (Role::Editor, &hills), (Role::Editor, &commune)];
        let viewer = Viewer {
            member: MemberId::new(Ulid::nil()),
            name: "Huỳnh Thị Bến".to_owned(),
            branch: branch.clone(),
            standpoint: Standpoint {
                branch: branch.path.clone(),
                standing: Standing::Official,
                grants: held.iter().map(|(role, unit)| Grant { role: *role, path: unit.path.clone() }).collect(),
            },
            offices: held.iter().map(|(role, unit)| Office { role: *role, unit: (*unit).clone() }).collect(),
            resting: Vec::new(),
        };
        let actions = [Action::WriteDocument];
        assert_eq!(viewer.units_for(&actions), [&commune, &hills]);
        let acting = viewer.clone().acting_for(&actions, hills.id).standpoint;
        assert!(acting.may_by_office(Action::WriteDocument, &hills.path));
        assert!(!acting.may_by_office(Action::WriteDocument, &commune.path));
        assert!(acting.may_by_office(Action::ReadOpinions, &branch.path), "other offices stay");
        for elsewhere in [branch.id, UnitId::new(Ulid::nil())] {
            assert_eq!(viewer.clone().acting_for(&actions, elsewhere), viewer, "a unit without an office changes nothing");
        }
        for unit in [&branch, &commune, &hills] {
            for action in Action::ALL {
                let acting = viewer.clone().acting_for(&[action], unit.id).standpoint;
                assert!(acting.grants.iter().all(|grant| viewer.standpoint.grants.contains(grant)), "{action:?}");
            }
        }
    }

    #[test]
    fn a_password_is_the_same_on_three_keyboards() {
        let composed = "Mật khẩu bến đò 26";
        let apart: String = composed.nfd().collect();
        let windows = "M\u{e2}\u{323}t kh\u{e2}\u{309}u b\u{ea}\u{301}n \u{111}\u{f2} 26";
        let all_tones = "M\u{e2}\u{323}t kh\u{e2}\u{309}u b\u{ea}\u{301}n \u{111}o\u{300} 26";
        for typed in [composed, &apart, windows, all_tones] {
            let password = Password::attempt(typed).expect("a password");
            assert_eq!(password.expose(), composed);
            let spellings = password.spellings();
            assert_eq!(spellings[0], composed);
            for hashed in [composed, &apart, windows, all_tones] {
                assert!(spellings.iter().any(|spelling| spelling == hashed), "{typed} {hashed}");
            }
            assert_eq!(spellings.len(), 4);
        }
        assert_eq!(Password::attempt("ca-voi-xanh-2026").expect("a password").spellings(), ["ca-voi-xanh-2026"]);
    }

    #[test]
    fn a_new_password_has_twelve_characters_of_any_kind() {
        assert_eq!(Password::parse("ngắn quá"), Err(Problem::TooShort { min: 12 }));
        assert!(Password::parse("mười hai chữ cái").is_ok());
        assert_eq!(
            Password::parse("e\u{302}\u{301}e\u{302}\u{301}e\u{302}\u{301}e\u{302}\u{301}"),
            Err(Problem::TooShort { min: 12 })
        );
        assert_eq!(Password::parse(""), Err(Problem::Required));
        assert_eq!(Password::parse(&"a".repeat(257)), Err(Problem::TooLong { max: 256 }));
    }
}
