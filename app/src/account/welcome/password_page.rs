//! The last step: choosing a password.

use leptos::prelude::*;

use super::{begin_again, on_the_way, step};
use crate::{
    context::take_echo,
    frame::way_back,
    i18n::use_locale,
    terms::{Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{Button, ErrorSummary, Form, IconName, PageHeader, PasswordField},
};

const LABELS: Labels = &[("password", text::welcome::password)];

#[component]
pub fn PasswordPage() -> impl IntoView {
    let l = use_locale();
    let errors = RwSignal::new(take_echo("choose"));
    on_the_way(move |activation| {
        if !activation.is_proved {
            return begin_again(l);
        }
        view! {
            <Title text=text::welcome::password_title(l)/>
            <div class="page page-narrow">
                {way_back(text::welcome::way_title(l), "/welcome/way", text::welcome::password_title(l))}
                <PageHeader title=text::welcome::password_title(l) eyebrow=step(l, 4) lead=text::welcome::password_lead(l)/>
                <ErrorSummary title=text::welcome::errors(l) items=all_errors(l, errors, LABELS)/>
                <Form action="/api/account/choose_password" failed=text::frame::network_failed(l) errors>
                    <PasswordField
                        label=text::welcome::password(l)
                        name="password"
                        hint=text::welcome::password_hint(l)
                        error=field_error(l, errors, LABELS, "password")
                        autocomplete="new-password"
                        show_label=text::account::show_password(l)
                        hide_label=text::account::hide_password(l)
                    />
                    <p class="muted">{text::welcome::elsewhere(l)}</p>
                    <div class="actions">
                        <Button wide=true icon=IconName::Check>{text::welcome::save(l)}</Button>
                    </div>
                </Form>
            </div>
        }
        .into_any()
    })
}
