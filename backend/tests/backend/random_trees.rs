//! Random organisations whose units change in every way. After each step the tree is one tree, each member is registered in one
//! unit, and each member has exactly the documents that the rules give them.
//!
//! The rules are written here a second time, over links between units instead of paths:
//!
//! - A document is for the members of its unit and of the units below it. With parts, only for those below a part. Without those
//!   below an excepted unit. With standings, only for members of these.
//! - A unit that was taken over stands for the one that took it over: as the unit of a document, as its issuer and as a part.
//! - An excepted unit that was taken over excepts nobody, whether by a merge or by a reorganisation.
//! - A unit that closed has no members. It stays where it was.
//! - An office that reads sees the documents for its unit, for a unit below it, and for a part below it. By a part, an office on
//!   or below an excepted unit sees nothing. An office that writes sees the documents of its unit and of the units below it.
//! - Offices end with their unit, unless a file says that they go on where it was taken over.
//!
//! `HANDBOOK_TREE_ROUNDS` chooses how many organisations are tested, `HANDBOOK_TREE_SEED` the seed of the first one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    iter::successors,
};

use backend::{
    Backend, Error,
    accounts::SignInForm,
    demo::registry::{NewMember, Registry},
    documents::DraftForm,
    units::{AssignForm, BelowQuery, CloseForm, NewUnitForm, PhaseForm, QueueQuery, ReceiveForm, Received, SplitForm, Tree},
};
use chrono::{NaiveDate, TimeDelta};
use domain::{
    accounts::{Office, Password, Preferences, Viewer},
    documents::LibraryQuery,
    ids::{DocumentId, MemberId, UnitId},
    members::{NationalId, Sex, Standing},
    policy::{Grant, Role, Standpoint},
    search::SearchQuery,
    units::{
        Phase, UnitKind, UnitPath, UnitRef,
        reorganisation::{PlanList, ReorganisationState},
    },
};
use rand::{
    Rng, SeedableRng,
    rngs::StdRng,
    seq::{IndexedRandom, SliceRandom},
};

use crate::{
    documents::{form, release},
    support::{PASSWORD, backend, level, start},
    units::{merge, move_below, rename},
};

const ROUNDS: u64 = 2;
const SEED: u64 = 1;

const UNITS: usize = 25;
const MEMBERS: usize = 20;
const OFFICES: usize = 12;
/// Documents at the beginning. With those of [`Step::Publish`] they fit on a page of the library.
const DOCUMENTS: usize = 8;
/// Members whose session is compared with the rules.
const SIGNED_IN: usize = 5;

const TODAY: &str = "2026-11-21";
const NAME: &str = "Võ Văn Khơi";

/// Roles that read the documents for their subtree, and roles that write those of their subtree.
const READERS: [Role; 5] = [Role::Secretary, Role::Deputy, Role::CommitteeMember, Role::Editor, Role::ChiefEditor];
const WRITERS: [Role; 2] = [Role::Editor, Role::ChiefEditor];

/// A change of the organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Create,
    Rename,
    Recode,
    Move,
    /// Merges a unit that a document excepts, if there is one.
    MergeExcepted,
    /// Merges a part of a document, if there is one.
    MergePart,
    Split,
    SetPhase,
    Close,
    Publish,
    Reorganise,
}

/// The steps of a round, in random order.
const STEPS: [Step; 12] = [
    Step::Create,
    Step::Rename,
    Step::Recode,
    Step::Move,
    Step::MergeExcepted,
    Step::MergePart,
    Step::Split,
    Step::SetPhase,
    Step::Close,
    Step::Publish,
    Step::Reorganise,
    Step::Reorganise,
];

/// What became of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Open,
    Closed,
    TakenOver(UnitId),
}

/// A unit in the rules.
#[derive(Debug)]
struct Place {
    kind: UnitKind,
    /// The unit above; of a unit that ended, the last one.
    parent: Option<UnitId>,
    /// Its own phase.
    phase: Option<Phase>,
    fate: Fate,
}

impl Place {
    fn new(parent: Option<UnitId>, kind: UnitKind) -> Self {
        Self { kind, parent, phase: None, fate: Fate::Open }
    }
}

struct Member {
    id: MemberId,
    standing: Standing,
    unit: UnitId,
    offices: BTreeSet<(Role, UnitId)>,
    /// Of a session.
    token: Option<String>,
}

/// Whom a document is for, and who issues it.
#[derive(Debug, Clone)]
struct Whom {
    issuer: UnitId,
    unit: UnitId,
    parts: Vec<UnitId>,
    except: Vec<UnitId>,
    standings: Vec<Standing>,
}

/// What a file does with some units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileChange {
    /// The unit gets another code, name and parent.
    Move,
    /// The first unit takes over the second.
    Merge,
    /// A unit that begins takes over both.
    Join,
    /// The unit goes on, and another one begins.
    Divide,
}

/// Rows of a file.
#[derive(Debug)]
struct FileRows {
    change: FileChange,
    units: Vec<UnitId>,
    /// The parent of the unit that goes on or begins.
    parent: UnitId,
    /// Of the unit that is moved or begins.
    code: String,
}

/// How often the test met what it is about.
#[derive(Debug, Default)]
struct Met {
    steps: BTreeSet<Step>,
    addressed: usize,
    only_by_office: usize,
    hidden: usize,
    /// Documents for members below a unit that took over a part.
    by_taken_part: usize,
    /// Documents for members below a unit that took over an excepted one.
    once_excepted: usize,
}

