//! The branches for whose members one may issue codes.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::fns::list_code_branches;
use crate::{
    i18n::use_locale,
    page::show,
    text,
    title::Title,
    ui::{ListRow, PageHeader, Pager, RowList},
};

#[component]
pub fn CodeBranchesPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let after = Memo::new(move |_| query.read().get("after"));
    let data = Resource::new(move || after.get(), list_code_branches);
    show(data, move |page| {
        let next = page.next.map(|after| format!("/codes?after={after}"));
        let rows = page
            .units
            .into_iter()
            .map(|unit| view! { <ListRow href=format!("/units/{}/codes", unit.id) title=unit.name/> })
            .collect_view();
        view! {
            <Title text=text::codes::list_title(l)/>
            <div class="page page-narrow">
                <PageHeader title=text::codes::list_title(l) lead=text::codes::list_lead(l)/>
                <RowList>{rows}</RowList>
                <Pager next_href=next label=text::codes::next_branches(l)/>
            </div>
        }
        .into_any()
    })
}
