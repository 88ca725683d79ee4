//! The member's own record ("This is what we hold").

use domain::{
    Locale,
    locale::local_date,
    members::{Correction, CorrectionState},
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{
    facts::{from_to, particulars, postings},
    fns::own_record,
    words,
};
use crate::{
    account::account_changes,
    documents::desk::{has_unsaved, unsaved_notice},
    frame::way_back,
    i18n::use_locale,
    page::show,
    text,
    title::Title,
    ui::{Card, HERE, HeadingLevel, IconName, Line, LinkButton, Notice, NoticeKind, PageHeader, Tag, Tone, content_lang},
};

#[component]
pub fn OwnRecordPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let asked = Memo::new(move |_| query.read().get("asked").is_some());
    let data = Resource::new(move || asked.get(), |_| async { Ok((own_record().await?, has_unsaved(None).await?)) });
    show(data, move |(page, has_unsaved)| {
        let told = asked.get_untracked().then(|| {
            view! {
                <Notice kind=NoticeKind::Ok title=text::members::asked_done(l)>
                    <p>{text::members::asked_done_text(l)}</p>
                </Notice>
            }
        });
        let news =
            page.corrections.iter().filter(|correction| correction.is_news).cloned().map(|correction| decided(l, correction));
        let news: Vec<_> = news.collect();
        let others: Vec<Correction> = page.corrections.into_iter().filter(|correction| !correction.is_news).collect();
        let transfer = page.transfer.map(|transfer| {
            view! {
                <Notice title=text::members::you_are_on_the_way(l) icon=IconName::ArrowRight>
                    <p>{from_to(l, transfer.from, transfer.to).show()}</p>
                </Notice>
            }
        });
        let (facts, postings) = (particulars(l, &page.record), postings(l, &page.record.postings));
        view! {
            <Title text=text::members::own_title(l)/>
            <div class="page page-narrow">
                {way_back(text::account::more_title(l), "/more", text::members::own_title(l))}
                <PageHeader title=text::members::own_title(l) lead=text::members::own_lead(l)/>
                {told}
                {account_changes(l, page.account_changes, "/record/trail", text::members::who_looked(l))}
                {news}
                {transfer}
                {has_unsaved.then(|| unsaved_notice(l))}
                <Card title=text::members::what_we_hold(l)>
                    {facts}
                </Card>
                <div class="actions no-print">
                    <LinkButton href="/record/correction" icon=IconName::Pencil wide=true>{text::members::ask_correction(l)}</LinkButton>
                </div>
                {postings}
                {requests(l, others)}
                <Notice title=text::members::who_sees_title(l) icon=IconName::Lock>
                    <p>{text::members::who_sees(l)}</p>
                    <p><a href="/record/trail">{text::members::who_looked(l)}</a></p>
                </Notice>
            </div>
        }
        .into_any()
    })
}

/// A decision that the member has not seen.
fn decided(l: Locale, correction: Correction) -> AnyView {
    let field = words::correction_field(l, correction.field);
    let (kind, title) = match correction.state {
        CorrectionState::Accepted => (NoticeKind::Ok, text::members::news_accepted(l, field)),
        CorrectionState::Declined | CorrectionState::Requested => (NoticeKind::Info, text::members::news_declined(l, field)),
    };
    let note = correction.note.map(|note| view! { <p class="quote" lang=content_lang()>{note}</p> });
    view! { <Notice kind title>{note}</Notice> }.into_any()
}

/// The member's requests, newest first.
fn requests(l: Locale, corrections: Vec<Correction>) -> Option<AnyView> {
    if corrections.is_empty() {
        return None;
    }
    let items = corrections.into_iter().map(|correction| {
        let tone = match correction.state {
            CorrectionState::Requested => Tone::Plain,
            CorrectionState::Accepted => Tone::Ok,
            CorrectionState::Declined => Tone::Warn,
        };
        let field = words::correction_field(l, correction.field);
        let wanted = words::value(l, correction.field, &correction.wanted);
        let title = Line::around(text::members::request_line(l, field, HERE), &wanted);
        view! {
            <Card title level=HeadingLevel::Three>
                <p class="cluster">
                    <Tag label=words::correction_state(l, correction.state) tone/>
                    <span class="muted small">{l.date(local_date(correction.requested_at))}</span>
                </p>
                {correction.note.map(|note| view! { <p class="quote" lang=content_lang()>{note}</p> })}
            </Card>
        }
    });
    Some(
        view! {
            <section class="stack">
                <h2>{text::members::requests(l)}</h2>
                {items.collect_view()}
            </section>
        }
        .into_any(),
    )
}
