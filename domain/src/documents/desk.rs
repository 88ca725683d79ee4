//! View models of the desk: drafts, reviews, revisions, and the confirmation before publication.

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
    ids::{DocumentId, MemberId, UnitId},
    members::Standing,
    statistics::Reach,
    units::{PickableUnit, UnitChoices, UnitKind, UnitRef},
};

/// A note from one person to another about a text: a reason, a remark, a correction note. At most 2,000 characters.
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

/// Key in a form's response, beside [`Problem::NumberTaken`]: the id and the title of the document that has the number.
pub const NUMBER_HOLDER: &str = "number_holder";
pub const NUMBER_HOLDER_TITLE: &str = "number_holder_title";

/// The fields of the editor's form.
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
    /// Limits the audience to the subtrees of these units; empty for no limit.
    pub parts: Vec<UnitRef>,
    /// Leaves out the subtrees of these units.
    pub except: Vec<UnitRef>,
    /// Limits the audience to members of these standings; empty for no limit.
    pub standings: Vec<Standing>,
    /// Numbers of the documents it supersedes, amends and guides, separated by commas.
    pub supersedes: String,
    pub amends: String,
    pub guides: String,
    pub must_read_by: Option<NaiveDate>,
    pub expires_on: Option<NaiveDate>,
    pub is_pinned: bool,
    /// The note to readers when the text replaces one they may have read.
    pub correction: String,
    pub body: String,
    pub status: DocumentStatus,
    /// Incremented by every save; a save names the version it started from. `0`: not stored yet.
    pub version: u32,
    pub saved_at: DateTime<Utc>,
}

impl DocumentDraft {
    /// The audience of the draft.
    pub fn whom(&self) -> Audience {
        Audience {
            parts: self.parts.clone(),
            except: self.except.clone(),
            standings: self.standings.clone(),
            ..Audience::of(self.audience.clone())
        }
    }
}

/// Units below the audience's unit that a text can be limited to or be kept from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartChoices {
    /// Those already selected, saved or not.
    pub selected: Vec<PickableUnit>,
    /// Those that were searched for, or the highest ones.
    pub found: UnitChoices,
    /// Levels that can be selected as a whole, with the number of units of each below the audience's unit.
    pub levels: Vec<(UnitKind, u32)>,
    /// The reach of a selection that is not saved.
    pub reach: Option<Reach>,
}

/// The editor's page: the draft, its preview, its audience, and the permissions of the viewer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftPage {
    pub draft: DocumentDraft,
    pub permissions: EditorPermissions,
    /// Sanitised HTML of the saved body.
    pub preview: String,
    pub reach: Reach,
    pub issuers: Vec<UnitRef>,
    pub audiences: Vec<UnitRef>,
    /// Number of members for each of `audiences`; none where it is hidden.
    pub audience_members: Vec<Option<u32>>,
    pub parts: PartChoices,
    /// What the approval form refers to besides the version: the review, the files, and the published text.
    pub review: Option<String>,
    /// The verdict of the last review, if it asked for changes.
    pub wanted: Option<Verdict>,
    /// The time of publication of a scheduled text.
    pub publish_at: Option<DateTime<Utc>>,
    /// When and why the published text was withdrawn.
    pub withdrawn: Option<Withdrawal>,
    /// Why the text was returned to the desk without a step of its editors, and when.
    pub held: Option<(Held, DateTime<Utc>)>,
    /// Unresolved remarks.
    pub open_remarks: u32,
}

/// Why a text in review or scheduled was returned to the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Held {
    /// The document it was to correct was withdrawn.
    Withdrawn,
    /// Another document was given its number.
    NumberTaken,
    /// Its audience is no longer below its issuer.
    Audience,
    /// Its own last day passed before its publication.
    Over,
}

crate::keyed!(Held);

/// The decision of a reviewer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub by: String,
    pub at: DateTime<Utc>,
    pub reason: String,
}

/// Why a document is no longer in the library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    pub at: DateTime<Utc>,
    /// `None` when it expired.
    pub reason: Option<String>,
}

/// A row on the desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskRow {
    pub id: DocumentId,
    pub kind: DocumentKind,
    pub title: String,
    pub state: DocumentState,
    /// Whether an earlier text of it is published.
    pub is_out: bool,
    pub issuer: UnitRef,
    pub audience: UnitRef,
    /// Number of parts the audience is limited to; `0` for the whole audience.
    pub parts: u32,
    /// Number of units left out of the audience.
    pub except: u32,
    pub saved_at: DateTime<Utc>,
    /// The time of publication of a scheduled text.
    pub publish_at: Option<DateTime<Utc>>,
}

