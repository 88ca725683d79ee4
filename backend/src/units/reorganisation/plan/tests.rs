//! Plans of small trees, by table and at random.

use domain::{
    members::Standing,
    policy::{Grant, Role},
    units::Shifts,
};
use proptest::prelude::*;
use ulid::Ulid;

use super::*;
use crate::units::{FormRow, Rows, UnitRow, tests::level};

const BEFORE: &str = "2020-01-01";
const ON: &str = "2025-07-01";

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn id(at: usize) -> UnitId {
    UnitId::new(Ulid::from_parts(1, at as u128))
}

fn path(text: &str) -> UnitPath {
    UnitPath::parse(text).expect("a path")
}

fn codes(text: &str) -> Vec<String> {
    text.split('/').map(str::to_owned).collect()
}

/// A row `old new`, with a parent, a name and a part.
fn row(old: &str, new: &str, parent: &str, name: &str, part: Part) -> Row {
    let entry = Entry {
        old: codes(old),
        code: new.to_owned(),
        parent: (!parent.is_empty()).then(|| codes(parent)),
        name: (!name.is_empty()).then(|| name.to_owned()),
        part,
        offices: OfficesRule::End,
    };
    Row { file: 0, row: 0, old_code: old.to_owned(), new_code: new.to_owned(), new_name: name.to_owned(), read: Ok(entry) }
}

fn whole(old: &str, new: &str) -> Row {
    row(old, new, "", "", Part::Whole)
}

#[derive(Clone)]
struct Unit {
    id: UnitId,
    kind: UnitKind,
    parent: Option<UnitId>,
    code: String,
    name: String,
    opened_on: String,
    phase: Option<Phase>,
    /// The day it ended, and its successor.
    closed: Option<(String, UnitId)>,
}

/// A version of a unit: the unit, its parent, name, code, first and last day.
type StoredForm = (UnitId, Option<UnitId>, String, String, String, Option<String>);

/// Units and their versions, as they would be stored.
#[derive(Clone)]
struct Model {
    units: Vec<Unit>,
    forms: Vec<StoredForm>,
}

impl Model {
    /// Provinces `P0` to `P2` with three communes each, `C0` to `C8`, which have two branches each.
    fn new() -> Self {
        let mut model = Self { units: Vec::new(), forms: Vec::new() };
        let root = model.add("central", None, "R");
        for province in 0..3 {
            let above = model.add("province", Some(root), &format!("P{province}"));
            for commune in 0..3 {
                let commune = model.add("commune", Some(above), &format!("C{}", 3 * province + commune));
                for branch in ["01", "02"] {
                    model.add("branch", Some(commune), branch);
                }
            }
        }
        model
    }

    fn add(&mut self, key: &str, parent: Option<UnitId>, code: &str) -> UnitId {
        let unit = id(self.units.len());
        let (code, name, opened_on) = (code.to_owned(), format!("Tên {code}"), BEFORE.to_owned());
        self.forms.push((unit, parent, code.clone(), name.clone(), opened_on.clone(), None));
        self.units.push(Unit { id: unit, kind: level(key), parent, code, name, opened_on, phase: None, closed: None });
        unit
    }

    fn set_phase(&mut self, unit: UnitId, phase: Option<Phase>) {
        self.units.iter_mut().find(|known| known.id == unit).expect("is known").phase = phase;
    }

    fn get(&self, unit: UnitId) -> &Unit {
        self.units.iter().find(|known| known.id == unit).expect("is known")
    }

    fn path(&self, unit: UnitId) -> UnitPath {
        let unit = self.get(unit);
        match unit.parent {
            Some(parent) => self.path(parent).child(&unit.code).expect("a path"),
            None => path(&format!("/{}/", unit.code)),
        }
    }

