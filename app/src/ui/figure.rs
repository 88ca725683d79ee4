//! Figures: large numbers, bars, progress. Rendered on the server; every number is also available as text.

use leptos::prelude::*;

use super::{
    MaybeText,
    icon::{Icon, IconName},
    line::Line,
};

/// Trend of a figure, shown as an arrow beside its note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trend {
    Up,
    Down,
}

/// Container for [`BigFigure`]s.
#[component]
pub fn Figures(children: Children) -> impl IntoView {
    view! { <dl class="figures">{children()}</dl> }
}

/// A key figure. It may change while the page is open.
#[component]
pub fn BigFigure(
    #[prop(into)] label: String,
    /// Formatted in the viewer's locale.
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
    /// The formatted value, e.g. "1.204 (48%)".
    pub text: String,
    /// Link to details.
    pub href: Option<String>,
}

/// Horizontal bars, one per row, so that names of any length and fonts of any size fit. The text is the accessible content; the
/// drawing is decorative.
#[component]
pub fn BarChart(
    #[prop(into)] title: String,
    /// A one-sentence summary of the chart.
    #[prop(optional, into)]
    summary: MaybeText,
    bars: Vec<Bar>,
    /// Value of a full bar; the largest value by default.
    #[prop(optional_no_strip)]
    max: Option<u64>,
    /// The bars show a shortfall.
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
                    // An attribute instead of a style: the content security policy forbids inline styles.
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

/// A progress bar.
#[component]
pub fn Progress(
    value: u64,
    max: u64,
    #[prop(into)] label: String,
    /// The progress in words, e.g. "3 of 5 read".
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

/// A share as a short bar before its text.
#[component]
pub fn ShareBar(value: u64, max: u64) -> impl IntoView {
    view! {
        <svg class="share-bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
            <rect class="bar-fill" width=per_mille(value, max) height="10"></rect>
        </svg>
    }
}

/// `value` of `max` in thousandths, at most 1000; 0 of 0 is 0.
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
