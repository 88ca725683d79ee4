//! Splits a migration into steps.
//!
//! The steps depend on the text only, so every process finds the same ones at every start, whatever the rows.

/// A part of a migration that is applied as a whole, or resumed after its last page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// One transaction, which must end within seconds.
    Sql(String),
    /// An index on a table that may have rows: built in the background, then awaited.
    Index(Index),
    /// An update of the rows of a table, page by page.
    Batched(&'static Batched),
}

impl Step {
    /// Name under which a completed step is recorded. Unique within a migration.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Sql(_) => "definitions",
            Self::Index(index) => &index.name,
            Self::Batched(batched) => batched.name,
        }
    }
}

/// A `DEFINE INDEX` statement of a migration.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) name: String,
    pub(super) table: String,
    /// The text after `DEFINE INDEX`, without the semicolon.
    definition: String,
}

impl Index {
    /// Starts the build without waiting for it. Does nothing if the index exists.
    pub(super) fn define(&self) -> String {
        format!("DEFINE INDEX IF NOT EXISTS {} CONCURRENTLY;", self.definition)
    }

    /// Restarts a failed build from the first row.
    pub(super) fn rebuild(&self) -> String {
        format!("REBUILD INDEX {} ON {} CONCURRENTLY;", self.name, self.table)
    }

    /// Queries the progress of the build.
    pub(super) fn info(&self) -> String {
        format!("INFO FOR INDEX {} ON {}", self.name, self.table)
    }

    fn parse(statement: &str) -> Option<Self> {
        let definition = head(statement).strip_prefix("DEFINE INDEX ")?.trim_end_matches(';').trim_end();
        let mut words = definition.split_whitespace();
        let name = words.next()?.to_owned();
        // `DEFINE INDEX OVERWRITE` and the like are not steps of their own.
        (words.next()? == "ON").then_some(())?;
        let table = words.next()?.to_owned();
        Some(Self { name, table, definition: definition.to_owned() })
    }
}

/// An update of the rows of a table that is too long for one transaction.
///
/// Each page is one transaction, which also stores the position after it, so a crash neither loses nor repeats a page. A new
/// store has no rows and skips it.
///
/// Most of the time is spent in the engine's handling of one changed row: reading it, its fields, its index entries and writing
/// it. So a page is one statement over a range of keys, not a loop with a statement for each row, and an update comes before the
/// indexes of what it writes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Batched {
    pub(super) name: &'static str,
    version: u32,
    order: Order,
    /// All rows of this table are visited in the order of their keys.
    pub(super) table: &'static str,
    /// Updates the records `$rows`, a range of keys.
    pub(super) sql: &'static str,
}

