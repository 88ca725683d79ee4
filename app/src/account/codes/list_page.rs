//! The branches for whose members the viewer may issue codes: searchable by name or code, with the number of members without a
//! password.

use domain::accounts::codes::CodeBranch;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::fns::list_code_branches;
use crate::{
    frame::way_to_more,
    i18n::use_locale,
    page::show,
    text,
    title::Title,
    ui::{Button, ButtonKind, EmptyState, IconName, ListRow, PageHeader, Pager, RowList, Whose},
};

#[component]
pub fn CodeBranchesPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let asked = Memo::new(move |_| (query.read().get("q").filter(|words| !words.trim().is_empty()), query.read().get("after")));
    let data = Resource::new(move || asked.get(), |(q, after)| list_code_branches(q, after));
    show(data, move |page| {
        let (words, _) = asked.get_untracked();
        // The search terms are kept in the link to the next page.
        let kept =
            words.as_deref().map(leptos_router::location::Url::escape).map(|words| format!("&q={words}")).unwrap_or_default();
        let next = page.next.map(|after| format!("/codes?after={after}{kept}"));
        let row = |CodeBranch { unit, waiting }| {
            let meta =
                if waiting == 0 { text::codes::nobody_waits(l).to_owned() } else { text::codes::waiting(l, waiting.into()) };
            view! { <ListRow href=format!("/units/{}/codes", unit.id) title=unit.name whose=Whose::Name meta/> }
        };
        let none = page.units.is_empty().then(|| {
            view! { <EmptyState title=text::units::none_found_title(l) text=text::units::none_found(l) icon=IconName::Layers/> }
        });
        let rows = page.units.into_iter().map(row).collect_view();
        view! {
            <Title text=text::codes::list_title(l)/>
            <div class="page page-narrow">
                {way_to_more(text::codes::list_title(l))}
                <PageHeader
                    title=text::codes::list_title(l)
                    eyebrow=text::codes::waiting(l, page.waiting.into())
                    lead=text::codes::list_lead(l)
                />
                <form class="search" role="search" method="get" action="/codes">
                    <label class="visually-hidden" for="q">{text::codes::search(l)}</label>
                    <input
                        class="input"
                        type="search"
                        name="q"
                        id="q"
                        value=words.unwrap_or_default()
                        placeholder=text::codes::search(l)
                    />
                    <Button kind=ButtonKind::Secondary icon=IconName::Search>{text::units::go_search(l)}</Button>
                </form>
                {none}
                <RowList>{rows}</RowList>
                <Pager next_href=next label=text::codes::next_branches(l)/>
            </div>
        }
        .into_any()
    })
}
