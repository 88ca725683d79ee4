//! The title of a page: the only way to set one.
//!
//! `leptos_meta` 0.8.7 writes the title between `<title>` and `</title>` unescaped (`inject_meta_context`): a text with
//! `</title>` in it ends the element, and the rest becomes markup. So it must be escaped before. Children of `textarea`, `style`,
//! `script` and `noscript` are written unescaped too (tachys 0.2.19, `ESCAPE_CHILDREN`); attributes, other children and the data
//! of resources are escaped. `tests::nothing_else_is_written_as_it_is` lists every place that writes markup.

use leptos::{prelude::*, text_prop::TextProp};
use leptos_meta::Title as DocumentTitle;

use crate::{i18n::use_locale, text, ui::RefusedForms};

/// Sets the title of the page. Plain text.
#[component]
pub fn Title(#[prop(into)] text: TextProp) -> impl IntoView {
    view! { <DocumentTitle text/> }
}

/// Adds the name of the product to every title, marks the title of a page with a rejected form, and escapes it for the document
/// the server writes. Used once, around all pages.
#[component]
pub(crate) fn TitleFormat(product: &'static str) -> impl IntoView {
    let l = use_locale();
    let refused = use_context::<RefusedForms>().unwrap_or_default();
    let formatter = move |title: String| {
        let title = if refused.any() { text::frame::refused_title(l, title) } else { title };
        written(if title.is_empty() { product.to_owned() } else { format!("{title} · {product}") })
    };
    view! { <DocumentTitle formatter/> }
}

/// The server writes markup.
#[cfg(feature = "ssr")]
fn written(title: String) -> String {
    title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The browser sets `document.title`, which takes plain text.
#[cfg(not(feature = "ssr"))]
fn written(title: String) -> String {
    title
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use std::{collections::BTreeMap, fs, path::Path};

    use super::*;

    #[test]
    fn a_title_cannot_end_its_element() {
        assert_eq!(written("A & B</title><b id=pwn>".to_owned()), "A &amp; B&lt;/title&gt;&lt;b id=pwn&gt;");
    }

    #[test]
    fn only_this_file_sets_titles() {
        let allowed = ["title.rs", "shell.rs: use leptos_meta::MetaTags;", "routes.rs: use leptos_meta::provide_meta_context;"];
        for (file, line) in lines() {
            if line.contains("leptos_meta") {
                let found = format!("{file}: {line}");
                assert!(allowed.iter().any(|allowed| found.starts_with(allowed)), "use crate::title::Title: {found}");
            }
        }
    }

    /// Markup that the framework does not escape, by file. All of it is written by us, sanitised on the server, or escaped by
    /// hand.
    #[test]
    fn nothing_else_is_written_as_it_is() {
        let raw = ["inner_html", "<textarea", "<style", "<script", "<noscript", "srcdoc"];
        let known = BTreeMap::from([
            // Descriptions of courses, through `backend::markdown`.
            ("courses/course_page.rs", 1),
            ("courses/form_page.rs", 1),
            // Styles of ours with an escaped string; the text through `backend::markdown`.
            ("documents/document_file.rs", 2),
            // A preview of a draft, through `backend::markdown`.
            ("documents/desk/editor.rs", 1),
            // The text of a document, through `backend::markdown`.
            ("documents/read_view.rs", 1),
            ("documents/desk/revisions_page.rs", 1),
            // Guides are embedded in the program.
            ("guides/read_page.rs", 1),
            // Markup of a view rendered by the server.
            ("rendered.rs", 1),
            // Scripts of the build, one of them with texts and an id in attributes, and a one-line script of ours.
            ("shell.rs", 4),
            // Escaped by `textarea_content`.
            ("ui/field.rs", 2),
            // Icons of ours.
            ("ui/icon.rs", 1),
        ]);
        let mut found = BTreeMap::<String, usize>::new();
        for (file, line) in lines() {
            let is_markup = raw.iter().any(|raw| line.contains(raw)) && !line.starts_with("//");
            if is_markup && file != "title.rs" && !is_test_of_field(&file, &line) {
                *found.entry(file).or_default() += 1;
            }
        }
        let found: BTreeMap<&str, usize> = found.iter().map(|(file, count)| (file.as_str(), *count)).collect();
        assert_eq!(found, known, "markup that the framework does not escape: say here why it is safe");
    }

    fn is_test_of_field(file: &str, line: &str) -> bool {
        file == "ui/field.rs" && (line.contains("assert!") || line.contains("let html = "))
    }

    /// Every line of this crate's source, with its file.
    #[expect(clippy::expect_used, reason = "a helper of tests")]
    fn lines() -> Vec<(String, String)> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let (mut folders, mut lines) = (vec![root.clone()], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("works on the disk") {
                let path = entry.expect("works on the disk").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let file = path
                        .strip_prefix(&root)
                        .expect("works on the disk")
                        .to_str()
                        .expect("a path in UTF-8")
                        .replace('\\', "/");
                    let text = fs::read_to_string(&path).expect("works on the disk");
                    lines.extend(text.lines().map(|line| (file.clone(), line.trim().to_owned())));
                }
            }
        }
        assert!(lines.len() > 5_000, "the source is found");
        lines
    }
}
