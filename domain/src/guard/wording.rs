//! The words that marks of state secrets are made of, and those that stand around them.

/// The levels that regulations prescribe.
pub(super) const LEVELS: [&str; 3] = ["tuyệt mật", "tối mật", "mật"];

/// What may stand before a level so that both together are a mark: "TÀI LIỆU MẬT".
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

/// What introduces a level: "Độ mật: Tối mật".
pub(super) const HEADS: [&str; 9] =
    ["mức độ mật", "cấp độ mật", "dấu độ mật", "độ bảo mật", "độ mật", "dấu mật", "cấp mật", "mức mật", "phân loại mật"];

/// The levels in the letters of fonts from before Unicode, TCVN3 and VNI, as they are read out of files that use these.
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

/// What introduces a level only with a colon between and nothing behind.
pub(super) const LOOSE_HEADS: [&str; 8] =
    ["phân loại", "loại tài liệu", "loại văn bản", "mức độ", "cấp độ", "chế độ", "bảo mật", "mức bảo mật"];

/// How fast a letter must travel stands in the same place and often in the same box.
pub(super) const URGENCY: [&str; 5] = ["thượng khẩn", "khẩn", "hỏa tốc", "hoả tốc", "hẹn giờ"];

/// Stamps that only secret documents bear.
pub(super) const STAMPS: [&str; 2] = ["tài liệu thu hồi", "chỉ người có tên mới được bóc bì"];

/// What stands in the other column of a letterhead, on the same line when a PDF is read.
pub(super) const LETTERHEADS: [&str; 4] = [
    "ĐẢNG CỘNG SẢN VIỆT NAM",
    "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
    "CỘNG HOÀ XÃ HỘI CHỦ NGHĨA VIỆT NAM",
    "Độc lập - Tự do - Hạnh phúc",
];

/// How the name of an issuing unit begins.
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

/// A line before that ends like this makes the next one a title: "LUẬT / BẢO VỆ BÍ MẬT NHÀ NƯỚC".
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
