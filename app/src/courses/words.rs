//! Display texts of course values.

use domain::{
    Locale,
    courses::{CourseState, Progress, QuizRules, Score, Tries},
};
use leptos::prelude::*;

use crate::{
    text,
    ui::{IconName, Tag, Tone},
};

pub(super) fn progress_tag(l: Locale, progress: Progress) -> AnyView {
    let (tone, icon, label) = match progress {
        Progress::ToDo => (Tone::Plain, IconName::Circle, text::courses::to_do(l)),
        Progress::Overdue => (Tone::Warn, IconName::Clock, text::courses::overdue(l)),
        Progress::Done => (Tone::Ok, IconName::CheckCircle, text::courses::done(l)),
        Progress::DoneLate => (Tone::Ok, IconName::CheckCircle, text::courses::done_late(l)),
    };
    view! { <Tag tone icon label/> }.into_any()
}

/// The state of a member's tries; their progress where there is nothing to say about tries.
pub(super) fn tries_tag(l: Locale, tries: Tries, progress: Progress) -> AnyView {
    match tries {
        Tries::Left => progress_tag(l, progress),
        Tries::UsedUp => view! { <Tag icon=IconName::Lock label=text::courses::used_up(l)/> }.into_any(),
        Tries::Given => view! { <Tag tone=Tone::Accent icon=IconName::Pencil label=text::courses::try_given(l)/> }.into_any(),
    }
}

pub(super) fn state(l: Locale, state: CourseState) -> &'static str {
    match state {
        CourseState::Draft => text::courses::state_draft(l),
        CourseState::Assigned => text::courses::state_assigned(l),
        CourseState::Ended => text::courses::state_ended(l),
    }
}

pub(super) fn state_tag(l: Locale, of: CourseState) -> AnyView {
    let (tone, icon) = match of {
        CourseState::Draft => (Tone::Warn, IconName::Pencil),
        CourseState::Assigned => (Tone::Ok, IconName::CheckCircle),
        CourseState::Ended => (Tone::Plain, IconName::Lock),
    };
    view! { <Tag tone icon label=state(l, of)/> }.into_any()
}

pub(super) fn pass_mark(l: Locale, rules: QuizRules) -> String {
    l.percent(rules.pass_percent.into(), 100)
}

pub(super) fn minutes(l: Locale, rules: QuizRules) -> String {
    rules.minutes.map_or_else(|| text::courses::no_limit(l).to_owned(), |minutes| text::courses::minutes(l, minutes.into()))
}

pub(super) fn tries(l: Locale, tries: u32) -> String {
    if tries == 0 { text::courses::any_number(l).to_owned() } else { text::courses::tries(l, tries.into()) }
}

/// What to know before a try begins, where its time is limited.
pub(super) fn time_runs(l: Locale, limit: Option<u32>) -> Option<AnyView> {
    limit.map(|minutes| view! { <p class="muted">{text::courses::time_runs(l, minutes.into())}</p> }.into_any())
}

/// `4/5 (80%)`. Rounded down: what is short of the pass mark must not look like it.
pub(super) fn score(l: Locale, score: Score) -> String {
    let reached = (u64::from(score.right) * 100).checked_div(score.total.into()).unwrap_or(0);
    let share = l.percent(reached, 100);
    text::courses::score(l, l.number(score.right), l.number(score.total), share)
}