struct World {
    backend: Backend,
    root: UnitId,
    /// May change all units. Member 0, who holds the office in the store too.
    registrar: Viewer,
    editor: Viewer,
    places: BTreeMap<UnitId, Place>,
    members: Vec<Member>,
    documents: Vec<(DocumentId, Whom)>,
    /// The unit that had each path.
    paths: BTreeMap<UnitPath, UnitId>,
    /// Units that a file has divided. The same unit is not divided twice on one day.
    divided: BTreeSet<UnitId>,
    codes: u32,
}

/// The rules.
impl World {
    fn place(&self, unit: UnitId) -> &Place {
        &self.places[&unit]
    }

    fn place_mut(&mut self, unit: UnitId) -> &mut Place {
        self.places.get_mut(&unit).expect("is known")
    }

    fn open(&self) -> impl Iterator<Item = (UnitId, &Place)> {
        self.places.iter().filter(|(_, place)| place.fate == Fate::Open).map(|(unit, place)| (*unit, place))
    }

    /// The unit, its parent and so on.
    fn line(&self, unit: UnitId) -> impl Iterator<Item = UnitId> {
        successors(Some(unit), |unit| self.place(*unit).parent)
    }

    fn is_below(&self, unit: UnitId, above: UnitId) -> bool {
        self.line(unit).any(|unit| unit == above)
    }

    /// The unit itself, or the one that took it over in the end.
    fn now(&self, mut unit: UnitId) -> UnitId {
        while let Fate::TakenOver(by) = self.place(unit).fate {
            unit = by;
        }
        unit
    }

    fn is_taken_over(&self, unit: UnitId) -> bool {
        self.now(unit) != unit
    }

    fn phase(&self, unit: UnitId) -> Phase {
        self.line(unit).find_map(|unit| self.place(unit).phase).unwrap_or_default()
    }

    fn is_excepted(&self, unit: UnitId, whom: &Whom) -> bool {
        whom.except.iter().any(|except| !self.is_taken_over(*except) && self.is_below(unit, *except))
    }

    /// Whether a document is for the member.
    fn is_addressed(&self, member: &Member, whom: &Whom) -> bool {
        let is_below = |unit: UnitId| self.is_below(member.unit, self.now(unit));
        is_below(whom.unit)
            && (whom.parts.is_empty() || whom.parts.iter().any(|part| is_below(*part)))
            && !self.is_excepted(member.unit, whom)
            && (whom.standings.is_empty() || whom.standings.contains(&member.standing))
    }

    /// Whether an office of the member shows them a document.
    fn reads_by_office(&self, member: &Member, whom: &Whom) -> bool {
        let (issuer, unit) = (self.now(whom.issuer), self.now(whom.unit));
        let parts = whom.parts.iter().map(|part| self.now(*part)).filter(|part| self.is_below(*part, unit));
        let parts: Vec<UnitId> = parts.collect();
        member.offices.iter().any(|(role, held_on)| {
            let is_held = |unit: UnitId| self.is_below(unit, *held_on);
            let by_part = || parts.iter().any(|part| is_held(*part)) && !self.is_excepted(*held_on, whom);
            (READERS.contains(role) && (is_held(unit) || by_part())) || (WRITERS.contains(role) && is_held(issuer))
        })
    }

    /// Units end at the same time: what was below them is now below the ones that take over, and so are their members.
    fn take_over(&mut self, ended: &[(UnitId, UnitId)], keeps_offices: bool) {
        for (unit, by) in ended {
            self.place_mut(*unit).fate = Fate::TakenOver(*by);
        }
        for (unit, by) in ended {
            for place in self.places.values_mut().filter(|place| place.fate == Fate::Open && place.parent == Some(*unit)) {
                place.parent = Some(*by);
            }
            for member in &mut self.members {
                if member.unit == *unit {
                    member.unit = *by;
                }
            }
            self.end_offices(*unit, Some(*by).filter(|_| keeps_offices));
        }
    }

    /// Ends the offices on a unit. They go on at another one, if one is given.
    fn end_offices(&mut self, unit: UnitId, at: Option<UnitId>) {
        for member in &mut self.members {
            let (ended, rest): (BTreeSet<_>, BTreeSet<_>) = member.offices.iter().copied().partition(|(_, held)| *held == unit);
            member.offices = rest;
            member.offices.extend(ended.into_iter().filter_map(|(role, _)| Some((role, at?))));
        }
    }
}

