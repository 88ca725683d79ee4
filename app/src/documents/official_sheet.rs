//! The official layout of a printed document (thể thức văn bản: Hướng dẫn 36-HD/VPTW; Nghị định 30/2020/NĐ-CP for an
//! association): issuer and number, organisation and date, recipients, signature. Only stored particulars are shown; the place of
//! issue is not stored.
//!
//! It is part of the document and therefore in the language of the content, whatever the language of the page. The style sheet
//! shows it in print only.

use domain::documents::{DocumentSummary, Imprint};
use leptos::prelude::*;

use crate::{i18n::CONTENT, terms, text, ui::content_lang};

/// Whether it is printed in the official layout: documents with a number are.
pub(super) fn is_official(summary: &DocumentSummary) -> bool {
    summary.number.is_some()
}

/// The head of the first page.
pub(super) fn head(summary: &DocumentSummary) -> Option<AnyView> {
    let number = summary.number.as_ref().map(|number| text::documents::number(CONTENT, number))?;
    let day = summary.published_on.map(|day| view! { <p>{CONTENT.written_date(day)}</p> });
    let head = view! {
        <div class="official-head print-only" lang=content_lang()>
            <div>
                <p>{summary.issuer.name.clone()}</p>
                <p>{number}</p>
            </div>
            <div>
                <p>{text::documents::official_head(CONTENT)}</p>
                {day}
            </div>
        </div>
    };
    Some(head.into_any())
}

/// The kind of document, shown above its title unless the title begins with it.
pub(super) fn kind_above(summary: &DocumentSummary) -> Option<&'static str> {
    let kind = terms::document_kind(CONTENT, summary.kind);
    let is_said = summary.title.to_lowercase().starts_with(&kind.to_lowercase());
    (is_official(summary) && !is_said).then_some(kind)
}

/// Below the text: recipients on the left, signature on the right.
pub(super) fn end(summary: &DocumentSummary, imprint: &Imprint) -> Option<AnyView> {
    is_official(summary).then(|| {
        let Imprint { signer, audience, parts, except } = imprint;
        let recipients = if parts.is_empty() { std::slice::from_ref(audience) } else { parts.as_slice() };
        let recipients = recipients.iter().map(|unit| view! { <p>{text::documents::recipient(CONTENT, &unit.name)}</p> });
        let except = except.iter().map(|unit| unit.name.as_str()).collect::<Vec<_>>().join(", ");
        let except = (!except.is_empty()).then(|| view! { <p>{text::documents::recipients_except(CONTENT, &except)}</p> });
        view! {
            <div class="official-end print-only" lang=content_lang()>
                <div>
                    <p>{text::documents::recipients(CONTENT)}</p>
                    {recipients.collect_view()}
                    {except}
                </div>
                <p>{signer.clone()}</p>
            </div>
        }
        .into_any()
    })
}

#[cfg(test)]
mod tests {
    use domain::{
        documents::DocumentKind,
        units::{UnitPath, UnitRef},
    };

    use super::*;
    use crate::terms::tests::level;

    fn summary(number: Option<&str>, title: &str) -> DocumentSummary {
        let id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
        let path = UnitPath::parse("/01/").expect("a path");
        let name = "Đảng bộ tỉnh Trà Khúc".to_owned();
        DocumentSummary {
            id: id.parse().expect("an id"),
            kind: DocumentKind::Directive,
            number: number.map(str::to_owned),
            title: title.to_owned(),
            issuer: UnitRef { id: id.parse().expect("an id"), kind: level("province"), name, path },
            published_on: chrono::NaiveDate::from_ymd_opt(2026, 2, 3),
            minutes: 1,
            read: false,
            must_read_by: None,
            pinned: false,
            reminded: None,
            corrected_on: None,
        }
    }

    /// Unsigned, for the issuer's whole subtree.
    fn of_all(summary: &DocumentSummary) -> Imprint {
        Imprint { signer: None, audience: summary.issuer.clone(), parts: Vec::new(), except: Vec::new() }
    }

    fn written(view: Option<AnyView>) -> String {
        view.map(|view| view.to_html().replace("<!>", "")).unwrap_or_default()
    }

    #[test]
    fn a_numbered_document_has_head_and_end() {
        let owner = Owner::new();
        owner.set();
        let summary = summary(Some("21-CT/TU"), "Chỉ thị về phòng, chống bão");
        let head = written(head(&summary));
        for part in ["Đảng bộ tỉnh Trà Khúc", "Số 21-CT/TU", "Ngày 03 tháng 02 năm 2026"] {
            assert!(head.contains(part), "{part} in {head}");
        }
        let imprint = Imprint { signer: Some("T/M Ban Thường vụ".to_owned()), ..of_all(&summary) };
        let whole = written(end(&summary, &imprint));
        for part in ["Nơi nhận", "thuộc Đảng bộ tỉnh Trà Khúc", "<p>T/M Ban Thường vụ</p>"] {
            assert!(whole.contains(part), "{part} in {whole}");
        }
        let some_of_it = UnitRef { name: "Đảng bộ xã Bờ Biển".to_owned(), ..summary.issuer.clone() };
        let others = UnitRef { name: "Chi bộ bến cá".to_owned(), ..summary.issuer.clone() };
        let some = Imprint { signer: None, parts: vec![some_of_it], except: vec![others], ..imprint };
        let some = written(end(&summary, &some));
        assert!(some.contains("trừ Chi bộ bến cá"), "{some}");
        assert!(some.contains("thuộc Đảng bộ xã Bờ Biển") && !some.contains("Trà Khúc"), "{some}");
    }

    #[test]
    fn a_document_without_number_has_neither() {
        let owner = Owner::new();
        owner.set();
        let summary = summary(None, "Gió mạnh trên biển");
        assert!(head(&summary).is_none() && end(&summary, &of_all(&summary)).is_none());
        assert_eq!(kind_above(&summary), None);
    }

    #[test]
    fn the_kind_is_said_once() {
        assert_eq!(kind_above(&summary(Some("21-CT/TU"), "CHỈ THỊ về phòng, chống bão")), None);
        assert_eq!(kind_above(&summary(Some("21-CT/TU"), "Về phòng, chống bão")), Some("Chỉ thị"));
    }
}
