//! Names for what the log holds as ids: people, titles, files. By point gets, for one page at a time.

use std::collections::{BTreeMap, BTreeSet};

use domain::events::Event;

use super::Audit;
use crate::{
    Result,
    store::{RecordId, SurrealValue, record, vars},
};

/// Where a subject may lie that is no member and no unit, and what it is called by: a title, or the member it concerns.
const TITLED: &str = "SELECT record::id(id) AS id, title AS name FROM $documents; \
                      SELECT record::id(id) AS id, title AS name FROM $meetings; \
                      SELECT record::id(id) AS id, title AS name FROM $courses; \
                      SELECT record::id(id) AS id, file_name AS name FROM $imports; \
                      SELECT record::id(id) AS id, member AS name FROM $transfers; \
                      SELECT record::id(id) AS id, member AS name FROM $corrections;";

/// How many of those statements yield titles; the others yield members.
const TITLES: usize = 4;
const STATEMENTS: usize = 6;

/// Names of the people and things of a page.
pub(super) struct Names {
    people: BTreeMap<String, String>,
    titles: BTreeMap<String, String>,
    /// The member something concerns, by the id of that thing.
    concerned: BTreeMap<String, String>,
}

impl Names {
    pub(super) fn person(&self, id: &str) -> Option<String> {
        self.people.get(id).cloned()
    }

    pub(super) fn subject(&self, id: &str) -> Option<String> {
        let person = self.concerned.get(id).map_or(id, String::as_str);
        self.person(person).or_else(|| self.titles.get(id).cloned())
    }
}

#[derive(Debug, SurrealValue)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) full_name: String,
    pub(super) path: String,
}

#[derive(Debug, SurrealValue)]
struct Named {
    id: String,
    name: String,
}

impl Audit<'_> {
    pub(super) async fn names(&self, events: &[Event]) -> Result<Names> {
        let store = self.backend.store();
        let subjects: BTreeSet<&str> = events.iter().map(|event| event.subject.as_str()).collect();
        let of = |table: &'static str| -> Vec<RecordId> { subjects.iter().map(|subject| record(table, subject)).collect() };
        let vars = vars! {
            documents: of("document"),
            meetings: of("meeting"),
            courses: of("course"),
            imports: of("import"),
            transfers: of("transfer"),
            corrections: of("correction"),
        };
        let mut answers = store.read(TITLED, vars).await?;
        let mut titles = BTreeMap::new();
        let mut concerned = BTreeMap::new();
        for at in 0..STATEMENTS {
            let names = if at < TITLES { &mut titles } else { &mut concerned };
            names.extend(answers.rows::<Named>(at)?.into_iter().map(|named| (named.id, named.name)));
        }
        let actors = events.iter().filter_map(|event| event.actor).map(|actor| actor.to_string());
        let mut members: BTreeSet<String> = actors.chain(subjects.iter().map(|subject| (*subject).to_owned())).collect();
        members.extend(concerned.values().cloned());
        let members: Vec<RecordId> = members.iter().map(|member| record("member", member)).collect();
        let sql = "SELECT record::id(id) AS id, full_name AS name FROM $members";
        let people: Vec<Named> = store.read(sql, vars! { members: members }).await?.rows(0)?;
        let people = people.into_iter().map(|person| (person.id, person.name)).collect();
        Ok(Names { people, titles, concerned })
    }
}
