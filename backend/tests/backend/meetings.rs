//! Meetings, and how the first page shows them.

use backend::{
    Backend, Error,
    demo::registry::{NewItem, NewMeeting, Registry},
};
use chrono::TimeDelta;
use domain::{
    accounts::Viewer,
    ids::{DocumentId, MeetingId, MemberId},
    meetings::{AttendanceKind, MeetingForm, MeetingKind, MeetingState, Turnout},
    units::UnitRef,
};

use crate::{
    corrections::correct,
    documents::{draft, published},
    engines::on_both_engines,
    support::{Fixture, organisation, read_through, start},
};

on_both_engines! {
    a_meeting_is_visible_to_its_unit_and_to_offices_above,
    a_meeting_of_a_committee_is_visible_to_offices_only,
    meetings_of_the_committee_take_no_place_in_the_lists_of_members,
    the_list_holds_the_own_meetings_only,
    only_readable_papers_are_listed_and_read_ones_are_counted,
    a_paper_that_was_corrected_counts_as_read_once_it_is_opened_again,
    the_first_page_names_the_next_meeting_that_takes_place,
}

/// A meeting this many days after the start, with these papers on its only agenda item.
pub(crate) fn meeting(unit: &UnitRef, days: i64, papers: Vec<DocumentId>) -> NewMeeting<'_> {
    NewMeeting {
        unit,
        kind: MeetingKind::Regular,
        form: MeetingForm::Mixed,
        state: if days < 0 { MeetingState::Closed } else { MeetingState::Announced },
        title: "Sinh hoạt chi bộ thường kỳ",
        starts_at: start() + TimeDelta::days(days),
        venue: "Nhà văn hóa thôn",
        chair: "Huỳnh Thị Bến",
        agenda: vec![NewItem { title: "Học tập nghị quyết".to_owned(), minutes: 45, papers }],
    }
}

/// Stores the meetings, and the roles of the fisherman and the deputy in the first one.
async fn call(backend: &Backend, org: &Fixture, meetings: &[NewMeeting<'_>]) -> Vec<MeetingId> {
    let mut registry = Registry::new(backend, 5, start() - TimeDelta::days(40));
    let ids: Vec<_> = meetings.iter().map(|meeting| registry.meeting(meeting)).collect();
    registry.attendance(ids[0], org.fisherman.id, AttendanceKind::Remote);
    registry.attendance(ids[0], org.deputy.id, AttendanceKind::Present);
    registry.save().await.expect("saves");
    ids
}

/// Stores a meeting of each of these units that is over, with the members who took part.
pub(crate) async fn held(backend: &Backend, meetings: &[(&UnitRef, Vec<(MemberId, AttendanceKind)>)]) -> Vec<MeetingId> {
    let mut registry = Registry::new(backend, 11, start() - TimeDelta::days(40));
    let mut ids = Vec::new();
    for (unit, members) in meetings {
        let id = registry.meeting(&meeting(unit, -3, Vec::new()));
        for (member, kind) in members {
            registry.attendance(id, *member, *kind);
        }
        ids.push(id);
    }
    registry.save().await.expect("saves");
    ids
}

/// How the viewer took part in a meeting, and the number of all who were invited.
pub(crate) async fn took_part(backend: &Backend, viewer: &Viewer, id: MeetingId) -> (Option<AttendanceKind>, Option<u32>) {
    let page = backend.meetings().read(viewer, id).await.expect("reads");
    (page.own_attendance, page.turnout.map(Turnout::invited))
}

/// The meetings in a person's list: upcoming, past.
async fn listed(backend: &Backend, viewer: &Viewer) -> (Vec<MeetingId>, Vec<MeetingId>) {
    let page = backend.meetings().list(viewer).await.expect("a page");
    let ids = |meetings: &[domain::meetings::MeetingSummary]| meetings.iter().map(|meeting| meeting.id).collect();
    (ids(&page.coming), ids(&page.past))
}

async fn a_meeting_is_visible_to_its_unit_and_to_offices_above(backend: &Backend, org: &Fixture) {
    let id = call(backend, org, &[meeting(&org.harbour, -3, Vec::new())]).await[0];
    for (person, knows) in [
        (&org.fisherman, true),
        (&org.probationary, true),
        (&org.secretary, true),
        (&org.coast_secretary, true),
        (&org.coast_committee_member, true),
        (&org.exempt, false),
        (&org.teacher, false),
        (&org.school_secretary, false),
        (&org.coast_editor, false),
        (&org.former_secretary, false),
        (&org.farmer, false),
        (&org.farm_secretary, false),
    ] {
        let read = backend.meetings().read(&person.viewer, id).await;
        assert_eq!(read.is_ok(), knows, "{}: {read:?}", person.name);
        assert!(knows || matches!(read, Err(Error::NotFound)), "{}", person.name);
    }
    let page = backend.meetings().read(&org.fisherman.viewer, id).await.expect("reads");
    assert_eq!(page.turnout, Some(Turnout { present: 1, remote: 1, excused: 0, absent: 0 }));
    assert_eq!((page.own_attendance, page.summary.days_away), (Some(AttendanceKind::Remote), -3));
    let page = backend.meetings().read(&org.secretary.viewer, id).await.expect("reads");
    assert_eq!(page.own_attendance, None);

    // The number of members of the harbour is shown to those who see the figures of the coast only, not beside those of the province.
    let mut above = org.coast_committee_member.viewer.clone();
    assert!(backend.meetings().read(&above, id).await.expect("reads").turnout.is_some());
    for grant in &mut above.standpoint.grants {
        grant.path = org.province.path.clone();
    }
    assert_eq!(backend.meetings().read(&above, id).await.expect("reads").turnout, None);
}

/// A meeting of the committee of the unit.
pub(crate) fn of_committee(unit: &UnitRef, days: i64) -> NewMeeting<'_> {
    NewMeeting { kind: MeetingKind::Committee, title: "Hội nghị Ban Chấp hành", ..meeting(unit, days, Vec::new()) }
}

