//! The first page: what is next, what is new for this person, what is new for everybody.

use std::cmp::Reverse;

use domain::{
    Locale,
    courses::{CourseReminder, Tries},
    documents::DocumentSummary,
    feedback::{Opinion, OpinionState},
    home::{WorkItem, WorkKind},
    locale::local_date,
    meetings::{MeetingState, MeetingSummary},
    units::reorganisation::ReorganisationNotice,
};
use leptos::prelude::*;

use super::fns::home_page;
use crate::{
    account::account_changes,
    context::use_viewer,
    documents::document_row,
    feedback::{OpinionStateTag, first_words},
    i18n::use_locale,
    page::show,
    terms, text,
    title::Title,
    ui::{
        Button, ButtonKind, Card, EmptyState, Form, HERE, Icon, IconName, Line, LinkButton, ListRow, Notice, NoticeKind,
        Progress, RowList, content_lang,
    },
};

#[component]
pub fn HomePage() -> impl IntoView {
    let l = use_locale();
    let greeting = use_viewer().map(|viewer| text::home::greeting(l, viewer.name, viewer.branch.name));
    let data = Resource::new(|| (), |()| home_page());
    show(data, move |page| {
        let title = greeting.clone().unwrap_or_else(|| text::home::title(l).to_owned());
        view! {
            <Title text=text::home::title(l)/>
            <div class="page">
                <h1 class="greeting">{text::together(title)}</h1>
                {reorganised(l, page.reorganised)}
                {code_open(l, page.code_open)}
                {account_changes(l, page.account_changes, "/record", text::home::account_look(l))}
                {work(l, page.work)}
                {decided(l, page.corrections_decided)}
                {must_read(l, page.must_read)}
                {asked(l, page.asked)}
                {to_study(l, page.course)}
                <div class="columns">
                    <div class="stack">
                        {next_meeting(l, page.next_meeting)}
                        {for_you(l, page.opinions)}
                    </div>
                    {newest(l, page.newest)}
                </div>
            </div>
        }
        .into_any()
    })
}

/// Pending work of the person's offices, each with a link.
fn work(l: Locale, work: Vec<WorkItem>) -> Option<AnyView> {
    if work.is_empty() {
        return None;
    }
    let rows = work
        .into_iter()
        .filter(|item| item.count > 0)
        .map(|item| {
            view! {
                <li>
                    <a class="menu-link" href=item.kind.href()>
                        <span>{waiting(l, item)}</span>
                        <Icon name=IconName::Next/>
                    </a>
                </li>
            }
        })
        .collect::<Vec<_>>();
    let list = if rows.is_empty() {
        view! { <p class="muted">{text::home::no_work(l)}</p> }.into_any()
    } else {
        view! { <ul class="menu" role="list">{rows}</ul> }.into_any()
    };
    Some(view! { <Card title=text::home::work(l) strong=true>{list}</Card> }.into_any())
}

fn waiting(l: Locale, WorkItem { kind, count }: WorkItem) -> String {
    match kind {
        WorkKind::Answers => text::home::work_answers(l, count),
        WorkKind::Reviews => text::home::work_reviews(l, count),
        WorkKind::Unread => text::home::work_unread(l, count),
        WorkKind::Transfers => text::home::work_transfers(l, count),
        WorkKind::Corrections => text::home::work_corrections(l, count),
        WorkKind::QualityIssues => text::home::work_flaws(l, count),
        WorkKind::Codes => text::home::work_codes(l, count),
        WorkKind::Reassignments => text::home::work_reassignments(l, count),
    }
}

/// A code that resets the account was issued: a person who did not request it must see this before it is used.
fn code_open(l: Locale, is_open: bool) -> Option<AnyView> {
    is_open.then(|| {
        view! {
            <Notice kind=NoticeKind::Warn title=text::home::code_issued(l) icon=IconName::Key>
                <p>{text::home::code_issued_text(l)}</p>
                <p><a href="/record/trail">{text::home::code_issued_trail(l)}</a></p>
            </Notice>
        }
        .into_any()
    })
}

