//! A member's courses, to do and done.

use domain::{
    Locale,
    courses::{self, CourseRow},
};
use leptos::prelude::*;

use super::{fns::courses, words::tries_tag};
use crate::{
    frame::way_back,
    i18n::use_locale,
    page::show,
    text,
    title::Title,
    ui::{ButtonKind, Card, EmptyState, IconName, Line, LinkButton, ListRow, PageHeader, RowList},
};

#[component]
pub(crate) fn CoursesPage() -> impl IntoView {
    let l = use_locale();
    let data = Resource::new(|| (), |()| courses());
    show(data, move |page| {
        let staff = staff_links(l, &page);
        view! {
            <Title text=text::courses::title(l)/>
            <div class="page page-narrow">
                {way_back(text::account::more_title(l), "/more", text::courses::title(l))}
                <PageHeader title=text::courses::title(l) lead=text::courses::lead(l)>{staff}</PageHeader>
                {lists(l, page)}
            </div>
        }
        .into_any()
    })
}

fn staff_links(l: Locale, page: &courses::CoursesPage) -> AnyView {
    let gives = page.gives.then(|| {
        view! {
            <LinkButton href="/courses/manage" kind=ButtonKind::Secondary icon=IconName::Compose>
                {text::courses::desk(l)}
            </LinkButton>
        }
    });
    let follows = page.follows.then(|| {
        view! {
            <LinkButton href="/courses/results" kind=ButtonKind::Secondary icon=IconName::Chart>
                {text::courses::following(l)}
            </LinkButton>
        }
    });
    view! { {gives} {follows} }.into_any()
}

fn lists(l: Locale, page: courses::CoursesPage) -> AnyView {
    let to_do = if page.to_do.is_empty() {
        let (title, told) = (text::courses::nothing_title(l), text::courses::nothing(l));
        view! { <EmptyState title text=told icon=IconName::CheckCircle/> }.into_any()
    } else {
        rows(l, page.to_do)
    };
    let done = (!page.done.is_empty()).then(|| view! { <Card title=text::courses::done(l)>{rows(l, page.done)}</Card> });
    view! {
        <Card title=text::courses::to_be_done(l) strong=true>{to_do}</Card>
        {done}
    }
    .into_any()
}

fn rows(l: Locale, courses: Vec<CourseRow>) -> AnyView {
    view! { <RowList>{courses.into_iter().map(|course| row(l, course)).collect_view()}</RowList> }.into_any()
}

fn row(l: Locale, course: CourseRow) -> AnyView {
    let meta = match course.done_on {
        Some(day) => text::courses::done_on(l, l.date(day)),
        None => text::courses::due_on(l, l.long_date_within(course.due_on)),
    };
    view! {
        <ListRow href=format!("/courses/{}", course.id) title=course.title eyebrow=Line::name(course.issuer.name) meta>
            {tries_tag(l, course.tries, course.progress)}
        </ListRow>
    }
    .into_any()
}