/// The beginning.
impl World {
    async fn grow(dice: &mut StdRng) -> Self {
        let (backend, _) = backend().await;
        let since = start() - TimeDelta::days(400);
        let mut registry = Registry::new(&backend, dice.random(), since);
        let units = grow_units(&mut registry, dice, since.date_naive());
        let root = &units[0];
        let holders: Vec<&UnitRef> = units.iter().filter(|unit| unit.kind.holds_members()).collect();
        let mut members = Vec::new();
        for number in 0..MEMBERS {
            // The first two branches have some members.
            let unit = if number < 6 { holders[number % 2] } else { holders.choose(dice).copied().expect("one") };
            let standing = *Standing::ALL.choose(dice).expect("one");
            let id = registry
                .member(&NewMember {
                    code: &format!("51.{number:06}"),
                    full_name: NAME,
                    sex: Sex::Male,
                    birth_date: NaiveDate::from_ymd_opt(1980, 2, 3).expect("a day"),
                    admitted_on: NaiveDate::from_ymd_opt(2008, 2, 3).expect("a day"),
                    standing,
                    national_id: &NationalId::parse(&national_id(number)).expect("twelve digits"),
                    phone: None,
                    unit,
                })
                .expect("registers");
            members.push(Member { id, standing, unit: unit.id, offices: BTreeSet::new(), token: None });
        }
        let given = (0..OFFICES).map(|_| {
            let (member, role) = (dice.random_range(0..MEMBERS), *Role::ALL.choose(dice).expect("one"));
            (member, role, units.choose(dice).expect("one"))
        });
        for (member, role, unit) in [(0, Role::Registrar, root)].into_iter().chain(given) {
            if members[member].offices.insert((role, unit.id)) {
                registry.office(members[member].id, role, unit, None);
            }
        }
        let hash = registry.hash(&Password::parse(PASSWORD).expect("long enough")).await.expect("hashes");
        for member in &members[..SIGNED_IN] {
            let unit = units.iter().find(|unit| unit.id == member.unit).expect("is known");
            registry.account(member.id, unit, since + TimeDelta::days(10), &hash, Preferences::default());
        }
        registry.save().await.expect("saves");
        for (number, member) in members[..SIGNED_IN].iter_mut().enumerate() {
            let form = SignInForm { national_id: &national_id(number), password: PASSWORD, device: "" };
            member.token = Some(backend.accounts().sign_in(form).await.expect("signs in").token);
        }

        let parent = |unit: &UnitRef| units.iter().find(|above| unit.path.parent().as_ref() == Some(&above.path));
        let place = |unit: &UnitRef| (unit.id, Place::new(parent(unit).map(|parent| parent.id), unit.kind));
        let editor = "01ARZ3NDEKTSV4RRFFQ69G5FAA".parse().expect("an id");
        let mut world = Self {
            root: root.id,
            registrar: on_root(root, members[0].id, &[Role::Operator, Role::Registrar]),
            editor: on_root(root, editor, &[Role::ChiefEditor]),
            places: units.iter().map(place).collect(),
            members,
            documents: Vec::new(),
            paths: BTreeMap::new(),
            divided: BTreeSet::new(),
            codes: 0,
            backend,
        };
        let [first, second, third] = [0, 1, 2].map(|at| holders[at].id);
        let whole = Whom { issuer: root.id, unit: root.id, parts: Vec::new(), except: Vec::new(), standings: Vec::new() };
        assert!(world.publish_for(&Whom { except: vec![first], ..whole.clone() }).await, "all but one branch");
        assert!(world.publish_for(&Whom { parts: vec![second, third], ..whole }).await, "two branches");
        while world.documents.len() < DOCUMENTS {
            world.publish(dice).await.expect("somebody to publish for");
        }
        world
    }
}

/// A province, a commune and four branches, then units of any level that may be below a random one. Units with the same code
/// below different parents are frequent. The code of the root is that of no other unit.
fn grow_units(registry: &mut Registry<'_>, dice: &mut StdRng, on: NaiveDate) -> Vec<UnitRef> {
    let mut units = vec![registry.unit(None, level("central"), "00", "Trung ương").expect("a code")];
    for at in 1..UNITS {
        let (parent, kind) = match at {
            1 => (units[0].clone(), level("province")),
            2 => (units[1].clone(), level("commune")),
            3..=6 => (units[2].clone(), level("branch")),
            _ => {
                let below: Vec<(&UnitRef, UnitKind)> =
                    units.iter().flat_map(|unit| unit.kind.levels_below(on).map(move |kind| (unit, kind))).collect();
                let (parent, kind) = *below.choose(dice).expect("a place");
                (parent.clone(), kind)
            }
        };
        let number = units.iter().filter(|unit| unit.path.parent().as_ref() == Some(&parent.path)).count() + 1;
        units.push(registry.unit(Some(&parent), kind, &format!("{number:02}"), &format!("Đơn vị {at}")).expect("a code"));
    }
    units
}

fn national_id(number: usize) -> String {
    format!("951000{number:06}")
}

/// Somebody with offices on the root only.
fn on_root(root: &UnitRef, member: MemberId, roles: &[Role]) -> Viewer {
    let grants = roles.iter().map(|role| Grant { role: *role, path: root.path.clone() }).collect();
    Viewer {
        member,
        name: NAME.to_owned(),
        branch: root.clone(),
        standpoint: Standpoint { branch: root.path.clone(), standing: Standing::Official, grants },
        offices: Vec::new(),
        resting: Vec::new(),
    }
}

/// The steps. Each returns `None` where no unit is fit for it.
impl World {
    async fn take(&mut self, dice: &mut StdRng, step: Step) -> Option<()> {
        match step {
            Step::Create => self.create(dice).await,
            Step::Rename => self.rename(dice).await,
            Step::Recode => self.recode(dice).await,
            Step::Move => self.move_below(dice).await,
            Step::MergeExcepted => {
                let units: Vec<UnitId> = self.documents.iter().flat_map(|(_, whom)| &whom.except).copied().collect();
                self.merge(dice, &units).await
            }
            Step::MergePart => {
                let units: Vec<UnitId> = self.documents.iter().flat_map(|(_, whom)| &whom.parts).copied().collect();
                self.merge(dice, &units).await
            }
            Step::Split => self.split(dice).await,
            Step::SetPhase => self.set_phase(dice).await,
            Step::Close => self.close(dice).await,
            Step::Publish => self.publish(dice).await,
            Step::Reorganise => self.reorganise(dice).await,
        }
    }

    /// A code that no unit has or had.
    fn fresh_code(&mut self) -> String {
        self.codes += 1;
        (500 + self.codes).to_string()
    }

