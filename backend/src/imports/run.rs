//! Writes the rows of members: one thread reads, checks and hashes them, two tasks seal and write them.
//!
//! The file is split into batches of a fixed number of rows. Each writer takes every second batch, in order, and updates its
//! checkpoint in the transaction of the batch. So the checkpoints always equal what is written, and another process can resume an
//! import at any point. A transaction of a stopped run may still commit afterwards; each transaction therefore succeeds only if
//! its checkpoint has the position its run expects (see [`FENCE`]).

use domain::{
    accounts::AccountNotice,
    imports::{Column, Counts, Reason, RefusedLine},
    members::{MemberState, QualityIssue},
};
use tokio::{sync::mpsc, task::JoinSet};

use super::{
    ImportRow,
    check::{Entry, Ledger, Verdict},
    file::{ImportError, ReadRows},
    preview::{CancelOnDrop, Outcome, RowProgress, Source, in_a_thread, load_ledger},
    read::NEXT,
    report::ReportWriter,
};
use crate::{
    Backend, Error, Result,
    bulk::Bulk,
    change::Change,
    members::rows::{NewMember, NewQualityIssue, end_posting, quality_issue_id},
    store::{RecordId, StoreError, SurrealValue, Variables, pair, record, vars},
};

/// More writers only contend with each other.
pub(super) const WRITERS: usize = 2;

/// Rows of the file in a batch, which is one transaction and one sync to disk.
const BATCH: usize = 400;

/// Consecutive batches without changes after which a writer updates its checkpoint.
const SILENT_MAX: i64 = 64;

/// Capacity of a writer's queue, in batches.
const AHEAD: usize = 4;

/// A part of the file.
struct Batch {
    index: i64,
    entries: Vec<Written>,
    counts: Counts,
}

enum Written {
    Fresh(Box<Entry>),
    Changed(Box<Entry>),
}

impl Written {
    /// The ids of their members, concatenated.
    fn members(rows: &[Self]) -> String {
        rows.iter().map(|(Self::Fresh(entry) | Self::Changed(entry))| entry.member.to_string()).collect()
    }
}

/// Progress of a writer.
#[derive(Debug, Clone, Copy, Default, SurrealValue)]
pub(super) struct WriterCheckpoint {
    /// First batch of the file that is not done.
    position: i64,
    fresh: i64,
    changed: i64,
    unchanged: i64,
    refused: i64,
}

impl WriterCheckpoint {
    pub(super) fn counts(self) -> Counts {
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        Counts {
            fresh: count(self.fresh),
            changed: count(self.changed),
            unchanged: count(self.unchanged),
            refused: count(self.refused),
        }
    }

    fn after(self, batch: &Batch) -> Self {
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        Self {
            position: batch.index + 1,
            fresh: self.fresh + count(batch.counts.fresh),
            changed: self.changed + count(batch.counts.changed),
            unchanged: self.unchanged + count(batch.counts.unchanged),
            refused: self.refused + count(batch.counts.refused),
        }
    }

    fn refuse_one(&mut self, written: &Written) {
        match written {
            Written::Fresh(_) => self.fresh -= 1,
            Written::Changed(_) => self.changed -= 1,
        }
        self.refused += 1;
    }
}

pub(super) fn checkpoint_id(import: &str, number: usize) -> RecordId {
    pair("import_lane", import, number)
}

/// The stored checkpoints of the writers.
pub(super) async fn checkpoints(backend: &Backend, import: &str) -> Result<Vec<WriterCheckpoint>> {
    let mut checkpoints = Vec::with_capacity(WRITERS);
    for number in 0..WRITERS {
        let sql = "SELECT position, fresh, changed, unchanged, refused FROM $lane";
        let found: Option<WriterCheckpoint> =
            backend.store().read(sql, vars! { lane: checkpoint_id(import, number) }).await?.row(0)?;
        checkpoints.push(found.unwrap_or_default());
    }
    Ok(checkpoints)
}

