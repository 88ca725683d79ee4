//! The program with an in-memory store of a small organisation, on its own port.

use std::{
    fs,
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use backend::{
    Backend,
    courses::{AssignForm, CourseForm, QuestionForm, RulesForm},
    demo::registry::{NewMeeting, Registry},
    documents::{DraftForm, PublishForm, SubmitForm},
    files::Extractor,
    imports::UploadForm,
    members::MemberForm,
    units::{ReceiveForm, Received},
};
use chrono::TimeDelta;
use domain::{
    accounts::Viewer,
    ids::{CourseId, DocumentId, ImportId, MeetingId, MemberId, OpinionId, ReorganisationId},
    meetings::{MeetingForm, MeetingKind, MeetingState},
    units::UnitRef,
};
use server::{
    federation::Settings,
    startup::{Application, Edge},
};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    browser::Browser,
    organisation::{Fixture, PASSWORD, Person, organisation, start},
};

pub(crate) struct TestApp {
    pub(crate) backend: Backend,
    pub(crate) org: Fixture,
    pub(crate) address: SocketAddr,
    pub(crate) metrics_address: SocketAddr,
    /// Appended to every text that the tests below write.
    pub(crate) mark: &'static str,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<anyhow::Result<()>>>,
    _site: TempDir,
}

impl TestApp {
    pub(crate) async fn spawn() -> Self {
        Self::spawn_with(&Settings::default()).await
    }

    /// With `OpenID` Connect providers.
    pub(crate) async fn spawn_with(federation: &Settings) -> Self {
        let (backend, _, org) = organisation().await;
        Self::spawn_on(backend, org, federation).await
    }

    /// With another organisation.
    pub(crate) async fn spawn_on(backend: Backend, org: Fixture, federation: &Settings) -> Self {
        backend.read_files_by(Extractor::process(env!("CARGO_BIN_EXE_handbook").as_ref()));
        let site = small_site();
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let here = Edge::here(any_port, site.path());
        let edge = Edge { metrics_addr: Some(any_port), federation: federation.clone(), ..here };
        let application = Application::on(backend.clone(), &edge).await.expect("starts");
        let (address, metrics_address) = (application.address(), application.metrics_address().expect("is asked for"));
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(application.run(async move {
            let _ = stopped.await;
        }));
        Self { backend, org, address, metrics_address, mark: "", stop: Some(stop), served: Some(served), _site: site }
    }

    /// Asks the program to stop and waits for its end.
    pub(crate) async fn stop(mut self) {
        self.stop.take().expect("stopped once").send(()).expect("the program runs");
        self.served.take().expect("stopped once").await.expect("does not panic").expect("stops cleanly");
    }

