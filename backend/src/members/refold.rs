//! Rewrites the columns derived from names when the rules of folding have changed. Runs once, when a version with other rules
//! opens the store, so that searches find all names.

use domain::{folding::name_order, members::FullName};

use super::{MemberRow, Members, rows::derived};
use crate::{
    Error, Result,
    change::Change,
    store::{KEYS, RecordId, StoreError, SurrealValue, keys_after, record, vars},
};

/// Version of the folding rules. Must change when `domain::folding` changes its results.
const RULES: &str = "names 1";

/// Names read in one query.
const PAGE: usize = 5_000;

#[derive(Debug, SurrealValue)]
struct NameRow {
    id: String,
    full_name: String,
    sort_key: String,
}

impl Members<'_> {
    /// Rewrites the columns derived from names, unless it was done before. After an interruption it starts again. A damaged
    /// record keeps its columns, and one that is busy is rewritten at the next start, so neither blocks the start.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn refold(&self) -> Result<()> {
        let (store, done) = (self.backend.store(), record("upkeep", RULES));
        let known: Option<RecordId> = store.read("SELECT VALUE id FROM $done", vars! { done: done.clone() }).await?.row(0)?;
        if known.is_some() {
            return Ok(());
        }
        let sql = format!("SELECT record::id(id) AS id, full_name, sort_key FROM {KEYS} LIMIT {PAGE}");
        let (mut after, mut is_whole) = (String::new(), true);
        loop {
            let rows: Vec<NameRow> = store.read(&*sql, vars! { keys: keys_after("member", &after) }).await?.rows(0)?;
            let Some(last) = rows.last() else { break };
            after.clone_from(&last.id);
            for row in rows {
                // A name that is no longer valid stays as it is.
                let Ok(name) = FullName::parse(&row.full_name) else { continue };
                if name.as_str() != row.full_name || name_order(name.as_str()) != row.sort_key {
                    match self.rewrite_name(&row.id, &name).await {
                        Ok(()) => {}
                        // Logs only the id: the error may quote the record.
                        Err(Error::Damaged(_)) => {
                            tracing::error!(member = row.id, "cannot refold the name of a damaged record");
                        }
                        Err(Error::Busy) => {
                            is_whole = false;
                            tracing::warn!(
                                member = row.id,
                                "cannot refold a name: its record is busy; retrying at the next start"
                            );
                        }
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        if !is_whole {
            return Ok(());
        }
        let vars = vars! { done: done, now: self.backend.clock().now() };
        match self.backend.transact(Change::new("UPSERT $done SET done_at = $now RETURN NONE", vars)).await {
            // A concurrent process has done the same.
            Ok(_) | Err(StoreError::Busy) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn rewrite_name(&self, id: &str, name: &FullName) -> Result<()> {
        let Ok(id) = id.parse() else { return Ok(()) };
        let row = self.row(id).await?;
        let derived = derived(self.backend.keys(), name, row.birth_date()?);
        let vars = vars! {
            member: record("member", &row.id),
            before: row.full_name.clone(),
            full_name: name.as_str().to_owned(),
            sort_key: derived.sort_key,
            given: derived.given,
            twin_key: derived.twin_key.clone(),
        };
        // A concurrent change of the name writes these columns too.
        let sql = "UPDATE $member SET full_name = $full_name, sort_key = $sort_key, given = $given, twin_key = $twin_key \
                   WHERE full_name = $before RETURN NONE;";
        let after = MemberRow {
            full_name: name.as_str().to_owned(),
            // Older records may have no twin key yet.
            twin_key: Some(derived.twin_key),
            ..row.clone()
        };
        let quality_issues = self.settled_issues(row.twin_key.as_deref(), &after).await?;
        self.backend.transact(Change::new(sql, vars).quality_issues(&quality_issues)).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
    use domain::{
        members::{NationalId, QualityIssue, Sex, Standing},
        policy::{Grant, Role, Standpoint},
    };

    use super::*;
    use crate::{
        Backend, Clock, Keys, StoreLocation,
        demo::registry::{NewMember, Registry},
        units::tests::level,
    };

    #[tokio::test]
    async fn names_folded_by_older_rules_are_found() {
        let now: DateTime<Utc> = "2026-11-21T08:00:00Z".parse().expect("a moment");
        let backend =
            Backend::open(&StoreLocation::Memory, Keys::from_master(&[7; 32]), Clock::fixed(now, 1)).await.expect("opens");
        let mut registry = Registry::new(&backend, 1, now - TimeDelta::days(400));
        let province = registry.unit(None, level("province"), "51", "Tỉnh").expect("a code");
        let branch = registry.unit(Some(&province), level("branch"), "01", "Chi bộ").expect("a code");
        let mut people = Vec::new();
        for (at, name) in ["H'Hen Êban", "K’Brơi", "Đỗ Văn Đăng", "Đỗ Văn Đăng", "Y Bhĭm Niê"].into_iter().enumerate()
        {
            let id = NationalId::parse(&format!("95100000000{at}")).expect("twelve digits");
            let day = |year| NaiveDate::from_ymd_opt(year, 2, 3).expect("a day");
            let member = NewMember {
                code: &format!("5100000{at}"),
                full_name: name,
                sex: Sex::Female,
                birth_date: day(1980),
                admitted_on: day(2008),
                standing: Standing::Official,
                national_id: &id,
                phone: None,
                unit: &branch,
            };
            people.push(registry.member(&member).expect("registers"));
        }
        registry.save().await.expect("saves");
        // As the previous version wrote them.
        for (member, name, order, given) in [
            (people[0], "H'Hen Êban", "eban h'hen eban", "eban"),
            (people[1], "K’Brơi", "k’broi k’broi", "k’broi"),
            (people[3], "\u{d0}ỗ Văn \u{d0}ăng", "ðang ðo van ðang", "ðang"),
        ] {
            let sql = "UPDATE $member SET full_name = $name, sort_key = $order, given = $given, twin_key = $given";
            let vars = vars! { member: record("member", member), name: name, order: order, given: given };
            backend.store().write(sql, vars).await.expect("writes");
        }
        let sql = "UPDATE $member SET birth_date = 'unknown', sort_key = 'x'";
        backend.store().write(sql, vars! { member: record("member", people[4]) }).await.expect("writes");
        let forget = vars! { done: record("upkeep", RULES) };
        backend.store().write("DELETE $done; DELETE flaw;", forget).await.expect("writes");

        backend.members().refold().await.expect("rewrites the readable records");
        let grants = vec![Grant { role: Role::Registrar, path: province.path.clone() }];
        let standpoint = Standpoint { branch: branch.path.clone(), standing: Standing::Official, grants };
        let viewer = domain::accounts::Viewer {
            member: people[0],
            name: String::new(),
            branch,
            standpoint,
            offices: Vec::new(),
            resting: Vec::new(),
        };
        for (typed, found) in [("h hen", 1), ("K'Broi", 1), ("do van dang", 2)] {
            let page = backend.members().search(&viewer, typed, None, None).await.expect("a page");
            assert_eq!(page.members.len(), found, "{typed}");
        }
        let page = backend.members().quality(&viewer, Some(QualityIssue::Twin), None).await.expect("a page");
        assert_eq!(page.counts[&QualityIssue::Twin], 2, "duplicates are found too");
    }
}
