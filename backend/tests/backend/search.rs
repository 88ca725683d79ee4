//! Search: what is found, in which order, by whom; and an index that follows all changes.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use backend::{
    Backend, Clock, Error,
    demo::registry::{NewItem, NewMeeting, Registry},
    documents::DraftForm,
};
use chrono::TimeDelta;
use domain::{
    accounts::Viewer,
    courses::CourseState,
    documents::DocumentKind,
    documents::steps::DocumentState,
    ids::DocumentId,
    meetings::{MeetingForm, MeetingKind, MeetingState},
    members::Standing,
    policy::{Grant, Role, Standpoint},
    search::{Closeness, Piece, SearchHit, SearchItem, SearchKind, SearchPage, SearchQuery},
    units::UnitRef,
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use crate::{
    courses::{assign, draft as course},
    documents::{chief, release},
    engines::on_both_engines,
    meetings::of_committee,
    support::{Fixture, backend, level, organisation, reopened, start},
    units::{merge, move_below, registrar, rename},
};

on_both_engines! {
    published_documents_are_found_and_withdrawn_ones_are_not,
    a_document_is_found_by_its_audience_and_nobody_else,
    filters_narrow_and_pages_have_no_gap_or_repetition,
    a_meeting_is_found_by_those_who_may_read_it,
    a_meeting_of_a_committee_is_found_by_offices_only,
    a_course_is_found_from_the_day_it_was_given,
}

/// A draft with this title and text.
async fn draft(backend: &Backend, editor: &Viewer, issuer: &UnitRef, audience: &UnitRef, words: [&str; 3]) -> DocumentId {
    let [number, title, body] = words;
    let id = backend.documents().blank(editor).await.expect("a form").draft.id.to_string();
    let (issuer, audience) = (issuer.id.to_string(), audience.id.to_string());
    let form = DraftForm {
        id: &id,
        version: "0",
        kind: "guidance",
        number,
        title,
        issuer: &issuer,
        audience: &audience,
        body,
        ..DraftForm::default()
    };
    backend.documents().save_draft(editor, form).await.expect("is saved")
}

async fn published(backend: &Backend, editor: &Viewer, issuer: &UnitRef, audience: &UnitRef, words: [&str; 3]) -> DocumentId {
    let id = draft(backend, editor, issuer, audience, words).await;
    release(backend, editor, id).await;
    id
}

/// Does what the follower does in the background.
async fn catch_up(backend: &Backend) {
    backend.catch_up().await.expect("reads the log");
    backend.search().catch_up().await.expect("brings the index up to date");
}

async fn find(backend: &Backend, viewer: &Viewer, typed: &str) -> SearchPage {
    let query = SearchQuery { typed: typed.to_owned(), ..SearchQuery::default() };
    backend.search().find(viewer, &query).await.expect("answers")
}

fn ids(page: &SearchPage) -> Vec<DocumentId> {
    page.hits.iter().filter_map(|hit| hit.item.document()).map(|document| document.id).collect()
}

/// The hits of all pages.
async fn find_all(backend: &Backend, viewer: &Viewer, query: SearchQuery) -> Vec<DocumentId> {
    let mut query = query;
    let mut found = Vec::new();
    loop {
        let page = backend.search().find(viewer, &query).await.expect("answers");
        found.extend(ids(&page));
        match page.next {
            Some(next) => query.after = Some(next),
            None => return found,
        }
    }
}

async fn published_documents_are_found_and_withdrawn_ones_are_not(backend: &Backend, org: &Fixture) {
    let (editor, reader) = (&org.coast_editor.viewer, &org.fisherman.viewer);
    let words = ["12-HD/ĐU", "Hướng dẫn đi biển dài ngày", "## Trước chuyến biển\n\nTải **tài liệu** về máy."];
    assert!(!find(backend, reader, "biển").await.is_ready, "the index does not exist yet");
    catch_up(backend).await;
    let id = draft(backend, editor, &org.coast, &org.coast, words).await;
    catch_up(backend).await;
    assert!(find(backend, reader, "đi biển").await.hits.is_empty(), "a draft");
    assert!(find(backend, editor, "đi biển").await.hits.is_empty(), "a draft, for its editor too");
    release(backend, editor, id).await;
    catch_up(backend).await;
    for typed in ["đi biển", "di bien", "tai lieu ve may", "12-HD/ĐU", "12hddu", "“dài ngày”", "huong dan 12"] {
        let page = find(backend, reader, typed).await;
        assert_eq!((ids(&page), page.total, page.is_ready), (vec![id], 1, true), "{typed}");
        assert_eq!(page.closeness, Closeness::AllWords, "{typed}");
    }
    let page = find(backend, reader, "tài liệu").await;
    let found = |text: &str| Piece { text: text.to_owned(), found: true };
    assert!(page.hits[0].excerpt.contains(&found("tài liệu")), "{:?}", page.hits[0]);
    assert_eq!(page.years, [2026]);
    backend.documents().withdraw(&chief(editor), id, "Sai số liệu.").await.expect("is withdrawn");
    // Not even before the index has caught up.
    assert!(find(backend, reader, "đi biển").await.hits.is_empty());
    catch_up(backend).await;
    assert!(find(backend, reader, "đi biển").await.hits.is_empty());
    assert_eq!(backend.search().size().await.expect("counts"), 0);
}

async fn a_document_is_found_by_its_audience_and_nobody_else(backend: &Backend, org: &Fixture) {
    let editor = &org.coast_editor.viewer;
    let id = published(backend, editor, &org.coast, &org.harbour, ["", "Phao cứu sinh", "Kiểm tra phao."]).await;
    catch_up(backend).await;
    for reader in
        [&org.fisherman, &org.exempt, &org.secretary, &org.coast_secretary, &org.coast_editor, &org.province_chief_editor]
    {
        assert_eq!(ids(&find(backend, &reader.viewer, "phao cuu sinh").await), [id], "{}", reader.name);
    }
    let strangers = [&org.teacher, &org.farmer, &org.farm_secretary, &org.hills_editor, &org.operator, &org.coast_registrar];
    for stranger in strangers {
        let page = find(backend, &stranger.viewer, "phao cuu sinh").await;
        assert_eq!((page.hits.len(), page.total, page.years.len()), (0, 0, 0), "{}", stranger.name);
        assert_eq!(page.instead, None, "{}", stranger.name);
    }
}

async fn filters_narrow_and_pages_have_no_gap_or_repetition(backend: &Backend, org: &Fixture) {
    let editor = &org.province_chief_editor.viewer;
    let mut all = BTreeSet::new();
    for count in 0..45 {
        let issuer = if count % 3 == 0 { &org.province } else { &org.coast };
        let body = format!("Văn bản chung. {}", "họp ".repeat(count % 5));
        all.insert(published(backend, editor, issuer, &org.coast, ["", "Thông báo họp", &body]).await);
    }
    catch_up(backend).await;
    let reader = &org.fisherman.viewer;
    let query = SearchQuery { typed: "van ban chung".to_owned(), ..SearchQuery::default() };
    let found = find_all(backend, reader, query.clone()).await;
    assert_eq!((found.len(), found.iter().copied().collect::<BTreeSet<_>>()), (45, all), "no gap and no repetition");
    let from_above = SearchQuery { level: Some(level("province")), ..query.clone() };
    assert_eq!(find_all(backend, reader, from_above.clone()).await.len(), 15);
    for (filtered, count) in [
        (SearchQuery { kind: Some(DocumentKind::Guidance), ..query.clone() }, 45),
        (SearchQuery { kind: Some(DocumentKind::News), ..query.clone() }, 0),
        (SearchQuery { year: Some(2026), ..from_above.clone() }, 15),
        (SearchQuery { year: Some(2019), ..query.clone() }, 0),
    ] {
        assert_eq!(find_all(backend, reader, filtered.clone()).await.len(), count, "{filtered:?}");
    }
}

/// Restricted to one kind.
async fn find_only(backend: &Backend, viewer: &Viewer, what: SearchKind, typed: &str) -> SearchPage {
    let query = SearchQuery { typed: typed.to_owned(), what: Some(what), ..SearchQuery::default() };
    backend.search().find(viewer, &query).await.expect("answers")
}

async fn a_meeting_is_found_by_those_who_may_read_it(backend: &Backend, org: &Fixture) {
    let editor = &org.coast_editor.viewer;
    let own = published(backend, editor, &org.coast, &org.harbour, ["", "Nội quy bến cá", "Giữ sạch."]).await;
    let of_others = published(backend, editor, &org.coast, &org.school, ["", "Kỷ luật khiển trách", "Nội dung."]).await;
    let mut registry = Registry::new(backend, 5, start() - TimeDelta::days(40));
    let id = registry.meeting(&NewMeeting {
        unit: &org.harbour,
        kind: MeetingKind::Regular,
        form: MeetingForm::InPerson,
        state: MeetingState::Cancelled,
        title: "Sinh hoạt tháng cuối năm",
        starts_at: start() + TimeDelta::days(3),
        venue: "Nhà văn hóa thôn",
        chair: "Huỳnh Thị Bến",
        agenda: vec![NewItem { title: "Bàn việc bờ kè".to_owned(), minutes: 20, papers: vec![own, of_others] }],
    });
    registry.save().await.expect("saves");
    catch_up(backend).await;
    for typed in ["sinh hoat thang cuoi nam", "bờ kè", "nha van hoa thon", "noi quy ben ca"] {
        for reader in [&org.fisherman, &org.secretary, &org.coast_secretary, &org.coast_committee_member] {
            let page = find_only(backend, &reader.viewer, SearchKind::Meetings, typed).await;
            assert_eq!(page.total, 1, "{}: {typed}", reader.name);
            let SearchItem::Meeting(meeting) = &page.hits[0].item else { panic!("{:?}", page.hits[0]) };
            assert_eq!((meeting.id, meeting.state), (id, MeetingState::Cancelled), "{}: {typed}", reader.name);
        }
        for stranger in [&org.exempt, &org.teacher, &org.coast_editor, &org.farmer, &org.former_secretary, &org.operator] {
            let page = find_only(backend, &stranger.viewer, SearchKind::Meetings, typed).await;
            assert_eq!((page.hits.len(), page.total, page.instead), (0, 0, None), "{}: {typed}", stranger.name);
        }
    }
    // The paper is not addressed to those who meet, so its words do not find the meeting.
    let page = find(backend, &org.fisherman.viewer, "kỷ luật khiển trách").await;
    assert_eq!((page.hits.len(), page.total, page.instead), (0, 0, None));
    let page = find(backend, &org.fisherman.viewer, "nội quy bến cá").await;
    assert!(page.hits[0].item.document().is_some_and(|document| document.id == own), "the document itself comes first");
    assert_eq!(page.total, 2);
    let page = find_only(backend, &org.fisherman.viewer, SearchKind::Meetings, "bờ kè").await;
    let excerpt = &page.hits[0].excerpt;
    assert!(excerpt.contains(&Piece { text: "bờ kè".to_owned(), found: true }), "{excerpt:?}");

    backend.documents().withdraw(&chief(editor), own, "Sai số liệu.").await.expect("is withdrawn");
    catch_up(backend).await;
    assert_eq!(find_only(backend, &org.fisherman.viewer, SearchKind::Meetings, "nội quy bến cá").await.total, 0);
}

async fn a_meeting_of_a_committee_is_found_by_offices_only(backend: &Backend, org: &Fixture) {
    let mut registry = Registry::new(backend, 5, start() - TimeDelta::days(40));
    let id = registry.meeting(&of_committee(&org.coast, 3));
    registry.save().await.expect("saves");
    catch_up(backend).await;
    let mut above = org.coast_committee_member.viewer.clone();
    for grant in &mut above.standpoint.grants {
        grant.path = org.province.path.clone();
    }
    for typed in ["hội nghị ban chấp hành", "ban chap hanh", "hop cap uy"] {
        for reader in [&org.coast_secretary.viewer, &org.coast_committee_member.viewer, &above] {
            let page = find(backend, reader, typed).await;
            let found: Vec<_> = page.hits.iter().map(|hit| hit.item.id()).collect();
            assert_eq!((found, page.total), (vec![id.ulid()], 1), "{}: {typed}", reader.name);
        }
        for person in [&org.fisherman, &org.secretary, &org.teacher, &org.former_secretary, &org.coast_editor, &org.operator] {
            let page = find(backend, &person.viewer, typed).await;
            assert_eq!((page.hits.len(), page.total, page.instead), (0, 0, None), "{}: {typed}", person.name);
        }
    }
}

async fn a_course_is_found_from_the_day_it_was_given(backend: &Backend, org: &Fixture) {
    let editor = &org.coast_editor.viewer;
    let lesson = published(backend, editor, &org.coast, &org.coast, ["", "Neo đậu tàu cá", "Nội dung."]).await;
    let id = course(backend, editor, &[lesson], 0).await;
    catch_up(backend).await;
    assert_eq!(find_only(backend, editor, SearchKind::Courses, "chuyên đề").await.total, 0, "a draft, for its editor too");
    assign(backend, editor, id, &org.coast, "30/11/2026").await.expect("is given");
    catch_up(backend).await;
    let is_own = async |viewer: &Viewer, typed: &str| {
        let page = find_only(backend, viewer, SearchKind::Courses, typed).await;
        page.hits.first().map(|hit| match &hit.item {
            SearchItem::Course(found) => (found.id == id, found.is_own, found.state),
            other => panic!("{other:?}"),
        })
    };
    for typed in ["chuyen de sinh hoat chi bo", "đọc hết tài liệu", "neo dau tau ca"] {
        for reader in [&org.fisherman, &org.exempt, &org.teacher, &org.coast_editor] {
            assert_eq!(
                is_own(&reader.viewer, typed).await,
                Some((true, true, CourseState::Assigned)),
                "{}: {typed}",
                reader.name
            );
        }
        let chief = &org.province_chief_editor.viewer;
        let reaches = org.coast.path.contains(&chief.standpoint.branch);
        assert_eq!(is_own(chief, typed).await, Some((true, reaches, CourseState::Assigned)), "{typed}");
        for stranger in [&org.farmer, &org.farm_secretary, &org.hills_editor] {
            let page = find_only(backend, &stranger.viewer, SearchKind::Courses, typed).await;
            assert_eq!((page.hits.len(), page.total, page.instead), (0, 0, None), "{}: {typed}", stranger.name);
        }
    }
    backend.courses().end(editor, id).await.expect("ends");
    catch_up(backend).await;
    let found = is_own(&org.fisherman.viewer, "chuyên đề").await;
    assert_eq!(found, Some((true, true, CourseState::Ended)), "it can still be opened, and says so");
}

#[tokio::test]
async fn typed_tone_marks_are_preferred_and_none_match_all() {
    let (backend, _, org) = organisation().await;
    let editor = &org.coast_editor.viewer;
    let mut titled = Vec::new();
    for title in ["Đường bộ", "Chữ đương thời", "Dương vật liệu", "Hoà hợp", "Hoá đơn"] {
        titled.push(published(&backend, editor, &org.coast, &org.coast, ["", title, "Nội dung."]).await);
    }
    let body = "Con đường. ".repeat(40);
    let long = published(&backend, editor, &org.coast, &org.coast, ["", "Chuyện khác", &body]).await;
    catch_up(&backend).await;
    let reader = &org.fisherman.viewer;
    let found = ids(&find(&backend, reader, "đường").await);
    assert_eq!(found, [titled[0], long, titled[1], titled[2]], "as typed, the title first; another tone; other marks");
    assert_eq!(find(&backend, reader, "duong").await.total, 4);
    assert_eq!(ids(&find(&backend, reader, "hòa").await), [titled[3], titled[4]]);
    assert_eq!(ids(&find(&backend, reader, "hoà hợp").await)[0], titled[3]);
}

#[tokio::test]
async fn a_number_ranks_first_and_typing_errors_are_corrected_when_little_is_found() {
    let (backend, _, org) = organisation().await;
    let editor = &org.coast_editor.viewer;
    let number = published(&backend, editor, &org.coast, &org.coast, ["339-QĐ/TW", "Sổ tay", "Điều 1."]).await;
    let cites = "Thực hiện Quy định 339-QĐ/TW, quy định 339-QĐ/TW và quy định 339-QĐ/TW.";
    let citing = published(&backend, editor, &org.coast, &org.coast, ["", "Quy định 339 QĐ TW là gì", cites]).await;
    let other = published(&backend, editor, &org.coast, &org.coast, ["", "Chuyển đổi", "Chuyển đổi số ở thôn."]).await;
    catch_up(&backend).await;
    let reader = &org.fisherman.viewer;
    for typed in ["339-QĐ/TW", "339-qd/tw", "339 QĐ TW", "339qdtw", "quy dinh 339-qđ/tw"] {
        let page = find(&backend, reader, typed).await;
        assert_eq!(ids(&page), [number, citing], "{typed}: {:?}", page.closeness);
    }
    for (typed, instead) in [("chuyn doi", "chuyển đổi"), ("chuyeenr đổi", "chuyển đổi"), ("chyuen doi so", "chuyển đổi số")]
    {
        let page = find(&backend, reader, typed).await;
        assert_eq!(page.instead.as_deref().unwrap_or_default(), instead, "{typed}: {page:?}");
        assert!(page.closeness != Closeness::AllWords, "{typed}");
        assert_eq!(ids(&page), [other], "{typed}");
    }
    let page = find(&backend, reader, "chuyển đổi khinh khí cầu").await;
    assert_eq!((page.closeness, ids(&page)), (Closeness::MostWords, vec![]), "three of five are too many");
    let page = find(&backend, reader, "chuyển đổi số khinh khí").await;
    assert_eq!((page.closeness, ids(&page)), (Closeness::MostWords, vec![other]));
    assert!(find(&backend, reader, "\"đổi chuyển\"").await.hits.is_empty(), "a phrase has an order");
    assert_eq!(ids(&find(&backend, reader, "“đổi số ở thôn”").await), [other]);
    assert!(find(&backend, reader, "“đổi số thôn”").await.hits.is_empty());
}

#[tokio::test]
async fn every_query_is_answered_quickly() {
    let (backend, _, org) = organisation().await;
    let editor = &org.coast_editor.viewer;
    published(&backend, editor, &org.coast, &org.coast, ["", "Phao cứu sinh", &"từ ngữ ".repeat(500)]).await;
    catch_up(&backend).await;
    let hostile = [
        "x".repeat(10_000),
        "đảng viên ".repeat(1_000),
        "*".repeat(5_000),
        "a* b* c? [a-z]+ (.*)* ^$ \\".to_owned(),
        "\u{202e}\u{200b}\u{feff}\u{2066}".repeat(100),
        "\u{301}".repeat(3_000),
        "\0\u{1}\u{7f}".to_owned(),
        "\"".repeat(199),
        "title:phao AND (body:* OR NOT *:*) ~2 ^9".to_owned(),
        "'; DROP TABLE document; --".to_owned(),
        "<script>alert(1)</script>".to_owned(),
        "🦈".repeat(300),
        "a ".repeat(100),
        "1 2 3 4 5 6 7 8 9 a1 b2 c3 d4 e5 f6 g7 h8 i9 j0".to_owned(),
    ];
    for typed in hostile {
        let started = Instant::now();
        let page = find(&backend, &org.fisherman.viewer, &typed).await;
        assert!(page.typed.chars().count() <= SearchQuery::TYPED_MAX && page.is_ready);
        // In an unoptimised build on a busy machine.
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}: {typed:.40}", started.elapsed());
    }
}