/// Position of a batched update within its migration.
#[derive(Debug, PartialEq, Eq)]
enum Order {
    /// Before all other steps.
    First,
    /// After the definitions, before the indexes.
    AfterDefinitions,
    /// After the definitions, in place of the statement that begins with these words.
    Instead(&'static str),
}

static BATCHED: &[Batched] = &[
    // A posting that has not ended moves into its member.
    Batched {
        name: "close_postings",
        version: 5,
        order: Order::Instead("FOR $open IN"),
        table: "posting",
        sql: "FOR $open IN (SELECT id, member, from FROM $rows WHERE until = NONE) { \
                  UPDATE type::record('member', $open.member) SET posted_from = $open.from RETURN NONE; \
                  DELETE $open.id RETURN NONE; \
              };",
    },
    // Writes the columns of version 14 to older receipts, before their indexes are built.
    Batched { name: "place_receipts", version: 14, order: Order::AfterDefinitions, table: "read_receipt", sql: PLACE_RECEIPTS },
    // The same in stores that finished version 14 when this was a step of version 15 only. Others have done it already.
    Batched { name: "place_receipts", version: 15, order: Order::First, table: "read_receipt", sql: PLACE_RECEIPTS },
    // Servers of the previous version still read `place`.
    Batched {
        name: "copy_venues",
        version: 34,
        order: Order::AfterDefinitions,
        table: "meeting",
        sql: "UPDATE $rows SET venue = place RETURN NONE;",
    },
];

const PLACE_RECEIPTS: &str = "UPDATE $rows SET place = { \
                                  LET $key = record::id(id); \
                                  LET $reader = type::record('member', $key[1]).{ path, state, standing }; \
                                  IF $reader.state = 'active' AND $reader.standing != 'exempt' { \
                                      $key[0] + $reader.standing + $reader.path \
                                  } ELSE { NONE } \
                              } RETURN NONE;";

/// The steps of a migration on a store with rows, in order: batched updates that come first, the definitions, batched updates
/// that replace statements, those after the definitions, and the indexes of existing tables. Indexes of tables that the text
/// itself defines stay in the definitions.
pub(super) fn steps(version: u32, sql: &str) -> Vec<Step> {
    let batched: Vec<&'static Batched> = BATCHED.iter().filter(|batched| batched.version == version).collect();
    let new_tables = tables(sql);
    let (mut definitions, mut replaced, mut indexes) = (String::new(), Vec::new(), Vec::new());
    for statement in statements(sql) {
        let instead = batched.iter().copied().find(|batched| batched.replaces(statement));
        if let Some(instead) = instead {
            replaced.push(Step::Batched(instead));
            continue;
        }
        match Index::parse(statement) {
            Some(index) if !new_tables.contains(&index.table.as_str()) => indexes.push(Step::Index(index)),
            _ => definitions.push_str(statement),
        }
    }
    let ordered = |order: Order| batched.iter().copied().filter(move |batched| batched.order == order).map(Step::Batched);
    let definitions = (!definitions.is_empty()).then_some(Step::Sql(definitions));
    ordered(Order::First).chain(definitions).chain(replaced).chain(ordered(Order::AfterDefinitions)).chain(indexes).collect()
}

impl Batched {
    fn replaces(&self, statement: &str) -> bool {
        matches!(self.order, Order::Instead(begin) if head(statement).starts_with(begin))
    }
}

/// The tables that a text defines.
fn tables(sql: &str) -> Vec<&str> {
    statements(sql)
        .into_iter()
        .filter_map(|statement| head(statement).strip_prefix("DEFINE TABLE ")?.split_whitespace().next())
        .collect()
}

/// The statements of a text, each with its semicolon and the comments before it.
fn statements(sql: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut begin, mut depth) = (0, 0_i32);
    let (mut is_comment, mut is_escaped, mut quote) = (false, false, None);
    for (at, letter) in sql.char_indices() {
        if is_comment {
            is_comment = letter != '\n';
        } else if let Some(mark) = quote {
            if is_escaped {
                is_escaped = false;
            } else if letter == '\\' {
                is_escaped = true;
            } else if letter == mark {
                quote = None;
            }
        } else {
            match letter {
                '-' => is_comment = sql[at..].starts_with("--"),
                '\'' | '"' | '`' => quote = Some(letter),
                '{' | '(' | '[' => depth += 1,
                '}' | ')' | ']' => depth -= 1,
                ';' if depth == 0 => {
                    found.push(&sql[begin..=at]);
                    begin = at + 1;
                }
                _ => {}
            }
        }
    }
    found
}

