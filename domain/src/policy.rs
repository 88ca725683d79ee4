//! Who may do what: a table of rights and one function over it.
//!
//! Authority flows down the tree, never sideways. A member's own rights come from resources that *reach* their branch; a role's
//! rights cover the subtree of the unit it is held on. Every use-case asks [`Standpoint::may`], or
//! [`Standpoint::may_read_meeting`] for a meeting; nothing else decides.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::{
    meetings::MeetingKind,
    members::Standing,
    units::{UnitPath, UnitRef},
};

/// An office held on a unit (chức vụ, vai trò).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// Bí thư.
    Secretary,
    /// Phó bí thư.
    Deputy,
    /// Cấp ủy viên.
    CommitteeMember,
    /// Biên tập viên.
    Editor,
    /// Trưởng ban biên tập.
    ChiefEditor,
    /// Cán bộ quản lý hồ sơ đảng viên.
    Registrar,
    /// Cán bộ thống kê.
    Statistician,
    /// Quản trị kỹ thuật: operates the system, reads no content.
    Operator,
}

crate::keyed!(Role);

impl Role {
    /// Whether a holder of this role may grant `role`: a registrar grants every role but the operator's, an operator grants the
    /// registrar's and the operator's.
    pub const fn gives(self, role: Self) -> bool {
        match self {
            Self::Registrar => !matches!(role, Self::Operator),
            Self::Operator => matches!(role, Self::Operator | Self::Registrar),
            _ => false,
        }
    }

    /// Whether the role includes `action`, anywhere in the subtree it is held on.
    pub fn covers(self, action: Action) -> bool {
        ROLE_RIGHTS.iter().any(|(role, actions)| *role == self && actions.contains(&action))
    }
}

/// An action on a resource. The unit is that of the audience, of the issuer, or of the meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, VariantArray)]
pub enum Action {
    /// Read a published document; unit: its audience.
    ReadDocument,
    /// Read and write drafts; unit: the issuer.
    WriteDocument,
    /// Publish a document to its audience, or withdraw it; unit: the audience.
    PublishDocument,
    /// See by name who in a branch has read a document; unit: the branch.
    ReadReaders,
    /// Write, assign and end courses, grant another try at a quiz; unit: the one that gives the course.
    ManageCourses,
    /// Study a course; unit: that of the subtree it is assigned to.
    TakeCourse,
    /// Read a meeting with its papers; unit: the one that meets. As a member only a meeting of members, see
    /// [`Standpoint::may_read_meeting`].
    ReadMeeting,
    /// Send an opinion on a readable document; unit: its audience.
    SendOpinion,
    /// Read the opinions of a unit's members, with names; unit: the member's branch.
    ReadOpinions,
    /// Answer such an opinion; unit: the member's branch.
    AnswerOpinion,
    /// See the figures of a unit and its children; unit: the unit itself.
    ReadStatistics,
    /// See the page of a unit: its position, leaders and the units below; unit: the unit itself. Everybody sees their own line.
    ReadUnit,
    /// Create, rename, move, merge, split, close a unit, set its phase; unit: the unit itself, and for a move both parents.
    ManageUnit,
    /// Search and open the records of members; unit: the member's branch.
    ReadMembers,
    /// Register, correct, import, merge records and decide on corrections; unit: the member's branch.
    ManageMembers,
    /// Request and accept a member's transfer; unit: the old branch, or the new branch.
    TransferMember,
    /// Issue and revoke paper codes for the first sign-in; unit: the member's branch.
    IssueCodes,
    /// Grant and end roles; unit: the one the role is held on.
    GrantRoles,
    /// Read the audit trail of a subtree; unit: the root of the subtree.
    ReadAudit,
}

crate::all_variants!(Action);

/// Rights of every member where the resource reaches their branch.
const MEMBER_RIGHTS: &[Action] =
    &[Action::ReadDocument, Action::TakeCourse, Action::ReadMeeting, Action::SendOpinion, Action::ReadUnit];

