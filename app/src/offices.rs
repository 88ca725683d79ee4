//! Roles on a unit: who holds them, giving and ending them.

mod fns;
mod list_page;

pub use list_page::OfficesPage;
