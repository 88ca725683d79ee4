//! Paper codes for the first sign-in, for those who issue them: by branch, by member, and the sheet of cards.

mod branch_page;
pub mod fns;
mod list;
mod list_page;
mod member_page;
mod sheet_page;

pub use branch_page::BranchCodesPage;
pub use list_page::CodeBranchesPage;
pub use member_page::MemberCodesPage;
pub use sheet_page::CodeSheetPage;