/// Writes the rows that are not written yet. The counts are those of the checkpoints, not those of the reader.
pub(super) async fn write_members(
    backend: &Backend,
    import: &ImportRow,
    mapping: &[Option<Column>],
    progress: &RowProgress,
) -> Result<Outcome, ImportError> {
    // Another server may have confirmed the import after a change of the tree.
    backend.units().reload(backend.store()).await?;
    let source = Source::of(backend, import)?;
    let begun = checkpoints(backend, &import.id).await?;
    let ledger = load_ledger(backend, import, mapping, &source).await?;
    let office = import.scope()?.and_then(|path| backend.units().tree().at(&path).map(|unit| unit.id.to_string()));
    let _cancel = CancelOnDrop::over(progress);
    let mut writers = JoinSet::new();
    let mut queues = Vec::with_capacity(WRITERS);
    for (number, checkpoint) in begun.into_iter().enumerate() {
        let (queue, batches) = mpsc::channel(AHEAD);
        queues.push(queue);
        let writer = Writer {
            backend: backend.clone(),
            import: record("import", &import.id),
            checkpoint: checkpoint_id(&import.id, number),
            as_of: import.as_of.clone(),
            office: office.clone(),
            begun_at: checkpoint.position,
            done: checkpoint,
            noted: checkpoint.position,
            late: Vec::new(),
        };
        writers.spawn(writer.work(batches));
    }
    let progress = progress.clone();
    let reading = in_a_thread(move || produce(&source, ledger, &queues, &progress));
    let outcome = tokio::join!(reading, gather(&mut writers));
    // The reader stops when a writer fails, so the writer's error comes first.
    let (counts, late) = outcome.1?;
    let (mut report, met) = outcome.0?;
    report.add(&late)?;
    Ok(Outcome { counts, reported: report.finish().await?, met })
}

async fn gather(writers: &mut JoinSet<Result<(Counts, Vec<RefusedLine>)>>) -> Result<(Counts, Vec<RefusedLine>)> {
    let (mut counts, mut late) = (Counts::default(), Vec::new());
    while let Some(outcome) = writers.join_next().await {
        let (written, refused) = outcome.map_err(|error| Error::Internal(format!("a writer stopped: {error}")))??;
        counts += written;
        late.extend(refused);
    }
    Ok((counts, late))
}

/// Reads and checks the file from its beginning. Rows that are written already are unchanged, and still refuse later rows with
/// the same card or ID.
fn produce(
    source: &Source,
    mut ledger: Ledger,
    queues: &[mpsc::Sender<Batch>],
    progress: &RowProgress,
) -> Result<(ReportWriter, ReadRows), ImportError> {
    let mut report = source.new_report()?;
    let empty = |index| Batch { index, entries: Vec::new(), counts: Counts::default() };
    let mut batch = empty(0);
    let send = |batch: Batch| {
        let writer = usize::try_from(batch.index).unwrap_or_default() % queues.len();
        queues[writer].blocking_send(batch).map_err(|_| Error::Busy)
    };
    let met = source.each_row(&mut |row, cells| {
        let verdict = ledger.check(row, cells);
        verdict.note(&mut batch.counts, &mut report)?;
        match verdict {
            Verdict::Fresh(entry) => batch.entries.push(Written::Fresh(entry)),
            Verdict::Changed(entry) => batch.entries.push(Written::Changed(entry)),
            Verdict::Unchanged(_) | Verdict::Refused(_) | Verdict::Passed(_) => {}
        }
        if batch.counts.total() == BATCH as u64 {
            progress.advance(row)?;
            let next = empty(batch.index + 1);
            send(std::mem::replace(&mut batch, next))?;
        }
        Ok(NEXT)
    })?;
    send(batch)?;
    Ok((report, met))
}