/// Where the member's branch belongs since a reorganisation, and who leads there, until it is dismissed.
fn reorganised(l: Locale, notice: Option<ReorganisationNotice>) -> Option<AnyView> {
    let ReorganisationNotice { reorganisation, branch, before, after, since, leaders } = notice?;
    // The unit directly above; the branch itself where it hangs on the root.
    let above = after.last().unwrap_or(&branch.name);
    let title = Line::around(text::home::reorganised(l, l.date(since), HERE), &Line::name(above));
    let line = |sentence: String, units: &[String]| {
        // From the branch upwards, as in an address.
        let names: Vec<&str> = units.iter().rev().map(String::as_str).collect();
        (!names.is_empty()).then(|| {
            let told = Line::around(sentence, &Line::name(names.join(", "))).show();
            view! { <p>{told}</p> }
        })
    };
    let now = (after.len() > 1).then(|| line(text::home::reorganised_now(l, HERE), &after)).flatten();
    let former = line(text::home::reorganised_before(l, HERE), &before);
    let led = leaders
        .into_iter()
        .map(|leader| {
            let told = text::home::reorganised_led(l, terms::role(l, leader.role), HERE);
            let told = Line::around(told, &Line::name(leader.name)).show();
            view! { <p>{told}</p> }
        })
        .collect_view();
    let id = reorganisation.to_string();
    Some(
        view! {
            <Notice title icon=IconName::Place>
                {now}
                {former}
                {led}
                <Form action="/api/reorganisations/dismiss" failed=text::frame::network_failed(l)>
                    <input type="hidden" name="id" value=id/>
                    <div class="actions">
                        <Button kind=ButtonKind::Secondary icon=IconName::Check>{text::home::reorganised_seen(l)}</Button>
                    </div>
                </Form>
            </Notice>
        }
        .into_any(),
    )
}

/// Decided corrections of the member's record, until it is opened.
fn decided(l: Locale, count: u32) -> Option<AnyView> {
    (count > 0).then(|| {
        view! {
            <Notice title=text::home::correction_decided(l) icon=IconName::Person>
                <p>{text::home::correction_decided_text(l)}</p>
                <p><a href="/record">{text::home::read_decision(l)}</a></p>
            </Notice>
        }
        .into_any()
    })
}

/// The number of unread must-read documents.
fn must_read(l: Locale, count: u32) -> Option<AnyView> {
    (count > 0).then(|| {
        view! {
            <Notice kind=NoticeKind::Warn title=text::home::must_read(l, count.into()) icon=IconName::Book>
                <p><a href="/shelf/must-read">{text::home::read_them(l)}</a></p>
            </Notice>
        }
        .into_any()
    })
}

/// Texts the member was asked to review. A reviewer who is not an editor reaches the desk through this line only.
fn asked(l: Locale, count: u32) -> Option<AnyView> {
    (count > 0).then(|| {
        view! {
            <Notice title=text::home::asked(l, count.into()) icon=IconName::Eye>
                <p><a href="/desk">{text::home::look_at_them(l)}</a></p>
            </Notice>
        }
        .into_any()
    })
}

/// The course that is due next.
fn to_study(l: Locale, course: Option<CourseReminder>) -> Option<AnyView> {
    course.map(|course| {
        let day = l.long_date_within(course.due_on);
        let (icon, told) = match course.tries {
            Tries::Given => (IconName::Pencil, text::home::course_try_given(l).to_owned()),
            Tries::UsedUp => (IconName::Lock, text::home::course_used_up(l, course.issuer)),
            Tries::Left if course.is_overdue => (IconName::CheckCircle, text::home::course_was_due(l, day)),
            Tries::Left => (IconName::CheckCircle, text::home::course_due(l, day)),
        };
        view! {
            <Notice title=Line::content(course.title) icon>
                <p><a href=format!("/courses/{}", course.id)>{told}</a></p>
            </Notice>
        }
        .into_any()
    })
}

