//! Courses, from the view of those who assign them, take them and follow their results.

use backend::{
    Backend, Error,
    courses::{AnotherTryForm, Arrived, AssignForm, CourseForm, QuestionForm, RulesForm, Ticked},
    members::TransferForm,
};
use chrono::TimeDelta;
use domain::{
    accounts::Viewer,
    courses::{CourseState, NextStep, Progress, QuizPage, Tries},
    events::EventBody,
    forms::Problem,
    ids::{CourseId, DocumentId},
    members::Standing,
    policy::{Action, Grant, Role},
    statistics::{MemberCount, Reach},
    units::{PickedUnits, UnitRef},
};

use crate::{
    corrections::correct,
    documents::{chief, published},
    engines::on_both_engines,
    parts::{head_of, published_to},
    support::{Fixture, organisation, read_through},
};

on_both_engines! {
    a_branch_gives_no_courses,
    a_course_is_written_given_studied_and_ended,
    an_assigned_course_cannot_be_changed,
    nobody_overwrites_somebody_elses_draft,
    a_corrected_document_is_opened_again_before_the_quiz,
    a_course_without_a_quiz_is_completed_once,
    a_course_goes_no_further_than_its_documents,
    a_course_is_for_parts_of_a_unit_without_some,
    the_right_answers_are_shown_only_when_no_attempt_is_left,
    a_member_without_attempts_left_can_be_given_another_one,
    a_page_sent_again_after_another_one_gives_nothing,
    only_those_who_assign_the_course_give_another_attempt,
    another_try_goes_to_those_chosen,
    another_try_follows_two_records_of_one_person,
    time_is_kept_by_the_server,
    pressing_twice_is_one_try_and_one_result,
    a_member_who_is_transferred_keeps_the_progress,
    numbers_follow_members_who_leave_or_become_exempt,
    the_branch_sees_names_and_those_above_see_numbers,
    two_records_of_one_person_keep_one_history,
}

const RIGHT: &str = "Hai ngày";

/// A draft of the coast with these documents and this number of questions, each with `RIGHT` as its answer.
pub(crate) async fn draft(backend: &Backend, editor: &Viewer, documents: &[DocumentId], questions: usize) -> CourseId {
    let courses = backend.courses();
    let blank = courses.blank(editor).await.expect("a form").course;
    let (id, issuer) = (blank.id.to_string(), blank.issuer.id.to_string());
    let form = CourseForm {
        id: &id,
        version: "0",
        issuer: &issuer,
        title: "Chuyên đề sinh hoạt chi bộ",
        description: "Đọc **hết** tài liệu.",
    };
    courses.save(editor, form).await.expect("saves");
    for document in documents {
        let version = version(backend, editor, blank.id).await;
        courses.arrange(editor, &id, &version, &document.to_string(), "add").await.expect("adds");
    }
    for number in 0..questions {
        let version = version(backend, editor, blank.id).await;
        let text = format!("Câu {number}: giấy tờ gửi trước mấy ngày?");
        courses.save_question(editor, question(&id, &version, "", &text)).await.expect("asks");
    }
    blank.id
}

fn question<'f>(course: &'f str, version: &'f str, number: &'f str, text: &'f str) -> QuestionForm<'f> {
    QuestionForm {
        course,
        version,
        number,
        text,
        kind: "single",
        options: &[(1, "Một ngày"), (2, RIGHT), (3, "Ba ngày"), (4, "")],
        right: &[2],
        explanation: "Quy định nói ít nhất hai ngày.",
    }
}

async fn version(backend: &Backend, editor: &Viewer, id: CourseId) -> String {
    backend.courses().form(editor, id, "").await.expect("a form").course.version.to_string()
}

async fn set_rules(backend: &Backend, editor: &Viewer, id: CourseId, minutes: &str, tries: &str) {
    let (course, version) = (id.to_string(), version(backend, editor, id).await);
    let form = RulesForm { course: &course, version: &version, pass_percent: "80", minutes, tries };
    backend.courses().save_rules(editor, form).await.expect("stores the rules");
}

pub(crate) async fn assign(
    backend: &Backend,
    editor: &Viewer,
    id: CourseId,
    unit: &UnitRef,
    due_on: &str,
) -> Result<CourseId, Error> {
    assign_to(backend, editor, id, unit, due_on, &[]).await
}

async fn assign_to(
    backend: &Backend,
    editor: &Viewer,
    id: CourseId,
    unit: &UnitRef,
    due_on: &str,
    standings: &[String],
) -> Result<CourseId, Error> {
    let (course, unit) = (id.to_string(), unit.id.to_string());
    let version = version(backend, editor, id).await;
    let (parts, except): (&[String], &[String]) = (&[], &[]);
    let form = AssignForm { course: &course, version: &version, unit: &unit, parts, except, standings, due_on };
    backend.courses().assign(editor, form).await
}

async fn a_branch_gives_no_courses(backend: &Backend, org: &Fixture) {
    let (courses, editor) = (backend.courses(), &org.coast_editor.viewer);
    let (blank, harbour) = (courses.blank(editor).await.expect("a form").course.id.to_string(), org.harbour.id.to_string());
    let of_branch = CourseForm { id: &blank, version: "0", issuer: &harbour, title: "Chuyên đề", description: "" };
    assert_eq!(problem(courses.save(editor, of_branch).await, "issuer"), Some(Problem::NotOffered));
}

/// Assigned to the coast until the end of November, with one document and two questions.
async fn given(backend: &Backend, org: &Fixture, minutes: &str, tries: &str) -> (CourseId, DocumentId) {
    let editor = &org.coast_editor.viewer;
    let document = published(backend, editor, &org.coast, &org.coast).await;
    let id = draft(backend, editor, &[document], 2).await;
    set_rules(backend, editor, id, minutes, tries).await;
    assign(backend, editor, id, &org.coast, "30/11/2026").await.expect("is given");
    (id, document)
}

