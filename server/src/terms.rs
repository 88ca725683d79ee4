//! The terminology pack of the settings: a built-in one, or a TOML file with an organisation's own levels and words.
//! `docs/operations.md` describes the file.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::{Context, Result, anyhow, bail};
use app::text::{WORDS, together};
use chrono::NaiveDate;
use domain::{
    Locale,
    levels::{LevelNames, Meets, OwnLevel, own_levels},
    terms::{OwnWord, Pack, Terms},
};
use serde::Deserialize;

/// The setting `HANDBOOK_TERMS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackSource {
    BuiltIn(Terms),
    File(PathBuf),
}

impl PackSource {
    /// The pack, checked.
    ///
    /// # Errors
    /// A sentence for the operator that names the line or the level, and says what to do.
    pub fn read(&self) -> Result<Pack> {
        match self {
            Self::BuiltIn(terms) => Ok((*terms).into()),
            Self::File(path) => {
                let name = path.display();
                let text = fs::read_to_string(path).with_context(|| format!("cannot read the terminology pack {name}"))?;
                parse(&text).with_context(|| format!("the terminology pack {name} cannot be used"))
            }
        }
    }
}

impl FromStr for PackSource {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(terms) = Terms::from_key(text) {
            return Ok(Self::BuiltIn(terms));
        }
        let path = Path::new(text);
        let is_file = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
        if is_file { Ok(Self::File(path.to_owned())) } else { Err("it must be party, association, or the path of a .toml file") }
    }
}

impl fmt::Display for PackSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn(terms) => terms.fmt(f),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackFile {
    #[serde(default)]
    base: Terms,
    /// By language, then by the name of the word.
    #[serde(default)]
    words: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default, rename = "level")]
    levels: Vec<LevelTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LevelTable {
    key: String,
    #[serde(default)]
    name: LevelNames,
    #[serde(default)]
    short: LevelNames,
    #[serde(default)]
    aliases: Vec<String>,
    hangs_on: Option<Vec<String>>,
    #[serde(default)]
    holds_members: bool,
    meets: Option<Meets>,
    #[serde(default)]
    issues_documents: bool,
    #[serde(default)]
    home: bool,
    /// A date, with or without quotation marks.
    closed_after: Option<toml::Value>,
}

impl LevelTable {
    fn level(self) -> Result<OwnLevel> {
        // The words of a Vietnamese compound stay on one line.
        let names = |names: LevelNames| LevelNames { vi: together(names.vi), ..names };
        Ok(OwnLevel {
            closed_after: self.closed_after.map(|value| day(&self.key, &value)).transpose()?,
            key: self.key,
            name: names(self.name),
            short: names(self.short),
            aliases: self.aliases,
            hangs_on: self.hangs_on,
            holds_members: self.holds_members,
            meets: self.meets,
            issues_documents: self.issues_documents,
            is_home: self.home,
        })
    }
}

fn day(level: &str, value: &toml::Value) -> Result<NaiveDate> {
    let text = match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.parse().map_err(|_| anyhow!("the level {level:?}: closed_after must be a date such as 2025-06-30"))
}

fn parse(text: &str) -> Result<Pack> {
    let file: PackFile = toml::from_str(text).map_err(|error: toml::de::Error| {
        let line = error.span().map_or(0, |span| text[..span.start].matches('\n').count() + 1);
        anyhow!("line {line}: {}", error.message())
    })?;
    let levels = file.levels.into_iter().map(LevelTable::level).collect::<Result<Vec<_>>>()?;
    own_levels(&levels)?;
    let mut words = Vec::new();
    for (language, replaced) in file.words {
        let locale =
            Locale::from_tag(&language).ok_or_else(|| anyhow!("[words.{language}]: the language must be vi, en or bn"))?;
        for (key, word) in replaced {
            words.push(own_word(locale, key, &word)?);
        }
    }
    Ok(Pack { base: file.base, levels, words })
}

