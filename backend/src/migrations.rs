//! Brings the schema of a store up to date: numbered files, each applied once, none ever changed afterwards.

use sha2::{Digest, Sha256};

use crate::{
    Clock, Error, Result,
    keys::hex,
    store::{KEYS, Store, SurrealValue, pairs_after, record, vars},
};

struct Migration {
    version: u32,
    name: &'static str,
    sql: &'static str,
}

macro_rules! migrations {
    ($($version:literal $name:literal),+ $(,)?) => {
        &[$(Migration { version: $version, name: $name, sql: include_str!(concat!("../schema/", $name, ".surql")) }),+]
    };
}

/// Invariant: versions count up from 1 without a gap.
const MIGRATIONS: &[Migration] = migrations![
    1 "0001_organisation",
    2 "0002_library",
    3 "0003_events",
    4 "0004_units",
    5 "0005_members",
    6 "0006_imports",
    7 "0007_sign_in",
    8 "0008_trail",
    9 "0009_desk",
    10 "0010_files",
    11 "0011_reading",
    12 "0012_courses",
    13 "0013_writing",
    14 "0014_readers",
    15 "0015_reminders",
    16 "0016_import_sums",
    17 "0017_two_texts",
    18 "0018_corrections",
    19 "0019_read",
    20 "0020_recovery",
    21 "0021_another_try",
    22 "0022_corrected_read",
    23 "0023_owners",
    24 "0024_parts",
    25 "0025_acts",
    26 "0026_same_opinion",
    27 "0027_tries_of_a_course",
    28 "0028_foreign_ids",
];

#[derive(Debug, SurrealValue)]
struct Applied {
    version: i64,
    name: String,
    hash: String,
}

/// # Errors
/// [`Error::Schema`] when the store holds a migration this program does not know, or one whose text was changed.
pub(crate) async fn run(store: &Store, clock: &Clock) -> Result<()> {
    prepare(store).await?;
    let applied: Vec<Applied> = store.read("SELECT version, name, hash FROM migration ORDER BY version", ()).await?.rows(0)?;
    check(&applied)?;
    for migration in &MIGRATIONS[applied.len()..] {
        tracing::info!(migration = migration.name, "bringing the schema up to date");
        if migration.version == PLACED {
            place_receipts(store).await?;
        }
        apply(store, clock, migration).await?;
    }
    Ok(())
}

/// The version before which the receipts of older ones are placed.
const PLACED: u32 = 15;

/// Receipts in one transaction: a transaction must end within seconds, and there may be millions.
const BATCH: i64 = 500;

/// Gives receipts of before version 14 the columns it brought. A crash begins it anew; what is placed is placed again.
async fn place_receipts(store: &Store) -> Result<()> {
    let mut last = (String::new(), String::new());
    loop {
        let sql = format!("SELECT VALUE [record::id(id)[0], record::id(id)[1]] FROM {KEYS} LIMIT {BATCH}");
        let vars = vars! { keys: pairs_after("read_receipt", &last.0, &last.1) };
        let keys: Vec<Vec<String>> = store.read(sql, vars).await?.rows(0)?;
        let Some([document, member]) = keys.last().map(Vec::as_slice) else { return Ok(()) };
        last = (document.clone(), member.clone());
        store.write(PLACE, vars! { keys: keys }).await?;
    }
}

const PLACE: &str = "FOR $key IN $keys { \
                         LET $reader = (SELECT path, state, standing FROM ONLY type::record('member', $key[1])); \
                         LET $counts = $reader.state = 'active' AND $reader.standing != 'exempt'; \
                         UPDATE type::record('read_receipt', $key) \
                         SET place = IF $counts { $key[0] + $reader.standing + $reader.path } ELSE { NONE } RETURN NONE; \
                     };";