/// Ticks the right option in `rights` questions and a wrong one in the others.
fn ticked(quiz: &QuizPage, rights: usize) -> Ticked {
    let place = |at: usize, right: bool| {
        quiz.questions[at].options.iter().position(|option| (option == RIGHT) == right).expect("an option").to_string()
    };
    (0..quiz.questions.len()).map(|at| (at.to_string(), vec![place(at, at < rights)])).collect()
}

/// Reads, starts an attempt and submits it with `rights` right answers.
async fn try_once(backend: &Backend, member: &Viewer, id: CourseId, rights: usize) -> u32 {
    let courses = backend.courses();
    courses.start(member, id).await.expect("begins");
    let quiz = courses.quiz(member, id).await.expect("reads").expect("is open");
    courses.answer(member, id, quiz.number, &ticked(&quiz, rights), true).await.expect("hands in");
    quiz.number
}

fn is_not_found<T>(outcome: Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::NotFound))
}

fn is_refused<T>(outcome: Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::NotAllowed))
}

fn problem<T: std::fmt::Debug>(outcome: Result<T, Error>, field: &str) -> Option<Problem> {
    match outcome {
        Err(Error::Invalid(errors)) => errors.problem(field).cloned(),
        other => panic!("{other:?}"),
    }
}

async fn a_course_is_written_given_studied_and_ended(backend: &Backend, org: &Fixture) {
    let (editor, member) = (&org.coast_editor.viewer, &org.fisherman.viewer);
    let courses = backend.courses();
    let document = published(backend, editor, &org.coast, &org.coast).await;
    let id = draft(backend, editor, &[document], 2).await;
    assert!(is_not_found(courses.read(member, id).await), "a draft is invisible");
    assert!(is_refused(courses.read(editor, id).await), "and its author has no course to take");
    let page = courses.assignment(editor, id, None, "", &PickedUnits::default()).await.expect("a page");
    assert_eq!(page.reach, Reach { members: MemberCount::Hidden, branches: 2 }, "the other commune has three members");
    assert_eq!(page.units.iter().map(|choice| choice.members).collect::<Vec<_>>(), [None, Some(10)]);
    assert_eq!(problem(assign(backend, editor, id, &org.coast, "20/11/2026").await, "due_on"), Some(Problem::DateRange));
    assert_eq!(problem(assign(backend, editor, id, &org.hills, "30/11/2026").await, "unit"), Some(Problem::NotOffered));
    assign(backend, editor, id, &org.coast, "30/11/2026").await.expect("is given");

    let list = courses.list(member).await.expect("a list");
    assert_eq!((list.to_do.len(), list.done.len(), list.gives, list.follows), (1, 0, false, false));
    assert_eq!(courses.reminder(member).await.expect("reads").map(|course| course.id), Some(id));
    assert_eq!(courses.read(member, id).await.expect("a page").next, NextStep::Read { missing: 1 });
    assert!(is_refused(courses.start(member, id).await), "documents have to be read first");
    read_through(backend, member, document).await;
    assert_eq!(courses.read(member, id).await.expect("a page").next, NextStep::StartQuiz);

    let failed = try_once(backend, member, id, 1).await;
    let result = courses.result(member, id, failed).await.expect("a result");
    assert_eq!((result.handed_in.score.right, result.handed_in.passed, result.review.len()), (1, false, 0));
    assert!(is_not_found(courses.certificate(member, id).await));
    let passed = try_once(backend, member, id, 2).await;
    let result = courses.result(member, id, passed).await.expect("a result");
    assert!(result.handed_in.passed && result.review.iter().all(|question| question.right));
    assert_eq!(courses.result(member, id, failed).await.expect("a result").review.len(), 2, "now the first one is shown too");
    assert_eq!(courses.read(member, id).await.expect("a page").next, NextStep::Certificate);
    let certificate = courses.certificate(member, id).await.expect("a certificate");
    assert_eq!((certificate.name.as_str(), certificate.branch.as_str()), ("Võ Văn Khơi", org.harbour.name.as_str()));
    assert!(certificate.serial.starts_with("2026-"), "{}", certificate.serial);
    assert!(is_refused(courses.start(member, id).await), "a passed quiz cannot be taken again");
    let list = courses.list(member).await.expect("a list");
    assert_eq!((list.to_do.len(), list.done[0].progress), (0, Progress::Done));

    courses.end(editor, id).await.expect("ends");
    courses.end(editor, id).await.expect("is over already");
    assert!(courses.list(&org.deputy.viewer).await.expect("a list").to_do.is_empty());
    assert_eq!(courses.read(&org.deputy.viewer, id).await.expect("a page").next, NextStep::Ended);
    assert!(courses.certificate(member, id).await.is_ok(), "the result stays");
    let desk = courses.desk(editor).await.expect("a desk");
    assert_eq!((desk.drafts.len(), desk.assigned.len(), desk.ended.len()), (0, 0, 1));
}

async fn an_assigned_course_cannot_be_changed(backend: &Backend, org: &Fixture) {
    let editor = &org.coast_editor.viewer;
    let (id, document) = given(backend, org, "", "0").await;
    let (key, version) = (id.to_string(), version(backend, editor, id).await);
    let courses = backend.courses();
    let form = CourseForm { id: &key, version: &version, issuer: "", title: "Khác", description: "" };
    assert!(is_refused(courses.save(editor, form).await));
    assert!(is_refused(courses.arrange(editor, &key, &version, &document.to_string(), "remove").await));
    assert!(is_refused(courses.save_question(editor, question(&key, &version, "1", "Khác?")).await));
    assert!(is_refused(courses.arrange_question(editor, &key, &version, "1", "remove").await));
    assert!(is_refused(courses.question(editor, id, Some(1)).await), "the right answers are not even in a form");
    let rules = RulesForm { course: &key, version: &version, pass_percent: "50", minutes: "", tries: "0" };
    assert!(is_refused(courses.save_rules(editor, rules).await));
    assert!(is_refused(courses.assignment(editor, id, None, "", &PickedUnits::default()).await));

    let copy = CourseId::new(backend.clock().ulid());
    for _ in 0..2 {
        assert_eq!(courses.copy(editor, id, copy).await.expect("copies"), copy);
    }
    let page = courses.form(editor, copy, "").await.expect("a form");
    assert_eq!((page.course.state, page.documents.len(), page.questions.len()), (CourseState::Draft, 1, 2));
    assert_eq!(courses.desk(editor).await.expect("a desk").drafts.len(), 1);
}

