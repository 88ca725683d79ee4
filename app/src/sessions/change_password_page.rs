//! Changing the password.

use domain::Locale;
use leptos::prelude::*;

use crate::{
    account::fns::read_own_account,
    context::take_echo,
    frame::way_back,
    i18n::use_locale,
    page::show,
    terms::{Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{Button, ErrorSummary, Form, IconName, PageHeader, PasswordField},
};

const LABELS: Labels = &[("current_password", text::sessions::current_password), ("new_password", text::sessions::new_password)];

#[component]
pub fn ChangePasswordPage() -> impl IntoView {
    let l = use_locale();
    let errors = RwSignal::new(take_echo("password"));
    // Loaded only so that visitors without a session are redirected to the sign-in.
    let data = Resource::new(|| (), |()| read_own_account());
    show(data, move |_| {
        view! {
            <Title text=text::sessions::password_title(l)/>
            <div class="page page-narrow">
                {way_back(text::account::more_title(l), "/more", text::sessions::password_title(l))}
                <PageHeader title=text::sessions::password_title(l) lead=text::sessions::password_lead(l)/>
                <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, errors, LABELS)/>
                <Form action="/api/account/change_password" failed=text::frame::network_failed(l) errors>
                    <PasswordField
                        label=text::sessions::current_password(l)
                        name="current_password"
                        error=field_error(l, errors, LABELS, "current_password")
                        show_label=text::account::show_password(l)
                        hide_label=text::account::hide_password(l)
                    />
                    <PasswordField
                        label=text::sessions::new_password(l)
                        name="new_password"
                        hint=text::sessions::new_password_hint(l)
                        error=field_error(l, errors, LABELS, "new_password")
                        show_label=text::account::show_password(l)
                        hide_label=text::account::hide_password(l)
                        autocomplete="new-password"
                    />
                    {submit(l)}
                </Form>
            </div>
        }
        .into_any()
    })
}

fn submit(l: Locale) -> AnyView {
    view! {
        <div class="actions">
            <Button wide=true icon=IconName::Key>{text::sessions::change_password(l)}</Button>
        </div>
    }
    .into_any()
}
