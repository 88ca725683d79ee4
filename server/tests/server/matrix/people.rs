//! The people who call the server functions, and groups of them.

use strum::EnumIter;

use crate::organisation::{Fixture, Person};

/// The caller: role and relation to the harbour's branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, EnumIter)]
pub(super) enum Who {
    SignedOut,
    // Own branch.
    Author,
    Member,
    Exempt,
    Secretary,
    Deputy,
    // Sibling branch.
    SiblingMember,
    SiblingSecretary,
    // The unit above; its people belong to the sibling branch.
    AboveSecretary,
    AboveCommitteeMember,
    AboveEditor,
    AboveRegistrar,
    AboveFormerSecretary,
    // The root.
    TopChiefEditor,
    TopStatistician,
    TopOperator,
    // Another subtree.
    OtherMember,
    OtherSecretary,
    OtherEditor,
}

use Who::{
    AboveCommitteeMember, AboveEditor, AboveFormerSecretary, AboveRegistrar, AboveSecretary, Author, Deputy, Exempt, Member,
    OtherEditor, OtherMember, OtherSecretary, Secretary, SiblingMember, SiblingSecretary, SignedOut, TopChiefEditor, TopOperator,
    TopStatistician,
};

impl Who {
    pub(super) fn person(self, org: &Fixture) -> Option<&Person> {
        Some(match self {
            SignedOut => return None,
            Author => &org.fisherman,
            Member => &org.probationary,
            Exempt => &org.exempt,
            Secretary => &org.secretary,
            Deputy => &org.deputy,
            SiblingMember => &org.teacher,
            SiblingSecretary => &org.school_secretary,
            AboveSecretary => &org.coast_secretary,
            AboveCommitteeMember => &org.coast_committee_member,
            AboveEditor => &org.coast_editor,
            AboveRegistrar => &org.coast_registrar,
            AboveFormerSecretary => &org.former_secretary,
            TopChiefEditor => &org.province_chief_editor,
            TopStatistician => &org.province_statistician,
            TopOperator => &org.operator,
            OtherMember => &org.farmer,
            OtherSecretary => &org.farm_secretary,
            OtherEditor => &org.hills_editor,
        })
    }
}

/// Members in the audience of the document.
pub(super) const REACHED: &[Who] = &[Author, Member, Exempt, Secretary, Deputy];
/// People who may read it by office only.
pub(super) const READERS_BY_OFFICE: &[Who] = &[AboveSecretary, AboveCommitteeMember, AboveEditor, TopChiefEditor];
/// Editors of the document's issuer.
pub(super) const EDITORS: &[Who] = &[AboveEditor, TopChiefEditor];

/// The one who publishes.
pub(super) const CHIEF: &[Who] = &[TopChiefEditor];

/// People who may change the coast's units.
pub(super) const UNIT_KEEPERS: &[Who] = &[AboveRegistrar, TopOperator];
/// People with another office above the harbour.
pub(super) const OFFICES_ABOVE: &[Who] = &[AboveSecretary, AboveCommitteeMember, AboveEditor, TopChiefEditor, TopStatistician];
/// The other members below the coast.
pub(super) const BESIDE: &[Who] = &[SiblingMember, SiblingSecretary, AboveFormerSecretary];
/// People whose office may read the records of the harbour's members and request their transfer.
pub(super) const RECORD_READERS: &[Who] = &[Secretary, Deputy, AboveSecretary, AboveRegistrar];
/// Those who may also change the records.
pub(super) const REGISTRARS: &[Who] = &[AboveRegistrar];
/// Everybody with a subtree of members.
pub(super) const LEADERS: &[Who] = &[Secretary, Deputy, SiblingSecretary, AboveSecretary, AboveRegistrar, OtherSecretary];
/// People who lead the harbour's branch or keep its registry.
pub(super) const ISSUERS: &[Who] = &[Secretary, Deputy, AboveSecretary, AboveRegistrar];
/// People whose office sees the harbour's roles but not its audit trail.
pub(super) const LOOKERS: &[Who] =
    &[Secretary, Deputy, AboveSecretary, AboveCommitteeMember, AboveEditor, TopChiefEditor, TopStatistician];
/// People who grant roles there and read its audit trail.
pub(super) const GIVERS: &[Who] = &[AboveRegistrar, TopOperator];
/// People who keep records or units.
pub(super) const REGISTRY: &[Who] = &[AboveRegistrar, TopOperator];

/// People who follow or assign the harbour's courses by an office and take none of them.
pub(super) const COURSE_OFFICES: &[Who] = &[AboveSecretary, AboveCommitteeMember, AboveEditor, TopChiefEditor, TopStatistician];

/// People who see the figures of some unit.
pub(super) const FOLLOWERS: &[Who] =
    &[Secretary, Deputy, SiblingSecretary, AboveSecretary, AboveCommitteeMember, TopStatistician, OtherSecretary];