async fn nobody_overwrites_somebody_elses_draft(backend: &Backend, org: &Fixture) {
    let (editor, other) = (&org.coast_editor.viewer, &org.province_chief_editor.viewer);
    let courses = backend.courses();
    let documents =
        [published(backend, editor, &org.coast, &org.coast).await, published(backend, editor, &org.coast, &org.harbour).await];
    let hidden = published(backend, &org.hills_editor.viewer, &org.hills, &org.hills).await;
    let id = draft(backend, editor, &documents, 2).await;
    let (key, start) = (id.to_string(), version(backend, editor, id).await);
    let form = |title| CourseForm { id: &key, version: &start, issuer: "", title, description: "" };
    courses.save(editor, form("Tên một")).await.expect("saves");
    courses.save(editor, form("Tên một")).await.expect("the same button twice is no conflict");
    assert_eq!(problem(courses.save(other, form("Tên hai")).await, "title"), Some(Problem::Stale));
    for (document, step) in [(documents[0], "down"), (hidden, "remove")] {
        let outcome = courses.arrange(other, &key, &start, &document.to_string(), step).await;
        assert_eq!(problem(outcome, "document"), Some(Problem::Stale), "{step}");
    }
    assert_eq!(problem(courses.save_question(other, question(&key, &start, "", "Mới?")).await, "text"), Some(Problem::Stale));
    assert_eq!(problem(courses.arrange_question(other, &key, &start, "1", "down").await, "number"), Some(Problem::Stale));

    let now = version(backend, editor, id).await;
    let outcome = courses.arrange(editor, &key, &now, &hidden.to_string(), "add").await;
    assert_eq!(problem(outcome, "document"), Some(Problem::Unknown), "a course needs documents that its audience may read");
    courses.arrange(editor, &key, &now, &documents[0].to_string(), "down").await.expect("moves");
    let page = courses.form(editor, id, "").await.expect("a form");
    assert_eq!(page.documents.iter().map(|document| document.id).collect::<Vec<_>>(), [documents[1], documents[0]]);
    assert_eq!(
        problem(assign(backend, editor, id, &org.coast, "30/11/2026").await, "unit"),
        Some(Problem::OutOfReach),
        "one of the documents is for the harbour alone"
    );
    assign(backend, editor, id, &org.harbour, "30/11/2026").await.expect("is given to the harbour");

    let nothing = draft(backend, editor, &[], 0).await;
    assert_eq!(problem(assign(backend, editor, nothing, &org.coast, "30/11/2026").await, "unit"), Some(Problem::Required));
    for stranger in [&org.hills_editor, &org.fisherman] {
        assert!(is_not_found(courses.form(&stranger.viewer, nothing, "").await), "{}", stranger.name);
    }
    assert!(is_not_found(courses.desk(&org.fisherman.viewer).await));
}

async fn a_corrected_document_is_opened_again_before_the_quiz(backend: &Backend, org: &Fixture) {
    let (courses, member) = (backend.courses(), &org.fisherman.viewer);
    let (id, document) = given(backend, org, "", "0").await;
    let told = async || {
        let page = courses.read(member, id).await.expect("a page");
        (page.next, page.documents[0].is_read())
    };
    read_through(backend, member, document).await;
    assert_eq!(told().await, (NextStep::StartQuiz, true));
    correct(backend, &org.coast_editor.viewer, document, "Số mới: 0255 3 822 222.").await;
    assert_eq!(told().await, (NextStep::Read { missing: 1 }, false));
    assert!(is_refused(courses.start(member, id).await));
    backend.documents().read(member, document).await.expect("opens");
    assert_eq!(told().await, (NextStep::StartQuiz, true));
}

async fn a_course_without_a_quiz_is_completed_once(backend: &Backend, org: &Fixture) {
    let (editor, member) = (&org.coast_editor.viewer, &org.fisherman.viewer);
    let courses = backend.courses();
    let document = published(backend, editor, &org.coast, &org.coast).await;
    let id = draft(backend, editor, &[document], 0).await;
    assign(backend, editor, id, &org.harbour, "22/11/2026").await.expect("is given");
    assert!(is_refused(courses.complete(member, id).await), "documents have to be read first");
    read_through(backend, member, document).await;
    assert_eq!(courses.read(member, id).await.expect("a page").next, NextStep::Confirm);
    backend.clock().advance(TimeDelta::days(3));
    backend.catch_up().await.expect("reads the log");
    let mut events = backend.events().listen();
    let presses: Vec<_> = (0..4)
        .map(|_| {
            let (backend, viewer) = (backend.clone(), member.clone());
            tokio::spawn(async move { backend.courses().complete(&viewer, id).await })
        })
        .collect();
    for press in presses {
        press.await.expect("runs").expect("completes");
    }
    backend.catch_up().await.expect("reads the log");
    assert_eq!(events.try_recv().expect("an event").body, EventBody::CourseCompleted(id));
    assert!(events.try_recv().is_err(), "one event for all requests");
    let done = &courses.list(member).await.expect("a list").done;
    assert_eq!((done.len(), done[0].progress), (1, Progress::DoneLate));

    // A withdrawn document is not required any more.
    backend.documents().withdraw(&chief(editor), document, "Sai số liệu.").await.expect("is withdrawn");
    assert_eq!(courses.read(&org.deputy.viewer, id).await.expect("a page").next, NextStep::Confirm);
}

