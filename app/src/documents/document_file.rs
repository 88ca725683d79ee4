//! A document as a self-contained file.

use chrono::NaiveDate;
use domain::{Locale, documents::DocumentCopy};
use leptos::prelude::*;

use super::{official_sheet, read_view::running_head};
use crate::{terms, text};

/// Styles of the document only; no script and no external resources.
const STYLE: &str = "body{max-width:68ch;margin:2em auto;padding:0 1em;font:1.1em/1.55 serif}\
    h1,h2,h3,h4{line-height:1.25}table{border-collapse:collapse}th,td{border:1px solid #999;padding:.4em .6em;text-align:start}\
    .table-scroll{overflow-x:auto}header{border-bottom:2px solid #c9a45c;margin-bottom:1.5em}\
    .official-head,.official-end{display:grid;grid-template-columns:1fr 1fr;gap:1em;text-align:center;margin-block:1.5em}\
    .official-head p,.official-end p{margin:0}.official-head{grid-template-columns:2fr 3fr}\
    .official-head>div>:first-child{font-weight:700;white-space:pre-line}.official-head>:first-child>:first-child,\
    .official-head>:last-child>:first-child::first-line{text-transform:uppercase}.official-head p+p{margin-top:.4em}.official-end>div{text-align:start;font-size:.85em}\
    .official-end>p{font-weight:700;min-height:7em}.official-head+header{text-align:center;border:0}\
    h1[data-kind]::before{content:attr(data-kind);display:block;text-transform:uppercase}\
    @media print{body{max-width:none;margin:0;font-size:12pt}.table-scroll{overflow:visible}}";

/// The whole file. Everything but the sanitised text is escaped.
pub fn document_file(l: Locale, copy: &DocumentCopy, today: NaiveDate) -> String {
    let summary = &copy.summary;
    let head = running_head(l, summary);
    let pages = format!(
        "@page{{size:A4;margin:20mm 20mm 20mm 30mm;@top-right{{content:{};font-size:9pt}}@bottom-center{{content:counter(page) \" / \" counter(pages);font-size:9pt}}}}",
        css_string(&head)
    );
    let title = view! { <h1 data-kind=official_sheet::kind_above(summary)>{summary.title.clone()}</h1> };
    let header = if official_sheet::is_official(summary) {
        view! { <header>{title}</header> }.into_any()
    } else {
        let signer = copy.imprint.signer.as_ref().map(|name| view! { <p>{text::documents::signed_by(l, name)}</p> });
        view! {
            <header>
                <p>{terms::document_kind(l, summary.kind)}</p>
                {title}
                <p>{head}</p>
                <p>{text::documents::issued_by(l, &summary.issuer.name)}</p>
                {signer}
            </header>
        }
        .into_any()
    };
    let body = view! {
        <html lang=l.tag()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <title>{summary.title.clone()}</title>
                <style inner_html=format!("{STYLE}{pages}")></style>
            </head>
            <body>
                {official_sheet::head(summary)}
                {header}
                <main inner_html=copy.html.clone()></main>
                {official_sheet::end(summary, &copy.imprint)}
                <footer><p><small>{text::reading::copy_from(l, l.date(today))}</small></p></footer>
            </body>
        </html>
    };
    format!("<!DOCTYPE html>{}", body.to_html())
}

/// A CSS string literal, escaped so that neither it nor the style sheet ends early.
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
    fn a_css_string_is_escaped() {
        assert_eq!(css_string("57-NQ/TW · 1/2/2026"), "\"57-NQ/TW · 1/2/2026\"");
        assert_eq!(css_string("a\"}</style>\n"), "\"a\\22 }\\3c /style\\3e \"");
    }
}
