//! The registry: search and maintenance of records, and the member's own record.

mod correction_page;
mod corrections_page;
mod facts;
pub mod fns;
mod form_page;
mod list_page;
mod merge_page;
mod own_page;
mod quality_page;
mod record_page;
mod state_page;
mod transfer_page;
mod transfers_page;
mod words;

pub use correction_page::AskCorrectionPage;
pub use corrections_page::CorrectionsPage;
pub use form_page::{EditMemberPage, NewMemberPage};
pub use list_page::MembersPage;
pub use merge_page::MergePage;
pub use own_page::OwnRecordPage;
pub use quality_page::QualityPage;
pub use record_page::RecordPage;
pub use state_page::StatePage;
pub use transfer_page::TransferPage;
pub use transfers_page::TransfersPage;
