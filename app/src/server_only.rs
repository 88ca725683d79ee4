//! Pages that the server alone renders: those of the people who keep the registry, of editors, the guides, the search, courses, and
//! what a member does with the own record and account now and then.
//!
//! There are many of them and few people use them often; a member's phone must not load their code. So the browser half does not
//! have them: it leaves for the server when a link leads there, and their pages do not start it. All pages work without script
//! anyway.

use leptos::prelude::*;
use leptos_router::{any_nested_route::IntoAnyNestedRoute, components::Route, path};

/// Where these pages are. An address is one of them, or begins with one of them and `/`.
const PLACES: [&str; 19] = [
    "/desk",
    "/readers",
    "/courses",
    "/files",
    "/shelf",
    "/units",
    "/members",
    "/corrections",
    "/transfers",
    "/quality",
    "/codes",
    "/imports",
    "/audit",
    "/record",
    "/devices",
    "/password",
    "/confirm",
    "/guides",
    "/search",
];

/// Whether the server alone knows the page of this address.
pub fn is_server_only(path: &str) -> bool {
    PLACES.iter().any(|place| lies_at(path, place))
}

fn lies_at(path: &str, place: &str) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Pages of the server that a script makes more comfortable: where they are, how their address ends, and the script's file in
/// `scripts/`. Without it they do the same. The first that fits counts.
#[cfg(feature = "ssr")]
const SCRIPTS: [(&str, &str, &str); 5] = [
    ("/search", "", "search"),
    ("/desk", "/files", "files"),
    ("/desk", "", "desk"),
    ("/courses", "", "courses"),
    ("/imports", "", "look_again"),
];

/// Where days are typed: `scripts/dates.js` says them back.
#[cfg(feature = "ssr")]
const DATED: [&str; 5] = ["/desk", "/units", "/members", "/courses/manage", "/imports"];

/// The scripts of this address's page.
#[cfg(feature = "ssr")]
pub fn scripts_of(path: &str) -> Vec<&'static str> {
    let fits = |place: &str, end: &str| lies_at(path, place) && path.trim_end_matches('/').ends_with(end);
    let own = SCRIPTS.iter().find(|(place, end, _)| fits(place, end)).map(|(_, _, script)| *script);
    let dates = DATED.iter().any(|place| lies_at(path, place)).then_some("dates");
    own.into_iter().chain(dates).collect()
}