#[tokio::test]
async fn the_index_follows_units() {
    let (backend, _, org) = organisation().await;
    let editor = &org.coast_editor.viewer;
    let id = published(&backend, editor, &org.coast, &org.harbour, ["", "Phao cứu sinh", "Kiểm tra."]).await;
    catch_up(&backend).await;
    let officer = registrar(&org);
    assert_eq!(
        ids(&find(&backend, &org.fisherman.viewer, "phao binh chau dong").await),
        [id],
        "the issuer's name is searched too"
    );
    rename(&backend, &officer, org.coast.id, "Xã Vạn Tường", "2026-11-21").await.expect("is renamed");
    catch_up(&backend).await;
    assert_eq!(ids(&find(&backend, &org.fisherman.viewer, "phao vạn tường").await), [id]);

    move_below(&backend, &officer, org.harbour.id, org.hills.id, "11").await.expect("moves");
    // The tree changes at once; the index needs no update.
    let moved = backend.units().tree().get(org.harbour.id).expect("is there").clone();
    let mut fisherman = org.fisherman.viewer.clone();
    fisherman.standpoint.branch = moved.path.clone();
    fisherman.branch = moved;
    assert_eq!(ids(&find(&backend, &fisherman, "phao").await), [id]);
    assert_eq!(ids(&find(&backend, &org.hills_editor.viewer, "phao").await), [id], "it is in the editor's subtree now");
    assert!(find(&backend, &org.coast_secretary.viewer, "phao").await.hits.is_empty(), "and not in this one's any more");
    catch_up(&backend).await;
    merge(&backend, &officer, org.hills.id, org.coast.id).await.expect("is merged");
    catch_up(&backend).await;
    assert_eq!(ids(&find(&backend, &org.coast_secretary.viewer, "phao").await), [id]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_reads_only_new_events_and_a_lost_or_damaged_index_is_rebuilt() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Clock::fixed(start(), 1);
    let open = async || reopened(folder.path(), &clock).await;
    let files = folder.path().join("search");

    let first = open().await;
    let org = Fixture::insert(&first).await;
    let (editor, reader) = (&org.coast_editor.viewer, &org.fisherman.viewer);
    let mut all = Vec::new();
    for title in ["Phao cứu sinh", "Áo phao", "Phao tiêu"] {
        all.push(published(&first, editor, &org.coast, &org.coast, ["", title, "Phao."]).await);
        clock.advance(chrono::TimeDelta::minutes(1));
    }
    catch_up(&first).await;
    let order = ids(&find(&first, reader, "phao").await);
    assert_eq!(order.len(), 3);
    let made = std::fs::metadata(files.join("meta.json")).expect("is there").modified().expect("a time");
    // While no follower runs.
    first.documents().withdraw(&chief(editor), all[1], "Sai số liệu.").await.expect("is withdrawn");
    let late = published(&first, editor, &org.coast, &org.coast, ["", "Phao mới", "Phao."]).await;
    drop(first);

    let second = open().await;
    second.search().catch_up().await.expect("opens and reads what is new");
    let found: BTreeSet<_> = ids(&find(&second, reader, "phao").await).into_iter().collect();
    assert_eq!(found, [all[0], all[2], late].into());
    assert_eq!(second.search().size().await.expect("counts"), 3);
    assert!(std::fs::metadata(files.join("meta.json")).expect("is there").modified().expect("a time") > made);
    drop(second);

    let third = open().await;
    third.search().catch_up().await.expect("opens");
    let kept = ids(&find(&third, reader, "phao").await);
    drop(third);
    std::fs::remove_dir_all(&files).expect("is removed");
    let fourth = open().await;
    fourth.search().catch_up().await.expect("makes it anew");
    let anew: BTreeSet<_> = ids(&find(&fourth, reader, "phao").await).into_iter().collect();
    assert_eq!(anew, kept.into_iter().collect(), "a rebuilt index equals the updated one");
    drop(fourth);

    for damage in ["garbage", "cut", "other version"] {
        match damage {
            "garbage" => std::fs::write(files.join("meta.json"), "{]").expect("writes"),
            "cut" => {
                for entry in std::fs::read_dir(&files).expect("lists").flatten() {
                    let path = entry.path();
                    if path.extension().is_some_and(|extension| extension == "idx" || extension == "store") {
                        let bytes = std::fs::read(&path).expect("reads");
                        std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("writes");
                    }
                }
            }
            _ => {
                let meta = std::fs::read_to_string(files.join("meta.json")).expect("reads");
                std::fs::write(files.join("meta.json"), meta.replace("version", "vision")).expect("writes");
            }
        }
        let again = open().await;
        again.search().catch_up().await.unwrap_or_else(|error| panic!("{damage}: {error}"));
        assert_eq!(find(&again, reader, "phao").await.total, 3, "{damage}");
        drop(again);
    }
}

/// The events since then have smaller ids than those before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_clock_was_set_back_what_is_new_is_found() {
    for minutes in [2, 60] {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Clock::fixed(start(), 1);
        let first = reopened(folder.path(), &clock).await;
        let org = Fixture::insert(&first).await;
        let (editor, reader) = (&org.coast_editor.viewer, &org.fisherman.viewer);
        clock.advance(chrono::TimeDelta::minutes(90));
        let old = published(&first, editor, &org.coast, &org.coast, ["", "Phao cứu sinh", "Phao."]).await;
        catch_up(&first).await;
        assert_eq!(ids(&find(&first, reader, "phao").await), [old]);
        drop(first);

        clock.advance(chrono::TimeDelta::minutes(-minutes));
        let second = reopened(folder.path(), &clock).await;
        let new = published(&second, editor, &org.coast, &org.coast, ["", "Phao mới", "Phao."]).await;
        drop(second);
        // No follower ran meanwhile: only the log and the tables tell of it.
        let third = reopened(folder.path(), &clock).await;
        third.search().catch_up().await.expect("opens");
        let found: BTreeSet<_> = ids(&find(&third, reader, "phao").await).into_iter().collect();
        assert_eq!(found, [old, new].into(), "{minutes} minutes");
    }
}

