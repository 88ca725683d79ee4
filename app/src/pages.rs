//! Every page of the application, one row each. Routes, scripts and link behaviour in the browser are derived from the row.
//!
//! A row has the address, the component, and:
//! - `scripts`: files of `scripts/`, without their extension, that the page loads in addition to those of all pages. Without
//!   script it has the same functions.
//! - `guide`: the guide and the section that explain the page, counted from 1; `None` where no guide does.
//! - `access`: who may open it. `By` names a server function, whose row in the authorisation matrix
//!   (`server/tests/server/matrix/rows.rs`) lists who is allowed: the function that reads the page's data, or the one that accepts
//!   its form if only those who may send it see it. `Open` is for pages without data.
//!
//! The first matching row wins, so `/desk/new` precedes `/desk/:id`.
//!
//! The block determines where a page is rendered:
//! - `browser`: in both halves. Its code is loaded by every phone; `cargo xtask size` has a budget for it.
//! - `markup`: by the server, as markup that the browser half shows unchanged (`crate::rendered`).
//! - `server`: by the server, as a page that does not start the browser half. These pages are many and rarely used; a member's
//!   phone must not load their code. The browser half only has the wildcard before each group, and loads such a page from the
//!   server when a link leads there.

#[cfg(not(feature = "ssr"))]
mod by_server;
#[macro_use]
mod declare;
#[cfg(feature = "ssr")]
mod row;

use leptos::prelude::*;
use leptos_router::{
    SsrMode,
    any_nested_route::IntoAnyNestedRoute,
    components::{Route, Routes},
    path,
};

#[cfg(not(feature = "ssr"))]
use self::by_server::ByServer;
#[cfg(feature = "ssr")]
use self::row::Access::{By, Open};
#[cfg(feature = "ssr")]
pub use self::row::{Access, Page, Rendering};
#[cfg(feature = "ssr")]
pub(crate) use self::row::{is_server_only, scripts_of};
use crate::{
    account::{
        MorePage, SignInPage,
        welcome::{CodePage, LaterPage, PasswordPage, PhonePage, WayPage, WelcomePage},
    },
    documents::{LibraryPage, ReadPage},
    feedback::{OpinionsPage, ReceiptPage, ReceivedOpinionPage, ReceivedPage, WriteOpinionPage},
    home::HomePage,
    meetings::{MeetingPage, MeetingsPage},
    page::{NotFoundPage, ProblemPage},
    statistics::CommitteePage,
};

// The components of the block `server`.
#[cfg(feature = "ssr")]
use crate::{
    account::codes::{BranchCodesPage, CodeBranchesPage, CodeSheetPage, MemberCodesPage},
    audit::{OwnTrailPage, TrailPage},
    courses::{
        AssignPage, CertificatePage, CompletionPage, CourseDeskPage, CoursePage, CoursesPage, EditCoursePage, FollowingPage,
        NewCoursePage, QuestionPage, QuizPage, ResultPage,
    },
    documents::{
        PersonalListPage,
        desk::{DeskPage, DraftPage, NewDraftPage, PublishPage, ReviewPage, RevisionsPage, RulesPage, UnsavedPage},
        readers::{FollowedPage, ReadersPage},
    },
    files::FilesPage,
    guides::{GuidePage, GuidesPage},
    imports::{ImportPage, ImportsPage, NewImportPage},
    members::{
        AskCorrectionPage, CorrectionsPage, EditMemberPage, MembersPage, MergePage as MergeRecordsPage, NewMemberPage,
        OwnRecordPage, QualityPage, RecordPage, StatePage, TransferPage, TransfersPage,
    },
    offices::{ChooseUnitPage, OfficesPage},
    reorganisations::{NewReorganisationPage, QueuePage, ReorganisationPage, ReorganisationsPage},
    search::SearchPage,
    sessions::{ChangePasswordPage, ConfirmPage, DevicesPage},
    units::{
        BecamePage, ClosePage, CodePage as UnitCodePage, MergePage as MergeUnitPage, MovePage, NewUnitPage, PhasePage,
        RenamePage, SplitPage, UnitPage, UnitsPage,
    },
};

