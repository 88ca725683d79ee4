//! Two provinces of Vietnam and what became of them on 1 July 2025, as real files say it (`tests/data/two_provinces/NOTICE`).

use std::collections::{BTreeMap, BTreeSet};

use backend::{
    Backend, Error,
    demo::registry::{NewMember, Registry},
    units::{ReceiveForm, Received, Tree},
};
use chrono::{NaiveDate, TimeDelta};
use domain::{
    accounts::Viewer,
    documents::LibraryQuery,
    feedback::ReceivedShown,
    ids::{DocumentId, MeetingId, MemberId, OpinionId, ReorganisationId, UnitId},
    imports::{Counts, ImportKind, ImportPage, ImportState, Reason},
    members::{NationalId, Sex, Standing},
    policy::{Grant, Role, Standpoint},
    statistics::Figures,
    units::{
        UnitPath, UnitRef,
        reorganisation::{Hindrance, PlanList, PlanNumbers, ReorganisationPage, ReorganisationState},
    },
};

use crate::{
    documents::published,
    feedback::send,
    meetings::meeting,
    support::{backend, level, read_through, start},
};

const TREE_2024: &str = include_str!("../data/two_provinces/tree-2024.csv");
const TREE_2025: &str = include_str!("../data/two_provinces/tree-2025.csv");
const PROVINCES: &str = include_str!("../data/two_provinces/provinces-2025.csv");
const REORGANISATION: &str = include_str!("../data/two_provinces/reorganisation-2025.csv");

/// Before the districts ended, so that an import may create them.
const FOUNDED: &str = "2024-12-31";
const LAST_DAY: &str = "2025-06-30";
const FIRST_DAY: &str = "2025-07-01";

/// Branches below each commune.
const BRANCHES: usize = 2;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// The cells of the rows of a file, without the header. No name in these files has a comma.
fn rows(file: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    file.trim_start_matches('\u{feff}').lines().skip(1).map(|line| line.split(',').collect())
}

/// What a file of units or a tree says of a unit above the branches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Unit {
    code: String,
    parent: String,
    kind: &'static str,
    name: String,
}

fn units_of_file(file: &'static str) -> Vec<Unit> {
    let kind = |word: &str| match word {
        "Trung ương" => "central",
        "Tỉnh" => "province",
        "Huyện" => "district",
        "Xã" => "commune",
        other => panic!("{other} is no level of the file"),
    };
    let unit = |cells: Vec<&str>| Unit {
        code: cells[0].to_owned(),
        parent: cells[1].to_owned(),
        kind: kind(cells[2]),
        name: cells[3].to_owned(),
    };
    let mut units: Vec<Unit> = rows(file).map(unit).collect();
    units.sort();
    units
}

/// Branches are left out.
fn units_of_tree(tree: &Tree) -> Vec<Unit> {
    let unit = |unit: &UnitRef| Unit {
        code: unit.path.code().to_owned(),
        parent: parent_code(unit),
        kind: unit.kind.key(),
        name: unit.name.clone(),
    };
    let mut units: Vec<Unit> = tree.all().filter(|unit| !unit.kind.holds_members()).map(unit).collect();
    units.sort();
    units
}

fn parent_code(unit: &UnitRef) -> String {
    unit.path.parent().map(|above| above.code().to_owned()).unwrap_or_default()
}

async fn import(backend: &Backend, file: &str) -> ImportPage {
    let imports = backend.imports();
    let mut upload = imports.receive_from_operator(ImportKind::Units, None, "don-vi.csv").expect("is accepted");
    upload.set_as_of(day(FOUNDED));
    upload.write(file.as_bytes().to_vec()).await.expect("writes");
    let import = upload.finish().await.expect("arrives").import;
    imports.check(import).await.expect("is checked");
    let previewed = imports.page_for_operator(import).await.expect("has a page").import.counts;
    imports.write(import, Some(day(FOUNDED))).await.expect("is written");
    let page = imports.page_for_operator(import).await.expect("has a page");
    assert_eq!(page.import.state, ImportState::Done, "{:?} {:?}", page.import.failure, page.missing);
    assert_eq!(page.import.counts, previewed, "as announced");
    page
}

