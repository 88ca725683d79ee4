//! Numbers to look at: big figures, bars, progress. Drawn on the server; every number is also there as text.

use leptos::prelude::*;

use super::{
    MaybeText,
    icon::{Icon, IconName},
    line::Line,
};

/// Where a figure is going, shown as an arrow beside the words of its note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trend {
    Up,
    Down,
}

/// Holds [`BigFigure`]s.
#[component]
pub fn Figures(children: Children) -> impl IntoView {
    view! { <dl class="figures">{children()}</dl> }
}

/// One number that matters. It may change while the page is open.
#[component]
pub fn BigFigure(
    #[prop(into)] label: String,
    /// Already written in the person's digits.
    #[prop(into)]
    value: Signal<String>,
    #[prop(optional, into)] note: Signal<Option<String>>,
    #[prop(optional_no_strip)] trend: Option<Trend>,
) -> impl IntoView {
    let arrow = trend.map(|trend| match trend {
        Trend::Up => IconName::TrendUp,
        Trend::Down => IconName::TrendDown,
    });
    let note = move || {
        note.get().map(|note| {
            view! {
                <dd class="figure-note">
                    {arrow.map(|name| view! { <Icon name/> })}
                    <span>{note}</span>
                </dd>
            }
        })
    };
    view! {
        <div class="figure">
            <dt class="figure-label">{label}</dt>
            <dd class="figure-value">{move || value.get()}</dd>
            {note}
        </div>
    }
}

/// One bar of a [`BarChart`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    pub label: Line,
    pub value: u64,
    /// The value as the person reads it, e.g. "1.204 (48%)".
    pub text: String,
    /// Where more is told of it.
    pub href: Option<String>,
}

/// Bars side by side, one a row, so that names of any length and letters of any size fit. The text is the chart for
/// those who do not see it; the drawing adds nothing they miss.
#[component]
pub fn BarChart(
    #[prop(into)] title: String,
    /// One sentence that says what the bars tell.
    #[prop(optional, into)]
    summary: MaybeText,
    bars: Vec<Bar>,
    /// Full length; the largest value unless given.
    #[prop(optional_no_strip)]
    max: Option<u64>,
    /// The bars show what is missing.
    #[prop(optional)]
    warn: bool,
) -> impl IntoView {
    let max = max.or_else(|| bars.iter().map(|bar| bar.value).max()).unwrap_or_default();
    let rows = bars
        .into_iter()
        .map(|Bar { label, value, text, href }| {
            let label = match href {
                Some(href) => view! { <a class="bar-label" href=href>{label.show()}</a> }.into_any(),
                None => view! { <span class="bar-label">{label.show()}</span> }.into_any(),
            };
            view! {
                <li class="bar">
                    {label}
                    <span class="bar-value">{text}</span>
                    // An attribute and not a style: the content security policy forbids inline styles.
                    <svg class="bar-track" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
                        <rect class="bar-fill" width=per_mille(value, max) height="10"></rect>
                    </svg>
                </li>
            }
        })
        .collect_view();
    view! {
        <figure class=if warn { "chart chart-warn" } else { "chart" }>
            <figcaption>
                <p class="chart-title">{title}</p>
                {summary.0.map(|summary| view! { <p class="chart-summary">{summary}</p> })}
            </figcaption>
            <ul class="bars" role="list">{rows}</ul>
        </figure>
    }
}

/// How much of something is done.
#[component]
pub fn Progress(
    value: u64,
    max: u64,
    #[prop(into)] label: String,
    /// The numbers in words, e.g. "3 of 5 read".
    #[prop(into)]
    text: String,
) -> impl IntoView {
    view! {
        <label class="progress">
            <span class="progress-label">{label}</span>
            <span class="progress-text">{text}</span>
            <progress max=max.max(1).to_string() value=value.min(max).to_string()></progress>
        </label>
    }
}

/// A share as a short bar before the words that say it.
#[component]
pub fn ShareBar(value: u64, max: u64) -> impl IntoView {
    view! {
        <svg class="share-bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
            <rect class="bar-fill" width=per_mille(value, max) height="10"></rect>
        </svg>
    }
}

/// `value` of `max` in thousandths, never beyond the whole; 0 of 0 is nothing.
fn per_mille(value: u64, max: u64) -> String {
    let share = u128::from(value.min(max)) * 1000 / u128::from(max.max(1));
    share.to_string()
}

#[cfg(test)]
mod tests {
    use super::per_mille;

    #[test]
    fn bars_never_leave_their_track() {
        assert_eq!(per_mille(0, 0), "0");
        assert_eq!(per_mille(1, 2), "500");
        assert_eq!(per_mille(5, 2), "1000");
        assert_eq!(per_mille(u64::MAX, u64::MAX), "1000");
    }
}