/// Rights of a unit's leaders: its meetings, opinions and records of its members, its figures, paper codes for its members.
const LEADER_RIGHTS: &[Action] = &[
    Action::ReadDocument,
    Action::ReadReaders,
    Action::ReadMeeting,
    Action::ReadOpinions,
    Action::AnswerOpinion,
    Action::ReadStatistics,
    Action::ReadUnit,
    Action::ReadMembers,
    Action::TransferMember,
    Action::IssueCodes,
];

/// Rights of a role, in the subtree of the unit it is held on.
const ROLE_RIGHTS: &[(Role, &[Action])] = &[
    (Role::Secretary, LEADER_RIGHTS),
    (Role::Deputy, LEADER_RIGHTS),
    (Role::CommitteeMember, &[Action::ReadDocument, Action::ReadMeeting, Action::ReadStatistics, Action::ReadUnit]),
    (Role::Editor, &[Action::ReadDocument, Action::WriteDocument, Action::ManageCourses, Action::ReadUnit]),
    (
        Role::ChiefEditor,
        &[Action::ReadDocument, Action::WriteDocument, Action::PublishDocument, Action::ManageCourses, Action::ReadUnit],
    ),
    (
        Role::Registrar,
        &[
            Action::ReadUnit,
            Action::ManageUnit,
            Action::ReadMembers,
            Action::ManageMembers,
            Action::TransferMember,
            Action::IssueCodes,
            Action::GrantRoles,
            Action::ReadAudit,
        ],
    ),
    (Role::Statistician, &[Action::ReadStatistics, Action::ReadUnit]),
    // Creates the tree and the first registrar; sees no record and no content.
    (Role::Operator, &[Action::ReadUnit, Action::ManageUnit, Action::GrantRoles, Action::ReadAudit]),
];

/// A role and the unit it is held on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub role: Role,
    pub path: UnitPath,
}

/// A person's position in the tree: all that a decision depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standpoint {
    /// The unit in which the person is registered: their branch, or a unit below it.
    pub branch: UnitPath,
    pub standing: Standing,
    pub grants: Vec<Grant>,
}

impl Standpoint {
    /// The one decision function of the system.
    pub fn may(&self, action: Action, unit: &UnitPath) -> bool {
        self.may_as_member(action, unit) || self.may_by_office(action, unit)
    }

    /// As a member whom `unit` reaches. An exempt member may still read; Regulation 339 requires nothing else of them.
    pub fn may_as_member(&self, action: Action, unit: &UnitPath) -> bool {
        MEMBER_RIGHTS.contains(&action)
            && unit.contains(&self.branch)
            && (self.standing != Standing::Exempt || action != Action::ReadMeeting)
    }

    /// By a role on `unit` or above it.
    pub fn may_by_office(&self, action: Action, unit: &UnitPath) -> bool {
        self.grants.iter().any(|grant| grant.role.covers(action) && grant.path.contains(unit))
    }

    /// Whether the person may read a meeting of this kind of `unit`: a meeting of members as a member or by a role, a meeting of
    /// the committee by a role only.
    pub fn may_read_meeting(&self, kind: MeetingKind, unit: &UnitPath) -> bool {
        self.may_by_office(Action::ReadMeeting, unit) || kind.is_for_members() && self.may_as_member(Action::ReadMeeting, unit)
    }

    /// By a role on `unit` itself: for what only a unit's own leaders see, not those of the units above.
    pub fn may_at_exact_unit(&self, action: Action, unit: &UnitPath) -> bool {
        self.grants.iter().any(|grant| grant.role.covers(action) && grant.path == *unit)
    }

    /// The highest units on which the person holds a role that covers `action`; none of them lies below another.
    pub fn top_units(&self, action: Action) -> Vec<&UnitPath> {
        let mut top_units: Vec<&UnitPath> =
            self.grants.iter().filter(|grant| grant.role.covers(action)).map(|grant| &grant.path).collect();
        top_units.sort_unstable();
        top_units.dedup_by(|below, above| above.contains(below));
        top_units
    }