fn counts(fresh: u64, unchanged: u64, refused: u64) -> Counts {
    Counts { fresh, changed: 0, unchanged, refused }
}

/// An organisation with branches below each commune, one to three members in each, and a secretary of each commune. Returns the
/// branches with the number of their members.
async fn populate(backend: &Backend) -> Vec<(UnitRef, usize)> {
    let tree = backend.units().tree();
    let (commune, branch) = (level("commune"), level("branch"));
    let mut registry = Registry::new(backend, 1, start() - TimeDelta::days(600)).with_units_since(day(FOUNDED));
    let mut branches = Vec::new();
    let mut number = 0;
    for above in tree.all().filter(|unit| unit.kind == commune) {
        for at in 1..=BRANCHES {
            let unit = registry.unit(Some(above), branch, &format!("{at:02}"), &format!("Chi bộ {at}")).expect("a code");
            let members = 1 + branches.len() % 3;
            for member in 0..members {
                number += 1;
                let national_id = NationalId::parse(&format!("956000{number:06}")).expect("twelve digits");
                let id = registry.member(&NewMember {
                    code: &format!("56.{number:06}"),
                    full_name: "Nguyễn Văn Hải",
                    sex: Sex::Male,
                    birth_date: day("1970-01-01") + TimeDelta::days(number),
                    admitted_on: day("2001-02-03"),
                    standing: Standing::Official,
                    national_id: &national_id,
                    phone: None,
                    unit: &unit,
                });
                let id = id.expect("registers");
                if (at, member) == (1, 0) {
                    registry.office(id, Role::Secretary, above, None);
                }
            }
            branches.push((unit, members));
        }
    }
    registry.save().await.expect("saves");
    branches
}

/// A member of this branch with roles on the unit at a path.
fn member_with(member: MemberId, branch: &UnitRef, roles: &[Role], path: &UnitPath) -> Viewer {
    let grants = roles.iter().map(|role| Grant { role: *role, path: path.clone() }).collect();
    Viewer {
        member,
        name: "Mai Văn Máy".to_owned(),
        standpoint: Standpoint { branch: branch.path.clone(), standing: Standing::Official, grants },
        branch: branch.clone(),
        offices: Vec::new(),
        resting: Vec::new(),
    }
}

/// A person of this branch with all offices of the registry for the whole organisation.
fn central_registrar(backend: &Backend, branch: &UnitRef) -> Viewer {
    let root = UnitPath::parse("/TW/").expect("a path");
    let roles = [Role::Operator, Role::Registrar, Role::Statistician];
    member_with(MemberId::new(backend.clock().ulid()), branch, &roles, &root)
}

/// What one member of a commune has to do with its documents and meetings.
struct Papers {
    author: MemberId,
    branch: UnitId,
    /// For the whole commune, opened and read by the member.
    document: DocumentId,
    /// For the committee of the commune.
    opinion: OpinionId,
    meeting_of_branch: MeetingId,
    meeting_of_commune: MeetingId,
}

impl Papers {
    async fn insert(backend: &Backend, commune: &UnitRef, branch: &UnitRef, author: MemberId) -> Self {
        let editor = member_with(author, branch, &[Role::Editor], &commune.path);
        let document = published(backend, &editor, commune, commune).await;
        let mut registry = Registry::new(backend, 5, start() - TimeDelta::days(40));
        let [meeting_of_branch, meeting_of_commune] =
            [branch, commune].map(|unit| registry.meeting(&meeting(unit, 2, vec![document])));
        registry.save().await.expect("saves");
        let reader = member_with(author, branch, &[], &commune.path);
        read_through(backend, &reader, document).await;
        let opinion = send(backend, &reader, document, "committee", "Đề nghị hướng dẫn sớm.").await;
        Self { author, branch: branch.id, document, opinion, meeting_of_branch, meeting_of_commune }
    }
}

async fn figures(backend: &Backend, viewer: &Viewer) -> Figures {
    backend.catch_up().await.expect("reads the log");
    let root = backend.units().tree().all().next().map(|unit| unit.id);
    backend.statistics().page(viewer, root).await.expect("a page").total.figures.expect("a large group")
}