    fn some_unit(&self, dice: &mut StdRng) -> Option<UnitId> {
        let units: Vec<UnitId> = self.open().map(|(unit, _)| unit).filter(|unit| *unit != self.root).collect();
        units.choose(dice).copied()
    }

    /// Pairs of different units, the first of which is not the root.
    fn pairs(&self, fits: impl Fn(&Place, &Place) -> bool) -> Vec<(UnitId, UnitId)> {
        let mut pairs = Vec::new();
        for (unit, place) in self.open().filter(|(unit, _)| *unit != self.root) {
            let others = self.open().filter(|(other, with)| *other != unit && fits(place, with));
            pairs.extend(others.map(|(other, _)| (unit, other)));
        }
        pairs
    }

    async fn version(&self, unit: UnitId) -> String {
        let page = self.backend.unit_desk().page(&self.registrar, &unit.to_string(), None, BelowQuery::default()).await;
        page.expect("a page").version.to_string()
    }

    async fn create(&mut self, dice: &mut StdRng) -> Option<()> {
        let today = self.backend.clock().today();
        let below = self.open().flat_map(|(unit, place)| place.kind.levels_below(today).map(move |kind| (unit, kind)));
        let (parent, kind) = below.collect::<Vec<_>>().choose(dice).copied()?;
        let (above, code) = (parent.to_string(), self.fresh_code());
        let form = NewUnitForm { parent: &above, kind: kind.key(), code: &code, name: "Đơn vị mới", on: TODAY };
        let unit = self.backend.unit_desk().create(&self.registrar, form).await.expect("is created");
        self.places.insert(unit, Place::new(Some(parent), kind));
        self.assert_code(unit, &code);
        Some(())
    }

    async fn rename(&mut self, dice: &mut StdRng) -> Option<()> {
        let unit = self.some_unit(dice)?;
        let name = format!("Tên mới {}", self.fresh_code());
        rename(&self.backend, &self.registrar, unit, &name, TODAY).await.expect("is renamed");
        assert_eq!(self.backend.units().tree().get(unit).map(|unit| unit.name.clone()), Some(name));
        Some(())
    }

    async fn recode(&mut self, dice: &mut StdRng) -> Option<()> {
        let unit = self.some_unit(dice)?;
        let parent = self.place(unit).parent?;
        let code = self.fresh_code();
        move_below(&self.backend, &self.registrar, unit, parent, &code).await.expect("gets another code");
        self.assert_code(unit, &code);
        Some(())
    }

    async fn move_below(&mut self, dice: &mut StdRng) -> Option<()> {
        let mut pairs = self.pairs(|unit, target| unit.kind.hangs_on(target.kind));
        pairs.retain(|(unit, target)| self.place(*unit).parent != Some(*target));
        let (unit, target) = pairs.choose(dice).copied()?;
        let code = self.fresh_code();
        move_below(&self.backend, &self.registrar, unit, target, &code).await.expect("is moved");
        self.place_mut(unit).parent = Some(target);
        self.assert_code(unit, &code);
        Some(())
    }

    /// Merges the first of these units that can be merged, or any unit if none can.
    async fn merge(&mut self, dice: &mut StdRng, preferred: &[UnitId]) -> Option<()> {
        let pairs = self.pairs(|unit, target| unit.kind == target.kind);
        let of = |first: UnitId| -> Vec<(UnitId, UnitId)> { pairs.iter().filter(|(unit, _)| *unit == first).copied().collect() };
        let wanted = preferred.iter().map(|unit| of(*unit)).find(|pairs| !pairs.is_empty());
        let (unit, target) = wanted.as_ref().unwrap_or(&pairs).choose(dice).copied()?;
        merge(&self.backend, &self.registrar, unit, target).await.expect("is merged");
        self.take_over(&[(unit, target)], false);
        Some(())
    }

    /// The members who stay keep the documents for their branch; those who go have the documents for the new one.
    async fn split(&mut self, dice: &mut StdRng) -> Option<()> {
        let there = |unit: UnitId| -> Vec<MemberId> {
            self.members.iter().filter(|member| member.unit == unit).map(|member| member.id).collect()
        };
        let branches = self.open().filter(|(_, place)| place.kind.splits()).map(|(unit, _)| (unit, there(unit)));
        let branches: Vec<(UnitId, Vec<MemberId>)> = branches.filter(|(_, members)| members.len() > 1).collect();
        let (unit, members) = branches.choose(dice)?.clone();
        let count = dice.random_range(1..members.len());
        let going: BTreeSet<MemberId> = members.choose_multiple(dice, count).copied().collect();
        let (version, code) = (self.version(unit).await, self.fresh_code());
        let (key, chosen) = (unit.to_string(), going.iter().map(ToString::to_string).collect::<Vec<_>>());
        let form = SplitForm { unit: &key, version: &version, code: &code, name: "Chi bộ mới", on: TODAY, members: &chosen };
        let fresh = self.backend.unit_desk().split(&self.registrar, form).await.expect("is split");
        let Place { kind, parent, .. } = *self.place(unit);
        self.places.insert(fresh, Place::new(parent, kind));
        for member in self.members.iter_mut().filter(|member| going.contains(&member.id)) {
            member.unit = fresh;
        }
        self.assert_code(fresh, &code);
        Some(())
    }