    /// `paths` are those that ended units keep.
    fn tree(&self, paths: &BTreeMap<UnitId, UnitPath>) -> Tree {
        let units = self.units.iter().map(|unit| UnitRow {
            id: unit.id.to_string(),
            kind: unit.kind.key().to_owned(),
            code: unit.code.clone(),
            name: unit.name.clone(),
            path: paths.get(&unit.id).cloned().unwrap_or_else(|| self.path(unit.id)).to_string(),
            opened_on: unit.opened_on.clone(),
            phase: unit.phase.map(|phase| phase.key().to_owned()),
            live_from: None,
            contact: None,
            closed_on: unit.closed.as_ref().map(|(on, _)| on.clone()),
            parent: unit.closed.as_ref().and(unit.parent).map(|parent| parent.to_string()),
            successor: unit.closed.as_ref().map(|(_, successor)| successor.to_string()),
            version: None,
        });
        let forms = self.forms.iter().map(|(unit, parent, code, name, from, until)| FormRow {
            unit: unit.to_string(),
            kind: self.get(*unit).kind.key().to_owned(),
            parent: parent.map(|parent| parent.to_string()),
            code: code.clone(),
            name: name.clone(),
            from: from.clone(),
            until: until.clone(),
            cause: "reorganised".to_owned(),
        });
        let rows = Rows { version: 1, units: units.collect(), forms: forms.collect(), running: Vec::new(), shifts: Vec::new() };
        rows.tree().expect("a tree")
    }

    /// The units of a day with their parents, codes and names.
    fn on(&self, day: &str) -> BTreeMap<UnitId, (Option<UnitId>, String, String)> {
        let lasts = |from: &String, until: &Option<String>| {
            from.as_str() <= day && until.as_ref().is_none_or(|until| until.as_str() >= day)
        };
        let then = self.forms.iter().filter(|(.., from, until)| lasts(from, until));
        then.map(|(unit, parent, code, name, ..)| (*unit, (*parent, code.clone(), name.clone()))).collect()
    }

    fn change(&mut self, unit: UnitId, to: Option<(Option<UnitId>, &str, &str)>) {
        let last = self.forms.iter_mut().rev().find(|(known, ..)| *known == unit).expect("has a version");
        last.5 = Some("2025-06-30".to_owned());
        let Some((parent, code, name)) = to else { return };
        let (code, name) = (code.to_owned(), name.to_owned());
        self.forms.push((unit, parent, code.clone(), name.clone(), ON.to_owned(), None));
        let known = self.units.iter_mut().find(|known| known.id == unit).expect("is known");
        (known.parent, known.code, known.name) = (parent, code, name);
    }

    /// Carries out a plan.
    fn apply(&mut self, plan: &Plan) {
        let first = self.units.len();
        let of = |place: Place| match place {
            Place::Open(unit) => unit,
            Place::Begun(at) => id(first + at),
        };
        for begun in &plan.begun {
            let (unit, parent) = (id(self.units.len()), Some(of(begun.above)));
            let (code, name, opened_on) = (begun.code.clone(), begun.name.clone(), ON.to_owned());
            self.forms.push((unit, parent, code.clone(), name.clone(), opened_on.clone(), None));
            let phase = begun.phase;
            self.units.push(Unit { id: unit, kind: begun.kind, parent, code, name, opened_on, phase, closed: None });
        }
        for ended in &plan.ended {
            self.change(ended.unit, None);
            let known = self.units.iter_mut().find(|known| known.id == ended.unit).expect("is known");
            known.closed = Some((ON.to_owned(), of(ended.successor)));
        }
        for next in &plan.continued {
            self.change(next.unit, Some((next.above.map(of), next.code.as_str(), next.name.as_str())));
        }
        for next in &plan.moved {
            let name = self.get(next.unit).name.clone();
            self.change(next.unit, Some((Some(of(next.above)), next.code.as_str(), name.as_str())));
        }
        for phased in &plan.phased {
            self.set_phase(phased.unit, Some(phased.phase));
        }
    }
}

/// Divided units with the targets of their other parts.
type Divided = [(UnitId, BTreeSet<UnitId>)];

fn planned(tree: &Tree, rows: &[Row], is_closed: fn(UnitKind, NaiveDate) -> bool, divided: &Divided) -> Plan {
    let divided = divided.iter().cloned().collect();
    plan(&Question { tree, rows, on: day(ON), standpoint: None, is_closed, divided: &divided })
}

fn never(_: UnitKind, _: NaiveDate) -> bool {
    false
}

fn communes_end(kind: UnitKind, _: NaiveDate) -> bool {
    kind.key() == "commune"
}

fn problems(rows: &[Row]) -> Vec<RowProblem> {
    let tree = Model::new().tree(&BTreeMap::new());
    planned(&tree, rows, never, &[]).refused.into_values().collect()
}