/// Uploads both files and returns the page of the plan.
async fn planned(backend: &Backend) -> ReorganisationPage {
    let mut id: Option<ReorganisationId> = None;
    for (file_name, file) in [("tinh.csv", PROVINCES), ("xa.csv", REORGANISATION)] {
        let earlier = id.map(|id| id.to_string()).unwrap_or_default();
        let form = ReceiveForm { on: FIRST_DAY, reorganisation: &earlier, file_name };
        let mut upload = backend.reorganisations().receive_from_operator(form).await.expect("is accepted");
        upload.write(file.as_bytes().to_vec()).await.expect("writes");
        match upload.finish().await.expect("is read") {
            Received::Accepted(received) => id = Some(received),
            Received::Refused(refusal) => panic!("{file_name}: {refusal:?}"),
        }
    }
    let id = id.expect("two files");
    backend.reorganisations().preview_for_operator(id, PlanList::Refused, 1).await.expect("has a page")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn units_are_imported_by_the_bare_codes_of_their_parents() {
    let (backend, _) = backend().await;
    let expected = units_of_file(TREE_2024);
    let count = expected.len() as u64;
    let page = import(&backend, TREE_2024).await;
    assert_eq!(page.import.counts, counts(count, 0, 0), "{:?}", page.refused);
    assert_eq!(units_of_tree(&backend.units().tree()), expected);
    assert_eq!(import(&backend, TREE_2024).await.import.counts, counts(0, count, 0), "nothing is created twice");

    // Below every commune is a branch 01, so a group needs the path of its branch.
    populate(&backend).await;
    let group = |parent: &str| {
        format!("Mã đơn vị,Mã đơn vị cấp trên,Cấp,Tên đơn vị\nA1,{parent},Chi bộ,Chi bộ Một\nA2,X22333,Chi bộ,Chi bộ Hai\n")
    };
    let commune = backend.units().tree().all().find(|unit| unit.path.code() == "X22333").cloned().expect("a commune");
    let path = commune.path.as_str().trim_matches('/').to_owned();
    assert_eq!(import(&backend, &group(&path)).await.import.counts, counts(2, 0, 0), "by its path");
    assert_eq!(import(&backend, &group("X22333")).await.import.counts, counts(0, 2, 0), "by its code");
    let page = import(&backend, "Mã đơn vị,Mã đơn vị cấp trên,Cấp,Tên đơn vị\nT1,01,Tổ đảng,Tổ đảng Một\n").await;
    assert_eq!(page.import.counts, counts(0, 0, 1));
    assert_eq!(page.refused[0].reason, Reason::AmbiguousUnit);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_provinces_become_one_as_in_july_2025() {
    let (backend, _) = backend().await;
    import(&backend, TREE_2024).await;
    let branches = populate(&backend).await;
    let viewer = central_registrar(&backend, &branches[0].0);
    let expected = Expected::of_files();
    let papers = papers_of_a_divided_commune(&backend, &viewer, &branches, &expected).await;
    let before = figures(&backend, &viewer).await;
    let members: usize = branches.iter().map(|(_, members)| members).sum();
    assert_eq!(usize::try_from(before.members).expect("small"), members);
    assert_eq!((before.documents, before.reads, before.opinions), (1, 1, 1));

    let page = planned(&backend).await;
    assert_eq!((page.refused, page.hindrance), (vec![], None));
    let PlanNumbers { rows: read, ended, begun, divided, queued, undecided, units_before, units_after, offices_ended, .. } =
        page.numbers;
    assert_eq!(read as usize, rows(PROVINCES).count() + rows(REORGANISATION).count());
    assert_eq!((ended as usize, begun as usize), (expected.ended.len(), expected.begun.len()));
    assert_eq!((divided as usize, queued as usize, undecided), (expected.divided.len(), BRANCHES * expected.divided.len(), 0));
    assert_eq!(units_before as usize, units_of_file(TREE_2024).len() + branches.len());
    assert_eq!(units_after as usize, units_of_file(TREE_2025).len() + branches.len());
    // Each commune has a secretary, and nobody has an office on a district or a province.
    let communes = expected.ended.iter().filter(|code| code.starts_with('X')).count();
    assert_eq!(offices_ended as usize, communes);

    let id = page.reorganisation.id;
    backend.reorganisations().confirm_for_operator(id, &page.version).await.expect("is confirmed");
    let progress = backend.reorganisations().carry_out_for_operator(id).await.expect("is carried out");
    assert_eq!(progress.state, ReorganisationState::Done);

    let now = backend.units().tree();
    assert_eq!(units_of_tree(&now), units_of_file(TREE_2025));
    the_branches_are_below_what_their_communes_became(&now, &branches, &expected);
    the_members_are_in_their_branches(&backend, &viewer, &branches).await;
    assert_eq!(figures(&backend, &viewer).await, before);
    assert_eq!(backend.statistics().recount().await.expect("counts"), [], "as counted from the tables");
    the_papers_are_where_the_commune_is(&backend, &papers, &branches, &expected).await;

    for (on, file) in [(LAST_DAY, TREE_2024), (FIRST_DAY, TREE_2025)] {
        let then = backend.unit_desk().tree_as_of(day(on)).await.expect("a tree");
        assert_eq!(units_of_tree(&then), units_of_file(file), "as of {on}");
        let known: BTreeSet<UnitId> = then.all().filter(|unit| unit.kind.holds_members()).map(|unit| unit.id).collect();
        let all: BTreeSet<UnitId> = branches.iter().map(|(unit, _)| unit.id).collect();
        assert_eq!(known, all, "the branches as of {on}");
    }
    let before = backend.unit_desk().tree_as_of(day(LAST_DAY)).await.expect("a tree");
    for (branch, _) in &branches {
        assert_eq!(before.get(branch.id), Some(branch), "where it was");
    }

    // The files once more: everything is as they say.
    let again = planned(&backend).await;
    assert_eq!((again.numbers.already, again.numbers.rows), (read, read), "{:?}", again.refused);
    assert_eq!((again.numbers.ended, again.numbers.begun, again.hindrance), (0, 0, Some(Hindrance::Nothing)));
}

/// What the files say becomes of each unit.
struct Expected {
    /// The unit that a commune becomes, or its main part.
    became: BTreeMap<&'static str, &'static str>,
    ended: BTreeSet<&'static str>,
    begun: BTreeSet<&'static str>,
    divided: BTreeSet<&'static str>,
}

impl Expected {
    fn of_files() -> Self {
        let whole = rows(REORGANISATION).filter(|cells| cells[4] != "part");
        let became: BTreeMap<_, _> = whole.map(|cells| (cells[0], cells[1])).chain(provinces()).collect();
        let divided = rows(REORGANISATION).filter(|cells| cells[4] == "main part").map(|cells| cells[0]).collect();
        let codes = |file| rows(file).map(|cells| cells[0]).collect::<BTreeSet<_>>();
        // A unit goes on if it becomes the one with its code; districts and the root are in no file.
        let goes_on = |code: &&str| became.get(code) == Some(code);
        let ended = codes(TREE_2024).into_iter().filter(|code| *code != "TW" && !goes_on(code)).collect();
        let begun = codes(TREE_2025).into_iter().filter(|code| *code != "TW" && !goes_on(code)).collect();
        Self { became, ended, begun, divided }
    }
}

fn provinces() -> impl Iterator<Item = (&'static str, &'static str)> {
    rows(PROVINCES).map(|cells| (cells[0], cells[1]))
}

fn the_branches_are_below_what_their_communes_became(now: &Tree, branches: &[(UnitRef, usize)], expected: &Expected) {
    for (branch, _) in branches {
        let former = parent_code(branch);
        let found = now.get(branch.id).expect("is open");
        assert_eq!(parent_code(found), expected.became[former.as_str()], "{}", branch.path);
        assert_eq!(now.former(&branch.path).map(|unit| unit.id), Some(branch.id), "the former path leads to it");
    }
}

async fn the_members_are_in_their_branches(backend: &Backend, viewer: &Viewer, branches: &[(UnitRef, usize)]) {
    for (branch, members) in branches {
        let roster = backend.unit_desk().roster(viewer, &branch.id.to_string()).await.expect("a roster");
        assert_eq!(roster.members.len(), *members, "{}", branch.path);
    }
}

/// Those of a commune that becomes parts of several ones.
async fn papers_of_a_divided_commune(
    backend: &Backend,
    viewer: &Viewer,
    branches: &[(UnitRef, usize)],
    expected: &Expected,
) -> Papers {
    let code = *expected.divided.iter().find(|code| expected.ended.contains(*code)).expect("a divided commune that ends");
    let tree = backend.units().tree();
    let commune = tree.all().find(|unit| unit.path.code() == code).expect("a commune");
    let (branch, _) = branches.iter().find(|(branch, _)| parent_code(branch) == code).expect("a branch");
    let roster = backend.unit_desk().roster(viewer, &branch.id.to_string()).await.expect("a roster");
    Papers::insert(backend, commune, branch, roster.members[0].member).await
}

async fn the_papers_are_where_the_commune_is(
    backend: &Backend,
    papers: &Papers,
    branches: &[(UnitRef, usize)],
    expected: &Expected,
) {
    let tree = backend.units().tree();
    let branch = tree.get(papers.branch).expect("is open");
    let commune = branch.path.parent().and_then(|above| tree.at(&above).cloned()).expect("a commune");
    let author = member_with(papers.author, branch, &[], &commune.path);

    // The document is for the whole commune that the main part became, and read by one of its members.
    let documents = backend.documents();
    let page = documents.read(&author, papers.document).await.expect("is readable");
    assert_eq!((&page.summary.issuer.path, page.imprint.audience.id), (&commune.path, commune.id));
    assert!(page.summary.read);
    let library = documents.list(&author, &LibraryQuery::default()).await.expect("a page").documents;
    assert_eq!(library.iter().map(|document| document.id).collect::<Vec<_>>(), [papers.document]);
    let statistician = member_with(papers.author, branch, &[Role::Statistician], &commune.path);
    let readers = documents.readers(&statistician, papers.document, Some(commune.id)).await.expect("a page");
    let there = |former: &UnitRef| expected.became[parent_code(former).as_str()] == commune.path.code();
    let members: usize = branches.iter().filter(|(former, _)| there(former)).map(|(_, members)| members).sum();
    let share = readers.total.share.map(|share| (share.members as usize, share.done));
    assert_eq!((share, readers.opened), (Some((members, 1)), Some(1)));
    let other = tree.all().find(|unit| unit.kind.holds_members() && !commune.path.contains(&unit.path)).expect("a branch");
    let stranger = member_with(MemberId::new(backend.clock().ulid()), other, &[], &other.path);
    let refused = documents.read(&stranger, papers.document).await;
    assert!(matches!(refused, Err(Error::NotFound)), "{refused:?}");

    // The opinion is for the committee of that commune.
    let feedback = backend.feedback();
    let receipt = feedback.receipt(&author, papers.opinion).await.expect("is the own one");
    assert_eq!((&receipt.branch, receipt.document), (branch, papers.document));
    let secretary = member_with(MemberId::new(backend.clock().ulid()), branch, &[Role::Secretary], &commune.path);
    let received = feedback.received(&secretary, ReceivedShown::All, None).await.expect("a page");
    let opinions: Vec<OpinionId> = received.list.opinions.iter().map(|opinion| opinion.id).collect();
    assert_eq!((received.unit.id, opinions), (commune.id, vec![papers.opinion]));

    // The meetings are those of the branch and of that commune.
    let meetings = backend.meetings();
    let listed = async |viewer: &Viewer| {
        let coming = meetings.list(viewer).await.expect("a page").coming;
        coming.into_iter().map(|meeting| (meeting.id, (meeting.unit.path, meeting.papers))).collect::<BTreeMap<_, _>>()
    };
    let of_branch = (papers.meeting_of_branch, (branch.path.clone(), 1));
    let of_commune = (papers.meeting_of_commune, (commune.path.clone(), 1));
    assert_eq!(listed(&author).await, BTreeMap::from([of_branch.clone()]));
    assert_eq!(listed(&secretary).await, BTreeMap::from([of_branch, of_commune]));
    let page = meetings.read(&author, papers.meeting_of_branch).await.expect("may read");
    assert_eq!(page.summary.papers_read, 1);
}
