//! Step two: how to prove the identity. The choices are the same for everybody.

use leptos::prelude::*;

use super::{on_the_way, step};
use crate::{
    context::take_echo,
    frame::way_back,
    i18n::use_locale,
    sessions::SignInWith,
    terms::{Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{Button, Choice, ErrorSummary, Form, IconName, PageHeader, RadioGroup},
};

const LABELS: Labels = &[("way", text::welcome::way)];

#[component]
pub fn WayPage() -> impl IntoView {
    let l = use_locale();
    let errors = RwSignal::new(take_echo("way"));
    on_the_way(move |_| {
        let ways = vec![
            Choice::new("sms", text::welcome::way_sms(l)).hint(text::welcome::way_sms_hint(l)),
            Choice::new("paper", text::welcome::way_paper(l)).hint(text::welcome::way_paper_hint(l)),
            Choice::new("phone", text::welcome::way_phone(l)).hint(text::welcome::way_phone_hint(l)),
        ];
        view! {
            <Title text=text::welcome::way_title(l)/>
            <div class="page page-narrow">
                {way_back(text::welcome::start_title(l), "/welcome", text::welcome::way_title(l))}
                <PageHeader title=text::welcome::way_title(l) eyebrow=step(l, 2) lead=text::welcome::way_lead(l)/>
                <ErrorSummary title=text::welcome::errors(l) items=all_errors(l, errors, LABELS)/>
                <Form action="/api/account/way" failed=text::frame::network_failed(l) errors>
                    <RadioGroup legend=text::welcome::way(l) name="way" choices=ways error=field_error(l, errors, LABELS, "way")/>
                    <div class="actions">
                        <Button wide=true icon=IconName::ArrowRight>{text::welcome::next(l)}</Button>
                    </div>
                </Form>
                <SignInWith next="/"/>
            </div>
        }
        .into_any()
    })
}
