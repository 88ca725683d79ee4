//! Opinions of the sample and their answers.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    events::EventBody,
    feedback::{OpinionAudience, OpinionState},
    ids::{MemberId, OpinionId},
    members::Standing,
    units::UnitRef,
};

use super::{
    Size,
    country::Discussed,
    dice::Dice,
    files::{self, OpinionEntry},
    library::Published,
    people::{Branch, JUST_NOW, Milieu, Organisation, Person},
};
use crate::{
    Backend, Result,
    bulk::Bulk,
    keys::fingerprint,
    store::{RecordId, SurrealValue, record},
};

/// Maximum age of an opinion.
const OLDEST: TimeDelta = TimeDelta::days(120);

/// Words of texts written only by people of the coast.
const SEA: [&str; 7] = ["tàu", "biển", "bến", "ghe", "lạch", "ngư", "lưới"];

/// Branches of the demo accounts, which get more opinions, so that their readers find some to answer.
const SHOWN: [&str; 2] = ["fishing", "ward-24"];

/// Writes the opinions and returns how many.
pub(super) fn send(
    bulk: &mut Bulk,
    backend: &Backend,
    seed: u64,
    size: Size,
    organisation: &Organisation,
    published: &[Published],
) -> Result<usize> {
    let entries = files::opinions()?;
    let mut post = Post { organisation, bulk, dice: Dice::new(seed, 6), now: backend.clock().now(), used: BTreeSet::new() };
    post.fisherman(organisation.branch("fishing")?, &entries, published);
    // Some draws find no possible author.
    for throw in 0..size.opinions * 20 {
        if post.used.len() >= size.opinions {
            break;
        }
        let index = throw % entries.len();
        let branches: Vec<&Branch> = organisation.branches.iter().filter(|branch| suits(&entries[index], branch)).collect();
        let shown: Vec<&Branch> = branches.iter().copied().filter(|branch| SHOWN.contains(&branch.key.as_str())).collect();
        let from = if !shown.is_empty() && post.dice.chance(12) { &shown } else { &branches };
        let Some(branch) = post.dice.pick(from).copied() else { continue };
        let Some(person) = post.dice.pick(&branch.people) else { continue };
        post.one(branch, person, index, &entries[index], published, None);
    }
    Ok(post.used.len())
}

fn suits(entry: &OpinionEntry, branch: &Branch) -> bool {
    if entry.text.contains("Gành Đá") || entry.text.contains("Lăng Vạn") {
        return branch.key == "fishing";
    }
    let of_the_sea =
        SEA.iter().any(|word| entry.text.split(|c: char| !c.is_alphabetic()).any(|found| found.to_lowercase() == *word));
    !of_the_sea || branch.milieu == Milieu::Coast
}

struct Post<'b> {
    organisation: &'b Organisation,
    bulk: &'b mut Bulk,
    dice: Dice,
    now: DateTime<Utc>,
    /// Branch and text: no branch gets a text twice.
    used: BTreeSet<(String, usize)>,
}

