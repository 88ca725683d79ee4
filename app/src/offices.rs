//! Roles on a unit: holders, granting and ending.

mod choose_page;
mod fns;
mod list_page;

pub use choose_page::ChooseUnitPage;
pub use list_page::OfficesPage;
