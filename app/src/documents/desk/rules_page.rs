//! Whether authors may approve their own texts: the rule of one unit's desk.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{fns::rules, parts::way_back};
use crate::{
    i18n::use_locale,
    page::show,
    text,
    title::Title,
    ui::{Button, Choice, Form, IconName, Notice, NoticeKind, PageHeader, RadioGroup},
};

#[component]
pub(crate) fn RulesPage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let query = use_query_map();
    let data = Resource::new(move || params.with(|params| params.get("unit").unwrap_or_default()), rules);
    show(data, move |page| {
        let title = text::desk::rules_title(l, &page.unit.name);
        let is_saved = query.with_untracked(|query| query.get_str("saved").is_some());
        let saved = is_saved.then(|| view! { <Notice kind=NoticeKind::Ok title=text::desk::rules_saved(l)/> });
        let choices =
            vec![Choice::new("no", text::desk::own_approval_no(l)), Choice::new("yes", text::desk::own_approval_yes(l))];
        let value = if page.own_approval { "yes" } else { "no" };
        view! {
            <Title text=title.clone()/>
            <div class="page page-narrow">
                {way_back(l, vec![], text::desk::rules(l))}
                <PageHeader title lead=text::desk::rules_lead(l)/>
                {saved}
                <Form action="/api/documents/set_rules" failed=text::frame::network_failed(l)>
                    <input type="hidden" name="unit" value=page.unit.id.to_string()/>
                    <RadioGroup
                        legend=text::desk::own_approval(l)
                        name="own_approval"
                        choices
                        value=value
                        hint=text::desk::own_approval_hint(l)
                    />
                    <div class="actions">
                        <Button icon=IconName::Check>{text::desk::save_rules(l)}</Button>
                    </div>
                </Form>
            </div>
        }
        .into_any()
    })
}