/// Over random trees, audiences, offices and moves: a person finds exactly the published documents they may read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_finds_exactly_what_they_may_read() {
    for seed in [1, 2] {
        let mut dice = StdRng::seed_from_u64(seed);
        let (backend, _) = backend().await;
        let mut registry = Registry::new(&backend, seed, start());
        let root = registry.unit(None, level("central"), "01", "Trung ương").expect("a code");
        let mut units = vec![root.clone()];
        for count in 0..24 {
            let parent = units.choose(&mut dice).expect("one").clone();
            let kind = match parent.kind.key() {
                "central" => level("province"),
                "province" => level("commune"),
                _ => level("branch"),
            };
            if parent.kind != level("branch") {
                units.push(
                    registry.unit(Some(&parent), kind, &format!("{count:02}"), &format!("Đơn vị {count}")).expect("a code"),
                );
            }
        }
        registry.save().await.expect("saves");
        let officer = viewer(&root, vec![Grant { role: Role::ChiefEditor, path: root.path.clone() }]);
        let editor = Viewer { member: "01ARZ3NDEKTSV4RRFFQ69G5FAA".parse().expect("an id"), ..officer.clone() };
        let issuers: Vec<_> = units.iter().filter(|unit| unit.kind.issues_documents()).collect();
        let mut documents = Vec::new();
        for _ in 0..30 {
            let issuer = *issuers.choose(&mut dice).expect("one");
            let below: Vec<_> = units.iter().filter(|unit| issuer.path.contains(&unit.path)).collect();
            let audience = below.choose(&mut dice).expect("itself at least");
            let id = published(&backend, &editor, issuer, audience, ["", "Văn bản chung", "Nội dung chung."]).await;
            documents.push(id);
            match dice.random_range(0..6) {
                0 => backend.documents().withdraw(&officer, id, "Sai số liệu.").await.expect("is withdrawn"),
                1 => {
                    draft(&backend, &editor, issuer, audience, ["", "Văn bản chung", "Nội dung."]).await;
                }
                _ => {}
            }
            if dice.random_range(0..4) == 0 {
                catch_up(&backend).await;
            }
        }
        catch_up(&backend).await;
        check_readers(&backend, &mut dice, &documents, seed).await;

        let officer = viewer(&root, vec![Grant { role: Role::Registrar, path: root.path.clone() }]);
        let communes: Vec<_> = units.iter().filter(|unit| unit.kind == level("commune")).collect();
        let provinces: Vec<_> = units.iter().filter(|unit| unit.kind == level("province")).collect();
        for (at, commune) in communes.iter().enumerate().take(3) {
            let target = provinces.choose(&mut dice).expect("one");
            // A move to its current place is rejected.
            let _ = move_below(&backend, &officer, commune.id, target.id, &format!("9{at}")).await;
        }
        check_readers(&backend, &mut dice, &documents, seed).await;
    }
}

