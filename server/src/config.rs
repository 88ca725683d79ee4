//! Settings: flags of the command line, each also a `HANDBOOK_*` variable.
//!
//! A `HANDBOOK_*` variable that is not a setting stops the start, because a misspelt setting would silently have no effect.

use std::{
    collections::BTreeSet,
    env,
    fmt::{self, Write},
    net::SocketAddr,
    path::PathBuf,
    str::FromStr,
};

use backend::{Clock, Keys, StoreLocation, files::Wanted};
#[cfg(debug_assertions)]
use chrono::TimeDelta;
use clap::{
    Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
    error::{ContextKind, ContextValue, ErrorKind},
};
use domain::{Locale, files::FileKind, imports::ImportKind, terms::Terms};
use openidconnect::url::Url;

use crate::{federation::is_protected, proxy::TrustedProxies, terms::PackSource};

/// An electronic member handbook for a large organisation.
#[derive(Debug, Parser)]
#[command(name = "handbook", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the handbook over HTTP.
    Serve(ServeSettings),
    /// Load the sample organisation into an empty store.
    Demo(DemoSettings),
    /// Make somebody the operator or the registrar; in an empty store, the first one.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Check whether the data is as the program left it.
    #[command(subcommand)]
    Check(CheckCommand),
    /// List the background jobs that are parked, running or waiting; `retry` runs a parked or waiting job now, `discard` deletes
    /// a parked one.
    Jobs(JobsSettings),
    /// Import units or members from a CSV or XLSX file, or reorganise units by one or several files. The exit code is 1 if rows
    /// were refused.
    Import(ImportSettings),
    /// Print the settings in effect, secrets masked.
    Config(ServeSettings),
    /// Read the file on the standard input. The program starts itself with this command to isolate the readers of untrusted
    /// files.
    #[command(hide = true)]
    ExtractFile(ExtractSettings),
}

#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Register a person, give them a role, and print a one-time code for the first sign-in. A person who is registered already
    /// is only given the role.
    Create(AdminSettings),
}

#[derive(Debug, Subcommand)]
pub enum CheckCommand {
    /// Check the audit trail: whether any sealed row of the event log was changed, removed or inserted. Exit code 1 if one was.
    Audit(StoreSettings),
    /// Check the figures of the statistics against the tables. Where they differ, they are counted again, and the exit code is 1.
    Counters(StoreSettings),
}

