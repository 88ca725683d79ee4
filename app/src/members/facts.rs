//! Shared parts: the particulars of a record, and a member in a list.

use domain::{
    Locale,
    members::{MemberLine, MemberState, Posting, Record, Standing},
};
use leptos::prelude::*;

use super::words;
use crate::{
    terms, text,
    ui::{Card, DescriptionList, Fact, HERE, IconName, Line, ListRow, Tag, Tone, Whose},
};

/// All particulars of a record.
pub(super) fn particulars(l: Locale, record: &Record) -> AnyView {
    let record = record.clone();
    let missing = || text::members::not_recorded(l).to_owned();
    let national_id = record.national_id.as_deref().map_or_else(missing, words::national_id);
    let phone = record.phone.as_deref().map_or_else(missing, words::phone);
    let official_on = record.official_on.map_or_else(missing, |day| l.date(day));
    let unit = record.branch;
    let branch = match record.home {
        Some(home) => view! {
            <Fact label=text::members::branch(l) whose=Whose::Name>{home}</Fact>
            <Fact label=terms::unit_kind(l, unit.kind) whose=Whose::Name>{unit.name}</Fact>
        }
        .into_any(),
        None => view! { <Fact label=text::members::branch(l) whose=Whose::Name>{unit.name}</Fact> }.into_any(),
    };
    view! {
        <DescriptionList>
            <Fact label=text::members::full_name(l) whose=Whose::Name>{record.name}</Fact>
            <Fact label=text::members::birth_date(l)>{l.date(record.birth_date)}</Fact>
            <Fact label=text::members::sex(l)>{words::sex(l, record.sex)}</Fact>
            <Fact label=text::members::national_id(l)><span translate="no">{national_id}</span></Fact>
            <Fact label=text::members::phone(l)><span translate="no">{phone}</span></Fact>
            <Fact label=text::members::card(l)><span translate="no">{record.card}</span></Fact>
            <Fact label=text::members::admitted_on(l)>{l.date(record.admitted_on)}</Fact>
            <Fact label=text::members::official_on(l)>{official_on}</Fact>
            <Fact label=text::members::standing(l)>{words::standing(l, record.standing)}</Fact>
            <Fact label=text::members::state(l)>{words::state(l, record.state)}</Fact>
            {branch}
        </DescriptionList>
    }
    .into_any()
}

/// The branches of a member, latest first.
pub(super) fn postings(l: Locale, postings: &[Posting]) -> AnyView {
    let facts = postings
        .iter()
        .map(|posting| {
            let span = match posting.until {
                Some(until) => text::members::posted_until(l, l.date(posting.from), l.date(until)),
                None => text::members::posted_since(l, l.date(posting.from)),
            };
            let branch = posting.branch.clone();
            view! { <Fact label=span whose=Whose::Name>{branch}</Fact> }
        })
        .collect_view();
    view! { <Card title=text::members::postings(l)><DescriptionList>{facts}</DescriptionList></Card> }.into_any()
}

/// From one branch to another, by name.
pub(super) fn from_to(l: Locale, from: String, to: String) -> Line {
    Line::name(text::members::from_to(l, from, to))
}

/// A member in a list that links to `href`.
pub(super) fn line(l: Locale, member: MemberLine, href: String) -> AnyView {
    let born = text::members::born(l, l.date(member.birth_date));
    let meta = Line::around(text::members::card_number(l, HERE), &Line::name(&member.card)).and(born);
    let branch = Line::name(&member.branch);
    match mark(l, &member) {
        Some(tags) => view! { <ListRow href title=member.name whose=Whose::Name eyebrow=branch meta>{tags}</ListRow> }.into_any(),
        None => view! { <ListRow href title=member.name whose=Whose::Name eyebrow=branch meta/> }.into_any(),
    }
}

/// A tag for an unusual state or standing of a member.
pub(super) fn mark(l: Locale, member: &MemberLine) -> Option<AnyView> {
    match (member.state, member.standing) {
        (MemberState::Active, Standing::Official) => None,
        (MemberState::Active, standing) => Some(view! { <Tag label=words::standing(l, standing) tone=Tone::Info/> }.into_any()),
        (state, _) => Some(view! { <Tag label=words::state(l, state) icon=IconName::Info/> }.into_any()),
    }
}
