//! Types and rules shared by the server and the browser.
//!
//! Invariant: no I/O, framework, clock or randomness in this crate; it builds for wasm32. A value is validated once, by its
//! `parse`, and its type guarantees it from then on.

pub mod accounts;
pub mod audience;
pub mod audit;
pub mod courses;
pub mod difference;
pub mod documents;
pub mod events;
pub mod feedback;
pub mod files;
pub mod folding;
pub mod forms;
pub mod guard;
pub mod home;
pub mod ids;
pub mod imports;
mod keys;
pub mod legacy_letters;
pub mod levels;
pub mod locale;
pub mod meetings;
pub mod members;
pub mod offices;
pub mod policy;
pub mod search;
pub mod statistics;
pub mod tables;
pub mod terms;
pub mod units;
pub mod writing;

pub use locale::Locale;
