//! Courses: studying, managing, and following the progress of units.
//!
//! All pages are rendered by the server only, so a member's phone loads none of this code.

mod assign_page;
mod certificate_page;
mod completion_page;
mod course_page;
mod desk_fns;
mod desk_page;
mod fns;
mod following_page;
mod form_page;
mod list_page;
mod question_page;
mod quiz_page;
mod result_page;
mod words;

pub(crate) use assign_page::AssignPage;
pub(crate) use certificate_page::CertificatePage;
pub(crate) use completion_page::CompletionPage;
pub(crate) use course_page::CoursePage;
pub(crate) use desk_page::DeskPage as CourseDeskPage;
pub(crate) use following_page::FollowingPage;
pub(crate) use form_page::{EditCoursePage, NewCoursePage};
pub(crate) use list_page::CoursesPage;
pub(crate) use question_page::QuestionPage;
pub(crate) use quiz_page::QuizPage;
pub(crate) use result_page::ResultPage;