    async fn set_phase(&mut self, dice: &mut StdRng) -> Option<()> {
        let unit = self.some_unit(dice)?;
        let phase = [None, Some(Phase::Planned), Some(Phase::Pilot), Some(Phase::Live)].choose(dice).copied()?;
        let (key, version) = (unit.to_string(), self.version(unit).await);
        let form = PhaseForm { unit: &key, version: &version, phase: phase.map_or("", Phase::key), live_from: "", contact: "" };
        self.backend.unit_desk().set_phase(&self.registrar, form).await.expect("is set");
        self.place_mut(unit).phase = phase;
        Some(())
    }

    /// Closes a unit that has neither members nor units.
    async fn close(&mut self, dice: &mut StdRng) -> Option<()> {
        let mut used: BTreeSet<UnitId> = self.members.iter().map(|member| member.unit).collect();
        used.extend(self.open().filter_map(|(_, place)| place.parent));
        let empty: Vec<UnitId> =
            self.open().map(|(unit, _)| unit).filter(|unit| *unit != self.root && !used.contains(unit)).collect();
        let unit = empty.choose(dice).copied()?;
        let (key, version) = (unit.to_string(), self.version(unit).await);
        let form = CloseForm { unit: &key, version: &version, on: TODAY };
        self.backend.unit_desk().close(&self.registrar, form).await.expect("is closed");
        self.place_mut(unit).fate = Fate::Closed;
        self.end_offices(unit, None);
        Some(())
    }

    fn assert_code(&self, unit: UnitId, code: &str) {
        let tree = self.backend.units().tree();
        assert_eq!(tree.get(unit).expect("is open").path.code(), code);
    }
}

/// Documents.
impl World {
    fn all_below(&self, above: UnitId) -> Vec<UnitId> {
        self.open().map(|(unit, _)| unit).filter(|unit| self.is_below(*unit, above)).collect()
    }

    fn some_audience(&self, dice: &mut StdRng) -> Option<Whom> {
        let issuers: Vec<UnitId> = self.open().filter(|(_, place)| place.kind.issues_documents()).map(|(unit, _)| unit).collect();
        let issuer = if dice.random_bool(0.5) { self.root } else { issuers.choose(dice).copied()? };
        let unit = self.all_below(issuer).choose(dice).copied()?;
        let inside: Vec<UnitId> = self.all_below(unit).into_iter().filter(|below| *below != unit).collect();
        let mut some = |most: usize| -> Vec<UnitId> {
            let count = dice.random_range(0..=most);
            inside.choose_multiple(dice, count).copied().collect()
        };
        let (parts, except) = (some(3), some(2));
        let standings = Standing::ALL.into_iter().filter(|_| dice.random_bool(0.2)).collect();
        Some(Whom { issuer, unit, parts, except, standings })
    }

    /// Publishes a document for a random audience that the form accepts.
    async fn publish(&mut self, dice: &mut StdRng) -> Option<()> {
        for _ in 0..50 {
            let whom = self.some_audience(dice)?;
            if self.publish_for(&whom).await {
                return Some(());
            }
        }
        None
    }

    /// Publishes a document for the typed audience. Returns whether the form accepts it. The form stores the units in its own
    /// way, for the same members.
    async fn publish_for(&mut self, typed: &Whom) -> bool {
        let (documents, editor) = (self.backend.documents(), &self.editor);
        let key = documents.blank(editor).await.expect("a form").draft.id.to_string();
        let [issuer, unit] = [typed.issuer, typed.unit].map(|unit| unit.to_string());
        let keys = |units: &[UnitId]| units.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (parts, except) = (keys(&typed.parts), keys(&typed.except));
        let standings = typed.standings.iter().map(|standing| standing.key()).collect::<Vec<_>>().join(",");
        let draft = DraftForm { parts: &parts, except: &except, standings: &standings, ..form(&key, "0", &issuer, &unit) };
        let id = match documents.save_draft(editor, draft).await {
            Ok(id) => id,
            // Nobody would be left, or an excepted unit is in no part.
            Err(Error::Invalid(_)) => return false,
            Err(error) => panic!("{error:?}"),
        };
        release(&self.backend, editor, id).await;
        let stored = documents.draft(editor, id).await.expect("is on the desk").draft;
        let ids = |units: &[UnitRef]| units.iter().map(|unit| unit.id).collect::<Vec<_>>();
        let whom = Whom {
            issuer: stored.issuer.id,
            unit: stored.audience.id,
            parts: ids(&stored.parts),
            except: ids(&stored.except),
            standings: stored.standings,
        };
        for member in &self.members {
            assert_eq!(self.is_addressed(member, typed), self.is_addressed(member, &whom), "{typed:?} as {whom:?}");
        }
        self.backend.catch_up().await.expect("reads the log");
        self.backend.search().catch_up().await.expect("brings the index up to date");
        self.documents.push((id, whom));
        true
    }
}

/// Reorganisations by file.
impl World {
    /// Sends a file, confirms the plan, runs the job to its end, and assigns some of the units below divided ones.
    async fn reorganise(&mut self, dice: &mut StdRng) -> Option<()> {
        let rows = self.some_rows(dice);
        if rows.is_empty() {
            return None;
        }
        let keeps_offices = dice.random_bool(0.5);
        let before: Vec<Phase> =
            rows.iter().map(|rows| rows.units.iter().map(|unit| self.phase(*unit)).max().unwrap_or_default()).collect();
        self.carry_out(&self.file(&rows, keeps_offices)).await;

        let (mut ended, mut begun) = (Vec::new(), Vec::new());
        for (rows, phase) in rows.iter().zip(before) {
            let FileRows { change, units, parent, code } = rows;
            match change {
                FileChange::Move => {
                    self.place_mut(units[0]).parent = Some(*parent);
                    self.assert_code(units[0], code);
                }
                FileChange::Merge => ended.push((units[1], units[0])),
                FileChange::Join => {
                    let fresh = self.begin(rows);
                    begun.push((fresh, *parent, phase));
                    ended.extend(units.iter().map(|unit| (*unit, fresh)));
                }
                FileChange::Divide => {
                    begun.push((self.begin(rows), *parent, phase));
                    self.divided.insert(units[0]);
                }
            }
        }
        self.take_over(&ended, keeps_offices);
        // A unit that begins has the most advanced phase of those it is made of.
        for (unit, parent, phase) in begun {
            let own_phase = Some(phase).filter(|phase| *phase != self.phase(parent));
            self.place_mut(unit).phase = own_phase;
        }
        self.assign_some(dice).await;
        Some(())
    }

