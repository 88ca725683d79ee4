//! A document at the desk: a form while it is a draft, read-only in every other state, with the possible next steps.

use domain::{
    Locale,
    difference::DiffPiece,
    documents::{
        LeftOut,
        desk::{self, Held},
        steps::{DocumentState, DocumentStep, DraftState},
    },
    forms::FormErrors,
    ids::DocumentId,
    units::PickedUnits,
    writing::{Unsaved, Writing},
};
use leptos::prelude::*;
use leptos_router::{
    hooks::{use_params_map, use_query_map},
    params::ParamsMap,
};
use serde::{Deserialize, Serialize};

use super::{
    editor::{Editor, destination, differing, number_holder, particulars, phone_preview},
    fns::{blank, draft},
    particulars::LABELS,
    parts::{state_tag, way_back},
    unsaved_page::{or_unsaved, show_or_unsaved},
    writing::{self, docx_card, stale},
    writing_fns::{begin_writing, conflict, unfinished},
};
use crate::{
    context::take_echo,
    error::AppError,
    i18n::use_locale,
    terms, text,
    title::Title,
    ui::{
        Button, ButtonKind, Card, EmptyState, ErrorSummary, Form, HERE, IconName, Line, LinkButton, Notice, NoticeKind,
        PageHeader, TextArea, Whose, content_lang,
    },
};

const WITHDRAW_LABELS: terms::Labels = &[("reason", text::desk::withdraw_reason)];

#[component]
pub(crate) fn NewDraftPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let echo = take_echo("draft");
    let errors = RwSignal::new(echo.clone());
    let docx = take_echo("take_in");
    let picked = echo.as_ref().map(picked);
    let data = Resource::new(
        || (),
        move |()| {
            let picked = picked.clone();
            async move {
                let opened = async {
                    let (page, writing) = (blank(picked).await?, unfinished().await?);
                    Ok::<_, AppError>(Opened { page, writing, differs: None })
                };
                or_unsaved(opened.await, None).await
            }
        },
    );
    show_or_unsaved(data, move |opened| {
        let wanted = query.with_untracked(|query| query.get("resume"));
        let resumed = opened.writing.unsaved.iter().find(|unsaved| wanted.as_deref() == Some(&*unsaved.document.to_string()));
        let resumed = resumed.cloned();
        let left_out = query.with_untracked(|query| left_out(l, query));
        editing(l, opened, Typed { echo: echo.clone(), docx: docx.clone(), resumed, left_out, other_parts: None }, errors, None)
    })
}

/// The units of a form that came back.
fn picked(echo: &FormErrors) -> PickedUnits {
    let value = |field: &str| echo.value(field).unwrap_or_default().to_owned();
    PickedUnits {
        find: value("find"),
        audience: value("audience"),
        parts: value("parts"),
        except: value("except"),
        standings: value("standings"),
    }
}

/// What the query of the address selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    /// The text about a completed step.
    Told(&'static str),
    /// The confirmation of a withdrawal.
    Withdrawal,
    /// The confirmation of discarding the draft.
    Discarding,
}

/// Completed steps, by query parameter.
const TOLD: terms::Labels = &[
    ("submitted", text::desk::submitted),
    ("scheduled", text::desk::scheduled_now),
    ("restored", text::desk::restored),
    ("published", text::desk::published_now_hint),
];

fn asked(l: Locale, query: &ParamsMap) -> Asked {
    if query.get_str("withdraw").is_some() {
        Asked::Withdrawal
    } else if query.get_str("discard").is_some() {
        Asked::Discarding
    } else {
        TOLD.iter().find(|(key, _)| query.get_str(key).is_some()).map_or(Asked::Nothing, |(_, told)| Asked::Told(told(l)))
    }
}

