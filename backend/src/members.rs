//! The registry: records of members, how they are found, corrected, moved and kept clean.

pub(crate) mod rows;
