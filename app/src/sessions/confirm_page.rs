//! Entering the password again, which reactivates suspended offices.

use domain::{Locale, accounts::Viewer};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::{
    account::fns::read_own_account,
    context::take_echo,
    frame::way_home,
    i18n::use_locale,
    page::show,
    terms::{self, Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{Button, DescriptionList, ErrorSummary, Fact, Form, IconName, PageHeader, PasswordField},
};

const LABELS: Labels = &[("password", text::account::password)];

#[component]
pub fn ConfirmPage() -> impl IntoView {
    let l = use_locale();
    let errors = RwSignal::new(take_echo("confirm"));
    let next = use_query_map().read_untracked().get("next").unwrap_or_else(|| "/".to_owned());
    let data = Resource::new(|| (), |()| read_own_account());
    show(data, move |own| {
        let next = next.clone();
        view! {
            <Title text=text::sessions::confirm_title(l)/>
            <div class="page page-narrow">
                {way_home(text::sessions::confirm_title(l))}
                <PageHeader title=text::sessions::confirm_title(l) lead=text::sessions::confirm_lead(l)/>
                {resting(l, own.viewer)}
                <ErrorSummary title=text::sessions::confirm_errors(l) items=all_errors(l, errors, LABELS)/>
                <Form action="/api/account/confirm_password" failed=text::frame::network_failed(l) errors>
                    <input type="hidden" name="next" value=next/>
                    <PasswordField
                        label=text::account::password(l)
                        name="password"
                        error=field_error(l, errors, LABELS, "password")
                        show_label=text::account::show_password(l)
                        hide_label=text::account::hide_password(l)
                    />
                    <div class="actions">
                        <Button wide=true icon=IconName::Key>{text::sessions::confirm_button(l)}</Button>
                    </div>
                </Form>
            </div>
        }
        .into_any()
    })
}

fn resting(l: Locale, viewer: Viewer) -> Option<AnyView> {
    let offices: Vec<_> = viewer
        .resting
        .into_iter()
        .map(|office| view! { <p>{text::account::office(l, terms::role_at(l, office.role, office.unit.kind), office.unit.name)}</p> })
        .collect();
    (!offices.is_empty())
        .then(|| view! { <DescriptionList><Fact label=text::sessions::resting(l)>{offices}</Fact></DescriptionList> }.into_any())
}