#[component]
pub(crate) fn DraftPage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let query = use_query_map();
    let echo = take_echo("draft");
    let errors = RwSignal::new(echo.clone());
    let docx = take_echo("take_in");
    let withdrawal = take_echo("withdraw");
    let discarded = take_echo("discard");
    let typed = stale(echo.as_ref());
    let echoed = echo.as_ref().map(picked);
    let data = Resource::new(
        move || params.with(|params| params.get("id").unwrap_or_default()),
        move |id| {
            let (typed, picked) = (typed.clone(), echoed.clone());
            async move {
                let opened = async {
                    let (page, writing) = (draft(id.clone(), picked).await?, begin_writing(id.clone()).await?);
                    let differs = match typed {
                        Some(typed) => Some(conflict(id.clone(), typed).await?),
                        None => None,
                    };
                    Ok::<_, AppError>(Opened { page, writing, differs })
                };
                or_unsaved(opened.await, Some(&id)).await
            }
        },
    );
    show_or_unsaved(data, move |opened| {
        let page = &opened.page;
        let is_saved = query.with_untracked(|query| query.get_str("saved").is_some());
        let asked = match (&withdrawal, &discarded) {
            (Some(_), _) => Asked::Withdrawal,
            (_, Some(_)) => Asked::Discarding,
            _ => query.with_untracked(|query| asked(l, query)),
        };
        if page.draft.status.state() == Some(DocumentState::Draft) && page.permissions.may(DocumentStep::Edit) {
            if asked == Asked::Withdrawal && may_withdraw(page) {
                return withdrawing_meanwhile(l, page, withdrawal.clone());
            }
            let told = match asked {
                Asked::Told(told) => Some(told.to_owned()),
                _ if is_saved => Some(text::desk::saved_at(l, l.date_time(page.draft.saved_at))),
                _ => None,
            };
            if asked == Asked::Discarding {
                return discarding(l, page, discarded.clone());
            }
            let resumes = query.with_untracked(|query| query.get_str("resume").is_some());
            let resumed = opened.writing.unsaved.first().filter(|_| resumes).cloned();
            let left_out = query.with_untracked(|query| left_out(l, query));
            let other_parts = query.with_untracked(|query| other_parts(l, query, page));
            editing(l, opened, Typed { echo: echo.clone(), docx: docx.clone(), resumed, left_out, other_parts }, errors, told)
        } else {
            let kept = query.with_untracked(|query| query.get("kept")).and_then(|kept| kept.parse().ok());
            settled(l, page, asked, withdrawal.clone(), kept)
        }
    })
}

/// A draft, with the data for writing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Opened {
    page: desk::DraftPage,
    writing: Writing,
    /// Difference between the typed text and the one saved by somebody else meanwhile.
    differs: Option<Vec<DiffPiece>>,
}

/// Form values that are not stored.
struct Typed {
    echo: Option<FormErrors>,
    docx: Option<FormErrors>,
    resumed: Option<Unsaved>,
    /// Parts of the imported file that the text does not have.
    left_out: Option<String>,
    /// Why the stored parts of the audience differ from the selected ones.
    other_parts: Option<Line>,
}

fn other_parts(l: Locale, query: &ParamsMap, page: &desk::DraftPage) -> Option<Line> {
    let nested = query.get_str("nested").and_then(|count| count.parse::<u32>().ok());
    let audience = Line::name(&page.draft.audience.name);
    let whole = query.get_str("whole").map(|_| Line::around(text::desk::parts_whole(l, HERE), &audience));
    nested.map(|count| text::desk::parts_nested(l, l.number(count)).into()).or(whole)
}

fn left_out(l: Locale, query: &ParamsMap) -> Option<String> {
    let parts: Vec<_> = query.get_str("left_out")?.split(',').filter_map(LeftOut::from_key).collect();
    terms::left_out(l, &parts)
}