/// Writes the batches of one checkpoint.
struct Writer {
    backend: Backend,
    import: RecordId,
    checkpoint: RecordId,
    as_of: String,
    /// The unit the file is for, as named in notices to owners of accounts.
    office: Option<String>,
    /// Batches before this one were done by an earlier run.
    begun_at: i64,
    done: WriterCheckpoint,
    /// Position of the stored checkpoint, as far as this run has seen it.
    noted: i64,
    /// Rows that conflicted with records written meanwhile.
    late: Vec<RefusedLine>,
}

impl Writer {
    async fn work(mut self, mut batches: mpsc::Receiver<Batch>) -> Result<(Counts, Vec<RefusedLine>)> {
        while let Some(batch) = batches.recv().await {
            if batch.index < self.begun_at {
                continue;
            }
            let next = self.done.after(&batch);
            if batch.entries.is_empty() && next.position - self.noted < SILENT_MAX {
                self.done = next;
            } else {
                self.write(batch, next).await?;
            }
        }
        if self.noted < self.done.position {
            let change = self.change_of(&[], self.done)?;
            self.commit(change, self.done).await?;
        }
        Ok((self.done.counts(), self.late))
    }

    async fn write(&mut self, batch: Batch, mut next: WriterCheckpoint) -> Result<()> {
        let change = self.change_of(&batch.entries, next)?;
        match self.commit(change, next).await {
            Ok(()) => {}
            // One of these members was registered meanwhile. The others are still written, one at a time.
            Err(StoreError::Taken { .. } | StoreError::Exists) => {
                for entry in &batch.entries {
                    let change = self.change_of(std::slice::from_ref(entry), self.done)?;
                    match self.commit(change, self.done).await {
                        Ok(()) => {}
                        Err(error @ (StoreError::Taken { .. } | StoreError::Exists)) => {
                            next.refuse_one(entry);
                            self.late.push(refusal(entry, &error));
                        }
                        Err(error) => return Err(error.into()),
                    }
                }
                let change = self.change_of(&[], next)?;
                self.commit(change, next).await?;
            }
            Err(error) => return Err(error.into()),
        }
        self.done = next;
        Ok(())
    }

    /// The rows, and the checkpoint after them.
    fn change_of(&self, entries: &[Written], next: WriterCheckpoint) -> Result<Change> {
        let mut bulk = Bulk::default();
        let mut changes = Changes::default();
        for written in entries {
            match written {
                Written::Fresh(entry) => self.register(&mut bulk, entry)?,
                Written::Changed(entry) => self.change(&mut bulk, &mut changes, entry)?,
            }
        }
        let clock = self.backend.clock();
        let (inserts, rows) = bulk.into_transaction();
        // Changes come first: they delete rows that the inserts write again.
        let mut change =
            Change::new(FENCE, vars! { import: self.import.clone(), lane: self.checkpoint.clone(), noted: self.noted })
                .then(&changes.sql)
                .bind(changes.vars)
                .bind(vars! { told_at: clock.now(), told_office: self.office.clone() })
                .then(&inserts)
                .bind(rows);
        if !entries.is_empty() {
            let written = Written::members(entries);
            change = change.then(WRITTEN).bind(vars! { batch: clock.ulid().to_string(), written: written });
        }
        Ok(change.then(NOTE).bind(vars! { note: next }))
    }

    /// Commits a change of [`Self::change_of`].
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another run writes this checkpoint. The run that starts next counts the rows it wrote.
    async fn commit(&mut self, change: Change, next: WriterCheckpoint) -> Result<(), StoreError> {
        match self.backend.transact(change).await {
            Ok(_) => {
                self.noted = next.position;
                Ok(())
            }
            Err(StoreError::Thrown(_)) => Err(StoreError::Busy),
            Err(error) => Err(error),
        }
    }