/// Where the notes lie.
async fn prepare(store: &Store) -> Result<()> {
    let sql = "DEFINE TABLE IF NOT EXISTS migration SCHEMAFULL TYPE NORMAL PERMISSIONS NONE;
               DEFINE FIELD IF NOT EXISTS version ON migration TYPE int;
               DEFINE FIELD IF NOT EXISTS name ON migration TYPE string;
               DEFINE FIELD IF NOT EXISTS hash ON migration TYPE string;
               DEFINE FIELD IF NOT EXISTS applied_at ON migration TYPE datetime;";
    store.read(sql, ()).await.map(|_| ())
}

/// The definitions and the note of them are one transaction: a crash leaves both or neither.
async fn apply(store: &Store, clock: &Clock, migration: &Migration) -> Result<()> {
    let note = "CREATE $applied SET version = $version, name = $name, hash = $hash, applied_at = $now RETURN NONE;";
    let vars = vars! {
        applied: record("migration", migration.name),
        version: i64::from(migration.version),
        name: migration.name.to_owned(),
        hash: hash(migration.sql),
        now: clock.now(),
    };
    store.write(&format!("{} {note}", migration.sql), vars).await.map(|_| ())
}

fn check(applied: &[Applied]) -> Result<()> {
    for (at, found) in applied.iter().enumerate() {
        let Some(known) = MIGRATIONS.get(at) else {
            return Err(Error::Schema(format!(
                "this data was last used by a newer version of the program: it knows the schema step {}, this one does not; \
                 start the newer version, or restore a backup made before it",
                found.name
            )));
        };
        if found.version != i64::from(known.version) || found.hash != hash(known.sql) {
            return Err(Error::Schema(format!(
                "the schema step {} in this data differs from the one of this program; it may not be changed once applied",
                found.name
            )));
        }
    }
    Ok(())
}