fn editing(l: Locale, opened: Opened, typed: Typed, errors: RwSignal<Option<FormErrors>>, told: Option<String>) -> AnyView {
    let Opened { mut page, writing, differs } = opened;
    let Typed { echo, docx, resumed, left_out, other_parts } = typed;
    let is_new = page.draft.version == 0;
    let title = if is_new { text::desk::new_document(l) } else { text::desk::edit(l) };
    let told = told.filter(|_| echo.is_none()).map(|title| view! { <Notice kind=NoticeKind::Ok title/> });
    let left_out = left_out.filter(|_| echo.is_none()).map(|title| view! { <Notice kind=NoticeKind::Warn title/> });
    let other_parts = other_parts.filter(|_| echo.is_none()).map(|title| view! { <Notice title/> });
    // The values of the rejected form are newer than any kept copy.
    let resumed = resumed.filter(|_| echo.is_none());
    let unsaved = if echo.is_none() { writing::notices(l, &writing, is_new, resumed.as_ref()) } else { ().into_any() };
    if let Some(unsaved) = &resumed {
        writing::resume(&mut page.draft, unsaved);
    }
    let notices = notices(l, &page);
    let side = side(l, &page, docx);
    let holder = errors.with_untracked(|errors| number_holder(l, errors.as_ref()));
    let differs = differs.map(|pieces| {
        let typed = errors.get_untracked().unwrap_or_default();
        writing::conflict(l, pieces, &differing(l, &page, &typed))
    });
    view! {
        <Title text=title/>
        <div class="page">
            {way_back(l, vec![], title)}
            <PageHeader title=title eyebrow=Line::name(&page.draft.issuer.name)>
                {state_tag(l, DocumentState::Draft)}
            </PageHeader>
            {told}
            {left_out}
            {other_parts}
            {unsaved}
            {notices}
            <ErrorSummary title=text::frame::errors_title(l) items=terms::all_errors(l, errors, LABELS)/>
            {holder}
            {differs}
            <div class="with-aside">
                <Editor page echo errors/>
                <aside class="stack">{side}</aside>
            </div>
        </div>
    }
    .into_any()
}

/// Notices to read before editing.
fn notices(l: Locale, page: &desk::DraftPage) -> AnyView {
    let review = format!("/desk/{}/review", page.draft.id);
    let wanted = page.wanted.clone().map(|verdict| {
        let title = Line::around(text::desk::wanted_title(l, HERE), &Line::name(verdict.by));
        view! { <Notice kind=NoticeKind::Warn title><p class="as-typed" lang=content_lang()>{verdict.reason}</p></Notice> }
    });
    let open = (page.open_remarks > 0).then(|| {
        let title = text::desk::open_remarks_title(l, l.number(page.open_remarks));
        view! { <Notice title icon=IconName::Message><p><a href=review>{text::desk::see_remarks(l)}</a></p></Notice> }
    });
    let live = page.draft.status.is_out().then(|| view! { <Notice title=text::desk::live_meanwhile(l)/> });
    let held = page.held.map(|(why, at)| {
        let why = match why {
            Held::Withdrawn => text::desk::held_withdrawn(l),
            Held::NumberTaken => text::desk::held_number_taken(l),
            Held::Audience => text::desk::held_audience(l),
            Held::Over => text::desk::held_over(l),
        };
        view! { <Notice kind=NoticeKind::Warn title=text::desk::held_title(l, l.date_time(at))><p>{why}</p></Notice> }
    });
    let withdrawn = page.withdrawn.is_some().then(|| withdrawn_notice(l, page));
    view! { {withdrawn} {held} {wanted} {open} {live} }.into_any()
}

