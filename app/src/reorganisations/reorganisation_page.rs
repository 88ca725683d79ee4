//! One reorganisation: the preview with its numbers and lists, the confirmation, the progress, the result.

use domain::{
    Locale,
    forms::{FormErrors, Problem},
    units::reorganisation::{self, Hindrance, PlanNumbers, ReorganisationState},
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{
    fns::page,
    list_page::{confirmed, files, started, state_tag},
    lists::lists,
};
use crate::{
    context::take_echo,
    i18n::use_locale,
    page::show,
    terms::{self, Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{
        BigFigure, Breadcrumbs, Button, ButtonKind, Card, Crumb, ErrorSummary, Field, FieldKind, Figures, Form, Icon, IconName,
        LinkButton, Notice, NoticeKind, PageHeader, Progress, Tag, Tone,
    },
};

const DAY_LABELS: Labels = &[("on", text::reorganisations::on)];

#[component]
pub fn ReorganisationPage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let query = use_query_map();
    let day_errors = RwSignal::new(take_echo("reorganisation_day"));
    let refused = take_echo("reorganisation_confirm");
    let asked = Memo::new(move |_| {
        let id = params.read().get("id").unwrap_or_default();
        let query = query.read();
        (id, query.get("list"), query.get("page").and_then(|number| number.parse::<u32>().ok()))
    });
    let data = Resource::new(move || asked.get(), |(id, list, number)| page(id, list, number));
    show(data, move |page| {
        let one = &page.reorganisation;
        let title = text::reorganisations::heading(l, l.date(one.on));
        let crumbs = vec![Crumb::link(text::reorganisations::title(l), "/reorganisations"), Crumb::here(title.clone())];
        let is_sure = query.with_untracked(|query| query.get_str("sure").is_some());
        let body = match one.state {
            ReorganisationState::Previewed | ReorganisationState::Changed if is_sure && page.hindrance.is_none() => {
                sure(l, &page)
            }
            ReorganisationState::Previewed | ReorganisationState::Changed => preview(l, &page, refused.as_ref(), day_errors),
            ReorganisationState::Confirmed | ReorganisationState::Following => progress_card(l, &page),
            ReorganisationState::Done => done(l, &page),
            ReorganisationState::Cancelled => {
                view! { <Notice title=text::reorganisations::cancelled_title(l)/> {again(l, &page)} }.into_any()
            }
        };
        let (tag, eyebrow) = (tag(l, &page), files(one));
        let lead = started(l, one).and(confirmed(l, one));
        view! {
            <Title text=title.clone()/>
            <div class="page">
                <Breadcrumbs label=text::reorganisations::way(l) crumbs/>
                <PageHeader title eyebrow lead>{tag}</PageHeader>
                {body}
            </div>
        }
        .into_any()
    })
}

/// The state. An open reorganisation with refused rows cannot be confirmed.
fn tag(l: Locale, page: &reorganisation::ReorganisationPage) -> AnyView {
    let state = page.reorganisation.state;
    if state.is_open() && page.hindrance == Some(Hindrance::Refused) {
        return view! { <Tag tone=Tone::Warn icon=IconName::Alert label=text::reorganisations::state_refused(l)/> }.into_any();
    }
    if state.is_at_work() {
        // Updated by script together with the progress.
        return view! { <span data-look-again="">{state_tag(l, state)}</span> }.into_any();
    }
    state_tag(l, state)
}

fn preview(
    l: Locale,
    page: &reorganisation::ReorganisationPage,
    refused: Option<&FormErrors>,
    day_errors: RwSignal<Option<FormErrors>>,
) -> AnyView {
    let changed = is_changed(page, refused).then(|| {
        view! {
            <Notice kind=NoticeKind::Warn title=text::reorganisations::changed_title(l)>
                <p>{text::reorganisations::changed_hint(l)}</p>
            </Notice>
        }
    });
    let next = page.hindrance.is_none().then(|| {
        let href = format!("/reorganisations/{}?sure=1", page.reorganisation.id);
        view! {
            <div class="actions">
                <LinkButton href icon=IconName::ArrowRight wide=true>{text::reorganisations::next(l)}</LinkButton>
            </div>
        }
    });
    let figures = figures(l, page.numbers);
    let nothing = match page.hindrance {
        None => text::reorganisations::nothing_written(l),
        Some(_) => text::reorganisations::nothing_yet(l),
    };
    let correct = (page.hindrance == Some(Hindrance::Refused)).then(|| again(l, page));
    view! {
        <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, day_errors, DAY_LABELS)/>
        {changed}
        {page.hindrance.map(|hindrance| hindered(l, page, hindrance))}
        <Card title=text::reorganisations::preview_title(l)>
            <div class="stack">
                {figures}
                <p class="muted">{nothing}</p>
            </div>
        </Card>
        {next}
        {correct}
        {lists(l, page)}
        {other_day(l, page, day_errors)}
        {cancel(l, page)}
    }
    .into_any()
}

