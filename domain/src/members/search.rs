//! Search of the registry, typed into a single field.

use super::{CardNumber, NationalId};
use crate::{folding::fold_name, forms::is_unseen};

/// A parsed search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberQuery {
    /// An empty search: all members.
    Everybody,
    Name(NameQuery),
    /// A complete national ID. A part of one is never searched for: otherwise the masked digits could be guessed by searching.
    NationalId(NationalId),
    Card(CardNumber),
    /// A search that matches no record.
    Nothing,
}

impl MemberQuery {
    pub fn parse(typed: &str) -> Self {
        let seen: String = typed.chars().filter(|c| !is_unseen(*c)).collect();
        let typed = seen.trim();
        if typed.is_empty() {
            return Self::Everybody;
        }
        if !typed.chars().any(|c| c.is_ascii_digit()) {
            return NameQuery::parse(typed).map_or(Self::Nothing, Self::Name);
        }
        if let Ok(national_id) = NationalId::parse(typed) {
            return Self::NationalId(national_id);
        }
        CardNumber::parse(typed).map_or(Self::Nothing, Self::Card)
    }
}

/// Words of a name. A name matches when each of them is a prefix of a different word of it; order, case and diacritics are
/// ignored: `nguyen duc` finds `Nguyễn Đức Thắng`, and so does `thang ng`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameQuery {
    words: Vec<String>,
}

impl NameQuery {
    /// Upper bound of the words in a name.
    const MOST_WORDS: usize = 8;

    /// `None` when there is no word in it.
    pub fn parse(typed: &str) -> Option<Self> {
        let words: Vec<String> = fold_name(typed).split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        (1..=Self::MOST_WORDS).contains(&words.len()).then_some(Self { words })
    }

    /// The different words, last typed first: in a Vietnamese name that is the given name.
    pub fn candidates(&self) -> Vec<&str> {
        let mut candidates: Vec<&str> = Vec::with_capacity(self.words.len());
        for word in self.words.iter().rev() {
            if !candidates.contains(&word.as_str()) {
                candidates.push(word);
            }
        }
        candidates
    }

    /// Whether a folded name matches. Two words never match the same word of the name.
    pub fn matches(&self, folded_name: &str) -> bool {
        let mut free: Vec<&str> = folded_name.split(' ').collect();
        // Longest first, so that a short prefix such as `n` does not take the word that `nguyenh` needs.
        let mut words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        words.into_iter().all(|word| match free.iter().position(|part| part.starts_with(word)) {
            Some(at) => {
                free.swap_remove(at);
                true
            }
            None => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn finds(typed: &str, name: &str) -> bool {
        NameQuery::parse(typed).is_some_and(|query| query.matches(&fold_name(name)))
    }

    #[test]
    fn marks_order_and_ends_of_words_do_not_matter() {
        for typed in ["nguyen duc", "Nguyễn Đức Thắng", "THẮNG", "thang nguyen", "ng d t", "  đức  "] {
            assert!(finds(typed, "Nguyễn Đức Thắng"), "{typed}");
        }
        for typed in ["nguyen nguyen", "uyen", "duct", "nguyen duc thang a", "nguyenduc"] {
            assert!(!finds(typed, "Nguyễn Đức Thắng"), "{typed}");
        }
    }

    #[test]
    fn apostrophes_and_dashes_do_not_matter() {
        for (typed, name) in [
            ("h’hen", "H'Hen Êban"),
            ("H Hen", "H'Hen Êban"),
            ("K'Brơi", "K’Brơi"),
            ("Diệu Liên", "Thích Nữ Diệu-Liên"),
            ("y-thông", "Y Thông Bkrông"),
            ("\u{f0}ăng", "Đỗ Văn Đăng"),
        ] {
            assert!(finds(typed, name), "{typed} {name}");
        }
    }

    #[test]
    fn the_typed_text_selects_the_kind_of_search() {
        let parse = MemberQuery::parse;
        assert_eq!(parse("  "), MemberQuery::Everybody);
        assert!(matches!(parse("Đức"), MemberQuery::Name(_)));
        assert_eq!(parse("1234"), MemberQuery::Card(CardNumber::parse("1234").expect("a card")), "not a part of a national ID");
        assert!(matches!(parse("051 090 001 234"), MemberQuery::NationalId(_)));
        assert_eq!(parse("51.000 123"), MemberQuery::Card(CardNumber::parse("51000123").expect("a card")));
        assert_eq!(parse("Đức 1"), MemberQuery::Nothing);
        assert_eq!(parse("a b c d e f g h i"), MemberQuery::Nothing);
    }

    #[test]
    fn the_given_name_is_tried_first() {
        let query = NameQuery::parse("Trần Văn Trần Anh").expect("words");
        assert_eq!(query.candidates(), ["anh", "tran", "van"]);
    }

    proptest! {
        #[test]
        fn a_name_is_found_by_prefixes_of_its_words_in_any_order(
            name in "[A-ZĐ][a-zđăâêôơưáàảãạ]{1,6}( [A-ZĐ][a-zđăâêôơưáàảãạ]{1,6}){0,4}", cut in 1usize..7, turn in 0usize..5, upper: bool,
        ) {
            let mut words: Vec<String> = name.split(' ').map(|word| word.chars().take(cut).collect()).collect();
            let middle = turn % words.len();
            words.rotate_left(middle);
            let typed = words.join("  ");
            prop_assert!(finds(&if upper { typed.to_uppercase() } else { typed.clone() }, &name), "{typed} {name}");
            prop_assert!(finds(&fold_name(&typed), &name));
            // One word more than the name has.
            let more = format!("{} {}", typed, &words[0]);
            prop_assert!(!finds(&more, &name) || NameQuery::parse(&more).is_none());
        }

        #[test]
        fn any_text_is_parsed_without_panic(typed in "\\PC{0,60}", name in "\\PC{0,40}") {
            let _ = MemberQuery::parse(&typed);
            let _ = finds(&typed, &name);
        }
    }
}
