//! User content is text on every page, whatever it contains.

use std::collections::{BTreeMap, BTreeSet};

use backend::{
    demo::registry::{NewItem, NewMeeting, Registry},
    documents::RemarkForm,
    members::{CorrectionForm, TransferForm},
};
use chrono::TimeDelta;
use domain::meetings::{MeetingForm, MeetingKind, MeetingState};
use server::federation::Settings;

use crate::{
    app::TestApp,
    browser::{Answer, Browser},
    organisation::{self, Fixture, start},
    pages::{NOT_SEEN, Page, Pages, one_of_each},
};

/// Closes every element whose content the framework writes unescaped, and every attribute.
const MARK: &str = "\"'></textarea></style></script></title><b id=pwn>";

/// The same as escaped text.
const ESCAPED: &str = "&lt;b id=pwn&gt;";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_text_of_a_person_becomes_markup_on_any_page() {
    let (backend, _) = organisation::backend().await;
    let org = Fixture::insert_marked(&backend, MARK).await;
    let mut app = TestApp::spawn_on(backend, org, &Settings::default()).await;
    app.mark = MARK;
    write_everything(&app).await;

    let pages = Pages::all();
    let org = &app.org;
    let mut seen = Seen { pages: BTreeMap::new(), masked: BTreeSet::new(), record: org.fisherman.id.to_string() };
    seen.walk(&pages, app.browser(), 0).await;
    for person in one_of_each(org) {
        let digits = if person.id == org.coast_registrar.id { 2 } else { 0 };
        seen.walk(&pages, app.signed_in(person).await, digits).await;
    }
    for below in ["/imports/", "/members/"] {
        assert!(seen.masked.iter().any(|pattern| pattern.starts_with(below)), "no number is masked below {below}");
    }
    let missing: Vec<&String> = pages
        .patterns
        .iter()
        .filter(|pattern| !seen.pages.contains_key(*pattern) && !NOT_SEEN.contains(&pattern.as_str()))
        .collect();
    assert!(missing.is_empty(), "nobody sees {missing:#?}");
    let marked = seen.pages.values().filter(|marked| **marked).count();
    assert!(marked >= 15, "many pages show such a text: {:#?}", seen.pages);
}

/// Writes the mark wherever people can write.
pub(crate) async fn write_everything(app: &TestApp) {
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
    let header = format!("Số thẻ,Họ và tên,Giới tính,Ngày sinh,Ngày vào,CCCD,Mã đơn vị,{quoted}");
    app.import(&format!("{header}\n{quoted},{quoted},Nam,01/02/1980,03/02/2008,95100000001,51/001/01,\n")).await;
    app.reorganisation(&format!("Mã cũ,Mã mới,Tên mới\n{quoted},9,{quoted}\n")).await;
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
        title: &app.marked("Sinh hoạt thường kỳ"),
        starts_at: start() + TimeDelta::days(3),
        venue: &app.marked("Nhà văn hóa"),
        chair: &app.marked("Huỳnh Thị Bến"),
        agenda: vec![NewItem { title: app.marked("Học tập"), minutes: 45, papers: vec![document] }],
    });
    registry.save().await.expect("saves");
}

struct Seen {
    /// The pages that were shown, by pattern, and whether they contained the mark.
    pages: BTreeMap<String, bool>,
    /// Pages that showed the end of a national ID.
    masked: BTreeSet<String>,
    /// The record of a member with a national ID and a phone.
    record: String,
}

impl Seen {
    /// Searches every page for the mark. At most `digits` digits of other people's national IDs may be visible.
    async fn walk(&mut self, pages: &Pages, browser: Browser, digits: usize) {
        let mark = "%22%27%3E%3C/textarea%3E%3C/style%3E%3C/script%3E%3C/title%3E%3Cb%20id=pwn%3E";
        let asking = [
            "/search",
            "/members",
            "/library",
            "/units",
            "/units/became",
            "/reorganisations/queue",
            "/audit",
            "/courses",
            "/desk",
            "/quality",
            "/sign-in",
        ];
        let mut asked =
            asking.map(|page| format!("{page}?q={mark}&kind={mark}&unit={mark}&next=/{mark}&state={mark}&after={mark}")).to_vec();
        asked.push(format!("/members/{}?saved={mark}", self.record));
        asked.extend(["/units/roles", "/imports/new"].map(|page| format!("{page}?find={mark}&unit={mark}&kind={mark}")));
        let look = |page: Page<'_>| {
            let Page { pattern, address, answer } = page;
            assert_text(address, answer);
            for (number, shown) in masks(&answer.body) {
                // A phone has ten digits, of which three may be visible.
                let most = if number.chars().count() == 10 { 3 } else { digits };
                assert!(shown <= most, "{number} is on {address}");
                if shown == 2 {
                    self.masked.insert(pattern.to_owned());
                }
            }
            *self.pages.entry(pattern.to_owned()).or_default() |= answer.body.contains(ESCAPED);
        };
        pages.walk(browser, ("pwn", &asked), look).await;
    }
}

fn assert_text(address: &str, answer: &Answer) {
    assert!(answer.is_whole(), "{address}");
    // In the data for the script it is in a string, where only an end tag of the element could do harm.
    let markup: Vec<&str> =
        answer.body.split("<script").map(|part| part.split_once("</script>").map_or(part, |(_, rest)| rest)).collect();
    assert!(!markup.concat().contains("\"'>"), "an attribute of {address} is ended by a text");
    for raw in ["<b id=pwn", "</textarea></style>"] {
        let around = answer.body.split(raw).next().map_or(0, str::len);
        let from = (0..=around.saturating_sub(200)).rev().find(|at| answer.body.is_char_boundary(*at)).unwrap_or(0);
        let found: String = answer.body[from..].chars().take(400).collect();
        assert!(!answer.body.contains(raw), "{raw} is on {address} as markup: {found}");
    }
}

/// Numbers on a page that are partly hidden, and how many of their digits are visible.
fn masks(body: &str) -> Vec<(String, usize)> {
    let is_part = |c: char| c == '•' || c.is_ascii_digit() || matches!(c, ' ' | '\u{a0}');
    let runs = body.split(|c: char| !is_part(c)).filter(|run| run.contains('•'));
    let numbers = runs.map(|run| run.chars().filter(|c| !c.is_whitespace()).collect::<String>());
    numbers.map(|number| (number.clone(), number.chars().filter(char::is_ascii_digit).count())).collect()
}