/// Whether the plan that was confirmed is not the one of today's tree.
fn is_changed(page: &reorganisation::ReorganisationPage, refused: Option<&FormErrors>) -> bool {
    let is_stale = refused.and_then(|errors| errors.problem("version")).is_some_and(|problem| *problem == Problem::Stale);
    page.reorganisation.state == ReorganisationState::Changed || is_stale
}

fn hindered(l: Locale, page: &reorganisation::ReorganisationPage, hindrance: Hindrance) -> AnyView {
    let (kind, title, hint) = match hindrance {
        Hindrance::Refused => {
            let hint = text::reorganisations::refused_hint(l).to_owned();
            (NoticeKind::Error, text::reorganisations::refused_title(l), Some(hint))
        }
        Hindrance::Nothing => (NoticeKind::Info, text::reorganisations::nothing_title(l), None),
        Hindrance::InFuture => {
            let hint = text::reorganisations::future_hint(l, l.long_date_within(page.reorganisation.on));
            (NoticeKind::Info, text::reorganisations::future_title(l), Some(hint))
        }
        Hindrance::Busy => {
            (NoticeKind::Warn, text::reorganisations::busy_title(l), Some(text::reorganisations::busy_hint(l).to_owned()))
        }
        Hindrance::Importing => {
            let hint = text::reorganisations::importing_hint(l).to_owned();
            (NoticeKind::Warn, text::reorganisations::importing_title(l), Some(hint))
        }
    };
    view! { <Notice kind title>{hint.map(|hint| view! { <p>{hint}</p> })}</Notice> }.into_any()
}

/// The numbers, and what to know of divided units, of those that get a phase and of those that cannot end.
fn figures(l: Locale, numbers: PlanNumbers) -> AnyView {
    let units = format!("{} → {}", l.number(numbers.units_before), l.number(numbers.units_after));
    let always = [
        (text::reorganisations::ended(l), numbers.ended),
        (text::reorganisations::begun(l), numbers.begun),
        (text::reorganisations::moved(l), numbers.moved),
    ];
    let sometimes = [(text::reorganisations::renamed(l), numbers.renamed), (text::reorganisations::recoded(l), numbers.recoded)];
    let members = numbers.members.map(|members| (text::reorganisations::members(l), members));
    let people = [
        (text::reorganisations::branches(l), numbers.branches),
        (text::reorganisations::offices_kept(l), numbers.offices_kept),
        (text::reorganisations::offices_ended(l), numbers.offices_ended),
    ];
    let figures = always
        .into_iter()
        .chain(sometimes.into_iter().filter(|(_, count)| *count > 0))
        .chain(members)
        .chain(people)
        .map(|(label, count)| view! { <BigFigure label value=l.number(count)/> })
        .collect_view();
    let notes = notes(l, numbers).into_iter().map(|note| view! { <p>{note}</p> }).collect_view();
    view! {
        <div class="stack">
            <Figures>
                <BigFigure label=text::reorganisations::units_change(l) value=units/>
                {figures}
            </Figures>
            {notes}
        </div>
    }
    .into_any()
}

