//! The sample organisation: fictional units and people, so that every page has realistic content.
//!
//! Everything is derived from a seed and the clock, except the ciphertexts and one random password.

use domain::{
    events::{self, EventBody},
    ids::SessionId,
    units::UnitKind,
};

use crate::{
    Backend, Error, Result,
    bulk::Bulk,
    store::{RecordId, vars},
};

mod cast;
pub mod country;
mod courses;
mod dice;
mod files;
mod library;
pub mod many;
mod meetings;
pub mod older;
mod opinions;
mod people;
pub mod registry;
mod reminders;
mod requests;

/// What was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    pub units: usize,
    pub members: usize,
    pub accounts: usize,
    pub documents: usize,
    pub reads: u32,
    pub meetings: usize,
    pub opinions: usize,
}

/// Size of the parts that can be scaled. Units, documents and courses are always loaded completely.
#[derive(Debug, Clone, Copy)]
struct Size {
    /// Most members of a branch.
    members_of_branch: usize,
    /// First openings of documents.
    openings: i64,
    opinions: usize,
}

const WHOLE: Size = Size { members_of_branch: usize::MAX, openings: 16_000, opinions: 300 };

/// A person of the sample with a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// In English, for the console and the README.
    pub role: &'static str,
    pub name: &'static str,
    pub national_id: &'static str,
    pub password: &'static str,
    /// The unit of the role, or the branch.
    pub unit_name: String,
}

/// All people of the sample with a password; the first one is a fisherman.
pub fn sign_ins() -> Vec<SignIn> {
    let units = files::units().unwrap_or_default();
    cast::CAST
        .iter()
        .map(|player| {
            let key = player.office.map_or(player.branch, |(_, unit)| unit);
            let unit_name =
                units.iter().find(|unit| unit.key == key).map_or_else(|| key.to_owned(), |unit| unit.short_name.clone());
            SignIn { role: player.role, name: player.name, national_id: player.national_id, password: cast::PASSWORD, unit_name }
        })
        .collect()
}

/// A person of the sample who has not signed in yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newcomer {
    /// In English, as in [`SignIn`].
    pub role: &'static str,
    pub name: &'static str,
    pub national_id: &'static str,
}

/// Members of the fishing village with whom the first sign-in can be tried. Codes of those with a phone are written to the
/// outbox.
pub fn newcomers() -> impl Iterator<Item = Newcomer> {
    cast::NEWCOMERS.iter().map(|one| Newcomer { role: one.role, name: one.name, national_id: one.national_id })
}

/// Whether the store contains the sample, that is, whether its first person is a member.
///
/// # Errors
/// [`Error::Store`].
pub async fn is_loaded(backend: &Backend) -> Result<bool> {
    let hash = backend.keys().lookup("id", cast::CAST[0].national_id);
    let sql = "SELECT VALUE id FROM member WHERE id_hash = $hash LIMIT 1";
    let found: Vec<RecordId> = backend.store().read(sql, vars! { hash: hash }).await?.rows(0)?;
    Ok(!found.is_empty())
}

/// Whether the sample fits the levels of the pack. No store is needed.
///
/// # Errors
/// [`Error::Internal`] with a message for the operator that names the levels.
pub fn check_levels() -> Result<()> {
    let missing = files::missing_levels(|key| UnitKind::from_key(key).is_some());
    if !missing.is_empty() {
        return Err(Error::Internal(format!(
            "the sample organisation needs the levels {}: the terminology pack does not define {}",
            files::LEVELS.join(", "),
            missing.join(", ")
        )));
    }
    match files::misfit(&files::units()?) {
        Some(misfit) => Err(Error::Internal(format!("the sample organisation does not fit the terminology pack: {misfit}"))),
        None => Ok(()),
    }
}

/// Fills an empty store. After a failure the store is incomplete and must be deleted.
///
/// # Errors
/// [`Error::Internal`] with a message for the operator when the store is not empty, and as [`check_levels`].
pub async fn load(backend: &Backend, seed: u64) -> Result<Summary> {
    load_size(backend, seed, WHOLE).await
}

