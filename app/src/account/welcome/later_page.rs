//! For members of a unit that does not use the handbook yet: when it starts, and whom to contact.

use leptos::prelude::*;

use super::{begin_again, on_the_way};
use crate::{
    frame::way_back,
    i18n::use_locale,
    text,
    title::Title,
    ui::{DescriptionList, Fact, Line, Notice, NoticeKind, PageHeader},
};

#[component]
pub fn LaterPage() -> impl IntoView {
    let l = use_locale();
    on_the_way(move |activation| {
        let Some(later) = activation.later else { return begin_again(l) };
        let when = match later.live_from {
            Some(day) => text::welcome::later_known(l, &later.unit, l.long_date_within(day)),
            None => text::welcome::later_unknown(l, &later.unit),
        };
        let contact = later.contact.map_or_else(|| Line::from(text::welcome::later_no_contact(l)), Line::content);
        view! {
            <Title text=text::welcome::later_title(l)/>
            <div class="page page-narrow">
                {way_back(text::welcome::start_title(l), "/welcome", text::welcome::later_title(l))}
                <PageHeader title=text::welcome::later_title(l)/>
                <Notice kind=NoticeKind::Info title=when>
                    <p>{text::welcome::later_code(l)}</p>
                </Notice>
                <DescriptionList>
                    <Fact label=text::welcome::later_contact(l)>{contact.show()}</Fact>
                </DescriptionList>
            </div>
        }
        .into_any()
    })
}