    fn register(&self, bulk: &mut Bulk, entry: &Entry) -> Result<()> {
        let (keys, clock) = (self.backend.keys(), self.backend.clock());
        let id = entry.member.to_string();
        let seal = |text: &str| keys.seal(clock, &id, text);
        let path = entry.branch.path.to_string();
        bulk.push(
            "member",
            NewMember {
                id: record("member", &id),
                code: entry.card.as_str().to_owned(),
                full_name: entry.full_name.as_str().to_owned(),
                sort_key: entry.derived.sort_key.clone(),
                given: entry.derived.given.clone(),
                sex: entry.sex.key().to_owned(),
                birth_date: entry.birth_date.to_string(),
                admitted_on: entry.admitted_on.to_string(),
                official_on: entry.official_on.map(|day| day.to_string()),
                standing: entry.standing.unwrap_or(entry.likely_standing).key().to_owned(),
                state: MemberState::Active.key().to_owned(),
                unit: entry.branch.id.to_string(),
                path: path.clone(),
                id_hash: entry.national_id.as_ref().map(|(_, hash)| hash.clone()),
                id_cipher: entry.national_id.as_ref().map(|(id, _)| seal(id.expose())).transpose()?,
                phone_hash: entry.phone.as_ref().map(|(_, hash)| hash.clone()),
                phone_cipher: entry.phone.as_ref().map(|(phone, _)| seal(phone.expose())).transpose()?,
                twin_key: entry.derived.twin_key.clone(),
                import_print: Some(entry.print.clone()),
                version: None,
                posted_from: self.as_of.clone(),
            },
        );
        note_quality_issues(bulk, entry, &id, &path);
        Ok(())
    }

    /// Columns without a value in the file keep theirs.
    fn change(&self, bulk: &mut Bulk, changes: &mut Changes, entry: &Entry) -> Result<()> {
        let (keys, clock) = (self.backend.keys(), self.backend.clock());
        let id = entry.member.to_string();
        let (unit, path) = (entry.branch.id.to_string(), entry.branch.path.to_string());
        let mut fields = vec![
            ("full_name", entry.full_name.as_str().to_owned()),
            ("sort_key", entry.derived.sort_key.clone()),
            ("given", entry.derived.given.clone()),
            ("sex", entry.sex.key().to_owned()),
            ("birth_date", entry.birth_date.to_string()),
            ("admitted_on", entry.admitted_on.to_string()),
            ("unit", unit.clone()),
            ("path", path.clone()),
            ("twin_key", entry.derived.twin_key.clone()),
            ("import_print", entry.print.clone()),
        ];
        fields.extend(entry.official_on.map(|day| ("official_on", day.to_string())));
        fields.extend(entry.standing.map(|standing| ("standing", standing.key().to_owned())));
        if let Some((national_id, hash)) = &entry.national_id {
            fields.push(("id_hash", hash.clone()));
            fields.push(("id_cipher", keys.seal(clock, &id, national_id.expose())?));
        }
        if let Some((phone, hash)) = &entry.phone {
            fields.push(("phone_hash", hash.clone()));
            fields.push(("phone_cipher", keys.seal(clock, &id, phone.expose())?));
        }
        let member = changes.bind(record("member", &id));
        tell_owner(changes, &member, entry);
        if entry.is_moved {
            let (ended, owner) = (changes.bind(record("posting", clock.ulid())), changes.bind(id.clone()));
            let day = changes.bind(self.as_of.clone());
            changes.sql += &end_posting(&member, &owner, &ended, &day);
            fields.push(("posted_from", self.as_of.clone()));
        }
        let set: Vec<String> = fields.into_iter().map(|(field, value)| format!("{field} = ${}", changes.bind(value))).collect();
        changes.sql += &format!("UPDATE ${member} SET {}, version = (version ?? 0) + 1 RETURN NONE;", set.join(", "));
        for quality_issue in QualityIssue::ALL {
            let row = changes.bind(quality_issue_id(quality_issue, &id));
            // Duplicates were searched only when the name or the birth date is new.
            if quality_issue != QualityIssue::Twin || entry.is_renamed {
                changes.sql += &format!("DELETE ${row} RETURN NONE;");
            } else if entry.is_moved {
                let path = changes.bind(path.clone());
                changes.sql += &format!("UPDATE ${row} SET path = ${path} RETURN NONE;");
            }
        }
        note_quality_issues(bulk, entry, &id, &path);
        Ok(())
    }
}