async fn the_right_answers_are_shown_only_when_no_attempt_is_left(backend: &Backend, org: &Fixture) {
    let member = &org.fisherman.viewer;
    let (id, document) = given(backend, org, "", "2").await;
    read_through(backend, member, document).await;
    let courses = backend.courses();
    let first = try_once(backend, member, id, 0).await;
    let result = courses.result(member, id, first).await.expect("a result");
    assert_eq!((result.review.len(), result.next), (0, NextStep::StartQuiz));
    courses.start(member, id).await.expect("begins the last one");
    let result = courses.result(member, id, first).await.expect("a result");
    assert_eq!((result.review.len(), result.next), (0, NextStep::GoOn), "while the last try is open, nothing is told");
    assert!(is_not_found(courses.result(member, id, 2).await), "nor is an open try a result");
    let last = try_once(backend, member, id, 1).await;
    let result = courses.result(member, id, last).await.expect("a result");
    assert_eq!((result.tries_left, result.review.len(), result.next), (Some(0), 2, NextStep::Failed));
    assert!(result.review[0].right && !result.review[1].right);
    let page = courses.read(member, id).await.expect("a page");
    assert_eq!((page.next, page.tries.len()), (NextStep::Failed, 2));
    assert!(is_refused(courses.start(member, id).await));
    assert!(is_not_found(courses.result(&org.deputy.viewer, id, last).await), "other people's attempts are not found");
}

/// Gives another attempt to these members of a unit, or to all if none are named, and then advances the clock.
async fn give_try(
    backend: &Backend,
    viewer: &Viewer,
    id: CourseId,
    unit: &UnitRef,
    members: Option<&[String]>,
) -> Result<bool, Error> {
    backend.clock().advance(TimeDelta::minutes(1));
    let (course, unit, act) = (id.to_string(), unit.id.to_string(), backend.clock().ulid().to_string());
    let form = AnotherTryForm { course: &course, unit: &unit, act: &act, members };
    backend.courses().give_another_try(viewer, form).await
}

/// The secretary of the harbour, with an office that assigns courses of the coast too: sees names and gives attempts.
fn secretary_and_editor(org: &Fixture) -> Viewer {
    let mut viewer = org.secretary.viewer.clone();
    viewer.standpoint.grants.push(Grant { role: Role::Editor, path: org.coast.path.clone() });
    viewer
}

async fn tries_of(backend: &Backend, member: &Viewer, id: CourseId) -> Tries {
    backend.courses().read(member, id).await.expect("a page").course.tries
}

async fn a_member_without_attempts_left_can_be_given_another_one(backend: &Backend, org: &Fixture) {
    let (editor, member, other) = (&org.coast_editor.viewer, &org.fisherman.viewer, &org.deputy.viewer);
    let courses = backend.courses();
    let (id, document) = given(backend, org, "", "2").await;
    for person in [member, other] {
        read_through(backend, person, document).await;
    }
    try_once(backend, other, id, 0).await;
    try_once(backend, member, id, 0).await;
    let last = try_once(backend, member, id, 0).await;
    let reminder = courses.reminder(member).await.expect("reads").expect("a course");
    assert_eq!((reminder.tries, reminder.issuer.as_str()), (Tries::UsedUp, org.coast.name.as_str()));
    assert_eq!(courses.list(member).await.expect("a list").to_do[0].tries, Tries::UsedUp);
    let (later, _) = given(backend, org, "", "2").await;
    assert_eq!(
        courses.reminder(member).await.expect("reads").map(|course| course.id),
        Some(later),
        "what can be done comes first"
    );
    courses.end(editor, later).await.expect("ends");

    backend.clock().advance(TimeDelta::minutes(1));
    backend.catch_up().await.expect("reads the log");
    let mut events = backend.events().listen();
    let act = backend.clock().ulid().to_string();
    let presses: Vec<_> = (0..4)
        .map(|_| {
            let (backend, viewer, act) = (backend.clone(), editor.clone(), act.clone());
            let (course, unit) = (id.to_string(), org.coast.id.to_string());
            tokio::spawn(async move {
                let form = AnotherTryForm { course: &course, unit: &unit, act: &act, members: None };
                backend.courses().give_another_try(&viewer, form).await
            })
        })
        .collect();
    for press in presses {
        assert!(press.await.expect("runs").expect("gives"), "the second request succeeds too");
    }
    backend.catch_up().await.expect("reads the log");
    let event = events.try_recv().expect("an event");
    assert_eq!((event.body, event.unit), (EventBody::TryGiven(id), org.coast.path.clone()));
    assert!(events.try_recv().is_err(), "one event for all requests");

    assert_eq!(courses.reminder(member).await.expect("reads").map(|course| course.tries), Some(Tries::Given));
    let page = courses.read(member, id).await.expect("a page");
    assert_eq!((page.next, page.quiz.and_then(|quiz| quiz.tries_left)), (NextStep::StartQuiz, Some(1)));
    let result = courses.result(member, id, last).await.expect("a result");
    assert_eq!((result.tries, result.tries_left, result.review.len()), (Tries::Given, Some(1), 0));
    let page = courses.read(other, id).await.expect("a page");
    assert_eq!(
        (page.course.tries, page.quiz.and_then(|quiz| quiz.tries_left)),
        (Tries::Left, Some(1)),
        "who has tries left gets none"
    );

    for unit in [&org.harbour, &org.coast, &org.school] {
        let given = give_try(backend, editor, id, unit, None).await.expect("looks");
        assert!(!given, "nobody of {} has used up their tries", unit.name);
    }
    backend.catch_up().await.expect("reads the log");
    assert!(events.try_recv().is_err(), "nothing was given");
    let third = try_once(backend, member, id, 0).await;
    assert_eq!((third, tries_of(backend, member, id).await), (3, Tries::UsedUp), "one attempt and no more");
    assert!(is_refused(courses.start(member, id).await));
    assert_eq!(courses.read(member, id).await.expect("a page").tries.len(), 3, "earlier attempts stay");
    assert_eq!(done_at(backend, org, id, &org.coast).await, Some(0));
    try_once(backend, other, id, 0).await;
    assert_eq!(tries_of(backend, other, id).await, Tries::UsedUp, "nor later");

    assert!(!give_try(backend, editor, id, &org.school, None).await.expect("looks"));
    assert_eq!(tries_of(backend, member, id).await, Tries::UsedUp, "it was for another branch");
    assert!(give_try(backend, editor, id, &org.harbour, None).await.expect("gives"));
    assert_eq!(try_once(backend, member, id, 2).await, 4);
    assert_eq!(courses.read(member, id).await.expect("a page").next, NextStep::Certificate);
    assert_eq!(done_at(backend, org, id, &org.coast).await, Some(1));
    assert_eq!(tries_of(backend, other, id).await, Tries::Given);
}

