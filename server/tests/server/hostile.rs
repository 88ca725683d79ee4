//! What people write is text on every page, whatever it looks like.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use app::App;
use backend::{
    demo::registry::{NewItem, NewMeeting, Registry},
    documents::RemarkForm,
    members::{CorrectionForm, TransferForm},
};
use chrono::TimeDelta;
use domain::meetings::{MeetingForm, MeetingKind, MeetingState};
use leptos_axum::generate_route_list;
use server::federation::Settings;

use crate::{
    app::TestApp,
    browser::{Answer, Browser},
    organisation::{self, Fixture, start},
};

/// Ends every element whose content the framework writes as it is, and every attribute.
const MARK: &str = "\"'></textarea></style></script></title><b id=pwn>";

/// As text it looks like this.
const ESCAPED: &str = "&lt;b id=pwn&gt;";

/// Pages that lead elsewhere without a visit, which needs a code.
const NOT_SEEN: [&str; 5] = ["/welcome/way", "/welcome/code", "/welcome/password", "/welcome/later", "/welcome/phone"];

/// An id of nothing.
const NOWHERE: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_text_of_a_person_becomes_markup_on_any_page() {
    let (backend, _) = organisation::backend().await;
    let org = Fixture::insert_marked(&backend, MARK).await;
    let mut app = TestApp::spawn_on(backend, org, &Settings::default()).await;
    app.mark = MARK;
    write_everything(&app).await;

    let patterns: BTreeSet<String> = generate_route_list(App).iter().map(|route| route.path().to_owned()).collect();
    assert!(patterns.len() > 60, "{patterns:?}");
    let mut seen = Seen { patterns, pages: BTreeMap::new(), masked: BTreeSet::new() };
    let org = &app.org;
    let everybody = [
        &org.fisherman,
        &org.secretary,
        &org.coast_secretary,
        &org.coast_editor,
        &org.coast_registrar,
        &org.province_chief_editor,
        &org.province_statistician,
        &org.operator,
    ];
    seen.walk(app.browser(), 0).await;
    for person in everybody {
        let digits = if person.id == org.coast_registrar.id { 2 } else { 0 };
        seen.walk(app.signed_in(person).await, digits).await;
    }
    for below in ["/imports/", "/members/"] {
        assert!(seen.masked.iter().any(|pattern| pattern.starts_with(below)), "no number is masked below {below}");
    }
    let missing: Vec<&String> = seen
        .patterns
        .iter()
        .filter(|pattern| !seen.pages.contains_key(*pattern) && !NOT_SEEN.contains(&pattern.as_str()))
        .collect();
    assert!(missing.is_empty(), "nobody sees {missing:#?}");
    let marked = seen.pages.values().filter(|marked| **marked).count();
    assert!(marked >= 15, "many pages show such a text: {:#?}", seen.pages);
}

/// Writes the mark wherever people can write.
async fn write_everything(app: &TestApp) {
    let (org, backend) = (&app.org, &app.backend);
    let document = app.published(&org.harbour).await;
    app.draft(&org.harbour).await;
    let reviewed = app.in_review(&org.harbour).await;
    let remark = RemarkForm { id: &reviewed.to_string(), quote: "", passage: "", text: &app.marked("Xem lại") };
    backend.documents().remark(&org.province_chief_editor.viewer, remark).await.expect("is said");
    let withdrawn = app.published(&org.harbour).await;
    let chief = &org.province_chief_editor.viewer;
    backend.documents().withdraw(chief, withdrawn, &app.marked("Nhầm")).await.expect("is taken back");
    let course = app.course(&org.harbour).await;
    app.passed(&org.fisherman.viewer, course).await;
    app.course(&org.harbour).await;
    app.course_draft().await;
    app.opinion(&org.fisherman.viewer, document).await;
    let quoted = format!("\"{}\"", MARK.replace('"', "\"\""));
    let header = format!("Số thẻ,Họ và tên,Giới tính,Ngày sinh,Ngày vào Đảng,CCCD,Mã chi bộ,{quoted}");
    app.import(&format!("{header}\n{quoted},{quoted},Nam,01/02/1980,03/02/2008,95100000001,51/001/01,\n")).await;
    let correction = CorrectionForm { field: "phone", wanted: "0912345678", reason: &app.marked("Đổi số.") };
    backend.members().request_correction(&org.fisherman.viewer, correction).await.expect("is asked for");
    let (member, to) = (app.member(&org.harbour).await.to_string(), org.school.id.to_string());
    let transfer = TransferForm { member: &member, to: &to, reason: &app.marked("Chuyển nơi cư trú.") };
    backend.members().request_transfer(&org.secretary.viewer, transfer).await.expect("is asked for");
    let mut registry = Registry::new(backend, 5, start() - TimeDelta::days(40));
    registry.meeting(&NewMeeting {
        unit: &org.harbour,
        kind: MeetingKind::Regular,
        form: MeetingForm::Mixed,
        state: MeetingState::Announced,
        title: &app.marked("Sinh hoạt chi bộ"),
        starts_at: start() + TimeDelta::days(3),
        place: &app.marked("Nhà văn hóa"),
        chair: &app.marked("Huỳnh Thị Bến"),
        agenda: vec![NewItem { title: app.marked("Học tập"), minutes: 45, papers: vec![document] }],
    });
    registry.save().await.expect("saves");
}