/// Notifies the owner of an active account that their national ID or phone changed. Must run before the row changes.
fn tell_owner(changes: &mut Changes, member: &str, entry: &Entry) {
    let numbers = [
        (AccountNotice::IdChanged, "id_hash", entry.national_id.as_ref().map(|(_, hash)| hash)),
        (AccountNotice::PhoneChanged, "phone_hash", entry.phone.as_ref().map(|(_, hash)| hash)),
    ];
    for (notice, column, hash) in numbers {
        let Some(hash) = hash else { continue };
        let (id, kind) = (entry.member.to_string(), notice.key());
        let account = changes.bind(record("account", &id));
        let (hash, told) = (changes.bind(hash.clone()), changes.bind(pair("account_change", &id, kind)));
        changes.sql += &format!(
            "IF (SELECT VALUE {column} FROM ONLY ${member}) != ${hash} AND (SELECT VALUE activated_at FROM ONLY ${account}) != NONE \
             {{ UPSERT ${told} SET kind = '{kind}', at = $told_at, office = $told_office RETURN NONE }};"
        );
    }
}

/// First statement of each transaction. A checkpoint only moves forward and every transaction writes it, so of two runs that
/// expect the same position only one succeeds.
const FENCE: &str = "IF $import.state != 'running' OR ($lane.position ?? 0) != $noted { THROW 'overtaken' };";

/// Members written by the transaction, for the counters.
const WRITTEN: &str = "CREATE type::record('import_written', [record::id($import), $batch]) SET members = $written RETURN NONE;";

const NOTE: &str = "UPSERT $lane CONTENT $note RETURN NONE;";

/// Statements that change rows, with their bindings.
#[derive(Default)]
struct Changes {
    sql: String,
    vars: Variables,
    bound: usize,
}

impl Changes {
    /// Binds the value and returns the name of the variable.
    fn bind(&mut self, value: impl SurrealValue) -> String {
        self.bound += 1;
        let name = format!("change_{}", self.bound);
        self.vars.insert(name.clone(), value);
        name
    }
}

fn note_quality_issues(bulk: &mut Bulk, entry: &Entry, id: &str, path: &str) {
    let mut note = |quality_issue: QualityIssue, member: &str, path: &str| {
        bulk.push_once("flaw", NewQualityIssue::new(quality_issue, member, path));
    };
    for quality_issue in &entry.quality_issues {
        note(*quality_issue, id, path);
    }
    if let Some((other, other_path)) = &entry.duplicate {
        note(QualityIssue::Twin, id, path);
        note(QualityIssue::Twin, &other.to_string(), other_path);
    }
}

fn refusal(written: &Written, error: &StoreError) -> RefusedLine {
    let (Written::Fresh(entry) | Written::Changed(entry)) = written;
    let has_id = matches!(error, StoreError::Taken { index } if index == "member_id_hash");
    let (column, value, reason) = if has_id {
        let masked = entry.national_id.as_ref().map(|(id, _)| id.masked()).unwrap_or_default();
        (Column::NationalId, masked, Reason::ToBeVerified)
    } else {
        (Column::CardNumber, entry.card.as_str().to_owned(), Reason::Value(domain::forms::Problem::Taken))
    };
    RefusedLine { row: entry.row, name: entry.full_name.as_str().to_owned(), column: Some(column), value, reason }
}

#[cfg(test)]
mod tests {
    use domain::{ids::ImportId, imports::ImportKind};

    use super::*;
    use crate::{Clock, Keys, StoreLocation, imports::row::NewImport};

