//! Units with the same people on both sides of a change, to compare like with like.
//!
//! People are followed through the units that hold them: a branch keeps its identity when it moves, and a merged one leads to its
//! successor. Who was posted from one branch to another meanwhile counts where the branch is. A branch that was split off counts
//! where it is only from its first day on; before that day its people are those of the branch it was split from.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use domain::{
    ids::UnitId,
    policy::{Action, Standpoint},
    statistics::{hidden, is_small},
    units::{Counterpart, Counterparts, UnitChange, UnitKind, UnitPath, UnitRef},
};

use super::{
    Tree, UnitDesk,
    desk::{count, may_see},
    former::Form,
    history::day_before,
};
use crate::Result;

/// With more branches than this a unit is too large to be compared on a page.
const COMPARED: u32 = 10_000;

/// Most branches whose members on a past day are counted for a page.
const COUNTED: usize = 64;

/// A unit on the other side of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Overlap {
    /// As it was on its side.
    pub(super) unit: UnitRef,
    /// Whether it has other people too.
    pub(super) is_part: bool,
    /// The units that hold the common people, as they were identified on the past day.
    pub(super) holders: BTreeSet<UnitId>,
    /// Number of branches among them.
    pub(super) branches: u32,
}

/// The holders in common, by the unit on the other side.
#[derive(Default)]
struct Overlaps(BTreeMap<UnitId, Overlap>);

impl Overlaps {
    fn note(&mut self, unit: UnitRef, holder: UnitId, is_branch: bool) {
        let fresh = Overlap { unit, is_part: false, holders: BTreeSet::new(), branches: 0 };
        let overlap = self.0.entry(fresh.unit.id).or_insert(fresh);
        if overlap.holders.insert(holder) && is_branch {
            overlap.branches += 1;
        }
    }

    /// Those with the most branches first.
    fn sorted(self) -> Vec<Overlap> {
        let mut overlaps: Vec<Overlap> = self.0.into_values().collect();
        overlaps.sort_by_key(|overlap| (std::cmp::Reverse(overlap.branches), overlap.unit.path.clone()));
        overlaps
    }
}

impl Tree {
    /// The units of a past day whose people this open unit has today. They have its level if there was one above the branch, else
    /// that of the unit right above it.
    pub(super) fn units_before(&self, unit: &UnitRef, day: NaiveDate) -> Vec<Overlap> {
        let mut overlaps = Overlaps::default();
        for holder in self.holders_today(&unit.path) {
            let line = self.line_on(holder, day);
            let Some((_, form)) = line.first() else { continue };
            let at = place(line.iter().map(|(_, form)| form.kind), unit.kind);
            if let Some(then) = line.get(at..).and_then(unit_of) {
                overlaps.note(then, holder, form.kind.meets_as_branch());
            }
        }
        let mut overlaps = overlaps.sorted();
        let met: BTreeSet<UnitId> = overlaps.iter().map(|overlap| overlap.unit.id).collect();
        let elsewhere = self.parents_that_lost(unit, day, &met);
        for overlap in &mut overlaps {
            let now = self.successor_of(overlap.unit.id);
            overlap.is_part = elsewhere.contains(&overlap.unit.id) || now.is_none_or(|now| !unit.path.contains(&now.path));
        }
        overlaps
    }

    /// The units of today that have the people of a unit of a past day; `then` is the tree of that day.
    pub(super) fn units_after(&self, unit: &UnitRef, then: &Self, day: NaiveDate) -> Vec<Overlap> {
        let mut overlaps = Overlaps::default();
        for holder in then.subtree(&unit.path).filter(|holder| holder.kind.holds_members()) {
            let Some(now) = self.successor_of(holder.id) else { continue };
            let mut line: Vec<&UnitRef> = self.trail(&now.path).collect();
            line.reverse();
            let at = place(line.iter().map(|above| above.kind), unit.kind);
            // A unit that ended without a successor is not in the tree.
            let found = if self.get(now.id).is_some() { line.get(at).copied().unwrap_or(now) } else { now };
            overlaps.note(found.clone(), holder.id, holder.kind.meets_as_branch());
        }
        let mut overlaps = overlaps.sorted();
        for overlap in &mut overlaps {
            let mut others = self.holders_today(&overlap.unit.path).filter(|holder| !overlap.holders.contains(holder));
            overlap.is_part = others.any(|other| self.form_on(other, day).is_some());
        }
        overlaps
    }

