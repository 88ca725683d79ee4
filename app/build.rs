//! Generates `crate::text` from `locales/<language>/<noun>.toml`: one function per text, so that a missing text, a missing
//! language or a misspelt placeholder is a build error.
//!
//! ```toml
//! heading = "Documents"                        # text::documents::heading(l) -> &'static str
//! papers_read = "{read} of {total} read"       # text::documents::papers_read(l, read, total) -> String
//! [reach]                                      # text::documents::reach(l, n) -> String; Vietnamese has `other` only
//! one = "{n} member"
//! other = "{n} members"
//! ```
//!
//! Words that differ between organisations are in `locales/packs/<pack>.toml`. A text refers to one with an at sign, as in
//! `{@member}`, or `{@Member}` for a capital. A pack without the word is a build error too.
//!
//! The words of compounds such as “chi bộ” are joined by a no-break space.

use std::{
    collections::BTreeMap,
    env,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

const LANGUAGES: [&str; 3] = ["vi", "en", "bn"];
/// Terminology packs, with the variants of `domain::terms::Terms`.
const PACKS: [(&str, &str); 2] = [("party", "Party"), ("association", "Association")];

/// Words that name one thing in Vietnamese and do not end up on two lines, with a small and a capital first letter. Those that stand
/// alone in a narrow place, the head of a column or a tab, are not among them.
const TOGETHER: [&str; 12] = [
    "chi bộ",
    "chi hội",
    "đảng bộ",
    "khu phố",
    "đồng chí",
    "hồ sơ",
    "cán bộ",
    "cấp ủy",
    "điện thoại",
    "hoạt động",
    "tài liệu",
    "khóa học",
];

/// The words of a pack: language → word → term of the organisation.
type Words = BTreeMap<String, BTreeMap<String, String>>;

type Texts = BTreeMap<String, BTreeMap<String, Text>>;

#[derive(Clone)]
enum Text {
    Plain(String),
    Plural { one: String, other: String },
}

fn main() {
    println!("cargo::rerun-if-changed=locales");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("locales");
    let by_language = LANGUAGES.map(|language| read(&root.join(language)));
    let packs = PACKS.map(|(pack, _)| words(&root.join("packs").join(pack).with_extension("toml")));
    let code = match generate(&by_language, &packs) {
        Ok(code) => code + &lookup(&packs) + &word_keys(&packs) + &bound_words(),
        Err(problems) => {
            for problem in &problems {
                println!("cargo::error={problem}");
            }
            std::process::exit(1);
        }
    };
    let out = PathBuf::from(env::var("OUT_DIR").unwrap_or_default()).join("text.rs");
    if let Err(error) = fs::write(&out, code) {
        println!("cargo::error=cannot write {}: {error}", out.display());
        std::process::exit(1);
    }
}

fn read(folder: &Path) -> Texts {
    let mut texts = Texts::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Some(noun) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let parsed = fs::read_to_string(&path)
            .map_err(|error| error.to_string())
            .and_then(|content| content.parse::<toml::Table>().map_err(|error| error.to_string()));
        match parsed {
            Ok(table) => {
                let language = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                let parsed = table.into_iter().filter_map(|(key, value)| Some((key, text(language, value)?))).collect();
                texts.insert(noun.to_owned(), parsed);
            }
            Err(error) => println!("cargo::error={}: {error}", path.display()),
        }
    }
    texts
}

fn words(path: &Path) -> Words {
    let parsed = fs::read_to_string(path)
        .map_err(|error| error.to_string())
        .and_then(|content| toml::from_str(&content).map_err(|error| error.to_string()));
    parsed.unwrap_or_else(|error| {
        println!("cargo::error={}: {error}", path.display());
        Words::new()
    })
}

/// All texts, for tests that check each of them.
fn listing(by_language: &[Texts; 3]) -> String {
    let mut code = String::from("#[cfg(test)]\npub(crate) const ALL: &[(&str, Locale, &str)] = &[\n");
    for (texts, language) in by_language.iter().zip(LANGUAGES) {
        let locale = capital(language);
        for (noun, texts) in texts {
            for (key, text) in texts {
                for form in text.forms() {
                    let _ = writeln!(code, "    (\"{noun}.{key}\", Locale::{locale}, {form:?}),");
                }
            }
        }
    }
    code + "];\n"
}

/// The lookup function for words of a pack.
fn lookup(packs: &[Words; 2]) -> String {
    let mut code = String::from("fn word(terms: Terms, l: Locale, key: &str) -> &'static str {\n    match (terms, l, key) {\n");
    for ((_, variant), words) in PACKS.iter().zip(packs) {
        for (language, words) in words {
            let locale = capital(language);
            for (key, word) in words {
                let word = together(language, word);
                let _ = writeln!(code, "        (Terms::{variant}, Locale::{locale}, {key:?}) => {word:?},");
            }
        }
    }
    code + "        _ => \"\",\n    }\n}\n"
}

/// The words that an own pack can replace. All packs have the same.
fn word_keys(packs: &[Words; 2]) -> String {
    let mut code = String::from("#[cfg(feature = \"ssr\")]\npub const WORDS: &[(Locale, &str)] = &[\n");
    for (language, words) in &packs[0] {
        let locale = capital(language);
        for key in words.keys() {
            let _ = writeln!(code, "    (Locale::{locale}, {key:?}),");
        }
    }
    code + "];\n"
}

/// Each of [`TOGETHER`] as typed, and with a no-break space.
fn pairs() -> impl Iterator<Item = (String, String)> {
    TOGETHER
        .iter()
        .flat_map(|words| [(*words).to_owned(), capital(words)])
        .map(|words| (words.clone(), words.replace(' ', "\u{a0}")))
}

