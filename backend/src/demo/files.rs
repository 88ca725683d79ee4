//! The source files of the sample, compiled into the program.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::{
    courses::QuestionKind,
    documents::{Body, DocumentKind, DocumentNumber, Relation, Title},
    meetings::MeetingKind,
    units::UnitKind,
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{Error, Result};

mod texts {
    include!(concat!(env!("OUT_DIR"), "/demo_texts.rs"));
}

/// A node of the tree; parents, former ones too, come before their children.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnitEntry<K = UnitKind> {
    /// The key by which other files refer to it.
    pub(super) key: String,
    pub(super) code: String,
    /// Empty for the root.
    pub(super) parent: String,
    pub(super) kind: K,
    pub(super) name: String,
    pub(super) short_name: String,
    pub(super) members: usize,
    /// The first day on which the unit no longer existed; its parent is its successor.
    pub(super) ended_on: Option<NaiveDate>,
    /// Key of the ended unit that was its parent until then.
    pub(super) formerly_below: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Names {
    pub(super) family: Vec<FamilyName>,
    pub(super) middle: BySex,
    pub(super) given: BySex,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FamilyName {
    pub(super) name: String,
    pub(super) weight: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BySex {
    pub(super) female: Vec<String>,
    pub(super) male: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MeetingFile {
    #[serde(rename = "template")]
    pub(super) templates: Vec<MeetingTemplate>,
    pub(super) fishing: Vec<FishingMeeting>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MeetingTemplate {
    pub(super) kind: MeetingKind,
    pub(super) scope: String,
    pub(super) title: String,
    pub(super) venues: Vec<String>,
    pub(super) items: Vec<MeetingItem>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MeetingItem {
    pub(super) title: String,
    pub(super) minutes: u32,
}

/// A meeting of the fishing branch.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FishingMeeting {
    pub(super) kind: MeetingKind,
    pub(super) title: String,
    pub(super) days_from_now: i64,
    pub(super) venue: String,
    pub(super) items: Vec<MeetingItem>,
    /// Topics of its papers, for when the branch has no document of its own from that time.
    pub(super) paper_hints: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpinionEntry {
    /// The field of the documents it suits.
    pub(super) topic: String,
    pub(super) text: String,
    /// `None` for an unanswered opinion.
    pub(super) answer: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CourseEntry {
    pub(super) title: String,
    pub(super) description: String,
    pub(super) issuer: String,
    pub(super) audience: String,
    /// Prefixes of the documents' file names.
    pub(super) documents: Vec<String>,
    pub(super) pass_percent: u32,
    pub(super) minutes: Option<u32>,
    pub(super) tries: u32,
    pub(super) assigned_days_ago: i64,
    pub(super) due_in_days: i64,
    #[serde(default, rename = "question")]
    pub(super) questions: Vec<QuestionEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QuestionEntry {
    pub(super) text: String,
    pub(super) kind: QuestionKind,
    pub(super) options: Vec<String>,
    /// Numbers of the right options, from 1.
    pub(super) right: Vec<usize>,
    pub(super) explanation: String,
}

/// A document with its front matter.
#[derive(Debug)]
pub(super) struct DocumentFile {
    /// The key by which others refer to it: the file name up to the first `-`.
    pub(super) key: &'static str,
    pub(super) front: FrontMatter,
    pub(super) title: Title,
    pub(super) number: Option<DocumentNumber>,
    pub(super) body: Body,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FrontMatter {
    pub(super) kind: DocumentKind,
    number: String,
    title: String,
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) field: String,
    pub(super) days_ago: i64,
    pub(super) signer: String,
    /// Days from now by which it must be read.
    pub(super) must_read_in: Option<i64>,
    #[serde(default)]
    pub(super) pinned: bool,
    pub(super) corrected_days_ago: Option<i64>,
    pub(super) correction: Option<String>,
    #[serde(default)]
    pub(super) related: Vec<RelatedEntry>,
}

/// An earlier document, by the prefix of its file name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RelatedEntry {
    pub(super) document: String,
    pub(super) relation: Relation,
}

/// The units of levels that the terminology pack has.
pub(super) fn units() -> Result<Vec<UnitEntry>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        unit: Vec<UnitEntry<String>>,
    }
    let file: File = parse("units.toml", include_str!("../../demo/units.toml"))?;
    Ok(of_levels(file.unit, UnitKind::from_key))
}

/// Leaves out the units of other levels; what is below them is placed below the unit above.
fn of_levels(entries: Vec<UnitEntry<String>>, level: impl Fn(&str) -> Option<UnitKind>) -> Vec<UnitEntry> {
    // Parents, by the keys of what is left out.
    let mut left_out: BTreeMap<String, String> = BTreeMap::new();
    let mut units = Vec::with_capacity(entries.len());
    for entry in entries {
        let kind = level(&entry.kind);
        let UnitEntry { key, code, parent, name, short_name, members, ended_on, formerly_below, .. } = entry;
        let parent = left_out.get(&parent).cloned().unwrap_or(parent);
        let formerly_below = formerly_below.filter(|former| !left_out.contains_key(former));
        match kind {
            Some(kind) => units.push(UnitEntry { key, code, parent, kind, name, short_name, members, ended_on, formerly_below }),
            None => {
                left_out.insert(key, parent);
            }
        }
    }
    units
}

/// The levels without which documents have no issuer and people no unit. Units of other levels can be left out.
pub(super) const LEVELS: [&str; 5] = ["central", "province", "commune", "branch", "group"];

/// Those of [`LEVELS`] that the pack lacks.
pub(super) fn missing_levels(is_defined: impl Fn(&str) -> bool) -> Vec<&'static str> {
    LEVELS.into_iter().filter(|key| !is_defined(key)).collect()
}

/// Why these units cannot be created with the rules of their levels.
pub(super) fn misfit(units: &[UnitEntry]) -> Option<String> {
    let kinds: BTreeMap<&str, UnitKind> = units.iter().map(|unit| (unit.key.as_str(), unit.kind)).collect();
    units.iter().find_map(|unit| {
        let level = unit.kind.key();
        let above = kinds.get(unit.parent.as_str()).filter(|above| !unit.kind.hangs_on(**above));
        if let Some(above) = above {
            return Some(format!("units of the level {level} must be able to hang on those of {}", above.key()));
        }
        match (unit.members > 0, unit.kind.holds_members()) {
            (true, false) => Some(format!("the level {level} must hold members")),
            (false, true) => Some(format!("the level {level} must not hold members")),
            _ if level == "branch" && !unit.kind.is_home() => Some("the level branch must be a home".to_owned()),
            _ => None,
        }
    })
}

pub(super) fn names() -> Result<Names> {
    parse("names.toml", include_str!("../../demo/names.toml"))
}

pub(super) fn meetings() -> Result<MeetingFile> {
    parse("meetings.toml", include_str!("../../demo/meetings.toml"))
}

pub(super) fn opinions() -> Result<Vec<OpinionEntry>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        opinion: Vec<OpinionEntry>,
    }
    parse::<File>("opinions.toml", include_str!("../../demo/opinions.toml")).map(|file| file.opinion)
}

pub(super) fn courses() -> Result<Vec<CourseEntry>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        course: Vec<CourseEntry>,
    }
    parse::<File>("courses.toml", include_str!("../../demo/courses.toml")).map(|file| file.course)
}

