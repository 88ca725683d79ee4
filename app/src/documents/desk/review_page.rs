//! The page where a text is sent to review, remarked on, returned or approved.

use domain::{
    Locale,
    documents::{
        desk::{self, OpenReview, ReviewRemark, Reviewer},
        steps::{DocumentState, DocumentStep},
    },
    forms::FormErrors,
    guard,
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{
    approval::{comes_back, what_goes_out},
    editor::preview,
    fns::review,
    parts::{state_tag, way_back},
};
use crate::{
    context::take_echo,
    files::warnings,
    i18n::use_locale,
    page::show,
    terms::{self, all_errors, field_error},
    text,
    title::Title,
    ui::{
        Button, ButtonKind, Card, CheckGroup, Choice, DescriptionList, ErrorSummary, Fact, Field, FieldKind, Form, IconName,
        Line, LinkButton, Notice, NoticeKind, PageHeader, Select, TextArea, Whose, content_lang,
    },
};

const LABELS: terms::Labels = &[
    ("reviewer", text::desk::reviewer),
    ("colleague", text::desk::colleague),
    ("commenter", text::desk::commenter),
    ("due", text::desk::due),
    ("note", text::desk::note),
    ("version", text::desk::body),
    ("warned", text::desk::warned_title),
    ("audience", text::desk::audience),
    ("correction", text::desk::correction),
    ("reason", text::desk::reason),
    ("passage", text::desk::passage),
    ("quote", text::desk::quote),
    ("text", text::desk::remark_text),
];

/// The rejected values of each form of the page.
#[derive(Clone)]
struct Echoes {
    submit: Option<FormErrors>,
    changes: Option<FormErrors>,
    remark: Option<FormErrors>,
}

#[component]
pub(crate) fn ReviewPage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let query = use_query_map();
    let echoes = Echoes { submit: take_echo("submit"), changes: take_echo("changes"), remark: take_echo("remark") };
    let data = Resource::new(move || params.with(|params| params.get("id").unwrap_or_default()), review);
    show(data, move |page| {
        let is_remarked = query.with_untracked(|query| query.get_str("remarked").is_some()) && echoes.remark.is_none();
        let state = page.draft.status.state().unwrap_or(DocumentState::Draft);
        let title = if state == DocumentState::Draft { text::desk::submit_title(l) } else { text::desk::review_title(l) };
        let id = page.draft.id;
        let above = vec![(Line::content(&page.draft.title), format!("/desk/{id}"))];
        let told = is_remarked.then(|| view! { <Notice kind=NoticeKind::Ok title=text::desk::remarked(l)/> });
        let decision = decision(l, &page, &echoes);
        let remarks = remarks(l, &page, echoes.remark.clone());
        let preview = preview(l, &page.draft, &page.preview);
        let members = terms::member_count(l, page.reach.members);
        let back = comes_back(l, &page.change, members);
        let goes_out = what_goes_out(l, &page.draft, page.reach, &page.change);
        // Authors know the content; reviewers see it first.
        let (first, then) = if state == DocumentState::Draft { (decision, goes_out) } else { (goes_out, decision) };
        view! {
            <Title text=format!("{title} · {}", page.draft.title)/>
            <div class="page">
                {way_back(l, above, title)}
                <PageHeader title=page.draft.title.clone() whose=Whose::Content eyebrow=title>{state_tag(l, state)}</PageHeader>
                {told}
                <div class="with-aside">
                    <div class="stack">{back}{first}{then}{remarks}</div>
                    <aside class="stack">{preview}</aside>
                </div>
            </div>
        }
        .into_any()
    })
}

/// The possible decisions of the viewer.
fn decision(l: Locale, page: &desk::ReviewPage, echoes: &Echoes) -> AnyView {
    let leads = |step: DocumentStep| page.permissions.may(step) && page.draft.status.after(step).is_ok();
    let submit = leads(DocumentStep::Submit).then(|| submitting(l, page, echoes.submit.clone()));
    let asked = page.review.as_ref().map(|review| asked(l, page, review));
    let approve = leads(DocumentStep::Publish).then(|| {
        view! {
            <div class="actions">
                <LinkButton href=format!("/desk/{}/publish", page.draft.id) icon=IconName::Send wide=true>
                    {text::desk::go_approve(l)}
                </LinkButton>
            </div>
        }
    });
    let is_own = page.permissions.publishes && !page.permissions.may(DocumentStep::Publish) && page.review.is_some();
    let own = is_own.then(|| view! { <Notice title=text::desk::own_text_title(l)><p>{text::desk::own_text(l)}</p></Notice> });
    let back = leads(DocumentStep::WantChanges).then(|| wanting(l, page, echoes.changes.clone()));
    view! { {submit} {asked} {own} {approve} {back} }.into_any()
}

