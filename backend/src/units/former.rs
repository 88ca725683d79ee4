//! Earlier versions of units: what a unit was on a day, and which unit has or had a name or a code.
//!
//! The versions are held in memory with the tree, because a search by words cannot use an index of the store. Only units that have
//! changed have any.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use domain::{
    folding::fold,
    ids::UnitId,
    units::{UnitChange, UnitKind, UnitRef, is_code},
};

use super::{Closed, FormRow, Node, Tree, history::day_before};
use crate::{Error, Result};

/// A version of a unit.
#[derive(Debug)]
pub(super) struct Version {
    pub(super) unit: UnitId,
    pub(super) kind: UnitKind,
    pub(super) name: String,
    pub(super) folded: String,
    pub(super) code: String,
    pub(super) parent: Option<UnitId>,
    pub(super) from: NaiveDate,
    /// The last day; `None` for the current version.
    pub(super) until: Option<NaiveDate>,
    pub(super) cause: UnitChange,
}

impl Version {
    fn decode(row: FormRow) -> Result<Self> {
        let damaged = || Error::Damaged(format!("a form of unit {}", row.unit));
        let date = |text: &str| text.parse::<NaiveDate>().map_err(|_| damaged());
        Ok(Self {
            unit: row.unit.parse().map_err(|_| damaged())?,
            kind: UnitKind::from_key(&row.kind).ok_or_else(damaged)?,
            folded: fold(&row.name),
            parent: row.parent.as_deref().map(str::parse).transpose().map_err(|_| damaged())?,
            from: date(&row.from)?,
            until: row.until.as_deref().map(date).transpose()?,
            cause: UnitChange::from_key(&row.cause).ok_or_else(damaged)?,
            name: row.name,
            code: row.code,
        })
    }

    /// The only version of a unit that closed without a row for it.
    fn of_closed(parent: Option<UnitId>, code: &str, closed: &Closed) -> Self {
        Self {
            unit: closed.unit.id,
            kind: closed.unit.kind,
            name: closed.unit.name.clone(),
            folded: fold(&closed.unit.name),
            code: code.to_owned(),
            parent,
            from: closed.opened_on,
            until: Some(day_before(closed.on)),
            cause: UnitChange::Created,
        }
    }

    pub(super) fn holds_on(&self, day: NaiveDate) -> bool {
        self.from <= day && self.until.is_none_or(|until| until >= day)
    }

    /// Whether it was in effect at all: a version that was replaced on its first day was not.
    pub(super) fn was_in_effect(&self) -> bool {
        self.until.is_none_or(|until| until >= self.from)
    }

    pub(super) fn form(&self) -> Form<'_> {
        Form { kind: self.kind, name: &self.name, folded: &self.folded, code: &self.code, parent: self.parent }
    }
}

/// A unit as it was on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form<'t> {
    pub(super) kind: UnitKind,
    pub(super) name: &'t str,
    pub(super) folded: &'t str,
    pub(super) code: &'t str,
    pub(super) parent: Option<UnitId>,
}

/// Words of a name, or a code.
pub(super) fn matches(folded: &str, code: &str, words: &str) -> bool {
    code.eq_ignore_ascii_case(words) || words.split(' ').all(|word| folded.contains(word))
}

/// How well a name or code that [`matches()`] fits, the best first: it is what was typed, the name has it as whole words in this order,
/// as whole words, or only as parts of words.
pub(super) fn rank(folded: &str, code: &str, words: &str) -> usize {
    if folded == words || code.eq_ignore_ascii_case(words) {
        return 0;
    }
    let (named, asked): (Vec<&str>, Vec<&str>) = (folded.split(' ').collect(), words.split(' ').collect());
    if named.windows(asked.len()).any(|some| some == asked.as_slice()) {
        1
    } else if asked.iter().all(|word| named.contains(word)) {
        2
    } else {
        3
    }
}

/// The best ranked items, in their order within a [`rank`].
pub(super) fn best<T>(ranked: impl Iterator<Item = (usize, T)>, most: usize) -> Vec<T> {
    let mut by_rank: [Vec<T>; 4] = Default::default();
    for (rank, item) in ranked {
        if let Some(items) = by_rank.get_mut(rank).filter(|items| items.len() < most) {
            items.push(item);
        }
    }
    by_rank.into_iter().flatten().take(most).collect()
}

/// The codes of a typed path such as `01/51/001` or `01.51.001`; `None` for anything else, also for a single code.
pub(super) fn codes_of(typed: &str) -> Option<Vec<&str>> {
    let codes: Vec<&str> = typed.trim().trim_matches('/').split(['/', '.']).collect();
    (codes.len() > 1 && codes.iter().all(|code| is_code(code))).then_some(codes)
}

impl Tree {
    /// Fills in [`Tree::versions`]; the open units must be in the tree.
    pub(super) fn note_versions(&mut self, rows: Vec<FormRow>, closed: &[(Option<UnitId>, String, Closed)]) -> Result<()> {
        let mut versions: Vec<Version> = rows.into_iter().map(Version::decode).collect::<Result<_>>()?;
        let known: BTreeSet<UnitId> = versions.iter().map(|version| version.unit).collect();
        let others = closed.iter().filter(|(.., closed)| !known.contains(&closed.unit.id));
        versions.extend(others.map(|(parent, code, closed)| Version::of_closed(*parent, code, closed)));
        // Of versions with the same first day, the one that was replaced on that day comes first.
        versions.sort_by_key(|version| (version.unit, version.from, version.until.unwrap_or(NaiveDate::MAX)));
        self.versions = versions;
        Ok(())
    }

