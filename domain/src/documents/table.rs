//! The state machine of a document's two texts, in work and out, as one table.
//!
//! Transitions that are not listed cannot happen. A merge or move of units, or authors and reviewers who lose their office,
//! change no row: they decide who may take a step, and whether a scheduled text is `Due` or `Held`.

use super::steps::{
    DocumentEvent::{self, Due, Held, Over, Step},
    DocumentStep::{Discard, Edit, Publish, Recall, Revise, Schedule, Submit, WantChanges, Withdraw},
    DraftState, PublicationState,
};

/// In work and out before, the event, in work and out after.
pub(super) type Row = (Option<DraftState>, Option<PublicationState>, DocumentEvent, Option<DraftState>, Option<PublicationState>);

const NOTHING: Option<DraftState> = None;
const DRAFT: Option<DraftState> = Some(DraftState::Draft);
const REVIEW: Option<DraftState> = Some(DraftState::InReview);
const SCHEDULED: Option<DraftState> = Some(DraftState::Scheduled);

const NEVER: Option<PublicationState> = None;
const OUT: Option<PublicationState> = Some(PublicationState::Published);
const BACK: Option<PublicationState> = Some(PublicationState::Withdrawn);

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    // Never published.
    (DRAFT,     NEVER, Step(Edit),        DRAFT,     NEVER),
    (DRAFT,     NEVER, Step(Discard),     NOTHING,   NEVER),
    (DRAFT,     NEVER, Step(Submit),      REVIEW,    NEVER),
    (REVIEW,    NEVER, Step(Recall),      DRAFT,     NEVER),
    (REVIEW,    NEVER, Step(WantChanges), DRAFT,     NEVER),
    (REVIEW,    NEVER, Step(Schedule),    SCHEDULED, NEVER),
    (REVIEW,    NEVER, Step(Publish),     NOTHING,   OUT),
    (SCHEDULED, NEVER, Step(Recall),      DRAFT,     NEVER),
    (SCHEDULED, NEVER, Step(Publish),     NOTHING,   OUT),
    (SCHEDULED, NEVER, Due,               NOTHING,   OUT),
    (SCHEDULED, NEVER, Held,              DRAFT,     NEVER),
    // Published, with or without a correction in work.
    (NOTHING,   OUT,   Step(Revise),      DRAFT,     OUT),
    (NOTHING,   OUT,   Step(Withdraw),    NOTHING,   BACK),
    (NOTHING,   OUT,   Over,              NOTHING,   BACK),
    (DRAFT,     OUT,   Step(Edit),        DRAFT,     OUT),
    (DRAFT,     OUT,   Step(Discard),     NOTHING,   OUT),
    (DRAFT,     OUT,   Step(Submit),      REVIEW,    OUT),
    (DRAFT,     OUT,   Step(Withdraw),    DRAFT,     BACK),
    (DRAFT,     OUT,   Over,              DRAFT,     BACK),
    (REVIEW,    OUT,   Step(Recall),      DRAFT,     OUT),
    (REVIEW,    OUT,   Step(WantChanges), DRAFT,     OUT),
    (REVIEW,    OUT,   Step(Schedule),    SCHEDULED, OUT),
    (REVIEW,    OUT,   Step(Publish),     NOTHING,   OUT),
    (REVIEW,    OUT,   Step(Withdraw),    DRAFT,     BACK),
    (REVIEW,    OUT,   Over,              REVIEW,    BACK),
    (SCHEDULED, OUT,   Step(Recall),      DRAFT,     OUT),
    (SCHEDULED, OUT,   Step(Publish),     NOTHING,   OUT),
    (SCHEDULED, OUT,   Step(Withdraw),    DRAFT,     BACK),
    (SCHEDULED, OUT,   Due,               NOTHING,   OUT),
    (SCHEDULED, OUT,   Held,              DRAFT,     OUT),
    // The expiry was known when the successor was scheduled for a later time, and the approver was asked.
    (SCHEDULED, OUT,   Over,              SCHEDULED, BACK),
    // Withdrawn, and possibly on the way back. Schedule and Publish ask for confirmation: see `DocumentStatus::comes_back`.
    (NOTHING,   BACK,  Step(Revise),      DRAFT,     BACK),
    (DRAFT,     BACK,  Step(Edit),        DRAFT,     BACK),
    (DRAFT,     BACK,  Step(Discard),     NOTHING,   BACK),
    (DRAFT,     BACK,  Step(Submit),      REVIEW,    BACK),
    (REVIEW,    BACK,  Step(Recall),      DRAFT,     BACK),
    (REVIEW,    BACK,  Step(WantChanges), DRAFT,     BACK),
    (REVIEW,    BACK,  Step(Schedule),    SCHEDULED, BACK),
    (REVIEW,    BACK,  Step(Publish),     NOTHING,   OUT),
    (SCHEDULED, BACK,  Step(Recall),      DRAFT,     BACK),
    (SCHEDULED, BACK,  Step(Publish),     NOTHING,   OUT),
    (SCHEDULED, BACK,  Due,               NOTHING,   OUT),
    (SCHEDULED, BACK,  Held,              DRAFT,     BACK),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::documents::steps::{DocumentStatus, DocumentStep};

    fn statuses() -> impl Iterator<Item = DocumentStatus> {
        let works = [NOTHING, DRAFT, REVIEW, SCHEDULED];
        works.into_iter().flat_map(|work| [NEVER, OUT, BACK].into_iter().map(move |out| DocumentStatus { work, out }))
    }

    /// All statuses that can be reached without an event for which `leaves_out` is true.
    fn reached(from: DocumentStatus, leaves_out: impl Fn(DocumentEvent) -> bool) -> HashSet<DocumentStatus> {
        let mut known = HashSet::from([from]);
        let mut next = vec![from];
        while let Some(at) = next.pop() {
            for event in DocumentEvent::all().filter(|event| !leaves_out(*event)) {
                next.extend(at.then(event).filter(|to| known.insert(*to)));
            }
        }
        known
    }

    #[test]
    fn a_status_and_an_event_have_one_row() {
        let mut known = HashSet::new();
        for row in TABLE {
            assert!(known.insert((row.0, row.1, row.2)), "{row:?} is listed twice");
        }
    }

    /// Each event, and the statuses in which it can happen.
    #[test]
    fn an_event_happens_in_its_statuses_only() {
        for from in statuses() {
            let DocumentStatus { work, out } = from;
            for event in DocumentEvent::all() {
                let expected = match event {
                    Step(Edit | Discard | Submit) => work == DRAFT,
                    Step(Recall | Publish) => work == REVIEW || work == SCHEDULED,
                    Step(WantChanges | Schedule) => work == REVIEW,
                    Step(Revise) => work == NOTHING && out != NEVER,
                    Due | Held => work == SCHEDULED,
                    Step(Withdraw) | Over => out == OUT,
                };
                assert_eq!(from.then(event).is_some(), expected, "{event:?} in {from:?}");
            }
        }
    }

    #[test]
    fn what_is_out_changes_by_four_events_and_no_other() {
        for from in statuses() {
            for event in DocumentEvent::all() {
                let Some(to) = from.then(event) else { continue };
                let expected = match event {
                    Step(Publish) | Due => OUT,
                    Step(Withdraw) | Over => BACK,
                    _ => from.out,
                };
                assert_eq!(to.out, expected, "{event:?} in {from:?}");
            }
        }
    }

    #[test]
    fn a_text_in_work_ends_only_by_publication_or_discard() {
        for from in statuses().filter(|from| from.work.is_some()) {
            for event in DocumentEvent::all() {
                let is_gone = from.then(event).is_some_and(|to| to.work.is_none());
                assert!(!is_gone || matches!(event, Step(Discard | Publish) | Due), "{event:?} in {from:?}");
            }
        }
    }

    /// After a withdrawal nothing is published until somebody approves: an earlier approval does not count.
    #[test]
    fn a_withdrawn_text_stays_withdrawn_until_somebody_approves() {
        let approves = |event| matches!(event, Step(Publish | Schedule));
        for from in statuses().filter(|from| from.out == OUT) {
            let withdrawn = from.after(Withdraw).expect("is out");
            assert!(withdrawn.work == NOTHING || withdrawn.work == DRAFT, "{from:?} keeps an approval or a review");
            for to in reached(withdrawn, approves) {
                assert_eq!(to.out, BACK, "{from:?} is out again at {to:?}");
            }
        }
    }

    /// Every pair of events, from every status: after the second one, the decision of the first still holds unless the second
    /// makes the same decision again.
    #[test]
    fn each_of_two_events_has_its_effect() {
        let mut pairs = 0;
        for from in statuses() {
            for first in DocumentEvent::all() {
                let Some(between) = from.then(first) else { continue };
                for second in DocumentEvent::all() {
                    let Some(to) = between.then(second) else { continue };
                    pairs += 1;
                    let (about, and) = (format!("{first:?}, {second:?} from {from:?}"), "leads to");
                    if matches!(first, Step(Withdraw) | Over) && to.out == OUT {
                        assert!(matches!(second, Step(Publish) | Due), "{about} {and} {to:?}");
                        assert!(between.comes_back(), "{about}: nobody was asked");
                        assert!(first == Over || second != Due, "{about} {and} {to:?}");
                    }
                    if matches!(first, Step(Recall | WantChanges) | Held) {
                        assert!(to.work == DRAFT || matches!(second, Step(Submit | Discard)), "{about} {and} {to:?}");
                    }
                    if first == Step(Discard) {
                        assert!(to.work == NOTHING || second == Step(Revise), "{about} {and} {to:?}");
                    }
                    assert!(to.state().is_some() || second == Step(Discard), "{about}: it no longer exists");
                }
            }
        }
        assert_eq!(pairs, EVERY_PAIR, "the table has changed: look at every pair again");
    }

    /// Number of event pairs that can happen in a row, over all statuses.
    const EVERY_PAIR: usize = 144;

    /// Two people decide concurrently. The second one is refused, or both orders end in the same status, or the order matters and
    /// one of the two is a withdrawal, an expiry, or an approval: those name the state they were based on.
    #[test]
    fn concurrent_steps_commute_or_name_the_state_they_are_based_on() {
        for from in statuses() {
            for one in DocumentStep::ALL {
                for other in DocumentStep::ALL {
                    let in_order = |first, second| from.after(first).ok().and_then(|at| at.after(second).ok());
                    let (Some(a), Some(b)) = (in_order(one, other), in_order(other, one)) else { continue };
                    let names = |step| matches!(step, Withdraw | Publish);
                    assert!(a == b || names(one) || names(other), "{one:?} and {other:?} from {from:?}: {a:?} or {b:?}");
                }
            }
        }
    }
}