fn submitting(l: Locale, page: &desk::ReviewPage, echo: Option<FormErrors>) -> AnyView {
    let typed = |field: &str| echo.as_ref().and_then(|echo| echo.value(field)).map(str::to_owned);
    let (reviewer, commenter, due, note) = (typed("reviewer"), typed("commenter"), typed("due"), typed("note"));
    let colleague = typed("colleague");
    let decided = typed("warned").into_iter().collect::<Vec<_>>();
    let errors = RwSignal::new(echo);
    let any = Choice::new("", text::desk::any_chief(l));
    let approvers = page.reviewers.iter().filter(|person| person.may_approve).map(|person| reviewer_choice(l, person));
    let choices = [any].into_iter().chain(approvers).collect::<Vec<_>>();
    let colleagues = colleague_field(l, page, colleague, errors);
    let href = format!("/desk/{}", page.draft.id);
    let says_nothing = (page.change.out.is_some() && page.draft.correction.is_empty()).then(|| {
        view! {
            <Notice kind=NoticeKind::Warn title=text::desk::says_nothing(l)>
                <p><a href=href>{text::desk::says_nothing_go(l)}</a></p>
            </Notice>
        }
    });
    let alone = page.needs_another.then(|| {
        view! {
            <Notice kind=NoticeKind::Warn title=text::desk::needs_another_title(l)><p>{text::desk::needs_another(l)}</p></Notice>
        }
    });
    let warned = (!page.warnings.is_empty()).then(|| overruling(l, page, decided, errors));
    let (id, version) = (page.draft.id.to_string(), page.draft.version.to_string());
    // With warnings, changing the text is the primary action.
    let is_warned = !page.warnings.is_empty();
    let send = if is_warned { ButtonKind::Quiet } else { ButtonKind::Primary };
    let change = is_warned.then(|| {
        view! {
            <LinkButton href=format!("/desk/{}", page.draft.id) icon=IconName::Pencil wide=true>
                {text::desk::warned_change(l)}
            </LinkButton>
        }
    });
    let lead = text::desk::submit_lead(l, l.number(page.draft.version));
    view! {
        <Card title=text::desk::submit_title(l) strong=true>
            <div class="stack">
                <p class="muted">{lead}</p>
                {says_nothing}
                {alone}
                <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, errors, LABELS)/>
                <Form action="/api/documents/submit" failed=text::frame::network_failed(l) errors>
                    <input type="hidden" name="id" value=id/>
                    <input type="hidden" name="version" id="version" value=version/>
                    <Select
                        label=text::desk::reviewer(l)
                        name="reviewer"
                        choices
                        value=reviewer
                        hint=text::desk::reviewer_hint(l)
                        error=field_error(l, errors, LABELS, "reviewer")
                    />
                    {colleagues}
                    <Field
                        label=text::desk::commenter(l)
                        name="commenter"
                        note=text::frame::optional(l)
                        value=commenter
                        hint=text::desk::commenter_hint(l)
                        error=field_error(l, errors, LABELS, "commenter")
                        autocomplete="off"
                    />
                    <Field
                        label=text::desk::due(l)
                        name="due"
                        kind=FieldKind::Date
                        note=text::frame::optional(l)
                        value=due
                        error=field_error(l, errors, LABELS, "due")
                    />
                    <TextArea
                        label=text::desk::note(l)
                        name="note"
                        note=text::frame::optional(l)
                        value=note
                        error=field_error(l, errors, LABELS, "note")
                        rows=3
                    />
                    {warned}
                    <div class="actions">
                        {change}
                        <Button kind=send icon=IconName::Send wide=true>{text::desk::submit(l)}</Button>
                    </div>
                </Form>
            </div>
        </Card>
    }
    .into_any()
}

