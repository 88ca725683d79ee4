//! Figures of a committee's subtree, kept up to date while the page is open.

mod committee_page;
mod fns;
#[cfg(feature = "hydrate")]
mod live;
#[cfg(feature = "ssr")]
pub(crate) mod shares;
pub(crate) mod unit_table;

pub use committee_page::CommitteePage;
pub use fns::ReadStatistics;
