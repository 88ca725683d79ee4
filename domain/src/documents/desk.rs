//! What the desk shows: drafts, reviews, revisions, and the question before something goes out.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use super::{
    DocumentField, DocumentKind,
    steps::{DocumentState, DocumentStatus, EditorPermissions},
};
use crate::{
    audience::Audience,
    difference::DiffPiece,
    files::AttachmentSummary,
    forms::{Problem, bounded_text},
    guard::Warning,
    ids::{DocumentId, MemberId},
    members::Standing,
    units::{UnitKind, UnitRef},
};

/// A reason, a remark, a note on a correction: what one person tells another about a text. At most 2,000 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark(String);

impl Remark {
    pub const MAX: u32 = 2_000;

    /// # Errors
    /// As [`bounded_text`].
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        bounded_text(typed, Self::MAX).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Beside [`Problem::NumberTaken`], what a form's answer says of the document that has the number: its id and its title.
pub const NUMBER_HOLDER: &str = "number_holder";
pub const NUMBER_HOLDER_TITLE: &str = "number_holder_title";

/// What the editor's form holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentDraft {
    pub id: DocumentId,
    pub kind: DocumentKind,
    pub number: String,
    pub title: String,
    pub signer: String,
    pub field: Option<DocumentField>,
    pub issuer: UnitRef,
    pub audience: UnitRef,
    /// Of the audience, only members of these units and of those below them; empty for all.
    pub parts: Vec<UnitRef>,
    /// Of the audience, only members of these standings; empty for all.
    pub standings: Vec<Standing>,
    /// Numbers of the documents it replaces, changes and explains, separated by commas.
    pub supersedes: String,
    pub amends: String,
    pub guides: String,
    pub must_read_by: Option<NaiveDate>,
    pub expires_on: Option<NaiveDate>,
    pub is_pinned: bool,
    /// What readers are told about a text that replaces one they may have read.
    pub correction: String,
    pub body: String,
    pub status: DocumentStatus,
    /// Grows with every save; a save names the version it started from. `0`: not stored yet.
    pub version: u32,
    pub saved_at: DateTime<Utc>,
}

impl DocumentDraft {
    /// Whom it would reach.
    pub fn whom(&self) -> Audience {
        Audience { unit: self.audience.clone(), parts: self.parts.clone(), standings: self.standings.clone() }
    }
}

/// Units below the audience a text can be narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartChoices {
    /// In the order of the tree, with how many members each has. Those that are chosen are among them.
    pub units: Vec<(UnitRef, u32)>,
    /// Levels that can be chosen as a whole, with how many units each has below the audience.
    pub levels: Vec<(UnitKind, u32)>,
    /// Whether there are more units than are listed: then one looks for them by name.
    pub is_cut: bool,
}

/// The editor's page: the draft, what it will look like, whom it will reach, and what this person may do with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftPage {
    pub draft: DocumentDraft,
    pub permissions: EditorPermissions,
    /// Sanitised HTML of the saved body.
    pub preview: String,
    /// Members and branches of the audience.
    pub members: u32,
    pub branches: u32,
    pub issuers: Vec<UnitRef>,
    pub audiences: Vec<UnitRef>,
    /// Members of each of `audiences`.
    pub audience_members: Vec<u32>,
    pub parts: PartChoices,
    /// What the form that approves is about, besides the version: the review, the files, and what is out.
    pub review: Option<String>,
    /// Why it came back from the last review, when it did.
    pub wanted: Option<Verdict>,
    /// When a scheduled text goes out.
    pub publish_at: Option<DateTime<Utc>>,
    /// Why and when what was out was taken back.
    pub withdrawn: Option<Withdrawal>,
    /// Why it lies on the desk again though none of its editors asked for that, and since when.
    pub held: Option<(Held, DateTime<Utc>)>,
    /// Remarks nobody has settled yet.
    pub open_remarks: u32,
}

/// Why a text that waited lies on the desk again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Held {
    /// The document it was to correct was withdrawn.
    Withdrawn,
    /// Another document got its number.
    NumberTaken,
    /// Its audience is not below its issuer any more.
    Audience,
    /// Its own last day was over before it could go out.
    Over,
}

crate::keyed!(Held);

/// What a reviewer decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub by: String,
    pub at: DateTime<Utc>,
    pub reason: String,
}

/// Why a document is no longer in anybody's library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    pub at: DateTime<Utc>,
    /// None when its time was over.
    pub reason: Option<String>,
}

/// A row on the desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskRow {
    pub id: DocumentId,
    pub kind: DocumentKind,
    pub title: String,
    pub state: DocumentState,
    /// Whether members read an earlier text of it meanwhile.
    pub is_out: bool,
    pub issuer: UnitRef,
    pub audience: UnitRef,
    /// How many parts of the audience it is for; `0` for all of it.
    pub parts: u32,
    pub saved_at: DateTime<Utc>,
    /// When a scheduled text goes out.
    pub publish_at: Option<DateTime<Utc>>,
}