/// The same pairs, for names entered by people.
fn bound_words() -> String {
    let pairs: Vec<(String, String)> = pairs().collect();
    format!("const TOGETHER: &[(&str, &str)] = &{pairs:?};\n")
}

fn together(language: &str, text: &str) -> String {
    let pairs = pairs().filter(|_| language == "vi");
    pairs.fold(text.to_owned(), |text, (apart, bound)| text.replace(&apart, &bound))
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn text(language: &str, value: toml::Value) -> Option<Text> {
    match value {
        toml::Value::String(text) => Some(Text::Plain(together(language, &text))),
        toml::Value::Table(forms) => {
            let other = together(language, forms.get("other")?.as_str()?);
            let one = forms.get("one").and_then(|one| one.as_str()).map_or_else(|| other.clone(), |one| together(language, one));
            Some(Text::Plural { one, other })
        }
        _ => None,
    }
}

fn generate(by_language: &[Texts; 3], packs: &[Words; 2]) -> Result<String, Vec<String>> {
    let mut problems = Vec::new();
    let mut code = String::new();
    for (noun, texts) in &by_language[0] {
        let _ = writeln!(code, "pub mod {noun} {{\n    use super::Locale;");
        for key in texts.keys() {
            let all: Vec<_> = by_language.iter().filter_map(|texts| texts.get(noun)?.get(key)).collect();
            let [vi, en, bn] = all.as_slice() else {
                problems.push(format!("{noun}.{key} is not in all of {LANGUAGES:?}"));
                continue;
            };
            for (text, language) in [vi, en, bn].into_iter().zip(LANGUAGES) {
                problems.extend(
                    text.unknown_words(language, packs).map(|word| format!("{noun}.{key}: a pack has no {word} in {language}")),
                );
            }
            match function(key, [vi, en, bn]) {
                Ok(function) => code.push_str(&function),
                Err(problem) => problems.push(format!("{noun}.{key}: {problem}")),
            }
        }
        code.push_str("}\n\n");
    }
    for (texts, language) in by_language.iter().zip(LANGUAGES) {
        for (noun, keys) in texts {
            for key in keys.keys().filter(|key| by_language[0].get(noun).is_none_or(|known| !known.contains_key(*key))) {
                problems.push(format!("{noun}.{key} is in {language} but not in vi"));
            }
        }
    }
    code.push_str(&listing(by_language));
    if problems.is_empty() { Ok(code) } else { Err(problems) }
}

impl Text {
    fn forms(&self) -> Vec<&str> {
        match self {
            Self::Plain(text) => vec![text],
            Self::Plural { one, other } => vec![one, other],
        }
    }

    /// Whether it contains words of a pack.
    fn has_words(&self) -> bool {
        self.forms().iter().any(|form| form.contains("{@"))
    }

    /// Words it refers to that are missing in a pack.
    fn unknown_words(&self, language: &str, packs: &[Words; 2]) -> impl Iterator<Item = String> {
        let named = self.forms().into_iter().flat_map(|form| form.split("{@").skip(1));
        let named = named.filter_map(|piece| Some(piece.split_once('}')?.0.to_lowercase()));
        let unknown = |word: &String| packs.iter().any(|pack| pack.get(language).is_none_or(|words| !words.contains_key(word)));
        named.filter(unknown).collect::<Vec<_>>().into_iter()
    }
}

fn function(key: &str, texts: [&Text; 3]) -> Result<String, String> {
    let mut code = String::new();
    let has_words = texts.iter().any(|text| text.has_words());
    let spoken = |choice: String| if has_words { format!("super::spoken(l, {choice})") } else { choice };
    match texts {
        [Text::Plain(vi), Text::Plain(en), Text::Plain(bn)] => {
            let names = placeholders(vi);
            for other in [en, bn] {
                let (mut here, mut there) = (names.clone(), placeholders(other));
                here.sort();
                there.sort();
                if here != there {
                    return Err("the placeholders differ between the languages".to_owned());
                }
            }
            let choice = spoken(format!("match l {{ Locale::Vi => {vi:?}, Locale::En => {en:?}, Locale::Bn => {bn:?} }}"));
            if names.is_empty() {
                let kind = if has_words { "fn" } else { "const fn" };
                let _ = writeln!(code, "    pub {kind} {key}(l: Locale) -> &'static str {{\n        {choice}\n    }}");
            } else {
                let arguments: String =
                    names.iter().fold(String::new(), |all, name| all + &format!(", {name}: impl std::fmt::Display"));
                let values: Vec<String> = names.iter().map(|name| format!("({name:?}, &{name})")).collect();
                let _ = writeln!(
                    code,
                    "    pub fn {key}(l: Locale{arguments}) -> String {{\n        super::fill({choice}, &[{}])\n    }}",
                    values.join(", ")
                );
            }
        }
        [Text::Plural { other: vi, .. }, Text::Plural { one: en_one, other: en }, Text::Plural { one: bn_one, other: bn }] => {
            let choice = spoken(format!(
                "match (l, n) {{ (Locale::Vi, _) => {vi:?}, (Locale::En, 1) => {en_one:?}, (Locale::En, _) => {en:?}, \
                 (Locale::Bn, 1) => {bn_one:?}, (Locale::Bn, _) => {bn:?} }}"
            ));
            let _ = writeln!(
                code,
                "    pub fn {key}(l: Locale, n: u64) -> String {{\n        super::fill({choice}, &[(\"n\", &l.number(n))])\n    }}",
            );
        }
        _ => return Err("it is a plural in one language and plain in another".to_owned()),
    }
    Ok(code)
}

/// Names of placeholders in braces, in order of first use.
fn placeholders(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for piece in text.split('{').skip(1) {
        if let Some((name, _)) = piece.split_once('}')
            && !name.starts_with('@')
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
        }
    }
    names
}