    async fn backend() -> Backend {
        Backend::open(&StoreLocation::Memory, Keys::from_master(&[7; 32]), Clock::system()).await.expect("opens")
    }

    fn batch(index: i64) -> Batch {
        Batch { index, entries: Vec::new(), counts: Counts { unchanged: 3, ..Counts::default() } }
    }

    #[tokio::test]
    async fn a_late_commit_of_an_earlier_run_is_counted_once() {
        let backend = backend().await;
        let id = ImportId::new(backend.clock().ulid());
        let row = NewImport { state: "running".to_owned(), ..NewImport::new(&backend, id, ImportKind::Members, "/", None) };
        backend.store().write("INSERT INTO import $row RETURN NONE;", vars! { row: row }).await.expect("writes");
        let import = id.to_string();
        let run = |checkpoint: WriterCheckpoint| Writer {
            backend: backend.clone(),
            import: record("import", id),
            checkpoint: checkpoint_id(&import, 0),
            as_of: "2026-11-30".to_owned(),
            office: None,
            begun_at: checkpoint.position,
            done: checkpoint,
            noted: checkpoint.position,
            late: Vec::new(),
        };
        let write = async |writer: &mut Writer, index: i64| {
            let next = writer.done.after(&batch(index));
            writer.write(batch(index), next).await
        };
        let checkpoint = async || checkpoints(&backend, &import).await.expect("reads")[0];

        // The later run has read the checkpoint before the earlier one commits.
        let (mut earlier, mut later) = (run(checkpoint().await), run(checkpoint().await));
        write(&mut earlier, 0).await.expect("is first");
        assert!(matches!(write(&mut later, 0).await, Err(Error::Busy)));
        assert_eq!(checkpoint().await.counts().total(), 3);

        // The other way round.
        let mut later = run(checkpoint().await);
        write(&mut later, 2).await.expect("expects the stored position");
        assert!(matches!(write(&mut earlier, 2).await, Err(Error::Busy)));
        assert_eq!(checkpoint().await.counts().total(), 6);

        // Nor does a run write into an import that has ended and whose checkpoints are deleted.
        let mut late = run(WriterCheckpoint::default());
        let sql = "UPDATE $import SET state = 'done' RETURN NONE; DELETE $lane RETURN NONE;";
        backend.store().write(sql, vars! { import: record("import", id), lane: checkpoint_id(&import, 0) }).await.expect("ends");
        assert!(matches!(write(&mut late, 0).await, Err(Error::Busy)));
        assert_eq!(checkpoint().await.counts().total(), 0);
    }

    async fn import(backend: &Backend, kind: ImportKind, file: &str) -> ImportRow {
        let imports = backend.imports();
        let mut upload = imports.receive_from_operator(kind, None, "file.csv").expect("is accepted");
        upload.write(file.as_bytes().to_vec()).await.expect("writes");
        let id = upload.finish().await.expect("arrives").import;
        imports.settled(id).await.expect("is previewed");
        let row = imports.row(id).await.expect("exists");
        imports.allow(&row, backend.clock().today()).await.expect("is confirmed");
        imports.finish(&imports.row(id).await.expect("exists"), &RowProgress::default()).await.expect("ends");
        imports.row(id).await.expect("exists")
    }

    const UNITS: &str = "Mã,Cấp,Tên đơn vị\n1,Trung ương,Trung ương\n1/01,Tỉnh,Tỉnh số 1\n1/01/001,Xã,Xã số 1\n\
                         1/01/001/01,Chi bộ,Chi bộ số 1\n";