#[cfg(feature = "ssr")]
#[component(transparent)]
pub fn ServerOnlyRoutes() -> impl leptos_router::MatchNestedRoutes + Clone {
    use leptos_router::SsrMode;

    use crate::{
        account::codes::{BranchCodesPage, CodeBranchesPage, CodeSheetPage, MemberCodesPage},
        audit::{OwnTrailPage, TrailPage},
        courses::{
            AssignPage, CertificatePage, CompletionPage, CourseDeskPage, CoursePage, CoursesPage, EditCoursePage, FollowingPage,
            NewCoursePage, QuestionPage, QuizPage, ResultPage,
        },
        documents::{
            DeskPage, DraftPage, FollowedPage, NewDraftPage, PublishPage, ReadersPage, ReviewPage, RevisionsPage, RulesPage,
            ShelfPage,
        },
        files::FilesPage,
        guides::{GuidePage, GuidesPage},
        imports::{ImportPage, ImportsPage, NewImportPage},
        members::{
            AskCorrectionPage, CorrectionsPage, EditMemberPage, MembersPage, MergePage as MergeRecordsPage, NewMemberPage,
            OwnRecordPage, QualityPage, RecordPage, StatePage, TransferPage, TransfersPage,
        },
        offices::OfficesPage,
        search::SearchPage,
        sessions::{ChangePasswordPage, ConfirmPage, DevicesPage},
        units::{
            ClosePage, MergePage as MergeUnitPage, MovePage, NewUnitPage, PhasePage, RenamePage, SplitPage, UnitPage, UnitsPage,
        },
    };

    let ssr = SsrMode::Async;
    view! {
        <Route path=path!("/desk") view=DeskPage ssr=ssr.clone()/>
        <Route path=path!("/desk/new") view=NewDraftPage ssr=ssr.clone()/>
        <Route path=path!("/desk/:id") view=DraftPage ssr=ssr.clone()/>
        <Route path=path!("/desk/rules/:unit") view=RulesPage ssr=ssr.clone()/>
        <Route path=path!("/desk/:id/publish") view=PublishPage ssr=ssr.clone()/>
        <Route path=path!("/desk/:id/files") view=FilesPage ssr=ssr.clone()/>
        <Route path=path!("/desk/:id/review") view=ReviewPage ssr=ssr.clone()/>
        <Route path=path!("/desk/:id/revisions") view=RevisionsPage ssr=ssr.clone()/>
        <Route path=path!("/readers") view=FollowedPage ssr=ssr.clone()/>
        <Route path=path!("/readers/:id") view=ReadersPage ssr=ssr.clone()/>
        <Route path=path!("/shelf/:list") view=ShelfPage ssr=ssr.clone()/>
        <Route path=path!("/courses") view=CoursesPage ssr=ssr.clone()/>
        <Route path=path!("/courses/manage") view=CourseDeskPage ssr=ssr.clone()/>
        <Route path=path!("/courses/manage/new") view=NewCoursePage ssr=ssr.clone()/>
        <Route path=path!("/courses/manage/:id") view=EditCoursePage ssr=ssr.clone()/>
        <Route path=path!("/courses/manage/:id/questions/:number") view=QuestionPage ssr=ssr.clone()/>
        <Route path=path!("/courses/manage/:id/assign") view=AssignPage ssr=ssr.clone()/>
        <Route path=path!("/courses/results") view=FollowingPage ssr=ssr.clone()/>
        <Route path=path!("/courses/:id") view=CoursePage ssr=ssr.clone()/>
        <Route path=path!("/courses/:id/quiz") view=QuizPage ssr=ssr.clone()/>
        <Route path=path!("/courses/:id/tries/:number") view=ResultPage ssr=ssr.clone()/>
        <Route path=path!("/courses/:id/certificate") view=CertificatePage ssr=ssr.clone()/>
        <Route path=path!("/courses/:id/results") view=CompletionPage ssr=ssr.clone()/>
        <Route path=path!("/units") view=UnitsPage ssr=ssr.clone()/>
        <Route path=path!("/units/:id") view=UnitPage ssr=ssr.clone()/>
        <Route path=path!("/units/:id/new") view=NewUnitPage ssr=ssr.clone()/>
        <Route path=path!("/units/:id/rename") view=RenamePage ssr=ssr.clone()/>
        <Route path=path!("/units/:id/phase") view=PhasePage ssr=ssr.clone()/>
        <Route path=path!("/units/:id/move") view=MovePage ssr=ssr.clone()/>
        <Route path=path!("/units/:id/merge") view=MergeUnitPage ssr=ssr.clone()/>
        <Route path=path!("/units/:id/split") view=SplitPage ssr=ssr.clone()/>
        <Route path=path!("/units/:id/close") view=ClosePage ssr=ssr.clone()/>
        <Route path=path!("/members") view=MembersPage ssr=ssr.clone()/>
        <Route path=path!("/members/new") view=NewMemberPage ssr=ssr.clone()/>
        <Route path=path!("/members/:id") view=RecordPage ssr=ssr.clone()/>
        <Route path=path!("/members/:id/edit") view=EditMemberPage ssr=ssr.clone()/>
        <Route path=path!("/members/:id/state") view=StatePage ssr=ssr.clone()/>
        <Route path=path!("/members/:id/transfer") view=TransferPage ssr=ssr.clone()/>
        <Route path=path!("/members/:id/merge") view=MergeRecordsPage ssr=ssr.clone()/>
        <Route path=path!("/corrections") view=CorrectionsPage ssr=ssr.clone()/>
        <Route path=path!("/transfers") view=TransfersPage ssr=ssr.clone()/>
        <Route path=path!("/quality") view=QualityPage ssr=ssr.clone()/>
        <Route path=path!("/codes") view=CodeBranchesPage ssr=ssr.clone()/>
        <Route path=path!("/codes/sheet") view=CodeSheetPage ssr=ssr.clone()/>
        <Route path=path!("/units/:id/codes") view=BranchCodesPage ssr=ssr.clone()/>
        <Route path=path!("/members/:id/code") view=MemberCodesPage ssr=ssr.clone()/>
        <Route path=path!("/units/:id/roles") view=OfficesPage ssr=ssr.clone()/>
        <Route path=path!("/audit") view=TrailPage ssr=ssr.clone()/>
        <Route path=path!("/record") view=OwnRecordPage ssr=ssr.clone()/>
        <Route path=path!("/record/correction") view=AskCorrectionPage ssr=ssr.clone()/>
        <Route path=path!("/record/trail") view=OwnTrailPage ssr=ssr.clone()/>
        <Route path=path!("/devices") view=DevicesPage ssr=ssr.clone()/>
        <Route path=path!("/password") view=ChangePasswordPage ssr=ssr.clone()/>
        <Route path=path!("/confirm") view=ConfirmPage ssr=ssr.clone()/>
        <Route path=path!("/guides") view=GuidesPage ssr=ssr.clone()/>
        <Route path=path!("/guides/:slug") view=GuidePage ssr=ssr.clone()/>
        <Route path=path!("/search") view=SearchPage ssr=ssr.clone()/>
        <Route path=path!("/imports") view=ImportsPage ssr=ssr.clone()/>
        <Route path=path!("/imports/new") view=NewImportPage ssr=ssr.clone()/>
        <Route path=path!("/imports/:id") view=ImportPage ssr/>
    }
    .into_inner()
    .into_any_nested_route()
}