    /// The last day before units came to this one, by a merge or a move; `None` when none ever did.
    pub(super) fn day_before_changes(&self, unit: &UnitRef) -> Option<NaiveDate> {
        let merged = self.inherited(unit.id).filter_map(|id| self.closed.get(&id)).map(|closed| closed.on);
        let moved = self.children(&unit.path).filter_map(|child| {
            let [.., earlier, version] = self.versions_of(child.id) else { return None };
            // A reorganisation may also rename a unit that stays.
            let came = !matches!(version.cause, UnitChange::Created | UnitChange::Renamed | UnitChange::Split);
            (came && version.parent == Some(unit.id) && earlier.parent != version.parent).then_some(version.from)
        });
        merged.chain(moved).max().map(day_before)
    }

    /// Units that hold members in a subtree of today, and the closed ones that they succeeded.
    fn holders_today<'a>(&'a self, path: &'a UnitPath) -> impl Iterator<Item = UnitId> + 'a {
        let holders = self.subtree(path).filter(|unit| unit.kind.holds_members());
        holders.flat_map(|holder| std::iter::once(holder.id).chain(self.inherited(holder.id)))
    }

    /// Those of some units that had a unit right below them on a day which is outside `unit` today.
    fn parents_that_lost(&self, unit: &UnitRef, day: NaiveDate, among: &BTreeSet<UnitId>) -> BTreeSet<UnitId> {
        let is_outside = |id: UnitId| self.successor_of(id).is_some_and(|now| !unit.path.contains(&now.path));
        // After a reorganisation of a whole country all versions are several hundred thousand, and those below these units are few.
        let below =
            self.versions.iter().filter_map(|version| Some((version, version.parent.filter(|above| among.contains(above))?)));
        let then = below.filter(|(version, _)| version.holds_on(day) && is_outside(version.unit));
        then.map(|(_, above)| above).collect()
    }
}

/// The position in a line, from a unit that holds members upwards, of the unit to compare with one of this level.
fn place(kinds: impl Iterator<Item = UnitKind>, kind: UnitKind) -> usize {
    let kinds: Vec<UnitKind> = kinds.collect();
    let committee = || kinds.iter().position(|other| !other.knows_members()).filter(|_| !kind.knows_members());
    kinds.iter().position(|other| *other == kind).or_else(committee).unwrap_or_default()
}

