//! A line of text with a language marking for each part: screen readers use the right language, and browsers do not translate
//! names.

use leptos::prelude::*;

use super::content_lang;
use crate::text;

/// Placeholder of a name in a sentence, see [`Line::around`].
pub const HERE: &str = "\u{1}";

/// The origin of a text, which determines its language and whether it is translated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Whose {
    /// A text of the application, in the language of the page.
    #[default]
    Ours,
    /// A text written by people, in the language of the content.
    Content,
    /// A name or a code: content that a browser must not translate.
    Name,
    /// The number of a document: a name that is kept on one line where it fits.
    Number,
    /// A text in the language of this tag, whatever the language of the page.
    In(&'static str),
}

impl Whose {
    /// The `lang` attribute of the element around the text.
    pub(super) fn lang(self) -> Option<&'static str> {
        match self {
            Self::Ours => None,
            Self::Content | Self::Name | Self::Number => content_lang(),
            Self::In(tag) => Some(tag),
        }
    }

    /// The `translate` attribute of the element around the text.
    pub(super) fn translate(self) -> Option<&'static str> {
        matches!(self, Self::Name | Self::Number).then_some("no")
    }
}

/// A line of text as a prop, made of texts of the application, names, and content. A `&str` or a `String` is a text of the
/// application; an `Option` may be `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line(Vec<(Whose, String)>);

impl Line {
    pub fn of(whose: Whose, text: impl AsRef<str>) -> Self {
        let mut line = Self::default();
        line.push(whose, text.as_ref());
        line
    }

    pub fn content(text: impl AsRef<str>) -> Self {
        Self::of(Whose::Content, text)
    }

    pub fn name(text: impl AsRef<str>) -> Self {
        Self::of(Whose::Name, text)
    }

    pub fn number(text: impl AsRef<str>) -> Self {
        Self::of(Whose::Number, text)
    }

    /// A sentence of the application, with `part` in place of each [`HERE`].
    pub fn around(sentence: impl AsRef<str>, part: &Self) -> Self {
        let mut line = Self::default();
        for (at, words) in sentence.as_ref().split(HERE).enumerate() {
            if at > 0 {
                line.append(part);
            }
            line.push(Whose::Ours, words);
        }
        line
    }

    /// Another part behind a dot, which stays with the part before it; nothing is added where one of both is missing.
    #[must_use]
    pub fn and(mut self, part: impl Into<Self>) -> Self {
        let part = part.into();
        if !self.is_empty() && !part.is_empty() {
            self.push(Whose::Ours, "\u{a0}· ");
        }
        self.append(&part);
        self
    }

    /// Another part directly behind it.
    #[must_use]
    pub fn then(mut self, part: &Self) -> Self {
        self.append(part);
        self
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Renders the parts, each foreign one in an element of its own; compounds are not broken.
    pub fn show(self) -> AnyView {
        let part = |(whose, words): (Whose, String)| {
            let words = text::together(words);
            match (whose.lang(), whose.translate()) {
                (None, None) => words.into_any(),
                (lang, translate) if whose == Whose::Number => {
                    view! { <span class="unbroken" lang=lang translate=translate>{words}</span> }.into_any()
                }
                (lang, translate) => view! { <span lang=lang translate=translate>{words}</span> }.into_any(),
            }
        };
        self.0.into_iter().map(part).collect_view().into_any()
    }

    /// Renders the line as a paragraph; `None` when it is empty. A single part is marked on the paragraph itself.
    pub(super) fn paragraph(mut self, class: &'static str) -> Option<AnyView> {
        let whose = match self.0.as_mut_slice() {
            [(whose, _)] if *whose != Whose::Number => std::mem::take(whose),
            _ => Whose::Ours,
        };
        (!self.is_empty())
            .then(|| view! { <p class=class lang=whose.lang() translate=whose.translate()>{self.show()}</p> }.into_any())
    }

    fn push(&mut self, whose: Whose, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.0.pop() {
            Some((last, before)) if last == whose => self.0.push((whose, before + text)),
            last => {
                self.0.extend(last);
                self.0.push((whose, text.to_owned()));
            }
        }
    }

    fn append(&mut self, other: &Self) {
        for (whose, text) in &other.0 {
            self.push(*whose, text);
        }
    }
}

impl From<&str> for Line {
    fn from(text: &str) -> Self {
        Self::of(Whose::Ours, text)
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self::of(Whose::Ours, text)
    }
}

impl From<Option<&str>> for Line {
    fn from(text: Option<&str>) -> Self {
        text.map(Self::from).unwrap_or_default()
    }
}

impl From<Option<String>> for Line {
    fn from(text: Option<String>) -> Self {
        text.map(Self::from).unwrap_or_default()
    }
}

impl From<Option<Self>> for Line {
    fn from(line: Option<Self>) -> Self {
        line.unwrap_or_default()
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::{super::ContentLang, *};

    /// Rendered on a page in another language than the content.
    fn shown(line: Line) -> String {
        let owner = Owner::new();
        owner.set();
        provide_context(ContentLang(Some("vi")));
        line.paragraph("line").to_html().replace("<!>", "")
    }

    #[test]
    fn each_part_has_its_language_and_names_are_not_translated() {
        let line = Line::from("12 Nov").and(Line::content("Trụ sở")).and(Line::name("Chi bộ 5"));
        let html = shown(line);
        assert!(
            html.contains(
                "12 Nov\u{a0}· <span lang=\"vi\">Trụ sở</span>\u{a0}· <span lang=\"vi\" translate=\"no\">Chi\u{a0}bộ 5</span>"
            ),
            "{html}"
        );
    }

    #[test]
    fn a_single_part_is_marked_on_the_paragraph() {
        let html = shown(Line::default().and(Line::name("Chi bộ 5")).and(None::<Line>));
        assert!(
            html.contains(r#"lang="vi" translate="no""#) && !html.contains("<span") && html.contains(">Chi\u{a0}bộ 5</p>"),
            "{html}"
        );
    }

    #[test]
    fn a_number_stays_on_one_line() {
        for line in [Line::number("21-CT/TU"), Line::number("21-CT/TU").and("12 Nov")] {
            let html = shown(line);
            assert!(
                html.contains("<span") && html.contains(r#"class="unbroken""#) && html.contains(">21-CT/TU</span>"),
                "{html}"
            );
        }
    }

    #[test]
    fn a_sentence_keeps_its_text_around_a_name() {
        let html = shown(Line::around(format!("Given to {HERE}, once"), &Line::name("Chi bộ 5")));
        assert!(html.contains("Given to <span lang=\"vi\" translate=\"no\">Chi\u{a0}bộ 5</span>, once"), "{html}");
    }
}