#[derive(Debug, Clone, Args)]
pub struct JobsSettings {
    #[arg(value_enum, default_value_t = JobsAction::List)]
    pub action: JobsAction,
    /// The job to retry or discard, named as in the list; or a kind, for all parked jobs of it.
    #[arg(required_if_eq_any([("action", "retry"), ("action", "discard")]))]
    pub target: Option<String>,
    #[command(flatten)]
    pub store: StoreSettings,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum JobsAction {
    List,
    Retry,
    Discard,
}

#[derive(Debug, Clone, Args)]
pub struct AdminSettings {
    /// Full name, family name first.
    #[arg(long, env = "HANDBOOK_NAME")]
    pub name: String,
    /// National ID, 12 digits. Better given as a variable: other users see the command line.
    #[arg(long, env = "HANDBOOK_NATIONAL_ID", hide_env_values = true)]
    pub national_id: Secret,
    /// Role of the person: an operator runs the system and appoints registrars, a registrar keeps members and units.
    #[arg(long, env = "HANDBOOK_ROLE", value_enum, default_value_t = AdminRole::Operator)]
    pub role: AdminRole,
    /// Name or path of the unit for which the role is held; by default the highest. In an empty store, the name of the
    /// organisation to create.
    #[arg(long, env = "HANDBOOK_UNIT")]
    pub unit: Option<String>,
    /// Level of the organisation to create: a key of the terminology pack; by default `province`, or the highest where there is
    /// none.
    #[arg(long, env = "HANDBOOK_LEVEL")]
    pub level: Option<String>,
    /// Code of the organisation to create.
    #[arg(long, env = "HANDBOOK_CODE", default_value = "01")]
    pub code: String,
    /// Number of the member's card, by which an import recognises the person; generated if not given.
    #[arg(long, env = "HANDBOOK_CARD")]
    pub card: Option<String>,
    #[command(flatten)]
    pub store: StoreSettings,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AdminRole {
    Operator,
    Registrar,
}

#[derive(Debug, Clone, Args)]
pub struct ServeSettings {
    /// Address and port to listen on.
    #[arg(long, env = "HANDBOOK_ADDR", default_value = "127.0.0.1:3000")]
    pub addr: SocketAddr,
    /// Folder with the built pages' assets.
    #[arg(long, env = "HANDBOOK_SITE", default_value = "target/site")]
    pub site: PathBuf,
    /// The address people use, e.g. `https://sotay.example.vn`: printed on sheets of codes and in addresses that are passed on.
    /// By default that of the providers' file, else the listening address.
    #[arg(long, env = "HANDBOOK_ORIGIN", value_parser = origin)]
    pub origin: Option<Url>,
    /// A second address and port, for `/metrics`. Without it there are no metrics.
    #[arg(long, env = "HANDBOOK_METRICS_ADDR")]
    pub metrics_addr: Option<SocketAddr>,
    /// File with the `OpenID` Connect providers for signing in.
    #[arg(long, env = "HANDBOOK_OIDC")]
    pub oidc: Option<PathBuf>,
    /// Address of the gateway for short messages: it receives a POST of `{"to": "+84…", "text": "…"}`. Without it messages are
    /// written as files to the folder `outbox` of the data.
    #[arg(long, env = "HANDBOOK_SMS_URL")]
    pub sms_url: Option<String>,
    /// Bearer token for the gateway. Better given as a variable.
    #[arg(long, env = "HANDBOOK_SMS_TOKEN", hide_env_values = true)]
    pub sms_token: Option<Secret>,
    /// Addresses or ranges of reverse proxies whose `X-Forwarded-For` is trusted, e.g. `127.0.0.1,10.0.0.0/8`.
    #[arg(long, env = "HANDBOOK_TRUSTED_PROXY", default_value = "")]
    pub trusted_proxy: TrustedProxies,
    #[command(flatten)]
    pub store: StoreSettings,
}

#[derive(Debug, Clone, Args)]
pub struct ExtractSettings {
    #[arg(value_parser = |key: &str| Wanted::from_key(key).ok_or("it must be text or preview"))]
    pub wanted: Wanted,
    #[arg(value_parser = |key: &str| FileKind::from_key(key).ok_or("it must be a kind of file"))]
    pub kind: FileKind,
}

#[derive(Debug, Clone, Args)]
pub struct DemoSettings {
    /// Seed of the sample organisation.
    #[arg(long, env = "HANDBOOK_SEED", default_value_t = 1)]
    pub seed: u64,
    /// Only print the sample's sign-ins, as JSON.
    #[arg(long)]
    pub list: bool,
    #[command(flatten)]
    pub store: StoreSettings,
}

#[derive(Debug, Clone, Args)]
pub struct ImportSettings {
    /// Kind of rows in the file.
    #[arg(value_enum)]
    pub kind: ImportedRows,
    /// CSV (comma, semicolon or tab; UTF-8 or Windows-1258) or XLSX, with a header in Vietnamese or English. A reorganisation
    /// takes several.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Only print what an import would do with the rows.
    #[arg(long)]
    pub dry_run: bool,
    /// The day of the data in the file, e.g. 2026-11-21; by default today.
    #[arg(long, env = "HANDBOOK_AS_OF")]
    pub as_of: Option<String>,
    /// The first day of the new organisation, e.g. 2025-07-01; for a reorganisation only.
    #[arg(long, env = "HANDBOOK_ON")]
    pub on: Option<String>,
    /// The unit whose subtree the file may change, as a path of codes, e.g. 01/51/001; by default everything.
    #[arg(long, env = "HANDBOOK_UNIT")]
    pub unit: Option<String>,
    /// Path of the report of refused rows; by default beside the file.
    #[arg(long, env = "HANDBOOK_REPORT")]
    pub report: Option<PathBuf>,
    /// Language of the report: vi, en or bn.
    #[arg(long, env = "HANDBOOK_LANGUAGE", default_value = "vi", value_parser = language)]
    pub language: Locale,
    #[command(flatten)]
    pub store: StoreSettings,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ImportedRows {
    Units,
    Members,
    /// What becomes of old units: they end, are merged, divided, moved, or get another name or code.
    Reorganisation,
}

impl ImportedRows {
    /// The kind of import; `None` for a reorganisation.
    pub const fn kind(self) -> Option<ImportKind> {
        match self {
            Self::Units => Some(ImportKind::Units),
            Self::Members => Some(ImportKind::Members),
            Self::Reorganisation => None,
        }
    }
}

fn origin(text: &str) -> Result<Url, &'static str> {
    const REFUSED: &str = "it must begin with https:// and name a host, nothing more";
    let url = Url::parse(text).map_err(|_| REFUSED)?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if is_protected(&url) && is_bare { Ok(url) } else { Err(REFUSED) }
}

fn language(tag: &str) -> Result<Locale, &'static str> {
    Locale::from_tag(tag).ok_or("it must be vi, en or bn")
}

/// Location of the data, terminology and logging.
#[derive(Debug, Clone, Args)]
pub struct StoreSettings {
    /// Folder of the embedded store and of the key file.
    #[arg(long, env = "HANDBOOK_DATA", default_value = "./data")]
    pub data: PathBuf,
    /// A SurrealDB server instead of the embedded store (`ws://host:port`, `wss://…`), or `mem://` for a store that is lost when
    /// the process ends.
    #[arg(long, env = "HANDBOOK_DB")]
    pub db: Option<Database>,
    /// User of the SurrealDB server.
    #[arg(long, env = "HANDBOOK_DB_USER")]
    pub db_user: Option<String>,
    /// Password of that user. Better given as a variable: other users see the command line.
    #[arg(long, env = "HANDBOOK_DB_PASSWORD", hide_env_values = true)]
    pub db_password: Option<Secret>,
    /// The master key, 32 bytes in base64, instead of the key file. Better given as a variable.
    #[arg(long, env = "HANDBOOK_SECRET", hide_env_values = true, value_parser = Keys::from_text)]
    pub secret: Option<Keys>,
    /// A bucket for the files of documents, `s3://bucket` or `s3://bucket/folder`, instead of the data folder: for several
    /// servers. Its address and keys are read from the variables `AWS_*`.
    #[arg(long, env = "HANDBOOK_FILES_URL")]
    pub files_url: Option<String>,
    /// Levels of the organisation, and terminology of levels, roles and members: `party`, `association`, or a TOML file with levels
    /// and words of its own.
    #[arg(long, env = "HANDBOOK_TERMS", default_value_t = PackSource::BuiltIn(Terms::Party))]
    pub terms: PackSource,
    /// Format of the log.
    #[arg(long, env = "HANDBOOK_LOG", value_enum, default_value_t = LogFormat::Pretty)]
    pub log: LogFormat,
    /// Filter of the log: levels by module, e.g. `info,backend=debug`.
    #[arg(long, env = "HANDBOOK_LOG_FILTER", default_value = "info,surrealdb=warn")]
    pub log_filter: String,
    /// For tests that depend on the date: seconds by which the program's clock is ahead of the system clock.
    #[cfg(debug_assertions)]
    #[arg(long, hide = true, default_value_t = 0)]
    pub clock_ahead: i64,
}

impl StoreSettings {
    /// The system clock.
    #[cfg(not(debug_assertions))]
    pub fn clock(&self) -> Clock {
        Clock::system()
    }

