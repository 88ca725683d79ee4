//! Words that marks of state secrets consist of, and words that occur around them.

/// The levels prescribed by regulations.
pub(super) const LEVELS: [&str; 3] = ["tuyệt mật", "tối mật", "mật"];

/// Nouns that form a mark together with a level behind them: "TÀI LIỆU MẬT".
pub(super) const NOUNS: [&str; 26] = [
    "đóng dấu",
    "vb",
    "tl",
    "cv",
    "hs",
    "tài liệu",
    "văn bản",
    "công văn",
    "công điện",
    "điện",
    "hồ sơ",
    "báo cáo",
    "kế hoạch",
    "phương án",
    "tờ trình",
    "thông báo",
    "thông tin",
    "quyết định",
    "nghị quyết",
    "chỉ thị",
    "biên bản",
    "bản thảo",
    "bản đồ",
    "bản",
    "loại",
    "mức",
];

/// Labels of a level: "Độ mật: Tối mật".
pub(super) const HEADS: [&str; 9] =
    ["mức độ mật", "cấp độ mật", "dấu độ mật", "độ bảo mật", "độ mật", "dấu mật", "cấp mật", "mức mật", "phân loại mật"];

/// The levels in the legacy encodings TCVN3 and VNI, as they are extracted from files with such fonts.
pub(super) const OLD_LETTERS: [(&str, &str); 12] = [
    ("TUYÖT", "TUYỆT"),
    ("tuyÖt", "tuyệt"),
    ("TèI", "TỐI"),
    ("tèi", "tối"),
    ("MËT", "MẬT"),
    ("mËt", "mật"),
    ("TUYEÄT", "TUYỆT"),
    ("tuyeät", "tuyệt"),
    ("TOÁI", "TỐI"),
    ("toái", "tối"),
    ("MAÄT", "MẬT"),
    ("maät", "mật"),
];

/// Labels that count only with a colon and nothing after the level.
pub(super) const LOOSE_HEADS: [&str; 8] =
    ["phân loại", "loại tài liệu", "loại văn bản", "mức độ", "cấp độ", "chế độ", "bảo mật", "mức bảo mật"];

/// Delivery priorities, which appear in the same place as a level and often in the same box.
pub(super) const URGENCY: [&str; 5] = ["thượng khẩn", "khẩn", "hỏa tốc", "hoả tốc", "hẹn giờ"];

/// Stamps of secret documents only.
pub(super) const STAMPS: [&str; 2] = ["tài liệu thu hồi", "chỉ người có tên mới được bóc bì"];

/// Text of the other column of a letterhead, extracted from a PDF as the same line.
pub(super) const LETTERHEADS: [&str; 4] = [
    "ĐẢNG CỘNG SẢN VIỆT NAM",
    "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
    "CỘNG HOÀ XÃ HỘI CHỦ NGHĨA VIỆT NAM",
    "Độc lập - Tự do - Hạnh phúc",
];

/// First words of the names of issuing units.
pub(super) const ISSUERS: [&str; 15] = [
    "đảng bộ",
    "đảng ủy",
    "đảng uỷ",
    "tỉnh ủy",
    "tỉnh uỷ",
    "thành ủy",
    "huyện ủy",
    "xã ủy",
    "chi bộ",
    "ban chấp hành",
    "ban thường vụ",
    "ủy ban nhân dân",
    "ubnd",
    "công an",
    "bộ chỉ huy",
];

/// Endings of a line that make the next one a title: "LUẬT / BẢO VỆ BÍ MẬT NHÀ NƯỚC".
pub(super) const TITLE_ENDS: [&str; 16] = [
    "luật",
    "lệnh",
    "nghị định",
    "nghị quyết",
    "thông tư",
    "quy chế",
    "quy định",
    "quyết định",
    "kế hoạch",
    "báo cáo",
    "chỉ thị",
    "hướng dẫn",
    "chuyên đề",
    "công tác",
    "về",
    "việc",
];
