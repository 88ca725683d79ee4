//! Help for people who receive no message: whom to contact. The same for everybody, and independent of an activation.

use leptos::prelude::*;

use crate::{
    frame::way_back,
    i18n::use_locale,
    text,
    title::Title,
    ui::{IconName, LinkButton, PageHeader},
};

#[component]
pub fn PhonePage() -> impl IntoView {
    let l = use_locale();
    view! {
        <Title text=text::welcome::phone_title(l)/>
        <div class="page page-narrow">
            {way_back(text::welcome::way_title(l), "/welcome/way", text::welcome::phone_title(l))}
            <PageHeader title=text::welcome::phone_title(l) lead=text::welcome::phone_lead(l)/>
            <div class="prose">
                <ol>
                    <li>{text::welcome::phone_step_1(l)}</li>
                    <li>{text::welcome::phone_step_2(l)}</li>
                    <li>{text::welcome::phone_step_3(l)}</li>
                </ol>
            </div>
            <div class="actions">
                <LinkButton href="/welcome/way" wide=true icon=IconName::ArrowLeft>{text::welcome::other_way(l)}</LinkButton>
            </div>
        </div>
    }
}
