//! Two records side by side: one person, or two? A merge cannot be undone and is confirmed with both names.

use domain::{Locale, forms::FormErrors, members};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{
    facts::{particulars, postings},
    fns::merge_form,
};
use crate::{
    context::take_echo,
    i18n::use_locale,
    page::show,
    terms::{Labels, all_errors},
    text,
    title::Title,
    ui::{
        Breadcrumbs, Button, ButtonKind, Card, Crumb, ErrorSummary, Form, IconName, Line, LinkButton, Notice, NoticeKind,
        PageHeader,
    },
};

const LABELS: Labels = &[("keep", text::members::kept_record)];

#[component]
pub fn MergePage() -> impl IntoView {
    let l = use_locale();
    let (params, query) = (use_params_map(), use_query_map());
    let errors = RwSignal::new(take_echo("merge"));
    let data = Resource::new(
        move || (params.read().get("id").unwrap_or_default(), query.read().get("with").unwrap_or_default()),
        |(keep, with)| merge_form(keep, with),
    );
    show(data, move |page| {
        let is_sure = query.with_untracked(|query| query.get_str("sure").is_some());
        let crumbs = vec![
            Crumb::link(text::frame::members(l), "/members"),
            Crumb::link(Line::name(&page.keep.name), format!("/members/{}", page.keep.id)),
            Crumb::here(text::members::merge_crumb(l)),
        ];
        view! {
            <Title text=text::members::merge_title(l)/>
            <div class="page">
                <Breadcrumbs label=text::members::way(l) crumbs/>
                <PageHeader title=text::members::merge_title(l) lead=text::members::merge_lead(l)/>
                <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, errors, LABELS)/>
                {is_sure.then(|| asked_again(l, &page, errors))}
                <div class="columns">
                    <div class="stack" id="keep">{record(l, text::members::kept_record(l), &page.keep)}</div>
                    <div class="stack">{record(l, text::members::other_record(l), &page.other)}</div>
                </div>
                {(!is_sure).then(|| steps(l, &page, errors))}
            </div>
        }
        .into_any()
    })
}

fn record(l: Locale, title: &'static str, record: &members::Record) -> AnyView {
    let (facts, postings) = (particulars(l, record), postings(l, &record.postings));
    view! {
        <Card title>{facts}</Card>
        {postings}
    }
    .into_any()
}

/// The final confirmation, which names the record that is kept and the one that is merged into it.
fn asked_again(l: Locale, page: &members::MergePage, errors: RwSignal<Option<FormErrors>>) -> AnyView {
    let (keep, with) = (page.keep.id.to_string(), page.other.id.to_string());
    let back = format!("/members/{keep}/merge?with={with}");
    let title = text::members::merge_sure(l, &page.other.name, &page.other.card, &page.keep.name, &page.keep.card);
    view! {
        <Card title strong=true>
            <p>{text::members::merge_warning(l)}</p>
            <Form action="/api/members/merge" failed=text::frame::network_failed(l) errors>
                <input type="hidden" name="keep" value=keep/>
                <input type="hidden" name="with" value=with/>
                <div class="actions">
                    <Button kind=ButtonKind::Danger wide=true icon=IconName::Layers>{text::members::merge_sure_button(l)}</Button>
                    <LinkButton href=back kind=ButtonKind::Secondary icon=IconName::ArrowLeft wide=true>
                        {text::members::merge_back(l)}
                    </LinkButton>
                </div>
            </Form>
        </Card>
    }
    .into_any()
}

fn steps(l: Locale, page: &members::MergePage, errors: RwSignal<Option<FormErrors>>) -> AnyView {
    let (keep, with) = (page.keep.id.to_string(), page.other.id.to_string());
    let turned = format!("/members/{with}/merge?with={keep}");
    let sure = format!("/members/{keep}/merge?with={with}&sure=1");
    let apart = view! {
        <Form action="/api/members/keep_apart" failed=text::frame::network_failed(l) errors>
            <input type="hidden" name="keep" value=keep/>
            <input type="hidden" name="with" value=with/>
            <div class="actions">
                <Button kind=ButtonKind::Secondary wide=true icon=IconName::People>{text::members::keep_apart(l)}</Button>
            </div>
        </Form>
    };
    view! {
        <div class="columns">
            <Card title=text::members::one_person(l) strong=true>
                <Notice kind=NoticeKind::Warn title=text::members::merge_warning_title(l)>
                    <p>{text::members::merge_warning(l)}</p>
                </Notice>
                <div class="actions">
                    <LinkButton href=sure kind=ButtonKind::Primary icon=IconName::Layers wide=true>{text::members::merge(l)}</LinkButton>
                </div>
                <LinkButton href=turned kind=ButtonKind::Quiet icon=IconName::Refresh>{text::members::turn_round(l)}</LinkButton>
            </Card>
            <Card title=text::members::two_people(l)>
                <p>{text::members::two_people_text(l)}</p>
                {apart}
            </Card>
        </div>
    }
    .into_any()
}
