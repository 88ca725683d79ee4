//! Courses assigned to units the viewer is responsible for.

use domain::{Locale, courses::DeskCourse};
use leptos::prelude::*;

use super::{fns::following, words};
use crate::{
    i18n::use_locale,
    page::show,
    terms, text,
    title::Title,
    ui::{Breadcrumbs, Crumb, EmptyState, HERE, IconName, Line, ListRow, PageHeader, RowList},
};

#[component]
pub(crate) fn FollowingPage() -> impl IntoView {
    let l = use_locale();
    let data = Resource::new(|| (), |()| following());
    show(data, move |courses| {
        let crumbs = vec![Crumb::link(text::courses::title(l), "/courses"), Crumb::here(text::courses::following(l))];
        let list = if courses.is_empty() {
            let (title, told) = (text::courses::none_followed_title(l), text::courses::none_followed(l));
            view! { <EmptyState title text=told icon=IconName::Chart/> }.into_any()
        } else {
            let rows = courses.into_iter().map(|course| row(l, course)).collect_view();
            view! { <RowList>{rows}</RowList> }.into_any()
        };
        view! {
            <Title text=text::courses::following(l)/>
            <div class="page">
                <Breadcrumbs label=text::courses::way(l) crumbs/>
                <PageHeader title=text::courses::following(l) lead=text::courses::following_lead(l)/>
                {list}
            </div>
        }
        .into_any()
    })
}

fn row(l: Locale, course: DeskCourse) -> AnyView {
    let due = course.due_on.map(|day| text::courses::due_on(l, l.date(day)));
    let whom = course.audience.as_ref().map(|unit| terms::audience(l, unit, &course.parts, &course.except));
    let audience = whom.map(|whom| Line::around(text::courses::given_to(l, HERE), &whom));
    let meta = Line::from(audience).and(due);
    view! {
        <ListRow
            href=format!("/courses/{}/results", course.id)
            title=course.title
            eyebrow=Line::name(course.issuer.name)
            meta
        >
            {words::state_tag(l, course.state)}
        </ListRow>
    }
    .into_any()
}