fn notes(l: Locale, numbers: PlanNumbers) -> Vec<String> {
    let mut notes = Vec::new();
    if numbers.divided > 0 {
        notes.push(text::reorganisations::divided_note(l, l.number(numbers.divided), l.number(numbers.queued)));
    }
    if numbers.phased > 0 {
        notes.push(text::reorganisations::phased_note(l, l.number(numbers.phased)));
    }
    if numbers.undecided > 0 {
        notes.push(text::reorganisations::undecided_note(l, l.number(numbers.undecided)));
    }
    let [rows, already, refused] = [numbers.rows, numbers.already, numbers.refused].map(|count| l.number(count));
    notes.push(text::reorganisations::sum(l, rows, already, refused));
    notes
}

/// The confirmation, which repeats the numbers.
fn sure(l: Locale, page: &reorganisation::ReorganisationPage) -> AnyView {
    let numbers = page.numbers;
    let title = text::reorganisations::sure_title(l, l.number(numbers.units_before), l.number(numbers.units_after));
    let unknown = || text::reorganisations::sure_members(l).to_owned();
    let members = numbers.members.map_or_else(unknown, |members| terms::members_count(l, members.into()));
    let told = text::reorganisations::sure_text(
        l,
        l.date(page.reorganisation.on),
        l.number(numbers.ended),
        l.number(numbers.begun),
        l.number(numbers.moved),
        members,
        l.number(numbers.offices_kept),
        l.number(numbers.offices_ended),
    );
    let notes = notes(l, numbers).into_iter().map(|note| view! { <p>{note}</p> }).collect_view();
    let (id, version) = (page.reorganisation.id.to_string(), page.version.clone());
    let back = format!("/reorganisations/{id}");
    view! {
        <Card title strong=true>
            <div class="stack">
                <p>{told}</p>
                {notes}
                <Form action="/api/reorganisations/confirm" failed=text::frame::network_failed(l)>
                    <input type="hidden" name="id" value=id/>
                    <input type="hidden" name="version" value=version/>
                    <div class="actions">
                        <Button kind=ButtonKind::Danger wide=true icon=IconName::Layers>
                            {text::reorganisations::sure_button(l)}
                        </Button>
                        <LinkButton href=back kind=ButtonKind::Secondary icon=IconName::ArrowLeft wide=true>
                            {text::reorganisations::sure_back(l)}
                        </LinkButton>
                    </div>
                </Form>
            </div>
        </Card>
    }
    .into_any()
}

/// Another day for the same files, collapsed.
fn other_day(l: Locale, page: &reorganisation::ReorganisationPage, errors: RwSignal<Option<FormErrors>>) -> AnyView {
    let typed = errors.with_untracked(|errors| errors.as_ref().and_then(|errors| errors.value("on").map(str::to_owned)));
    let on = typed.unwrap_or_else(|| page.reorganisation.on.to_string());
    let id = page.reorganisation.id.to_string();
    let is_open = errors.with_untracked(Option::is_some) || page.hindrance == Some(Hindrance::InFuture);
    view! {
        <details class="card fold" open=is_open>
            <summary><h2 class="card-title">{text::reorganisations::other_day(l)}</h2></summary>
            <Form action="/api/reorganisations/set_day" failed=text::frame::network_failed(l) errors>
                <input type="hidden" name="id" value=id/>
                <Field
                    label=text::reorganisations::on(l)
                    name="on"
                    kind=FieldKind::Date
                    value=on
                    hint=text::reorganisations::on_hint(l)
                    error=field_error(l, errors, DAY_LABELS, "on")
                />
                <div class="actions">
                    <Button kind=ButtonKind::Secondary icon=IconName::Refresh>{text::reorganisations::other_day_button(l)}</Button>
                </div>
            </Form>
        </details>
    }
    .into_any()
}