/// A person who can comment but not approve; `None` where there is nobody.
fn colleague_field(
    l: Locale,
    page: &desk::ReviewPage,
    typed: Option<String>,
    errors: RwSignal<Option<FormErrors>>,
) -> Option<AnyView> {
    let found = page.reviewers.iter().filter(|person| !person.may_approve).map(|person| reviewer_choice(l, person));
    let nobody = Choice::new("", text::desk::no_colleague(l));
    let choices = [nobody].into_iter().chain(found).collect::<Vec<_>>();
    (choices.len() > 1).then(|| {
        view! {
            <Select
                label=text::desk::colleague(l)
                name="colleague"
                choices
                value=typed
                hint=text::desk::colleague_hint(l)
                error=field_error(l, errors, LABELS, "colleague")
            />
        }
        .into_any()
    })
}

/// Warnings of the guard, and the decision to continue in spite of them.
fn overruling(l: Locale, page: &desk::ReviewPage, decided: Vec<String>, errors: RwSignal<Option<FormErrors>>) -> AnyView {
    let choice = Choice::new(guard::kinds(&page.warnings), text::desk::warned_keep(l));
    view! {
        {warnings(l, &page.warnings)}
        <CheckGroup
            legend=text::desk::warned_title(l)
            name="warned"
            choices=vec![choice]
            checked=decided
            hint=text::desk::warned_hint(l)
            error=field_error(l, errors, LABELS, "warned")
        />
    }
    .into_any()
}

fn reviewer_choice(l: Locale, person: &Reviewer) -> Choice {
    Choice::name(person.member.to_string(), text::desk::person_of(l, &person.name, &person.unit.name))
}

/// The review request: sender, reviewer, due day and message.
fn asked(l: Locale, page: &desk::ReviewPage, review: &OpenReview) -> AnyView {
    let by = text::desk::review_by(l, &review.asked_by, l.date_time(review.asked_at));
    let reviewer = review.reviewer.as_ref().map_or_else(|| Line::from(text::desk::any_chief(l)), Line::name);
    let commenters = review.commenters.join(", ");
    let commenter = (!commenters.is_empty())
        .then(|| view! { <Fact label=text::desk::review_commenter(l) whose=Whose::Name>{commenters}</Fact> });
    let stuck = review.is_stuck.then(|| {
        let title = text::desk::stuck_title(l, review.reviewer.clone().unwrap_or_default());
        view! { <Notice kind=NoticeKind::Warn title><p>{text::desk::stuck(l)}</p></Notice> }
    });
    let due = review.due.map(|day| view! { <Fact label=text::desk::due(l)>{l.long_date(day)}</Fact> });
    let note = review.note.clone().map(|note| view! { <p class="as-typed" lang=content_lang()>{note}</p> });
    let warned = warnings(l, &page.warnings);
    view! {
        <Card title=by>
            <div class="stack">
                {stuck}
                {warned}
                {note}
                <DescriptionList>
                    <Fact label=text::desk::reviewer(l)>{reviewer.show()}</Fact>
                    {commenter}
                    {due}
                </DescriptionList>
            </div>
        </Card>
    }
    .into_any()
}

fn wanting(l: Locale, page: &desk::ReviewPage, echo: Option<FormErrors>) -> AnyView {
    let typed = echo.as_ref().and_then(|echo| echo.value("reason")).map(str::to_owned);
    let errors = RwSignal::new(echo);
    let id = page.draft.id.to_string();
    view! {
        <Card title=text::desk::changes_title(l)>
            <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, errors, LABELS)/>
            <Form action="/api/documents/want_changes" failed=text::frame::network_failed(l) errors>
                <input type="hidden" name="id" value=id/>
                <TextArea
                    label=text::desk::reason(l)
                    name="reason"
                    value=typed
                    error=field_error(l, errors, LABELS, "reason")
                    rows=4
                    required=true
                />
                <div class="actions">
                    <Button kind=ButtonKind::Secondary icon=IconName::Reply>{text::desk::want_changes(l)}</Button>
                </div>
            </Form>
        </Card>
    }
    .into_any()
}

