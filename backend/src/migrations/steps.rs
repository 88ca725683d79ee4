//! Cuts a migration into steps.
//!
//! The steps follow from the text alone, so every start of every process finds the same ones, whatever rows there are meanwhile.

/// A part of a migration that is done as a whole, or resumed behind what is done of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// One transaction, which must end within seconds.
    Sql(String),
    /// An index on a table that may have rows: built in the background and waited for.
    Index(Index),
    /// A change of the rows of a table, page by page.
    Batched(&'static Batched),
}

impl Step {
    /// What it is noted under when it is done. Names are unique within a migration.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Sql(_) => "definitions",
            Self::Index(index) => &index.name,
            Self::Batched(batched) => batched.name,
        }
    }
}

/// `DEFINE INDEX` of a migration.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) name: String,
    pub(super) table: String,
    /// What follows `DEFINE INDEX`, without the semicolon.
    definition: String,
}

impl Index {
    /// Starts the build and does not wait for it. Nothing happens where the index is defined already.
    pub(super) fn define(&self) -> String {
        format!("DEFINE INDEX IF NOT EXISTS {} CONCURRENTLY;", self.definition)
    }

    /// Starts a build that failed again, from the first row.
    pub(super) fn rebuild(&self) -> String {
        format!("REBUILD INDEX {} ON {} CONCURRENTLY;", self.name, self.table)
    }

    /// Asks how far the build is.
    pub(super) fn info(&self) -> String {
        format!("INFO FOR INDEX {} ON {}", self.name, self.table)
    }

    fn parse(statement: &str) -> Option<Self> {
        let definition = head(statement).strip_prefix("DEFINE INDEX ")?.trim_end_matches(';').trim_end();
        let mut words = definition.split_whitespace();
        let name = words.next()?.to_owned();
        // `DEFINE INDEX OVERWRITE` and its like are no steps of their own.
        (words.next()? == "ON").then_some(())?;
        let table = words.next()?.to_owned();
        Some(Self { name, table, definition: definition.to_owned() })
    }
}

/// A change of the rows of a table that is too long for one transaction.
///
/// Each page is a transaction together with the position behind it, so a crash neither loses nor repeats one. A new store has no
/// rows and leaves it out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Batched {
    pub(super) name: &'static str,
    version: u32,
    order: Order,
    /// All of its rows are walked over, by their keys.
    pub(super) table: &'static str,
    /// Changes the records `$rows`.
    pub(super) sql: &'static str,
}

/// When a change in pages is made.
#[derive(Debug, PartialEq, Eq)]
enum Order {
    /// Before all else of its migration.
    First,
    /// After the definitions, in place of the statement of the text that begins with these words.
    Instead(&'static str),
}

static BATCHED: &[Batched] = &[
    // A posting that is not over becomes a part of its member.
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
    // Receipts of before version 14 get the columns it brought.
    Batched {
        name: "place_receipts",
        version: 15,
        order: Order::First,
        table: "read_receipt",
        sql: "FOR $row IN $rows { \
                  LET $key = record::id($row); \
                  LET $reader = (SELECT path, state, standing FROM ONLY type::record('member', $key[1])); \
                  LET $counts = $reader.state = 'active' AND $reader.standing != 'exempt'; \
                  UPDATE $row SET place = IF $counts { $key[0] + $reader.standing + $reader.path } ELSE { NONE } RETURN NONE; \
              };",
    },
];

/// The steps of a migration on a store that is in use, in their order: what goes first, the definitions, what is done in pages instead
/// of a statement, and the indexes of tables that were there before. An index of a table that the text defines stays with it.
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
    let first = batched.iter().copied().filter(|batched| batched.order == Order::First).map(Step::Batched);
    let definitions = (!definitions.is_empty()).then_some(Step::Sql(definitions));
    first.chain(definitions).chain(replaced).chain(indexes).collect()
}

impl Batched {
    fn replaces(&self, statement: &str) -> bool {
        matches!(self.order, Order::Instead(begin) if head(statement).starts_with(begin))
    }
}

/// The tables a text defines.
fn tables(sql: &str) -> Vec<&str> {
    statements(sql)
        .into_iter()
        .filter_map(|statement| head(statement).strip_prefix("DEFINE TABLE ")?.split_whitespace().next())
        .collect()
}