#[test]
fn each_bad_row_has_its_reason() {
    let main = |old: &str, new: &str| row(old, new, "", "", Part::Main);
    let part = |old: &str, new: &str| row(old, new, "", "Mới", Part::Part);
    let below = |old: &str, new: &str, parent: &str| row(old, new, parent, "", Part::Whole);
    let named = |old: &str, name: &str| row(old, "C0", "", name, Part::Whole);
    for (rows, expected) in [
        (vec![whole("X", "C1")], vec![RowProblem::UnknownCode]),
        (vec![whole("01", "07")], vec![RowProblem::AmbiguousCode]),
        (vec![whole("C0", "C0"), whole("C0", "C1")], vec![RowProblem::WholeTwice { row: 0 }]),
        (vec![part("C0", "N1")], vec![RowProblem::NoMainPart]),
        (vec![main("C0", "C0"), main("C0", "C1"), whole("C1", "C1")], vec![RowProblem::TwoMainParts { row: 0 }]),
        (vec![whole("C0", "C0"), part("C0", "N1")], vec![RowProblem::PartsAndWhole { row: 0 }]),
        (vec![main("C0", "C0"), part("C0", "N1"), part("C0", "N1")], vec![RowProblem::PartTwice { row: 0 }]),
        (vec![main("C0/01", "01"), part("C0/01", "07")], vec![RowProblem::HoldsMembers]),
        (vec![whole("R", "S")], vec![RowProblem::Root]),
        (vec![below("C0", "C0", "X")], vec![RowProblem::UnknownParent]),
        (vec![below("C0", "C0", "P1"), whole("P1", "P2"), whole("P2", "P2")], vec![RowProblem::ParentEnds]),
        (vec![below("C0", "C0", "C1")], vec![RowProblem::WrongLevel]),
        (vec![below("P0", "P0", "C0")], vec![RowProblem::Cycle]),
        (vec![named("C0", "Một"), named("C1", "Hai")], vec![RowProblem::NamesDiffer { row: 0 }]),
        (vec![whole("C0", "N1"), whole("C1", "N1")], vec![RowProblem::NameMissing]),
        (vec![whole("C0", "C1")], vec![RowProblem::CodeTaken]),
        (
            vec![row("C0", "N1", "R", "Mới", Part::Whole), row("P0", "N1", "R", "Mới", Part::Whole)],
            vec![RowProblem::LevelsDiffer],
        ),
    ] {
        assert_eq!(problems(&rows), expected, "{:?}", rows.iter().map(|row| &row.old_code).collect::<Vec<_>>());
    }
    let mut unread = whole("C0", "C0");
    unread.read = Err(RowProblem::UnknownParent);
    assert_eq!(problems(&[unread]), [RowProblem::UnknownParent], "as read from the file");
}

#[test]
fn rights_and_days_are_checked() {
    let model = Model::new();
    let mut late = model.clone();
    late.units[2].opened_on = "2025-07-02".to_owned();
    late.forms[2].4 = "2025-07-02".to_owned();
    let (tree, late) = (model.tree(&BTreeMap::new()), late.tree(&BTreeMap::new()));
    let rows = [whole("C0", "C1"), whole("C1", "C1")];
    let since = day("2025-07-02");
    assert_eq!(planned(&late, &rows, never, &[]).refused[&0], RowProblem::ChangedLater { since });
    let registrar = |at: &str| Standpoint {
        branch: path("/R/P0/C0/01/"),
        standing: Standing::Official,
        grants: vec![Grant { role: Role::Registrar, path: path(at) }],
    };
    let refused = |at: &str| {
        let standpoint = registrar(at);
        let question = Question {
            tree: &tree,
            rows: &rows,
            on: day(ON),
            standpoint: Some(&standpoint),
            is_closed: never,
            divided: &BTreeMap::new(),
        };
        plan(&question).refused
    };
    assert!(refused("/R/P0/").is_empty());
    assert_eq!(refused("/R/P0/C0/").len(), 2, "the parent is not covered");
    let problems: Vec<_> = refused("/R/P1/").into_values().collect();
    assert_eq!(problems, [RowProblem::NotAllowed, RowProblem::UnknownCode], "only the first is above the own branch");
}