fn cancel(l: Locale, page: &reorganisation::ReorganisationPage) -> AnyView {
    let id = page.reorganisation.id.to_string();
    view! {
        <Form action="/api/reorganisations/cancel" failed=text::frame::network_failed(l)>
            <input type="hidden" name="id" value=id/>
            <div class="actions">
                <Button kind=ButtonKind::Secondary icon=IconName::Close>{text::reorganisations::cancel(l)}</Button>
            </div>
        </Form>
    }
    .into_any()
}

/// A link to the upload form, with the same day.
fn again(l: Locale, page: &reorganisation::ReorganisationPage) -> AnyView {
    let href = format!("/reorganisations/new?on={}", page.reorganisation.on);
    view! {
        <div class="actions">
            <LinkButton href icon=IconName::Upload>{text::reorganisations::again(l)}</LinkButton>
        </div>
    }
    .into_any()
}

/// The progress. With script the page polls (`scripts/look_again.js`); a link reloads it without.
fn progress_card(l: Locale, page: &reorganisation::ReorganisationPage) -> AnyView {
    let id = page.reorganisation.id;
    let reorganisation::ReorganisationProgress { state, done, estimate } = page.progress;
    let title = match state {
        ReorganisationState::Following => text::reorganisations::following_title(l),
        _ => text::reorganisations::confirmed_title(l),
    };
    let told = if estimate == 0 {
        text::reorganisations::updated(l, l.number(done))
    } else {
        text::reorganisations::updated_of(l, l.number(done), l.number(estimate))
    };
    // Nothing has changed yet: it can still be cancelled.
    let cancel = (state == ReorganisationState::Confirmed).then(|| cancel(l, page));
    view! {
        // The title changes with the state, so the script updates the whole card.
        <div data-look-again="">
            <Card title strong=true>
                <div class="stack">
                    <Progress value=done max=estimate.max(done) label=text::imports::progress(l) text=told/>
                    <p class="muted">{text::imports::at_work_hint(l)}</p>
                    <div class="actions">
                        <LinkButton href=format!("/reorganisations/{id}?again=1") icon=IconName::Refresh>
                            {text::imports::refresh(l)}
                        </LinkButton>
                    </div>
                </div>
            </Card>
            // An element of its own, so that the card stays when the button goes.
            <div>{cancel}</div>
        </div>
    }
    .into_any()
}

fn done(l: Locale, page: &reorganisation::ReorganisationPage) -> AnyView {
    let link = |icon: IconName, label: &'static str, href: &'static str| {
        view! {
            <li>
                <a class="menu-link" href=href>
                    <Icon name=icon/>
                    <span>{label}</span>
                    <Icon name=IconName::Next/>
                </a>
            </li>
        }
        .into_any()
    };
    let figures = figures(l, page.numbers);
    let units = link(IconName::Layers, text::reorganisations::to_units(l), "/units");
    let ends = page.numbers.offices_ended > 0;
    let roles = ends.then(|| link(IconName::Key, text::reorganisations::to_roles(l), "/units"));
    let audit = link(IconName::History, text::reorganisations::to_audit(l), "/audit");
    let queue =
        (page.numbers.queued > 0).then(|| link(IconName::Inbox, text::reorganisations::to_queue(l), "/reorganisations/queue"));
    view! {
        <Notice kind=NoticeKind::Ok title=text::reorganisations::done_title(l)>
            <p>{text::reorganisations::done_hint(l)}</p>
        </Notice>
        <Card title=text::reorganisations::result_title(l)>{figures}</Card>
        <Card title=text::reorganisations::next_title(l)>
            <ul class="menu" role="list">
                {queue}
                {roles}
                {units}
                {audit}
            </ul>
        </Card>
    }
    .into_any()
}