/// The statements of a text, each with the semicolon that ends it and the comments before it.
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
    fn nothing_of_a_text_is_lost_and_nothing_follows_its_last_statement() {
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
    fn names_of_steps_are_unique_and_every_change_in_pages_is_one() {
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
    fn an_index_is_a_step_of_its_own_where_its_table_was_there_before() {
        assert_eq!(names(1), ["definitions"]);
        assert_eq!(names(14), ["definitions", "read_receipt_place", "read_receipt_member"]);
        assert_eq!(names(22), ["definitions", "version_receipt_read"]);
        assert_eq!(names(27), ["course_try_course"]);
        let (five, index) = (names(5), MIGRATIONS[13].sql);
        assert_eq!(five, ["definitions", "close_postings", "member_path", "member_given", "member_id_tail", "member_twin"]);
        assert_eq!(names(15), ["place_receipts", "definitions"]);
        let found = steps(14, index);
        let Some(Step::Index(index)) = found.get(1) else { panic!("{found:#?}") };
        let defined = "DEFINE INDEX IF NOT EXISTS read_receipt_place ON read_receipt FIELDS place CONCURRENTLY;";
        assert_eq!((index.table.as_str(), index.define().as_str()), ("read_receipt", defined));
    }

    #[test]
    fn a_semicolon_ends_a_statement_only_outside_of_texts_comments_and_blocks() {
        let sql = "-- it's; one\nDEFINE A ';\\';' ; FOR x { y; ('}'); };\nLET $a = [1; 2]; -- end;";
        let found: Vec<_> = statements(sql).into_iter().map(head).collect();
        assert_eq!(found, ["DEFINE A ';\\';' ;", "FOR x { y; ('}'); };", "LET $a = [1; 2];"]);
    }

    /// Steps of a new migration that may hold up a large store or break a program of the version before, with the reason why this one
    /// does not. `backend/schema/README.md` says what each of them does.
    const ALLOWED: &[(&str, &str, &str)] = &[];

    /// Texts of before this check: their steps are what they are.
    const CHECKED_FROM: u32 = 29;

    /// What is dangerous in a text: words of the statement, and why.
    fn dangers(version: u32, sql: &str) -> Vec<String> {
        let new_tables = tables(sql);
        let mut found = Vec::new();
        for step in steps(version, sql) {
            match step {
                Step::Index(index) if index.definition.split_whitespace().any(|word| word == "UNIQUE") => {
                    found.push(format!("{}: fails where two rows are alike", index.name));
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
            ["DEFINE", "TABLE", "OVERWRITE", ..] => "replaces a table that is in use",
            ["DEFINE", "TABLE", rest @ ..] if rest.contains(&"AS") => "computes a view within a transaction",
            ["DEFINE", "FIELD", ..]
                if !words.iter().any(|word| word.starts_with("option<") || *word == "DEFAULT" || *word == "VALUE") =>
            {
                "makes rows without a value refuse every change"
            }
            ["DEFINE", ..] => return None,
            ["REMOVE", ..] => "takes away what the version before still uses",
            _ => "changes rows within one transaction",
        };
        Some(format!("{begin}: {why}"))
    }

    #[test]
    fn a_new_migration_holds_no_dangerous_step_without_a_reason() {
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
            assert!(found.iter().any(|danger| danger.starts_with(begin)), "{name}: {begin} is not there any more");
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
            "DEFINE FIELD must ON: makes rows without a value refuse every change",
            "REMOVE FIELD note ON: takes away what the version before still uses",
            "UPDATE member SET note: changes rows within one transaction",
            "DELETE posting: changes rows within one transaction",
            "FOR $row IN (SELECT: changes rows within one transaction",
            "DEFINE TABLE OVERWRITE member: replaces a table that is in use",
            "DEFINE TABLE figures AS: computes a view within a transaction",
            "member_only: fails where two rows are alike",
        ];
        assert_eq!(found, expected);
        let members = dangers(5, MIGRATIONS[4].sql);
        assert_eq!(
            members,
            ["DEFINE FIELD OVERWRITE state: makes rows without a value refuse every change"],
            "the postings are a step"
        );
        assert_eq!(dangers(23, MIGRATIONS[22].sql).len(), 1, "the index that was removed");
    }
}
