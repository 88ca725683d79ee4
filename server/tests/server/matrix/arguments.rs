//! Creates the objects that a server function is given, and its arguments.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use backend::documents::RemarkForm;
use backend::files::NewUpload;
use backend::members::{CorrectionForm, TransferForm};
use backend::offices::GrantForm;
use backend::units::{BelowQuery, NewUnitForm};
use chrono::{Days, NaiveDate};
use domain::ids::{UnitId, UploadId};

use super::given::Given;
use crate::{app::TestApp, samples::docx};

/// A role can be held once at a time, so each request uses another day.
fn a_day_of_its_own() -> String {
    static DAYS: AtomicU64 = AtomicU64::new(0);
    let first = NaiveDate::from_ymd_opt(2027, 1, 1).expect("a day");
    (first + Days::new(DAYS.fetch_add(1, Ordering::Relaxed))).to_string()
}

impl Given {
    #[expect(clippy::too_many_lines, reason = "a table: an arm for each thing that is asked for")]
    pub(super) async fn arguments(self, app: &TestApp) -> Vec<(&'static str, String)> {
        let org = &app.org;
        let fresh = || app.backend.clock().ulid().to_string();
        match self {
            Self::Nothing => Vec::new(),
            Self::Unread => {
                vec![("document", app.published(&org.harbour).await.to_string()), ("unit", org.harbour.id.to_string())]
            }
            Self::Version => vec![("id", app.draft(&org.harbour).await.to_string()), ("version", "1".to_owned())],
            Self::InReview => {
                let id = app.in_review(&org.harbour).await;
                vec![
                    ("id", id.to_string()),
                    ("version", "1".to_owned()),
                    ("review", app.review(id).await),
                    ("when", "now".to_owned()),
                    ("reason", "Thiếu ngày tháng.".to_owned()),
                    ("text", "Xem lại câu này.".to_owned()),
                ]
            }
            Self::Remark => {
                let id = app.in_review(&org.harbour).await;
                let form = RemarkForm { id: &id.to_string(), text: "Xem lại.", ..RemarkForm::default() };
                let editor = &org.coast_editor.viewer;
                app.backend.documents().remark(editor, form).await.expect("remarks");
                let remarks = app.backend.documents().review(editor, id).await.expect("a page").remarks;
                vec![("id", id.to_string()), ("remark", remarks[0].key.clone()), ("settled", "yes".to_owned())]
            }
            Self::Reasoned => {
                vec![("id", app.published(&org.harbour).await.to_string()), ("reason", "Sai số liệu.".to_owned())]
            }
            Self::Coast => vec![("unit", org.coast.id.to_string())],
            Self::Document(name) => vec![(name, app.published(&org.harbour).await.to_string())],
            Self::OwnList => vec![("list", "unread".to_owned())],
            Self::Place => vec![
                ("id", app.published(&org.harbour).await.to_string()),
                ("heading", "s-muc-tieu".to_owned()),
                ("part", "400".to_owned()),
            ],
            Self::Draft(name) => vec![(name, app.draft(&org.harbour).await.to_string())],
            Self::NewDraft => vec![
                ("id", fresh()),
                ("version", "0".to_owned()),
                ("kind", "news".to_owned()),
                ("number", String::new()),
                ("title", "Tin mới".to_owned()),
                ("issuer", org.coast.id.to_string()),
                ("audience", org.coast.id.to_string()),
                ("body", "Nội dung".to_owned()),
            ],
            Self::Opinion(name) => {
                let document = app.published(&org.harbour).await;
                vec![(name, app.opinion(&org.fisherman.viewer, document).await.to_string())]
            }
            Self::NewOpinion => vec![
                ("opinion", fresh()),
                ("document", app.published(&org.harbour).await.to_string()),
                ("audience", "branch".to_owned()),
                ("text", "Đồng ý.".to_owned()),
            ],
            Self::Answer => {
                let document = app.published(&org.harbour).await;
                let opinion = app.opinion(&org.fisherman.viewer, document).await;
                vec![("opinion", opinion.to_string()), ("text", "Đã ghi nhận.".to_owned())]
            }
            Self::WaitingFile => {
                let (files, editor) = (app.backend.files(), &org.coast_editor.viewer);
                let document = app.draft(&org.harbour).await;
                let mut intake = files.receive(editor, document, "ke-hoach.docx").await.expect("begins");
                intake.write(&docx("MẬT")).await.expect("is taken");
                let arrived = intake.complete(editor).await.expect("arrives");
                assert_eq!(arrived.warnings.len(), 1);
                vec![("file", arrived.attachment.to_string()), ("reason", "Đã được giải mật.".to_owned())]
            }
            Self::Upload => {
                /// A person may have only a few uploads in progress.
                static LAST: Mutex<Option<UploadId>> = Mutex::new(None);
                let (files, editor) = (app.backend.files(), &org.coast_editor.viewer);
                let last = LAST.lock().expect("is whole").take();
                if let Some(last) = last {
                    // Already gone if the previous row deleted it.
                    let _ = files.cancel(editor, last).await;
                }
                let new = NewUpload { document: app.draft(&org.harbour).await, name: "a.pdf", size: 10 };
                let upload = files.begin(editor, new).await.expect("is announced");
                *LAST.lock().expect("is whole") = Some(upload);
                vec![("upload", upload.to_string())]
            }
            Self::Course(name) => vec![(name, app.course(&org.harbour).await.to_string())],
            Self::CourseDraft(name) => vec![(name, app.course_draft().await.to_string())],
            Self::NewCourse => vec![
                ("id", fresh()),
                ("version", "0".to_owned()),
                ("issuer", org.coast.id.to_string()),
                ("title", "Chuyên đề mới".to_owned()),
                ("description", String::new()),
            ],
            Self::CourseDocument => vec![
                ("id", app.course_draft().await.to_string()),
                ("version", "2".to_owned()),
                ("document", app.published(&org.harbour).await.to_string()),
                ("step", "add".to_owned()),
            ],
            Self::NewQuestion => vec![
                ("course", app.course_draft().await.to_string()),
                ("version", "2".to_owned()),
                ("text", "Ai làm?".to_owned()),
                ("kind", "multiple".to_owned()),
                ("options[1]", "Chi bộ".to_owned()),
                ("options[2]", "Chi ủy".to_owned()),
                ("right[]", "2".to_owned()),
            ],
            Self::FirstQuestion => vec![
                ("id", app.course_draft().await.to_string()),
                ("version", "2".to_owned()),
                ("number", "1".to_owned()),
                ("step", "remove".to_owned()),
            ],
            Self::Rules => vec![
                ("course", app.course_draft().await.to_string()),
                ("version", "2".to_owned()),
                ("pass_percent", "80".to_owned()),
                ("minutes", "10".to_owned()),
                ("tries", "3".to_owned()),
            ],
            Self::Assignment => vec![
                ("course", app.course_draft().await.to_string()),
                ("version", "2".to_owned()),
                ("unit", org.harbour.id.to_string()),
                ("due_on", today(app)),
            ],
            Self::Copy => vec![("course", app.course(&org.harbour).await.to_string()), ("copy", fresh())],
            Self::AnotherTry => vec![
                ("course", app.course_of_one_try(&org.harbour).await.to_string()),
                ("unit", org.harbour.id.to_string()),
                ("act", fresh()),
            ],
            Self::OpenTry => {
                let course = app.course(&org.harbour).await;
                app.backend.courses().start(&org.fisherman.viewer, course).await.expect("begins");
                vec![
                    ("course", course.to_string()),
                    ("number", "1".to_owned()),
                    ("step", "hand_in".to_owned()),
                    ("answers[0][]", "1".to_owned()),
                ]
            }
            Self::PassedTry | Self::Passed => {
                let course = app.course(&org.harbour).await;
                app.passed(&org.fisherman.viewer, course).await;
                let mut given = vec![("id", course.to_string())];
                given.extend(matches!(self, Self::PassedTry).then(|| ("number", "1".to_owned())));
                given
            }
            Self::Import(name) => vec![(name, app.import("Số thẻ,Họ tên\n1,A\n").await.to_string())],
            Self::Reorganisation => {
                let file = "Mã cũ,Mã mới,Tên mới\n51/001/01,01,Chi bộ thôn Gành Đá Mới\n";
                vec![("id", app.reorganisation(file).await.to_string()), ("on", today(app))]
            }
            Self::UnknownReassignment => vec![("id", fresh()), ("target", org.school.id.to_string())],
            Self::Harbour => vec![("unit", org.harbour.id.to_string())],
            Self::HarbourCode => vec![("code", org.harbour.path.as_str().trim_matches('/').replace('/', "."))],
            Self::NewOffice => {
                let day = a_day_of_its_own();
                vec![
                    ("unit", org.harbour.id.to_string()),
                    ("card", format!("51.{}", &org.not_activated.national_id[6..])),
                    ("role", "registrar".to_owned()),
                    ("from", day.clone()),
                    ("until", day),
                ]
            }
            Self::Office => {
                let (unit, day) = (org.harbour.id.to_string(), a_day_of_its_own());
                let card = format!("51.{}", &org.not_activated.national_id[6..]);
                let form = GrantForm { unit: &unit, card: &card, role: "registrar", from: &day, until: &day };
                let office = app.backend.offices().grant(&org.coast_registrar.viewer, form).await.expect("gives");
                vec![("office", office.to_string())]
            }
            Self::Guide => vec![("slug", "member".to_owned()), ("language", "bn".to_owned())],
            Self::UnknownSession => vec![("session", fresh())],
            Self::Targets => vec![("unit", org.harbour.id.to_string()), ("step", "move".to_owned())],
            Self::PickFor(purpose) => vec![("purpose", purpose.to_owned())],
            Self::Pick => vec![("purpose", "document".to_owned()), ("within", org.coast.id.to_string())],
            Self::NewUnit => vec![
                ("parent", org.coast.id.to_string()),
                ("kind", "branch".to_owned()),
                ("code", fresh_code(app)),
                ("name", "Chi bộ thôn mới".to_owned()),
                ("on", today(app)),
            ],
            Self::OtherName => {
                let name = format!("Chi bộ {}", fresh_code(app));
                identified(app, org.harbour.id, vec![("name", name), ("on", today(app))]).await
            }
            Self::Phase => {
                let phase = vec![("phase", "live".to_owned()), ("live_from", String::new()), ("contact", String::new())];
                identified(app, org.harbour.id, phase).await
            }
            Self::SamePlace => {
                let place = vec![("target", org.coast.id.to_string()), ("code", "01".to_owned()), ("on", today(app))];
                identified(app, org.harbour.id, place).await
            }
            Self::FreshBranch => {
                let (parent, code, on) = (org.coast.id.to_string(), fresh_code(app), today(app));
                let form = NewUnitForm { parent: &parent, kind: "branch", code: &code, name: "Chi bộ tạm", on: &on };
                let unit = app.backend.unit_desk().create(&org.operator.viewer, form).await.expect("creates");
                identified(app, unit, vec![("target", org.school.id.to_string()), ("on", on.clone())]).await
            }
            Self::NobodyGoes => {
                let branch = vec![("code", fresh_code(app)), ("name", "Chi bộ hai".to_owned()), ("on", today(app))];
                identified(app, org.harbour.id, branch).await
            }
            Self::UnknownMeeting => vec![("id", fresh())],
            Self::Meeting(kind) => vec![("id", app.meeting(&org.coast, kind).await.to_string())],
            Self::Fisherman(name) => vec![(name, org.fisherman.id.to_string())],
            Self::Codes => vec![("unit", org.harbour.id.to_string()), ("members[]", org.fisherman.id.to_string())],
            Self::IssuedCode => {
                let (accounts, secretary) = (app.backend.accounts(), &org.secretary.viewer);
                accounts.issue_paper_code(secretary, org.fisherman.id).await.expect("issues");
                let codes = accounts.member_codes(secretary, org.fisherman.id).await.expect("reads").codes;
                vec![("code", codes[0].id.to_string())]
            }
            Self::Preferences => {
                vec![("locale", "vi".to_owned()), ("text_size", "1".to_owned()), ("theme", "system".to_owned())]
            }
            Self::Member(name) => vec![(name, app.member(&org.harbour).await.to_string())],
            Self::NewMember => member_form(&fresh(), "0", &org.harbour.id.to_string()),
            Self::ChangedMember => {
                let mut form = member_form(&app.member(&org.harbour).await.to_string(), "1", "");
                form.push(("phone", "0912345678".to_owned()));
                form
            }
            Self::Departure => vec![
                ("id", app.member(&org.harbour).await.to_string()),
                ("version", "1".to_owned()),
                ("state", "left".to_owned()),
                ("day", app.backend.clock().today().to_string()),
            ],
            Self::Correction => {
                vec![("field", "phone".to_owned()), ("wanted", "0912345678".to_owned()), ("reason", "Đổi số.".to_owned())]
            }
            Self::AskedCorrection => {
                let form = CorrectionForm { field: "phone", wanted: "0912345678", reason: "Đổi số." };
                let id = app.backend.members().request_correction(&org.fisherman.viewer, form).await.expect("is asked for");
                let note = "Chưa đủ giấy tờ.".to_owned();
                vec![("id", id.to_string()), ("decision", "decline".to_owned()), ("note", note)]
            }
            Self::Transfer => vec![
                ("member", app.member(&org.harbour).await.to_string()),
                ("to", org.farm.id.to_string()),
                ("reason", "Chuyển nơi cư trú.".to_owned()),
            ],
            Self::AskedTransfer => {
                let (member, to) = (app.member(&org.harbour).await.to_string(), org.farm.id.to_string());
                let form = TransferForm { member: &member, to: &to, reason: "Chuyển nơi cư trú." };
                let id = app.backend.members().request_transfer(&org.secretary.viewer, form).await.expect("is asked for");
                vec![("id", id.to_string()), ("decision", "accept".to_owned())]
            }
            Self::TwoMembers => {
                vec![("keep", app.member(&org.harbour).await.to_string()), ("with", app.member(&org.harbour).await.to_string())]
            }
        }
    }
}

/// A unit as its forms identify it, with the version they are based on.
async fn identified(app: &TestApp, unit: UnitId, mut fields: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
    let page = app
        .backend
        .unit_desk()
        .page(&app.org.operator.viewer, &unit.to_string(), None, BelowQuery::default())
        .await
        .expect("a page");
    fields.extend([("unit", unit.to_string()), ("version", page.version.to_string())]);
    fields
}

fn fresh_code(app: &TestApp) -> String {
    app.backend.clock().ulid().to_string()[10..].to_owned()
}

fn today(app: &TestApp) -> String {
    app.backend.clock().today().to_string()
}

/// A valid form of a member; the card number is the end of the id, so it is unique.
fn member_form(id: &str, version: &str, unit: &str) -> Vec<(&'static str, String)> {
    // Hundreds of people with one name and birth date would be duplicates of each other.
    let name = format!("Trương Thị {}", &id[16..]);
    [
        ("id", id),
        ("version", version),
        ("full_name", name.as_str()),
        ("card", &id[10..]),
        ("sex", "female"),
        ("birth_date", "1990-05-19"),
        ("admitted_on", "2020-02-03"),
        ("standing", "official"),
        ("unit", unit),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}
