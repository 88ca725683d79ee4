//! Levels of an organisation's own pack: checked once, then kept for the life of the process.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{LEVELS_MAX, Level, Meets, Names};
use crate::{Locale, folding::fold};

/// Maximum length of a key.
const KEY_MAX: usize = 32;

/// Maximum length of a name, in characters.
const NAME_MAX: usize = 100;

/// Names of an own level. An empty text is a missing one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LevelNames {
    pub vi: String,
    pub en: String,
    pub bn: String,
}

impl LevelNames {
    fn get(&self, l: Locale) -> &str {
        match l {
            Locale::Vi => &self.vi,
            Locale::En => &self.en,
            Locale::Bn => &self.bn,
        }
    }
}

/// A level of an own pack. Pages send it to the browser.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnLevel {
    pub key: String,
    pub name: LevelNames,
    /// A language without a short name has the full one.
    #[serde(default)]
    pub short: LevelNames,
    /// Used on the server only.
    #[serde(skip)]
    pub aliases: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hangs_on: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub holds_members: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meets: Option<Meets>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub issues_documents: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_home: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_after: Option<NaiveDate>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl From<&Level> for OwnLevel {
    fn from(level: &Level) -> Self {
        let names = |names: Names| LevelNames { vi: names.vi.to_owned(), en: names.en.to_owned(), bn: names.bn.to_owned() };
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self {
            key: level.key.to_owned(),
            name: names(level.name),
            short: names(level.short),
            aliases: texts(level.aliases),
            hangs_on: level.hangs_on.map(texts),
            holds_members: level.holds_members,
            meets: level.meets,
            issues_documents: level.issues_documents,
            is_home: level.is_home,
            closed_after: level.closed_after,
        }
    }
}

/// Why a list of levels is refused: a sentence for the person who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LevelsProblem {
    #[error("it has no level: add a [[level]] for each level, from the highest to the lowest")]
    NoLevel,
    #[error("it has {0} levels: at most {max} are possible", max = LEVELS_MAX)]
    TooMany(usize),
    #[error("the key {0:?} of a level is not usable: write 1 to {max} lower-case ASCII letters, digits or _, a letter first", max = KEY_MAX)]
    Key(String),
    #[error("the level {0:?} is defined twice: give one of them another key")]
    Twice(String),
    #[error("the level {level:?} has no name in the language {language:?}: add it to its `name`")]
    Unnamed { level: String, language: &'static str },
    #[error(
        "a name of the level {0:?} has a control character or one that changes the direction of text: write it on one line, without them"
    )]
    NameCharacters(String),
    #[error("a name of the level {0:?} is longer than {max} characters: shorten it", max = NAME_MAX)]
    NameLong(String),
    #[error("the level {0:?} has an alias without letters: write it, or remove it")]
    EmptyAlias(String),
    #[error("the level {level:?} hangs on {above:?}, which is not a level above it: name a level that is listed before it")]
    HangsOn { level: String, above: String },
    #[error("the level {0:?} may hang on no level: list some in `hangs_on`, or leave it out for all levels above")]
    HangsNowhere(String),
    #[error("the levels {one:?} and {other:?} are both called {word:?}: change the name or remove the alias of one")]
    Word { word: String, one: String, other: String },
    #[error("no level holds members: add `holds_members = true` to those in which members are registered")]
    NoMembers,
    #[error("no level is a member's branch: add `home = true` to the one that members call “my branch”")]
    NoHome,
    #[error(
        "the level {0:?} holds members, but no level above it is a member's branch: let it hang on a level with `home = true`, or make it one"
    )]
    BelowNoHome(String),
}

/// Keeps the levels of an own pack for the life of the process: the browser gets them from the server, which has checked them.
pub fn keep_levels(own: &[OwnLevel]) -> &'static [Level] {
    own.iter().enumerate().map(|(rank, level)| kept(rank, level)).collect::<Vec<_>>().leak()
}

/// Checks the levels of an own pack and keeps them for the life of the process.
///
/// # Errors
/// The first [`LevelsProblem`].
pub fn own_levels(own: &[OwnLevel]) -> Result<&'static [Level], LevelsProblem> {
    if own.is_empty() {
        return Err(LevelsProblem::NoLevel);
    }
    if own.len() > LEVELS_MAX {
        return Err(LevelsProblem::TooMany(own.len()));
    }
    for (at, level) in own.iter().enumerate() {
        check(level, &own[..at])?;
    }
    if !own.iter().any(|level| level.holds_members) {
        return Err(LevelsProblem::NoMembers);
    }
    if !own.iter().any(|level| level.is_home) {
        return Err(LevelsProblem::NoHome);
    }
    check_homes(own)?;
    let levels = keep_levels(own);
    check_words(levels)?;
    Ok(levels)
}

