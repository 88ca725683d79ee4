//! The program is killed repeatedly by SIGKILL while it starts, accepts forms and runs its jobs: each effect happens once.
//!
//! `HANDBOOK_KILL_ROUNDS` and `HANDBOOK_KILL_SEED` choose how often and when. In each round the clock of the program is set
//! further ahead of the machine's (`--clock-ahead`, of the dev profile), so that what is scheduled becomes due without a wait.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use ::app::account::notice_words;
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use backend::{
    Backend, Clock,
    audit::AuditQuery,
    demo::registry::{NewMember, Registry},
    documents::{DraftForm, PublishForm, SubmitForm},
    jobs::{JobKind, JobState},
    sms::Sms,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use domain::{
    accounts::{AccountNotice, Password, Preferences},
    audit::AuditGroup,
    events::EventKind,
    ids::{DocumentId, MemberId},
    members::{NationalId, PhoneNumber, Sex, Standing},
};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    sync::watch,
    time::{sleep, timeout},
};

use crate::{
    browser::Browser,
    organisation::{Fixture, PASSWORD, PATIENCE, Person, on_disk, reopened, start},
    program::{ask_to_stop, complaint, handbook},
};

const ROUNDS: u64 = 6;
const SEED: u64 = 20_261_201;

/// How far the program's clock moves ahead from one round to the next. A code expires after ten minutes,
/// and is expected by the third round after its own: see [`ON_THE_WAY`].
const STEP: TimeDelta = TimeDelta::minutes(2);

/// Most consecutive rounds in which the messages of earlier ones are not waited for.
const ON_THE_WAY: usize = 2;

/// The offset of the organisation's time zone from UTC.
const ZONE: TimeDelta = TimeDelta::hours(7);

/// A setting of this test.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

/// The time of publication of a round's document. The program's clock shows this, or a little more, when the round begins.
fn time_of(round: usize) -> DateTime<Utc> {
    start() + TimeDelta::hours(1) + STEP * i32::try_from(round).expect("a small number")
}

/// Random decisions, reproducible by a seed.
struct Dice(Clock);

impl Dice {
    fn below(&self, count: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes) % count
    }

    fn millis_below(&self, count: u64) -> Duration {
        Duration::from_millis(self.below(count))
    }
}

/// When the program is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// This long after its process started.
    Starting(Duration),
    /// This long after it printed its address, while it resumes the work of the previous round.
    Recovering(Duration),
    /// This long after two forms were sent.
    Working(Duration),
    /// When the gateway has received this many messages after that, and has answered them or is about to.
    Sent(usize),
    /// The same when the gateway has answered none of them.
    Sending(usize),
}

impl Moment {
    /// `must_work` requires one at which forms were sent.
    fn rolled(dice: &Dice, must_work: bool) -> Self {
        let kind = if must_work { 2 + dice.below(3) } else { dice.below(5) };
        let messages = if dice.below(2) == 0 { 1 } else { 2 };
        match kind {
            0 => Self::Starting(dice.millis_below(1_500)),
            1 => Self::Recovering(dice.millis_below(400)),
            2 => Self::Working(dice.millis_below(700)),
            3 => Self::Sent(messages),
            _ => Self::Sending(messages),
        }
    }

    /// Waits for the moment, from the time it is counted from. `before`: messages the gateway had received by then.
    async fn comes(self, gateway: &Gateway, before: usize) {
        match self {
            Self::Starting(after) | Self::Recovering(after) | Self::Working(after) => sleep(after).await,
            Self::Sent(messages) | Self::Sending(messages) => {
                gateway.until("no message comes", |taken| taken.len() >= before + messages).await;
            }
        }
    }
}

/// A message that the gateway received, once for each request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Message {
    /// The header `Idempotency-Key`; empty if there was none.
    #[serde(skip)]
    key: String,
    to: String,
    text: String,
}

impl Message {
    /// Whether it announces a code on paper, and is not a code itself.
    fn is_notice(&self) -> bool {
        self.text == notice_words(Preferences::default().locale, AccountNotice::CodeIssued)
    }
}