struct Seen {
    /// Every page's address, with `{…}` for what differs.
    patterns: BTreeSet<String>,
    /// Those that were shown, and whether the mark stood on them.
    pages: BTreeMap<String, bool>,
    /// Those on which the end of a national ID stood.
    masked: BTreeSet<String>,
}

impl Seen {
    /// Follows every link, to one page of each kind, and asks for the mark where something can be asked for. Of other people's
    /// national IDs no more digits than these may be seen.
    async fn walk(&mut self, mut browser: Browser, digits: usize) {
        let plain = self.patterns.iter().filter(|pattern| !pattern.contains('{')).cloned();
        let mut ahead: VecDeque<String> = plain.collect();
        let asked = "%22%27%3E%3C/textarea%3E%3C/style%3E%3C/script%3E%3C/title%3E%3Cb%20id=pwn%3E";
        for page in ["/search", "/members", "/library", "/units", "/audit", "/courses", "/desk", "/quality", "/sign-in"] {
            ahead.push_back(format!("{page}?q={asked}&kind={asked}&unit={asked}&next=/{asked}&state={asked}&after={asked}"));
        }
        let mut done = BTreeSet::new();
        // What no link leads to comes last, with ids that links had.
        let mut known = BTreeMap::<String, String>::new();
        let mut unlinked: VecDeque<String> = self.patterns.iter().filter(|pattern| pattern.contains('{')).cloned().collect();
        while let Some(address) = ahead.pop_front().or_else(|| unlinked.pop_front().map(|pattern| filled(&pattern, &known))) {
            remember(&address, &mut known);
            let Some(pattern) = self.pattern(&address) else { continue };
            if !done.insert((pattern.clone(), address.contains("pwn"))) {
                continue;
            }
            let answer = browser.get(&address).await;
            assert!(answer.status < 500, "{address}: {}", answer.status);
            // Sent elsewhere.
            if answer.status < 400 && answer.status != 200 {
                continue;
            }
            assert_text(&address, &answer);
            for (number, shown) in masks(&answer.body) {
                // A phone has ten digits, of which three may be seen.
                let most = if number.chars().count() == 10 { 3 } else { digits };
                assert!(shown <= most, "{number} stands on {address}");
                if shown == 2 {
                    self.masked.insert(pattern.clone());
                }
            }
            *self.pages.entry(pattern).or_default() |= answer.body.contains(ESCAPED);
            ahead.extend(links(&answer.body));
        }
    }

    fn pattern(&self, address: &str) -> Option<String> {
        let path = address.split(['?', '#']).next()?;
        let fits = |pattern: &&String| {
            let (mut own, mut asked) = (pattern.split('/'), path.split('/'));
            own.by_ref().zip(asked.by_ref()).all(|(own, asked)| own == asked || own.starts_with('{'))
                && pattern.split('/').count() == path.split('/').count()
        };
        self.patterns.get(path).or_else(|| self.patterns.iter().find(fits)).cloned()
    }
}

/// Keeps each id under the path before it.
fn remember(address: &str, known: &mut BTreeMap<String, String>) {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    for (at, _) in path.match_indices('/') {
        let id = path[at + 1..].split('/').next().unwrap_or_default();
        if id.len() == NOWHERE.len() {
            known.insert(path[..at].to_owned(), id.to_owned());
        }
    }
}

/// An address of this pattern.
fn filled(pattern: &str, known: &BTreeMap<String, String>) -> String {
    let mut address = String::new();
    for part in pattern.split('/').skip(1) {
        let part = match part {
            "{number}" => "1",
            "{list}" => "unread",
            "{slug}" => "member",
            "{kind}" => "not_found",
            part if part.starts_with('{') => known.get(&address).map_or(NOWHERE, String::as_str),
            part => part,
        };
        address = format!("{address}/{part}");
    }
    address
}

fn assert_text(address: &str, answer: &Answer) {
    assert!(answer.is_whole(), "{address}");
    // In the data for the script it stands in a string; there only an end of the element would do harm.
    let markup: Vec<&str> =
        answer.body.split("<script").map(|part| part.split_once("</script>").map_or(part, |(_, rest)| rest)).collect();
    assert!(!markup.concat().contains("\"'>"), "an attribute of {address} is ended by a text");
    for raw in ["<b id=pwn", "</textarea></style>"] {
        let around = answer.body.split(raw).next().map_or(0, str::len);
        let from = (0..=around.saturating_sub(200)).rev().find(|at| answer.body.is_char_boundary(*at)).unwrap_or(0);
        let found: String = answer.body[from..].chars().take(400).collect();
        assert!(!answer.body.contains(raw), "{raw} stands on {address} as markup: {found}");
    }
}

/// Numbers on a page of which a part is hidden, and how many of their digits are not.
fn masks(body: &str) -> Vec<(String, usize)> {
    let is_part = |c: char| c == '•' || c.is_ascii_digit() || matches!(c, ' ' | '\u{a0}');
    let runs = body.split(|c: char| !is_part(c)).filter(|run| run.contains('•'));
    let numbers = runs.map(|run| run.chars().filter(|c| !c.is_whitespace()).collect::<String>());
    numbers.map(|number| (number.clone(), number.chars().filter(char::is_ascii_digit).count())).collect()
}

/// Addresses of this site that a page leads to.
fn links(body: &str) -> Vec<String> {
    let hrefs = body.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    hrefs.filter(|href| href.starts_with('/')).map(|href| href.replace("&amp;", "&")).collect()
}