    /// Adds the unit that begins in these rows, which has the level of the others.
    fn begin(&mut self, rows: &FileRows) -> UnitId {
        let tree = self.backend.units().tree();
        let path = tree.get(rows.parent).expect("is open").path.child(&rows.code).expect("a path");
        let (fresh, kind) = (tree.at(&path).expect("has begun").id, self.place(rows.units[0]).kind);
        self.places.insert(fresh, Place::new(Some(rows.parent), kind));
        fresh
    }

    /// One change of each kind, if there are units for it. A unit is in the rows of one change only, and is not a parent there.
    fn some_rows(&mut self, dice: &mut StdRng) -> Vec<FileRows> {
        let (mut named, mut parents): (BTreeSet<UnitId>, BTreeSet<UnitId>) = (BTreeSet::new(), BTreeSet::new());
        let mut rows: Vec<FileRows> = Vec::new();
        for change in [FileChange::Move, FileChange::Merge, FileChange::Join, FileChange::Divide] {
            let is_free = |(units, parent): &(Vec<UnitId>, UnitId)| {
                let is_used = |unit: &UnitId| named.contains(unit) || parents.contains(unit);
                !units.iter().any(is_used) && !named.contains(parent)
            };
            let found = (0..20).find_map(|_| self.some_units(dice, change).filter(is_free));
            if let Some((units, parent)) = found {
                named.extend(units.iter().copied());
                parents.insert(parent);
                rows.push(FileRows { change, units, parent, code: self.fresh_code() });
            }
        }
        rows
    }

    /// The units of a change, and the parent in its rows.
    fn some_units(&self, dice: &mut StdRng, change: FileChange) -> Option<(Vec<UnitId>, UnitId)> {
        match change {
            FileChange::Move => {
                let pairs = self.pairs(|unit, parent| unit.kind.hangs_on(parent.kind));
                let (unit, parent) = pairs.choose(dice).copied()?;
                Some((vec![unit], parent))
            }
            FileChange::Merge | FileChange::Join => {
                let pairs = self.pairs(|unit, other| unit.kind == other.kind);
                let (unit, other) = pairs.choose(dice).copied()?;
                let Place { kind, parent, .. } = *self.place(unit);
                let above: Vec<UnitId> =
                    self.open().filter(|(_, place)| kind.hangs_on(place.kind)).map(|(above, _)| above).collect();
                let parent = if change == FileChange::Merge { parent } else { above.choose(dice).copied() };
                Some((vec![unit, other], parent?))
            }
            FileChange::Divide => {
                let may_divide = |unit: UnitId, place: &Place| !place.kind.holds_members() && !self.divided.contains(&unit);
                let units: Vec<(UnitId, UnitId)> = self
                    .open()
                    .filter(|(unit, place)| may_divide(*unit, place))
                    .filter_map(|(unit, place)| Some((unit, place.parent?)))
                    .collect();
                let (unit, parent) = units.choose(dice).copied()?;
                Some((vec![unit], parent))
            }
        }
    }

    /// The file, with whole paths, because branches often have the same code.
    fn file(&self, rows: &[FileRows], keeps_offices: bool) -> String {
        let tree = self.backend.units().tree();
        let unit = |unit: UnitId| tree.get(unit).expect("is open").path.as_str().trim_matches('/');
        let offices = if keeps_offices { "giữ" } else { "" };
        let mut file = "Mã cũ,Mã mới,Mã cấp trên mới,Tên mới,Phần,Chức vụ\n".to_owned();
        for FileRows { change, units, parent, code } in rows {
            let (first, parent) = (unit(units[0]), unit(*parent));
            let own = first.rsplit('/').next().expect("a code");
            let added = match change {
                FileChange::Move => writeln!(file, "{first},{code},{parent},Tên {code},,"),
                FileChange::Merge => {
                    writeln!(file, "{first},{own},{parent},,,\n{},{own},{parent},,toàn bộ,{offices}", unit(units[1]))
                }
                FileChange::Join => {
                    let rest = format!("{code},{parent},Đơn vị {code},,{offices}");
                    writeln!(file, "{first},{rest}\n{},{rest}", unit(units[1]))
                }
                FileChange::Divide => {
                    writeln!(file, "{first},{own},{parent},,phần chính,\n{first},{code},{parent},Đơn vị {code},một phần,")
                }
            };
            added.expect("is text");
        }
        file
    }