impl Post<'_> {
    /// The fisherman has one opinion in each state.
    fn fisherman(&mut self, branch: &Branch, entries: &[OpinionEntry], published: &[Published]) {
        let Some(fisherman) = branch.people.first() else { return };
        let states = [OpinionState::Answered, OpinionState::Seen, OpinionState::Received];
        let of_ships = |entry: &OpinionEntry| entry.text.contains("tàu") || entry.text.contains("Tàu");
        let texts = entries.iter().enumerate().filter(|(_, entry)| entry.answer.is_some() && of_ships(entry));
        for ((index, entry), state) in texts.zip(states) {
            self.one(branch, fisherman, index, entry, published, Some(state));
        }
    }

    fn one(
        &mut self,
        branch: &Branch,
        person: &Person,
        index: usize,
        entry: &OpinionEntry,
        published: &[Published],
        wanted: Option<OpinionState>,
    ) {
        let fitting: Vec<(&Published, DateTime<Utc>)> = published
            .iter()
            .filter(|document| document.field == entry.topic && document.audience.path.contains(&branch.unit.path))
            .filter_map(|document| Some((document, person.uses_after(document.at.max(self.now - OLDEST))?)))
            .collect();
        let Some((document, start)) = self.dice.pick(&fitting).copied() else { return };
        if !self.used.insert((branch.key.clone(), index)) {
            return;
        }
        let sent_at = self.dice.moment(start, person.last_use);
        let latest = self.now - JUST_NOW;
        let seen_at = sent_at + TimeDelta::minutes(self.dice.between(40, 1_500));
        let answered_at = seen_at + TimeDelta::minutes(self.dice.between(30, 4_000));
        let throw = self.dice.between(0, 100);
        let state = match wanted {
            Some(state) => state,
            None if entry.answer.is_some() && throw < 97 && answered_at < latest => OpinionState::Answered,
            None if throw < 89 && seen_at < latest => OpinionState::Seen,
            None => OpinionState::Received,
        };
        let state = if entry.answer.is_none() { state.min(OpinionState::Seen) } else { state };
        let (seen_at, answered_at) = (seen_at.min(latest), answered_at.min(latest));
        let audience = match self.dice.between(0, 10) {
            0..7 => OpinionAudience::Branch,
            7..9 => OpinionAudience::Committee,
            _ if self.organisation.committees.values().any(|committee| committee.unit.id == document.issuer.id) => {
                OpinionAudience::Editors
            }
            // The centre and the branches have no editors.
            _ => OpinionAudience::Branch,
        };
        let id = OpinionId::new(self.dice.ulid_at(sent_at - TimeDelta::minutes(6)));
        let reader = branch.secretary();
        self.bulk.push(
            "opinion",
            OpinionRow {
                id: record("opinion", id),
                member: person.id.to_string(),
                author: person.name.clone(),
                unit: branch.unit.id.to_string(),
                path: branch.unit.path.to_string(),
                document: document.id.to_string(),
                document_title: document.title.clone(),
                issuer_path: document.issuer.path.to_string(),
                text: entry.text.clone(),
                body_hash: fingerprint(&format!("{}\n{}\n{}", document.id, audience.key(), entry.text)),
                audience: audience.key().to_owned(),
                state: state.key().to_owned(),
                received: self.dice.ulid_at(sent_at).to_string(),
                sent_at,
                counted: Some(person.standing != Standing::Exempt),
                seen_at: (state >= OpinionState::Seen).then_some(seen_at),
                answer: entry.answer.clone().filter(|_| state == OpinionState::Answered).map(|text| AnswerRow {
                    text,
                    by: reader.name.clone(),
                    at: answered_at,
                }),
            },
        );
        let path = &branch.unit.path;
        let sent = EventBody::OpinionSent { opinion: id, counted: Some(person.standing != Standing::Exempt) };
        self.bulk.log(&mut self.dice, sent_at, Some(person.id), path, sent);
        if state >= OpinionState::Seen {
            self.bulk.log(&mut self.dice, seen_at, Some(reader.id), path, EventBody::OpinionSeen(id));
        }
        if state == OpinionState::Answered {
            self.bulk.log(&mut self.dice, answered_at, Some(reader.id), path, EventBody::OpinionAnswered(id));
        }
    }
}

#[derive(Debug, SurrealValue)]
pub(super) struct OpinionRow {
    id: RecordId,
    member: String,
    author: String,
    unit: String,
    path: String,
    document: String,
    document_title: String,
    issuer_path: String,
    text: String,
    body_hash: String,
    audience: String,
    state: String,
    received: String,
    sent_at: DateTime<Utc>,
    counted: Option<bool>,
    seen_at: Option<DateTime<Utc>>,
    answer: Option<AnswerRow>,
}

impl OpinionRow {
    /// An opinion to the readers of the branch that nobody has opened yet.
    pub(super) fn received(
        id: OpinionId,
        member: MemberId,
        branch: &UnitRef,
        document: &Discussed,
        text: &str,
        at: DateTime<Utc>,
    ) -> Self {
        let audience = OpinionAudience::Branch.key();
        Self {
            id: record("opinion", id),
            member: member.to_string(),
            author: "Đảng viên".to_owned(),
            unit: branch.id.to_string(),
            path: branch.path.to_string(),
            document: document.id.to_string(),
            document_title: document.title.clone(),
            issuer_path: document.issuer.path.to_string(),
            text: text.to_owned(),
            body_hash: fingerprint(&format!("{}\n{audience}\n{text}", document.id)),
            audience: audience.to_owned(),
            state: OpinionState::Received.key().to_owned(),
            received: id.to_string(),
            sent_at: at,
            counted: Some(true),
            seen_at: None,
            answer: None,
        }
    }
}

#[derive(Debug, SurrealValue)]
struct AnswerRow {
    text: String,
    by: String,
    at: DateTime<Utc>,
}
