//! The use-cases against the in-memory engine; the journeys of members and editors against RocksDB too.

#![expect(clippy::expect_used, reason = "tests")]

#[path = "backend/accounts.rs"]
mod accounts;
#[path = "backend/demo.rs"]
mod demo;
#[path = "backend/documents.rs"]
mod documents;
#[path = "backend/engines.rs"]
mod engines;
#[path = "backend/feedback.rs"]
mod feedback;
#[path = "backend/imports.rs"]
mod imports;
#[path = "backend/meetings.rs"]
mod meetings;
#[path = "backend/statistics.rs"]
mod statistics;
#[path = "backend/support.rs"]
mod support;
#[path = "backend/units.rs"]
mod units;