struct Gateway {
    url: String,
    desk: Arc<Desk>,
}

struct Desk {
    taken: watch::Sender<Vec<Message>>,
    /// Whether responses are held back.
    is_held: watch::Sender<bool>,
}

impl Gateway {
    async fn start() -> Self {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("listens");
        let url = format!("http://{}/send", listener.local_addr().expect("an address"));
        let desk = Arc::new(Desk { taken: watch::Sender::new(Vec::new()), is_held: watch::Sender::new(false) });
        let router = Router::new().route("/send", post(take)).with_state(Arc::clone(&desk));
        tokio::spawn(async move {
            axum::serve(listener, router).await.expect("serves");
        });
        Self { url, desk }
    }

    fn taken(&self) -> Vec<Message> {
        self.desk.taken.borrow().clone()
    }

    fn hold(&self, is_held: bool) {
        self.desk.is_held.send_replace(is_held);
    }

    /// Waits until the received messages satisfy `fits`; `missing` is the error message on a timeout.
    async fn until(&self, missing: &str, fits: impl Fn(&[Message]) -> bool) {
        let mut taken = self.desk.taken.subscribe();
        let fitting = timeout(PATIENCE, taken.wait_for(|taken| fits(taken))).await;
        assert!(fitting.is_ok_and(|fitting| fitting.is_ok()), "{missing}");
    }
}

async fn take(State(desk): State<Arc<Desk>>, headers: HeaderMap, Json(message): Json<Message>) -> StatusCode {
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).unwrap_or_default().to_owned();
    desk.taken.send_modify(|taken| taken.push(Message { key, ..message }));
    // The sender exists as long as this request.
    let _ = desk.is_held.subscribe().wait_for(|is_held| !*is_held).await;
    StatusCode::ACCEPTED
}

/// The program in a child process, which is killed when this is dropped.
struct Program {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Program {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("starts");
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, out }
    }

    /// Its address, once it prints it; none if it ended before.
    fn address(&mut self) -> Option<SocketAddr> {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("a line");
        line.trim().strip_prefix("The handbook is at http://")?.parse().ok()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A member of the harbour for one round, who is sent a code and notified of another one.
struct Recipient {
    id: MemberId,
    national_id: String,
    /// As sent to the gateway.
    phone: String,
}

/// The effect of one form: one message.
#[derive(Debug)]
struct Order {
    to: String,
    is_notice: bool,
    /// Whether the program answered that it has stored it. If it was killed meanwhile, the message may exist or not.
    is_accepted: bool,
}

impl Order {
    /// The keys of the messages it caused.
    fn keys<'m>(&self, taken: &'m [Message]) -> BTreeSet<&'m str> {
        let ours = taken.iter().filter(|message| message.to == self.to && message.is_notice() == self.is_notice);
        ours.map(|message| message.key.as_str()).collect()
    }
}

async fn signed_in(address: SocketAddr, person: &Person) -> Browser {
    let mut browser = Browser::new(address);
    let form = [("national_id", person.national_id.as_str()), ("password", PASSWORD), ("next", "/")];
    let answer = browser.post("/api/account/sign_in", "/sign-in", &form).await;
    assert_eq!((answer.status, answer.location()), (302, Some("/")), "{} signs in", person.name);
    browser
}

/// Sends a form that redirects to `to`. False if the program died before it answered.
async fn is_accepted(browser: &Browser, path: &str, from: &str, form: (&str, &str), to: &str) -> bool {
    let request = browser.request("POST", path).header("accept", "text/html,*/*;q=0.8");
    let request = request.header("referer", browser.url(from)).header("sec-fetch-site", "same-origin");
    let Ok(answer) = request.form(&[form]).send().await else { return false };
    let location = answer.headers().get("location").and_then(|location| location.to_str().ok());
    assert_eq!((answer.status().as_u16(), location), (302, Some(to)), "{path}");
    true
}

/// Two forms that cause a message each, ready to be sent.
struct Forms<'r> {
    recipient: &'r Recipient,
    visitor: Browser,
    secretary: Browser,
}