#[cfg(not(feature = "ssr"))]
#[component(transparent)]
pub fn ServerOnlyRoutes() -> impl leptos_router::MatchNestedRoutes + Clone {
    view! {
        <Route path=path!("/desk/*rest") view=ByServer/>
        <Route path=path!("/readers/*rest") view=ByServer/>
        <Route path=path!("/courses/*rest") view=ByServer/>
        <Route path=path!("/files/*rest") view=ByServer/>
        <Route path=path!("/shelf/*rest") view=ByServer/>
        <Route path=path!("/units/*rest") view=ByServer/>
        <Route path=path!("/members/*rest") view=ByServer/>
        <Route path=path!("/corrections/*rest") view=ByServer/>
        <Route path=path!("/transfers/*rest") view=ByServer/>
        <Route path=path!("/quality/*rest") view=ByServer/>
        <Route path=path!("/codes/*rest") view=ByServer/>
        <Route path=path!("/imports/*rest") view=ByServer/>
        <Route path=path!("/audit/*rest") view=ByServer/>
        <Route path=path!("/record/*rest") view=ByServer/>
        <Route path=path!("/devices") view=ByServer/>
        <Route path=path!("/password") view=ByServer/>
        <Route path=path!("/confirm") view=ByServer/>
        <Route path=path!("/guides/*rest") view=ByServer/>
        <Route path=path!("/search/*rest") view=ByServer/>
    }
    .into_inner()
    .into_any_nested_route()
}

/// Loads the page from the server, in the place the router gives it in the history: it must not be there twice, or going back
/// leads to itself.
#[cfg(not(feature = "ssr"))]
#[component]
fn ByServer() -> impl IntoView {
    let here = leptos_router::hooks::use_location();
    Effect::new(move || {
        let address = format!("{}{}", here.pathname.get_untracked(), search(&here.search.get_untracked()));
        // Fails for an address the browser cannot parse; one it is at already never is.
        let _ = window().location().replace(&address);
    });
    crate::page::waiting()
}

#[cfg(not(feature = "ssr"))]
fn search(query: &str) -> String {
    if query.is_empty() { String::new() } else { format!("?{}", query.trim_start_matches('?')) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_begins_alike_is_another_place() {
        for path in ["/units", "/units/01ARZ3NDEKTSV4RRFFQ69G5FAV/move", "/imports/new"] {
            assert!(is_server_only(path), "{path}");
        }
        for (path, scripts) in [
            ("/search", &["search"][..]),
            ("/desk", &["desk", "dates"]),
            ("/desk/01A", &["desk", "dates"]),
            ("/desk/01A/files", &["files", "dates"]),
            ("/imports/01A", &["look_again", "dates"]),
            ("/units/01A/roles", &["dates"]),
            ("/courses/01A", &["courses"]),
            ("/transfers", &[]),
        ] {
            assert_eq!(scripts_of(path), scripts, "{path}");
        }
        for path in ["/", "/unitsx", "/library", "/recorded", "/more", "/membership"] {
            assert!(!is_server_only(path), "{path}");
        }
    }
}
