//! Requested corrections: the registrar's list, and the decision on one of them.

use domain::{
    Locale,
    forms::FormErrors,
    locale::local_date,
    members::{self, Correction},
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{
    fns::corrections,
    form_page::number_holder,
    transfers_page::{decided_meanwhile, decline_form},
    words,
};
use crate::{
    context::take_echo,
    i18n::use_locale,
    page::show,
    terms::{Labels, all_errors},
    text,
    title::Title,
    ui::{
        Breadcrumbs, Button, Card, Crumb, DescriptionList, EmptyState, ErrorSummary, Fact, Form, IconName, Line, ListRow, Notice,
        NoticeKind, PageHeader, RowList, Whose,
    },
};

const LABELS: Labels = &[("decision", text::members::decision), ("note", text::members::note)];

#[component]
pub fn CorrectionsPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let echo = take_echo("decision");
    let errors = RwSignal::new(echo.clone());
    let asked = Memo::new(move |_| query.with(|query| (query.get("open"), query.get("done"))));
    let data = Resource::new(move || asked.get(), |_| corrections());
    show(data, move |page| {
        let (open, done) = asked.get_untracked();
        let told = match done.as_deref() {
            Some("accepted") => Some(text::members::accepted_done(l)),
            Some("declined") => Some(text::members::declined_done(l)),
            _ => None,
        };
        let told = told.map(|told| view! { <Notice kind=NoticeKind::Ok title=told/> });
        let found = page.waiting.iter().find(|waiting| open.as_deref() == Some(waiting.id.to_string().as_str())).cloned();
        let content = match found {
            Some(correction) => opened(l, correction, echo.as_ref(), errors),
            None => {
                let unsent = decided_meanwhile(l, echo.as_ref());
                view! { {unsent} {list(l, page)} }.into_any()
            }
        };
        let crumbs = vec![Crumb::link(text::frame::members(l), "/members"), Crumb::here(text::members::corrections_title(l))];
        view! {
            <Title text=text::members::corrections_title(l)/>
            <div class="page page-narrow">
                <Breadcrumbs label=text::members::way(l) crumbs/>
                <PageHeader title=text::members::corrections_title(l) lead=text::members::corrections_lead(l)/>
                {told}
                {content}
            </div>
        }
        .into_any()
    })
}

fn list(l: Locale, page: members::CorrectionsPage) -> AnyView {
    if page.waiting.is_empty() {
        return view! {
            <EmptyState title=text::members::no_corrections_title(l) text=text::members::no_corrections(l) icon=IconName::CheckCircle/>
        }
        .into_any();
    }
    let shown = u64::try_from(page.waiting.len()).unwrap_or(u64::MAX);
    let first_only = (page.count > shown)
        .then(|| view! { <p class="muted">{text::members::first_only(l, l.number(shown), l.number(page.count))}</p> });
    let rows = page.waiting.into_iter().map(move |correction| {
        let when = l.date(local_date(correction.requested_at));
        view! {
            <ListRow
                href=format!("/corrections?open={}", correction.id)
                title=correction.name
                whose=Whose::Name
                eyebrow=text::members::wants_corrected(l, words::correction_field(l, correction.field))
                meta=Line::name(correction.branch).and(when)
            />
        }
    });
    view! { {first_only} <RowList>{rows.collect_view()}</RowList> }.into_any()
}

fn opened(l: Locale, correction: Correction, echo: Option<&FormErrors>, errors: RwSignal<Option<FormErrors>>) -> AnyView {
    let field = correction.field;
    let now = correction.now.as_deref().map_or_else(|| text::members::not_recorded(l).into(), |now| words::value(l, field, now));
    let id = correction.id.to_string();
    let member = format!("/members/{}", correction.member);
    let wanted = words::value(l, field, &correction.wanted);
    let decline = decline_form(l, "/api/members/decide_correction", id.clone(), echo, errors);
    let holder = number_holder(l, echo);
    view! {
        <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, errors, LABELS)/>
        {holder}
        <Card title=words::correction_field(l, field) strong=true>
            <DescriptionList>
                <Fact label=text::members::who(l) whose=Whose::Name><a href=member>{correction.name}</a></Fact>
                <Fact label=text::members::branch(l) whose=Whose::Name>{correction.branch}</Fact>
                <Fact label=text::members::now(l)>{now.show()}</Fact>
                <Fact label=text::members::wanted(l)><strong>{wanted.show()}</strong></Fact>
                <Fact label=text::members::reason(l) whose=Whose::Content>{correction.reason}</Fact>
                <Fact label=text::members::asked(l)>{l.date_time(correction.requested_at)}</Fact>
            </DescriptionList>
            <div id="decision">
                <Form action="/api/members/decide_correction" failed=text::frame::network_failed(l) errors>
                    <input type="hidden" name="id" value=id/>
                    <input type="hidden" name="decision" value="accept"/>
                    <p class="muted small">{text::members::accept_hint(l)}</p>
                    <div class="actions">
                        <Button wide=true icon=IconName::Check>{text::members::accept(l)}</Button>
                    </div>
                </Form>
            </div>
        </Card>
        {decline}
    }
    .into_any()
}