fn check(level: &OwnLevel, above: &[OwnLevel]) -> Result<(), LevelsProblem> {
    let key = &level.key;
    let is_key = key.len() <= KEY_MAX
        && key.starts_with(|first: char| first.is_ascii_lowercase())
        && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !is_key {
        return Err(LevelsProblem::Key(key.clone()));
    }
    if above.iter().any(|other| other.key == *key) {
        return Err(LevelsProblem::Twice(key.clone()));
    }
    if let Some(l) = Locale::ALL.into_iter().find(|l| level.name.get(*l).trim().is_empty()) {
        return Err(LevelsProblem::Unnamed { level: key.clone(), language: l.tag() });
    }
    let mut names = Locale::ALL.into_iter().flat_map(|l| [level.name.get(l), level.short.get(l)]);
    if names.clone().any(|name| name.chars().any(is_misleading)) {
        return Err(LevelsProblem::NameCharacters(key.clone()));
    }
    if names.any(|name| name.trim().chars().count() > NAME_MAX) {
        return Err(LevelsProblem::NameLong(key.clone()));
    }
    if level.aliases.iter().any(|alias| fold(alias).is_empty()) {
        return Err(LevelsProblem::EmptyAlias(key.clone()));
    }
    match &level.hangs_on {
        Some(keys) if keys.is_empty() => Err(LevelsProblem::HangsNowhere(key.clone())),
        Some(keys) => match keys.iter().find(|named| above.iter().all(|level| level.key != **named)) {
            Some(unknown) => Err(LevelsProblem::HangsOn { level: key.clone(), above: unknown.clone() }),
            None => Ok(()),
        },
        None => Ok(()),
    }
}

/// Members of a level belong to the nearest unit above that is a home, or to their own one: there must be a way to have one.
fn check_homes(own: &[OwnLevel]) -> Result<(), LevelsProblem> {
    let mut homes: Vec<&str> = Vec::with_capacity(own.len());
    for level in own {
        let hangs_on_one = match &level.hangs_on {
            Some(keys) => keys.iter().any(|key| homes.contains(&key.as_str())),
            None => !homes.is_empty(),
        };
        if level.is_home || hangs_on_one {
            homes.push(&level.key);
        } else if level.holds_members {
            return Err(LevelsProblem::BelowNoHome(level.key.clone()));
        }
    }
    Ok(())
}

