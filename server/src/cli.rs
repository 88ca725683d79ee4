//! The command line: reads the settings, starts the runtime, runs the command.

use std::{
    io::{Read, Write},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use app::{terms, text};
use backend::{Backend, Error, accounts::NewAdmin, jobs::JobState};
use domain::{Locale, accounts::codes::grouped, files::FILE_BYTES_MAX, policy::Role, units::UnitKind};
use tokio::{runtime, signal};

use crate::{
    config::{
        self, AdminCommand, AdminRole, AdminSettings, CheckCommand, Command, DemoSettings, ExtractSettings, JobsAction,
        JobsSettings, ServeSettings, StoreSettings,
    },
    imports, sign_ins,
    startup::{Application, open},
    telemetry,
};

/// Stack size in bytes. Queries and pages nest deeply, above all in a debug build.
const STACK: usize = 10 * 1024 * 1024;

/// Time limit for the engine to close its files.
const REST_MAX: Duration = Duration::from_secs(10);

/// Format of times in lists for the operator, in UTC.
const TIME: &str = "%Y-%m-%dT%H:%M:%SZ";

/// Rendering waits for data that other tasks fetch: with fewer threads deadlocks were observed.
const WORKERS_MIN: usize = 4;

pub fn main() -> ExitCode {
    let command = match config::read() {
        Ok(command) => command,
        Err(sentence) => return failed(&sentence),
    };
    let outcome = match command {
        // Without threads or other set-up: the extractor has little memory and no secrets.
        Command::ExtractFile(settings) => extract_file(&settings),
        command => start(command),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&format!("{error:#}")),
    }
}

fn failed(sentence: &str) -> ExitCode {
    // A failure to write to the standard error is ignored.
    let _ = writeln!(std::io::stderr(), "handbook: {sentence}");
    ExitCode::FAILURE
}

fn start(command: Command) -> Result<()> {
    let workers = std::thread::available_parallelism().map_or(WORKERS_MIN, usize::from).max(WORKERS_MIN);
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .thread_stack_size(STACK)
        .enable_all()
        .build()
        .context("cannot start the threads")?;
    // In a task, because only the runtime's worker threads have the deep stack.
    runtime.block_on(async {
        let outcome = tokio::spawn(run(command)).await.context("the program stopped because of an internal error")?;
        engine_at_rest().await;
        outcome
    })
}

/// Waits for the engine's tasks to end: it closes its files in the background after the last handle is dropped.
async fn engine_at_rest() {
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    let at_rest = async {
        while runtime::Handle::current().metrics().num_alive_tasks() > 0 {
            looks.tick().await;
        }
    };
    if tokio::time::timeout(REST_MAX, at_rest).await.is_err() {
        tracing::warn!("the store did not close in time; committed writes are safe");
    }
}

async fn run(command: Command) -> Result<()> {
    match command {
        Command::Serve(settings) => serve(settings).await,
        Command::Demo(settings) => demo(settings).await,
        Command::Admin(AdminCommand::Create(settings)) => create_admin(settings).await,
        Command::Check(CheckCommand::Audit(settings)) => check_audit(settings).await,
        Command::Check(CheckCommand::Counters(settings)) => check_counters(settings).await,
        Command::Jobs(settings) => jobs(settings).await,
        Command::Import(settings) => imports::import(settings).await,
        Command::Config(settings) => print_config(&settings),
        Command::ExtractFile(settings) => extract_file(&settings),
    }
}

/// Reads one file and prints its extract, as [`backend::files::Extractor`] expects. Runs on a thread with a deep stack: files
/// nest.
fn extract_file(settings: &ExtractSettings) -> Result<()> {
    let ExtractSettings { wanted, kind } = *settings;
    let mut content = Vec::new();
    std::io::stdin().lock().take(FILE_BYTES_MAX).read_to_end(&mut content).context("cannot read the file")?;
    // Panics of the readers are not printed; they are reported as an unreadable file.
    std::panic::set_hook(Box::new(|_| ()));
    let reader = std::thread::Builder::new().stack_size(STACK).spawn(move || backend::files::extract(wanted, kind, content));
    let extracted = reader.context("cannot start a thread")?.join().map_err(|_| anyhow!("the file cannot be read"))?;
    print(&serde_json::to_string(&extracted).context("cannot encode the extract of the file")?)
}

