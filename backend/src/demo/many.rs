//! A large library of generated documents for benchmarks, recombined from passages of the sample.

use chrono::TimeDelta;
use domain::{
    documents::{Body, DocumentKind, reading::Seen, steps::PublicationState},
    folding::fold,
    ids::{DocumentId, MemberId},
    members::Standing,
    units::UnitRef,
};

use super::{
    country,
    dice::Dice,
    files,
    library::{DocumentRow, ReceiptRow, TextRow},
    registry::{Registry, level},
};
use crate::{Backend, Error, Result, bulk::Bulk, documents::Particulars, events::SETTLE, store::record};

/// Documents written in one batch.
const BATCH: usize = 2_000;

/// Distribution of documents by the level of their audience, in percent: most are local.
const SPREAD: [(&str, i64); 4] = [("central", 5), ("province", 15), ("commune", 40), ("branch", 40)];

/// Number of provinces, communes of each, and branches of each: a tree in which only a small part of all documents reaches any
/// one branch.
const TREE: [usize; 3] = [34, 10, 6];

/// Creates the units of a large organisation; returns the root.
///
/// # Errors
/// Those of the store.
pub async fn organise(backend: &Backend, seed: u64) -> Result<UnitRef> {
    let [provinces, communes, branches] = TREE;
    let [top, province_level, commune_level, branch_level] = SPREAD.map(|(key, _)| level(key));
    let (top, province_level, commune_level, branch_level) = (top?, province_level?, commune_level?, branch_level?);
    let mut registry = Registry::new(backend, seed, backend.clock().now());
    let root = registry.unit(None, top, "01", "Trung ương")?;
    for province in 0..provinces {
        let province = registry.unit(Some(&root), province_level, &format!("{province:02}"), &format!("Tỉnh {province}"))?;
        for commune in 0..communes {
            let commune = registry.unit(Some(&province), commune_level, &format!("{commune:03}"), &format!("Xã {commune}"))?;
            for branch in 0..branches {
                registry.unit(Some(&commune), branch_level, &format!("{branch:02}"), &format!("Chi bộ {branch}"))?;
            }
        }
    }
    registry.save().await?;
    Ok(root)
}

/// Number of records in the registry.
///
/// # Errors
/// Those of the store.
pub async fn members(backend: &Backend) -> Result<usize> {
    country::count(backend, "member").await
}

/// A document of the library, for benchmarks that index the same documents elsewhere.
#[derive(Debug)]
pub struct Invented<'d> {
    pub id: DocumentId,
    pub kind: DocumentKind,
    /// Its published key.
    pub shelf: &'d str,
    pub number: &'d str,
    pub title: &'d str,
    pub body: &'d str,
    pub audience: &'d UnitRef,
}