/// Title of the document whose file name has this prefix.
pub(super) fn title(begins: &str) -> Result<String> {
    let found = texts::DOCUMENTS.iter().find(|(name, _)| name.starts_with(begins));
    let (name, text) = found.ok_or_else(|| Error::Internal(format!("the sample has no document {begins}")))?;
    document(name, text).map(|document| document.title.as_str().to_owned())
}

/// The published documents.
pub(super) fn documents() -> Result<Vec<DocumentFile>> {
    texts::DOCUMENTS.iter().map(|(name, text)| document(name, text)).collect()
}

/// The drafts.
pub(super) fn drafts() -> Result<Vec<DocumentFile>> {
    texts::DRAFTS.iter().map(|(name, text)| document(name, text)).collect()
}

fn parse<T: DeserializeOwned>(name: &str, text: &str) -> Result<T> {
    toml::from_str(text).map_err(|error| Error::Internal(format!("the sample file {name}: {error}")))
}

fn document(name: &'static str, text: &str) -> Result<DocumentFile> {
    let told = |what: String| Error::Internal(format!("the sample document {name}: {what}"));
    let rest = text.strip_prefix("+++\n").ok_or_else(|| told("it does not start with +++".to_owned()))?;
    let (front, body) = rest.split_once("\n+++\n").ok_or_else(|| told("its front matter has no end".to_owned()))?;
    let front: FrontMatter = toml::from_str(front).map_err(|error| told(error.to_string()))?;
    Ok(DocumentFile {
        key: name.split('-').next().unwrap_or(name),
        title: Title::parse(&front.title).map_err(|problem| told(format!("title: {problem:?}")))?,
        number: DocumentNumber::parse_optional(&front.number).map_err(|problem| told(format!("number: {problem:?}")))?,
        body: Body::parse(body).map_err(|problem| told(format!("text: {problem:?}")))?,
        front,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::{courses::Question, forms::FormReader};

    use super::*;

    #[test]
    fn the_tree_is_complete() {
        let units = units().expect("reads");
        let mut kinds = BTreeMap::new();
        let mut ended = BTreeSet::new();
        for unit in &units {
            let above = kinds.get(unit.parent.as_str()).copied();
            let former = unit.formerly_below.as_deref();
            for (key, above) in [(Some(unit.parent.as_str()), above), (former, former.and_then(|key| kinds.get(key).copied()))] {
                let fits = above.is_some_and(|above| unit.kind.hangs_on(above));
                assert!(key.is_none_or(str::is_empty) || fits, "{} is below {key:?}", unit.key);
            }
            assert!(kinds.insert(unit.key.as_str(), unit.kind).is_none(), "{} appears twice", unit.key);
            assert_eq!(unit.members > 0, unit.kind.holds_members(), "{}", unit.key);
            let ends = ended.contains(unit.parent.as_str());
            assert!(!ends, "{} is below a unit that ended", unit.key);
            assert!(former.is_none_or(|former| ended.contains(former)), "{} was below a unit that goes on", unit.key);
            if unit.ended_on.is_some() {
                ended.insert(unit.key.as_str());
            }
        }
        let parents: BTreeMap<&str, &str> = units.iter().map(|unit| (unit.key.as_str(), unit.parent.as_str())).collect();
        let in_ward = |key: &str| std::iter::successors(Some(key), |key| parents.get(*key).copied()).any(|key| key == "ward");
        // As its documents say.
        assert_eq!(units.iter().filter(|unit| unit.kind.is_home() && in_ward(&unit.key)).count(), 89);
        assert_eq!(units.iter().find(|unit| unit.key == "fishing").map(|unit| unit.members), Some(34));
        let members: usize = units.iter().map(|unit| unit.members).sum();
        assert!((2_900..3_200).contains(&members), "{members} members");
    }

    #[test]
    fn every_level_has_a_unit() {
        let used: BTreeSet<_> = units().expect("reads").into_iter().map(|unit| unit.kind.key()).collect();
        let levels = ["central", "province", "district", "commune", "base", "section", "branch", "group"];
        assert_eq!(used, BTreeSet::from(levels));
    }

    /// As in an association, which has neither districts nor committees between the ward and its branches.
    #[test]
    fn units_of_levels_that_the_pack_lacks_are_left_out() {
        let entries = |units: Vec<UnitEntry>| units.into_iter().map(|unit| (unit.key, unit.parent)).collect::<BTreeMap<_, _>>();
        let all = units().expect("reads");
        let named: Vec<UnitEntry<String>> = units()
            .expect("reads")
            .into_iter()
            .map(|unit| UnitEntry {
                kind: unit.kind.key().to_owned(),
                key: unit.key,
                code: unit.code,
                parent: unit.parent,
                name: unit.name,
                short_name: unit.short_name,
                members: unit.members,
                ended_on: unit.ended_on,
                formerly_below: unit.formerly_below,
            })
            .collect();
        let known = ["central", "province", "commune", "branch", "group"];
        let some = of_levels(named, |key| known.contains(&key).then(|| UnitKind::from_key(key)).flatten());
        assert!(some.iter().all(|unit| unit.formerly_below.is_none() && unit.ended_on.is_none()));
        let codes: BTreeSet<_> = some.iter().map(|unit| (unit.parent.clone(), unit.code.clone())).collect();
        assert_eq!(codes.len(), some.len(), "the codes below a unit differ");
        let (all, some) = (entries(all), entries(some));
        assert_eq!(some.len() + 5, all.len(), "one district, two base committees and two sections");
        assert_eq!(some.values().filter(|parent| *parent == "ward").count(), 89);
        assert!(some.values().all(|parent| parent.is_empty() || some.contains_key(parent)));
    }

    #[test]
    fn levels_that_the_sample_needs_and_the_pack_lacks_are_named() {
        let lacking = |keys: &[&str]| missing_levels(|key| keys.contains(&key));
        assert_eq!(lacking(&["central", "province", "district", "base", "branch", "group"]), ["commune"]);
        assert_eq!(lacking(&LEVELS), Vec::<&str>::new());
        let mut units = units().expect("reads");
        assert_eq!(misfit(&units), None);
        let at = units.iter().position(|unit| unit.key == "ward").expect("a ward");
        units[at].kind = UnitKind::from_key("central").expect("a level");
        let told = "units of the level central must be able to hang on those of province";
        assert_eq!(misfit(&units).as_deref(), Some(told));
        units[at].kind = UnitKind::from_key("branch").expect("a level");
        assert_eq!(misfit(&units).as_deref(), Some("the level branch must not hold members"), "the ward has none");
    }

    #[test]
    fn every_document_is_well_formed_and_reaches_a_unit() {
        let keys: BTreeMap<_, _> = units().expect("reads").into_iter().map(|unit| (unit.key, unit.parent)).collect();
        let below = |key: &str, above: &str| {
            std::iter::successors(Some(key), |key| keys.get(*key).map(String::as_str)).any(|key| key == above)
        };
        let documents = documents().expect("reads");
        assert_eq!(documents.len(), 80);
        let mut numbers = BTreeSet::new();
        for document in documents.iter().chain(&drafts().expect("reads")) {
            let (front, title) = (&document.front, document.title.as_str());
            assert!(keys.contains_key(&front.audience), "{title}: audience {}", front.audience);
            assert!(below(&front.audience, &front.issuer), "{title}: {} has no authority over {}", front.issuer, front.audience);
            assert!((0..420).contains(&front.days_ago), "{title}: {} days ago", front.days_ago);
            let unsigned = matches!(front.kind, DocumentKind::News | DocumentKind::Form);
            assert!((unsigned || !front.signer.is_empty()) && !front.field.is_empty(), "{title}");
            if let Some(number) = &document.number {
                assert!(numbers.insert((front.issuer.clone(), number.as_str().to_owned())), "{title}: the number is taken");
            }
        }
        let words: Vec<_> = documents.iter().map(|document| document.body.as_str().split_whitespace().count()).collect();
        assert!(words.iter().all(|words| (200..=5_000).contains(words)), "{words:?}");
    }

    #[test]
    fn opinions_fit_documents() {
        let fields: BTreeSet<_> = documents().expect("reads").into_iter().map(|document| document.front.field).collect();
        for opinion in opinions().expect("reads") {
            assert!(fields.contains(&opinion.topic), "{}", opinion.topic);
            assert!(!opinion.text.is_empty() && opinion.answer.is_none_or(|answer| !answer.is_empty()));
        }
    }

    #[test]
    fn courses_have_answerable_questions_and_readable_documents() {
        let keys: BTreeMap<_, _> = units().expect("reads").into_iter().map(|unit| (unit.key, unit.parent)).collect();
        let below = |key: &str, above: &str| {
            std::iter::successors(Some(key), |key| keys.get(*key).map(String::as_str)).any(|key| key == above)
        };
        let documents = documents().expect("reads");
        for course in courses().expect("reads") {
            let title = &course.title;
            assert!(below(&course.audience, &course.issuer), "{title}");
            for begins in &course.documents {
                let wanted = super::title(begins).expect("a document");
                let document = documents.iter().find(|document| document.title.as_str() == wanted).expect("is published");
                assert!(below(&course.audience, &document.front.audience), "{title}: {wanted} does not reach all");
            }
            for question in &course.questions {
                let options: Vec<(usize, &str)> = (1..).zip(question.options.iter().map(String::as_str)).collect();
                let mut form = FormReader::new("question");
                let (kind, why) = (question.kind.key(), &question.explanation);
                let read = Question::read(&mut form, &question.text, kind, &options, &question.right, why);
                assert!(read.is_some_and(|read| read.options.len() == options.len()), "{}: {form:?}", question.text);
            }
        }
    }

    #[test]
    fn meetings_have_agendas() {
        let file = meetings().expect("reads");
        assert_eq!(file.fishing.iter().filter(|meeting| meeting.days_from_now > 0).count(), 1);
        for template in &file.templates {
            assert!(template.items.len() > 2 && !template.venues.is_empty(), "{}", template.title);
            assert!(template.items.iter().all(|item| item.minutes > 0), "{}", template.title);
        }
        for meeting in &file.fishing {
            assert!(meeting.items.len() > 2 && !meeting.paper_hints.is_empty(), "{}", meeting.title);
        }
    }
}
