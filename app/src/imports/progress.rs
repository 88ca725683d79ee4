//! How far an import is. With script the figure follows the work; without, the page is looked at again.

use std::time::Duration;

use domain::{
    Locale,
    ids::ImportId,
    imports::{ImportPage, ImportState, Progress},
};
use leptos::{prelude::*, task::spawn_local};

use super::fns::progress;
use crate::{
    error::AppError,
    text,
    ui::{Card, IconName, LinkButton, Progress as ProgressBar},
};

/// How often the browser asks.
const EVERY: Duration = Duration::from_secs(1);

/// The bar of an import at work. When the work is over, `data` is fetched anew.
pub(super) fn at_work(l: Locale, page: &ImportPage, data: Resource<Result<ImportPage, AppError>>) -> AnyView {
    let id = page.import.id;
    let state = page.progress.state;
    let now = RwSignal::new(page.progress);
    follow(id, state, now, data);
    let title = match state {
        ImportState::Checking => text::imports::checking_title(l),
        _ => text::imports::running_title(l),
    };
    view! {
        <Card title=title strong=true>
            <div class="stack">
                {move || {
                    let Progress { done, total, .. } = now.get();
                    let told = if total == 0 {
                        text::imports::progress_rows(l, l.number(done))
                    } else {
                        text::imports::progress_of(l, l.number(done), l.number(total))
                    };
                    view! { <ProgressBar value=done max=total.max(done) label=text::imports::progress(l) text=told/> }
                }}
                <p class="muted">{text::imports::at_work_hint(l)}</p>
                <div class="actions">
                    <LinkButton href=format!("/imports/{id}?again=1") icon=IconName::Refresh>{text::imports::refresh(l)}</LinkButton>
                </div>
            </div>
        </Card>
    }
    .into_any()
}

fn follow(id: ImportId, state: ImportState, now: RwSignal<Progress>, data: Resource<Result<ImportPage, AppError>>) {
    // Effects run in the browser only.
    Effect::new(move || {
        let ask = move || {
            spawn_local(async move {
                // A line that broke is tried again in a second; a page that is gone meanwhile has no signals.
                let Ok(fresh) = progress(id.to_string()).await else { return };
                if fresh.state == state {
                    let _ = now.try_set(fresh);
                } else {
                    data.refetch();
                }
            });
        };
        // Refused where there is no clock; then the link is left.
        if let Ok(ticking) = set_interval_with_handle(ask, EVERY) {
            on_cleanup(move || ticking.clear());
        }
    });
}