fn own_word(locale: Locale, key: String, word: &str) -> Result<OwnWord> {
    let tag = locale.tag();
    let known: Vec<&str> = WORDS.iter().filter(|(language, _)| *language == locale).map(|(_, key)| *key).collect();
    if !known.contains(&key.as_str()) {
        bail!("[words.{tag}]: {key:?} is not a word that texts use: the words of this language are {}", known.join(", "));
    }
    let word = word.trim();
    if word.is_empty() {
        bail!("[words.{tag}]: {key:?} is empty: write the word, or remove the line");
    }
    Ok(OwnWord { locale, key, word: if locale == Locale::Vi { together(word) } else { word.to_owned() } })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A valid pack: two levels and a word.
    const VALID: &str = r#"
base = "association"

[words.vi]
member = "đoàn viên"

[[level]]
key = "national"
name = { vi = "Trung ương Đoàn", en = "National union", bn = "কেন্দ্রীয় সংঘ" }
meets = "committee"
issues_documents = true
closed_after = 2030-12-31

[[level]]
key = "cell"
name = { vi = "Chi đoàn", en = "Cell", bn = "শাখা" }
short = { vi = "CĐ" }
aliases = ["chi đoàn cơ sở"]
hangs_on = ["national"]
holds_members = true
home = true
meets = "branch"
"#;

    fn refused(text: &str) -> String {
        format!("{:#}", parse(text).expect_err("is refused"))
    }

    /// The refusal of the valid pack with one change.
    fn changed(from: &str, to: &str) -> String {
        assert!(VALID.contains(from), "{from}");
        refused(&VALID.replace(from, to))
    }

    #[test]
    fn a_pack_has_levels_and_words_of_its_own() {
        let pack = parse(VALID).expect("is valid");
        assert_eq!(pack.base, Terms::Association);
        let word = OwnWord { locale: Locale::Vi, key: "member".to_owned(), word: "đoàn viên".to_owned() };
        assert_eq!(pack.words, [word]);
        let [national, cell] = &pack.levels[..] else { panic!("two levels: {:?}", pack.levels) };
        assert_eq!((national.meets, national.closed_after), (Some(Meets::AsCommittee), NaiveDate::from_ymd_opt(2030, 12, 31)));
        assert!(national.issues_documents && !national.holds_members && !national.is_home);
        assert!(cell.holds_members && cell.is_home && cell.meets == Some(Meets::AsBranch));
        assert_eq!(pack.levels()[1].short.en, "Cell");
        let quoted = parse(&VALID.replace("2030-12-31", "\"2030-12-31\"")).expect("is valid");
        assert_eq!(quoted.levels[0].closed_after, national.closed_after);
    }

    #[test]
    fn the_example_of_the_documentation_is_a_valid_pack() {
        let text = include_str!("../../docs/operations.md");
        let example = text.split("```toml\nbase").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
        let pack = parse(&format!("base{example}")).expect("is valid");
        let keys: Vec<&str> = pack.levels.iter().map(|level| level.key.as_str()).collect();
        assert_eq!(keys, ["central", "province", "district", "base", "branch", "group"]);
        assert!(pack.words.len() > 3);
    }

    #[test]
    fn compounds_of_own_words_stay_on_one_line() {
        let pack = parse(&VALID.replace("\"Chi đoàn\"", "\"Chi bộ Đoàn\"")).expect("is valid");
        assert_eq!(pack.levels[1].name.vi, "Chi\u{a0}bộ Đoàn");
    }

    #[test]
    fn a_pack_without_what_it_needs_is_refused() {
        assert!(refused("base = \"party\"").contains("add a [[level]] for each level"));
        assert!(changed("holds_members = true\n", "").contains("holds_members = true"));
        assert!(changed("home = true\n", "").contains("home = true"));
        assert!(changed("key = \"cell\"", "key = \"national\"").contains("\"national\" is defined twice"));
        assert!(changed("hangs_on = [\"national\"]", "hangs_on = [\"province\"]").contains("\"cell\" hangs on \"province\""));
        assert!(changed(", bn = \"শাখা\"", "").contains("\"cell\" has no name in the language \"bn\""));
        assert!(changed("\"chi đoàn cơ sở\"", "\"TRUNG ƯƠNG ĐOÀN\"").contains("\"national\" and \"cell\" are both called"));
        let level = "[[level]]\nkey = \"NN\"\nname = { vi = \"Cấp NN\", en = \"Level NN\", bn = \"NN\" }\n";
        let many: String = (1..=15).map(|at| level.replace("NN", &format!("l{at}"))).collect();
        assert!(refused(&format!("{VALID}{many}")).contains("17 levels: at most 16"));
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        let unknown = changed("home = true", "house = true");
        assert!(unknown.contains("line 21") && unknown.contains("unknown field `house`"), "{unknown}");
        let base = changed("\"association\"", "\"union\"");
        assert!(base.contains("line 2") && base.contains("`party`"), "{base}");
        let meets = changed("\"committee\"", "\"always\"");
        assert!(meets.contains("line 10") && meets.contains("`committee`"), "{meets}");
        let day = changed("2030-12-31", "\"next year\"");
        assert!(day.contains("\"national\": closed_after must be a date"), "{day}");
    }

    #[test]
    fn an_unknown_word_is_refused_with_the_known_ones() {
        let word = changed("member =", "membre =");
        assert!(word.contains("[words.vi]: \"membre\"") && word.contains("member"), "{word}");
        assert!(changed("[words.vi]", "[words.fr]").contains("vi, en or bn"));
        assert!(changed("\"đoàn viên\"", "\" \"").contains("\"member\" is empty"));
    }

    #[test]
    fn the_setting_is_a_name_or_a_file() {
        assert_eq!("party".parse(), Ok(PackSource::BuiltIn(Terms::Party)));
        assert_eq!("./union.toml".parse(), Ok(PackSource::File("./union.toml".into())));
        assert!("union".parse::<PackSource>().is_err());
        let missing = PackSource::File("/nowhere/union.toml".into()).read().expect_err("is not there");
        assert!(missing.to_string().contains("/nowhere/union.toml"), "{missing}");
    }
}
