//! Pages, components and server functions: what a person sees and does.
//!
//! A page is its data (one read server function, one struct) and its view. Server functions are thin: parse, take the viewer,
//! call one use-case of `backend`, map the error. No business rule lives here.
//!
//! Invariant: every page is complete HTML without script; every form posts without script.
//! Invariant: this crate never names SurrealDB.
#![recursion_limit = "256"]

pub mod account;
pub mod context;
pub mod documents;
pub mod error;
pub mod feedback;
pub mod forms;
pub mod frame;
pub mod home;
pub mod i18n;
pub mod meetings;
pub mod page;
mod routes;
#[cfg(feature = "ssr")]
pub mod shell;
pub mod statistics;
pub mod terms;
pub mod text;
pub mod ui;

pub use routes::App;
