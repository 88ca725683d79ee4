//! Notices of changes to the viewer's account, on the first page and beside the member's record.

use domain::{
    Locale,
    accounts::{AccountChange, AccountNotice},
};
use leptos::prelude::*;

use crate::{
    text,
    ui::{HERE, IconName, Line, Notice, NoticeKind},
};

/// What was changed, when, by whose office, and what to do about it; `href` and `label` link to more.
pub fn account_changes(l: Locale, changes: Vec<AccountChange>, href: &'static str, label: &'static str) -> Vec<AnyView> {
    let told = |AccountChange { notice, at, office }: AccountChange| {
        let at = l.date_time(at);
        let title = match notice {
            AccountNotice::CodeIssued => text::home::code_issued(l).to_owned(),
            AccountNotice::PasswordChanged => text::home::account_password(l).to_owned(),
            AccountNotice::PhoneChanged => text::home::account_phone(l).to_owned(),
            AccountNotice::IdChanged => text::home::account_id(l).to_owned(),
        };
        let done = match (notice, office) {
            (_, None) => text::home::account_done(l, at).into(),
            (AccountNotice::PasswordChanged, Some(unit)) => {
                Line::around(text::home::account_done_by_card(l, HERE, at), &Line::name(unit))
            }
            (_, Some(unit)) => Line::around(text::home::account_done_by(l, HERE, at), &Line::name(unit)),
        };
        view! {
            <Notice kind=NoticeKind::Warn title icon=IconName::Key>
                <p>{done.show()}</p>
                <p>{text::home::account_not_you(l)}</p>
                <p><a href=href>{label}</a></p>
            </Notice>
        }
        .into_any()
    };
    changes.into_iter().map(told).collect()
}