/// Whether a page or a table would not show the character as it is written.
fn is_misleading(c: char) -> bool {
    c.is_control() || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A file names a level by any of its words, so no two levels have one in common.
fn check_words(levels: &[Level]) -> Result<(), LevelsProblem> {
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    for level in levels {
        for word in level.words() {
            if let Some(owner) = owners.insert(word.clone(), level.key).filter(|owner| *owner != level.key) {
                return Err(LevelsProblem::Word { word, one: owner.to_owned(), other: level.key.to_owned() });
            }
        }
    }
    Ok(())
}

/// The level with texts that live as long as the process: a process has one pack.
fn kept(rank: usize, own: &OwnLevel) -> Level {
    let text = |text: &str| -> &'static str { text.trim().to_owned().leak() };
    let texts = |texts: &[String]| -> &'static [&'static str] { texts.iter().map(|one| text(one)).collect::<Vec<_>>().leak() };
    let short = |l: Locale| {
        let short = own.short.get(l);
        text(if short.trim().is_empty() { own.name.get(l) } else { short })
    };
    Level {
        key: text(&own.key),
        rank,
        name: Names { vi: text(&own.name.vi), en: text(&own.name.en), bn: text(&own.name.bn) },
        short: Names { vi: short(Locale::Vi), en: short(Locale::En), bn: short(Locale::Bn) },
        aliases: texts(&own.aliases),
        hangs_on: own.hangs_on.as_deref().map(texts),
        holds_members: own.holds_members,
        meets: own.meets,
        issues_documents: own.issues_documents,
        is_home: own.is_home,
        closed_after: own.closed_after,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(key: &str) -> OwnLevel {
        let name = format!("Cấp {key}");
        OwnLevel { key: key.to_owned(), name: LevelNames { vi: name.clone(), en: name.clone(), bn: name }, ..OwnLevel::default() }
    }

    /// A level in which members are registered, and which they call their branch.
    fn home(key: &str) -> OwnLevel {
        OwnLevel { holds_members: true, is_home: true, ..level(key) }
    }

    fn refused(own: &[OwnLevel]) -> LevelsProblem {
        own_levels(own).expect_err("is refused")
    }

    #[test]
    fn a_pack_needs_levels_members_and_a_branch() {
        assert_eq!(refused(&[]), LevelsProblem::NoLevel);
        assert_eq!(refused(&[level("top"), OwnLevel { holds_members: false, ..home("club") }]), LevelsProblem::NoMembers);
        assert_eq!(refused(&[level("top"), OwnLevel { is_home: false, ..home("club") }]), LevelsProblem::NoHome);
        let many: Vec<OwnLevel> = (0..=LEVELS_MAX).map(|at| home(&format!("l{at}"))).collect();
        assert_eq!(refused(&many), LevelsProblem::TooMany(17));
        assert_eq!(own_levels(&many[1..]).map(<[Level]>::len), Ok(16));
    }

    #[test]
    fn a_key_is_short_ascii_and_unique() {
        for key in ["", "Club", "câu_lạc_bộ", "1st", "my club", "a".repeat(33).as_str()] {
            assert_eq!(refused(&[home(key)]), LevelsProblem::Key(key.to_owned()));
        }
        assert_eq!(refused(&[level("club"), home("club")]), LevelsProblem::Twice("club".to_owned()));
    }

    #[test]
    fn a_name_is_needed_in_each_language() {
        let mut own = home("club");
        own.name.bn = " ".to_owned();
        let problem = refused(&[own]);
        assert_eq!(problem, LevelsProblem::Unnamed { level: "club".to_owned(), language: "bn" });
        assert!(problem.to_string().contains("\"club\" has no name in the language \"bn\""), "{problem}");
    }

    #[test]
    fn a_name_is_short_and_reads_as_it_is_written() {
        let club = "club".to_owned();
        for name in ["Câu\nlạc bộ", "Câu\u{202e}lạc bộ", "\u{200f}Câu lạc bộ"] {
            let mut own = home("club");
            own.name.vi = name.to_owned();
            assert_eq!(refused(&[own]), LevelsProblem::NameCharacters(club.clone()), "{name:?}");
            let short = LevelNames { en: name.to_owned(), ..LevelNames::default() };
            assert_eq!(refused(&[OwnLevel { short, ..home("club") }]), LevelsProblem::NameCharacters(club.clone()), "{name:?}");
        }
        let long = |length: usize| {
            let mut own = home("club");
            own.name.bn = "ক".repeat(length);
            own_levels(&[own])
        };
        assert!(long(100).is_ok());
        assert_eq!(long(101), Err(LevelsProblem::NameLong(club)));
    }

    #[test]
    fn a_level_with_members_is_below_a_branch_or_is_one() {
        let members = |key: &str, on: &[&str]| {
            let hangs_on = Some(on.iter().map(|key| (*key).to_owned()).collect());
            OwnLevel { holds_members: true, hangs_on, ..level(key) }
        };
        let lost = LevelsProblem::BelowNoHome("cell".to_owned());
        assert_eq!(refused(&[level("top"), home("club"), members("cell", &["top"])]), lost);
        assert_eq!(refused(&[level("top"), OwnLevel { holds_members: true, ..level("cell") }, home("club")]), lost);
        assert!(own_levels(&[level("top"), home("club"), members("cell", &["top", "club"])]).is_ok());
        let team = OwnLevel { hangs_on: Some(vec!["club".to_owned()]), ..level("team") };
        assert!(own_levels(&[level("top"), home("club"), team, members("cell", &["team"])]).is_ok(), "by a level between");
    }

    #[test]
    fn a_level_hangs_on_levels_listed_before_it() {
        let on = |keys: &[&str]| OwnLevel { hangs_on: Some(keys.iter().map(|key| (*key).to_owned()).collect()), ..home("club") };
        let above = |above: &str| LevelsProblem::HangsOn { level: "club".to_owned(), above: above.to_owned() };
        assert_eq!(refused(&[level("top"), on(&["top", "county"])]), above("county"));
        assert_eq!(refused(&[on(&["club"])]), above("club"), "not on itself");
        assert_eq!(refused(&[on(&["below"]), level("below")]), above("below"));
        assert_eq!(refused(&[level("top"), on(&[])]), LevelsProblem::HangsNowhere("club".to_owned()));
    }

    #[test]
    fn a_word_names_one_level() {
        let aliased = |key: &str, alias: &str| OwnLevel { aliases: vec![alias.to_owned()], ..home(key) };
        let word = |word: &str| LevelsProblem::Word { word: word.to_owned(), one: "top".to_owned(), other: "club".to_owned() };
        assert_eq!(refused(&[level("top"), aliased("club", "CẤP  Top")]), word("cap top"));
        assert_eq!(refused(&[aliased("top", "CLB"), aliased("club", "clb")]), word("clb"));
        assert_eq!(refused(&[aliased("club", " ")]), LevelsProblem::EmptyAlias("club".to_owned()), "empty cells have no level");
        assert!(own_levels(&[level("top"), aliased("club", "Cấp club")]).is_ok(), "twice for the same level");
    }

    #[test]
    fn a_short_name_is_the_full_one_where_it_is_missing() {
        let own = OwnLevel { short: LevelNames { vi: "CLB".to_owned(), ..LevelNames::default() }, ..home("club") };
        let [level] = own_levels(&[own]).expect("is valid") else { panic!("one level") };
        assert_eq!((level.short.vi, level.short.en), ("CLB", "Cấp club"));
    }

    #[test]
    fn levels_survive_the_way_to_the_browser() {
        let own: Vec<OwnLevel> = super::super::PARTY.iter().map(OwnLevel::from).collect();
        let sent = serde_json::to_string(&own).expect("json");
        let arrived: Vec<OwnLevel> = serde_json::from_str(&sent).expect("levels");
        let without_aliases: Vec<OwnLevel> = own.into_iter().map(|level| OwnLevel { aliases: Vec::new(), ..level }).collect();
        assert_eq!(arrived, without_aliases);
    }
}