/// A statement without the comments before it.
fn head(statement: &str) -> &str {
    let mut rest = statement.trim_start();
    while rest.starts_with("--") {
        rest = rest.split_once('\n').map_or("", |(_, below)| below.trim_start());
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrations::MIGRATIONS;

    fn names(version: usize) -> Vec<String> {
        let migration = &MIGRATIONS[version - 1];
        steps(migration.version, migration.sql).iter().map(|step| step.name().to_owned()).collect()
    }

    #[test]
    fn every_byte_of_a_text_belongs_to_a_statement() {
        for migration in MIGRATIONS {
            let found = statements(migration.sql);
            let length: usize = found.iter().map(|statement| statement.len()).sum();
            assert_eq!(migration.sql[length..].trim(), "", "{}", migration.name);
            assert!(found.iter().all(|statement| head(statement).starts_with(char::is_uppercase)), "{found:#?}");
            let indexes = found.iter().filter_map(|statement| Index::parse(statement)).count();
            assert_eq!(indexes, migration.sql.matches("DEFINE INDEX ").count(), "{}", migration.name);
        }
    }

    #[test]
    fn names_of_steps_are_unique_and_every_batched_update_is_a_step() {
        let mut batched = 0;
        for version in 1..=MIGRATIONS.len() {
            let found = steps(MIGRATIONS[version - 1].version, MIGRATIONS[version - 1].sql);
            batched += found.iter().filter(|step| matches!(step, Step::Batched(_))).count();
            let mut unique = names(version);
            unique.sort();
            unique.dedup();
            assert_eq!(unique.len(), found.len(), "{found:#?}");
        }
        assert_eq!(batched, BATCHED.len());
    }

    #[test]
    fn an_index_of_an_existing_table_is_a_step_of_its_own() {
        assert_eq!(names(1), ["definitions"]);
        assert_eq!(names(14), ["definitions", "place_receipts", "read_receipt_place", "read_receipt_member"]);
        assert_eq!(names(22), ["definitions", "version_receipt_read"]);
        assert_eq!(names(27), ["course_try_course"]);
        let (five, index) = (names(5), MIGRATIONS[13].sql);
        assert_eq!(five, ["definitions", "close_postings", "member_path", "member_given", "member_id_tail", "member_twin"]);
        assert_eq!(names(15), ["place_receipts", "definitions"]);
        assert_eq!(names(34), ["definitions", "copy_venues"]);
        let found = steps(14, index);
        let Some(Step::Index(index)) = found.get(2) else { panic!("{found:#?}") };
        let defined = "DEFINE INDEX IF NOT EXISTS read_receipt_place ON read_receipt FIELDS place CONCURRENTLY;";
        assert_eq!((index.table.as_str(), index.define().as_str()), ("read_receipt", defined));
    }

    #[test]
    fn a_semicolon_ends_a_statement_only_outside_of_strings_comments_and_blocks() {
        let sql = "-- it's; one\nDEFINE A ';\\';' ; FOR x { y; ('}'); };\nLET $a = [1; 2]; -- end;";
        let found: Vec<_> = statements(sql).into_iter().map(head).collect();
        assert_eq!(found, ["DEFINE A ';\\';' ;", "FOR x { y; ('}'); };", "LET $a = [1; 2];"]);
    }

    /// Steps of new migrations that may block a large store or break the previous version of the program, with the reason why
    /// they do not. `backend/schema/README.md` describes each danger.
    const ALLOWED: &[(&str, &str, &str)] = &[
        (
            "0031_levels",
            "DEFINE FIELD OVERWRITE kind",
            "every unit has a level since version 1; the previous version reads the levels it knows",
        ),
        ("0032_reorganisation", "DEFINE FIELD OVERWRITE cause", "every row has one of the values it still allows"),
        ("0032_reorganisation", "DEFINE FIELD OVERWRITE kind", "every row has one of the values it still allows"),
        ("0032_reorganisation", "DEFINE FIELD merges.*.from", "no row has elements of the new column"),
        ("0032_reorganisation", "DEFINE FIELD merges.*.to", "no row has elements of the new column"),
    ];

    /// Migrations before this one are not checked.
    const CHECKED_FROM: u32 = 29;

    /// Dangerous statements of a text: their first words, and the danger.
    fn dangers(version: u32, sql: &str) -> Vec<String> {
        let new_tables = tables(sql);
        let mut found = Vec::new();
        for step in steps(version, sql) {
            match step {
                Step::Index(index) if index.definition.split_whitespace().any(|word| word == "UNIQUE") => {
                    found.push(format!("{}: fails if two rows are equal", index.name));
                }
                Step::Batched(_) | Step::Index(_) => {}
                Step::Sql(sql) => {
                    found.extend(statements(&sql).into_iter().filter_map(|statement| danger(head(statement), &new_tables)));
                }
            }
        }
        found
    }

    fn danger(statement: &str, new_tables: &[&str]) -> Option<String> {
        let words: Vec<&str> = statement.split_whitespace().map(|word| word.trim_end_matches(';')).collect();
        let table = words.iter().skip_while(|word| **word != "ON").nth(1).copied().unwrap_or_default();
        let is_new = new_tables.contains(&table);
        let begin = words[..words.len().min(4)].join(" ");
        let why = match words.as_slice() {
            ["DEFINE", "INDEX", _, "ON", ..] | ["DEFINE", "FIELD", ..] if is_new => return None,
            ["DEFINE", "INDEX", ..] => "builds an index within a transaction",
            ["DEFINE", "TABLE", "OVERWRITE", ..] => "replaces a table in use",
            ["DEFINE", "TABLE", rest @ ..] if rest.contains(&"AS") => "computes a view within a transaction",
            ["DEFINE", "FIELD", ..]
                if !words.iter().any(|word| word.starts_with("option<") || *word == "DEFAULT" || *word == "VALUE") =>
            {
                "makes every update of a row without a value fail"
            }
            ["DEFINE", ..] => return None,
            ["REMOVE", ..] => "removes what the previous version still uses",
            _ => "changes rows within one transaction",
        };
        Some(format!("{begin}: {why}"))
    }

    #[test]
    fn a_new_migration_has_no_dangerous_step_without_a_reason() {
        for migration in MIGRATIONS.iter().filter(|migration| migration.version >= CHECKED_FROM) {
            for danger in dangers(migration.version, migration.sql) {
                let is_allowed = ALLOWED
                    .iter()
                    .any(|(name, begin, reason)| *name == migration.name && danger.starts_with(begin) && !reason.is_empty());
                assert!(is_allowed, "{}: {danger}; see backend/schema/README.md", migration.name);
            }
        }
        for (name, begin, _) in ALLOWED {
            let migration = MIGRATIONS.iter().find(|migration| migration.name == *name);
            let found = migration.map(|migration| dangers(migration.version, migration.sql)).unwrap_or_default();
            assert!(found.iter().any(|danger| danger.starts_with(begin)), "{name}: {begin} does not exist");
        }
    }

    #[test]
    fn dangerous_steps_are_found() {
        let sql = "DEFINE TABLE fresh SCHEMAFULL; DEFINE FIELD name ON fresh TYPE string; DEFINE INDEX fresh_name ON fresh FIELDS name UNIQUE;
            DEFINE FIELD note ON member TYPE option<string>; DEFINE FIELD count ON member TYPE int DEFAULT 0;
            DEFINE INDEX member_note ON member FIELDS note; DEFINE EVENT follows ON member WHEN true THEN { UPDATE x };
            -- dangerous
            DEFINE INDEX member_only ON member FIELDS note UNIQUE; DEFINE INDEX OVERWRITE member_unit ON member FIELDS unit;
            DEFINE FIELD must ON member TYPE string; REMOVE FIELD note ON member; UPDATE member SET note = 'a'; DELETE posting;
            FOR $row IN (SELECT * FROM member) { UPDATE $row.id SET note = 'b' }; DEFINE TABLE OVERWRITE member SCHEMAFULL;
            DEFINE TABLE figures AS SELECT count() FROM member GROUP ALL;";
        let found = dangers(CHECKED_FROM, sql);
        let expected = [
            "DEFINE INDEX OVERWRITE member_unit: builds an index within a transaction",
            "DEFINE FIELD must ON: makes every update of a row without a value fail",
            "REMOVE FIELD note ON: removes what the previous version still uses",
            "UPDATE member SET note: changes rows within one transaction",
            "DELETE posting: changes rows within one transaction",
            "FOR $row IN (SELECT: changes rows within one transaction",
            "DEFINE TABLE OVERWRITE member: replaces a table in use",
            "DEFINE TABLE figures AS: computes a view within a transaction",
            "member_only: fails if two rows are equal",
        ];
        assert_eq!(found, expected);
        let members = dangers(5, MIGRATIONS[4].sql);
        assert_eq!(
            members,
            ["DEFINE FIELD OVERWRITE state: makes every update of a row without a value fail"],
            "the postings are a step"
        );
        assert_eq!(dangers(23, MIGRATIONS[22].sql).len(), 1, "the removed index");
    }
}
