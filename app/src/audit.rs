//! The audit trail on screen: of a subtree, and of one's own record.

mod fns;
mod own_page;
mod sentence;
mod trail_page;

pub use own_page::OwnTrailPage;
pub use trail_page::TrailPage;