    /// Whether the person may issue something from this unit by an office that covers `action`: its level issues documents, or it
    /// is one of their top units.
    pub fn may_issue(&self, action: Action, unit: &UnitRef) -> bool {
        self.may_by_office(action, &unit.path) && (unit.kind.issues_documents() || self.top_units(action).contains(&&unit.path))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use Role::{ChiefEditor, CommitteeMember, Deputy, Editor, Operator, Registrar, Secretary, Statistician};
    use proptest::{
        collection::vec,
        prelude::*,
        sample::{Index, select},
    };

    use super::*;

    fn path(text: &str) -> UnitPath {
        UnitPath::parse(text).expect("a valid path")
    }

    fn standing_at(branch: &str, grants: &[(Role, &str)]) -> Standpoint {
        Standpoint {
            branch: path(branch),
            standing: Standing::Official,
            grants: grants.iter().map(|(role, at)| Grant { role: *role, path: path(at) }).collect(),
        }
    }

    /// The rights again, by action: whether every member has it, and the roles that have it. Written by hand, so that it does not
    /// follow a change of the tables above.
    const RIGHTS: [(Action, bool, &[Role]); 19] = [
        (Action::ReadDocument, true, &[Secretary, Deputy, CommitteeMember, Editor, ChiefEditor]),
        (Action::WriteDocument, false, &[Editor, ChiefEditor]),
        (Action::PublishDocument, false, &[ChiefEditor]),
        (Action::ReadReaders, false, &[Secretary, Deputy]),
        (Action::ManageCourses, false, &[Editor, ChiefEditor]),
        (Action::TakeCourse, true, &[]),
        (Action::ReadMeeting, true, &[Secretary, Deputy, CommitteeMember]),
        (Action::SendOpinion, true, &[]),
        (Action::ReadOpinions, false, &[Secretary, Deputy]),
        (Action::AnswerOpinion, false, &[Secretary, Deputy]),
        (Action::ReadStatistics, false, &[Secretary, Deputy, CommitteeMember, Statistician]),
        (Action::ReadUnit, true, &[Secretary, Deputy, CommitteeMember, Editor, ChiefEditor, Registrar, Statistician, Operator]),
        (Action::ManageUnit, false, &[Registrar, Operator]),
        (Action::ReadMembers, false, &[Secretary, Deputy, Registrar]),
        (Action::ManageMembers, false, &[Registrar]),
        (Action::TransferMember, false, &[Secretary, Deputy, Registrar]),
        (Action::IssueCodes, false, &[Secretary, Deputy, Registrar]),
        (Action::GrantRoles, false, &[Registrar, Operator]),
        (Action::ReadAudit, false, &[Registrar, Operator]),
    ];

    /// The roles each role may grant; only these two grant any.
    const GIVEN: [(Role, &[Role]); 2] = [
        (Registrar, &[Secretary, Deputy, CommitteeMember, Editor, ChiefEditor, Registrar, Statistician]),
        (Operator, &[Registrar, Operator]),
    ];

    #[test]
    fn every_action_has_its_line() {
        assert_eq!(RIGHTS.map(|(action, ..)| action), Action::ALL);
    }

    /// Each action by each role, on units above, at, below and beside the unit `/1/2/` the role is held on.
    #[test]
    fn every_role_may_exactly_what_the_table_says() {
        let places = ["/1/", "/1/2/", "/1/2/3/", "/1/9/"];
        for role in Role::ALL {
            for (action, _, roles) in RIGHTS {
                // The branch lies outside all tested units, so that only the office decides.
                let person = standing_at("/7/7/", &[(role, "/1/2/")]);
                let allowed: Vec<_> = places.iter().filter(|at| person.may(action, &path(at))).copied().collect();
                let expected: &[&str] = if roles.contains(&role) { &["/1/2/", "/1/2/3/"] } else { &[] };
                assert_eq!(allowed, expected, "{role:?} {action:?}");
            }
        }
    }

    /// Each action by a member without office, on units above, at, beside and below their branch `/1/2/3/`.
    #[test]
    fn a_member_has_rights_on_the_own_line_and_nothing_beside_or_below() {
        let member = standing_at("/1/2/3/", &[]);
        for (action, is_members, _) in RIGHTS {
            let places = ["/1/", "/1/2/", "/1/2/3/", "/1/2/4/", "/1/2/3/5/"];
            let allowed: Vec<_> = places.iter().filter(|at| member.may(action, &path(at))).copied().collect();
            let expected: &[&str] = if is_members { &["/1/", "/1/2/", "/1/2/3/"] } else { &[] };
            assert_eq!(allowed, expected, "{action:?}");
        }
    }

    #[test]
    fn every_role_gives_exactly_the_roles_of_the_table() {
        for role in Role::ALL {
            let given: Vec<_> = Role::ALL.into_iter().filter(|given| role.gives(*given)).collect();
            let expected = GIVEN.iter().find(|(giver, _)| *giver == role).map_or(&[][..], |(_, roles)| *roles);
            assert_eq!(given, expected, "{role:?}");
        }
    }

    #[test]
    fn an_exempt_member_is_not_called_to_meetings() {
        let mut member = standing_at("/1/2/3/", &[]);
        member.standing = Standing::Exempt;
        for (action, is_members, _) in RIGHTS {
            let expected = is_members && action != Action::ReadMeeting;
            for at in ["/1/", "/1/2/3/"] {
                assert_eq!(member.may(action, &path(at)), expected, "{action:?} {at}");
            }
        }
    }

    /// By a member without office, on their own line, and by each role, on units above, at, below and beside the one it is held on.
    #[test]
    fn a_meeting_of_a_committee_is_read_by_offices_only() {
        let member = standing_at("/1/2/3/", &[]);
        for at in ["/1/", "/1/2/", "/1/2/3/"] {
            for (kind, may_read) in [(MeetingKind::Regular, true), (MeetingKind::Thematic, true), (MeetingKind::Committee, false)]
            {
                assert_eq!(member.may_read_meeting(kind, &path(at)), may_read, "{kind:?} {at}");
            }
        }
        for role in Role::ALL {
            let person = standing_at("/1/2/3/", &[(role, "/1/2/")]);
            let allowed =
                ["/1/", "/1/2/", "/1/2/3/", "/1/9/"].map(|at| person.may_read_meeting(MeetingKind::Committee, &path(at)));
            let has_right = matches!(role, Secretary | Deputy | CommitteeMember);
            assert_eq!(allowed, [false, has_right, has_right, false], "{role:?}");
        }
    }

    #[test]
    fn leading_a_unit_above_is_not_the_exact_unit() {
        let person = standing_at("/1/2/3/", &[(Role::Secretary, "/1/2/")]);
        assert!(person.may_by_office(Action::ReadReaders, &path("/1/2/3/")));
        assert!(!person.may_at_exact_unit(Action::ReadReaders, &path("/1/2/3/")));
        assert!(person.may_at_exact_unit(Action::ReadReaders, &path("/1/2/")));
        assert!(!person.may_at_exact_unit(Action::ManageCourses, &path("/1/2/")));
    }

    #[test]
    fn top_units_are_the_highest_only() {
        let person =
            standing_at("/1/2/3/", &[(Role::Secretary, "/1/2/3/"), (Role::Statistician, "/1/2/"), (Role::Editor, "/1/9/")]);
        assert_eq!(person.top_units(Action::ReadStatistics), [&path("/1/2/")]);
    }

    /// A random tree, whose units are numbered from the root, 0, by the parents of the others.
    #[derive(Debug, Clone)]
    pub(crate) struct RandomTree {
        parents: Vec<usize>,
        pub(crate) paths: Vec<UnitPath>,
    }

    impl RandomTree {
        /// Trees of at most 15 units, so that codes such as `1` and `10` occur.
        pub(crate) fn strategy() -> impl Strategy<Value = Self> {
            vec(any::<Index>(), 0..15).prop_map(|drawn| {
                let mut tree = Self { parents: Vec::new(), paths: vec![path("/0/")] };
                for (at, parent) in drawn.iter().enumerate() {
                    let parent = parent.index(at + 1);
                    tree.parents.push(parent);
                    tree.paths.push(tree.paths[parent].child(&(at + 1).to_string()).expect("a code"));
                }
                tree
            })
        }

        pub(crate) fn unit(&self, drawn: &Index) -> usize {
            drawn.index(self.paths.len())
        }

        pub(crate) fn units(&self, drawn: &[Index]) -> Vec<usize> {
            drawn.iter().map(|unit| self.unit(unit)).collect()
        }

        /// Whether a unit is this one or below it: looks at one parent after the other.
        pub(crate) fn is_below(&self, mut unit: usize, above: usize) -> bool {
            while unit != above {
                let Some(row) = unit.checked_sub(1) else { return false };
                unit = self.parents[row];
            }
            true
        }

        /// A person registered in `branch` with these offices.
        pub(crate) fn person(&self, branch: usize, standing: Standing, offices: &[(Role, usize)]) -> Standpoint {
            let grant = |(role, unit): &(Role, usize)| Grant { role: *role, path: self.paths[*unit].clone() };
            Standpoint { branch: self.paths[branch].clone(), standing, grants: offices.iter().map(grant).collect() }
        }
    }

    /// Some offices, each with the unit it is held on.
    pub(crate) fn offices() -> impl Strategy<Value = Vec<(Role, Index)>> {
        vec((select(Role::ALL.to_vec()), any::<Index>()), 0..5)
    }

    proptest! {
        /// Compared with the table above, for each action on each unit of a tree in which parents are followed one by one.
        #[test]
        fn rights_in_a_tree_are_those_of_the_table(
            tree in RandomTree::strategy(),
            branch in any::<Index>(),
            standing in select(Standing::ALL.to_vec()),
            offices in offices(),
        ) {
            let branch = tree.unit(&branch);
            let offices: Vec<(Role, usize)> = offices.iter().map(|(role, unit)| (*role, tree.unit(unit))).collect();
            let person = tree.person(branch, standing, &offices);
            for (action, is_members, roles) in RIGHTS {
                let covering: BTreeSet<usize> =
                    offices.iter().filter(|(role, _)| roles.contains(role)).map(|(_, unit)| *unit).collect();
                let is_called = standing != Standing::Exempt || action != Action::ReadMeeting;
                for (unit, at) in tree.paths.iter().enumerate() {
                    let as_member = is_members && is_called && tree.is_below(branch, unit);
                    let by_office = covering.iter().any(|held| tree.is_below(unit, *held));
                    prop_assert_eq!(person.may_as_member(action, at), as_member, "{:?} {}", action, at);
                    prop_assert_eq!(person.may_by_office(action, at), by_office, "{:?} {}", action, at);
                    prop_assert_eq!(person.may(action, at), as_member || by_office, "{:?} {}", action, at);
                    prop_assert_eq!(person.may_at_exact_unit(action, at), covering.contains(&unit), "{:?} {}", action, at);
                    if action == Action::ReadMeeting {
                        for kind in MeetingKind::ALL {
                            let may_read = by_office || as_member && kind != MeetingKind::Committee;
                            prop_assert_eq!(person.may_read_meeting(kind, at), may_read, "{:?} {}", kind, at);
                        }
                    }
                }
                let is_highest = |held: &&usize| !covering.iter().any(|other| other != *held && tree.is_below(**held, *other));
                let mut highest: Vec<&UnitPath> = covering.iter().filter(is_highest).map(|held| &tree.paths[*held]).collect();
                highest.sort_unstable();
                prop_assert_eq!(person.top_units(action), highest, "{:?}", action);
            }
        }

        #[test]
        fn nobody_acts_outside_branch_line_and_own_subtrees(
            branch in "(/[0-9]){1,4}/", at in "(/[0-9]){1,4}/", unit in "(/[0-9]){1,4}/", role in 0..Role::ALL.len(), action in 0..Action::ALL.len(),
        ) {
            let person = standing_at(&branch, &[(Role::ALL[role], &at)]);
            let unit = path(&unit);
            if person.may(Action::ALL[action], &unit) {
                prop_assert!(unit.contains(&person.branch) || path(&at).contains(&unit));
            }
        }
    }
}
