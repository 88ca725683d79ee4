//! Tests of the use-cases on the in-memory engine; journeys of members and editors also on RocksDB.

#![expect(clippy::expect_used, reason = "tests")]

#[path = "backend/accounts.rs"]
mod accounts;
#[path = "backend/activation.rs"]
mod activation;
#[path = "backend/audit.rs"]
mod audit;
#[path = "backend/became.rs"]
mod became;
#[path = "backend/corrections.rs"]
mod corrections;
#[path = "backend/counters.rs"]
mod counters;
#[path = "backend/courses.rs"]
mod courses;
#[path = "backend/demo.rs"]
mod demo;
#[path = "backend/desk.rs"]
mod desk;
#[path = "backend/documents.rs"]
mod documents;
#[path = "backend/engines.rs"]
mod engines;
#[path = "backend/feedback.rs"]
mod feedback;
#[path = "backend/files.rs"]
mod files;
#[path = "backend/home.rs"]
mod home;
#[path = "backend/imports.rs"]
mod imports;
#[path = "backend/jobs.rs"]
mod jobs;
#[path = "backend/keys.rs"]
mod keys;
#[path = "backend/levels.rs"]
mod levels;
#[path = "backend/limits.rs"]
mod limits;
#[path = "backend/meetings.rs"]
mod meetings;
#[path = "backend/members.rs"]
mod members;
#[path = "backend/offices.rs"]
mod offices;
#[path = "backend/paper_codes.rs"]
mod paper_codes;
#[path = "backend/particulars.rs"]
mod particulars;
#[path = "backend/parts.rs"]
mod parts;
#[path = "backend/quotas.rs"]
mod quotas;
#[path = "backend/random_trees.rs"]
mod random_trees;
#[path = "backend/readers.rs"]
mod readers;
#[path = "backend/reorganisations.rs"]
mod reorganisations;
#[path = "backend/samples.rs"]
mod samples;
#[path = "backend/search.rs"]
mod search;
#[path = "backend/sessions.rs"]
mod sessions;
#[path = "backend/sms.rs"]
mod sms;
#[path = "backend/statistics.rs"]
mod statistics;
#[path = "backend/support.rs"]
mod support;
#[path = "backend/takeover.rs"]
mod takeover;
#[path = "backend/two_provinces.rs"]
mod two_provinces;
#[path = "backend/two_texts.rs"]
mod two_texts;
#[path = "backend/units.rs"]
mod units;
#[path = "backend/writing.rs"]
mod writing;