/// The desk: what waits for this person, and what their units have in work and out, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskPage {
    /// None for who was only asked to review.
    pub unit: Option<UnitRef>,
    /// Reviews this person was asked for, the most urgent first.
    pub asked: Vec<ReviewRow>,
    pub drafts: Vec<DeskRow>,
    pub in_review: Vec<DeskRow>,
    pub scheduled: Vec<DeskRow>,
    pub published: Vec<DeskRow>,
    pub withdrawn: Vec<DeskRow>,
    /// Whether this person sets the rules of the desk of `unit`.
    pub sets_rules: bool,
}

/// A review somebody was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewRow {
    pub document: DeskRow,
    pub due: Option<NaiveDate>,
    pub asked_by: String,
    /// Whether only remarks are asked for, no decision.
    pub comments_only: bool,
}

/// Somebody of the desk who can be asked to look at a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reviewer {
    pub member: MemberId,
    pub name: String,
    pub unit: UnitRef,
    /// Whether they may approve this text: a chief editor who did not write it, or whose unit lets authors approve. Others are asked for
    /// remarks only.
    pub may_approve: bool,
}

/// What going out would change: what is or was out, beside what is in work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The particulars of what is or was out; its text is in `pieces`. None for a document that goes out for the first time.
    pub out: Option<Box<DocumentDraft>>,
    /// Whether members read it at the moment.
    pub is_out: bool,
    /// When and why it was taken back.
    pub withdrawn: Option<Withdrawal>,
    /// What is different in the text, title first; empty where nothing was out.
    pub pieces: Vec<DiffPiece>,
    /// Files it goes out with, and those it had before.
    pub files: Vec<AttachmentSummary>,
    pub old_files: Vec<AttachmentSummary>,
}

/// The question before a text goes out: all that goes out is on the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalPage {
    pub page: DraftPage,
    /// None where nothing is in work.
    pub change: Option<Change>,
}

/// A review under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenReview {
    pub asked_by: String,
    pub asked_at: DateTime<Utc>,
    /// None: any chief editor of the issuing unit or above.
    pub reviewer: Option<String>,
    /// The reviewer may not approve it any more, or never could: any chief editor decides.
    pub is_stuck: bool,
    /// Who was asked for remarks.
    pub commenters: Vec<String>,
    pub due: Option<NaiveDate>,
    pub note: Option<String>,
}

/// A remark on a passage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewRemark {
    /// Key of the remark within its document.
    pub key: String,
    /// The passage as it stood; none for a remark on the whole.
    pub quote: Option<String>,
    pub text: String,
    pub by: String,
    pub at: DateTime<Utc>,
    pub version: u32,
    /// Who settled it.
    pub settled_by: Option<String>,
}

/// The page where a text is asked about, remarked on and decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewPage {
    pub draft: DocumentDraft,
    pub permissions: EditorPermissions,
    pub preview: String,
    pub members: u32,
    pub branches: u32,
    pub review: Option<OpenReview>,
    pub remarks: Vec<ReviewRemark>,
    /// Who can be asked; empty where nothing is to be asked.
    pub reviewers: Vec<Reviewer>,
    /// What approving it would change.
    pub change: Change,
    /// Passages of the text one may remark on, in their order.
    pub passages: Vec<String>,
    /// Whether nobody but authors could approve it: the form says so before it is sent.
    pub needs_another: bool,
    /// What the guard warns of in title and text; who sends it to review decides about that.
    pub warnings: Vec<Warning>,
    pub publish_at: Option<DateTime<Utc>>,
    pub today: NaiveDate,
}

/// One saved version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevisionRow {
    pub version: u32,
    pub title: String,
    pub by: String,
    pub at: DateTime<Utc>,
    /// Whether this is the version members read.
    pub is_out: bool,
    /// Whether this is the newest one.
    pub is_newest: bool,
}

/// What of the saved versions is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    List,
    /// One of them, as a reader would see it.
    Version {
        version: u32,
        title: String,
        html: String,
    },
    /// Two of them beside each other; their titles are the first line.
    Difference {
        old: u32,
        new: u32,
        pieces: Vec<DiffPiece>,
    },
}

/// All saved versions of a document, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevisionsPage {
    pub document: DocumentId,
    pub title: String,
    pub permissions: EditorPermissions,
    pub status: DocumentStatus,
    pub revisions: Vec<RevisionRow>,
    pub shown: Shown,
}

/// The rules of a unit's desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskRules {
    pub unit: UnitRef,
    /// Whether who wrote a text may approve it.
    pub own_approval: bool,
    pub version: u32,
}
