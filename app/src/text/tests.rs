use super::*;

#[test]
fn values_are_inserted_and_not_parsed_as_templates() {
    assert_eq!(fill("{a} of {b}, {a}", &[("a", &1), ("b", &"{a}")]), "1 of {a}, 1");
    assert_eq!(fill("no places", &[]), "no places");
}

#[test]
fn a_text_uses_the_words_of_the_pack() {
    let said = |terms| with_words(terms, Locale::Vi, "{@Member} gửi {count} ý kiến đến {@branch}");
    assert_eq!(said(Terms::Party), "Đảng viên gửi {count} ý kiến đến chi\u{a0}bộ");
    assert_eq!(said(Terms::Association), "Hội viên gửi {count} ý kiến đến chi\u{a0}hội");
}

#[test]
fn each_pack_has_its_head_of_official_documents() {
    let head = |terms| with_words(terms, Locale::Vi, "{@official_head}");
    assert_eq!(head(Terms::Party), "Đảng Cộng sản Việt Nam");
    assert_eq!(head(Terms::Association), "Cộng hòa xã hội chủ nghĩa Việt Nam\nĐộc lập – Tự do – Hạnh phúc");
}

#[test]
fn a_text_of_one_pack_has_no_word_of_the_other() {
    let texts = ALL.iter().copied().chain(guides());
    let strange = texts.flat_map(|(key, l, text)| {
        ONLY.iter().filter(move |(_, locale, _)| *locale == l).flat_map(move |(owner, _, words)| {
            let other = if *owner == Terms::Party { Terms::Association } else { Terms::Party };
            // `{secretary}` is a placeholder of a value.
            let said = with_plain_spaces(&without_places(&with_words(other, l, text))).to_lowercase();
            words.iter().filter(move |word| said.contains(**word)).map(move |word| format!("{key} ({l:?}, {other}): {word}"))
        })
    });
    assert_eq!(strange.collect::<Vec<_>>(), Vec::<String>::new());
}

fn without_places(text: &str) -> String {
    text.split('{')
        .enumerate()
        .map(|(at, piece)| if at == 0 { piece } else { piece.split_once('}').map_or("", |(_, rest)| rest) })
        .collect()
}

/// The texts of the guides, which are whole files.
fn guides() -> impl Iterator<Item = (&'static str, Locale, &'static str)> {
    #[cfg(feature = "ssr")]
    return crate::guides::texts();
    #[cfg(not(feature = "ssr"))]
    std::iter::empty()
}

/// A row of the glossary: a term to avoid, and its exceptions.
struct Avoided {
    locale: Locale,
    words: Vec<String>,
    except: Vec<String>,
}

fn glossary() -> Vec<Avoided> {
    let list = |cell: &str| cell.split(';').map(|word| word.trim().to_lowercase()).filter(|word| !word.is_empty()).collect();
    let mut locale = Locale::Vi;
    let mut rows = Vec::new();
    for line in include_str!("../../locales/GLOSSARY.md").lines() {
        match line {
            "## Tiếng Việt" => locale = Locale::Vi,
            "## English" => locale = Locale::En,
            "## বাংলা" => locale = Locale::Bn,
            _ => {}
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let ["", thing, _, not, except, ""] = cells[..]
            && thing != "thing"
            && !thing.starts_with('-')
        {
            rows.push(Avoided { locale, words: list(not), except: list(except) });
        }
    }
    rows
}

/// Whether `word` occurs in `text` as a whole word.
fn says(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        ![before, after].into_iter().flatten().any(char::is_alphabetic)
    })
}

#[test]
fn texts_keep_to_the_glossary() {
    let rows = glossary();
    assert!(rows.len() > 55, "{} rows are read", rows.len());
    let mut wrong = Vec::new();
    for (key, l, text) in ALL.iter().copied().chain(guides()) {
        for row in rows.iter().filter(|row| row.locale == l) {
            let mut said = with_plain_spaces(text).to_lowercase();
            for except in &row.except {
                said = said.replace(except, "");
            }
            wrong.extend(row.words.iter().filter(|word| says(&said, word)).map(|word| format!("{key} ({l:?}): {word}")));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn compounds_are_not_broken() {
    assert_eq!(together("Chào đồng chí, Chi bộ Khu phố 5"), "Chào đồng\u{a0}chí, Chi\u{a0}bộ Khu\u{a0}phố 5");
    assert_eq!(with_plain_spaces(&together("Chi hội, Đảng bộ")), "Chi hội, Đảng bộ");
    let said = with_words(Terms::Party, Locale::Vi, "{@You} hỏi {@head_of_branch}");
    assert_eq!(said, "Đồng\u{a0}chí hỏi bí thư chi\u{a0}bộ");
    for (key, l, text) in ALL.iter().filter(|(_, l, _)| *l == Locale::Vi) {
        assert_eq!(together(*text), *text, "{key} ({l:?})");
    }
    assert_eq!(together("Members of the branch"), "Members of the branch");
}

/// Terms in guides that are on no page of ours: symbols, and texts of other programs.
const OF_NO_PAGE: [&str; 4] = ["A+", "A−", "MẬT", "The audit trail is whole"];

#[test]
fn guides_use_the_labels_of_the_pages() {
    let with_words = |l: Locale, text: &str| with_plain_spaces(&with_words(Terms::Party, l, text));
    // The guides to install on a phone use labels of browsers.
    for (slug, l, guide) in guides().filter(|(slug, ..)| !matches!(*slug, "android" | "ios")) {
        let texts: Vec<String> =
            ALL.iter().filter(|(_, locale, _)| *locale == l).map(|&(.., text)| with_words(l, text)).collect();
        for named in with_words(l, guide).split("**").skip(1).step_by(2) {
            let is_said = texts.iter().any(|text| text == named || (text.contains('{') && text.starts_with(named)));
            assert!(is_said || OF_NO_PAGE.contains(&named), "{slug} ({l:?}): {named} is on no page");
        }
    }
}