async fn a_page_sent_again_after_another_one_gives_nothing(backend: &Backend, org: &Fixture) {
    let (editor, member) = (&org.coast_editor.viewer, &org.fisherman.viewer);
    let (id, document) = given(backend, org, "", "1").await;
    read_through(backend, member, document).await;
    try_once(backend, member, id, 0).await;
    let send = async |act: &str| {
        backend.clock().advance(TimeDelta::minutes(1));
        let (course, unit) = (id.to_string(), org.harbour.id.to_string());
        let form = AnotherTryForm { course: &course, unit: &unit, act, members: None };
        backend.courses().give_another_try(editor, form).await.expect("is taken");
    };
    let pages: Vec<String> = (0..3).map(|_| backend.clock().ulid().to_string()).collect();
    for page in &pages {
        send(page).await;
        assert_eq!(tries_of(backend, member, id).await, Tries::Given);
        try_once(backend, member, id, 0).await;
    }
    for page in &pages {
        send(page).await;
        assert_eq!(tries_of(backend, member, id).await, Tries::UsedUp, "it counted once");
    }
}

async fn only_those_who_assign_the_course_give_another_attempt(backend: &Backend, org: &Fixture) {
    let editor = &org.coast_editor.viewer;
    let courses = backend.courses();
    let (id, document) = given(backend, org, "", "1").await;
    read_through(backend, &org.fisherman.viewer, document).await;
    try_once(backend, &org.fisherman.viewer, id, 0).await;
    for person in [&org.fisherman, &org.secretary, &org.coast_secretary, &org.province_statistician] {
        assert!(is_refused(give_try(backend, &person.viewer, id, &org.harbour, None).await), "{}", person.name);
    }
    for stranger in [&org.farmer, &org.farm_secretary, &org.hills_editor] {
        assert!(is_not_found(give_try(backend, &stranger.viewer, id, &org.harbour, None).await), "{}", stranger.name);
    }
    let chief = &org.province_chief_editor.viewer;
    assert!(is_not_found(give_try(backend, chief, id, &org.hills, None).await), "it was not given there");
    assert_eq!(tries_of(backend, &org.fisherman.viewer, id).await, Tries::UsedUp);
    let offered = |page: domain::courses::CompletionPage| page.another_try.map(|offered| (offered.by_name, offered.given_at));
    let page = courses.completion_page(editor, id, Some(org.harbour.id)).await.expect("a page");
    assert_eq!(offered(page), Some((false, None)));
    let page = courses.completion_page(&org.secretary.viewer, id, None).await.expect("a page");
    let told = page.learners.iter().find(|row| row.member == org.fisherman.id).map(|row| row.tries);
    assert_eq!(told, Some(Tries::UsedUp), "the branch sees it");
    assert_eq!(offered(page), None, "and does not give it");

    give_try(backend, chief, id, &org.harbour, None).await.expect("gives");
    let page = courses.completion_page(editor, id, Some(org.harbour.id)).await.expect("a page");
    assert_eq!(offered(page), Some((false, Some(backend.clock().now()))));
    courses.end(editor, id).await.expect("ends");
    assert!(is_refused(give_try(backend, editor, id, &org.harbour, None).await));
    let (unlimited, _) = given(backend, org, "", "0").await;
    assert!(is_refused(give_try(backend, editor, unlimited, &org.harbour, None).await));
}

async fn another_try_goes_to_those_chosen(backend: &Backend, org: &Fixture) {
    let both = secretary_and_editor(org);
    let (member, other, third) = (&org.fisherman, &org.deputy, &org.probationary);
    let (id, document) = given(backend, org, "", "1").await;
    for person in [member, other] {
        read_through(backend, &person.viewer, document).await;
        try_once(backend, &person.viewer, id, 0).await;
    }
    let page = backend.courses().completion_page(&both, id, Some(org.harbour.id)).await.expect("a page");
    assert!(page.another_try.is_some_and(|offered| offered.by_name));
    let chosen = |people: &[&crate::support::Person]| people.iter().map(|person| person.id.to_string()).collect::<Vec<_>>();
    let nobody = give_try(backend, &both, id, &org.harbour, Some(&[])).await;
    assert_eq!(problem(nobody, "members"), Some(Problem::Required));
    for (viewer, unit, people) in [
        (&both, &org.harbour, chosen(&[member, &org.teacher])),
        (&both, &org.harbour, vec!["x".to_owned()]),
        (&both, &org.coast, chosen(&[member])),
        (&org.coast_editor.viewer, &org.harbour, chosen(&[member])),
    ] {
        assert!(is_not_found(give_try(backend, viewer, id, unit, Some(&people)).await), "{} {people:?}", unit.name);
    }
    assert_eq!(tries_of(backend, &member.viewer, id).await, Tries::UsedUp);
    give_try(backend, &both, id, &org.harbour, Some(&chosen(&[member, third]))).await.expect("gives");
    assert_eq!(tries_of(backend, &member.viewer, id).await, Tries::Given);
    assert_eq!(tries_of(backend, &other.viewer, id).await, Tries::UsedUp, "not chosen");
    read_through(backend, &third.viewer, document).await;
    try_once(backend, &third.viewer, id, 0).await;
    assert_eq!(tries_of(backend, &third.viewer, id).await, Tries::UsedUp, "had a try left when it was given");
    let page = backend.courses().completion_page(&both, id, Some(org.harbour.id)).await.expect("a page");
    let told = |of: &crate::support::Person| page.learners.iter().find(|row| row.member == of.id).map(|row| row.tries);
    assert_eq!((told(member), told(other)), (Some(Tries::Given), Some(Tries::UsedUp)));
}