async fn load_size(backend: &Backend, seed: u64, size: Size) -> Result<Summary> {
    check_levels()?;
    let units: Vec<RecordId> = backend.store().read("SELECT VALUE id FROM unit LIMIT 1", vars! {}).await?.rows(0)?;
    if !units.is_empty() {
        return Err(Error::Internal("the sample organisation goes into an empty store only, and this one has units".to_owned()));
    }
    let organisation = people::found(backend, seed, size).await?;
    tracing::info!(units = organisation.units.len(), members = organisation.people().count(), "filled the registry");

    let mut bulk = Bulk::default();
    let published = library::fill(&mut bulk, backend, seed, &organisation)?;
    let meetings = meetings::hold(&mut bulk, backend, seed, &organisation, &published)?;
    let opinions = opinions::send(&mut bulk, backend, seed, size, &organisation, &published)?;
    let reads = library::read(&mut bulk, backend, seed, size, &organisation, &published);
    requests::ask(&mut bulk, backend, seed, &organisation)?;
    sign_in_everybody(&mut bulk, seed, &organisation);
    let rows = bulk.save(backend).await?
        + courses::give(backend, seed, &organisation, &published).await?
        + reminders::ask(backend, seed, &organisation, &published).await?;
    backend.recount().await?;
    backend.search_index().discard().await?;
    tracing::info!(documents = published.len(), reads, meetings, opinions, rows, "loaded the sample organisation");

    Ok(Summary {
        units: organisation.units.len(),
        members: organisation.people().count(),
        accounts: organisation.people().filter(|person| person.activated_at.is_some()).count(),
        documents: published.len(),
        reads,
        meetings,
        opinions,
    })
}

/// Logs a sign-in for each person with an activated account.
fn sign_in_everybody(bulk: &mut Bulk, seed: u64, organisation: &people::Organisation) {
    let mut dice = dice::Dice::new(seed, 7);
    for branch in &organisation.branches {
        for person in branch.people.iter().filter(|person| person.activated_at.is_some()) {
            let session = SessionId::new(dice.ulid_at(person.last_use));
            let body = EventBody::SignedIn(events::SignIn::Opened(session));
            bulk.log(&mut dice, person.last_use, Some(person.id), &person.unit.path, body);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use domain::members::NationalId;

    use super::*;
    use crate::{Clock, Keys, StoreLocation, store::Value};

    /// Large enough to put rows into each of [`TABLES`].
    const SMALL: Size = Size { members_of_branch: 8, openings: 1_000, opinions: 40 };

    /// The tables that the sample writes to.
    const TABLES: [&str; 24] = [
        "account",
        "attendance",
        "correction",
        "course",
        "course_completion",
        "course_text",
        "course_try",
        "document",
        "document_read",
        "document_revision",
        "document_text",
        "draft",
        "draft_text",
        "event",
        "flaw",
        "meeting",
        "member",
        "office",
        "opinion",
        "read_receipt",
        "reminder",
        "transfer",
        "unit",
        "unit_version",
    ];

    pub(crate) async fn loaded(clock: &Clock) -> (Backend, Summary) {
        let backend = Backend::open(&StoreLocation::Memory, Keys::from_master(&[7; 32]), clock.clone()).await.expect("opens");
        let summary = load_size(&backend, 3, SMALL).await.expect("loads");
        (backend, summary)
    }

    /// The ids depend on all random draws and on the time of the row, but not on the clock's own randomness, which ciphertexts
    /// and passwords use.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn one_seed_makes_one_organisation() {
        let now = "2026-11-21T08:00:00Z".parse().expect("a moment");
        let (first, summary) = loaded(&Clock::fixed(now, 1)).await;
        let (second, again) = loaded(&Clock::fixed(now, 2)).await;
        assert_eq!(summary, again);
        assert!(summary.members > 800 && summary.reads > 500 && summary.opinions == SMALL.opinions, "{summary:?}");
        let rows = async |backend: &Backend, column: &str, table: &str| -> Vec<Value> {
            let sql = format!("SELECT VALUE {column} FROM {table}");
            backend.store().read(sql, vars! {}).await.expect("reads").rows(0).expect("rows")
        };
        for table in TABLES {
            let ids = rows(&first, "id", table).await;
            assert!(!ids.is_empty() && ids == rows(&second, "id", table).await, "the rows of {table}");
        }
        // The people are the same.
        assert_eq!(rows(&first, "id_hash", "member").await, rows(&second, "id_hash", "member").await);
    }

    #[test]
    fn there_is_one_sign_in_for_every_role() {
        let all = sign_ins();
        let held: BTreeSet<_> = cast::CAST.iter().filter_map(|player| player.office.map(|(role, _)| role)).collect();
        assert_eq!(held.len(), domain::policy::Role::ALL.len());
        let ids: BTreeSet<_> = all.iter().map(|sign_in| sign_in.national_id).collect();
        assert_eq!(ids.len(), all.len());
        for sign_in in &all {
            assert!(NationalId::parse(sign_in.national_id).is_ok(), "{}", sign_in.national_id);
            assert!(!sign_in.unit_name.is_empty());
        }
        assert_eq!(all[0].unit_name, "Thôn Gành Đá");
    }
}