fn viewer(branch: &UnitRef, grants: Vec<Grant>) -> Viewer {
    Viewer {
        member: "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().expect("an id"),
        name: "Người đọc".to_owned(),
        branch: branch.clone(),
        standpoint: Standpoint { branch: branch.path.clone(), standing: Standing::Official, grants },
        offices: Vec::new(),
        resting: Vec::new(),
    }
}

async fn check_readers(backend: &Backend, dice: &mut StdRng, documents: &[DocumentId], seed: u64) {
    let units: Vec<UnitRef> = backend.units().tree().all().cloned().collect();
    for _ in 0..8 {
        let branch = units.choose(dice).expect("one");
        let grants = (0..dice.random_range(0..3))
            .map(|_| Grant { role: *Role::ALL.choose(dice).expect("one"), path: units.choose(dice).expect("one").path.clone() })
            .collect();
        let reader = viewer(branch, grants);
        let query = SearchQuery { typed: "văn bản chung".to_owned(), ..SearchQuery::default() };
        let found: BTreeSet<_> = find_all(backend, &reader, query).await.into_iter().collect();
        let mut readable = BTreeSet::new();
        for id in documents {
            match backend.documents().read(&reader, *id).await {
                Ok(page) => {
                    readable.insert(page.summary.id);
                }
                Err(Error::NotFound) => {}
                Err(error) => panic!("{error}"),
            }
        }
        // Editors may still open a withdrawn document; nobody finds it.
        let withdrawn = withdrawn(backend, &units, documents).await;
        let expected: BTreeSet<_> = readable.difference(&withdrawn).copied().collect();
        assert_eq!(found, expected, "seed {seed}, {:?}", reader.standpoint);
    }
}