async fn another_try_follows_two_records_of_one_person(backend: &Backend, org: &Fixture) {
    let (kept, gone) = (&org.fisherman, &org.probationary);
    let (id, document) = given(backend, org, "", "1").await;
    read_through(backend, &gone.viewer, document).await;
    try_once(backend, &gone.viewer, id, 0).await;
    let chosen = [gone.id.to_string()];
    give_try(backend, &secretary_and_editor(org), id, &org.harbour, Some(&chosen)).await.expect("gives");
    backend.members().merge(&org.coast_registrar.viewer, kept.id, gone.id).await.expect("merges");
    assert_eq!(tries_of(backend, &kept.viewer, id).await, Tries::Given);
}

async fn time_is_kept_by_the_server(backend: &Backend, org: &Fixture) {
    let courses = backend.courses();
    let (id, document) = given(backend, org, "10", "0").await;
    let (kept, lost) = (&org.fisherman.viewer, &org.deputy.viewer);
    for member in [kept, lost] {
        read_through(backend, member, document).await;
        courses.start(member, id).await.expect("begins");
    }
    let quiz = courses.quiz(kept, id).await.expect("reads").expect("is open");
    assert_eq!(quiz.seconds_left, Some(600));
    backend.clock().advance(TimeDelta::minutes(9));
    assert_eq!(courses.answer(kept, id, 1, &ticked(&quiz, 2), false).await.expect("keeps"), Arrived::Kept);
    let again = courses.quiz(kept, id).await.expect("reads").expect("is still open");
    assert_eq!((again.number, again.seconds_left), (1, Some(60)));
    assert_eq!(again.questions[0].options, quiz.questions[0].options, "a reload shows the same attempt");
    assert_eq!(again.questions[0].chosen.len(), 1, "with the saved answers");

    backend.clock().advance(TimeDelta::seconds(71));
    let nothing = Ticked::new();
    assert_eq!(courses.answer(kept, id, 1, &nothing, true).await.expect("is late"), Arrived::Ended);
    let result = courses.result(kept, id, 1).await.expect("a result");
    assert!(result.was_ended && result.handed_in.passed, "answers in time count: {result:?}");
    let other = courses.quiz(lost, id).await.expect("reads");
    assert!(other.is_none(), "an attempt that is not submitted ends by time");
    let result = courses.result(lost, id, 1).await.expect("a result");
    assert!(result.was_ended && !result.handed_in.passed && result.review.is_empty());
    assert_eq!(courses.read(lost, id).await.expect("a page").next, NextStep::StartQuiz);
}

async fn pressing_twice_is_one_try_and_one_result(backend: &Backend, org: &Fixture) {
    let member = &org.fisherman.viewer;
    let (id, document) = given(backend, org, "", "3").await;
    read_through(backend, member, document).await;
    let starts: Vec<_> = (0..4)
        .map(|_| {
            let (backend, viewer) = (backend.clone(), member.clone());
            tokio::spawn(async move { backend.courses().start(&viewer, id).await })
        })
        .collect();
    for start in starts {
        start.await.expect("runs").expect("begins");
    }
    let courses = backend.courses();
    let quiz = courses.quiz(member, id).await.expect("reads").expect("is open");
    assert_eq!((quiz.number, quiz.tries_left), (1, Some(2)));
    backend.catch_up().await.expect("reads the log");
    let mut events = backend.events().listen();
    let answers: Vec<_> = [2, 0, 0, 2]
        .map(|rights| {
            let (backend, viewer, ticked) = (backend.clone(), member.clone(), ticked(&quiz, rights));
            tokio::spawn(async move { backend.courses().answer(&viewer, id, 1, &ticked, true).await })
        })
        .into();
    for answer in answers {
        assert_eq!(answer.await.expect("runs").expect("hands in"), Arrived::Ended);
    }
    let first = courses.result(member, id, 1).await.expect("a result").handed_in;
    courses.answer(member, id, 1, &ticked(&quiz, 2), true).await.expect("is late");
    assert_eq!(courses.result(member, id, 1).await.expect("a result").handed_in, first, "the first one counts");
    assert_eq!(courses.read(member, id).await.expect("a page").tries.len(), 1);
    backend.catch_up().await.expect("reads the log");
    let mut bodies: Vec<_> = std::iter::from_fn(|| events.try_recv().ok()).map(|event| event.body).collect();
    bodies.sort_by_key(|body| body.kind().key());
    let taken = EventBody::QuizTaken(id);
    let expected = if first.passed { vec![EventBody::CourseCompleted(id), taken] } else { vec![taken] };
    assert_eq!(bodies, expected);
    assert!(is_not_found(courses.answer(member, id, 7, &Ticked::new(), true).await), "no such attempt");
    let hostile: Ticked =
        [("0".to_owned(), vec!["999".to_owned(), "-1".to_owned(), "x".to_owned()]), ("99".to_owned(), vec![])].into();
    assert!(courses.answer(member, id, 1, &hostile, false).await.is_ok());
}

async fn transfer(backend: &Backend, org: &Fixture) {
    let (member, to) = (org.fisherman.id.to_string(), org.farm.id.to_string());
    let form = TransferForm { member: &member, to: &to, reason: "Chuyển nơi cư trú." };
    let members = backend.members();
    let id = members.request_transfer(&org.secretary.viewer, form).await.expect("is asked for");
    members.decide_transfer(&org.farm_secretary.viewer, &id.to_string(), "accept", "").await.expect("is accepted");
    backend.catch_up().await.expect("reads the log");
}

/// The fisherman as a session returns him after the transfer.
fn at_the_farm(org: &Fixture) -> Viewer {
    let mut viewer = org.fisherman.viewer.clone();
    viewer.branch = org.farm.clone();
    viewer.standpoint.branch = org.farm.path.clone();
    viewer
}