    /// The system clock, with the offset set by a test.
    #[cfg(debug_assertions)]
    pub fn clock(&self) -> Clock {
        Clock::ahead(TimeDelta::seconds(self.clock_ahead))
    }

    pub fn location(&self) -> StoreLocation {
        match &self.db {
            None => StoreLocation::Folder(self.data.clone()),
            Some(Database::Memory) => StoreLocation::Memory,
            Some(Database::Server(url)) => {
                let password = self.db_password.as_ref().map(|password| password.0.clone()).unwrap_or_default();
                StoreLocation::Server { url: url.clone(), credentials: self.db_user.clone().map(|user| (user, password)) }
            }
        }
    }
}

/// A store other than the embedded one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    Memory,
    Server(String),
}

impl FromStr for Database {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once("://") {
            Some(("mem", "")) => Ok(Self::Memory),
            Some(("ws" | "wss", host)) if !host.is_empty() => Ok(Self::Server(text.to_owned())),
            _ => Err("it must be mem://, ws://host:port or wss://host:port"),
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("mem://"),
            Self::Server(url) => f.write_str(url),
        }
    }
}

/// Never printed.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For a person at the console.
    Pretty,
    /// One JSON object per line, for a log collector.
    Json,
}

const PREFIX: &str = "HANDBOOK_";
const MASK: &str = "••••••••";