/// Beside the form: the audience of the saved version, the possible steps, and the preview on a phone.
fn side(l: Locale, page: &desk::DraftPage, docx: Option<FormErrors>) -> AnyView {
    let docx = docx_card(l, &page.draft, docx);
    if page.draft.version == 0 {
        let (title, hint) = (text::desk::preview_later_title(l), text::desk::preview_later(l));
        return view! {
            <div data-part="preview-later"><EmptyState title text=hint icon=IconName::Smartphone/></div>
            <div data-part="preview" hidden=true>{phone_preview(l, page)}</div>
            {docx}
        }
        .into_any();
    }
    let id = page.draft.id;
    let (destination, kept) = (destination(l, page), kept_with(l, page));
    let withdraw = may_withdraw(page).then(|| withdraw_link(l, id));
    view! {
        <Card title=text::desk::tasks(l)>
            <div class="stack">
                {destination}
                {kept}
                {withdraw}
                <LinkButton href=format!("/desk/{id}?discard=1") kind=ButtonKind::Quiet icon=IconName::Close>
                    {text::desk::go_discard(l)}
                </LinkButton>
            </div>
        </Card>
        <div data-part="preview">{phone_preview(l, page)}</div>
        {docx}
    }
    .into_any()
}

/// Its files and, for writers and approvers, its versions: a reviewer was asked about one text only.
fn kept_with(l: Locale, page: &desk::DraftPage) -> AnyView {
    let id = page.draft.id;
    let revisions = (page.permissions.writes || page.permissions.publishes).then(|| {
        view! {
            <LinkButton href=format!("/desk/{id}/revisions") kind=ButtonKind::Secondary icon=IconName::Clock>
                {text::desk::go_revisions(l)}
            </LinkButton>
        }
    });
    view! {
        <LinkButton href=format!("/desk/{id}/files") kind=ButtonKind::Secondary icon=IconName::Clip>
            {text::files::title(l)}
        </LinkButton>
        {revisions}
    }
    .into_any()
}

/// A document that is not editable: in review, scheduled, published, or withdrawn.
fn settled(l: Locale, page: &desk::DraftPage, asked: Asked, withdrawal: Option<FormErrors>, kept: Option<DocumentId>) -> AnyView {
    let draft = &page.draft;
    let title = draft.title.clone();
    let kind = terms::document_kind(l, draft.kind);
    let state = draft.status.state().unwrap_or(DocumentState::Draft);
    let told = match asked {
        Asked::Told(title) => Some(view! { <Notice kind=NoticeKind::Ok title/> }),
        _ => None,
    };
    let question = (asked == Asked::Withdrawal && may_withdraw(page)).then(|| withdrawing(l, page, withdrawal));
    let notice = state_notice(l, page, state);
    let particulars = particulars(l, page);
    view! {
        <Title text=title.clone()/>
        <div class="page">
            {way_back(l, vec![], kind)}
            <PageHeader title whose=Whose::Content eyebrow=kind>{state_tag(l, state)}</PageHeader>
            {told}
            {kept.map(|kept| writing::kept_apart(l, kept))}
            {question}
            {notice}
            <div class="with-aside">
                <div class="stack">
                    <Card>{particulars}</Card>
                    {actions(l, page, state)}
                </div>
                <aside class="stack">{phone_preview(l, page)}</aside>
            </div>
        </div>
    }
    .into_any()
}

fn state_notice(l: Locale, page: &desk::DraftPage, state: DocumentState) -> AnyView {
    let live = page.draft.status.is_out() && state != DocumentState::Published;
    let live = live.then(|| view! { <p>{text::desk::live_meanwhile(l)}</p> });
    // A text in review or scheduled whose document was withdrawn shows both states.
    let back = page.draft.status.comes_back() && state != DocumentState::Withdrawn;
    let back = back.then(|| withdrawn_notice(l, page));
    let notice = match state {
        DocumentState::Draft | DocumentState::InReview => view! {
            <Notice title=text::desk::in_review_title(l)><p>{text::desk::in_review_hint(l)}</p>{live}</Notice>
        }
        .into_any(),
        DocumentState::Scheduled => {
            let when = page.publish_at.map(|at| l.date_time(at)).unwrap_or_default();
            view! {
                <Notice title=text::desk::scheduled_title(l, when) icon=IconName::Clock>
                    <p>{text::desk::scheduled_hint(l)}</p>
                    {live}
                </Notice>
            }
            .into_any()
        }
        DocumentState::Published => view! {
            <Notice title=text::desk::published_title(l)><p>{text::desk::published_hint(l)}</p></Notice>
        }
        .into_any(),
        DocumentState::Withdrawn => withdrawn_notice(l, page),
    };
    view! { {back} {notice} }.into_any()
}

