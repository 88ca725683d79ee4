//! Names of people, titles and files for the ids in the log, looked up by id for one page at a time.

use std::collections::{BTreeMap, BTreeSet};

use domain::events::{Event, Subject};

use super::Audit;
use crate::{
    Result,
    store::{RecordId, SurrealValue, record, vars},
    units::Tree,
};

/// The names of subjects other than units.
const NAMED: &str = "SELECT record::id(id) AS id, full_name AS name FROM $members; \
                     SELECT record::id(id) AS id, title AS name FROM $documents; \
                     SELECT record::id(id) AS id, title AS name FROM $meetings; \
                     SELECT record::id(id) AS id, title AS name FROM $courses; \
                     SELECT record::id(id) AS id, file_name AS name FROM $imports;";

const STATEMENTS: usize = 5;

/// Names of the people and objects of a page, by id. Ids are unique across tables.
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    pub(super) fn person(&self, id: &str) -> Option<String> {
        self.0.get(id).cloned()
    }

    pub(super) fn subject(&self, subject: Subject, tree: &Tree) -> Option<String> {
        match subject {
            Subject::Unit(unit) => tree.known(&unit.to_string()).map(|unit| unit.name.clone()),
            subject => self.0.get(&subject.to_string()).cloned(),
        }
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
        let mut members = BTreeSet::new();
        let (mut documents, mut meetings, mut courses, mut imports) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for event in events {
            members.extend(event.actor.map(|actor| actor.to_string()));
            let subject = event.body.subject();
            let table = match subject {
                Subject::Member(_) => &mut members,
                Subject::Document(_) => &mut documents,
                Subject::Meeting(_) => &mut meetings,
                Subject::Course(_) => &mut courses,
                Subject::Import(_) => &mut imports,
                // An import, or the member who filled in a form.
                Subject::Source(_) => {
                    members.insert(subject.to_string());
                    &mut imports
                }
                // Units are in the tree; an opinion and a session have no name.
                Subject::Unit(_) | Subject::Opinion(_) | Subject::Session(_) => continue,
            };
            table.insert(subject.to_string());
        }
        let of =
            |table: &'static str, ids: &BTreeSet<String>| -> Vec<RecordId> { ids.iter().map(|id| record(table, id)).collect() };
        let vars = vars! {
            members: of("member", &members),
            documents: of("document", &documents),
            meetings: of("meeting", &meetings),
            courses: of("course", &courses),
            imports: of("import", &imports),
        };
        let mut answers = self.backend.store().read(NAMED, vars).await?;
        let mut names = BTreeMap::new();
        for at in 0..STATEMENTS {
            names.extend(answers.rows::<Named>(at)?.into_iter().map(|named| (named.id, named.name)));
        }
        Ok(Names(names))
    }
}
