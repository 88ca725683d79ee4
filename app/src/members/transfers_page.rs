//! Pending transfers: incoming ones to accept, outgoing ones to withdraw.

use domain::{
    Locale,
    forms::FormErrors,
    locale::local_date,
    members::{self, Transfer},
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{facts::from_to, fns::transfers};
use crate::{
    context::take_echo,
    i18n::use_locale,
    page::show,
    terms::{Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{
        Breadcrumbs, Button, ButtonKind, Card, Crumb, DescriptionList, EmptyState, ErrorSummary, Fact, Form, HERE, IconName,
        Line, ListRow, Notice, NoticeKind, PageHeader, RowList, TextArea, Unsent, Whose,
    },
};

const LABELS: Labels = &[("decision", text::members::decision), ("note", text::members::note)];

#[component]
pub fn TransfersPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let echo = take_echo("decision");
    let errors = RwSignal::new(echo.clone());
    let asked = Memo::new(move |_| query.with(|query| (query.get("open"), query.get("done"))));
    let data = Resource::new(move || asked.get(), |_| transfers());
    show(data, move |page| {
        let (open, done) = asked.get_untracked();
        let told = done.as_deref().and_then(|done| self::done(l, done));
        let told = told.map(|told| view! { <Notice kind=NoticeKind::Ok title=told/> });
        let is_open = |transfer: &&Transfer| open.as_deref() == Some(transfer.id.to_string().as_str());
        let incoming = page.incoming.iter().find(is_open).cloned();
        let outgoing = page.outgoing.iter().find(is_open).cloned();
        let content = match (incoming, outgoing) {
            (None, None) => {
                let unsent = decided_meanwhile(l, echo.as_ref());
                view! { {unsent} {lists(l, page)} }.into_any()
            }
            (incoming, outgoing) => {
                let is_both = incoming.is_some() && outgoing.is_some();
                let sent_only = incoming.is_none();
                let transfer = incoming.or(outgoing);
                transfer.map_or_else(
                    || ().into_any(),
                    |transfer| {
                        opened(l, transfer, Ends { receives: !sent_only, sends: sent_only || is_both }, echo.as_ref(), errors)
                    },
                )
            }
        };
        let crumbs = vec![Crumb::link(text::frame::members(l), "/members"), Crumb::here(text::members::transfers_title(l))];
        view! {
            <Title text=text::members::transfers_title(l)/>
            <div class="page page-narrow">
                <Breadcrumbs label=text::members::way(l) crumbs/>
                <PageHeader title=text::members::transfers_title(l) lead=text::members::transfers_lead(l)/>
                {told}
                {content}
            </div>
        }
        .into_any()
    })
}

fn done(l: Locale, done: &str) -> Option<&'static str> {
    Some(match done {
        "asked" => text::members::transfer_asked(l),
        "accepted" => text::members::transfer_accepted(l),
        "declined" => text::members::transfer_declined(l),
        "withdrawn" => text::members::transfer_withdrawn(l),
        _ => return None,
    })
}

fn lists(l: Locale, page: members::TransfersPage) -> AnyView {
    let list = |title: &'static str, none: &'static str, transfers: Vec<Transfer>| {
        let rows = if transfers.is_empty() {
            view! { <p class="muted">{none}</p> }.into_any()
        } else {
            let rows = transfers.into_iter().map(move |transfer| {
                let when = l.date(local_date(transfer.requested_at));
                view! {
                    <ListRow
                        href=format!("/transfers?open={}", transfer.id)
                        title=transfer.name
                        whose=Whose::Name
                        eyebrow=when
                        meta=from_to(l, transfer.from, transfer.to)
                    />
                }
            });
            view! { <RowList>{rows.collect_view()}</RowList> }.into_any()
        };
        view! { <Card title>{rows}</Card> }
    };
    if page.incoming.is_empty() && page.outgoing.is_empty() {
        return view! {
            <EmptyState title=text::members::no_transfers_title(l) text=text::members::no_transfers(l) icon=IconName::ArrowRight/>
        }
        .into_any();
    }
    view! {
        {list(text::members::incoming(l), text::members::no_incoming(l), page.incoming)}
        {list(text::members::outgoing(l), text::members::no_outgoing(l), page.outgoing)}
    }
    .into_any()
}