fn reader_with_desk(units: &[UnitRef]) -> Viewer {
    let root = &units[0];
    viewer(root, vec![Grant { role: Role::ChiefEditor, path: root.path.clone() }])
}

async fn withdrawn(backend: &Backend, units: &[UnitRef], documents: &[DocumentId]) -> BTreeSet<DocumentId> {
    let chief = reader_with_desk(units);
    let mut withdrawn = BTreeSet::new();
    for id in documents {
        let draft = backend.documents().draft(&chief, *id).await.expect("is known").draft;
        if draft.status.state() == Some(DocumentState::Withdrawn) {
            withdrawn.insert(*id);
        }
    }
    withdrawn
}

/// Queries judged by hand; the file explains them.
const QUERIES: &str = include_str!("../search_queries.txt");
const MEETING_QUERIES: &str = include_str!("../meeting_queries.txt");

/// A query, the section of the file it is in, and its result.
struct Judged<'q> {
    typed: &'q str,
    part: &'q str,
    /// The rank of the expected document.
    place: Option<usize>,
    page: SearchPage,
}

impl Judged<'_> {
    fn is_exact(&self) -> bool {
        self.part.starts_with("exact")
    }

    fn is_mistyped(&self) -> bool {
        ["slips", "remnants", "one letter wrong"].iter().any(|part| self.part.starts_with(part))
    }

    fn is_among(&self, count: usize) -> bool {
        self.place.is_some_and(|place| place < count)
    }
}