    /// The versions of one unit, oldest first; none for an open unit that has never changed.
    pub(super) fn versions_of(&self, unit: UnitId) -> &[Version] {
        let first = self.versions.partition_point(|version| version.unit < unit);
        let after = self.versions.partition_point(|version| version.unit <= unit);
        self.versions.get(first..after).unwrap_or_default()
    }

    /// A unit as it was on a day; `None` when it did not exist.
    pub(super) fn form_on(&self, unit: UnitId, day: NaiveDate) -> Option<Form<'_>> {
        let form = match self.versions_of(unit) {
            [] => self.node(unit).filter(|node| node.opened_on <= day).map(|node| self.first_form(node)),
            versions => versions.iter().find(|version| version.holds_on(day)).map(Version::form),
        }?;
        // See `as_of`.
        let is_lost = self.unwritten && form.parent.is_some_and(|parent| !self.existed_on(parent, day));
        Some(self.node(unit).filter(|_| is_lost).map_or(form, |node| self.with_present_place(node, form)))
    }

    fn existed_on(&self, unit: UnitId, day: NaiveDate) -> bool {
        match self.versions_of(unit) {
            [] => self.node(unit).is_some_and(|node| node.opened_on <= day),
            versions => versions.iter().any(|version| version.holds_on(day)),
        }
    }

    /// From the unit up to the root, as they were on a day. Empty when the unit did not exist.
    pub(super) fn line_on(&self, unit: UnitId, day: NaiveDate) -> Vec<(UnitId, Form<'_>)> {
        let mut line: Vec<(UnitId, Form<'_>)> = Vec::new();
        let mut next = Some(unit);
        while let Some(id) = next.filter(|id| line.iter().all(|(met, _)| met != id)) {
            let Some(form) = self.form_on(id, day) else { break };
            line.push((id, form));
            next = form.parent;
        }
        line
    }

    pub(super) fn form_of<'t>(&'t self, node: &'t Node) -> Form<'t> {
        let UnitRef { kind, name, path, .. } = &node.unit;
        let parent = self.parent(path).map(|parent| parent.id);
        Form { kind: *kind, name, folded: &node.folded, code: path.code(), parent }
    }

    /// An open unit without versions, at the place it has until a version of its move is written.
    pub(super) fn first_form<'t>(&'t self, node: &'t Node) -> Form<'t> {
        let form = self.form_of(node);
        self.moved_along.get(&node.unit.id).map_or(form, |(parent, code)| Form { code, parent: Some(*parent), ..form })
    }

    /// A form of an open unit with its place of today.
    pub(super) fn with_present_place<'t>(&'t self, node: &'t Node, form: Form<'t>) -> Form<'t> {
        let Form { code, parent, .. } = self.form_of(node);
        Form { code, parent, ..form }
    }

    /// Versions that are over and match the words: of the units that closed or changed.
    pub(super) fn former_versions(&self, words: &str) -> Vec<&Version> {
        let over = self.versions.iter().filter(|version| version.until.is_some() && version.was_in_effect());
        over.filter(|version| matches(&version.folded, &version.code, words)).collect()
    }

    /// The latest matching version that is over, by the unit of today that it led to.
    pub(super) fn formerly(&self, words: &str) -> BTreeMap<UnitId, &Version> {
        let mut found: BTreeMap<UnitId, &Version> = BTreeMap::new();
        for version in self.former_versions(words) {
            let Some(now) = self.successor_of(version.unit) else { continue };
            let latest = found.entry(now.id).or_insert(version);
            if latest.until < version.until {
                *latest = version;
            }
        }
        found
    }

    /// The units, open or closed, that have or had these codes one below the other. The first code may be that of any unit.
    pub(super) fn having(&self, codes: &[&str]) -> BTreeSet<UnitId> {
        let Some((first, below)) = codes.split_first() else { return BTreeSet::new() };
        let down = |top: UnitId| below.iter().try_fold(top, |at, code| self.owner(at, code));
        let tops = self.codes.iter().filter(|((_, code), _)| code.eq_ignore_ascii_case(first)).map(|(_, unit)| *unit);
        tops.filter_map(down).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_codes_is_told_from_words() {
        assert_eq!(codes_of(" /01/51/001/ "), Some(vec!["01", "51", "001"]));
        assert_eq!(codes_of("01.51.001"), Some(vec!["01", "51", "001"]));
        for typed in ["001", "xã 1/2", "", "/", "01//02", "Tp. Cẩm"] {
            assert_eq!(codes_of(typed), None, "{typed}");
        }
    }

    #[test]
    fn whole_words_rank_before_parts_of_words() {
        let words = "nghia hanh ha";
        let names = ["nghia hanh thuong", "ha nghia hanh", "xa nghia hanh ha", "nghia hanh ha"];
        assert_eq!(names.map(|name| rank(name, "001", words)), [3, 2, 1, 0]);
        assert_eq!(rank("xa x07", "X07", "x07"), 0);
        let ranked = || names.into_iter().map(|name| (rank(name, "001", words), name));
        assert_eq!(best(ranked(), 2), ["nghia hanh ha", "xa nghia hanh ha"]);
        assert_eq!(best(ranked().chain([(3, "nghia hanh thai")]), 9)[3..], ["nghia hanh thuong", "nghia hanh thai"]);
    }

    #[test]
    fn all_words_or_the_whole_code_must_match() {
        assert!(matches("dang bo phuong cam giang", "001", "giang cam"));
        assert!(matches("dang bo phuong cam giang", "X07", "x07"));
        assert!(!matches("dang bo phuong cam giang", "001", "cam khe"));
        assert!(!matches("dang bo phuong cam giang", "001", "00"));
    }
}