    /// A browser without a session.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.address)
    }

    pub(crate) async fn signed_in(&self, person: &Person) -> Browser {
        let mut browser = self.browser();
        let form = [("national_id", person.national_id.as_str()), ("password", PASSWORD), ("next", "/")];
        let answer = browser.post("/api/account/sign_in", "/sign-in", &form).await;
        assert_eq!((answer.status, answer.location()), (302, Some("/")), "{} signs in: {}", person.name, answer.body);
        browser
    }

    pub(crate) fn marked(&self, text: &str) -> String {
        format!("{text}{}", self.mark)
    }

    /// A stored draft of the coast's editor for `audience`.
    pub(crate) async fn draft(&self, audience: &UnitRef) -> DocumentId {
        let editor = &self.org.coast_editor.viewer;
        let id = DocumentId::new(self.backend.clock().ulid());
        let form = DraftForm {
            id: &id.to_string(),
            version: "0",
            kind: "resolution",
            title: &self.marked("Nghị quyết về neo đậu tàu thuyền"),
            issuer: &self.org.coast.id.to_string(),
            audience: &audience.id.to_string(),
            body: &self.marked("## Mục tiêu\n\nMọi tàu có chỗ neo đậu an toàn."),
            ..DraftForm::default()
        };
        self.backend.documents().save_draft(editor, form).await.expect("saves")
    }

    pub(crate) async fn published(&self, audience: &UnitRef) -> DocumentId {
        let id = self.in_review(audience).await;
        self.publish(id, "1").await;
        id
    }

    async fn publish(&self, id: DocumentId, version: &str) {
        let chief = &self.org.province_chief_editor.viewer;
        let review = self.review(id).await;
        let now = PublishForm { id: &id.to_string(), version, review: &review, when: "now", at: "", again: "" };
        self.backend.documents().publish(chief, now).await.expect("publishes");
    }

    /// Publishes another text of a document of the coast's editor for the harbour.
    pub(crate) async fn correct(&self, id: DocumentId) {
        let (documents, editor) = (self.backend.documents(), &self.org.coast_editor.viewer);
        documents.revise(editor, id).await.expect("begins a correction");
        let version = async || documents.draft(editor, id).await.expect("is on the desk").draft.version.to_string();
        let form = DraftForm {
            id: &id.to_string(),
            version: &version().await,
            kind: "resolution",
            title: "Nghị quyết về neo đậu tàu thuyền",
            issuer: &self.org.coast.id.to_string(),
            audience: &self.org.harbour.id.to_string(),
            body: "Số mới: 0255 3 822 222.",
            correction: "Sửa số điện thoại.",
            ..DraftForm::default()
        };
        documents.save_draft(editor, form).await.expect("saves");
        let version = version().await;
        self.submit(id, &version).await;
        self.publish(id, &version).await;
    }

    /// The current review, as the approval page names it.
    pub(crate) async fn review(&self, id: DocumentId) -> String {
        let page = self.backend.documents().draft(&self.org.province_chief_editor.viewer, id).await;
        page.expect("is on the desk").review.unwrap_or_default()
    }

    /// The same draft, sent to any chief editor.
    pub(crate) async fn in_review(&self, audience: &UnitRef) -> DocumentId {
        let id = self.draft(audience).await;
        self.submit(id, "1").await;
        id
    }

    async fn submit(&self, id: DocumentId, version: &str) {
        let form = SubmitForm {
            id: &id.to_string(),
            version,
            reviewer: "",
            colleague: "",
            commenter: "",
            due: "",
            note: "",
            warned: "",
        };
        self.backend.documents().submit(&self.org.coast_editor.viewer, form).await.expect("is sent");
    }

    /// A meeting in three days.
    pub(crate) async fn meeting(&self, unit: &UnitRef, kind: MeetingKind) -> MeetingId {
        // Ids follow from the seed.
        static SEEDS: AtomicU64 = AtomicU64::new(100);
        let seed = SEEDS.fetch_add(1, Ordering::Relaxed);
        let mut registry = Registry::new(&self.backend, seed, start() - TimeDelta::days(40));
        let id = registry.meeting(&NewMeeting {
            unit,
            kind,
            form: MeetingForm::InPerson,
            state: MeetingState::Announced,
            title: &self.marked("Hội nghị"),
            starts_at: start() + TimeDelta::days(3),
            venue: &self.marked("Hội trường"),
            chair: &self.marked("Trần Quốc Hải"),
            agenda: Vec::new(),
        });
        registry.save().await.expect("saves");
        id
    }

    /// A draft of a course by the coast's editor, with one question and no document.
    pub(crate) async fn course_draft(&self) -> CourseId {
        let (editor, courses) = (&self.org.coast_editor.viewer, self.backend.courses());
        let blank = courses.blank(editor).await.expect("a form").course;
        let (id, issuer) = (blank.id.to_string(), blank.issuer.id.to_string());
        let form = CourseForm {
            id: &id,
            version: "0",
            issuer: &issuer,
            title: &self.marked("Chuyên đề"),
            description: &self.marked(""),
        };
        courses.save(editor, form).await.expect("saves");
        let question = QuestionForm {
            course: &id,
            version: "1",
            number: "",
            text: &self.marked("Mấy ngày?"),
            kind: "single",
            options: &[(1, &self.marked("Một")), (2, &self.marked("Hai"))],
            right: &[2],
            explanation: &self.marked(""),
        };
        courses.save_question(editor, question).await.expect("asks")
    }

    /// The same, assigned to a unit.
    pub(crate) async fn course(&self, audience: &UnitRef) -> CourseId {
        self.given(self.course_draft().await, "2", audience).await
    }

    /// The same, with one attempt for each member.
    pub(crate) async fn course_of_one_try(&self, audience: &UnitRef) -> CourseId {
        let id = self.course_draft().await;
        let course = id.to_string();
        let form = RulesForm { course: &course, version: "2", pass_percent: "80", minutes: "", tries: "1" };
        self.backend.courses().save_rules(&self.org.coast_editor.viewer, form).await.expect("stores the rules");
        self.given(id, "3", audience).await
    }

    async fn given(&self, course: CourseId, version: &str, audience: &UnitRef) -> CourseId {
        let (course, unit, day) = (course.to_string(), audience.id.to_string(), self.backend.clock().today().to_string());
        let form = AssignForm { course: &course, version, unit: &unit, parts: &[], except: &[], standings: &[], due_on: &day };
        self.backend.courses().assign(&self.org.coast_editor.viewer, form).await.expect("is given")
    }

    /// A member passes the quiz with only right answers.
    pub(crate) async fn passed(&self, member: &Viewer, course: CourseId) {
        let courses = self.backend.courses();
        courses.start(member, course).await.expect("begins");
        let quiz = courses.quiz(member, course).await.expect("reads").expect("is open");
        let right = quiz.questions[0].options.iter().position(|option| option.starts_with("Hai")).expect("is asked");
        let ticked = [("0".to_owned(), vec![right.to_string()])].into();
        courses.answer(member, course, quiz.number, &ticked, true).await.expect("hands in");
    }

    /// A file of members, uploaded by the coast's registrar and checked.
    pub(crate) async fn import(&self, content: &str) -> ImportId {
        let unit = self.org.coast.id.to_string();
        let form = UploadForm { kind: "members", unit: &unit, file_name: &format!("danh-sach{}.csv", self.mark) };
        let imports = self.backend.imports();
        let mut upload = imports.receive(&self.org.coast_registrar.viewer, form).await.expect("may import");
        upload.write(content.as_bytes().to_vec()).await.expect("writes");
        let import = upload.finish().await.expect("arrives").import;
        imports.settled(import).await.expect("is looked at");
        import
    }

    /// A reorganisation prepared by the coast's registrar, in effect from today; not confirmed.
    pub(crate) async fn reorganisation(&self, content: &str) -> ReorganisationId {
        let (on, file_name) = (self.backend.clock().today().to_string(), format!("sap-xep{}.csv", self.mark));
        let form = ReceiveForm { on: &on, reorganisation: "", file_name: &file_name };
        let registrar = &self.org.coast_registrar.viewer;
        let mut upload = self.backend.reorganisations().receive(registrar, form).await.expect("may reorganise");
        upload.write(content.as_bytes().to_vec()).await.expect("writes");
        match upload.finish().await.expect("arrives") {
            Received::Accepted(reorganisation) => reorganisation,
            Received::Refused(refusal) => panic!("{refusal:?}"),
        }
    }

    /// An opinion to the author's own branch.
    pub(crate) async fn opinion(&self, author: &Viewer, document: DocumentId) -> OpinionId {
        let id = OpinionId::new(self.backend.clock().ulid());
        let form = backend::feedback::OpinionForm {
            opinion: &id.to_string(),
            document: &document.to_string(),
            audience: "branch",
            text: &self.marked("Cần thêm phao ở cửa lạch."),
        };
        self.backend.feedback().send(author, form).await.expect("sends")
    }

    /// A newly registered member of a branch of the coast, with a unique name.
    pub(crate) async fn member(&self, branch: &UnitRef) -> MemberId {
        let id = self.backend.clock().ulid().to_string();
        let name = format!("Trương Thị {}", &id[16..]);
        let form = MemberForm {
            id: &id,
            version: "0",
            full_name: &name,
            card: &id[10..],
            sex: "female",
            birth_date: "1990-05-19",
            admitted_on: "2020-02-03",
            official_on: "",
            standing: "official",
            national_id: "",
            phone: "",
            unit: &branch.id.to_string(),
        };
        self.backend.members().register(&self.org.coast_registrar.viewer, form).await.expect("registers")
    }
}

fn small_site() -> TempDir {
    let site = tempfile::tempdir().expect("a folder");
    let write = |name: &str, content: &str| {
        let file = site.path().join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("makes");
        fs::write(file, content).expect("writes");
    };
    write("pkg/handbook.0123.css", "body{}");
    write("pkg/handbook.0123.css.br", "compressed before");
    write("favicon.svg", "<svg/>");
    write("icons/192.png", "png");
    write(
        "assets.json",
        r#"{"js":"/pkg/handbook.0123.js","wasm":"/pkg/handbook.0123.wasm","css":"/pkg/handbook.0123.css","build":"1"}"#,
    );
    site
}