#[test]
fn units_outside_the_rights_are_answered_like_unknown_ones() {
    let tree = Model::new().tree(&BTreeMap::new());
    let standpoint = Standpoint {
        branch: path("/R/P0/C0/01/"),
        standing: Standing::Official,
        grants: vec![Grant { role: Role::Registrar, path: path("/R/P0/C0/") }],
    };
    let to = |old: &str, new: &str, parent: &str| row(old, new, parent, "", Part::Whole);
    let planned = |rows: &[Row], is_closed: fn(UnitKind, NaiveDate) -> bool| {
        let divided = BTreeMap::new();
        let question = Question { tree: &tree, rows, on: day(ON), standpoint: Some(&standpoint), is_closed, divided: &divided };
        plan(&question)
    };
    for (row, expected) in [
        (to("C1/01", "01", "C0"), RowProblem::UnknownCode),
        (to("X/01", "01", "C0"), RowProblem::UnknownCode),
        (to("P0", "P0", ""), RowProblem::NotAllowed),
        (to("C0/01", "01", "C1"), RowProblem::UnknownParent),
        (to("C0/01", "01", "X"), RowProblem::UnknownParent),
        (to("C0/01", "01", "P0"), RowProblem::NotAllowed),
        // Many branches have this code, but only one of them is known to the viewer.
        (to("01", "01", "P0"), RowProblem::NotAllowed),
    ] {
        let (old, parent) = (row.old_code.clone(), format!("{:?}", row.read));
        let found = planned(&[row], never);
        assert_eq!(found.refused.values().collect::<Vec<_>>(), [&expected], "{old} {parent}");
        assert!(found.is_empty() && found.moved.is_empty() && found.undecided.is_empty(), "{old} {found:?}");
    }
    // The unit above one of a closed level is outside.
    let found = planned(&[to("C0/01", "01", ""), to("C0/02", "02", "")], communes_end);
    assert_eq!(found.refused.values().cloned().collect::<Vec<_>>(), [RowProblem::NotAllowed, RowProblem::NotAllowed]);
    assert!(found.ended.is_empty() && found.continued.is_empty());
}

#[test]
fn units_of_a_closed_level_end_when_all_below_them_leave() {
    let tree = Model::new().tree(&BTreeMap::new());
    let to = |old: &str, new: &str| row(old, new, "P0", "", Part::Whole);
    let all = planned(&tree, &[to("C0/01", "B1"), to("C0/02", "B2")], communes_end, &[]);
    assert!(all.refused.is_empty() && all.undecided.is_empty());
    assert_eq!(all.ended.len(), 1);
    let province = tree.at(&path("/R/P0/")).expect("a province").id;
    assert_eq!(all.ended[0].successor, Place::Open(province));
    let shifts: Shifts = all.shifts.iter().cloned().collect();
    assert_eq!(shifts.apply(&path("/R/P0/C0/01/")), Some(path("/R/P0/B1/")));
    assert_eq!(shifts.apply(&path("/R/P0/C0/")), Some(path("/R/P0/")));
    let some = planned(&tree, &[to("C0/01", "B1")], communes_end, &[]);
    let commune = tree.at(&path("/R/P0/C0/")).expect("a commune").id;
    assert_eq!((some.undecided, some.ended), (vec![commune], Vec::new()));
}

#[test]
fn a_row_is_not_taken_for_that_of_another_unit_with_the_same_code() {
    let mut model = Model::new();
    let first = planned(&model.tree(&BTreeMap::new()), &[whole("C0/01", "05")], never, &[]);
    model.apply(&first);
    let tree = model.tree(&BTreeMap::new());
    let again = planned(&tree, &[whole("C0/01", "05"), whole("C1/01", "05")], never, &[]);
    assert!(again.refused.is_empty());
    assert_eq!((again.already, again.continued.len()), (1, 1));
    // Where the code stays and the unit above is another one.
    let to = |old: &str| row(old, "C3", "P0", "", Part::Whole);
    let moved = planned(&tree, &[to("P1/C3")], never, &[]);
    model.apply(&moved);
    let again = planned(&model.tree(&BTreeMap::new()), &[to("P1/C3")], never, &[]);
    assert_eq!((again.already, again.refused.len()), (1, 0));
}

