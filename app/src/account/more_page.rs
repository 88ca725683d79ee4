//! The person, their offices, display settings, and sign-out.

use domain::{
    Locale,
    accounts::{Preferences, TextSize, Theme, Viewer},
    forms::FormErrors,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::fns::{OwnAccount, OwnMenu, read_own_menu};
use crate::{
    context::take_echo,
    frame::StaffMenu,
    i18n::use_locale,
    page::show,
    terms::{self, Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{
        Button, ButtonKind, Card, Choice, DescriptionList, ErrorSummary, Fact, Form, HERE, Icon, IconName, Line, Notice,
        NoticeKind, PageHeader, RadioGroup, Whose,
    },
};

const LABELS: Labels =
    &[("locale", text::account::language), ("text_size", text::account::text_size), ("theme", text::account::theme)];

#[component]
pub fn MorePage() -> impl IntoView {
    let l = use_locale();
    let errors = RwSignal::new(take_echo("preferences"));
    let query = use_query_map();
    let data = Resource::new(|| (), |()| read_own_menu());
    // Hidden as soon as there are problems to correct.
    let saved = move || {
        let shown = query.with(|query| query.get_str("saved").is_some()) && errors.with(Option::is_none);
        shown.then(|| view! { <Notice kind=NoticeKind::Ok title=text::account::saved(l)/> })
    };
    show(data, move |OwnMenu { account: OwnAccount { viewer, preferences }, badges }| {
        view! {
            <Title text=text::account::more_title(l)/>
            <div class="page page-narrow">
                <PageHeader title=text::account::more_title(l)/>
                {saved}
                {about(l, viewer)}
                <StaffMenu badges/>
                <ul class="menu" role="list">
                    <li>
                        <a class="menu-link" href="/record">
                            <Icon name=IconName::Person/>
                            <span>
                                {text::account::own_record(l)} " "
                                <span class="menu-note">{text::account::own_record_note(l)}</span>
                            </span>
                            <Icon name=IconName::Next/>
                        </a>
                    </li>
                    <li>
                        <a class="menu-link" href="/courses">
                            <Icon name=IconName::CheckCircle/>
                            <span>{text::courses::title(l)}</span>
                            <Icon name=IconName::Next/>
                        </a>
                    </li>
                    <li>
                        <a class="menu-link" href="/guides">
                            <Icon name=IconName::Info/>
                            <span>{text::guides::title(l)}</span>
                            <Icon name=IconName::Next/>
                        </a>
                    </li>
                </ul>
                {security_links(l)}
                {preferences_form(l, preferences, errors)}
                {sign_out_form(l)}
            </div>
        }
        .into_any()
    })
}

fn about(l: Locale, viewer: Viewer) -> AnyView {
    let offices: Vec<_> = viewer
        .offices
        .iter()
        .chain(&viewer.resting)
        .map(|office| {
            let held = text::account::office(l, terms::role_at(l, office.role, office.unit.kind), HERE);
            view! { <p>{Line::around(held, &Line::name(&office.unit.name)).show()}</p> }
        })
        .collect();
    let branch = format!("/units/{}", viewer.branch.id);
    view! {
        <Card title=text::account::me(l)>
            <DescriptionList>
                <Fact label=text::account::name(l) whose=Whose::Name>{viewer.name}</Fact>
                <Fact label=text::account::branch(l) whose=Whose::Name><a href=branch>{viewer.branch.name}</a></Fact>
                {(!offices.is_empty()).then(|| view! { <Fact label=text::account::offices(l)>{offices}</Fact> })}
            </DescriptionList>
        </Card>
    }
    .into_any()
}

fn security_links(l: Locale) -> AnyView {
    let links = [
        ("/devices", IconName::Smartphone, text::sessions::devices_title(l)),
        ("/password", IconName::Key, text::sessions::password_title(l)),
    ]
    .map(|(href, icon, label)| {
        view! {
            <li>
                <a class="menu-link" href=href>
                    <Icon name=icon/>
                    <span>{label}</span>
                    <Icon name=IconName::Next/>
                </a>
            </li>
        }
    });
    view! { <ul class="menu" role="list">{links.into_iter().collect_view()}</ul> }.into_any()
}

fn preferences_form(l: Locale, now: Preferences, errors: RwSignal<Option<FormErrors>>) -> AnyView {
    let languages = Locale::ALL.map(|locale| Choice::new(locale.tag(), locale.name()).whose(Whose::In(locale.tag())));
    let sizes = TextSize::ALL.map(|size| {
        let label = match size {
            TextSize::Normal => text::account::text_normal(l),
            TextSize::Large => text::account::text_large(l),
            TextSize::Largest => text::account::text_largest(l),
        };
        Choice::new(size.key(), label)
    });
    let themes = Theme::ALL.map(|theme| match theme {
        Theme::System => Choice::new(theme.key(), text::account::theme_system(l)),
        Theme::Light => Choice::new(theme.key(), text::account::theme_light(l)),
        Theme::Dark => Choice::new(theme.key(), text::account::theme_dark(l)),
    });
    view! {
        <Card title=text::account::preferences(l)>
            <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, errors, LABELS)/>
            // A script saves changes here immediately, see `scripts/reading.js`.
            <div data-saved=text::account::saved(l)>
                <Form action="/api/account/save_preferences" failed=text::frame::network_failed(l) errors>
                    <RadioGroup
                        legend=text::account::text_size(l)
                        name="text_size"
                        choices=sizes.into()
                        value=now.text_size.key()
                        error=field_error(l, errors, LABELS, "text_size")
                        segmented=true
                    />
                    <RadioGroup
                        legend=text::account::theme(l)
                        name="theme"
                        choices=themes.into()
                        value=now.theme.key()
                        hint=text::account::theme_system_hint(l)
                        error=field_error(l, errors, LABELS, "theme")
                        segmented=true
                    />
                    <p class="small muted" role="status"></p>
                    <div class="actions">
                        <Button wide=true icon=IconName::Check>{text::account::save(l)}</Button>
                    </div>
                </Form>
            </div>
            <Form action="/api/account/save_preferences" failed=text::frame::network_failed(l) errors>
                <RadioGroup
                    legend=text::account::language(l)
                    name="locale"
                    choices=languages.into()
                    value=now.locale.tag()
                    error=field_error(l, errors, LABELS, "locale")
                />
                <div class="actions">
                    <Button wide=true icon=IconName::Check>{text::account::save_language(l)}</Button>
                </div>
            </Form>
        </Card>
    }
    .into_any()
}

fn sign_out_form(l: Locale) -> AnyView {
    view! {
        <Card title=text::account::sign_out_title(l)>
            <p class="muted">{text::account::sign_out_text(l)}</p>
            <Form action="/api/account/sign_out" failed=text::frame::network_failed(l)>
                <div class="actions">
                    <Button kind=ButtonKind::Secondary wide=true icon=IconName::SignOut>
                        {text::account::sign_out(l)}
                    </Button>
                </div>
            </Form>
        </Card>
    }
    .into_any()
}
