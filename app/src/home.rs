//! What a member finds when opening the handbook.

pub mod fns;
mod home_page;

pub use home_page::HomePage;