    async fn carry_out(&self, file: &str) {
        let (reorganisations, viewer) = (self.backend.reorganisations(), &self.registrar);
        let form = ReceiveForm { on: TODAY, reorganisation: "", file_name: "danh-sach.csv" };
        let mut upload = reorganisations.receive(viewer, form).await.expect("may reorganise");
        upload.write(file.as_bytes().to_vec()).await.expect("writes");
        let id = match upload.finish().await.expect("is read") {
            Received::Accepted(id) => id,
            Received::Refused(refusal) => panic!("{refusal:?}: {file}"),
        };
        let page = reorganisations.preview(viewer, id, PlanList::Refused, 1).await.expect("is planned");
        assert_eq!((page.hindrance, page.refused), (None, Vec::new()), "{file}");
        reorganisations.confirm(viewer, id, &page.version).await.expect("is confirmed");
        self.backend.run_due_jobs().await.expect("runs");
        let state = reorganisations.progress_for_operator(id).await.expect("exists").state;
        assert_eq!(state, ReorganisationState::Done, "{file}");
    }

    /// Moves some units of the queue to another part of the unit that was divided.
    async fn assign_some(&mut self, dice: &mut StdRng) {
        let queue = self.backend.reorganisations().queue(&self.registrar, QueueQuery::default()).await.expect("may read");
        for row in queue.rows {
            let Some(target) = row.candidates.choose(dice).filter(|_| dice.random_bool(0.5)) else { continue };
            let (key, to) = (row.id.to_string(), target.id.to_string());
            let form = AssignForm { reassignment: &key, target: &to };
            self.backend.reorganisations().assign(&self.registrar, form).await.expect("is assigned");
            self.backend.unit_desk().resume().await.expect("finishes");
            self.place_mut(row.unit.id).parent = Some(target.id);
        }
    }
}

/// The comparison with the use-cases.
impl World {
    fn viewer(&self, member: &Member) -> Viewer {
        let tree = self.backend.units().tree();
        let open = |unit: UnitId| tree.get(unit).expect("is open");
        let unit = open(member.unit);
        let office = |(role, unit): &(Role, UnitId)| Office { role: *role, unit: open(*unit).clone() };
        let offices: Vec<Office> = member.offices.iter().map(office).collect();
        let grants = offices.iter().map(|office| Grant { role: office.role, path: office.unit.path.clone() }).collect();
        Viewer {
            member: member.id,
            name: NAME.to_owned(),
            branch: tree.home(unit).clone(),
            standpoint: Standpoint { branch: unit.path.clone(), standing: member.standing, grants },
            offices,
            resting: Vec::new(),
        }
    }

    async fn check(&mut self, dice: &mut StdRng, met: &mut Met, told: &str) {
        self.check_tree(told);
        self.check_members(told).await;
        self.check_sessions(told).await;
        self.check_reading(dice, met, told).await;
    }

    /// One root, no cycle, and each path is that of the codes of the units above.
    fn check_tree(&mut self, told: &str) {
        let tree = self.backend.units().tree();
        let open: BTreeSet<UnitId> = self.open().map(|(unit, _)| unit).collect();
        assert_eq!(tree.all().map(|unit| unit.id).collect::<BTreeSet<_>>(), open, "{told}: the open units");
        assert_eq!(tree.all().count(), open.len(), "{told}: each once");
        let roots: Vec<UnitId> = tree.all().filter(|unit| unit.path.parent().is_none()).map(|unit| unit.id).collect();
        assert_eq!(roots, [self.root], "{told}: one root");
        for unit in tree.all() {
            let place = self.place(unit.id);
            let parent = unit.path.parent().map(|above| tree.at(&above).expect("a parent").id);
            assert_eq!((parent, unit.kind), (place.parent, place.kind), "{told}: {}", unit.path);
            assert!(parent.is_none_or(|parent| unit.kind.hangs_on(self.place(parent).kind)), "{told}: {}", unit.path);
            let mut line: Vec<UnitId> = self.line(unit.id).take(open.len() + 1).collect();
            assert_eq!(line.last(), Some(&self.root), "{told}: {} is in a cycle", unit.path);
            line.reverse();
            let codes: String = line.iter().map(|above| format!("/{}", code_of(&tree, *above))).collect();
            assert_eq!(unit.path.as_str(), format!("{codes}/"), "{told}: the codes of the units above");
            assert_eq!(tree.phase(&unit.path), self.phase(unit.id), "{told}: the phase of {}", unit.path);
            let owner = self.paths.entry(unit.path.clone()).or_insert(unit.id);
            assert_eq!(*owner, unit.id, "{told}: {} belongs to one unit for ever", unit.path);
        }
        for (path, unit) in &self.paths {
            let found = tree.former(path).map(|unit| unit.id);
            assert_eq!(found, Some(self.now(*unit)), "{told}: what was at {path}");
        }
    }

    /// Each member is registered in one open unit that holds members, and listed there and above.
    async fn check_members(&self, told: &str) {
        for member in &self.members {
            let place = self.place(member.unit);
            assert!(place.fate == Fate::Open && place.kind.holds_members(), "{told}");
        }
        for (unit, _) in self.open().filter(|(unit, place)| *unit == self.root || place.kind.holds_members()) {
            let page = self.backend.members().search_rows(&self.registrar, "", Some(unit), None, MEMBERS + 1).await;
            let mut listed: Vec<MemberId> = page.expect("a page").members.iter().map(|line| line.id).collect();
            let below = self.members.iter().filter(|member| self.is_below(member.unit, unit));
            let mut expected: Vec<MemberId> = below.map(|member| member.id).collect();
            listed.sort_unstable();
            expected.sort_unstable();
            assert_eq!(listed, expected, "{told}: the members of {unit}");
        }
    }

