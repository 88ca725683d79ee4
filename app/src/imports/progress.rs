//! Progress of an import. With script the page polls (`scripts/look_again.js`); a link reloads it without.

use domain::{
    Locale,
    imports::{ImportPage, ImportState, Progress},
};
use leptos::prelude::*;

use crate::{
    text,
    ui::{Card, IconName, LinkButton, Progress as ProgressBar},
};

/// The progress bar of an active import.
pub(super) fn progress_card(l: Locale, page: &ImportPage) -> AnyView {
    let id = page.import.id;
    let Progress { state, done, total } = page.progress;
    let title = match state {
        ImportState::Checking => text::imports::checking_title(l),
        _ => text::imports::running_title(l),
    };
    let told = if total == 0 {
        text::imports::progress_rows(l, l.number(done))
    } else {
        text::imports::progress_of(l, l.number(done), l.number(total))
    };
    view! {
        <Card title=title strong=true>
            <div class="stack" data-look-again="">
                <ProgressBar value=done max=total.max(done) label=text::imports::progress(l) text=told/>
                <p class="muted">{text::imports::at_work_hint(l)}</p>
                <div class="actions">
                    <LinkButton href=format!("/imports/{id}?again=1") icon=IconName::Refresh>{text::imports::refresh(l)}</LinkButton>
                </div>
            </div>
        </Card>
    }
    .into_any()
}