fn withdrawn_notice(l: Locale, page: &desk::DraftPage) -> AnyView {
    let because = page.withdrawn.as_ref().map(|withdrawn| match &withdrawn.reason {
        Some(reason) => Line::around(text::desk::withdrawn_because(l, HERE), &Line::content(reason)),
        None => text::desk::expired(l).into(),
    });
    view! {
        <Notice kind=NoticeKind::Warn title=text::desk::withdrawn_title(l)>
            {because.map(|because| view! { <p class="as-typed">{because.show()}</p> })}
            <p>{text::desk::withdrawn_hint(l)}</p>
        </Notice>
    }
    .into_any()
}

/// Possible next steps, most likely first.
fn actions(l: Locale, page: &desk::DraftPage, state: DocumentState) -> AnyView {
    let (id, permissions, status) = (page.draft.id, page.permissions, page.draft.status);
    let leads = |step: DocumentStep| permissions.may(step) && status.after(step).is_ok();
    let review = (state == DocumentState::InReview).then(|| {
        view! {
            <LinkButton href=format!("/desk/{id}/review") icon=IconName::Message>{text::desk::go_review(l)}</LinkButton>
        }
    });
    // A scheduled text has been approved already.
    let approval = if state == DocumentState::Scheduled { text::desk::go_publish_now(l) } else { text::desk::go_approve(l) };
    let approve = leads(DocumentStep::Publish).then(|| {
        view! {
            <LinkButton href=format!("/desk/{id}/publish") kind=ButtonKind::Secondary icon=IconName::Send>
                {approval}
            </LinkButton>
        }
    });
    let open = status.is_out().then(|| {
        view! { <LinkButton href=format!("/library/{id}?look=1") icon=IconName::Book>{text::desk::open_in_library(l)}</LinkButton> }
    });
    let readers = (status.out.is_some()).then(|| {
        view! {
            <LinkButton href=format!("/readers/{id}") kind=ButtonKind::Secondary icon=IconName::People>
                {text::readers::who_has_read(l)}
            </LinkButton>
        }
    });
    let withdraw = may_withdraw(page).then(|| withdraw_link(l, id));
    let recall =
        leads(DocumentStep::Recall).then(|| step_form(l, "/api/documents/recall", id, IconName::Pencil, text::desk::recall(l)));
    let again = if status.is_out() { text::desk::go_revise(l) } else { text::desk::go_republish(l) };
    let revise = leads(DocumentStep::Revise).then(|| step_form(l, "/api/documents/revise", id, IconName::Pencil, again));
    let kept = kept_with(l, page);
    view! {
        <div class="actions">{review}{approve}{open}{readers}{revise}{recall}{withdraw}{kept}</div>
    }
    .into_any()
}

fn may_withdraw(page: &desk::DraftPage) -> bool {
    page.permissions.may(DocumentStep::Withdraw) && page.draft.status.after(DocumentStep::Withdraw).is_ok()
}

fn withdraw_link(l: Locale, id: DocumentId) -> AnyView {
    view! {
        <LinkButton href=format!("/desk/{id}?withdraw=1") kind=ButtonKind::Secondary icon=IconName::Reply>
            {text::desk::go_withdraw(l)}
        </LinkButton>
    }
    .into_any()
}

/// A step without confirmation.
fn step_form(l: Locale, action: &'static str, id: DocumentId, icon: IconName, label: &'static str) -> AnyView {
    view! {
        <Form action failed=text::frame::network_failed(l)>
            <input type="hidden" name="id" value=id.to_string()/>
            <Button kind=ButtonKind::Secondary icon>{label}</Button>
        </Form>
    }
    .into_any()
}

