//! The cards, printed on A4 and cut apart. The print contains nothing but the cards.

use domain::{
    Locale,
    accounts::codes::{CodeCard, CodeSheet},
};
use leptos::prelude::*;

use super::fns::open_code_sheet;
use crate::{
    error::Kind,
    frame::way_back,
    i18n::use_locale,
    page::show,
    text,
    title::Title,
    ui::{Button, ButtonKind, EmptyState, IconName, Line, LinkButton, PageHeader, content_lang},
};

#[component]
pub fn CodeSheetPage() -> impl IntoView {
    let l = use_locale();
    // An expired sheet has its own message, instead of that of an unknown address.
    let data = Resource::new(
        || (),
        |()| async {
            match open_code_sheet().await {
                Ok(sheet) => Ok(Some(sheet)),
                Err(error) if error.kind == Kind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        },
    );
    show(data, move |sheet| sheet.map_or_else(|| gone(l), |sheet| cards(l, sheet)))
}

fn gone(l: Locale) -> AnyView {
    view! {
        <Title text=text::codes::sheet_title(l)/>
        <div class="page page-narrow">
            {way_back(text::codes::list_title(l), "/codes", text::codes::sheet_title(l))}
            <PageHeader title=text::codes::sheet_title(l)/>
            <EmptyState title=text::codes::sheet_gone_title(l) text=text::codes::sheet_gone(l) icon=IconName::Clock>
                <LinkButton href="/codes">{text::codes::back(l)}</LinkButton>
            </EmptyState>
        </div>
    }
    .into_any()
}

fn cards(l: Locale, sheet: CodeSheet) -> AnyView {
    let count = text::codes::cards(l, sheet.cards.len() as u64);
    let back = format!("/units/{}/codes", sheet.unit.id);
    let unit = sheet.unit.name.clone();
    let expires = text::codes::card_expires(l, l.date(sheet.expires_on));
    let cards = sheet.cards.into_iter().map(|one| card(l, one, &sheet.unit.name, &sheet.address, &expires)).collect_view();
    view! {
        <Title text=text::codes::sheet_title(l)/>
        <div class="page">
            {way_back(Line::name(&unit), &back, text::codes::sheet_title(l))}
            <div class="stack no-print">
                <PageHeader
                    title=text::codes::sheet_title(l)
                    eyebrow=Line::name(unit).and(count)
                    lead=text::codes::sheet_lead(l)
                />
                <div class="actions">
                    <Button button_type="button" icon=IconName::Print attr:hidden=true attr:data-print="true">
                        {text::codes::print(l)}
                    </Button>
                    <LinkButton href=back kind=ButtonKind::Secondary>{text::codes::back(l)}</LinkButton>
                </div>
                <p class="muted">{text::codes::print_hint(l)}</p>
            </div>
            <ul class="code-sheet" role="list">{cards}</ul>
        </div>
    }
    .into_any()
}

fn card(l: Locale, card: CodeCard, unit: &str, address: &str, expires: &str) -> AnyView {
    // Readers need a quiet zone of four modules on each side to detect the code.
    let view_box = format!("-4 -4 {0} {0}", card.qr.width + 8);
    view! {
        <li class="code-card">
            <div class="code-card-head">
                <div>
                    <p class="code-card-name" lang=content_lang() translate="no">{card.name}</p>
                    <p class="code-card-unit" lang=content_lang() translate="no">{unit.to_owned()}</p>
                </div>
                <svg class="code-card-qr" viewBox=view_box aria-hidden="true" shape-rendering="crispEdges">
                    <path d=card.qr.path></path>
                </svg>
            </div>
            <p class="code-card-code" translate="no">{card.code}</p>
            <ol class="code-card-steps">
                <li>{text::codes::card_step_1(l, address)}</li>
                <li>{text::codes::card_step_2(l)}</li>
                <li>{text::codes::card_step_3(l)}</li>
            </ol>
            <p class="code-card-note">{expires.to_owned()}</p>
        </li>
    }
    .into_any()
}