pages! {
    browser {
        "/" => HomePage { scripts: [], guide: Some(("member", 2)), access: By("/api/home/page") },
        "/sign-in" => SignInPage { scripts: [], guide: Some(("member", 1)), access: Open },
        "/welcome" => WelcomePage { scripts: [], guide: Some(("member", 1)), access: Open },
        "/welcome/way" => WayPage { scripts: [], guide: Some(("member", 1)), access: By("/api/account/door") },
        "/welcome/code" => CodePage { scripts: [], guide: Some(("member", 1)), access: By("/api/account/door") },
        "/welcome/password" => PasswordPage { scripts: [], guide: Some(("member", 1)), access: By("/api/account/door") },
        "/welcome/later" => LaterPage { scripts: [], guide: None, access: By("/api/account/door") },
        "/welcome/phone" => PhonePage { scripts: [], guide: Some(("member", 1)), access: Open },
        "/library/:id/opinion" => WriteOpinionPage {
            scripts: [], guide: Some(("member", 3)), access: By("/api/feedback/invitation")
        },
        "/meetings" => MeetingsPage { scripts: [], guide: None, access: By("/api/meetings/list") },
        "/meetings/:id" => MeetingPage { scripts: [], guide: None, access: By("/api/meetings/read") },
        "/opinions" => OpinionsPage { scripts: [], guide: Some(("member", 3)), access: By("/api/feedback/own") },
        "/opinions/:id" => ReceiptPage { scripts: [], guide: Some(("member", 3)), access: By("/api/feedback/receipt") },
        "/more" => MorePage { scripts: [], guide: Some(("member", 2)), access: By("/api/account/menu") },
        "/branch" => ReceivedPage { scripts: [], guide: Some(("secretary", 2)), access: By("/api/feedback/received") },
        "/branch/:id" => ReceivedOpinionPage { scripts: [], guide: Some(("secretary", 2)), access: By("/api/feedback/open") },
        "/committee" => CommitteePage { scripts: [], guide: Some(("committee", 1)), access: By("/api/statistics/page") },
        "/committee/:unit" => CommitteePage { scripts: [], guide: Some(("committee", 1)), access: By("/api/statistics/page") },
        "/problem/:kind" => ProblemPage { scripts: [], guide: None, access: Open },
    }
    markup {
        "/library" => LibraryPage { scripts: [], guide: Some(("member", 2)), access: By("/api/documents/library") },
        "/library/:id" => ReadPage { scripts: [], guide: Some(("member", 2)), access: By("/api/documents/read") },
    }
    server {
        "/desk/*rest" {
            "/desk" => DeskPage { scripts: ["desk", "dates"], guide: Some(("editor", 1)), access: By("/api/documents/desk") },
            "/desk/new" => NewDraftPage {
                scripts: ["desk", "picker", "dates"], guide: Some(("editor", 1)), access: By("/api/documents/blank")
            },
            "/desk/unsaved" => UnsavedPage { scripts: [], guide: None, access: By("/api/documents/unsaved") },
            "/desk/:id" => DraftPage {
                scripts: ["desk", "picker", "dates"], guide: Some(("editor", 1)), access: By("/api/documents/draft")
            },
            "/desk/rules/:unit" => RulesPage { scripts: ["desk", "dates"], guide: None, access: By("/api/documents/rules") },
            "/desk/:id/publish" => PublishPage {
                scripts: ["desk", "dates"], guide: Some(("editor", 2)), access: By("/api/documents/approval")
            },
            "/desk/:id/files" => FilesPage {
                scripts: ["files", "dates"], guide: Some(("editor", 1)), access: By("/api/files/page")
            },
            "/desk/:id/review" => ReviewPage {
                scripts: ["desk", "dates"], guide: Some(("editor", 2)), access: By("/api/documents/review")
            },
            "/desk/:id/revisions" => RevisionsPage {
                scripts: ["desk", "dates"], guide: None, access: By("/api/documents/revisions")
            },
        }
        "/readers/*rest" {
            "/readers" => FollowedPage { scripts: [], guide: Some(("secretary", 3)), access: By("/api/documents/followed") },
            "/readers/:id" => ReadersPage { scripts: [], guide: Some(("secretary", 3)), access: By("/api/documents/readers") },
        }
        "/courses/*rest" {
            "/courses" => CoursesPage { scripts: ["courses"], guide: Some(("member", 4)), access: By("/api/courses/list") },
            "/courses/manage" => CourseDeskPage {
                scripts: ["courses", "dates"], guide: Some(("courses", 1)), access: By("/api/courses/desk")
            },
            "/courses/manage/new" => NewCoursePage {
                scripts: ["courses", "dates"], guide: Some(("courses", 1)), access: By("/api/courses/blank")
            },
            "/courses/manage/:id" => EditCoursePage {
                scripts: ["courses", "dates"], guide: Some(("courses", 1)), access: By("/api/courses/form")
            },
            "/courses/manage/:id/questions/:number" => QuestionPage {
                scripts: ["courses", "dates"], guide: Some(("courses", 1)), access: By("/api/courses/question")
            },
            "/courses/manage/:id/assign" => AssignPage {
                scripts: ["courses", "picker", "dates"], guide: Some(("courses", 1)), access: By("/api/courses/assignment")
            },
            "/courses/results" => FollowingPage {
                scripts: ["courses"], guide: Some(("secretary", 3)), access: By("/api/courses/following")
            },
            "/courses/:id" => CoursePage { scripts: ["courses"], guide: Some(("member", 4)), access: By("/api/courses/read") },
            "/courses/:id/quiz" => QuizPage { scripts: ["courses"], guide: Some(("member", 4)), access: By("/api/courses/quiz") },
            "/courses/:id/tries/:number" => ResultPage {
                scripts: ["courses"], guide: Some(("member", 4)), access: By("/api/courses/result")
            },
            "/courses/:id/certificate" => CertificatePage {
                scripts: ["courses", "print"], guide: Some(("member", 4)), access: By("/api/courses/certificate")
            },
            "/courses/:id/results" => CompletionPage {
                scripts: ["courses"], guide: Some(("courses", 1)), access: By("/api/courses/completion")
            },
        }
        // Downloads of attached files; not a page.
        "/files/*rest" {}
        "/shelf/*rest" {
            "/shelf/:list" => PersonalListPage { scripts: [], guide: Some(("member", 2)), access: By("/api/documents/shelf") },
        }
        "/units/*rest" {
            "/units" => UnitsPage { scripts: ["dates"], guide: Some(("registrar", 3)), access: By("/api/units/list") },
            "/units/became" => BecamePage {
                scripts: ["dates"], guide: Some(("reorganisation", 2)), access: By("/api/units/became")
            },
            "/units/code/:code" => UnitCodePage {
                scripts: [], guide: Some(("reorganisation", 2)), access: By("/api/units/by_code")
            },
            "/units/roles" => ChooseUnitPage {
                scripts: ["picker"], guide: Some(("registrar", 3)), access: By("/api/offices/choose_unit")
            },
            "/units/:id" => UnitPage { scripts: ["dates"], guide: Some(("registrar", 3)), access: By("/api/units/page") },
            "/units/:id/new" => NewUnitPage { scripts: ["dates"], guide: None, access: By("/api/units/create") },
            "/units/:id/rename" => RenamePage { scripts: ["dates"], guide: None, access: By("/api/units/rename") },
            "/units/:id/phase" => PhasePage { scripts: ["dates"], guide: None, access: By("/api/units/phase") },
            "/units/:id/move" => MovePage { scripts: ["dates"], guide: None, access: By("/api/units/targets") },
            "/units/:id/merge" => MergeUnitPage { scripts: ["dates"], guide: None, access: By("/api/units/targets") },
            "/units/:id/split" => SplitPage { scripts: ["dates"], guide: None, access: By("/api/units/roster") },
            "/units/:id/close" => ClosePage { scripts: ["dates"], guide: None, access: By("/api/units/close") },
            "/units/:id/codes" => BranchCodesPage {
                scripts: ["dates"], guide: Some(("secretary", 1)), access: By("/api/account/branch_codes")
            },
            "/units/:id/roles" => OfficesPage {
                scripts: ["dates"], guide: Some(("registrar", 3)), access: By("/api/offices/list")
            },
        }
        "/reorganisations/*rest" {
            "/reorganisations" => ReorganisationsPage {
                scripts: ["look_again", "dates"], guide: Some(("reorganisation", 1)), access: By("/api/reorganisations/list")
            },
            "/reorganisations/new" => NewReorganisationPage {
                scripts: ["look_again", "dates"], guide: Some(("reorganisation", 1)), access: By("/api/reorganisations/list")
            },
            "/reorganisations/queue" => QueuePage {
                scripts: ["look_again", "dates"], guide: Some(("reorganisation", 1)), access: By("/api/reorganisations/queue")
            },
            "/reorganisations/:id" => ReorganisationPage {
                scripts: ["look_again", "dates"], guide: Some(("reorganisation", 1)), access: By("/api/reorganisations/page")
            },
        }
        "/members/*rest" {
            "/members" => MembersPage { scripts: ["dates"], guide: Some(("registrar", 1)), access: By("/api/members/search") },
            "/members/new" => NewMemberPage { scripts: ["dates"], guide: None, access: By("/api/members/blank") },
            "/members/:id" => RecordPage { scripts: ["dates"], guide: Some(("registrar", 1)), access: By("/api/members/record") },
            "/members/:id/edit" => EditMemberPage {
                scripts: ["dates"], guide: Some(("registrar", 1)), access: By("/api/members/form")
            },
            "/members/:id/state" => StatePage { scripts: ["dates"], guide: None, access: By("/api/members/state") },
            "/members/:id/transfer" => TransferPage {
                scripts: ["dates"], guide: Some(("secretary", 3)), access: By("/api/members/transfer_form")
            },
            "/members/:id/merge" => MergeRecordsPage { scripts: ["dates"], guide: None, access: By("/api/members/merge_form") },
            "/members/:id/code" => MemberCodesPage {
                scripts: ["dates"], guide: Some(("secretary", 1)), access: By("/api/account/member_codes")
            },
        }
        "/corrections/*rest" {
            "/corrections" => CorrectionsPage {
                scripts: [], guide: Some(("registrar", 1)), access: By("/api/members/corrections")
            },
        }
        "/transfers/*rest" {
            "/transfers" => TransfersPage { scripts: [], guide: Some(("secretary", 3)), access: By("/api/members/transfers") },
        }
        "/quality/*rest" {
            "/quality" => QualityPage { scripts: [], guide: Some(("registrar", 1)), access: By("/api/members/quality") },
        }
        "/codes/*rest" {
            "/codes" => CodeBranchesPage { scripts: [], guide: Some(("secretary", 1)), access: By("/api/account/code_branches") },
            "/codes/sheet" => CodeSheetPage { scripts: ["print"], guide: Some(("secretary", 1)), access: By("/api/account/code_sheet") },
        }
        "/imports/*rest" {
            "/imports" => ImportsPage {
                scripts: ["look_again", "dates"], guide: Some(("registrar", 2)), access: By("/api/imports/list")
            },
            "/imports/new" => NewImportPage {
                scripts: ["look_again", "picker", "dates"], guide: Some(("registrar", 2)), access: By("/api/imports/blank")
            },
            "/imports/:id" => ImportPage {
                scripts: ["look_again", "dates"], guide: Some(("registrar", 2)), access: By("/api/imports/page")
            },
        }
        "/audit/*rest" {
            "/audit" => TrailPage { scripts: [], guide: Some(("registrar", 3)), access: By("/api/audit/page") },
        }
        "/record/*rest" {
            "/record" => OwnRecordPage { scripts: [], guide: None, access: By("/api/members/own") },
            "/record/correction" => AskCorrectionPage { scripts: [], guide: None, access: Open },
            "/record/trail" => OwnTrailPage { scripts: [], guide: None, access: By("/api/audit/own") },
        }
        "/devices" {
            "/devices" => DevicesPage { scripts: [], guide: None, access: By("/api/account/devices") },
        }
        "/password" {
            "/password" => ChangePasswordPage { scripts: [], guide: None, access: By("/api/account/own") },
        }
        "/confirm" {
            "/confirm" => ConfirmPage { scripts: [], guide: None, access: By("/api/account/own") },
        }
        "/guides/*rest" {
            "/guides" => GuidesPage { scripts: [], guide: None, access: By("/api/guides/list") },
            "/guides/:slug" => GuidePage { scripts: [], guide: None, access: By("/api/guides/read") },
        }
        "/search/*rest" {
            "/search" => SearchPage { scripts: ["search"], guide: Some(("member", 2)), access: By("/api/search/find") },
        }
    }
}