    fn members(numbers: std::ops::Range<u32>) -> String {
        let header = "Số thẻ,Họ và tên,Giới tính,Ngày sinh,Ngày vào Đảng,Ngày chính thức,CCCD,Mã chi bộ\n";
        let line =
            |number| format!("60{number:06},Võ Văn Khơi,Nam,01/02/1980,03/02/2008,03/02/2009,9520{number:08},1/01/001/01\n");
        numbers.map(line).fold(header.to_owned(), |file, line| file + &line)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_counters_read_the_members_an_import_wrote_and_no_others() {
        let backend = backend().await;
        import(&backend, ImportKind::Units, UNITS).await;
        let counted = async || {
            backend.catch_up().await.expect("reads the log");
            backend.counters().members(&domain::units::UnitPath::parse("/1/").expect("a path"))
        };
        // More than one transaction of a writer.
        let first = import(&backend, ImportKind::Members, &members(1..1_001)).await;
        assert_eq!((first.fresh, counted().await), (1_000, 1_000));

        // A change without an event is counted only where the member is read.
        let sql = "UPDATE member SET state = 'left' WHERE code = '60000007'";
        backend.store().write(sql, ()).await.expect("writes");
        let second = import(&backend, ImportKind::Members, &members(999..1_003)).await;
        assert_eq!((second.fresh, second.unchanged), (2, 2));
        assert_eq!(counted().await, 1_002);

        import(&backend, ImportKind::Members, &members(1_003..1_004)).await;
        backend.store().write("DELETE import_written", ()).await.expect("writes");
        assert_eq!(counted().await, 1_002, "all members are read when the rows of an import are gone");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_an_import_wrote_before_it_failed_counts() {
        let backend = backend().await;
        import(&backend, ImportKind::Units, UNITS).await;
        let done = import(&backend, ImportKind::Members, &members(1..6)).await;
        // As if the run was stopped after its last batch.
        let sql = "UPDATE $import SET state = 'running', written = NONE RETURN NONE; \
                   CREATE $lane SET position = 1, fresh = 5, changed = 0, unchanged = 0, refused = 0 RETURN NONE; \
                   DELETE event WHERE subject = $key;";
        let vars = vars! { import: record("import", &done.id), lane: checkpoint_id(&done.id, 0), key: done.id.clone() };
        backend.store().write(sql, vars).await.expect("writes");
        backend.catch_up().await.expect("reads the log");
        let counted = || backend.counters().members(&domain::units::UnitPath::parse("/1/").expect("a path"));
        assert_eq!(counted(), 0);
        let row = backend.imports().row(done.id.parse().expect("an id")).await.expect("exists");
        backend.imports().fail(&row, domain::imports::Failure::Damaged).await.expect("fails");
        backend.catch_up().await.expect("reads the log");
        assert_eq!(counted(), 5);
        assert_eq!(backend.statistics().recount().await.expect("counts"), []);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_import_that_two_runs_finish_ends_once() {
        let backend = backend().await;
        let imports = backend.imports();
        let mut upload = imports.receive_from_operator(ImportKind::Units, None, "units.csv").expect("is accepted");
        let file = "Mã,Mã cấp trên,Cấp,Tên\n01,,Trung ương,Trung ương\n";
        upload.write(file.as_bytes().to_vec()).await.expect("writes");
        let id = upload.finish().await.expect("arrives").import;
        imports.settled(id).await.expect("is previewed");
        let row = imports.row(id).await.expect("exists");
        imports.allow(&row, backend.clock().today()).await.expect("is confirmed");

        let (row, kept) = (imports.row(id).await.expect("exists"), backend.workspace().file(&id.to_string()));
        let content = std::fs::read(&kept).expect("is kept");
        imports.finish(&row, &RowProgress::default()).await.expect("ends");
        std::fs::write(&kept, content).expect("writes");
        imports.finish(&row, &RowProgress::default()).await.expect("has ended");
        let done = imports.row(id).await.expect("exists");
        assert_eq!((done.state.as_str(), done.fresh, done.unchanged), ("done", 1, 0));
        let told = "SELECT VALUE id FROM event WHERE subject = $import";
        let mut told = backend.store().read(told, vars! { import: id.to_string() }).await.expect("reads");
        assert_eq!(told.rows::<RecordId>(0).expect("ids").len(), 1, "one event");
    }
}
