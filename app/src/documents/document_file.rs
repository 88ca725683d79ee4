//! A document as a file that stands alone.

use chrono::NaiveDate;
use domain::{Locale, documents::DocumentCopy};
use leptos::prelude::*;

use super::read_view::running_head;
use crate::{terms, text};

/// Only what a document needs; no script, nothing fetched.
const STYLE: &str = "body{max-width:68ch;margin:2em auto;padding:0 1em;font:1.1em/1.55 serif}\
    h1,h2,h3,h4{line-height:1.25}table{border-collapse:collapse}th,td{border:1px solid #999;padding:.4em .6em;text-align:start}\
    .table-scroll{overflow-x:auto}header{border-bottom:2px solid #c9a45c;margin-bottom:1.5em}\
    @media print{body{max-width:none;margin:0;font-size:12pt}.table-scroll{overflow:visible}}";

/// The whole file. Everything in it but the sanitised text is escaped.
pub fn document_file(l: Locale, copy: &DocumentCopy, today: NaiveDate) -> String {
    let summary = &copy.summary;
    let head = running_head(l, summary);
    let pages = format!(
        "@page{{size:A4;margin:22mm 18mm;@top-right{{content:{};font-size:9pt}}@bottom-center{{content:counter(page) \" / \" counter(pages);font-size:9pt}}}}",
        css_string(&head)
    );
    let signer = copy.signer.as_ref().map(|name| view! { <p>{text::documents::signed_by(l, name)}</p> });
    let body = view! {
        <html lang=l.tag()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <title>{summary.title.clone()}</title>
                <style inner_html=format!("{STYLE}{pages}")></style>
            </head>
            <body>
                <header>
                    <p>{terms::document_kind(l, summary.kind)}</p>
                    <h1>{summary.title.clone()}</h1>
                    <p>{head}</p>
                    <p>{text::documents::issued_by(l, &summary.issuer.name)}</p>
                    {signer}
                </header>
                <main inner_html=copy.html.clone()></main>
                <footer><p><small>{text::reading::copy_from(l, l.date(today))}</small></p></footer>
            </body>
        </html>
    };
    format!("<!DOCTYPE html>{}", body.to_html())
}

/// A string of a style sheet: nothing in it ends the string, or the sheet.
fn css_string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' | '<' | '>' | '&' => quoted.push_str(&format!("\\{:x} ", u32::from(c))),
            c if c.is_control() => {}
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_of_a_style_sheet_ends_where_it_should() {
        assert_eq!(css_string("57-NQ/TW · 1/2/2026"), "\"57-NQ/TW · 1/2/2026\"");
        assert_eq!(css_string("a\"}</style>\n"), "\"a\\22 }\\3c /style\\3e \"");
    }
}
