//! Issued codes, with a button to revoke each.

use domain::{
    Locale,
    accounts::codes::{CodeRow, CodeState, last_day},
};
use leptos::prelude::*;

use crate::{
    text,
    ui::{
        Button, ButtonKind, Card, Cell, Column, DataTable, EmptyState, Form, IconName, RowHead, Tag, Tone, VisuallyHidden, Whose,
    },
};

/// `back` names the page: see [`super::fns::revoke_code`].
pub(super) fn issued_codes(l: Locale, codes: Vec<CodeRow>, back: &'static str) -> AnyView {
    if codes.is_empty() {
        return view! {
            <Card title=text::codes::issued(l)>
                <EmptyState title=text::codes::none_title(l) text=text::codes::none(l) icon=IconName::Key/>
            </Card>
        }
        .into_any();
    }
    let columns = [
        text::codes::who(l),
        text::codes::state(l),
        text::codes::issued_at(l),
        text::codes::expires_at(l),
        text::codes::action(l),
    ]
    .map(Column::text)
    .into();
    let rows = codes.into_iter().map(|code| row(l, code, back)).collect_view();
    view! {
        <Card>
            <DataTable caption=text::codes::issued(l) columns>
                {rows}
            </DataTable>
        </Card>
    }
    .into_any()
}

fn row(l: Locale, code: CodeRow, back: &'static str) -> AnyView {
    let (state, tone) = match code.state {
        CodeState::Open => (text::codes::open(l), Tone::Ok),
        CodeState::Used => (text::codes::used(l), Tone::Plain),
        CodeState::Expired => (text::codes::expired(l), Tone::Warn),
        CodeState::Revoked => (text::codes::revoked(l), Tone::Plain),
    };
    let revoke = (code.state == CodeState::Open).then(|| {
        let whose = text::codes::revoke_of(l, &code.name);
        view! {
            <Form action="/api/account/revoke_code" failed=text::frame::network_failed(l)>
                <input type="hidden" name="code" value=code.id.to_string()/>
                <input type="hidden" name="back" value=back/>
                <Button kind=ButtonKind::Quiet>
                    <span aria-hidden="true">{text::codes::revoke(l)}</span>
                    <VisuallyHidden>{whose}</VisuallyHidden>
                </Button>
            </Form>
        }
    });
    view! {
        <tr>
            <RowHead whose=Whose::Name>{code.name}</RowHead>
            <Cell label=text::codes::state(l)>
                <Tag label=state tone/>
            </Cell>
            <Cell label=text::codes::issued_at(l)>{l.date_time(code.issued_at)}</Cell>
            <Cell label=text::codes::expires_at(l)>{l.date(last_day(code.expires_at))}</Cell>
            <Cell label=text::codes::action(l)>{revoke}</Cell>
        </tr>
    }
    .into_any()
}
