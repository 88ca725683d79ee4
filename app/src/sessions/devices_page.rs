//! The devices on which the person is signed in.

use domain::{Locale, accounts::OpenSession};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{device_words, fns::read_devices};
use crate::{
    frame::way_back,
    i18n::use_locale,
    page::show,
    text,
    title::Title,
    ui::{
        Button, ButtonKind, Card, DescriptionList, Fact, Form, HeadingLevel, IconName, LinkButton, Notice, NoticeKind,
        PageHeader, VisuallyHidden,
    },
};

#[component]
pub fn DevicesPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let data = Resource::new(|| (), |()| read_devices());
    let told = move || {
        let is = |name| query.with(|query| query.get_str(name).is_some());
        if is("changed") {
            let text = text::sessions::changed_text(l);
            Some(view! { <Notice kind=NoticeKind::Ok title=text::sessions::changed(l)><p>{text}</p></Notice> }.into_any())
        } else if is("others_revoked") {
            Some(view! { <Notice kind=NoticeKind::Ok title=text::sessions::others_revoked(l)/> }.into_any())
        } else if is("revoked") {
            Some(view! { <Notice kind=NoticeKind::Ok title=text::sessions::revoked(l)/> }.into_any())
        } else {
            None
        }
    };
    show(data, move |devices| {
        let (here, others): (Vec<_>, Vec<_>) = devices.into_iter().partition(|device| device.is_here);
        view! {
            <Title text=text::sessions::devices_title(l)/>
            <div class="page page-narrow">
                {way_back(text::account::more_title(l), "/more", text::sessions::devices_title(l))}
                <PageHeader title=text::sessions::devices_title(l) lead=text::sessions::devices_lead(l)/>
                {told}
                {here.into_iter().map(|device| this_device(l, device)).collect_view()}
                {other_devices(l, others)}
                <div class="actions">
                    <LinkButton href="/password" kind=ButtonKind::Secondary icon=IconName::Key wide=true>
                        {text::sessions::change_password(l)}
                    </LinkButton>
                </div>
            </div>
        }
        .into_any()
    })
}

fn this_device(l: Locale, device: OpenSession) -> AnyView {
    view! {
        <Card title=text::sessions::this_device(l) strong=true>
            <p>{capitalised(&device_words(l, &device.device))}</p>
            <DescriptionList>
                <Fact label=text::sessions::opened_at(l)>{l.date_time(device.opened_at)}</Fact>
                <Fact label=text::sessions::seen_at(l)>{text::sessions::seen_now(l)}</Fact>
            </DescriptionList>
        </Card>
    }
    .into_any()
}

fn other_devices(l: Locale, devices: Vec<OpenSession>) -> AnyView {
    let several = devices.len() > 1;
    let content = if devices.is_empty() {
        view! { <p class="muted">{text::sessions::no_other_device(l)}</p> }.into_any()
    } else {
        devices.into_iter().map(|device| other_device(l, device)).collect_view().into_any()
    };
    view! {
        <h2>{text::sessions::other_devices(l)}</h2>
        {content}
        {several.then(|| {
            view! {
                <Form action="/api/account/revoke_other_sessions" failed=text::frame::network_failed(l)>
                    <div class="actions">
                        <Button kind=ButtonKind::Secondary wide=true icon=IconName::SignOut>
                            {text::sessions::revoke_others(l)}
                        </Button>
                    </div>
                </Form>
            }
        })}
    }
    .into_any()
}

fn other_device(l: Locale, device: OpenSession) -> AnyView {
    let words = device_words(l, &device.device);
    // Several buttons have the same label, so screen readers are given the difference.
    let which = format!(": {words}, {}", l.date_time(device.opened_at));
    view! {
        <Card title=capitalised(&words) level=HeadingLevel::Three>
            <DescriptionList>
                <Fact label=text::sessions::opened_at(l)>{l.date_time(device.opened_at)}</Fact>
                <Fact label=text::sessions::seen_at(l)>{l.date_time(device.seen_at)}</Fact>
            </DescriptionList>
            <Form action="/api/account/revoke_session" failed=text::frame::network_failed(l)>
                <input type="hidden" name="session" value=device.id.to_string()/>
                <div class="actions">
                    <Button kind=ButtonKind::Secondary wide=true icon=IconName::SignOut>
                        {text::sessions::revoke(l)}
                        <VisuallyHidden>{which.clone()}</VisuallyHidden>
                    </Button>
                </div>
            </Form>
        </Card>
    }
    .into_any()
}

/// The text also occurs within sentences, so it starts with a lower-case letter.
fn capitalised(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
