//! All guides.

use leptos::prelude::*;

use super::fns::list;
use crate::{
    context::use_viewer,
    frame::way_back,
    i18n::use_locale,
    page::show,
    text,
    title::Title,
    ui::{ButtonKind, IconName, LinkButton, ListRow, PageHeader, RowList, Whose},
};

#[component]
pub fn GuidesPage() -> impl IntoView {
    let l = use_locale();
    let signed_in = use_viewer().is_some();
    let data = Resource::new(|| (), move |()| list(l.tag().to_owned()));
    show(data, move |guides| {
        let rows = guides
            .into_iter()
            .map(|guide| view! { <ListRow href=format!("/guides/{}", guide.slug) title=guide.title whose=Whose::Ours meta=guide.lead/> })
            .collect_view();
        let (place, href) =
            if signed_in { (text::account::more_title(l), "/more") } else { (text::account::sign_in_title(l), "/sign-in") };
        let back = way_back(place, href, text::guides::title(l));
        let sign_in = (!signed_in).then(|| {
            view! {
                <p>
                    <LinkButton href="/sign-in" kind=ButtonKind::Quiet icon=IconName::ArrowLeft>
                        {text::guides::to_sign_in(l)}
                    </LinkButton>
                </p>
            }
        });
        view! {
            <Title text=text::guides::title(l)/>
            <div class="page">
                {back}
                <PageHeader title=text::guides::title(l) lead=text::guides::lead(l)/>
                <RowList>{rows}</RowList>
                {sign_in}
            </div>
        }
        .into_any()
    })
}