/// The sides of a transfer on which the viewer may act.
#[derive(Clone, Copy)]
struct Ends {
    sends: bool,
    receives: bool,
}

fn opened(l: Locale, transfer: Transfer, ends: Ends, echo: Option<&FormErrors>, errors: RwSignal<Option<FormErrors>>) -> AnyView {
    let id = transfer.id.to_string();
    let asked = text::members::asked_by(l, HERE, l.date_time(transfer.requested_at));
    let asked = Line::around(asked, &Line::name(&transfer.requested_by));
    let planned = (!transfer.phase.is_open()).then(|| {
        let title = text::members::transfer_planned(l, &transfer.to, &transfer.name);
        view! { <Notice kind=NoticeKind::Warn title/> }
    });
    let accept = ends.receives.then(|| {
        let id = id.clone();
        view! {
            <Form action="/api/members/decide_transfer" failed=text::frame::network_failed(l) errors>
                <input type="hidden" name="id" value=id/>
                <input type="hidden" name="decision" value="accept"/>
                <div class="actions">
                    <Button wide=true icon=IconName::Check>{text::members::accept_transfer(l)}</Button>
                </div>
            </Form>
        }
    });
    let decline = ends.receives.then(|| decline_form(l, "/api/members/decide_transfer", id.clone(), echo, errors));
    let withdraw = ends.sends.then(|| {
        view! {
            <Form action="/api/members/decide_transfer" failed=text::frame::network_failed(l) errors>
                <input type="hidden" name="id" value=id/>
                <input type="hidden" name="decision" value="withdraw"/>
                <div class="actions">
                    <Button kind=ButtonKind::Secondary wide=true icon=IconName::Close>{text::members::withdraw_transfer(l)}</Button>
                </div>
            </Form>
        }
    });
    view! {
        <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, errors, LABELS)/>
        {planned}
        <Card title=Line::name(transfer.name) strong=true>
            <DescriptionList>
                <Fact label=text::members::from_branch(l) whose=Whose::Name>{transfer.from}</Fact>
                <Fact label=text::members::to_branch(l) whose=Whose::Name>{transfer.to}</Fact>
                <Fact label=text::members::reason(l) whose=Whose::Content>{transfer.reason}</Fact>
                <Fact label=text::members::asked(l)>{asked.show()}</Fact>
            </DescriptionList>
            // Target of the error summary when the step itself is refused.
            <div class="stack" id="decision">{accept} {withdraw}</div>
        </Card>
        {decline}
    }
    .into_any()
}

/// The decision on a request that is no longer pending; shared with the corrections.
pub(super) fn decided_meanwhile(l: Locale, echo: Option<&FormErrors>) -> Option<AnyView> {
    let echo = echo.filter(|echo| echo.is_stale())?;
    let typed = echo.value("note").unwrap_or_default().to_owned();
    let unsent = view! { <Unsent title=text::members::decided_meanwhile(l) label=text::frame::unsent(l) typed/> };
    Some(unsent.into_any())
}

/// Declining a request, with a required reason; shared with the corrections.
pub(super) fn decline_form(
    l: Locale,
    action: &'static str,
    id: String,
    echo: Option<&FormErrors>,
    errors: RwSignal<Option<FormErrors>>,
) -> AnyView {
    let typed = echo.and_then(|echo| echo.value("note")).map(str::to_owned);
    view! {
        <Card title=text::members::decline_title(l)>
            <Form action failed=text::frame::network_failed(l) errors>
                <input type="hidden" name="id" value=id/>
                <input type="hidden" name="decision" value="decline"/>
                <TextArea
                    label=text::members::note(l)
                    name="note"
                    value=typed
                    hint=text::members::note_hint(l)
                    error=field_error(l, errors, LABELS, "note")
                    rows=3
                />
                <div class="actions">
                    <Button kind=ButtonKind::Secondary wide=true icon=IconName::Close>{text::members::decline(l)}</Button>
                </div>
            </Form>
        </Card>
    }
    .into_any()
}