async fn done_at(backend: &Backend, org: &Fixture, id: CourseId, unit: &UnitRef) -> Option<u32> {
    let page = backend.courses().completion_page(&org.answering_for(unit), id, Some(unit.id)).await.expect("a page");
    page.total.share.map(|share| share.done)
}

async fn a_member_who_is_transferred_keeps_the_progress(backend: &Backend, org: &Fixture) {
    let (editor, member) = (&org.province_chief_editor.viewer, &org.fisherman.viewer);
    let courses = backend.courses();
    let document = published(backend, editor, &org.province, &org.province).await;
    let id = draft(backend, editor, &[document], 2).await;
    assign(backend, editor, id, &org.province, "30/11/2026").await.expect("is given");
    let (local, paper) = given(backend, org, "", "0").await;
    for document in [document, paper] {
        read_through(backend, member, document).await;
    }
    try_once(backend, member, id, 2).await;
    try_once(backend, member, local, 0).await;
    courses.start(member, local).await.expect("begins");
    let (other, _) = given(backend, org, "", "0").await;
    for document in courses.read(member, other).await.expect("a page").documents {
        read_through(backend, member, document.id).await;
    }
    let number = try_once(backend, member, other, 0).await;
    let page = courses.completion_page(editor, id, None).await.expect("a page");
    assert_eq!(page.total.share.map(|share| share.done), Some(1));
    assert_eq!(done_at(backend, org, id, &org.coast).await, Some(1));

    transfer(backend, org).await;
    let moved = at_the_farm(org);
    assert_eq!(done_at(backend, org, id, &org.coast).await, Some(0), "it counts where the member is");
    assert_eq!(courses.certificate(&moved, id).await.expect("a certificate").branch, org.harbour.name, "under the former name");
    assert_eq!(courses.list(&moved).await.expect("a list").done.len(), 1);
    let quiz = courses.quiz(&moved, local).await.expect("reads").expect("what was begun can be ended");
    courses.answer(&moved, local, quiz.number, &ticked(&quiz, 2), true).await.expect("hands in");
    assert!(courses.certificate(&moved, local).await.is_ok());
    assert_eq!(courses.read(&moved, other).await.expect("a page").next, NextStep::Elsewhere);
    assert!(is_refused(courses.start(&moved, other).await), "an attempt of the other branch is not repeated here");
    assert!(courses.result(&moved, other, number).await.is_ok(), "the own results stay");
    assert!(is_not_found(courses.read(&org.farmer.viewer, local).await), "the others there do not see it");
}

async fn numbers_follow_members_who_leave_or_become_exempt(backend: &Backend, org: &Fixture) {
    let (id, document) = given(backend, org, "", "0").await;
    let everybody = [&org.fisherman, &org.deputy, &org.exempt];
    for person in everybody {
        read_through(backend, &person.viewer, document).await;
        try_once(backend, &person.viewer, id, 2).await;
    }
    assert_eq!(done_at(backend, org, id, &org.coast).await, Some(2), "nothing is required of exempt members");
    let form = backend::members::StateForm {
        id: &org.deputy.id.to_string(),
        version: &backend
            .members()
            .form(&org.coast_registrar.viewer, org.deputy.id)
            .await
            .expect("a form")
            .draft
            .version
            .to_string(),
        state: "left",
        day: "2026-11-21",
    };
    backend.members().set_state(&org.coast_registrar.viewer, form).await.expect("leaves");
    backend.catch_up().await.expect("reads the log");
    assert_eq!(done_at(backend, org, id, &org.coast).await, Some(1));
}

async fn the_branch_sees_names_and_those_above_see_numbers(backend: &Backend, org: &Fixture) {
    let (id, document) = given(backend, org, "", "0").await;
    read_through(backend, &org.fisherman.viewer, document).await;
    try_once(backend, &org.fisherman.viewer, id, 2).await;
    backend.clock().advance(TimeDelta::days(12));
    let courses = backend.courses();
    let own = courses.completion_page(&org.secretary.viewer, id, None).await.expect("a page");
    assert_eq!((own.total.unit.id, own.trail.len()), (org.harbour.id, 1));
    let told: Vec<_> = own.learners.iter().map(|row| (row.name.as_str(), row.progress)).collect();
    assert!(told.contains(&("Võ Văn Khơi", Progress::Done)) && told.contains(&("Tiêu Viết Lộng", Progress::Overdue)), "{told:?}");
    assert!(!told.iter().any(|(name, _)| *name == "Bùi Văn Cựu"), "nothing is required of exempt members: {told:?}");

    // The hills have three members: people who see the number of the province are not shown that of the coast.
    for (above, told) in [
        (&org.coast_secretary, Some((15, 1))),
        (&org.coast_committee_member, Some((15, 1))),
        (&org.province_statistician, None),
        (&org.coast_editor, None),
    ] {
        let page = courses.completion_page(&above.viewer, id, None).await.expect("a page");
        assert_eq!((page.total.unit.id, page.learners.len()), (org.coast.id, 0), "{}", above.name);
        assert_eq!(page.total.share.map(|share| (share.members, share.done)), told, "{}", above.name);
        let branch = courses.completion_page(&above.viewer, id, Some(org.harbour.id)).await.expect("a page");
        assert!(branch.learners.is_empty(), "{} sees no names", above.name);
        assert_eq!(
            courses.following(&above.viewer).await.map(|list| list.len()).unwrap_or_default() > 0,
            above.id != org.coast_editor.id
        );
    }
    for stranger in [&org.farm_secretary, &org.farmer, &org.hills_editor] {
        assert!(is_not_found(courses.completion_page(&stranger.viewer, id, None).await), "{}", stranger.name);
    }
    assert!(is_not_found(courses.completion_page(&org.secretary.viewer, id, Some(org.school.id)).await));
    assert!(is_refused(courses.completion_page(&org.fisherman.viewer, id, None).await));
    assert!(is_not_found(courses.following(&org.fisherman.viewer).await));
}