impl<'r> Forms<'r> {
    async fn ready(address: SocketAddr, recipient: &'r Recipient, secretary: &Person) -> Self {
        let mut visitor = Browser::new(address);
        let begun = visitor.post("/api/account/welcome", "/welcome", &[("national_id", recipient.national_id.as_str())]).await;
        assert_eq!((begun.status, begun.location()), (302, Some("/welcome/way")), "an activation begins");
        Self { recipient, visitor, secretary: signed_in(address, secretary).await }
    }

    /// Sends both at once.
    async fn send(&self) -> [Order; 2] {
        let member = self.recipient.id.to_string();
        let from = format!("/members/{member}/code");
        let code = is_accepted(&self.visitor, "/api/account/way", "/welcome/way", ("way", "sms"), "/welcome/code?way=sms");
        let notice = is_accepted(&self.secretary, "/api/account/issue_code", &from, ("member", &member), "/codes/sheet");
        let (code, notice) = tokio::join!(code, notice);
        [(false, code), (true, notice)].map(|(is_notice, is_accepted)| Order {
            to: self.recipient.phone.clone(),
            is_notice,
            is_accepted,
        })
    }
}

/// The state and results of one run of the test.
struct Trial {
    data: TempDir,
    clock: Clock,
    org: Box<Fixture>,
    recipients: Vec<Recipient>,
    /// With their titles, in the order of the rounds.
    documents: Vec<(DocumentId, String)>,
    gateway: Gateway,
    dice: Dice,
    /// How far the program's clock is ahead of the machine's in the first round.
    ahead: TimeDelta,
    orders: Vec<Order>,
    /// Rounds since the messages were last waited for.
    on_the_way: usize,
}

impl Trial {
    async fn begin(rounds: u64, seed: u64) -> Self {
        let (backend, clock, data) = on_disk().await;
        let org = Box::new(Fixture::insert(&backend).await);
        let recipients = register(&backend, &org, rounds).await;
        let mut documents = Vec::new();
        for round in 0..recipients.len() {
            let title = format!("Nghị quyết về bến số {round}");
            documents.push((schedule(&backend, &org, &title, time_of(round)).await, title));
        }
        drop(backend);
        let (gateway, dice) = (Gateway::start().await, Dice(Clock::fixed(start(), seed)));
        let ahead = time_of(0) - Utc::now() + TimeDelta::seconds(1);
        let (orders, on_the_way) = (Vec::new(), 0);
        let trial = Self { data, clock, org, recipients, documents, gateway, dice, ahead, orders, on_the_way };
        // The engine of this process releases the folder a moment after its last handle is dropped.
        let opened = async {
            while trial.start(0).address().is_none() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, opened).await.expect("the folder is free");
        trial
    }

    /// A command of the program, with the data and the clock of a round.
    fn command(&self, round: usize, arguments: &[&str]) -> Command {
        let ahead = self.ahead + STEP * i32::try_from(round).expect("a small number");
        let mut command = handbook(arguments);
        command.arg(format!("--clock-ahead={}", ahead.num_seconds())).arg("--data").arg(self.data.path());
        // The key of the fixture.
        command.args(["--log-filter", "warn"]).env("HANDBOOK_SECRET", BASE64_STANDARD.encode([7_u8; 32]));
        command
    }

    fn start(&self, round: usize) -> Program {
        Program::start(self.command(round, &["serve", "--addr", "127.0.0.1:0", "--sms-url", &self.gateway.url]))
    }

    /// Waits until the gateway has every message that the program acknowledged.
    async fn settle(&mut self) {
        let orders = &self.orders;
        let all_came = |taken: &[Message]| orders.iter().all(|order| !order.is_accepted || !order.keys(taken).is_empty());
        self.gateway.until("a message that was promised does not come", all_came).await;
        self.on_the_way = 0;
    }

