//! The demo accounts. Their national IDs begin with a province code that is not assigned, and no other person of the sample has
//! their years of birth, so they cannot be anybody's.

use domain::{
    members::{Sex, Standing},
    policy::Role,
};

/// The password of all demo accounts.
pub(super) const PASSWORD: &str = "ca-voi-xanh-2026";

/// A person with a demo account.
#[derive(Debug, Clone, Copy)]
pub(super) struct Player {
    /// The description in the list of demo accounts.
    pub(super) role: &'static str,
    pub(super) name: &'static str,
    pub(super) national_id: &'static str,
    pub(super) sex: Sex,
    pub(super) born: (i32, u32, u32),
    pub(super) standing: Standing,
    /// Key of the branch, or of the group of a branch, the person is posted to.
    pub(super) branch: &'static str,
    /// Role, and key of the unit it is held on.
    pub(super) office: Option<(Role, &'static str)>,
}

/// The fisherman comes first.
pub(super) const CAST: [Player; 15] = [
    member("Member, fisherman at sea", "Võ Văn Khơi", "951000000001", Sex::Male, (1981, 3, 14), "fishing"),
    officer(
        "Branch secretary",
        "Huỳnh Thị Bến",
        "951000000002",
        Sex::Female,
        (1974, 9, 2),
        "fishing",
        Role::Secretary,
        "fishing",
    ),
    officer(
        "Branch deputy secretary",
        "Tiêu Viết Lộng",
        "951000000003",
        Sex::Male,
        (1986, 5, 20),
        "fishing",
        Role::Deputy,
        "fishing",
    ),
    member("Member, ward branch", "Nguyễn Thị Hòa Bình", "951000000004", Sex::Female, (1952, 4, 30), "ward-24"),
    officer(
        "Branch secretary, ward",
        "Đặng Quang Vinh",
        "951000000005",
        Sex::Male,
        (1966, 12, 22),
        "ward-24",
        Role::Secretary,
        "ward-24",
    ),
    officer("Editor, ward", "Lê Thị Diệu Thảo", "951000000006", Sex::Female, (1990, 6, 21), "ward-59", Role::Editor, "ward"),
    officer(
        "Chief editor, province",
        "Phan Trọng Nghĩa",
        "951000000007",
        Sex::Male,
        (1971, 1, 8),
        "ward-59",
        Role::ChiefEditor,
        "province",
    ),
    officer(
        "Editor, commune",
        "Phạm Minh Triết",
        "951000000008",
        Sex::Male,
        (1993, 10, 10),
        "commune-b5",
        Role::Editor,
        "commune",
    ),
    officer(
        "Committee member, commune",
        "Bùi Thị Châu",
        "951000000009",
        Sex::Female,
        (1983, 7, 27),
        "commune-b2",
        Role::CommitteeMember,
        "commune",
    ),
    officer(
        "Statistician, province",
        "Hồ Thị Ngọc Số",
        "951000000010",
        Sex::Female,
        (1988, 11, 11),
        "ward-60",
        Role::Statistician,
        "province",
    ),
    officer("Registrar, ward", "Cao Xuân Lục", "951000000011", Sex::Male, (1979, 2, 18), "ward-61", Role::Registrar, "ward"),
    officer("Operator", "Mai Đăng Kỹ", "951000000012", Sex::Male, (1995, 8, 5), "ward-62", Role::Operator, "province"),
    standing(
        "Member on probation",
        "Trương Gia Hân",
        "951000000013",
        Sex::Female,
        (2002, 5, 19),
        Standing::Probationary,
        "ward-46",
    ),
    standing(
        "Member exempt from activities",
        "Đoàn Văn Cựu",
        "951000000014",
        Sex::Male,
        (1941, 12, 19),
        Standing::Exempt,
        "ward-88",
    ),
    member("Member of a party group", "Lương Thị Ngân Hà", "951000000015", Sex::Female, (1969, 3, 8), "ward-23-g1"),
];

/// A member of the fishing village without an account, to try the first sign-in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Newcomer {
    pub(super) role: &'static str,
    pub(super) name: &'static str,
    pub(super) national_id: &'static str,
    pub(super) sex: Sex,
    pub(super) born: (i32, u32, u32),
    pub(super) has_phone: bool,
}

/// The branch they are posted to.
pub(super) const NEWCOMERS_BRANCH: &str = "fishing";

pub(super) const NEWCOMERS: [Newcomer; 6] = [
    newcomer("Newcomer without a phone", "Tiêu Thị Nụ", "951000000021", Sex::Female, (1952, 6, 17), false),
    newcomer("Newcomer without a phone, second", "Võ Văn Lưới", "951000000022", Sex::Male, (1949, 1, 9), false),
    newcomer("Newcomer with a phone", "Huỳnh Minh Sóng", "951000000023", Sex::Male, (1997, 8, 3), true),
    newcomer("Newcomer with a phone, second", "Bùi Thị Hải Yến", "951000000024", Sex::Female, (1993, 12, 1), true),
    newcomer("Newcomer known to a provider", "Võ Thị Cẩm Vân", "951000000025", Sex::Female, (1988, 4, 22), true),
    newcomer("Newcomer known to a provider, second", "Trần Đình Phao", "951000000026", Sex::Male, (1984, 7, 9), true),
];

const fn newcomer(
    role: &'static str,
    name: &'static str,
    national_id: &'static str,
    sex: Sex,
    born: (i32, u32, u32),
    has_phone: bool,
) -> Newcomer {
    Newcomer { role, name, national_id, sex, born, has_phone }
}

const fn member(
    role: &'static str,
    name: &'static str,
    national_id: &'static str,
    sex: Sex,
    born: (i32, u32, u32),
    branch: &'static str,
) -> Player {
    standing(role, name, national_id, sex, born, Standing::Official, branch)
}

const fn standing(
    role: &'static str,
    name: &'static str,
    national_id: &'static str,
    sex: Sex,
    born: (i32, u32, u32),
    standing: Standing,
    branch: &'static str,
) -> Player {
    Player { role, name, national_id, sex, born, standing, branch, office: None }
}

#[expect(clippy::too_many_arguments, reason = "the columns of a table")]
const fn officer(
    role: &'static str,
    name: &'static str,
    national_id: &'static str,
    sex: Sex,
    born: (i32, u32, u32),
    branch: &'static str,
    office: Role,
    unit: &'static str,
) -> Player {
    Player { role, name, national_id, sex, born, standing: Standing::Official, branch, office: Some((office, unit)) }
}
