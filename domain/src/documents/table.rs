//! The state machine of a document's two texts, the one in work and the one that is out, as one table.
//!
//! What is not in it cannot happen. Units that merge or move, authors who leave and reviewers who lose their office change no row: they
//! decide who may take a step, and whether a scheduled text is `Due` or `Held`.

use super::steps::{
    DocumentEvent::{self, Due, Held, Over, Step},
    DocumentStep::{Discard, Edit, Publish, Recall, Revise, Schedule, Submit, WantChanges, Withdraw},
    DraftState, PublicationState,
};

/// In work and out before, what happens, in work and out after.
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
    // A text that was never out.
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
    // What is out, and its correction.
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
    // The end of what is out was known when its successor was scheduled for later, and the approver was asked.
    (SCHEDULED, OUT,   Over,              SCHEDULED, BACK),
    // What was taken back, and its way back. Schedule and Publish ask here: see `DocumentStatus::comes_back`.
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

    /// All statuses that can follow without an event that `leaves_out`.
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
            assert!(known.insert((row.0, row.1, row.2)), "{row:?} is there twice");
        }
    }

    /// Each event, and the statuses it can happen in.
    #[test]
    fn an_event_happens_where_it_means_something() {
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
    fn a_text_in_work_is_gone_only_when_it_went_out_or_was_thrown_away() {
        for from in statuses().filter(|from| from.work.is_some()) {
            for event in DocumentEvent::all() {
                let is_gone = from.then(event).is_some_and(|to| to.work.is_none());
                assert!(!is_gone || matches!(event, Step(Discard | Publish) | Due), "{event:?} in {from:?}");
            }
        }
    }

    /// Whatever happens after a withdrawal, nothing is out until somebody approves: an approval of before does not count.
    #[test]
    fn what_was_withdrawn_stays_so_until_somebody_approves() {
        let approves = |event| matches!(event, Step(Publish | Schedule));
        for from in statuses().filter(|from| from.out == OUT) {
            let withdrawn = from.after(Withdraw).expect("is out");
            assert!(withdrawn.work == NOTHING || withdrawn.work == DRAFT, "{from:?} keeps an approval or a review");
            for to in reached(withdrawn, approves) {
                assert_eq!(to.out, BACK, "{from:?} is out again at {to:?}");
            }
        }
    }

    /// Every pair of events, from every status: after the second one, what the first one decided still holds unless the second
    /// decides the same thing anew.
    #[test]
    fn of_two_events_each_has_its_effect() {
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
                    assert!(to.state().is_some() || second == Step(Discard), "{about}: it is gone");
                }
            }
        }
        assert_eq!(pairs, EVERY_PAIR, "the table has changed: look at every pair again");
    }

    /// Events that can follow one another, over all statuses.
    const EVERY_PAIR: usize = 144;

    /// Two people decide at the same moment. Whoever comes second is refused, or both orders end the same, or the order matters and
    /// one of the two is a withdrawal, an end, or an approval: those name what they looked at.
    #[test]
    fn races_are_decided_by_who_names_what_was_looked_at() {
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