/// Runs the queries of the file and looks up the rank of the expected document.
async fn judge<'q>(backend: &Backend, reader: &Viewer, queries: &'q str) -> Vec<Judged<'q>> {
    let (mut judged, mut part) = (Vec::new(), "");
    for line in queries.lines().filter(|line| !line.is_empty()) {
        let Some((typed, meant)) = line.split_once(" → ") else {
            part = line.trim_start_matches(['#', ' ']);
            continue;
        };
        let what = part.split(' ').next().and_then(SearchKind::from_key);
        let query = SearchQuery { typed: typed.to_owned(), what, ..SearchQuery::default() };
        let page = backend.search().find(reader, &query).await.expect("answers");
        let place = page.hits.iter().position(|hit| {
            let number = hit.item.document().and_then(|document| document.number.as_deref());
            meant.split(" | ").any(|meant| number == Some(meant) || hit.item.title().starts_with(meant))
        });
        judged.push(Judged { typed, part, place, page });
    }
    judged
}

fn missed(judged: &[Judged<'_>]) -> String {
    let missed = judged.iter().filter(|one| !one.is_among(if one.is_exact() { 1 } else { 3 }));
    let missed = missed.map(|Judged { typed, part, place, page }| {
        let shown: Vec<_> = page.hits.iter().take(3).map(|hit| hit.item.title().to_owned()).collect();
        format!("[{part}] {typed}: {place:?} of {} ({:?}, {:?}) instead {shown:#?}", page.total, page.closeness, page.instead)
    });
    missed.collect::<Vec<_>>().join("\n")
}

/// Runs on the whole sample, whose test calls this: loading it is expensive.
pub(crate) async fn typed_queries_find_the_expected_documents(backend: &Backend, others: usize) {
    backend.search().catch_up().await.expect("makes the index");
    assert_eq!(backend.search().size().await.expect("counts"), 80 + others);
    let root = backend.units().tree().all().next().expect("a root").clone();
    let chief = Grant { role: Role::ChiefEditor, path: root.path.clone() };
    let secretary = Grant { role: Role::Secretary, path: root.path.clone() };
    // People who also find meetings find documents no worse.
    for grants in [vec![chief.clone()], vec![chief.clone(), secretary.clone()]] {
        documents_are_found(&judge(backend, &viewer(&root, grants), QUERIES).await);
    }
    meetings_are_found(&judge(backend, &viewer(&root, vec![chief, secretary]), MEETING_QUERIES).await);
    a_query_is_corrected_to_the_words_of_the_library(backend, &reader_with_desk(&[root])).await;
}

fn meetings_are_found(judged: &[Judged<'_>]) {
    let count = |is: &dyn Fn(&Judged<'_>) -> bool| judged.iter().filter(|one| is(one)).count();
    let (asked, exact) = (judged.len(), count(&|one| one.is_exact()));
    assert!(asked >= 30 && count(&|one| one.typed.is_ascii()) * 2 >= asked, "{asked} queries, half of them without marks");
    let (third, first) = (count(&|one| one.is_among(3)), count(&|one| one.is_exact() && one.is_among(1)));
    println!("{asked} queries of meetings and courses, {third} among the first three; {exact} exact ones, {first} first");
    assert!(third * 100 >= asked * 95, "{third} of {asked}:\n{}", missed(judged));
    assert!(first * 100 >= exact * 98, "{first} of {exact}:\n{}", missed(judged));
}

fn documents_are_found(judged: &[Judged<'_>]) {
    let count = |is: &dyn Fn(&Judged<'_>) -> bool| judged.iter().filter(|one| is(one)).count();
    let (asked, exact) = (judged.len(), count(&|one| one.is_exact()));
    assert!(asked >= 200 && exact >= 50, "{asked} queries, {exact} exact");
    assert!(count(&|one| one.typed.is_ascii()) * 2 >= asked, "half of them without marks");
    assert!(count(&|one| one.is_mistyped()) * 4 >= asked, "a quarter of them with an error");
    let (third, first) = (count(&|one| one.is_among(3)), count(&|one| one.is_exact() && one.is_among(1)));
    println!("{asked} queries, {third} among the first three; {exact} exact ones, {first} first");
    println!("{}", missed(judged));
    assert!(third * 100 >= asked * 97, "{third} of {asked}:\n{}", missed(judged));
    assert!(first * 100 >= exact * 98, "{first} of {exact}:\n{}", missed(judged));
}

/// The suggestion consists of words that occur together, and the highlights are the matches of the corrected query.
async fn a_query_is_corrected_to_the_words_of_the_library(backend: &Backend, reader: &Viewer) {
    for (typed, instead) in [
        ("nghi quet moi truog", "nghị quyết môi trường"),
        ("chog bao lut", "chống bão lũ"),
        ("nghij quyeets moi truong", "nghị quyết môi trường"),
        ("d9ang3 phi1", "đảng phí"),
    ] {
        let page = find(backend, reader, typed).await;
        assert_eq!((page.closeness, page.instead.as_deref()), (Closeness::SimilarWords, Some(instead)), "{typed}");
    }
    let page = find(backend, reader, "danh gia dang vien").await;
    let marks = |hit: &SearchHit| -> Vec<String> {
        hit.title.iter().chain(&hit.excerpt).filter(|piece| piece.found).map(|piece| piece.text.to_lowercase()).collect()
    };
    for hit in &page.hits[..3] {
        assert!(marks(hit).iter().any(|mark| mark == "đánh giá đảng viên"), "{:?}", hit.item.title());
    }
    for (typed, spellings) in [
        ("danh gia dang vien", &["đánh", "giá", "đảng", "viên"][..]),
        ("môi trường biển", &["môi", "trường", "biển"][..]),
        ("moi truong bien", &["môi", "trường", "biển"][..]),
    ] {
        for hit in &find(backend, reader, typed).await.hits[..3] {
            for word in marks(hit).iter().flat_map(|mark| mark.split(' ')) {
                assert!(spellings.contains(&word), "{typed} marks {word} in {:?}", hit.item.title());
            }
        }
    }
}
