//! Reads text and files of other programs, and renders Markdown.
//!
//! - [`text`] converts pasted HTML and DOCX files to Markdown, [`markdown`] renders Markdown to sanitised HTML.
//! - [`detect`] finds the kind of a file from its content, [`pictures`] re-encodes pictures, [`extract`] reads the text and draws
//!   the first page of a file.
//! - [`unpacked`] reads zip files.
//!
//! All input may be hostile. Depth, size and time are bounded, except in [`extract`], which runs in a process of its own.
//!
//! Invariant: no storage, no network, no framework.

pub mod detect;
pub mod extract;
pub mod markdown;
pub mod pictures;
pub mod text;
pub mod unpacked;

mod blocks;
mod docx;
mod html;
#[cfg(test)]
#[path = "../../backend/tests/backend/samples.rs"]
mod samples;