/// The desk: the viewer's tasks, and the drafts and published texts of their units, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskPage {
    /// `None` for a person who was only asked to review.
    pub unit: Option<UnitRef>,
    /// Reviews requested from the viewer, most urgent first.
    pub asked: Vec<ReviewRow>,
    pub drafts: Vec<DeskRow>,
    pub in_review: Vec<DeskRow>,
    pub scheduled: Vec<DeskRow>,
    pub published: Vec<DeskRow>,
    pub withdrawn: Vec<DeskRow>,
    /// Whether the viewer sets the desk rules of `unit`.
    pub sets_rules: bool,
}

/// A review request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewRow {
    pub document: DeskRow,
    pub due: Option<NaiveDate>,
    pub asked_by: String,
    /// Whether only remarks are requested, no decision.
    pub comments_only: bool,
}

/// A person who can be asked to review a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reviewer {
    pub member: MemberId,
    pub name: String,
    pub unit: UnitRef,
    /// Whether they may approve this text: a chief editor who is not its author, or whose unit lets authors approve. Others can
    /// be asked for remarks only.
    pub may_approve: bool,
}

/// The change that a publication would make: the published or withdrawn text compared with the draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Particulars of the published or withdrawn text; its body is in `pieces`. `None` for a document that was never published.
    pub out: Option<Box<DocumentDraft>>,
    /// Whether members can read it at present.
    pub is_out: bool,
    /// When and why it was withdrawn.
    pub withdrawn: Option<Withdrawal>,
    /// Differences of the text, title first; empty when nothing was published before.
    pub pieces: Vec<DiffPiece>,
    /// Its files, and those of the previous text.
    pub files: Vec<AttachmentSummary>,
    pub old_files: Vec<AttachmentSummary>,
    /// The names of the parents of the units of both audiences: many units have the same name.
    pub parents: Vec<(UnitId, String)>,
}

/// The confirmation page before publication: it shows everything that will be published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalPage {
    pub page: DraftPage,
    /// `None` where there is no draft.
    pub change: Option<Change>,
}

/// An open review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenReview {
    pub asked_by: String,
    pub asked_at: DateTime<Utc>,
    /// `None`: any chief editor of the issuing unit or above.
    pub reviewer: Option<String>,
    /// The reviewer cannot approve it, or no longer can: any chief editor decides.
    pub is_stuck: bool,
    /// Those who were asked for remarks.
    pub commenters: Vec<String>,
    pub due: Option<NaiveDate>,
    pub note: Option<String>,
}

/// A remark on a passage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewRemark {
    /// Key of the remark within its document.
    pub key: String,
    /// The passage as it was at that time; `None` for a remark on the whole text.
    pub quote: Option<String>,
    pub text: String,
    pub by: String,
    pub at: DateTime<Utc>,
    pub version: u32,
    /// Who resolved it.
    pub settled_by: Option<String>,
}

/// The page for review requests, remarks and the decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewPage {
    pub draft: DocumentDraft,
    pub permissions: EditorPermissions,
    pub preview: String,
    pub reach: Reach,
    pub review: Option<OpenReview>,
    pub remarks: Vec<ReviewRemark>,
    /// Possible reviewers; empty where no review can be requested.
    pub reviewers: Vec<Reviewer>,
    /// The change that an approval would make.
    pub change: Change,
    /// Passages of the text that can be remarked on, in order.
    pub passages: Vec<String>,
    /// Whether only authors could approve it: the form says so before it is sent.
    pub needs_another: bool,
    /// Warnings of the guard about title and text; whoever requests the review decides on them.
    pub warnings: Vec<Warning>,
    pub publish_at: Option<DateTime<Utc>>,
    pub today: NaiveDate,
}

/// A saved version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevisionRow {
    pub version: u32,
    pub title: String,
    pub by: String,
    pub at: DateTime<Utc>,
    /// Whether this is the published version.
    pub is_out: bool,
    /// Whether this is the newest one.
    pub is_newest: bool,
}

/// Which saved versions are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    List,
    /// One version, as readers would see it.
    Version {
        version: u32,
        title: String,
        html: String,
    },
    /// Two versions side by side; the first line is the title.
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
    /// Whether authors may approve their own texts.
    pub own_approval: bool,
    pub version: u32,
}