fn remarks(l: Locale, page: &desk::ReviewPage, echo: Option<FormErrors>) -> AnyView {
    let count = u32::try_from(page.remarks.len()).unwrap_or(u32::MAX);
    let list = if page.remarks.is_empty() {
        view! { <p class="muted">{text::desk::no_remarks(l)}</p> }.into_any()
    } else {
        let rows = page.remarks.iter().map(|remark| remark_row(l, page, remark)).collect_view();
        view! { <ol class="remarks" role="list">{rows}</ol> }.into_any()
    };
    let form = page.permissions.may_comment().then(|| remark_form(l, page, echo));
    view! { <Card title=text::desk::remarks(l, l.number(count))><div class="stack">{list}{form}</div></Card> }.into_any()
}

fn remark_row(l: Locale, page: &desk::ReviewPage, remark: &ReviewRemark) -> AnyView {
    let by = text::desk::remark_by(l, &remark.by, l.date_time(remark.at), l.number(remark.version));
    let quote = remark.quote.clone().map(|quote| view! { <blockquote class="as-typed" lang=content_lang()>{quote}</blockquote> });
    let settled = remark.settled_by.as_ref().map(|name| view! { <p class="muted small">{text::desk::settled_by(l, name)}</p> });
    let is_settled = remark.settled_by.is_some();
    let (label, value, icon, kind) = if is_settled {
        (text::desk::unsettle(l), "", IconName::Reply, ButtonKind::Quiet)
    } else {
        (text::desk::settle(l), "yes", IconName::Check, ButtonKind::Secondary)
    };
    let (id, key, said) = (page.draft.id.to_string(), remark.key.clone(), remark.text.clone());
    view! {
        <li class="remark" class:remark-settled=is_settled>
            {quote}
            <p class="as-typed" lang=content_lang()>{said}</p>
            <p class="muted small">{by}</p>
            {settled}
            <Form action="/api/documents/settle" failed=text::frame::network_failed(l)>
                <input type="hidden" name="id" value=id/>
                <input type="hidden" name="remark" value=key/>
                <input type="hidden" name="settled" value=value/>
                <Button kind icon>{label}</Button>
            </Form>
        </li>
    }
    .into_any()
}

/// Characters of a passage shown in the list.
const SHOWN_OF_PASSAGE: usize = 90;

fn first_letters(passage: &str) -> String {
    let mut shown: String = passage.chars().take(SHOWN_OF_PASSAGE).collect();
    if shown.len() < passage.len() {
        shown.push('…');
    }
    shown
}

fn remark_form(l: Locale, page: &desk::ReviewPage, echo: Option<FormErrors>) -> AnyView {
    let typed = |field: &str| echo.as_ref().and_then(|echo| echo.value(field)).map(str::to_owned);
    let (passage, quote, said) = (typed("passage"), typed("quote"), typed("text"));
    let whole = Choice::new("", text::desk::passage_whole(l));
    let passages = page.passages.iter().map(|passage| Choice::new(passage.clone(), first_letters(passage)).whose(Whose::Content));
    let passages = [whole].into_iter().chain(passages).collect::<Vec<_>>();
    let is_copied = quote.as_ref().is_some_and(|quote| !quote.is_empty());
    let errors = RwSignal::new(echo);
    let id = page.draft.id.to_string();
    view! {
        <h3>{text::desk::remark_title(l)}</h3>
        <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, errors, LABELS)/>
        <Form action="/api/documents/remark" failed=text::frame::network_failed(l) errors>
            <input type="hidden" name="id" value=id/>
            <div data-part="passage">
                <Select
                    label=text::desk::passage(l)
                    name="passage"
                    choices=passages
                    value=passage
                    hint=text::desk::passage_hint(l)
                    error=field_error(l, errors, LABELS, "passage")
                />
            </div>
            <details class="more-fields" data-part="quote" data-use=text::desk::quote_use(l) open=is_copied>
                <summary>{text::desk::quote_other(l)}</summary>
                <div class="stack">
                    <TextArea
                        label=text::desk::quote(l)
                        name="quote"
                        note=text::frame::optional(l)
                        value=quote
                        hint=text::desk::quote_hint(l)
                        error=field_error(l, errors, LABELS, "quote")
                        rows=2
                    />
                </div>
            </details>
            <TextArea
                label=text::desk::remark_text(l)
                name="text"
                value=said
                error=field_error(l, errors, LABELS, "text")
                rows=3
                required=true
            />
            <div class="actions">
                <Button kind=ButtonKind::Secondary icon=IconName::Message>{text::desk::remark(l)}</Button>
            </div>
        </Form>
    }
    .into_any()
}
