//! Display of an opinion's state.

use domain::feedback::{Opinion, OpinionState};
use leptos::prelude::*;

use super::answer_by;
use crate::{
    i18n::use_locale,
    terms, text,
    ui::{Card, IconName, Line, Step, StepBar, Tag, Tone},
};

/// The state as a tag, for rows.
#[component]
pub(crate) fn OpinionStateTag(state: OpinionState) -> impl IntoView {
    let label = terms::opinion_state(use_locale(), state);
    match state {
        OpinionState::Received => view! { <Tag label icon=IconName::Inbox/> },
        OpinionState::Seen => view! { <Tag label icon=IconName::Eye tone=Tone::Info/> },
        OpinionState::Answered | OpinionState::Resolved => view! { <Tag label icon=IconName::Check tone=Tone::Ok/> },
    }
}

/// All states, with their times.
#[component]
pub(super) fn OpinionSteps(opinion: Opinion) -> impl IntoView {
    let l = use_locale();
    let step = |state, note: Option<Line>| Step::new(terms::opinion_state(l, state), note);
    let answered = opinion.answer.map(|answer| answer_by(l, &answer));
    let mut steps = vec![
        step(OpinionState::Received, Some(l.date_time(opinion.sent_at).into())),
        step(OpinionState::Seen, opinion.seen_at.map(|at| l.date_time(at).into())),
        step(OpinionState::Answered, answered),
    ];
    if opinion.state == OpinionState::Resolved {
        steps.push(step(OpinionState::Resolved, None));
    }
    let current = match opinion.state {
        OpinionState::Received => 0,
        OpinionState::Seen => 1,
        // A final state: all steps are done.
        OpinionState::Answered | OpinionState::Resolved => steps.len(),
    };
    view! {
        <Card title=text::feedback::where_it_is(l)>
            <StepBar steps current current_word=text::feedback::now_here(l) done_word=text::feedback::done(l)/>
        </Card>
    }
}