    /// Starts the program, and kills it at a moment that the seed selects. It resumes the work of earlier rounds and, at some of
    /// these moments, accepts two new forms.
    async fn kill_in(&mut self, round: usize) {
        let moment = Moment::rolled(&self.dice, self.on_the_way == ON_THE_WAY);
        println!("round {round}: {moment:?}");
        let mut program = self.start(round);
        if let Moment::Starting(after) = moment {
            self.on_the_way += 1;
            return sleep(after).await;
        }
        let address = program.address().expect("it starts after a kill");
        if let Moment::Recovering(after) = moment {
            self.on_the_way += 1;
            return sleep(after).await;
        }
        self.settle().await;
        let forms = Forms::ready(address, &self.recipients[round], &self.org.secretary).await;
        let before = self.gateway.taken().len();
        self.gateway.hold(matches!(moment, Moment::Sending(_)));
        let killed = async {
            moment.comes(&self.gateway, before).await;
            drop(program);
        };
        let (orders, ()) = tokio::join!(forms.send(), killed);
        self.gateway.hold(false);
        self.orders.extend(orders);
    }

    /// Lets the program finish its work, and stops it as a service manager does.
    async fn finish(&mut self) {
        let mut program = self.start(self.recipients.len());
        let address = program.address().expect("it starts after the last kill");
        self.settle().await;
        let mut reader = signed_in(address, &self.org.fisherman).await;
        for (id, title) in &self.documents {
            let page = format!("/library/{id}");
            let out = async {
                while reader.get(&page).await.status != 200 {
                    sleep(Duration::from_millis(20)).await;
                }
            };
            assert!(timeout(PATIENCE, out).await.is_ok(), "{title} is not published");
        }
        ask_to_stop(&program.child);
        assert_eq!(program.child.wait().expect("ends").code(), Some(0));
    }

    /// The checks that an operator runs after a crash report nothing.
    fn checks_succeed(&self) {
        for what in ["audit", "counters"] {
            let output = self.command(self.recipients.len(), &["check", what]).output().expect("runs");
            let told = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{what}: {told}{}", complaint(&output));
        }
    }

    /// The store after all work that was left when the program stopped has been done.
    async fn at_rest(&self) -> Backend {
        self.clock.advance(TimeDelta::days(1));
        let backend = reopened(self.data.path(), &self.clock).await;
        backend.send_messages_by(Sms::gateway(&self.gateway.url, None).expect("an address"));
        backend.word_notices_by(notice_words);
        backend.run_due_jobs().await.expect("runs");
        backend
    }

    /// Titles of the published documents, once for each publication.
    async fn published(&self, backend: &Backend) -> Vec<String> {
        let mut titles = Vec::new();
        let mut query = AuditQuery { group: Some(AuditGroup::Documents), ..AuditQuery::default() };
        loop {
            let page = backend.audit().page(&self.org.coast_registrar.viewer, query).await.expect("a page");
            let published = page.entries.into_iter().filter(|entry| entry.kind == EventKind::DocumentPublished);
            titles.extend(published.filter_map(|entry| entry.subject));
            let Some(next) = page.next else { return titles };
            query.before = Some(next);
        }
    }

    /// Each message was requested, and a gateway that deduplicates by key has delivered it once.
    fn messages_are_delivered_once(&self) {
        let taken = self.gateway.taken();
        let mut by_key: BTreeMap<&str, &Message> = BTreeMap::new();
        for message in &taken {
            assert!(!message.key.is_empty(), "a message without a key: {message:?}");
            let first = by_key.entry(&message.key).or_insert(message);
            assert_eq!(*first, message, "two messages with one key");
        }
        let mut delivered = 0;
        for order in &self.orders {
            let keys = order.keys(&taken).len();
            assert!(keys == 1 || (keys == 0 && !order.is_accepted), "{order:?} was delivered {keys} times");
            delivered += keys;
        }
        assert_eq!(by_key.len(), delivered, "messages that nobody asked for: {taken:?}");
        println!("{delivered} messages, sent {} times", taken.len());
        assert!(delivered > 0, "the gateway has seen nothing");
    }
}

