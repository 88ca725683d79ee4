//! Verification of the seal: compares the whole chain, link by link, with the current log.
//!
//! Only the current links and their events are held in memory, so the log may be of any length. Links are checked concurrently,
//! since each contains its previous hash; that these hashes match is checked in order.

use std::{fmt, ops::Bound};

use chrono::{DateTime, Utc};
use tokio::task::JoinSet;

use super::{
    Audit,
    seal::{Chain, Entry, GENESIS, Head, LinkRow, events, key},
};
use crate::{
    Backend, Error, Result,
    events::event_id,
    store::{KEYS, RecordId, key_text, keys_between, rows_after, vars},
};

/// Links checked concurrently.
const SIDE_BY_SIDE: usize = 32;

/// Events read at a time. An intact link takes one read.
const PAGE: usize = 1_000;

/// Most findings in a report.
const NAMED: usize = 100;

/// The result of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Sealed events that are unchanged.
    pub events: u64,
    pub links: u64,
    /// Events that are not sealed yet.
    pub unsealed: u64,
    /// The first differences from the sealed state, in the order of the chain.
    pub findings: Vec<Finding>,
    /// The number of further findings.
    pub more: u64,
    /// Whether the last added link is intact.
    last_is_whole: bool,
}

impl Default for Report {
    fn default() -> Self {
        Self { events: 0, links: 0, unsealed: 0, findings: Vec::new(), more: 0, last_is_whole: true }
    }
}

impl Report {
    /// Whether nothing was changed, removed or inserted.
    pub fn is_whole(&self) -> bool {
        self.findings.is_empty()
    }

    /// Whether the only findings are rows that the program did not write and leaves out: the sealed events are unchanged.
    pub fn has_only_malformed_rows(&self) -> bool {
        self.findings.iter().all(|finding| matches!(finding, Finding::Malformed { .. }))
    }

    /// Number of the first broken link; none when only the end of the chain is broken.
    pub fn first_broken(&self) -> Option<u64> {
        self.findings.iter().filter_map(Finding::link).min()
    }

    /// Adds a link. Links must be added in order.
    fn add(&mut self, link: Checked) {
        // Two links are intact, but the hash of the first does not match: it was rewritten.
        if link.breaks && link.findings.is_empty() && self.last_is_whole {
            self.find(Finding::LinkChanged { link: link.number.saturating_sub(1).max(1) });
        }
        self.last_is_whole = link.findings.is_empty();
        self.links += 1;
        self.events += link.intact;
        link.findings.into_iter().for_each(|finding| self.find(finding));
    }

    fn find(&mut self, finding: Finding) {
        if self.findings.len() < NAMED { self.findings.push(finding) } else { self.more += 1 }
    }
}

/// A difference from the sealed state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    Changed {
        link: u64,
        event: String,
        at: Option<DateTime<Utc>>,
    },
    Missing {
        link: u64,
        event: String,
        at: Option<DateTime<Utc>>,
    },
    Inserted {
        link: u64,
        event: String,
        at: Option<DateTime<Utc>>,
    },
    /// The row of the link itself was changed.
    LinkChanged {
        link: u64,
    },
    /// The link is missing, although a later one exists or was authenticated.
    LinkMissing {
        link: u64,
    },
    /// A row after the last link has a key that the program does not create. The program leaves it out.
    Malformed {
        event: String,
    },
    /// The chain does not end with the authenticated link.
    End,
}