/// Prints the settings, and as a comment the levels of the pack, which is checked.
fn print_config(settings: &ServeSettings) -> Result<()> {
    let pack = settings.store.terms.read()?;
    let levels: Vec<&str> = pack.levels().iter().map(|level| level.key).collect();
    print(&format!("{}# Levels of the terminology pack: {}.\n", config::effective(settings), levels.join(", ")))
}

async fn serve(settings: ServeSettings) -> Result<()> {
    telemetry::start(&settings.store)?;
    let application = Application::build(&settings).await?;
    let stop = stop_asked();
    print(&format!("The handbook is at http://{}\n", application.address()))?;
    if let Some(table) = sign_ins::table(application.backend()).await? {
        print(&format!("\nThe sample organisation is loaded. Sign in as one of:\n\n{table}\n"))?;
    }
    application.run(stop).await
}

async fn demo(settings: DemoSettings) -> Result<()> {
    if settings.list {
        return print(&sign_ins::json()?);
    }
    telemetry::start(&settings.store)?;
    // Before the store is created.
    text::use_pack(settings.store.terms.read()?);
    backend::demo::check_levels()?;
    let backend = open(&settings.store).await?;
    let began = std::time::Instant::now();
    let loaded = backend::demo::load(&backend, settings.seed).await?;
    print(&format!(
        "The sample organisation is loaded: {} units, {} members, {} accounts, {} documents, {} meetings, {} opinions, {} reads, in {:.1} s.\n",
        loaded.units,
        loaded.members,
        loaded.accounts,
        loaded.documents,
        loaded.meetings,
        loaded.opinions,
        loaded.reads,
        began.elapsed().as_secs_f32(),
    ))
}

async fn create_admin(settings: AdminSettings) -> Result<()> {
    telemetry::start(&settings.store)?;
    let backend = open(&settings.store).await?;
    let branch = UnitKind::all().find(|level| level.is_home());
    let branch = branch.map(|level| text::with_plain_spaces(terms::short_unit_kind(Locale::Vi, level))).unwrap_or_default();
    let created = backend
        .accounts()
        .create_admin(NewAdmin {
            name: &settings.name,
            national_id: settings.national_id.expose(),
            role: match settings.role {
                AdminRole::Operator => Role::Operator,
                AdminRole::Registrar => Role::Registrar,
            },
            unit: settings.unit.as_deref(),
            level: match &settings.level {
                Some(level) => level.as_str(),
                None => default_level(),
            },
            code: &settings.code,
            card: settings.card.as_deref(),
            branch: &branch,
        })
        .await?;
    let role = match settings.role {
        AdminRole::Operator => "operator",
        AdminRole::Registrar => "registrar",
    };
    let known = if created.was_registered { ", who was in the registry already," } else { "" };
    let mut message = format!("{}{known} is {role} of {} ({}).\n", created.name, created.unit.name, created.unit.path);
    match created.code {
        Some(code) => {
            message += &format!(
                "\nOne-time code for the first sign-in: {}\nIt is good for 30 days and shown only here. \
                 To use it, open /welcome and enter the national ID, then the code.\n",
                grouped(&code)
            );
        }
        None => message += "They sign in as before.\n",
    }
    print(&message)
}

/// The level of a new organisation.
fn default_level() -> &'static str {
    UnitKind::from_key("province").or_else(|| UnitKind::all().next()).map(UnitKind::key).unwrap_or_default()
}

