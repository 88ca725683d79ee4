//! Pages of the audit trail: of a subtree, and of the viewer's record.

mod fns;
mod own_page;
mod sentence;
mod trail_page;

pub use own_page::OwnTrailPage;
pub use trail_page::TrailPage;
