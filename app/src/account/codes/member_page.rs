//! The code of one member.

use domain::accounts::codes::MemberCodes;
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{fns::read_member_codes, list::issued_codes};
use crate::{
    frame::way_back,
    i18n::use_locale,
    page::show,
    text,
    title::Title,
    ui::{Button, Form, IconName, Line, Notice, NoticeKind, PageHeader},
};

#[component]
pub fn MemberCodesPage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let query = use_query_map();
    let member = Memo::new(move |_| params.read().get("id").unwrap_or_default());
    let data = Resource::new(move || member.get(), read_member_codes);
    let revoked = move || {
        query
            .with(|query| query.get_str("revoked").is_some())
            .then(|| view! { <Notice kind=NoticeKind::Ok title=text::codes::was_revoked(l)/> })
    };
    show(data, move |MemberCodes { member, unit, codes }| {
        let title = text::codes::member_title(l, &member.name);
        let activated =
            member.is_activated.then(|| view! { <Notice kind=NoticeKind::Warn title=text::codes::member_activated(l)/> });
        let card = member.card_until.map(|day| {
            view! { <Notice kind=NoticeKind::Warn title=text::codes::member_has_card(l, l.date(day))/> }
        });
        let issue = if member.held_above {
            view! { <Notice title=text::codes::from_above_title(l)><p>{text::codes::member_from_above(l)}</p></Notice> }
                .into_any()
        } else {
            view! {
                {activated}
                {card}
                <Form action="/api/account/issue_code" failed=text::frame::network_failed(l)>
                    <input type="hidden" name="member" value=member.member.to_string()/>
                    <div class="actions">
                        <Button wide=true icon=IconName::Print>{text::codes::issue(l)}</Button>
                    </div>
                </Form>
            }
            .into_any()
        };
        view! {
            <Title text=title.clone()/>
            <div class="page page-narrow">
                {way_back(Line::name(&member.name), &format!("/members/{}", member.member), title.as_str())}
                <PageHeader title=title eyebrow=Line::name(unit.name) lead=text::codes::member_lead(l)/>
                {revoked}
                {issue}
                {issued_codes(l, codes, "member")}
            </div>
        }
        .into_any()
    })
}
