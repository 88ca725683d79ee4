//! Every address of the application, one line each.

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{
    SsrMode,
    components::{Route, Router, Routes},
    path,
};

use crate::{
    account::{
        MorePage, SignInPage,
        welcome::{CodePage, LaterPage, PasswordPage, PhonePage, WayPage, WelcomePage},
    },
    context::provide_page,
    documents::{LibraryPage, ReadPage},
    feedback::{OpinionsPage, ReceiptPage, ReceivedOpinionPage, ReceivedPage, WriteOpinionPage},
    frame::Frame,
    home::HomePage,
    i18n::use_locale,
    meetings::{MeetingPage, MeetingsPage},
    page::{NotFoundPage, ProblemPage},
    server_only::ServerOnlyRoutes,
    statistics::CommitteePage,
    text,
    title::TitleFormat,
    ui::RefusedForms,
};

/// The root of both halves: rendered by the server, hydrated by the browser.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_page();
    let name = text::frame::product(use_locale());
    provide_context(RefusedForms::default());
    // Effects run in the browser only: styles and tests can tell that the page has been taken over.
    Effect::new(|| {
        if let Some(root) = document().document_element() {
            // Refused for an ill-formed name only.
            let _ = root.set_attribute("data-hydrated", "true");
        }
    });
    // One complete page each: readable without script, compressed as a whole, with the right title and status.
    let ssr = SsrMode::Async;
    view! {
        <TitleFormat product=name/>
        <Router>
            <Frame>
                <Routes fallback=NotFoundPage>
                    <Route path=path!("/") view=HomePage ssr=ssr.clone()/>
                    <Route path=path!("/sign-in") view=SignInPage ssr=ssr.clone()/>
                    <Route path=path!("/welcome") view=WelcomePage ssr=ssr.clone()/>
                    <Route path=path!("/welcome/way") view=WayPage ssr=ssr.clone()/>
                    <Route path=path!("/welcome/code") view=CodePage ssr=ssr.clone()/>
                    <Route path=path!("/welcome/password") view=PasswordPage ssr=ssr.clone()/>
                    <Route path=path!("/welcome/later") view=LaterPage ssr=ssr.clone()/>
                    <Route path=path!("/welcome/phone") view=PhonePage ssr=ssr.clone()/>
                    <Route path=path!("/library") view=LibraryPage ssr=ssr.clone()/>
                    <Route path=path!("/library/:id") view=ReadPage ssr=ssr.clone()/>
                    <Route path=path!("/library/:id/opinion") view=WriteOpinionPage ssr=ssr.clone()/>
                    <Route path=path!("/meetings") view=MeetingsPage ssr=ssr.clone()/>
                    <Route path=path!("/meetings/:id") view=MeetingPage ssr=ssr.clone()/>
                    <Route path=path!("/opinions") view=OpinionsPage ssr=ssr.clone()/>
                    <Route path=path!("/opinions/:id") view=ReceiptPage ssr=ssr.clone()/>
                    <Route path=path!("/more") view=MorePage ssr=ssr.clone()/>
                    <Route path=path!("/branch") view=ReceivedPage ssr=ssr.clone()/>
                    <Route path=path!("/branch/:id") view=ReceivedOpinionPage ssr=ssr.clone()/>
                    <Route path=path!("/committee") view=CommitteePage ssr=ssr.clone()/>
                    <Route path=path!("/committee/:unit") view=CommitteePage ssr=ssr.clone()/>
                    <ServerOnlyRoutes/>
                    <Route path=path!("/problem/:kind") view=ProblemPage ssr/>
                </Routes>
            </Frame>
        </Router>
    }
}