impl Finding {
    pub fn link(&self) -> Option<u64> {
        match self {
            Self::Changed { link, .. }
            | Self::Missing { link, .. }
            | Self::Inserted { link, .. }
            | Self::LinkChanged { link }
            | Self::LinkMissing { link } => Some(*link),
            Self::Malformed { .. } | Self::End => None,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut event = |what: &str, link: &u64, event: &str, at: &Option<DateTime<Utc>>| {
            write!(f, "the event {event}")?;
            if let Some(at) = at {
                write!(f, " of {}", at.format("%Y-%m-%d %H:%M:%S UTC"))?;
            }
            write!(f, " was {what} (link {link})")
        };
        match self {
            Self::Changed { link, event: id, at } => event("changed", link, id, at),
            Self::Missing { link, event: id, at } => event("taken out", link, id, at),
            Self::Inserted { link, event: id, at } => event("put in", link, id, at),
            Self::LinkChanged { link } => write!(f, "the link {link} was changed"),
            Self::LinkMissing { link } => write!(f, "the link {link} is missing"),
            Self::Malformed { event } => write!(f, "the event {event} has a key that the program does not create"),
            Self::End => f.write_str(
                "the chain does not end where it was made to end: links were taken away, or it was written with another key",
            ),
        }
    }
}

impl Audit<'_> {
    /// Checks every sealed event and every link. There is no permission check: everyone who can run the program may do this.
    ///
    /// # Errors
    /// [`Error::Store`]. Manipulations are not errors; they are part of the report.
    pub async fn verify(&self) -> Result<Report> {
        let store = self.backend.store();
        let head = Head::read(store).await?;
        let mut report = Report::default();
        let mut end = End::default();
        loop {
            let links = self.links_after(end.number).await?;
            let full = links.len() == SIDE_BY_SIDE;
            let mut tasks = JoinSet::new();
            for link in links {
                let Some(number) = link.number() else {
                    return Err(Error::Damaged("the chain has a row under a key that is no number".to_owned()));
                };
                let follows = number == end.number + 1;
                let breaks = follows && link.previous != end.hash;
                for missing in end.number + 1..number {
                    report.find(Finding::LinkMissing { link: missing });
                }
                let entries = link.entries().unwrap_or_default();
                let from = match (&end.last, entries.first()) {
                    _ if number == 1 => Bound::Included(String::new()),
                    (Some(last), _) if follows => Bound::Excluded(last.clone()),
                    // After a gap the start of the link is unknown; it is taken from the link's own list, which may be
                    // manipulated.
                    (_, Some(first)) => Bound::Included(first.id.clone()),
                    (_, None) => Bound::Included(String::new()),
                };
                end = End { number, hash: link.hash.clone(), last: entries.last().map(|last| last.id.clone()) };
                tasks.spawn(check(self.backend.clone(), number, link, entries, from, breaks));
            }
            let mut checked = Vec::new();
            while let Some(outcome) = tasks.join_next().await {
                checked.push(outcome.map_err(|error| Error::Internal(format!("a check stopped: {error}")))??);
            }
            checked.sort_unstable_by_key(|link| link.number);
            for link in checked {
                report.add(link);
            }
            if !full {
                break;
            }
        }
        let keys = self.backend.keys();
        if head.as_ref().map_or(end.number > 0, |head| !head.vouches_for(keys, end.number, &end.hash)) {
            report.find(Finding::End);
        }
        self.check_unsealed(end.last, &mut report).await?;
        Ok(report)
    }

    async fn links_after(&self, number: u64) -> Result<Vec<LinkRow>> {
        let sql = format!("SELECT {} FROM {KEYS} LIMIT {SIDE_BY_SIDE}", LinkRow::COLUMNS);
        let from = if number == 0 { Bound::Included(String::new()) } else { Bound::Excluded(key(number)) };
        let keys = keys_between("seal", from, Bound::Unbounded);
        Ok(self.backend.store().read(sql, vars! { keys: keys }).await?.rows(0)?)
    }

    /// Counts the events after the last sealed one, and finds malformed keys: those after it, and the numbers, which come before
    /// all texts.
    async fn check_unsealed(&self, last: Option<String>, report: &mut Report) -> Result<()> {
        let numbers = keys_between("event", Bound::Unbounded, Bound::Excluded(String::new()));
        for row in self.ids(numbers).await? {
            report.find(Finding::Malformed { event: key_text(&row) });
        }
        let from = last.map_or(Bound::Included(String::new()), Bound::Excluded);
        let mut next = Some(keys_between("event", from, Bound::Unbounded));
        while let Some(keys) = next {
            let rows = self.ids(keys).await?;
            for row in &rows {
                let event = key_text(row);
                if event_id(&event).is_some() { report.unsealed += 1 } else { report.find(Finding::Malformed { event }) }
            }
            next = rows.into_iter().nth(PAGE - 1).map(|last| rows_after("event", Some(last)));
        }
        Ok(())
    }