async fn check_audit(settings: StoreSettings) -> Result<()> {
    telemetry::start(&settings)?;
    let backend = open(&settings).await?;
    let began = std::time::Instant::now();
    let report = backend.audit().verify().await?;
    let mut message = format!(
        "{} sealed events in {} links, {} too new to be sealed, checked in {:.1} s.\n",
        report.events,
        report.links,
        report.unsealed,
        began.elapsed().as_secs_f32(),
    );
    for finding in &report.findings {
        message += &format!("- {finding}\n");
    }
    if report.more > 0 {
        message += &format!("- and {} more\n", report.more);
    }
    print(&message)?;
    if report.is_whole() {
        return print("The audit trail is whole.\n");
    }
    if report.has_only_malformed_rows() {
        bail!("the event log has rows under keys that the program does not create; it leaves them out");
    }
    match report.first_broken() {
        Some(link) => bail!("the audit trail was tampered with; the first broken link is {link}"),
        None => bail!("the audit trail was tampered with at its end"),
    }
}

async fn check_counters(settings: StoreSettings) -> Result<()> {
    telemetry::start(&settings)?;
    let backend = open(&settings).await?;
    let different = backend.statistics().recount().await?;
    if different.is_empty() {
        return print("The counters match the tables.\n");
    }
    let units: String = different.iter().map(|path| format!("- {path}\n")).collect();
    print(&units)?;
    bail!("the counters of {} units were wrong and have been recounted", different.len())
}

async fn jobs(settings: JobsSettings) -> Result<()> {
    telemetry::start(&settings.store)?;
    let backend = open(&settings.store).await?;
    if let Some(target) = &settings.target {
        return change_jobs(&backend, settings.action, target).await;
    }
    let mut message = String::new();
    for figures in backend.jobs().figures().await? {
        let (kind, overdue) = (figures.kind.key(), figures.overdue.num_seconds());
        message += &format!(
            "{kind}: {} parked, {} running, {} waiting, the longest due for {overdue} s\n",
            figures.parked, figures.running, figures.waiting
        );
    }
    for job in backend.jobs().list().await? {
        let time = match job.state {
            JobState::Parked => "since",
            JobState::Running => "leased until",
            JobState::Waiting => "due",
        };
        message += &format!(
            "\n{}\n    {} {time} {}, enqueued {}, attempts: {}\n",
            job.id,
            job.state.key(),
            job.due_at.format(TIME),
            job.enqueued_at.format(TIME),
            job.attempts,
        );
        if job.kind.is_none() {
            message += "    of a kind unknown to this version, which does not run it\n";
        }
        if let Some(error) = &job.last_error {
            message += &format!("    last error: {error}\n");
        }
    }
    print(&message)
}

async fn change_jobs(backend: &Backend, action: JobsAction, target: &str) -> Result<()> {
    let (changed, done) = match action {
        JobsAction::List => bail!("`handbook jobs list` lists all jobs; it takes no name"),
        JobsAction::Retry => (backend.jobs().retry(target).await, "due now, as soon as a server runs"),
        JobsAction::Discard => (backend.jobs().discard(target).await, "deleted"),
    };
    match changed {
        Ok(count) => print(&format!("Jobs {done}: {count}.\n")),
        Err(Error::NotFound) if target.contains('/') => {
            bail!("no job {target} in a state that allows this; `handbook jobs` lists them")
        }
        Err(Error::NotFound) => bail!("no job of the kind {target} is parked; `handbook jobs` lists them"),
        Err(error) => Err(error.into()),
    }
}

fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write to the standard output")
}

/// Resolves on Ctrl-C or SIGTERM. Listens from the call on, so that a stop directly after the address is printed is not lost.
fn stop_asked() -> impl Future<Output = ()> + Send + 'static {
    #[cfg(unix)]
    let terminate = signal::unix::signal(signal::unix::SignalKind::terminate());
    async move {
        let interrupted = async {
            if let Err(error) = signal::ctrl_c().await {
                tracing::error!(%error, "cannot listen for Ctrl-C");
                std::future::pending::<()>().await;
            }
        };
        #[cfg(unix)]
        let terminated = async move {
            match terminate {
                Ok(mut terminate) => {
                    terminate.recv().await;
                }
                Err(error) => {
                    tracing::error!(%error, "cannot listen for SIGTERM");
                    std::future::pending::<()>().await;
                }
            }
        };
        #[cfg(not(unix))]
        let terminated = std::future::pending::<()>();
        tokio::select! {
            () = interrupted => {}
            () = terminated => {}
        }
        tracing::info!("stopping: waiting for open requests");
    }
}