/// The command with its settings, from the command line and the environment.
///
/// # Errors
/// A sentence that names the setting. Help and usage are printed and end the program here.
pub fn read() -> Result<Command, String> {
    check_names(env::vars_os().filter_map(|(name, _)| name.into_string().ok()))?;
    let matches = Cli::command().try_get_matches().map_err(|error| explain(&error))?;
    Cli::from_arg_matches(&matches).map(|cli| cli.command).map_err(|error| explain(&error))
}

fn check_names(variables: impl Iterator<Item = String>) -> Result<(), String> {
    let known = known_names();
    for name in variables.filter(|name| name.starts_with(PREFIX)) {
        if !known.contains(&name) {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            return Err(format!("{name} is not a setting of the handbook; the settings are {}.", known.join(", ")));
        }
    }
    Ok(())
}

fn known_names() -> BTreeSet<String> {
    let cli = Cli::command();
    let commands = cli.get_subcommands().flat_map(|command| std::iter::once(command).chain(command.get_subcommands()));
    let arguments = commands.flat_map(clap::Command::get_arguments);
    arguments.filter_map(|argument| argument.get_env()?.to_str().map(str::to_owned)).collect()
}

/// A sentence for an invalid value; clap's own messages serve for everything else.
fn explain(error: &clap::Error) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let malformed = matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue);
    let (true, Some(argument), Some(value)) = (malformed, text(ContextKind::InvalidArg), text(ContextKind::InvalidValue)) else {
        error.exit();
    };
    let flag = argument.split_whitespace().next().unwrap_or(argument);
    let variable = format!("{PREFIX}{}", flag.trim_start_matches('-').replace('-', "_").to_uppercase());
    // An invalid secret may still be nearly the right one, so it is not shown.
    let shown = if flag == "--secret" || flag == "--db-password" { MASK } else { value };
    let reason = match (std::error::Error::source(error), error.get(ContextKind::ValidValue)) {
        (Some(reason), _) => format!(": {reason}"),
        (None, Some(ContextValue::Strings(valid))) => format!(": it must be one of {}", valid.join(", ")),
        _ => String::new(),
    };
    format!("The setting {variable} ({flag}) cannot be {shown:?}{reason}.")
}