async fn two_records_of_one_person_keep_one_history(backend: &Backend, org: &Fixture) {
    let (id, document) = given(backend, org, "", "0").await;
    let (kept, gone) = (&org.fisherman, &org.probationary);
    read_through(backend, &gone.viewer, document).await;
    try_once(backend, &gone.viewer, id, 0).await;
    try_once(backend, &gone.viewer, id, 2).await;
    let serial = backend.courses().certificate(&gone.viewer, id).await.expect("a certificate").serial;
    backend.members().merge(&org.coast_registrar.viewer, kept.id, gone.id).await.expect("merges");
    backend.catch_up().await.expect("reads the log");
    assert_eq!(backend.courses().certificate(&kept.viewer, id).await.expect("a certificate").serial, serial);
    assert_eq!(backend.courses().read(&kept.viewer, id).await.expect("a page").tries.len(), 2);
    assert!(is_not_found(backend.courses().certificate(&gone.viewer, id).await));
    assert_eq!(done_at(backend, org, id, &org.coast).await, Some(1));
}

async fn a_course_goes_no_further_than_its_documents(backend: &Backend, org: &Fixture) {
    let editor = &org.coast_editor.viewer;
    let document = published_to(backend, editor, [&org.coast; 2], &[&org.school]).await;
    let id = draft(backend, editor, &[document], 1).await;
    for unit in [&org.coast, &org.harbour] {
        let refused = assign(backend, editor, id, unit, "30/11/2026").await;
        assert_eq!(problem(refused, "unit"), Some(Problem::OutOfReach), "{}", unit.name);
    }
    assign(backend, editor, id, &org.school, "30/11/2026").await.expect("is given");
}

async fn a_course_is_for_parts_of_a_unit_without_some(backend: &Backend, org: &Fixture) {
    let editor = &org.province_chief_editor.viewer;
    let courses = backend.courses();
    let id = draft(backend, editor, &[], 1).await;
    let (course, version, unit) = (id.to_string(), version(backend, editor, id).await, org.province.id.to_string());
    let (parts, except) = ([org.coast.id.to_string()], [org.harbour.id.to_string()]);
    let due_on = "30/11/2026";
    let form =
        AssignForm { course: &course, version: &version, unit: &unit, parts: &parts, except: &except, standings: &[], due_on };
    let reach = Reach { members: MemberCount::AtMost(18), branches: 1 };
    assert_eq!(
        courses.reach_of(editor, form).await.expect("counts"),
        reach,
        "the number of the province, as that of the coast is hidden"
    );
    assert!(is_not_found(courses.reach_of(&org.fisherman.viewer, form).await));
    let picked = PickedUnits { parts: parts.join(" "), except: except.join(" "), ..PickedUnits::default() };
    let page = courses.assignment(editor, id, None, "", &picked).await.expect("a page");
    assert_eq!((page.reach, page.parts.selected.len()), (reach, 2));
    let beside = AssignForm { except: &[org.farm.id.to_string()], ..form };
    assert_eq!(problem(courses.assign(editor, beside).await, "except"), Some(Problem::NotBelow));
    courses.assign(editor, form).await.expect("is given");

    assert_eq!(courses.list(&org.teacher.viewer).await.expect("a list").to_do.len(), 1);
    try_once(backend, &org.teacher.viewer, id, 1).await;
    for other in [&org.fisherman, &org.farmer] {
        assert!(courses.list(&other.viewer).await.expect("a list").to_do.is_empty(), "{}", other.name);
        assert!(is_not_found(courses.read(&other.viewer, id).await), "{}", other.name);
    }
    let page = courses.completion_page(&head_of(org, &org.province), id, None).await.expect("a page");
    assert_eq!(page.total.share.map(|share| (share.members, share.done)), Some((10, 1)));
    assert_eq!(page.children.iter().map(|row| row.unit.id).collect::<Vec<_>>(), [org.coast.id]);
    let harbour = courses.completion_page(&org.answering_for(&org.province), id, Some(org.harbour.id)).await;
    assert!(is_not_found(harbour), "it is not in the audience");
    let followed = async |person: &crate::support::Person| courses.following(&person.viewer).await.expect("a list").len();
    assert_eq!(followed(&org.school_secretary).await, 1);
    assert_eq!((followed(&org.secretary).await, followed(&org.farm_secretary).await), (0, 0));
}

/// A member sees a course exactly when the policy allows it: assigned to a unit above, for the member's standing, and not ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_sees_a_course_exactly_when_the_policy_allows_it() {
    let (backend, _, org) = organisation().await;
    let editor = &org.province_chief_editor.viewer;
    let people = [
        &org.fisherman,
        &org.probationary,
        &org.exempt,
        &org.secretary,
        &org.teacher,
        &org.coast_editor,
        &org.province_chief_editor,
        &org.farmer,
        &org.hills_editor,
    ];
    let standings: [&[Standing]; 3] = [&[], &[Standing::Probationary], &[Standing::Official]];
    let units = [&org.province, &org.coast, &org.hills, &org.harbour, &org.school, &org.farm];
    for unit in units {
        for standings in standings {
            for ended in [false, true] {
                let id = draft(&backend, editor, &[], 1).await;
                let keys: Vec<String> = standings.iter().map(|standing| standing.key().to_owned()).collect();
                assign_to(&backend, editor, id, unit, "30/11/2026", &keys).await.expect("is given");
                if ended {
                    backend.courses().end(editor, id).await.expect("ends");
                }
                for person in people {
                    let standpoint = &person.viewer.standpoint;
                    let is_meant = standings.is_empty() || standings.contains(&standpoint.standing);
                    let reached = standpoint.may_as_member(Action::TakeCourse, &unit.path) && is_meant;
                    let told = format!("{} {} {standings:?} {ended}", person.name, unit.name);
                    let list = backend.courses().list(&person.viewer).await.expect("a list");
                    assert_eq!(list.to_do.iter().any(|row| row.id == id), reached && !ended, "{told}");
                    assert_eq!(backend.courses().read(&person.viewer, id).await.is_ok(), reached, "{told}");
                    assert_eq!(backend.courses().start(&person.viewer, id).await.is_ok(), reached && !ended, "{told}");
                }
            }
        }
    }
}