async fn a_meeting_of_a_committee_is_visible_to_offices_only(backend: &Backend, org: &Fixture) {
    let ids = call(backend, org, &[of_committee(&org.coast, 3), of_committee(&org.harbour, 4)]).await;
    let (of_coast, of_harbour) = (vec![ids[0]], vec![ids[1]]);
    for (person, readable, list) in [
        (&org.coast_secretary, &ids, &of_coast),
        (&org.coast_committee_member, &ids, &of_coast),
        (&org.secretary, &of_harbour, &of_harbour),
        (&org.deputy, &of_harbour, &of_harbour),
    ] {
        let viewer = &person.viewer;
        for id in &ids {
            let read = backend.meetings().read(viewer, *id).await;
            assert_eq!(read.is_ok(), readable.contains(id), "{}: {read:?}", person.name);
            assert!(read.is_ok() || matches!(read, Err(Error::NotFound)), "{}", person.name);
        }
        assert_eq!(listed(backend, viewer).await, (list.clone(), Vec::new()), "{}: without units below the office", person.name);
        let next = backend.home().page(viewer).await.expect("a page").next_meeting;
        assert_eq!(next.map(|meeting| meeting.id), list.first().copied(), "{}", person.name);
    }
    for person in [
        &org.fisherman,
        &org.probationary,
        &org.exempt,
        &org.teacher,
        &org.school_secretary,
        &org.former_secretary,
        &org.coast_editor,
        &org.coast_registrar,
        &org.province_chief_editor,
        &org.province_statistician,
        &org.operator,
        &org.farm_secretary,
    ] {
        let viewer = &person.viewer;
        for id in &ids {
            let read = backend.meetings().read(viewer, *id).await;
            assert!(matches!(read, Err(Error::NotFound)), "{}: {read:?}", person.name);
        }
        assert_eq!(listed(backend, viewer).await, (Vec::new(), Vec::new()), "{}", person.name);
        assert!(backend.home().page(viewer).await.expect("a page").next_meeting.is_none(), "{}", person.name);
    }
    // A member of the harbour with an office on the coast may read both, and is called to that of the coast.
    let mut member = org.fisherman.viewer.clone();
    member.standpoint.grants.clone_from(&org.coast_committee_member.viewer.standpoint.grants);
    assert_eq!(listed(backend, &member).await, (of_coast, Vec::new()));
    assert!(backend.meetings().read(&member, ids[1]).await.is_ok());
    let page = backend.meetings().read(&member, ids[0]).await.expect("reads");
    assert_eq!(page.turnout, Some(Turnout { present: 1, remote: 1, excused: 0, absent: 0 }), "it is their committee");
}

async fn meetings_of_the_committee_take_no_place_in_the_lists_of_members(backend: &Backend, org: &Fixture) {
    // More than a list holds, and nearer than the meetings of all members.
    let days: Vec<i64> = (2..=25).flat_map(|days| [days, -days]).collect();
    let mut meetings = vec![meeting(&org.harbour, 30, Vec::new()), meeting(&org.harbour, -30, Vec::new())];
    meetings.extend(days.iter().map(|days| of_committee(&org.harbour, *days)));
    let ids = call(backend, org, &meetings).await;
    assert_eq!(listed(backend, &org.fisherman.viewer).await, (vec![ids[0]], vec![ids[1]]));
    let (coming, past) = listed(backend, &org.secretary.viewer).await;
    assert_eq!((coming.len(), past.len()), (20, 24), "as many as a list holds");
    assert!(coming.iter().chain(&past).all(|id| ids[2..].contains(id)), "the nearest ones");
}