#[test]
fn a_unit_that_its_parent_follows_goes_along() {
    let mut model = Model::new();
    let tree = model.tree(&BTreeMap::new());
    // P1 becomes a part of P0; its communes follow, one of them under another code.
    let rows = [whole("P0", "P0"), whole("P1", "P0"), row("C3", "N3", "P0", "", Part::Whole)];
    let found = planned(&tree, &rows, never, &[]);
    assert!(found.refused.is_empty());
    assert_eq!((found.ended.len(), found.moved.len()), (1, 2));
    model.apply(&found);
    let paths = BTreeMap::from([(found.ended[0].unit, path("/R/P1/"))]);
    let after = model.tree(&paths);
    assert_eq!(after.former(&path("/R/P1/C3/01/")).expect("is known").path, path("/R/P0/N3/01/"));
    assert_eq!(after.former(&path("/R/P1/C4/02/")).expect("is known").path, path("/R/P0/C4/02/"));
}

#[test]
fn a_unit_that_continues_gets_a_phase_where_members_would_lose_access() {
    let below = |old: &str, new: &str, parent: &str| row(old, new, parent, "", Part::Whole);
    let joining = || vec![below("C0", "C0", "P0"), below("C3", "C0", "P0")];
    let (planned_phase, pilot, live) = (Phase::Planned, Phase::Pilot, Phase::Live);
    for (case, phases, rows, expected) in [
        ("below a planned unit", vec![("/R/P0/", planned_phase), ("/R/P1/", pilot)], joining(), vec![("/R/P0/C0/", pilot)]),
        ("planned itself", vec![("/R/P0/C0/", planned_phase)], joining(), vec![("/R/P0/C0/", live)]),
        (
            "the unit above takes others in too",
            vec![("/R/P0/", planned_phase)],
            [joining(), vec![whole("P0", "P0"), whole("P1", "P0")]].concat(),
            vec![("/R/P0/", live)],
        ),
        ("moved", vec![("/R/P0/", planned_phase)], vec![below("C3", "N3", "P0")], vec![("/R/P1/C3/", live)]),
        ("members could not sign in", vec![("/R/", planned_phase), ("/R/P2/", live)], joining(), vec![]),
        ("members still can", vec![("/R/P0/", pilot)], joining(), vec![]),
    ] {
        let mut model = Model::new();
        for (at, phase) in phases {
            let unit = model.units.iter().map(|unit| unit.id).find(|unit| model.path(*unit) == path(at)).expect("is known");
            model.set_phase(unit, Some(phase));
        }
        let tree = model.tree(&BTreeMap::new());
        let found = planned(&tree, &rows, never, &[]);
        assert_eq!(found.refused, BTreeMap::new(), "{case}");
        let phased = found.phased.iter().map(|phased| (tree.get(phased.unit).expect("is open").path.as_str(), phased.phase));
        assert_eq!(phased.collect::<Vec<_>>(), expected, "{case}");
    }
}

#[test]
fn a_parent_whose_code_is_common_is_named_by_its_path() {
    let mut model = Model::new();
    let tree = model.tree(&BTreeMap::new());
    let branch = tree.at(&path("/R/P0/C0/01/")).expect("a branch").id;
    model.add("group", Some(branch), "G");
    let tree = model.tree(&BTreeMap::new());
    let below = |parent: &str| planned(&tree, &[row("G", "G", parent, "", Part::Whole)], never, &[]);
    assert_eq!(below("01").refused.into_values().collect::<Vec<_>>(), [RowProblem::AmbiguousParent]);
    let found = below("C1/01");
    assert_eq!((found.refused, found.continued.len()), (BTreeMap::new(), 1));
}

/// What becomes of a unit: a part of another one, or the same under a fresh code.
fn fates(count: usize) -> impl Strategy<Value = Vec<usize>> {
    // Twice as many numbers as units: a number behind them is a fresh code.
    proptest::collection::vec((0..2 * count, 0..3_u8), count).prop_map(move |drawn| {
        let stays: Vec<bool> = drawn.iter().map(|(_, stays)| *stays > 0).collect();
        let fate = |(at, (to, _)): (usize, (usize, u8))| {
            let is_target = to >= count || stays[to];
            if stays[at] || !is_target { at } else { to }
        };
        drawn.into_iter().enumerate().map(fate).collect()
    })
}

