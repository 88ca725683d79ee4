//! What is recorded about the reader, at the end of a document: opened, read, and who can see it.

use chrono::TimeDelta;
use domain::{
    Locale,
    documents::reading::{OwnReceipt, Recording},
    ids::DocumentId,
    policy::Role,
    units::UnitRef,
};
use leptos::prelude::*;

use crate::{
    terms, text,
    ui::{Button, ButtonKind, IconName},
};

/// Its anchor on the page.
pub(super) const PLACE: &str = "receipt";

/// Seconds after which the page's script may report that the end was reached, or that the text was in view long enough. `None`
/// when it is already read, or nothing is recorded.
pub(super) fn seconds(recording: Recording) -> Option<(i64, i64)> {
    match recording {
        Recording::Member(OwnReceipt { read_on: None, length, .. }) => {
            // The server counts milliseconds from its own opening of the text, which is later than the page: a report that is a
            // moment too early is refused.
            let up = |time: TimeDelta| (time.num_milliseconds() + 1_999) / 1_000;
            Some((up(length.to_reach_the_end()), up(length.to_read_it_all())))
        }
        _ => None,
    }
}

/// `branch` is the reader's own, `today` the date that the script writes after a report.
pub(super) fn own_receipt(l: Locale, id: DocumentId, recording: Recording, branch: &UnitRef, today: String) -> AnyView {
    let receipt = match recording {
        Recording::Member(receipt) => receipt,
        Recording::Looks => {
            let href = format!("/library/{id}");
            return view! {
                <p class="own-receipt no-print" id=PLACE>
                    {text::reading::only_looks(l)} " " <a href=href>{text::reading::read_as_member(l)}</a>
                </p>
            }
            .into_any();
        }
        Recording::Elsewhere => {
            return view! { <p class="own-receipt no-print" id=PLACE>{text::reading::not_recorded(l)}</p> }.into_any();
        }
    };
    let told = match receipt.read_on {
        Some(day) => text::reading::recorded_read(l, l.date(day)),
        None => text::reading::recorded_opened(l, l.date(receipt.opened_on)),
    };
    let form = receipt.read_on.is_none().then(|| {
        view! {
            <form method="post" action="/api/documents/mark_read" data-read=text::reading::recorded_read(l, today)>
                <input type="hidden" name="id" value=id.to_string()/>
                <Button kind=ButtonKind::Secondary icon=IconName::Check>{text::reading::i_have_read_it(l)}</Button>
            </form>
        }
    });
    view! {
        <section class="own-receipt no-print" id=PLACE>
            <p role="status">{told}</p>
            {form}
            <p class="muted small">{seen_by(l, branch)}</p>
        </section>
    }
    .into_any()
}

/// Who can see whether this reader has read it: the leaders of the reader's branch.
fn seen_by(l: Locale, branch: &UnitRef) -> String {
    let called = |role| terms::role_at(l, role, branch.kind);
    text::reading::seen_by(l, called(Role::Secretary), called(Role::Deputy), &branch.name)
}

#[cfg(test)]
mod tests {
    use domain::{terms::Terms, units::UnitPath};

    use super::*;
    use crate::terms::tests::level;

    #[test]
    fn the_leaders_of_a_branch_have_the_titles_of_a_branch() {
        text::use_pack(Terms::Association);
        let branch = UnitRef {
            id: "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().expect("an id"),
            kind: level("branch"),
            name: "Chi hội Bến Cá".to_owned(),
            path: UnitPath::parse("/01/").expect("a path"),
        };
        let told = seen_by(Locale::Vi, &branch);
        text::use_pack(Terms::Party);
        assert!(text::with_plain_spaces(&told).starts_with("Chi hội trưởng và Chi hội phó Chi hội Bến Cá"), "{told}");
    }
}
