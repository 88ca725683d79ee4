//! The `handbook` program around the pages and the use-cases: HTTP wiring, settings, jobs, command line.
//!
//! Invariant: no business rule here. `backend` decides what a person may do, `app` what they see.

mod answers;
mod assets;
pub mod cli;
pub mod config;
mod cookies;
mod csrf;
mod data_folder;
mod desk;
mod device;
mod downloads;
pub mod federation;
mod files;
mod health;
mod imports;
mod jobs;
mod listen;
mod live;
mod observe;
mod overload;
mod page_end;
pub mod proxy;
mod reorganisation_files;
mod reorganisations;
mod request_context;
mod router;
mod security_headers;
mod sign_ins;
mod start_report;
mod starting;
pub mod startup;
mod state;
mod telemetry;
pub mod terms;
mod uploads;
