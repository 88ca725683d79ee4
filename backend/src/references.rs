//! What happens to each column with a unit path or a member id when that unit moves or that member is merged into another one.
//!
//! [`TABLES`] lists all tables and all columns that can hold a text. A new column must be added there: to `columns` when it holds
//! the path of a unit or the id of a member, else to `other`. The ids of units never change, so columns with them belong to
//! `other`.

mod tests;

use Fate::{Follows, Stays};

/// A table and its columns. The key of a row is the column `id`.
struct Table {
    name: &'static str,
    /// The key of the row that [`tests::fill`] creates, in `SurrealQL`. None when [`tests::organisation`] creates the rows, or
    /// when the table has no references.
    row: Option<&'static str>,
    columns: &'static [Column],
    /// Columns that can hold a text, but neither a path nor the id of a member.
    other: &'static str,
    /// Values of the row of [`tests::fill`] that cannot be derived from the definitions.
    set: &'static [(&'static str, &'static str)],
}

struct Column {
    name: &'static str,
    holds: Holds,
    fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// The path of a unit.
    Path,
    /// The id of a member.
    Member,
}

enum Fate {
    /// Rewritten or deleted by the code named here.
    Follows(&'static str),
    /// Unchanged, for the reason given here.
    Stays(&'static str),
}

const fn path(name: &'static str, fate: Fate) -> Column {
    Column { name, holds: Holds::Path, fate }
}

const fn member(name: &'static str, fate: Fate) -> Column {
    Column { name, holds: Holds::Member, fate }
}

/// A table without references to members or paths.
const fn free(name: &'static str, other: &'static str) -> Table {
    Table { name, row: None, columns: &[], other, set: &[] }
}

const MOVED: Fate = Follows("units::moving::FOLLOWERS");
const COMPUTED: Fate = Follows("its VALUE, written with the path");
const MERGED: Fate = Follows("members::merge::HISTORY");
const AT_THE_DESK: Fate = Follows("documents::review::AT_THE_DESK");
const HANDED_OVER: Fate = Follows("documents::progress::HAND_OVER");
const INHERITED: Fate = Follows("courses::tries::INHERIT");
const SIGNED_OUT: Fate = Follows("members::state::END_SESSIONS");

/// For a column that records the actor.
const BY: Fate = Stays("records who did it; a merged record keeps its name");
const THEN: Fate = Stays("records the path of that time; Tree::former resolves it");
const LAST_SEEN: Fate = Stays(
    "keeps the path of the member's last change, else millions of rows would be rewritten; Tree::path_ranges has all ranges",
);

const TABLES: &[Table] = &[
    Table {
        name: "account",
        row: Some("$gone"),
        columns: &[member("id", Follows("members::merge::ACCOUNT"))],
        other: "password",
        set: &[],
    },
    Table {
        name: "account_change",
        row: Some("[$gone, 'password']"),
        columns: &[member("id", Follows("members::merge::ACCOUNT"))],
        other: "office",
        set: &[],
    },
    Table {
        name: "another_try",
        row: Some("[$key, $gone]"),
        columns: &[member("id", INHERITED), member("target", INHERITED), member("by", BY)],
        other: "course act acts",
        set: &[],
    },
    Table {
        name: "attachment",
        row: Some("$key"),
        columns: &[member("added_by", BY), member("decided_by", BY)],
        other: "document name sha256 preview text_missing preview_missing warnings warnings.*.kind reason",
        set: &[],
    },
    free("attachment_text", "text"),
    // The key contains only keyed hashes.
    free("attempt", ""),
    Table { name: "attendance", row: Some("[$key, $gone]"), columns: &[member("id", MERGED)], other: "reason", set: &[] },
    Table {
        name: "bookmark",
        row: Some("[$gone, $key]"),
        columns: &[member("id", HANDED_OVER), member("member", HANDED_OVER)],
        other: "document marked",
        set: &[],
    },
    // Sealed.
    free("code_sheet", "content"),
    Table {
        name: "correction",
        row: Some("$key"),
        columns: &[member("member", MERGED), member("decided_by", BY), path("path", MOVED), path("place", COMPUTED)],
        other: "field wanted reason note",
        set: &[],
    },
    // Members and paths in a private encoding, as of a position in the log; later events are replayed.
    free("counter_piece", "content"),
    free("counter_snapshot", "newest hash"),
    free("counter_turn", ""),
    Table {
        name: "course",
        row: Some("$key"),
        columns: &[path("issuer_path", MOVED), path("audience_path", MOVED), member("saved_by", BY)],
        other: "title issuer documents audience parts except standings due_on shelf",
        set: &[],
    },
    Table {
        name: "course_completion",
        row: Some("[$key, $gone]"),
        columns: &[
            member("id", INHERITED),
            member("member", INHERITED),
            path("path", Follows("the event course_completion_follows, when the member follows")),
            path("place", COMPUTED),
        ],
        other: "course unit serial",
        set: &[],
    },
    free(
        "course_text",
        "description questions questions.*.text questions.*.options questions.*.options.*.text questions.*.explanation",
    ),
    Table {
        name: "course_try",
        row: Some("[$gone, $key + '.1']"),
        columns: &[member("id", INHERITED), member("member", INHERITED)],
        other: "course",
        set: &[],
    },
    free("desk_rule", ""),
    Table {
        name: "device",
        row: Some("[$key, $gone]"),
        columns: &[member("id", SIGNED_OUT), member("member", SIGNED_OUT)],
        other: "",
        set: &[],
    },
    Table {
        name: "document",
        row: Some("$key"),
        columns: &[path("issuer_path", MOVED), path("audience_path", MOVED), member("saved_by", BY)],
        other: "number title signer field issuer issuer_level audience shelf standings attachments related related.*.document \
                expires_on must_read_by must pin correction withdrawn_because parts except",
        set: &[],
    },
    Table {
        name: "document_read",
        row: Some("[$key, $gone]"),
        columns: &[member("id", MERGED), member("member", MERGED), path("path", THEN), path("place", LAST_SEEN)],
        other: "",
        set: &[],
    },
    Table {
        name: "document_revision",
        row: Some("[$key, '000001']"),
        columns: &[member("by", BY)],
        other: "title body",
        set: &[],
    },
    free("document_text", "body"),
    Table {
        name: "door",
        row: Some("$key"),
        columns: &[member("proved", Stays("expires in minutes; choose_password checks that the member is active"))],
        other: "id_hash code_hash paper_code",
        set: &[],
    },
    Table {
        name: "draft",
        row: Some("$key"),
        columns: &[
            path("issuer_path", MOVED),
            path("audience_path", MOVED),
            member("authors", AT_THE_DESK),
            member("saved_by", BY),
            member("approved_by", BY),
        ],
        other: "number title signer field issuer issuer_level audience standings attachments related related.*.document \
                expires_on must_read_by correction parts except",
        set: &[],
    },
    free("draft_text", "body"),
    Table {
        name: "event",
        row: Some("$key"),
        columns: &[
            member("actor", BY),
            member("subject", Stays("the log is sealed; the trail of the merged record is read with it")),
            member("detail", Stays("the log is sealed")),
            path("unit", Stays("the log is sealed; Tree::former resolves it")),
            path("detail", Stays("the log is sealed")),
        ],
        other: "kind",
        set: &[("kind", "'member_changed'")],
    },
    // Form contents, kept for minutes.
    free("flash", "content"),
    Table {
        name: "flaw",
        row: Some("['missing_id', $gone]"),
        columns: &[
            member("id", Follows("members::quality_issues::settled_issues")),
            member("member", Follows("members::quality_issues::settled_issues")),
            path("path", MOVED),
            path("place", COMPUTED),
        ],
        other: "",
        set: &[],
    },
    Table {
        name: "import",
        row: Some("$key"),
        columns: &[path("path", MOVED), member("started_by", BY)],
        other: "failure file_name file_hash format headers mapping as_of holder sheet unread_sheets foreign_ids foreign_before",
        set: &[],
    },
    free("import_lane", ""),
    Table {
        name: "import_mapping",
        row: Some("[$path, $key]"),
        columns: &[path("id", Stays("only a default: at the new path the columns are confirmed again"))],
        other: "mapping",
        set: &[],
    },
    Table {
        name: "import_written",
        row: Some("[$key, $key]"),
        columns: &[member(
            "members",
            Stays("records which rows an import wrote; they are counted in their current state, including merged ones"),
        )],
        other: "",
        set: &[],
    },
    // Sealed. A notice to a merged member is not sent, since the account no longer exists.
    free("job", "kind key lease payload last_error"),
    free("key_check", "mark"),
    Table {
        name: "meeting",
        row: Some("$key"),
        columns: &[path("path", MOVED)],
        other: "unit title place venue chair agenda agenda.*.title agenda.*.papers",
        set: &[],
    },
    Table {
        name: "member",
        row: None,
        columns: &[
            path("path", MOVED),
            member("id", Stays("the record stays, as merged")),
            member("merged_into", Stays("the record it refers to has its own merged_into")),
            member("distinct_from", Stays("the two are compared again: the kept record has other values")),
        ],
        other: "code full_name sort_key birth_date admitted_on official_on unit id_hash id_cipher phone_hash phone_cipher given \
                id_tail twin_key import_print posted_from",
        set: &[],
    },
    Table {
        name: "member_merge",
        row: Some("$key"),
        columns: &[member("id", Stays("records the merge")), path("lost_reads.*.path", THEN)],
        other: "lost_reads",
        set: &[("lost_reads", "[{ path: $path, at: time::now() }]")],
    },
    free("migration", "name hash done position"),
    free("migration_lease", "holder doing"),
    Table {
        name: "office",
        row: Some("$key"),
        columns: &[
            path("path", MOVED),
            member("member", Stays("END_OFFICES ends the roles; their holder remains recorded")),
            member("granted_by", BY),
            member("ended_by", BY),
        ],
        other: "unit from until granted_from",
        // Already ended, else the merge ends it and records the actor.
        set: &[("from", "'2020-01-01'"), ("until", "'2024-01-01'")],
    },
    Table {
        name: "office_turn",
        row: Some("$gone"),
        columns: &[member("id", Stays("a counter that makes transactions conflict"))],
        other: "",
        set: &[],
    },
    Table {
        name: "opinion",
        row: Some("$key"),
        columns: &[
            member("member", MERGED),
            member("answer.by", BY),
            path("path", MOVED),
            path("issuer_path", MOVED),
            path("committee_path", COMPUTED),
        ],
        other: "author unit document document_title text body_hash received answer answer.text",
        set: &[("answer", "{ text: 'a', by: $gone, at: time::now() }")],
    },
    Table {
        name: "paper_code",
        row: Some("$key"),
        columns: &[member("member", Stays("revoked by END_SESSIONS; kept as a record of the issue")), member("issued_by", BY)],
        other: "unit code_hash issued_from",
        set: &[],
    },
    Table { name: "posting", row: Some("$key"), columns: &[member("member", MERGED)], other: "unit from until", set: &[] },
    Table {
        name: "read_receipt",
        row: Some("[$key, $gone]"),
        columns: &[member("id", MERGED), member("member", MERGED), path("path", THEN), path("place", LAST_SEEN)],
        other: "",
        set: &[],
    },
    Table {
        name: "reading",
        row: Some("[$gone, $key]"),
        columns: &[member("id", HANDED_OVER), member("member", HANDED_OVER)],
        other: "document opened unfinished heading",
        set: &[],
    },
    Table { name: "reminder", row: Some("[$key, $key]"), columns: &[member("by", BY)], other: "document unit", set: &[] },
    Table {
        name: "review",
        row: Some("$key"),
        columns: &[
            member("reviewer", AT_THE_DESK),
            member("commenter", AT_THE_DESK),
            member("colleague", AT_THE_DESK),
            member("asked_by", BY),
            member("decided_by", BY),
        ],
        other: "document due note reason",
        set: &[],
    },
    Table {
        name: "review_remark",
        row: Some("[$key, $key]"),
        columns: &[member("by", BY), member("settled_by", BY)],
        other: "quote text",
        set: &[],
    },
    free("seal", "previous hash entries"),
    free("seal_head", "voucher"),
    Table {
        name: "sent_opinion",
        row: Some("[$gone, $key]"),
        columns: &[member("id", Stays("kept for a day to detect repeated sending from tabs that are now signed out"))],
        other: "opinion",
        set: &[],
    },
    Table { name: "session", row: Some("$key"), columns: &[member("member", SIGNED_OUT)], other: "handle device", set: &[] },
    // The path does not belong to any unit.
    free("stranger", "kind unit subject"),
    Table {
        name: "reorganisation",
        row: Some("$key"),
        columns: &[path("path", MOVED), member("started_by", BY), member("confirmed_by", BY)],
        other: "effective_on files files.*.name version numbers",
        set: &[],
    },
    Table {
        name: "reorganisation_seen",
        row: Some("[$gone, $key]"),
        columns: &[member("id", Stays("only hides a notice, which is shown once more to the record that remains"))],
        other: "",
        set: &[],
    },
    // Codes and names of units, in JSON.
    free("reorganisation_rows", "content"),
    Table {
        name: "reassignment",
        row: Some("$key"),
        columns: &[path("path", MOVED), member("decided_by", BY)],
        other: "reorganisation effective_on unit from_unit candidates assigned_to",
        set: &[],
    },
    Table {
        name: "transfer",
        row: Some("$key"),
        columns: &[
            member("member", MERGED),
            member("requested_by", BY),
            member("decided_by", BY),
            path("from_path", MOVED),
            path("to_path", MOVED),
            path("leaves", COMPUTED),
            path("joins", COMPUTED),
        ],
        other: "from_unit to_unit reason note",
        // Already decided, else the merge withdraws it and records the actor.
        set: &[("state", "'accepted'")],
    },
    free("tree", ""),
    Table {
        name: "unit",
        row: None,
        columns: &[path("path", Stays("only closed units keep it; FOLLOWERS moves the open ones"))],
        other: "kind code name opened_on live_from contact closed_on parent successor",
        set: &[],
    },
    Table {
        name: "unit_operation",
        row: Some("$key"),
        columns: &[
            path("shifts.*.from", Stays("records the old path of the move")),
            path("shifts.*.to", Stays("records the new path of the move")),
            path("reached", Stays("where the batches of the operation are; not read once it is done")),
            member("started_by", BY),
        ],
        other: "unit target shifts effective_on merges merges.*.from merges.*.to",
        set: &[("shifts", "[{ from: $path, to: $path }]"), ("state", "'done'")],
    },
    // Paths before and after a change of the tree, in JSON. Deleted when its batches are done.
    free("unit_shifts", "content"),
    free("unit_version", "unit kind code name parent from until"),
    Table {
        name: "unread",
        row: Some("$gone"),
        columns: &[member("id", HANDED_OVER)],
        other: "branch standing from upto unread",
        set: &[],
    },
    free("upkeep", ""),
    Table {
        name: "upload",
        row: Some("$key"),
        columns: &[member("member", Stays("continues only in the session that began it; the job PurgeFiles deletes it"))],
        other: "document name pieces",
        set: &[],
    },
    Table {
        name: "version_receipt",
        row: Some("[$key, $gone]"),
        columns: &[
            member("id", Follows("members::merge::VERSIONS")),
            member("member", Follows("members::merge::VERSIONS")),
            path("place", LAST_SEEN),
            path("read_place", LAST_SEEN),
        ],
        other: "document prefix",
        set: &[("read_at", "time::now()")],
    },
    Table {
        name: "writing",
        row: Some("[$key, $gone]"),
        columns: &[
            member("id", Stays("belongs to a session, and those are closed; the job PurgeWriting deletes it")),
            member("member", Stays("see the key")),
        ],
        other: "document title body",
        set: &[],
    },
];