/// The first unit of a line that leads up to the root.
fn unit_of(line: &[(UnitId, Form<'_>)]) -> Option<UnitRef> {
    let (id, form) = line.first()?;
    let codes: Vec<&str> = line.iter().rev().map(|(_, form)| form.code).collect();
    let path = UnitPath::parse(&format!("/{}/", codes.join("/"))).ok()?;
    Some(UnitRef { id: *id, kind: form.kind, name: form.name.to_owned(), path })
}

impl UnitDesk<'_> {
    /// The units on the other side of the last change of an open unit, or, with the tree of a past day, those of today.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn counterparts(
        &self,
        standpoint: &Standpoint,
        now: &Tree,
        past: Option<(&Tree, NaiveDate)>,
        unit: &UnitRef,
    ) -> Result<Option<Counterparts>> {
        let found = match past {
            Some((then, on)) => {
                let unit = then.get(unit.id).filter(|unit| then.branches(&unit.path) <= COMPARED);
                unit.map(|unit| (on, now.units_after(unit, then, on)))
            }
            None => {
                let unit = now.get(unit.id).filter(|unit| now.branches(&unit.path) <= COMPARED);
                unit.and_then(|unit| now.day_before_changes(unit).map(|on| (on, now.units_before(unit, on))))
            }
        };
        let Some((on, mut overlaps)) = found else { return Ok(None) };
        let is_itself = |overlap: &Overlap| overlap.unit.id == unit.id && !overlap.is_part;
        if overlaps.iter().all(is_itself) {
            return Ok(None);
        }
        overlaps.retain(|overlap| may_see(standpoint, now, overlap.unit.id));
        let more = count(overlaps.iter().skip(Counterparts::LISTED));
        overlaps.truncate(Counterparts::LISTED);
        let members = self.members_then(standpoint, now, unit, &overlaps, on).await?;
        let rows = overlaps.into_iter().zip(members).map(|(overlap, members)| Counterpart {
            unit: overlap.unit,
            is_part: overlap.is_part,
            branches: overlap.branches,
            members,
        });
        Ok(Some(Counterparts { on, rows: rows.collect(), more }))
    }

    /// The members of each overlap on a past day. A number is hidden when it is small, when it would reveal that of a small branch
    /// whose neighbours are shown on their own pages, or when that of today is hidden.
    async fn members_then(
        &self,
        standpoint: &Standpoint,
        now: &Tree,
        unit: &UnitRef,
        overlaps: &[Overlap],
        on: NaiveDate,
    ) -> Result<Vec<Option<u32>>> {
        if overlaps.iter().map(|overlap| overlap.holders.len()).sum::<usize>() > COUNTED {
            return Ok(vec![None; overlaps.len()]);
        }
        let mut sizes: Vec<u32> = Vec::with_capacity(overlaps.len());
        let mut has_small_branch: Vec<bool> = Vec::with_capacity(overlaps.len());
        for overlap in overlaps {
            let (mut members, mut has_small) = (0, false);
            for holder in &overlap.holders {
                let there = self.there_on(&[*holder], on).await?;
                has_small |= is_small(there);
                members += there;
            }
            sizes.push(members);
            has_small_branch.push(has_small);
        }
        let now_unit = now.successor_of(unit.id).filter(|unit| now.get(unit.id).is_some());
        if now_unit.is_some_and(|unit| standpoint.may(Action::ReadMembers, &unit.path)) {
            return Ok(sizes.into_iter().map(Some).collect());
        }
        let members_today = now_unit.and_then(|unit| self.backend.statistics().members(standpoint, now, unit));
        let hidden = hidden(&sizes, 0, members_today.is_none());
        let shown = sizes.into_iter().zip(hidden).zip(has_small_branch);
        Ok(shown
            .map(|((members, hidden), has_small)| (!hidden && !has_small && members_today.is_some()).then_some(members))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;
    use crate::units::{FormRow, Rows, UnitRow};

    fn id(number: u128) -> UnitId {
        UnitId::new(Ulid::from_parts(1, number))
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    /// An open unit; a closed one has a last day, a parent and maybe a successor.
    fn unit(number: u128, kind: &str, path: &str, name: &str, closed: Option<(&str, u128, Option<u128>)>) -> UnitRow {
        let path = UnitPath::parse(path).expect("a path");
        UnitRow {
            id: id(number).to_string(),
            kind: kind.to_owned(),
            code: path.code().to_owned(),
            name: name.to_owned(),
            path: path.to_string(),
            opened_on: "2020-01-01".to_owned(),
            phase: None,
            live_from: None,
            contact: None,
            closed_on: closed.map(|(on, ..)| on.to_owned()),
            parent: closed.map(|(_, parent, _)| id(parent).to_string()),
            successor: closed.and_then(|(.., successor)| successor).map(|successor| id(successor).to_string()),
            version: None,
        }
    }

    fn form(number: u128, parent: u128, code: &str, name: &str, from: &str, until: Option<&str>, cause: &str) -> FormRow {
        let kind = if number < 10 { "commune" } else { "branch" };
        FormRow {
            unit: id(number).to_string(),
            kind: kind.to_owned(),
            parent: Some(id(parent).to_string()),
            code: code.to_owned(),
            name: name.to_owned(),
            from: from.to_owned(),
            until: until.map(str::to_owned),
            cause: cause.to_owned(),
        }
    }

    /// On 1 July 2025 the commune 2 (two branches) was merged into 3 (one branch), except its branch 21, which moved to 4 (none),
    /// and 3 was renamed. On 1 January 2026 the branch 22 was merged into 31. The commune 5 (one branch) has never changed.
    fn tree() -> Tree {
        let (last, new) = ("2025-06-30", "2025-07-01");
        let units = vec![
            unit(1, "province", "/51/", "Tỉnh", None),
            unit(2, "commune", "/51/02/", "Xã Hai", Some((new, 1, Some(3)))),
            unit(3, "commune", "/51/03/", "Xã Ba Mới", None),
            unit(4, "commune", "/51/04/", "Xã Bốn", None),
            unit(5, "commune", "/51/05/", "Xã Năm", None),
            unit(21, "branch", "/51/04/01/", "Chi bộ 21", None),
            unit(22, "branch", "/51/03/02/", "Chi bộ 22", Some(("2026-01-01", 3, Some(31)))),
            unit(31, "branch", "/51/03/01/", "Chi bộ 31", None),
            unit(51, "branch", "/51/05/01/", "Chi bộ 51", None),
        ];
        let forms = vec![
            form(2, 1, "02", "Xã Hai", "2020-01-01", Some(last), "created"),
            form(3, 1, "03", "Xã Ba", "2020-01-01", Some(last), "created"),
            form(3, 1, "03", "Xã Ba Mới", new, None, "renamed"),
            form(21, 2, "01", "Chi bộ 21", "2020-01-01", Some(last), "created"),
            form(21, 4, "01", "Chi bộ 21", new, None, "moved"),
            form(22, 2, "02", "Chi bộ 22", "2020-01-01", Some(last), "created"),
            form(22, 3, "02", "Chi bộ 22", new, Some("2025-12-31"), "merged"),
        ];
        Rows { version: 1, units, forms, running: Vec::new(), shifts: Vec::new() }.tree().expect("a tree")
    }

    /// Name, whether it is a part, and number of branches.
    fn told_of(overlaps: &[Overlap]) -> Vec<(String, bool, u32)> {
        overlaps.iter().map(|overlap| (overlap.unit.name.clone(), overlap.is_part, overlap.branches)).collect()
    }

    fn owned((name, is_part, branches): (&str, bool, u32)) -> (String, bool, u32) {
        (name.to_owned(), is_part, branches)
    }

    #[test]
    fn a_unit_has_the_people_of_the_units_it_was_made_of() {
        let tree = tree();
        let before = |number: u128| {
            let unit = tree.get(id(number)).expect("is open");
            told_of(&tree.units_before(unit, day("2025-06-30")))
        };
        // Both have one branch in common with it; one branch of the second commune went elsewhere.
        assert_eq!(before(3), [("Xã Hai", true, 1), ("Xã Ba", false, 1)].map(owned));
        assert_eq!(before(4), [("Xã Hai", true, 1)].map(owned));
        assert_eq!(before(5), [("Xã Năm", false, 1)].map(owned));
        assert_eq!(
            before(31),
            [("Chi bộ 22", false, 1), ("Chi bộ 31", false, 1)].map(owned),
            "a branch is compared with branches"
        );
        assert_eq!(before(1), [("Tỉnh", false, 4)].map(owned));
    }

    #[test]
    fn the_people_of_a_former_unit_are_in_the_units_of_today() {
        let tree = tree();
        let on = day("2025-06-30");
        let then = tree.as_of(on);
        let after = |number: u128| told_of(&tree.units_after(then.get(id(number)).expect("existed"), &then, on));
        assert_eq!(after(2), [("Xã Ba Mới", true, 1), ("Xã Bốn", false, 1)].map(owned));
        assert_eq!(after(3), [("Xã Ba Mới", true, 1)].map(owned));
        assert_eq!(after(5), [("Xã Năm", false, 1)].map(owned));
        assert_eq!(after(22), [("Chi bộ 31", true, 1)].map(owned));
    }

    #[test]
    fn both_directions_agree() {
        let tree = tree();
        for on in ["2020-01-01", "2025-06-30", "2025-07-01", "2025-12-31", "2026-01-01"].map(day) {
            let then = tree.as_of(on);
            for now in tree.all().filter(|unit| unit.path.as_str() != "/51/") {
                for overlap in tree.units_before(now, on) {
                    let former = then.get(overlap.unit.id).expect("existed");
                    assert_eq!(former, &overlap.unit, "as in the tree of {on}");
                    let back = tree.units_after(former, &then, on);
                    let back = back.iter().find(|other| other.unit.id == now.id).expect("leads back");
                    assert_eq!(back.holders, overlap.holders, "{} on {on}", now.name);
                }
            }
        }
    }

    #[test]
    fn a_unit_of_a_past_day_is_found_without_the_tree_of_that_day() {
        let tree = tree();
        for on in ["2019-12-31", "2020-01-01", "2025-06-30", "2025-07-01", "2025-12-31", "2026-01-01"].map(day) {
            let then = tree.as_of(on);
            for number in [1, 2, 3, 4, 5, 21, 22, 31, 51] {
                let trail: Vec<UnitId> =
                    then.get(id(number)).into_iter().flat_map(|unit| then.trail(&unit.path)).map(|unit| unit.id).collect();
                let mut line: Vec<UnitId> = tree.line_on(id(number), on).iter().map(|(unit, _)| *unit).collect();
                line.reverse();
                assert_eq!(line, trail, "{number} on {on}");
            }
        }
    }

    #[test]
    fn the_last_change_is_that_of_units_that_came() {
        let tree = tree();
        let before = |number: u128| tree.day_before_changes(tree.get(id(number)).expect("is open"));
        assert_eq!(before(3), Some(day("2025-06-30")));
        assert_eq!(before(4), Some(day("2025-06-30")));
        assert_eq!(before(31), Some(day("2025-12-31")));
        assert_eq!((before(5), before(51), before(1)), (None, None, None));
    }

    #[test]
    fn units_are_found_by_former_names_and_codes() {
        let tree = tree();
        let found = |words: &str| -> Vec<(UnitId, String)> {
            tree.formerly(words).into_iter().map(|(unit, version)| (unit, version.name.clone())).collect()
        };
        assert_eq!(found("xa hai"), [(id(3), "Xã Hai".to_owned())], "the one that took it over");
        assert_eq!(found("xa ba"), [(id(3), "Xã Ba".to_owned())]);
        assert_eq!(found("chi bo 22"), [(id(31), "Chi bộ 22".to_owned())]);
        assert!(found("xa nam").is_empty(), "it still has its name");
        let having = |codes: &[&str]| tree.having(codes).into_iter().collect::<Vec<_>>();
        assert_eq!(having(&["51", "02", "01"]), [id(21)], "by its former place");
        assert_eq!(having(&["04", "01"]), [id(21)]);
        assert_eq!(having(&["02"]), [id(2), id(22)]);
        assert!(having(&["51", "99"]).is_empty() && having(&[]).is_empty());
    }
}
