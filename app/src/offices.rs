//! Roles on a unit: holders, granting and ending.

mod fns;
mod list_page;

pub use list_page::OfficesPage;