/// Confirmation before a document disappears from the library.
fn withdrawing(l: Locale, page: &desk::DraftPage, echo: Option<FormErrors>) -> AnyView {
    let id = page.draft.id;
    let consequence = text::desk::withdraw_hint(l, terms::member_count(l, page.reach.members));
    let typed = echo.as_ref().and_then(|echo| echo.value("reason")).map(str::to_owned);
    let errors = RwSignal::new(echo);
    let waits = matches!(page.draft.status.work, Some(DraftState::InReview | DraftState::Scheduled));
    let recalls = waits.then(|| view! { <p>{text::desk::withdraw_recalls(l)}</p> });
    view! {
        <Card title=text::desk::withdraw_title(l) strong=true>
            <div class="stack">
                <p>{consequence}</p>
                {recalls}
                <ErrorSummary
                    title=text::frame::errors_title(l)
                    items=terms::all_errors(l, errors, WITHDRAW_LABELS)
                />
                <Form action="/api/documents/withdraw" failed=text::frame::network_failed(l) errors>
                    <input type="hidden" name="id" value=id.to_string()/>
                    <TextArea
                        label=text::desk::withdraw_reason(l)
                        name="reason"
                        value=typed
                        error=terms::field_error(l, errors, WITHDRAW_LABELS, "reason")
                        rows=3
                        required=true
                    />
                    <div class="actions">
                        <Button kind=ButtonKind::Danger icon=IconName::Reply>{text::desk::withdraw(l)}</Button>
                        <LinkButton href=format!("/desk/{id}") kind=ButtonKind::Secondary>{text::desk::keep(l)}</LinkButton>
                    </div>
                </Form>
            </div>
        </Card>
    }
    .into_any()
}

/// The same while a correction is being written: withdrawing an erroneous text must not wait for it.
fn withdrawing_meanwhile(l: Locale, page: &desk::DraftPage, echo: Option<FormErrors>) -> AnyView {
    let title = page.draft.title.clone();
    let above = vec![(Line::content(&title), format!("/desk/{}", page.draft.id))];
    view! {
        <Title text=text::desk::withdraw_title(l)/>
        <div class="page page-narrow">
            {way_back(l, above, text::desk::withdraw(l))}
            <PageHeader title whose=Whose::Content eyebrow=terms::document_kind(l, page.draft.kind)/>
            {withdrawing(l, page, echo)}
        </div>
    }
    .into_any()
}

/// Confirmation before a draft is discarded.
fn discarding(l: Locale, page: &desk::DraftPage, echo: Option<FormErrors>) -> AnyView {
    let id = page.draft.id;
    let errors = RwSignal::new(echo);
    let labels: terms::Labels = &[("version", text::desk::body)];
    let version = page.draft.version.to_string();
    let title = text::desk::discard_title(l);
    view! {
        <Title text=title/>
        <div class="page page-narrow">
            {way_back(l, vec![(Line::content(&page.draft.title), format!("/desk/{id}"))], text::desk::discard(l))}
            <PageHeader title=title eyebrow=Line::content(&page.draft.title) lead=text::desk::discard_hint(l)/>
            <ErrorSummary title=text::frame::errors_title(l) items=terms::all_errors(l, errors, labels)/>
            <Form action="/api/documents/discard" failed=text::frame::network_failed(l) errors>
                <input type="hidden" name="id" value=id.to_string()/>
                <input type="hidden" name="version" id="version" value=version/>
                <div class="actions">
                    <Button kind=ButtonKind::Danger icon=IconName::Close>{text::desk::discard(l)}</Button>
                    <LinkButton href=format!("/desk/{id}") kind=ButtonKind::Secondary>{text::desk::keep(l)}</LinkButton>
                </div>
            </Form>
        </div>
    }
    .into_any()
}