fn hash(sql: &str) -> String {
    hex(&Sha256::digest(sql.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Place, store::RecordId};

    #[test]
    fn versions_count_up_without_a_gap() {
        for (at, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.version as usize, at + 1, "{}", migration.name);
            assert!(migration.name.starts_with(&format!("{:04}_", migration.version)), "{}", migration.name);
        }
    }

    #[tokio::test]
    async fn running_again_changes_nothing_and_an_altered_step_is_refused() {
        let store = Store::connect(&Place::Memory).await.expect("opens");
        let clock = Clock::system();
        run(&store, &clock).await.expect("applies");
        run(&store, &clock).await.expect("again");
        store.read("UPDATE migration SET hash = 'other' WHERE version = 2", ()).await.expect("alters");
        let refused = run(&store, &clock).await;
        assert!(matches!(refused, Err(Error::Schema(_))), "{refused:?}");
    }

    #[tokio::test]
    async fn data_of_a_newer_program_is_refused_with_a_way_out() {
        let store = Store::connect(&Place::Memory).await.expect("opens");
        let clock = Clock::system();
        run(&store, &clock).await.expect("applies");
        store
            .read("CREATE migration SET version = 99, name = '0099_future', hash = 'x', applied_at = time::now()", ())
            .await
            .expect("adds");
        let refused = run(&store, &clock).await.expect_err("is refused");
        assert!(refused.to_string().contains("newer version"), "{refused}");
    }

    #[tokio::test]
    async fn postings_of_an_older_version_move_into_the_records() {
        let store = Store::connect(&Place::Memory).await.expect("opens");
        let clock = Clock::system();
        prepare(&store).await.expect("defines");
        for migration in &MIGRATIONS[..4] {
            apply(&store, &clock, migration).await.expect("applies");
        }
        let old = "FOR $key IN ['A', 'B'] { CREATE type::record('member', $key) SET code = $key, full_name = 'Võ Văn Khơi', \
                   sort_key = 'khoi', sex = 'male', birth_date = '1972-05-12', admitted_on = '2001-02-03', standing = 'official', \
                   state = 'active', unit = 'U', path = '/01/' }; \
                   CREATE posting SET member = 'A', unit = 'T', from = '2001-02-03', until = '2020-01-01'; \
                   CREATE posting SET member = 'A', unit = 'U', from = '2020-01-02'; \
                   CREATE posting SET member = 'B', unit = 'U', from = '2010-01-01', until = '2025-01-01';";
        store.read(old, ()).await.expect("writes");
        run(&store, &clock).await.expect("goes on");
        let sql =
            "SELECT VALUE posted_from FROM member:A; SELECT VALUE posted_from FROM member:B; SELECT VALUE from FROM posting";
        let mut found = store.read(sql, ()).await.expect("reads");
        assert_eq!(found.rows::<Option<String>>(0).expect("a day"), [Some("2020-01-02".to_owned())]);
        assert_eq!(found.rows::<Option<String>>(1).expect("no day"), [None]);
        let mut ended = found.rows::<String>(2).expect("days");
        ended.sort();
        assert_eq!(ended, ["2001-02-03", "2010-01-01"], "what is over stays where it was");
    }

    #[tokio::test]
    async fn receipts_of_an_older_version_stand_where_their_readers_are() {
        let store = Store::connect(&Place::Memory).await.expect("opens");
        let clock = Clock::system();
        prepare(&store).await.expect("defines");
        for migration in &MIGRATIONS[..13] {
            apply(&store, &clock, migration).await.expect("applies");
        }
        let old = "FOR $key IN ['A', 'B', 'C'] { CREATE type::record('member', $key) SET code = $key, full_name = 'Võ Văn Khơi', \
                   sort_key = 'khoi', sex = 'male', birth_date = '1972-05-12', admitted_on = '2001-02-03', unit = 'U', \
                   standing = IF $key = 'B' { 'exempt' } ELSE { 'official' }, state = 'active', path = '/01/02/'; \
                   CREATE type::record('read_receipt', ['D', $key]) SET path = '/01/03/', at = time::now(), counted = true }; \
                   DELETE member:C; FOR $at IN 0..1200 { \
                   CREATE type::record('read_receipt', ['E' + <string> $at, 'A']) SET path = '/01/03/', at = time::now(), counted = true };";
        store.read(old, ()).await.expect("writes");
        run(&store, &clock).await.expect("goes on");
        let unplaced = "SELECT VALUE id FROM read_receipt WHERE member != 'B' AND member != 'C' AND place = NONE";
        let unplaced: Vec<RecordId> = store.read(unplaced, ()).await.expect("reads").rows(0).expect("rows");
        assert_eq!(unplaced, [], "more than one batch");
        let first = "SELECT VALUE [member, place, path] FROM read_receipt ORDER BY id LIMIT 3";
        let mut found = store.read(first, ()).await.expect("reads");
        let row = |member: &str, place: Option<&str>| {
            vec![Some(member.to_owned()), place.map(str::to_owned), Some("/01/03/".to_owned())]
        };
        let expected = [row("A", Some("Dofficial/01/02/")), row("B", None), row("C", None)];
        assert_eq!(found.rows::<Vec<Option<String>>>(0).expect("rows"), expected, "where the member was when reading stays");
    }

    #[tokio::test]
    async fn what_was_opened_under_an_older_version_stays_opened_with_its_time_and_is_not_read() {
        let store = Store::connect(&Place::Memory).await.expect("opens");
        let clock = Clock::system();
        prepare(&store).await.expect("defines");
        for migration in &MIGRATIONS[..15] {
            apply(&store, &clock, migration).await.expect("applies");
        }
        let old = "CREATE type::record('read_receipt', ['D', 'A']) SET path = '/01/', at = d'2026-10-01T02:03:04Z', counted = true, \
                   place = 'Dofficial/01/'";
        store.read(old, ()).await.expect("writes");
        run(&store, &clock).await.expect("goes on");
        let sql = "SELECT VALUE [member, place, <string> at] FROM read_receipt; SELECT VALUE member FROM document_read";
        let mut found = store.read(sql, ()).await.expect("reads");
        let opened: Vec<Vec<String>> = found.rows(0).expect("rows");
        assert_eq!(opened, [["A", "Dofficial/01/", "2026-10-01T02:03:04Z"]]);
        assert_eq!(found.rows::<String>(1).expect("rows"), [] as [&str; 0]);
    }
}