    /// A session has the branch and the offices of the rules.
    async fn check_sessions(&self, told: &str) {
        for member in &self.members {
            let Some(token) = &member.token else { continue };
            let session = self.backend.accounts().session(token).await.expect("reads").expect("is open");
            assert_eq!(rights_of(&session.viewer), rights_of(&self.viewer(member)), "{told}");
        }
    }

    /// The library, the search and the page of each document, for each member.
    async fn check_reading(&self, dice: &mut StdRng, met: &mut Met, told: &str) {
        let all = self.documents.iter();
        for member in &self.members {
            let viewer = self.viewer(member);
            let addressed = all.clone().filter(|(_, whom)| self.is_addressed(member, whom)).map(|(id, _)| *id);
            let addressed: BTreeSet<DocumentId> = addressed.collect();
            let by_office = all.clone().filter(|(_, whom)| self.reads_by_office(member, whom)).map(|(id, _)| *id);
            let readable: BTreeSet<DocumentId> = by_office.chain(addressed.iter().copied()).collect();
            self.count(member, &addressed, &readable, met);

            let told = || format!("{told}, {:?} of {:?}", viewer.standpoint, self.documents);
            let library = self.backend.documents().list(&viewer, &LibraryQuery::default()).await.expect("a page");
            let listed: Vec<DocumentId> = library.documents.iter().map(|document| document.id).collect();
            assert_eq!(listed.len(), addressed.len(), "the library: {}", told());
            assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), addressed, "the library: {}", told());

            let query = SearchQuery { typed: "đi biển".to_owned(), ..SearchQuery::default() };
            let found = self.backend.search().find(&viewer, &query).await.expect("answers");
            let hits = found.hits.iter().filter_map(|hit| hit.item.document()).map(|document| document.id);
            assert!(found.is_ready && found.total as usize == readable.len(), "the search: {}", told());
            assert_eq!(hits.collect::<BTreeSet<_>>(), readable, "the search: {}", told());

            // Opening writes, so only some are opened.
            let opened = if dice.random_bool(0.3) { 2 } else { 0 };
            for (id, _) in self.documents.choose_multiple(dice, opened) {
                match self.backend.documents().read(&viewer, *id).await {
                    Ok(page) => assert!(readable.contains(&page.summary.id), "{id} is opened: {}", told()),
                    Err(Error::NotFound) => assert!(!readable.contains(id), "{id} is not opened: {}", told()),
                    Err(error) => panic!("{error:?}"),
                }
            }
        }
    }

    fn count(&self, member: &Member, addressed: &BTreeSet<DocumentId>, readable: &BTreeSet<DocumentId>, met: &mut Met) {
        met.addressed += addressed.len();
        met.only_by_office += readable.len() - addressed.len();
        met.hidden += self.documents.len() - readable.len();
        let took_over = |unit: &UnitId| self.is_taken_over(*unit) && self.is_below(member.unit, self.now(*unit));
        for (_, whom) in self.documents.iter().filter(|(id, _)| addressed.contains(id)) {
            met.by_taken_part += usize::from(whom.parts.iter().any(took_over));
            met.once_excepted += usize::from(whom.except.iter().any(took_over));
        }
    }

    /// The counters and the tree in memory equal the stored rows.
    async fn check_stored(&self, told: &str) {
        let held = format!("{:?}", self.backend.units().tree());
        let different = self.backend.statistics().recount().await.expect("counts");
        assert!(different.is_empty(), "{told}: {different:?}");
        assert_eq!(format!("{:?}", self.backend.units().tree()), held, "{told}");
    }
}

fn code_of(tree: &Tree, unit: UnitId) -> &str {
    tree.get(unit).expect("is open").path.code()
}

/// The branch, the unit in which the person is registered, the standing, and the offices.
fn rights_of(viewer: &Viewer) -> (UnitId, UnitPath, Standing, BTreeSet<(Role, UnitPath)>) {
    let Standpoint { branch, standing, grants } = &viewer.standpoint;
    let grants = grants.iter().map(|grant| (grant.role, grant.path.clone())).collect();
    (viewer.branch.id, branch.clone(), *standing, grants)
}

/// A setting of this test.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

async fn round(seed: u64, met: &mut Met) {
    let mut dice = StdRng::seed_from_u64(seed);
    let mut world = Box::pin(World::grow(&mut dice)).await;
    Box::pin(world.check(&mut dice, met, &format!("seed {seed}, at the beginning"))).await;
    let mut steps = STEPS;
    steps.shuffle(&mut dice);
    for (at, step) in steps.into_iter().enumerate() {
        if Box::pin(world.take(&mut dice, step)).await.is_some() {
            met.steps.insert(step);
        }
        world.backend.unit_desk().resume().await.expect("finishes");
        Box::pin(world.check(&mut dice, met, &format!("seed {seed}, step {at} ({step:?})"))).await;
    }
    world.check_stored(&format!("seed {seed}, at the end")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_units_become_members_have_the_documents_of_the_rules() {
    let (rounds, first) = (setting("HANDBOOK_TREE_ROUNDS", ROUNDS), setting("HANDBOOK_TREE_SEED", SEED));
    let mut met = Met::default();
    for seed in first..first + rounds {
        // Printed when the test fails, wherever it does.
        println!("HANDBOOK_TREE_SEED={seed}");
        Box::pin(round(seed, &mut met)).await;
    }
    assert_eq!(met.steps, BTreeSet::from(STEPS), "each kind of step was taken");
    let counts = [met.addressed, met.only_by_office, met.hidden, met.by_taken_part, met.once_excepted];
    assert!(counts.iter().all(|count| *count > 0), "{met:?}");
}
