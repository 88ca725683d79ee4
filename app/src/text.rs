//! Every sentence of the application, in every language. Made by `build.rs` from `locales/`.

use std::{
    collections::HashMap,
    fmt::Display,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use domain::{Locale, terms::Terms};

include!(concat!(env!("OUT_DIR"), "/text.rs"));

/// What only one kind of organisation says, by pack and language, in small letters: no text and no page may say it in the words of
/// the other.
pub const ONLY: [(Terms, Locale, &[&str]); 6] = [
    (
        Terms::Party,
        Locale::Vi,
        &[
            "đồng chí",
            "đảng viên",
            "chi bộ",
            "chi ủy",
            "cấp ủy",
            "đảng ủy",
            "đảng bộ",
            "bí thư",
            "vào đảng",
            "ra khỏi đảng",
            "dự bị",
            // As a message to a phone says it.
            "dong chi",
        ],
    ),
    (Terms::Party, Locale::En, &["comrade", "party", "secretary", "secretaries", "probation"]),
    (Terms::Party, Locale::Bn, &["কমরেড", "শিক্ষানবিশ", "শাখা সম্পাদক", "উপসম্পাদক"]),
    (Terms::Association, Locale::Vi, &["hội viên", "chi hội", "ban chấp hành"]),
    (Terms::Association, Locale::En, &["association", "vice chair"]),
    (Terms::Association, Locale::Bn, &["সহসভাপতি"]),
];

/// Whether this installation speaks as an association. One value for the process: a pack is chosen once for an installation.
static ASSOCIATION: AtomicBool = AtomicBool::new(false);

/// Chooses the pack whose words the texts use; before the first page.
pub fn use_pack(terms: Terms) {
    ASSOCIATION.store(terms == Terms::Association, Ordering::Relaxed);
}

/// The pack whose words the texts use.
pub fn pack() -> Terms {
    if ASSOCIATION.load(Ordering::Relaxed) { Terms::Association } else { Terms::Party }
}

/// A text with the words of the installation's pack in their places; made once and kept, as there are few.
pub(crate) fn spoken(l: Locale, template: &'static str) -> &'static str {
    type Made = HashMap<(Terms, Locale, &'static str), &'static str>;
    static MADE: RwLock<Option<Made>> = RwLock::new(None);
    let key = (pack(), l, template);
    let made = MADE.read().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(|made| made.get(&key).copied());
    made.unwrap_or_else(|| {
        let text: &'static str = with_words(key.0, l, template).leak();
        MADE.write().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().insert(key, text);
        text
    })
}

/// Puts words of the pack into the places that name them. Other places stay.
fn with_words(terms: Terms, l: Locale, template: &str) -> String {
    let mut text = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{@") {
        text.push_str(before);
        let Some((name, behind)) = after.split_once('}') else { break };
        let found = word(terms, l, &name.to_lowercase());
        let mut letters = found.chars();
        match letters.next() {
            Some(first) if name.starts_with(char::is_uppercase) => text.extend(first.to_uppercase().chain(letters)),
            _ => text.push_str(found),
        }
        rest = behind;
    }
    text.push_str(rest);
    text
}

/// Puts values into the places of a template.
fn fill(template: &str, values: &[(&str, &dyn Display)]) -> String {
    use std::fmt::Write;
    let mut filled = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((name, behind)) = after.split_once('}') else { break };
        if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
            let _ = write!(filled, "{value}");
        }
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

/// A name that people gave, as a heading, a row or a tag: words that name one thing, such as “chi bộ”, are not torn apart at the end
/// of a line. In texts of the application they are bound already.
pub fn together(name: impl Into<String>) -> String {
    fn bind(name: String) -> String {
        TOGETHER.iter().fold(name, |name, (apart, bound)| name.replace(apart, bound))
    }
    bind(name.into())
}

/// A text with ordinary spaces, as it stands in a file or is stored.
pub fn with_plain_spaces(text: &str) -> String {
    text.replace('\u{a0}', " ")
}

#[cfg(test)]
mod tests;