/// The settings in effect, one per line, in the form of variables.
pub fn effective(settings: &ServeSettings) -> String {
    let ServeSettings { addr, site, origin, metrics_addr, oidc, sms_url, sms_token, trusted_proxy, store } = settings;
    let StoreSettings {
        data,
        db,
        db_user,
        db_password,
        secret,
        files_url,
        terms,
        log,
        log_filter,
        #[cfg(debug_assertions)]
            clock_ahead: _,
    } = store;
    let masked = |is_set: bool| if is_set { MASK } else { "" };
    let lines = [
        ("ADDR", addr.to_string()),
        ("DATA", data.display().to_string()),
        ("DB", db.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("DB_PASSWORD", masked(db_password.is_some()).to_owned()),
        ("DB_USER", db_user.clone().unwrap_or_default()),
        ("FILES_URL", files_url.clone().unwrap_or_default()),
        ("LOG", log.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()),
        ("LOG_FILTER", log_filter.clone()),
        ("METRICS_ADDR", metrics_addr.map(|address| address.to_string()).unwrap_or_default()),
        ("OIDC", oidc.as_ref().map(|file| file.display().to_string()).unwrap_or_default()),
        ("ORIGIN", origin.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("SECRET", masked(secret.is_some()).to_owned()),
        ("SITE", site.display().to_string()),
        ("SMS_TOKEN", masked(sms_token.is_some()).to_owned()),
        ("SMS_URL", sms_url.clone().unwrap_or_default()),
        ("TERMS", terms.to_string()),
        ("TRUSTED_PROXY", trusted_proxy.to_string()),
    ];
    lines.into_iter().fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "{PREFIX}{name}={value}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Cli, String> {
        Cli::try_parse_from(arguments).map_err(|error| explain(&error))
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_variable_is_named_after_its_flag() {
        let cli = Cli::command();
        for command in cli.get_subcommands().flat_map(|command| std::iter::once(command).chain(command.get_subcommands())) {
            for argument in command.get_arguments() {
                if let Some(variable) = argument.get_env() {
                    let flag = argument.get_long().unwrap().replace('-', "_").to_uppercase();
                    assert_eq!(variable.to_str().unwrap(), format!("{PREFIX}{flag}"));
                }
            }
        }
    }

    #[test]
    fn an_unknown_variable_is_named() {
        let names = |names: &[&str]| check_names(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>().into_iter());
        assert_eq!(names(&["HANDBOOK_ADDR", "HANDBOOK_SEED", "PATH"]), Ok(()));
        let sentence = names(&["HANDBOOK_ADRESS"]).unwrap_err();
        assert!(sentence.starts_with("HANDBOOK_ADRESS is not a setting"), "{sentence}");
    }

    #[test]
    fn the_words_of_the_organisation_are_chosen_for_every_command_that_opens_the_store() {
        let cli = parse(&["handbook", "import", "members", "members.csv", "--terms", "association"]).unwrap();
        let Command::Import(settings) = cli.command else { panic!("another command") };
        assert_eq!(settings.store.terms, PackSource::BuiltIn(Terms::Association));
        let cli = parse(&["handbook", "config", "--terms", "association"]).unwrap();
        let Command::Config(settings) = cli.command else { panic!("another command") };
        assert!(effective(&settings).contains("HANDBOOK_TERMS=association\n"));
        let cli = parse(&["handbook", "config", "--terms", "./union.toml"]).unwrap();
        let Command::Config(settings) = cli.command else { panic!("another command") };
        assert!(effective(&settings).contains("HANDBOOK_TERMS=./union.toml\n"));
        let sentence = parse(&["handbook", "config", "--terms", "union"]).unwrap_err();
        assert!(sentence.contains("HANDBOOK_TERMS ") && sentence.contains(".toml"), "{sentence}");
    }

    #[test]
    fn a_malformed_value_is_named_and_a_secret_is_not_shown() {
        let sentence = parse(&["handbook", "serve", "--addr", "here"]).unwrap_err();
        assert!(sentence.starts_with("The setting HANDBOOK_ADDR (--addr) cannot be \"here\""), "{sentence}");
        let sentence = parse(&["handbook", "serve", "--db", "http://x"]).unwrap_err();
        assert!(sentence.contains("HANDBOOK_DB ") && sentence.contains("ws://"), "{sentence}");
        let sentence = parse(&["handbook", "serve", "--secret", "abcdef"]).unwrap_err();
        assert!(sentence.contains("HANDBOOK_SECRET") && !sentence.contains("abcdef"), "{sentence}");
        for origin in ["http://sotay.example.vn", "https://sotay.example.vn/path", "sotay.example.vn"] {
            let sentence = parse(&["handbook", "serve", "--origin", origin]).unwrap_err();
            assert!(sentence.contains("HANDBOOK_ORIGIN ") && sentence.contains("https://"), "{sentence}");
        }
        let sentence = parse(&["handbook", "serve", "--log", "xml"]).unwrap_err();
        assert!(sentence.contains("HANDBOOK_LOG ") && sentence.contains("pretty, json"), "{sentence}");
    }

    #[test]
    fn secrets_are_masked() {
        let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        let cli = parse(&["handbook", "config", "--secret", key, "--db-password", "open-sesame"]).unwrap();
        let Command::Config(settings) = cli.command else { panic!("another command") };
        let told = format!("{}{settings:?}", effective(&settings));
        assert!(!told.contains(key) && !told.contains("open-sesame"), "{told}");
        assert!(told.contains("HANDBOOK_SECRET=••••••••\n"));
    }
}