/// Members with an account and a phone, one for each round.
async fn register(backend: &Backend, org: &Fixture, rounds: u64) -> Vec<Recipient> {
    let since = start() - TimeDelta::days(2);
    let mut registry = Registry::new(backend, 2, since);
    let hash = registry.hash(&Password::parse(PASSWORD).expect("long enough")).await.expect("hashes");
    let born = NaiveDate::from_ymd_opt(1952, 4, 30).expect("a day");
    let mut recipients = Vec::new();
    for number in 1..=rounds {
        let national_id = NationalId::parse(&format!("952{number:09}")).expect("twelve digits");
        let phone = PhoneNumber::parse(&format!("09{number:08}")).expect("ten digits");
        let member = NewMember {
            code: &format!("{number:08}"),
            full_name: "Trần Thị Lựu",
            sex: Sex::Female,
            // People with the same name and birth date would be duplicates.
            birth_date: born + Days::new(number),
            admitted_on: NaiveDate::from_ymd_opt(1975, 4, 30).expect("a day"),
            standing: Standing::Official,
            national_id: &national_id,
            phone: Some(&phone),
            unit: &org.harbour,
        };
        let id = registry.member(&member).expect("registers");
        registry.account(id, &org.harbour, since, &hash, Preferences::default());
        let phone = format!("+84{}", &phone.expose()[1..]);
        recipients.push(Recipient { id, national_id: national_id.expose().to_owned(), phone });
    }
    registry.save().await.expect("saves");
    recipients
}

/// A document of the coast for the harbour that is published at `at`.
async fn schedule(backend: &Backend, org: &Fixture, title: &str, at: DateTime<Utc>) -> DocumentId {
    let (documents, editor, chief) = (backend.documents(), &org.coast_editor.viewer, &org.province_chief_editor.viewer);
    let id = DocumentId::new(backend.clock().ulid());
    let (key, coast, harbour) = (id.to_string(), org.coast.id.to_string(), org.harbour.id.to_string());
    let form = DraftForm {
        id: &key,
        version: "0",
        kind: "resolution",
        title,
        issuer: &coast,
        audience: &harbour,
        body: "Mọi tàu có chỗ neo đậu an toàn.",
        ..DraftForm::default()
    };
    documents.save_draft(editor, form).await.expect("saves");
    let form = SubmitForm { id: &key, version: "1", reviewer: "", colleague: "", commenter: "", due: "", note: "", warned: "" };
    documents.submit(editor, form).await.expect("is sent");
    let review = documents.draft(chief, id).await.expect("is on the desk").review.unwrap_or_default();
    let at = (at + ZONE).format("%Y-%m-%dT%H:%M").to_string();
    let form = PublishForm { id: &key, version: "1", review: &review, when: "later", at: &at, again: "" };
    documents.publish(chief, form).await.expect("is scheduled");
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_effect_comes_once_however_often_the_program_is_killed() {
    let (rounds, seed) = (setting("HANDBOOK_KILL_ROUNDS", ROUNDS), setting("HANDBOOK_KILL_SEED", SEED));
    // Printed when the test fails, wherever it does.
    println!("HANDBOOK_KILL_SEED={seed} HANDBOOK_KILL_ROUNDS={rounds}");
    let mut trial = Box::pin(Trial::begin(rounds, seed)).await;
    for round in 0..trial.recipients.len() {
        trial.kill_in(round).await;
    }
    trial.finish().await;
    trial.checks_succeed();

    let backend = trial.at_rest().await;
    let jobs = backend.jobs().list().await.expect("lists");
    let runs_once = |kind: Option<JobKind>| matches!(kind, Some(JobKind::SendSms | JobKind::NotifyOwner));
    assert!(jobs.iter().all(|job| job.state == JobState::Waiting && !runs_once(job.kind)), "only periodic ones: {jobs:?}");
    let mut titles = trial.published(&backend).await;
    let mut expected: Vec<String> = trial.documents.iter().map(|(_, title)| title.clone()).collect();
    titles.sort();
    expected.sort();
    assert_eq!(titles, expected, "each was published once");
    let report = backend.audit().verify().await.expect("reads the log");
    assert!(report.is_whole() && report.events > 0, "{report:?}");
    trial.messages_are_delivered_once();
}
