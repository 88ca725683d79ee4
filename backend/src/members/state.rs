//! Changes of a member's state: left, deceased, transferred to an organisation outside this handbook, or active again.

use chrono::{Days, NaiveDate};
use domain::{
    accounts::Viewer,
    events::{EventBody, MemberChange},
    forms::{FormReader, Problem, day},
    ids::MemberId,
    members::{MemberState, StatePage},
    policy::Action,
};

use super::{MemberRow, Members, edit::UNCHANGED, rows::end_posting};
use crate::{
    Error, Result,
    change::Change,
    store::{StoreError, record, vars},
};

/// The form as typed.
#[derive(Debug, Clone, Copy)]
pub struct StateForm<'f> {
    pub id: &'f str,
    pub version: &'f str,
    pub state: &'f str,
    /// First day of the state.
    pub day: &'f str,
}

impl Members<'_> {
    /// The page on which a state is changed.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::NotAllowed`] as [`Self::form`].
    pub async fn state_page(&self, viewer: &Viewer, id: MemberId) -> Result<StatePage> {
        let row = self.within_reach(viewer, id, Action::ManageMembers).await?;
        let names = self.branch_names([row.unit.as_str()].into_iter()).await?;
        Ok(StatePage {
            next: row.state()?.successors().to_vec(),
            version: row.version(),
            today: self.backend.clock().today(),
            member: row.line(&names)?,
        })
    }

    /// Changes the state from a day on. A member who is no longer active has no posting, office or session; one who becomes
    /// active again is posted to the last branch.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::NotAllowed`] as [`Self::form`]; [`Error::Invalid`] of the form `state`:
    /// [`Problem::Closed`] on `state` when the last branch no longer exists, [`Problem::Stale`] when the record was changed
    /// meanwhile, [`Problem::HeldAbove`] for a member who holds a role outside the viewer's subtree.
    pub async fn set_state(&self, viewer: &Viewer, form: StateForm<'_>) -> Result<MemberId> {
        let id: MemberId = form.id.parse().map_err(|_| Error::NotFound)?;
        let version: u32 = form.version.parse().map_err(|_| Error::NotFound)?;
        let row = self.within_reach(viewer, id, Action::ManageMembers).await?;
        let successors = row.state()?.successors();
        let today = self.backend.clock().today();
        let since = row.posted_from()?;
        let mut reader = FormReader::new("state");
        let state = reader.read("state", form.state, |typed| match MemberState::from_key(typed) {
            _ if typed.is_empty() => Err(Problem::Required),
            Some(state) if successors.contains(&state) => Ok(state),
            _ => Err(Problem::NotOffered),
        });
        let day = reader.read("day", form.day, |typed| {
            let day = day(typed)?;
            if day > today || since.is_some_and(|since| day < since) { Err(Problem::DateRange) } else { Ok(day) }
        });
        let is_open = self.backend.units().tree().named(&row.unit).is_some();
        if state == Some(MemberState::Active) && !is_open {
            reader.refuse("state", Problem::Closed);
        }
        if row.version() != version {
            reader.refuse("state", Problem::Stale);
        }
        let (Some(state), Some(day), true) = (state, day, reader.is_clean()) else {
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        let mut change = Change::default();
        if state != MemberState::Active {
            let Some(guarded) = self.guard(change, viewer, &row, Action::ManageMembers).await? else {
                return Err(reader.refused("state", Problem::HeldAbove).into());
            };
            change = guarded;
        }
        let after = MemberRow { state: state.key().to_owned(), ..row.clone() };
        let quality_issues = self.settled_issues(row.twin_key.as_deref(), &after).await?;
        let body = EventBody::MemberChanged { member: id, change: Some(MemberChange::State(state)) };
        let change = self.enter(change, &row, state, day, viewer).quality_issues(&quality_issues).event(
            self.backend.clock(),
            Some(viewer.member),
            &row.unit_path()?,
            body,
        );
        match self.backend.transact(change).await {
            Ok(_) => Ok(id),
            // The record or the roles changed meanwhile.
            Err(StoreError::Thrown(_)) => Err(reader.refused("state", Problem::Stale).into()),
            Err(error) => Err(error.into()),
        }
    }

    fn enter(&self, change: Change, row: &MemberRow, state: MemberState, day: NaiveDate, viewer: &Viewer) -> Change {
        let clock = self.backend.clock();
        let is_active = state == MemberState::Active;
        let change = change.then(UNCHANGED).bind(vars! {
            member: record("member", &row.id),
            key: row.id.clone(),
            version: i64::from(row.version()),
            next: i64::from(row.version()) + 1,
            state: state.key(),
            day: day.to_string(),
            eve: eve(clock.today()).to_string(),
            today: clock.today().to_string(),
            now: clock.now(),
            by: viewer.member.to_string(),
            posted_from: is_active.then(|| day.to_string()),
        });
        let change = if is_active {
            change
        } else {
            change
                .then(&end_posting("member", "key", "ended", "day"))
                .bind(vars! { ended: record("posting", clock.ulid()) })
                .then(END_OFFICES)
                .then(END_SESSIONS)
                .then(END_REQUESTS)
        };
        change.then("UPDATE $member SET state = $state, posted_from = $posted_from, version = $next RETURN NONE")
    }
}

/// The last day of an office counts, so an office that ends now has the day before as its last day.
pub(super) fn eve(today: NaiveDate) -> NaiveDate {
    today.checked_sub_days(Days::new(1)).unwrap_or(today)
}

/// Ends the roles of the member `$key`.
pub(super) const END_OFFICES: &str = "LET $held = (SELECT VALUE id FROM office WHERE member = $key AND (until = NONE OR until >= $today)); \
                           UPDATE $held SET until = $eve, ended_by = $by RETURN NONE;";

/// Deletes the sessions and devices of the member `$key`, and revokes their paper codes.
pub(super) const END_SESSIONS: &str = "LET $open = (SELECT VALUE id FROM session WHERE member = $key); DELETE $open RETURN NONE; \
     LET $known = (SELECT VALUE id FROM device WHERE member = $key); DELETE $known RETURN NONE; \
     LET $codes = (SELECT VALUE id FROM paper_code WHERE member = $key AND used_at = NONE AND revoked_at = NONE); \
     UPDATE $codes SET revoked_at = $now RETURN NONE;";

/// Closes pending requests of the member `$key`.
pub(super) const END_REQUESTS: &str = "LET $asked = (SELECT VALUE id FROM correction WHERE member = $key AND state = 'requested'); \
     UPDATE $asked SET state = 'declined', decided_by = $by, decided_at = $now RETURN NONE; \
     LET $leaving = (SELECT VALUE id FROM transfer WHERE member = $key AND state = 'requested'); \
     UPDATE $leaving SET state = 'withdrawn', decided_by = $by, decided_at = $now RETURN NONE;";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn queries_at_the_end_of_a_membership_use_an_index() {
        let store = migrated().await;
        for sql in [END_OFFICES, END_SESSIONS, END_REQUESTS] {
            for select in
                sql.split("LET ").filter_map(|part| part.split_once("= (")?.1.split_once(");")).map(|(select, _)| select)
            {
                store.assert_no_scan(select, vars! { key: "01ARZ3NDEKTSV4RRFFQ69G5FAV", today: "2026-11-21" }).await;
            }
        }
    }
}
