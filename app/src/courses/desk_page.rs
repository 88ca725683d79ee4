//! The courses of the viewer's units, by state.

use domain::{
    Locale,
    courses::{CourseDesk, CourseState, DeskCourse},
    locale::local_date,
};
use leptos::prelude::*;

use super::{desk_fns::desk, words};
use crate::{
    frame::way_to_more,
    i18n::use_locale,
    page::show,
    terms, text,
    title::Title,
    ui::{Card, EmptyState, HERE, IconName, Line, LinkButton, ListRow, PageHeader, RowList},
};

#[component]
pub(crate) fn DeskPage() -> impl IntoView {
    let l = use_locale();
    let data = Resource::new(|| (), |()| desk());
    show(data, move |page| {
        view! {
            <Title text=text::courses::desk(l)/>
            <div class="page">
                {way_to_more(text::courses::desk(l))}
                <PageHeader title=text::courses::desk(l) eyebrow=Line::name(&page.unit.name) lead=text::courses::desk_lead(l)>
                    <LinkButton href="/courses/manage/new" icon=IconName::Plus wide=true>
                        {text::courses::new_course(l)}
                    </LinkButton>
                </PageHeader>
                {lists(l, page)}
            </div>
        }
        .into_any()
    })
}

fn lists(l: Locale, page: CourseDesk) -> AnyView {
    if page.drafts.is_empty() && page.assigned.is_empty() && page.ended.is_empty() {
        let (title, told) = (text::courses::desk_empty_title(l), text::courses::desk_empty(l));
        return view! { <EmptyState title text=told icon=IconName::Compose/> }.into_any();
    }
    view! {
        {list(l, CourseState::Draft, page.drafts)}
        {list(l, CourseState::Assigned, page.assigned)}
        {list(l, CourseState::Ended, page.ended)}
    }
    .into_any()
}

fn list(l: Locale, state: CourseState, courses: Vec<DeskCourse>) -> Option<AnyView> {
    let title = text::courses::section(l, words::state(l, state), l.number(courses.len() as u64));
    (!courses.is_empty()).then(|| {
        let rows = courses.into_iter().map(|course| row(l, course)).collect_view();
        view! { <Card title><RowList>{rows}</RowList></Card> }.into_any()
    })
}

fn row(l: Locale, course: DeskCourse) -> AnyView {
    let meta = match (&course.audience, course.due_on) {
        (Some(audience), Some(day)) => {
            let whom = terms::audience(l, audience, &course.parts, &course.except);
            Line::around(text::courses::given_to(l, HERE), &whom).and(text::courses::due_on(l, l.date(day)))
        }
        _ => text::courses::saved_on(l, l.date(local_date(course.saved_at))).into(),
    };
    let holds = text::courses::holds(l, l.number(course.documents), l.number(course.questions));
    view! {
        <ListRow
            href=format!("/courses/manage/{}", course.id)
            title=course.title
            eyebrow=Line::name(course.issuer.name)
            meta=Line::from(holds).and(meta)
        />
    }
    .into_any()
}