async fn the_list_holds_the_own_meetings_only(backend: &Backend, org: &Fixture) {
    let calls = [
        (&org.harbour, -3),
        (&org.harbour, 9),
        (&org.harbour, 2),
        (&org.harbour, -30),
        (&org.school, 2),
        (&org.coast, 4),
        (&org.farm, 1),
    ];
    let meetings = calls.map(|(unit, days)| meeting(unit, days, Vec::new()));
    let ids = call(backend, org, &meetings).await;
    let own = (vec![ids[2], ids[1]], vec![ids[0], ids[3]]);
    assert_eq!(listed(backend, &org.fisherman.viewer).await, own, "the nearest first on both sides");
    assert_eq!(listed(backend, &org.secretary.viewer).await, own, "listed once for a member who belongs to it twice");
    let of_office_and_branch = (vec![ids[4], ids[5]], Vec::new());
    assert_eq!(listed(backend, &org.coast_secretary.viewer).await, of_office_and_branch, "without units below the office");
    assert_eq!(listed(backend, &org.exempt.viewer).await, (Vec::new(), Vec::new()));
}

async fn only_readable_papers_are_listed_and_read_ones_are_counted(backend: &Backend, org: &Fixture) {
    let editor = &org.coast_editor.viewer;
    let first = published(backend, editor, &org.coast, &org.coast).await;
    let second = published(backend, editor, &org.coast, &org.harbour).await;
    let unpublished = draft(backend, editor, &org.coast, &org.harbour).await;
    let of_others = published(backend, editor, &org.coast, &org.school).await;
    let id = call(backend, org, &[meeting(&org.harbour, 2, vec![first, unpublished, second, of_others])]).await[0];
    let viewer = &org.fisherman.viewer;
    let page = backend.meetings().read(viewer, id).await.expect("reads");
    let shown: Vec<_> = page.agenda[0].papers.iter().map(|paper| paper.document).collect();
    assert_eq!(shown, [first, second], "in the order of the agenda");
    assert_eq!((page.summary.papers, page.summary.papers_read), (2, 0));

    backend.documents().read(viewer, second).await.expect("opens");
    assert_eq!(backend.meetings().read(viewer, id).await.expect("reads").summary.papers_read, 0, "opening is not reading");
    read_through(backend, viewer, second).await;
    let page = backend.meetings().read(viewer, id).await.expect("reads");
    let read: Vec<_> = page.agenda[0].papers.iter().map(|paper| paper.read).collect();
    assert_eq!((page.summary.papers_read, read), (1, vec![false, true]));
    let listed = backend.meetings().list(viewer).await.expect("a page").coming;
    assert_eq!((listed[0].papers, listed[0].papers_read), (2, 1));
    let other = backend.meetings().read(&org.secretary.viewer, id).await.expect("reads");
    assert_eq!(other.summary.papers_read, 0, "reading counts for one person");
}

async fn a_paper_that_was_corrected_counts_as_read_once_it_is_opened_again(backend: &Backend, org: &Fixture) {
    let (editor, viewer) = (&org.coast_editor.viewer, &org.fisherman.viewer);
    let paper = published(backend, editor, &org.coast, &org.harbour).await;
    let id = call(backend, org, &[meeting(&org.harbour, 2, vec![paper])]).await[0];
    let told = async || {
        let page = backend.meetings().read(viewer, id).await.expect("reads");
        let paper = &page.agenda[0].papers[0];
        (page.summary.papers_read, paper.read, paper.corrected)
    };
    read_through(backend, viewer, paper).await;
    assert_eq!(told().await, (1, true, false));
    correct(backend, editor, paper, "Số mới: 0255 3 822 222.").await;
    assert_eq!(told().await, (0, false, true));
    backend.documents().read(viewer, paper).await.expect("opens");
    assert_eq!(told().await, (1, true, false));
}

async fn the_first_page_names_the_next_meeting_that_takes_place(backend: &Backend, org: &Fixture) {
    let paper = published(backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
    let cancelled = NewMeeting { state: MeetingState::Cancelled, ..meeting(&org.harbour, 1, Vec::new()) };
    let past = meeting(&org.harbour, -1, Vec::new());
    let ids =
        call(backend, org, &[past, cancelled, meeting(&org.harbour, 9, Vec::new()), meeting(&org.harbour, 2, vec![paper])]).await;
    let home = backend.home().page(&org.fisherman.viewer).await.expect("a page");
    let next = home.next_meeting.expect("a meeting ahead");
    assert_eq!((next.id, next.days_away, next.papers, next.papers_read), (ids[3], 2, 1, 0));
    assert_eq!(home.newest.iter().map(|document| document.id).collect::<Vec<_>>(), [paper]);
    assert!(home.opinions.is_empty());
    let exempt = backend.home().page(&org.exempt.viewer).await.expect("a page");
    assert!(exempt.next_meeting.is_none() && exempt.newest.len() == 1, "is not invited, but may read");
}

#[tokio::test]
async fn without_meetings_the_lists_are_empty_and_none_is_found() {
    let (backend, _, org) = organisation().await;
    assert_eq!(listed(&backend, &org.fisherman.viewer).await, (Vec::new(), Vec::new()));
    let unknown = backend.meetings().read(&org.fisherman.viewer, MeetingId::new(backend.clock().ulid())).await;
    assert!(matches!(unknown, Err(Error::NotFound)));
    assert!(backend.home().page(&org.fisherman.viewer).await.expect("a page").next_meeting.is_none());
}