/// Publishes `count` documents for units of the tree, and returns `queries` queries that match some of them: words of titles and
/// texts, with and without diacritics, with an error, and numbers. Calls `told` with each document.
///
/// # Errors
/// [`Error::Internal`] for a tree without units; those of the store.
pub async fn publish(
    backend: &Backend,
    seed: u64,
    count: usize,
    queries: usize,
    mut told: impl FnMut(Invented<'_>),
) -> Result<Vec<String>> {
    let tree = backend.units().tree();
    let of = |key: &'static str| tree.all().filter(move |unit| unit.kind.key() == key).collect::<Vec<&UnitRef>>();
    let levels = SPREAD.map(|(key, share)| (of(key), share));
    let source = Source::read()?;
    let mut dice = Dice::new(seed, 11);
    let mut asked = Vec::with_capacity(queries);
    let now = backend.clock().now();
    let mut bulk = Bulk::default();
    for number in 0..count {
        let audience = dice.unit(&levels).ok_or_else(|| Error::Internal("there are no units to publish for".to_owned()))?;
        let issuer = if audience.kind.issues_documents() {
            audience
        } else {
            audience.path.parent().and_then(|path| tree.at(&path)).unwrap_or(audience)
        };
        let at = now - TimeDelta::minutes(dice.between(10, 4 * 365 * 24 * 60));
        let id = DocumentId::new(dice.ulid_at(at));
        let (title, body) = (source.title(&mut dice), source.body(&mut dice));
        let sign =
            format!("{}-{}/{}", number + 1, ["NQ", "CT", "QĐ", "HD"][dice.below(4)], ["TW", "TU", "ĐU", "CB"][dice.below(4)]);
        if asked.len() < queries && number % (count / queries.max(1)).max(1) == 0 {
            asked.push(query(&mut dice, &sign, &title, &body));
        }
        let kind = dice.pick(&DocumentKind::ALL).copied().unwrap_or(DocumentKind::News);
        let shelf = dice.ulid_at(at).to_string();
        told(Invented { id, kind, shelf: &shelf, number: &sign, title: &title, body: &body, audience });
        let particulars = Particulars { number: Some(sign), ..Particulars::new(kind, title, issuer.clone(), audience.clone()) };
        bulk.push(
            "document",
            DocumentRow {
                id: record("document", id),
                particulars: particulars.row(),
                state: PublicationState::Published.key().to_owned(),
                version: 1,
                minutes: Body::parse(&body).map_or(1, |body| i64::from(body.minutes())),
                saved_at: at,
                saved_by: id.to_string(),
                published_at: Some(at),
                shelf: Some(shelf),
                must: None,
                pin: None,
                corrected_at: None,
                correction: None,
            },
        );
        bulk.push("document_text", TextRow { id: record("document_text", id), body });
        if (number + 1) % BATCH == 0 {
            std::mem::take(&mut bulk).save(backend).await?;
        }
    }
    bulk.save(backend).await?;
    backend.search_index().discard().await?;
    Ok(asked)
}

/// Records that members read documents some minutes ago: each entry with the unit the member is posted to.
///
/// # Errors
/// Those of the store.
pub async fn read(backend: &Backend, reads: &[(DocumentId, MemberId, &UnitRef)]) -> Result<()> {
    // A count of the tables leaves the last minutes to the log, which has nothing of these reads.
    let at = backend.clock().now() - SETTLE * 2;
    for some in reads.chunks(20 * BATCH) {
        let mut bulk = Bulk::default();
        for (document, member, branch) in some {
            let receipt = ReceiptRow::new(*document, *member, &branch.path, Standing::Official, at);
            bulk.push("document_read", receipt.read(at, Seen::End));
            bulk.push("read_receipt", receipt);
        }
        bulk.save(backend).await?;
    }
    Ok(())
}

/// Titles and paragraphs of the sample.
struct Source {
    titles: Vec<Vec<String>>,
    paragraphs: Vec<String>,
}

impl Source {
    fn read() -> Result<Self> {
        let files = files::documents()?;
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        Ok(Self {
            titles: files.iter().map(|file| words(file.title.as_str())).collect(),
            paragraphs: files
                .iter()
                .flat_map(|file| file.body.as_str().split("\n\n"))
                .filter(|paragraph| paragraph.len() > 80)
                .map(str::to_owned)
                .collect(),
        })
    }

    /// The beginning of one title and the end of another.
    fn title(&self, dice: &mut Dice) -> String {
        let mut half = |from_end: bool| {
            let words = dice.pick(&self.titles).map(Vec::as_slice).unwrap_or_default();
            let middle = words.len() / 2;
            if from_end { words[middle..].join(" ") } else { words[..middle].join(" ") }
        };
        let title = format!("{} {}", half(false), half(true));
        title.chars().take(300).collect()
    }

    /// The number of paragraphs is roughly geometric: most texts have a page or two, a few are long as a book.
    fn body(&self, dice: &mut Dice) -> String {
        let mut paragraphs = 3;
        while paragraphs < 192 && dice.chance(42) {
            paragraphs *= 2;
        }
        let paragraphs = dice.between(paragraphs, paragraphs * 2);
        (0..paragraphs).filter_map(|_| dice.pick(&self.paragraphs)).map(String::as_str).collect::<Vec<_>>().join("\n\n")
    }
}

fn query(dice: &mut Dice, sign: &str, title: &str, body: &str) -> String {
    let text = if dice.chance(60) { title } else { body };
    let words: Vec<&str> = text.split_whitespace().take(400).collect();
    let from = dice.below(words.len().saturating_sub(4));
    let until = (from + 2 + dice.below(4)).min(words.len());
    let typed = words[from..until].join(" ").replace(['"', '“', '”'], "");
    match dice.below(10) {
        0 => sign.to_owned(),
        1 => fold(sign),
        2..=5 => fold(&typed),
        6 => {
            // One letter is missing.
            let folded = fold(&typed);
            let missing = dice.below(folded.chars().count());
            folded.chars().enumerate().filter(|(at, _)| *at != missing).map(|(_, c)| c).collect()
        }
        _ => typed,
    }
}

impl Dice {
    fn unit<'u>(&mut self, levels: &[(Vec<&'u UnitRef>, i64); 4]) -> Option<&'u UnitRef> {
        let mut roll = self.between(0, 100);
        let level = levels.iter().find(|(_, share)| {
            roll -= share;
            roll < 0
        });
        let units = level.map(|(units, _)| units).filter(|units| !units.is_empty());
        units.and_then(|units| self.pick(units).copied()).or_else(|| levels.iter().find_map(|(units, _)| units.first().copied()))
    }
}
