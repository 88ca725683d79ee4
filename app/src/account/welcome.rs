//! First sign-in and forgotten password: one question per page, from the national ID through a code to a new password.
//!
//! Invariant: until the visitor has proved their identity, every page is the same for every national ID.

pub mod fns;

mod code_page;
mod later_page;
mod password_page;
mod phone_page;
mod start_page;
mod way_page;

pub use code_page::CodePage;
pub use later_page::LaterPage;
pub use password_page::PasswordPage;
pub use phone_page::PhonePage;
pub use start_page::WelcomePage;
pub use way_page::WayPage;

use domain::{Locale, accounts::codes::ActivationView};
use leptos::prelude::*;

use crate::{
    frame::way_back,
    i18n::use_locale,
    page::show,
    text,
    title::Title,
    ui::{IconName, LinkButton, PageHeader},
};

/// A page of the activation while it is open; otherwise a link to the start.
fn on_the_way(view: impl Fn(ActivationView) -> AnyView + Clone + Send + Sync + 'static) -> AnyView {
    let l = use_locale();
    let data = Resource::new(|| (), |()| fns::read_activation());
    show(data, move |activation| if activation.is_open { view(activation) } else { begin_again(l) })
}

fn begin_again(l: Locale) -> AnyView {
    view! {
        <Title text=text::welcome::over_title(l)/>
        <div class="page page-narrow">
            {way_back(text::welcome::start_title(l), "/welcome", text::welcome::over_title(l))}
            <PageHeader title=text::welcome::over_title(l) lead=text::welcome::over(l)/>
            <div class="actions">
                <LinkButton href="/welcome" wide=true icon=IconName::Refresh>{text::welcome::begin_again(l)}</LinkButton>
            </div>
        </div>
    }
    .into_any()
}

/// The progress label of a page, `number` being its position.
fn step(l: Locale, number: u32) -> String {
    text::welcome::step(l, l.number(number))
}
