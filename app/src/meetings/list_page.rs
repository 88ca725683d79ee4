use chrono::Datelike;
use domain::{
    Locale,
    locale::local_date,
    meetings::{MeetingState, MeetingSummary, MeetingsPage as Meetings},
};
use leptos::prelude::*;

use super::{countdown, fns::list};
use crate::{
    i18n::use_locale,
    page::show,
    terms, text,
    title::Title,
    ui::{DateTile, EmptyState, IconName, Line, ListRow, PageHeader, RowList, Tag, Tone},
};

/// All meetings of the viewer's units: coming ones first.
#[component]
pub fn MeetingsPage() -> impl IntoView {
    let l = use_locale();
    let data = Resource::new(|| (), |()| list());
    show(data, move |meetings| lists(l, meetings))
}

fn lists(l: Locale, Meetings { coming, past }: Meetings) -> AnyView {
    let title = text::meetings::title(l);
    let coming = if coming.is_empty() {
        view! {
            <EmptyState
                title=text::meetings::none_coming_title(l)
                text=text::meetings::none_coming(l)
                icon=IconName::Calendar
            />
        }
        .into_any()
    } else {
        rows(l, coming)
    };
    let past = (!past.is_empty()).then(|| {
        view! {
            <section class="stack-tight">
                <h2>{text::meetings::past(l)}</h2>
                {rows(l, past)}
            </section>
        }
    });
    view! {
        <Title text=title/>
        <div class="page">
            <PageHeader title=title/>
            <section class="stack-tight">
                <h2>{text::meetings::coming(l)}</h2>
                {coming}
            </section>
            {past}
        </div>
    }
    .into_any()
}

fn rows(l: Locale, meetings: Vec<MeetingSummary>) -> AnyView {
    let rows = meetings.into_iter().map(|meeting| row(l, meeting)).collect_view();
    view! { <RowList>{rows}</RowList> }.into_any()
}

fn row(l: Locale, meeting: MeetingSummary) -> AnyView {
    let date = local_date(meeting.starts_at);
    let tile = view! {
        <DateTile
            weekday=l.weekday(date.weekday())
            day=l.digits(&date.day().to_string())
            month=l.month(date)
            datetime=date.to_string()
        />
    };
    let is_coming = meeting.days_away >= 0;
    let unread = is_coming && meeting.papers_read < meeting.papers;
    view! {
        <ListRow
            href=format!("/meetings/{}", meeting.id)
            title=meeting.title.clone()
            eyebrow=format!("{}\u{a0}· {}", terms::meeting_kind(l, meeting.kind), terms::meeting_form(l, meeting.form))
            meta=Line::from(l.time(meeting.starts_at)).and(Line::content(&meeting.venue)).and(Line::name(&meeting.unit.name))
            unread
            leading=Some(tile.into_any())
        >
            <Tag label=countdown(l, meeting.days_away) tone=if is_coming { Tone::Accent } else { Tone::Plain }/>
            {state_tag(l, meeting.state)}
            {papers_tag(l, &meeting)}
        </ListRow>
    }
    .into_any()
}

/// Only unexpected states: that a coming meeting is announced and a past one is over is not shown.
fn state_tag(l: Locale, state: MeetingState) -> Option<impl IntoView> {
    let tone = match state {
        MeetingState::InSession | MeetingState::Reported => Tone::Ok,
        MeetingState::Cancelled => Tone::Warn,
        MeetingState::Announced | MeetingState::Closed => return None,
    };
    Some(view! { <Tag label=terms::meeting_state(l, state) tone/> })
}

fn papers_tag(l: Locale, meeting: &MeetingSummary) -> Option<impl IntoView> {
    let (read, papers) = (meeting.papers_read, meeting.papers);
    (papers > 0).then(|| {
        let all_read = read >= papers;
        let tone = if all_read { Tone::Ok } else { Tone::Plain };
        let icon = if all_read { IconName::Check } else { IconName::File };
        view! { <Tag label=text::meetings::papers_read(l, l.number(read), l.number(papers)) tone icon/> }
    })
}
