//! The levels of the built-in packs. In Vietnamese, the words of a compound are joined by a no-break space, as in texts.

use chrono::NaiveDate;

use super::{Level, Meets, Names};

/// Positions follow the order of the list.
const fn ranked<const N: usize>(mut levels: [Level; N]) -> [Level; N] {
    let mut at = 0;
    while at < N {
        levels[at].rank = at;
        at += 1;
    }
    levels
}

const fn names(vi: &'static str, en: &'static str, bn: &'static str) -> Names {
    Names { vi, en, bn }
}

/// A level whose committee meets and issues documents, and in which no members are registered.
const fn committee(key: &'static str, name: Names, short: Names, aliases: &'static [&'static str]) -> Level {
    Level {
        key,
        rank: 0,
        name,
        short,
        aliases,
        hangs_on: None,
        holds_members: false,
        meets: Some(Meets::AsCommittee),
        issues_documents: true,
        is_home: false,
        closed_after: None,
    }
}

/// The level that members call their branch.
const fn branch(name: Names, aliases: &'static [&'static str]) -> Level {
    Level {
        holds_members: true,
        meets: Some(Meets::AsBranch),
        issues_documents: false,
        is_home: true,
        ..committee("branch", name, name, aliases)
    }
}

/// A part of a branch; its members meet with the branch.
const fn group(name: Names, aliases: &'static [&'static str]) -> Level {
    Level {
        hangs_on: Some(&["branch"]),
        holds_members: true,
        meets: None,
        issues_documents: false,
        ..committee("group", name, name, aliases)
    }
}

/// Levels of the Party after the reform of 2025: the districts ended on 30 June (Nghị quyết 60-NQ/TW).
pub static PARTY: [Level; 8] = ranked([
    committee("central", names("Trung ương", "Central", "কেন্দ্রীয়"), names("Trung ương", "Central", "কেন্দ্রীয়"), &["toàn quốc"]),
    committee(
        "province",
        names("Tỉnh, thành phố", "Province, city", "প্রদেশ, শহর"),
        names("Tỉnh, thành phố", "Province", "প্রদেশ"),
        &["tỉnh", "thành phố", "tỉnh ủy", "thành ủy", "đảng bộ tỉnh", "đảng bộ thành phố", "đảng ủy trực thuộc trung ương"],
    ),
    Level {
        closed_after: NaiveDate::from_ymd_opt(2025, 6, 30),
        ..committee(
            "district",
            names("Huyện, quận, thị xã", "District", "জেলা"),
            names("Huyện", "District", "জেলা"),
            &[
                "quận",
                "thị xã",
                "thành phố thuộc tỉnh",
                "huyện ủy",
                "quận ủy",
                "thị ủy",
                "đảng bộ huyện",
                "đảng bộ quận",
                "đảng bộ thị xã",
            ],
        )
    },
    committee(
        "commune",
        names("Xã, phường (cấp trên trực tiếp cơ sở)", "Commune, ward", "কমিউন, ওয়ার্ড"),
        names("Xã, phường", "Commune, ward", "কমিউন, ওয়ার্ড"),
        &[
            "xã",
            "phường",
            "đặc khu",
            "xã, phường, đặc khu",
            "cấp trên trực tiếp cơ sở",
            "đảng ủy xã",
            "đảng ủy phường",
            "đảng ủy đặc khu",
            "đảng bộ xã",
            "đảng bộ phường",
            "đảng bộ đặc khu",
        ],
    ),
    committee(
        "base",
        names("Đảng\u{a0}bộ cơ sở", "Grassroots committee", "তৃণমূল কমিটি"),
        names("Đảng\u{a0}bộ cơ sở", "Grassroots", "তৃণমূল কমিটি"),
        &["cơ sở", "tổ chức cơ sở", "tổ chức cơ sở đảng", "đảng ủy cơ sở"],
    ),
    Level {
        hangs_on: Some(&["commune", "base"]),
        ..committee(
            "section",
            names("Đảng\u{a0}bộ bộ phận", "Section committee", "বিভাগীয় কমিটি"),
            names("Đảng\u{a0}bộ bộ phận", "Section", "বিভাগীয় কমিটি"),
            &["bộ phận", "đảng ủy bộ phận"],
        )
    },
    branch(names("Chi\u{a0}bộ", "Branch", "শাখা"), &["chi bộ cơ sở", "chi bộ trực thuộc", "chi hội"]),
    group(names("Tổ đảng", "Group", "উপশাখা"), &["tổ", "tổ hội"]),
]);

/// Levels of an association that is organised like the state.
pub static ASSOCIATION: [Level; 5] = ranked([
    committee(
        "central",
        names("Trung ương Hội", "National association", "কেন্দ্রীয় সমিতি"),
        names("Trung ương Hội", "National", "কেন্দ্রীয় সমিতি"),
        &["trung ương", "toàn quốc"],
    ),
    committee(
        "province",
        names("Hội cấp tỉnh", "Provincial association", "প্রাদেশিক সমিতি"),
        names("Hội cấp tỉnh", "Provincial", "প্রাদেশিক সমিতি"),
        &["tỉnh", "thành phố", "tỉnh, thành phố", "tỉnh hội", "thành hội", "cấp tỉnh"],
    ),
    committee(
        "commune",
        names("Hội cấp xã", "Communal association", "কমিউন সমিতি"),
        names("Hội cấp xã", "Communal", "কমিউন সমিতি"),
        &[
            "xã",
            "phường",
            "đặc khu",
            "xã, phường",
            "xã, phường, đặc khu",
            "cơ sở",
            "tổ chức cơ sở",
            "hội cơ sở",
            "cấp xã",
            "hội xã",
            "hội phường",
        ],
    ),
    branch(names("Chi\u{a0}hội", "Branch", "শাখা"), &["chi bộ"]),
    group(names("Tổ hội", "Group", "উপশাখা"), &["tổ"]),
]);