fn next_meeting(l: Locale, meeting: Option<MeetingSummary>) -> AnyView {
    let Some(meeting) = meeting else {
        return view! {
            <Card title=text::home::next_meeting(l) strong=true>
                <EmptyState
                    title=text::home::no_meeting_title(l)
                    text=text::home::no_meeting(l)
                    icon=IconName::Calendar
                />
            </Card>
        }
        .into_any();
    };
    let day = local_date(meeting.starts_at);
    let unread = meeting.papers_read < meeting.papers;
    let (label, icon) =
        if unread { (text::home::read_papers(l), IconName::Book) } else { (text::home::open_meeting(l), IconName::ArrowRight) };
    let papers = (meeting.papers > 0).then(|| {
        let told = text::home::papers_read(l, l.number(meeting.papers_read), l.number(meeting.papers));
        view! {
            <Progress
                value=u64::from(meeting.papers_read)
                max=u64::from(meeting.papers)
                label=text::home::papers(l)
                text=told
            />
        }
    });
    let kind = format!("{}\u{a0}· {}", terms::meeting_kind(l, meeting.kind), terms::meeting_form(l, meeting.form));
    view! {
        <Card
            title=text::home::next_meeting(l)
            more_href="/meetings"
            more_label=text::home::all_meetings(l)
            strong=true
        >
            <p class="occasion-when">
                <span class="occasion-day">{l.long_date(day)}</span>
                " "
                <span class="occasion-time">{l.time(meeting.starts_at)}</span>
            </p>
            <p class="occasion-countdown">{countdown(l, &meeting)}</p>
            <p lang=content_lang()>{meeting.title}</p>
            <ul class="facts-inline" role="list">
                <li><Icon name=IconName::Place/><span lang=content_lang()>{meeting.venue}</span></li>
                <li><Icon name=IconName::People/><span lang=content_lang() translate="no">{meeting.unit.name}</span></li>
                <li><Icon name=IconName::Calendar/><span>{kind}</span></li>
            </ul>
            {papers}
            <LinkButton href=format!("/meetings/{}", meeting.id) icon wide=true>{label}</LinkButton>
        </Card>
    }
    .into_any()
}

/// The time until the meeting, in words. A meeting in session is described by its state.
fn countdown(l: Locale, meeting: &MeetingSummary) -> String {
    match (meeting.state, meeting.days_away) {
        (MeetingState::Announced, 0) => text::home::today(l).to_owned(),
        (MeetingState::Announced, 1) => text::home::tomorrow(l).to_owned(),
        (MeetingState::Announced, days) if days > 1 => text::home::in_days(l, days.unsigned_abs()),
        (state, _) => terms::meeting_state(l, state).to_owned(),
    }
}

fn for_you(l: Locale, mut opinions: Vec<Opinion>) -> AnyView {
    if opinions.is_empty() {
        return view! {
            <Card title=text::home::for_you(l)>
                <EmptyState
                    title=text::home::no_opinions_title(l)
                    text=text::home::no_opinions(l)
                    icon=IconName::Message
                />
            </Card>
        }
        .into_any();
    }
    // Answered opinions come first: they are the news.
    opinions.sort_by_key(|opinion| (opinion.state < OpinionState::Answered, Reverse(opinion.sent_at)));
    let rows = opinions
        .into_iter()
        .map(|opinion| {
            view! {
                <ListRow
                    href=format!("/opinions/{}", opinion.id)
                    eyebrow=text::home::own_opinion(l, l.date(local_date(opinion.sent_at)))
                    title=first_words(&opinion.text)
                    meta=Line::content(opinion.document_title)
                >
                    <OpinionStateTag state=opinion.state/>
                </ListRow>
            }
        })
        .collect_view();
    view! {
        <Card title=text::home::for_you(l) more_href="/opinions" more_label=text::home::all_opinions(l)>
            <RowList>{rows}</RowList>
        </Card>
    }
    .into_any()
}

fn newest(l: Locale, documents: Vec<DocumentSummary>) -> AnyView {
    if documents.is_empty() {
        return view! {
            <Card title=text::home::newest(l)>
                <EmptyState
                    title=text::home::no_documents_title(l)
                    text=text::home::no_documents(l)
                    icon=IconName::Book
                />
            </Card>
        }
        .into_any();
    }
    let rows = documents.into_iter().map(|document| document_row(l, document)).collect_view();
    view! {
        <Card title=text::home::newest(l) more_href="/library" more_label=text::home::all_documents(l)>
            <RowList>{rows}</RowList>
        </Card>
    }
    .into_any()
}
