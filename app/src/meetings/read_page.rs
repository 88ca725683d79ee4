use domain::{
    Locale,
    locale::local_date,
    meetings::{AgendaItem, AttendanceKind, MeetingForm, MeetingPage as Meeting, MeetingState, MeetingSummary, Paper, Turnout},
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{countdown, fns::read};
use crate::{
    i18n::use_locale,
    page::show,
    terms, text,
    title::Title,
    ui::{
        BigFigure, Breadcrumbs, Card, Crumb, EmptyState, Figures, HERE, Icon, IconName, Line, Notice, NoticeKind, PageHeader,
        Tag, Tone, Whose, content_lang,
    },
};

/// One meeting: time and venue, agenda, papers to read before.
#[component]
pub fn MeetingPage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let data = Resource::new(move || params.read().get("id").unwrap_or_default(), read);
    show(data, move |meeting| meeting_view(l, meeting))
}

fn meeting_view(l: Locale, meeting: Meeting) -> AnyView {
    let Meeting { summary, chair, agenda, turnout, own_attendance } = meeting;
    let title = summary.title.clone();
    let crumbs = vec![Crumb::link(text::meetings::title(l), "/meetings"), Crumb::here(Line::content(&title))];
    view! {
        <Title text=title.clone()/>
        <div class="page">
            <Breadcrumbs label=text::meetings::trail(l) crumbs/>
            <PageHeader title whose=Whose::Content eyebrow=Line::name(&summary.unit.name)/>
            {banner(l, &summary)}
            {occasion(l, &summary, chair)}
            {agenda_view(l, agenda)}
            {turnout.map(|turnout| turnout_view(l, turnout, own_attendance))}
        </div>
    }
    .into_any()
}

/// The state of the meeting, and what the viewer has to do.
fn banner(l: Locale, summary: &MeetingSummary) -> AnyView {
    let unread = summary.papers.saturating_sub(summary.papers_read);
    let (kind, told) = match summary.state {
        MeetingState::Announced if unread > 0 => (NoticeKind::Info, text::meetings::papers_left(l, u64::from(unread))),
        MeetingState::Announced => (NoticeKind::Ok, text::meetings::ready(l).to_owned()),
        MeetingState::InSession => (NoticeKind::Ok, text::meetings::in_session(l).to_owned()),
        MeetingState::Closed => (NoticeKind::Info, text::meetings::closed(l).to_owned()),
        MeetingState::Reported => (NoticeKind::Ok, text::meetings::reported(l).to_owned()),
        MeetingState::Cancelled => (NoticeKind::Warn, text::meetings::cancelled(l).to_owned()),
    };
    view! { <Notice kind title=terms::meeting_state(l, summary.state)><p>{told}</p></Notice> }.into_any()
}

fn occasion(l: Locale, summary: &MeetingSummary, chair: Option<String>) -> AnyView {
    let day = l.long_date(local_date(summary.starts_at));
    let time = l.time(summary.starts_at);
    let countdown = countdown(l, summary.days_away);
    let venue = summary.venue.clone();
    let chair = chair.map(|name| Line::around(text::meetings::chair(l, HERE), &Line::name(name)).show());
    let form_icon = if summary.form == MeetingForm::InPerson { IconName::People } else { IconName::Video };
    let form = format!("{}, {}", terms::meeting_kind(l, summary.kind), terms::meeting_form(l, summary.form));
    view! {
        <Card strong=true>
            <p class="occasion-when">
                <span class="occasion-day">{day}</span>
                " "
                <span class="occasion-time">{time}</span>
            </p>
            <p class="occasion-countdown">{countdown}</p>
            <ul class="facts-inline" role="list">
                <li><Icon name=IconName::Place/><span lang=content_lang()>{venue}</span></li>
                <li><Icon name=form_icon/><span>{form}</span></li>
                {chair.map(|chair| view! { <li><Icon name=IconName::Person/><span>{chair}</span></li> })}
            </ul>
        </Card>
    }
    .into_any()
}

fn agenda_view(l: Locale, agenda: Vec<AgendaItem>) -> AnyView {
    if agenda.is_empty() {
        return view! {
            <EmptyState
                title=text::meetings::no_agenda_title(l)
                text=text::meetings::no_agenda(l)
                icon=IconName::List
            />
        }
        .into_any();
    }
    let total: u64 = agenda.iter().map(|item| u64::from(item.minutes)).sum();
    let items = agenda.into_iter().map(|item| agenda_item(l, item)).collect_view();
    view! {
        <Card title=text::meetings::agenda(l)>
            <p class="muted">{text::meetings::minutes_in_all(l, total)}</p>
            <ol class="numbered" role="list">{items}</ol>
        </Card>
    }
    .into_any()
}

fn agenda_item(l: Locale, item: AgendaItem) -> AnyView {
    let papers = (!item.papers.is_empty()).then(|| {
        let papers = item.papers.into_iter().map(|paper| paper_view(l, paper)).collect_view();
        view! { <ul class="files" role="list">{papers}</ul> }
    });
    view! {
        <li>
            <div class="numbered-head">
                <h3 lang=content_lang()>{item.title}</h3>
                <span class="numbered-meta">{text::meetings::minutes(l, u64::from(item.minutes))}</span>
            </div>
            {papers}
        </li>
    }
    .into_any()
}

fn paper_view(l: Locale, paper: Paper) -> AnyView {
    let mark = if paper.corrected {
        view! { <Tag label=text::documents::corrected(l) tone=Tone::Warn icon=IconName::Pencil/> }.into_any()
    } else if paper.read {
        view! { <Tag label=text::meetings::paper_read(l) tone=Tone::Ok icon=IconName::Check/> }.into_any()
    } else {
        view! { <Tag label=text::meetings::paper_unread(l) tone=Tone::Accent/> }.into_any()
    };
    let about =
        format!("{}\u{a0}· {}", terms::document_kind(l, paper.kind), text::meetings::reading_time(l, u64::from(paper.minutes)));
    view! {
        <li>
            <a class="file" href=format!("/library/{}", paper.document)>
                <Icon name=IconName::File/>
                <span class="file-name" lang=content_lang()>{paper.title}</span>
                <span class="file-meta">{about}</span>
                {mark}
            </a>
        </li>
    }
    .into_any()
}

fn turnout_view(l: Locale, turnout: Turnout, own: Option<AttendanceKind>) -> AnyView {
    let invited = turnout.invited();
    let came = turnout.present + turnout.remote;
    let figure = move |label: &'static str, value: u32, note: Option<String>| {
        view! { <BigFigure label value=l.number(value) note/> }
    };
    view! {
        <Card title=text::meetings::turnout(l)>
            <p>{text::meetings::came(l, l.number(came), l.number(invited), l.percent(came.into(), invited.into()))}</p>
            <Figures>
                {figure(terms::attendance(l, AttendanceKind::Present), turnout.present, None)}
                {figure(terms::attendance(l, AttendanceKind::Remote), turnout.remote, None)}
                {figure(terms::attendance(l, AttendanceKind::Excused), turnout.excused, None)}
                {figure(terms::attendance(l, AttendanceKind::Absent), turnout.absent, None)}
            </Figures>
            {own.map(|own| view! { <p>{text::meetings::own_attendance(l, terms::attendance(l, own))}</p> })}
        </Card>
    }
    .into_any()
}