fn rows_of(provinces: &[usize], communes: &[usize], parts: &[(usize, usize)]) -> Vec<Row> {
    let code = |letter: char, at: usize| format!("{letter}{at}");
    let mut rows: Vec<Row> = provinces
        .iter()
        .enumerate()
        .map(|(at, to)| row(&code('P', at), &code('P', *to), "", if *to < 3 { "" } else { "Tỉnh" }, Part::Whole))
        .collect();
    for (at, to) in communes.iter().enumerate() {
        let of: Vec<usize> = parts.iter().filter(|(from, part)| *from == at && part != to).map(|(_, part)| *part).collect();
        let is_divided = !of.is_empty();
        let part = if is_divided { Part::Main } else { Part::Whole };
        // A commune that becomes a part of another one is below what the province of that one becomes.
        let parent = |to: usize| if to < 9 { code('P', provinces[to / 3]) } else { code('P', provinces[at / 3]) };
        let name = |to: usize| if to < 9 { "" } else { "Xã" };
        rows.push(row(&code('C', at), &code('C', *to), &parent(*to), name(*to), part));
        let of: BTreeSet<usize> = of.into_iter().collect();
        rows.extend(of.into_iter().map(|to| row(&code('C', at), &code('C', to), &parent(to), name(to), Part::Part)));
    }
    rows
}

/// Own phases of units; most follow the unit above.
const PHASES: [Option<Phase>; 4] = [None, None, Some(Phase::Planned), Some(Phase::Live)];

proptest! {
    #[test]
    fn a_plan_leaves_one_tree_with_all_branches_and_a_true_history(
        provinces in fates(3), communes in fates(9), parts in proptest::collection::vec((0..9_usize, 0..9_usize), 0..3),
        phases in proptest::collection::vec(proptest::sample::select(PHASES.to_vec()), 31),
    ) {
        let mut model = Model::new();
        prop_assert_eq!(model.units.len(), phases.len());
        for (unit, phase) in model.units.iter_mut().zip(phases) {
            unit.phase = phase;
        }
        let (before, old) = (model.on("2025-06-30"), model.tree(&BTreeMap::new()));
        let rows = rows_of(&provinces, &communes, &parts);
        let found = planned(&old, &rows, never, &[]);
        if !found.refused.is_empty() {
            return Ok(());
        }
        let closed: BTreeMap<UnitId, UnitPath> =
            found.ended.iter().map(|ended| (ended.unit, old.get(ended.unit).expect("is open").path.clone())).collect();
        let first = model.units.len();
        model.apply(&found);
        let new = model.tree(&closed);
        prop_assert_eq!(new.len(), old.len() - found.ended.len() + found.begun.len());
        prop_assert_eq!(new.all().filter(|unit| unit.path.parent().is_none()).count(), 1);
        for unit in new.all() {
            let above = unit.path.parent();
            prop_assert!(above.is_none_or(|above| new.at(&above).is_some_and(|above| unit.kind.hangs_on(above.kind))));
            prop_assert_eq!(&model.path(unit.id), &unit.path);
        }
        let shifts: Shifts = found.shifts.iter().cloned().collect();
        for unit in old.all() {
            let now = new.successor(&unit.id.to_string()).expect("goes on").path.clone();
            prop_assert_eq!(shifts.apply(&unit.path).unwrap_or_else(|| unit.path.clone()), now.clone(), "{}", unit.path);
            prop_assert_eq!(&new.former(&unit.path).expect("is known").path, &now);
            // Who could sign in still can.
            prop_assert!(!old.phase(&unit.path).is_open() || new.phase(&now).is_open(), "{}", unit.path);
            // Units with members keep their ids.
            prop_assert!(!unit.kind.holds_members() || new.get(unit.id).is_some());
        }
        for shift in &found.shifts {
            prop_assert!(!new.all().any(|unit| shift.from.contains(&unit.path)), "nothing is where something left: {:?}", shift);
        }
        prop_assert_eq!(model.on("2025-06-30"), before);
        let after: BTreeSet<UnitId> = model.on(ON).into_keys().collect();
        prop_assert_eq!(after, new.all().map(|unit| unit.id).collect::<BTreeSet<_>>());
        let targets = |unit: UnitId| {
            let candidates = found.queued.iter().filter(|queued| queued.from == unit).flat_map(|queued| &queued.candidates);
            candidates.map(|place| match place {
                Place::Open(unit) => *unit,
                Place::Begun(at) => id(first + at),
            }).collect::<BTreeSet<UnitId>>()
        };
        let divided: Vec<_> = found.divided.iter().map(|unit| (*unit, targets(*unit))).collect();
        let again = planned(&new, &rows, never, &divided);
        prop_assert!(again.is_empty() && again.refused.is_empty(), "{:?}", again);
    }
}