    /// At most [`PAGE`] ids of a range.
    async fn ids(&self, keys: RecordId) -> Result<Vec<RecordId>> {
        let sql = format!("SELECT VALUE id FROM {KEYS} LIMIT {PAGE}");
        Ok(self.backend.store().read(sql, vars! { keys: keys }).await?.rows(0)?)
    }
}

/// The end of the links checked so far.
struct End {
    number: u64,
    hash: String,
    /// Id of the last event; none when the link's list is unreadable.
    last: Option<String>,
}

impl Default for End {
    fn default() -> Self {
        Self { number: 0, hash: GENESIS.to_owned(), last: None }
    }
}

/// A checked link.
struct Checked {
    number: u64,
    /// Whether its previous hash differs from the hash of the previous link.
    breaks: bool,
    intact: u64,
    findings: Vec<Finding>,
}

/// Compares a link with the events of its range.
async fn check(
    backend: Backend,
    number: u64,
    link: LinkRow,
    sealed: Vec<Entry>,
    from: Bound<String>,
    breaks: bool,
) -> Result<Checked> {
    let Some(last) = sealed.last() else {
        return Ok(Checked { number, breaks, intact: 0, findings: vec![Finding::LinkChanged { link: number }] });
    };
    let until = Bound::Included(last.id.clone());
    let mut chain = Chain::new(number, &link.previous, link.sealed_at);
    let mut found: Vec<(Entry, DateTime<Utc>)> = Vec::with_capacity(sealed.len());
    let mut next = from;
    loop {
        let page = events(backend.store(), next, until.clone(), PAGE).await?;
        let full = page.len() == PAGE;
        found.extend(page.iter().map(|event| (chain.add(event), event.at)));
        match found.last() {
            Some((last, _)) if full => next = Bound::Excluded(last.id.clone()),
            _ => break,
        }
    }
    let hash_fits = chain.finish() == link.hash;
    let (intact, mut findings) = compare(number, &sealed, found);
    if findings.is_empty() && !hash_fits {
        findings.push(Finding::LinkChanged { link: number });
    }
    Ok(Checked { number, breaks, intact, findings })
}

/// Compares two lists that are sorted by id in a single pass.
fn compare(link: u64, sealed: &[Entry], found: Vec<(Entry, DateTime<Utc>)>) -> (u64, Vec<Finding>) {
    let mut intact = 0;
    let mut findings = Vec::new();
    let mut sealed = sealed.iter().peekable();
    let missing = |entry: &Entry| Finding::Missing { link, event: entry.id.clone(), at: made_at(&entry.id) };
    for (entry, at) in found {
        while let Some(gone) = sealed.next_if(|sealed| sealed.id < entry.id) {
            findings.push(missing(gone));
        }
        match sealed.next_if(|sealed| sealed.id == entry.id) {
            Some(sealed) if sealed.print == entry.print => intact += 1,
            Some(_) => findings.push(Finding::Changed { link, event: entry.id, at: Some(at) }),
            None => findings.push(Finding::Inserted { link, event: entry.id, at: Some(at) }),
        }
    }
    findings.extend(sealed.map(missing));
    (intact, findings)
}

/// The time of a missing event, taken from its id.
fn made_at(id: &str) -> Option<DateTime<Utc>> {
    let millis = id.parse::<ulid::Ulid>().ok()?.timestamp_ms();
    DateTime::from_timestamp_millis(i64::try_from(millis).ok()?)
}

#[cfg(test)]
mod tests;
