//! What the words above the columns mean: the usual ones of Vietnamese lists and their English counterparts, however they are marked,
//! cased and spaced.

use domain::{
    folding::fold,
    imports::{Column, ImportKind},
};

use super::file::Cell;
use crate::keys::fingerprint;

/// Lists often carry a title above their header; further down nobody looks for it.
pub(super) const HEADER_WITHIN: usize = 20;

/// The words of each column, folded, without anything but letters and digits.
const WORDS: &[(Column, &[&str])] = &[
    (
        Column::CardNumber,
        &[
            "sothedangvien",
            "sothe",
            "sothedang",
            "sothedv",
            "mathe",
            "madangvien",
            "sothehoivien",
            "mahoivien",
            "cardnumber",
            "cardno",
            "card",
            "membercode",
            "code",
        ],
    ),
    (
        Column::FullName,
        &[
            "hovaten",
            "hoten",
            "tendaydu",
            "hovatendangvien",
            "hotendangvien",
            "hovatenkhaisinh",
            "hovatendangdung",
            "fullname",
            "name",
        ],
    ),
    (Column::Sex, &["gioitinh", "phai", "namnu", "sex", "gender"]),
    (Column::BirthDate, &["ngaysinh", "ngaythangnamsinh", "sinhngay", "birthdate", "dateofbirth", "born", "dob"]),
    (
        Column::AdmittedOn,
        &[
            "ngayvaodang",
            "ngayvao",
            "ngayketnap",
            "ngayketnapdang",
            "ngayvaohoi",
            "admittedon",
            "admissiondate",
            "dateofadmission",
            "admitted",
        ],
    ),
    (
        Column::OfficialOn,
        &[
            "ngaychinhthuc",
            "ngayvaodangchinhthuc",
            "ngaycongnhanchinhthuc",
            "chinhthuc",
            "officialon",
            "officialdate",
            "official",
        ],
    ),
    (Column::Standing, &["dien", "diendangvien", "diensinhhoat", "loaidangvien", "standing"]),
    (
        Column::NationalId,
        &[
            "cccd",
            "socccd",
            "sodinhdanh",
            "sodinhdanhcanhan",
            "cancuoc",
            "socancuoc",
            "cancuoccongdan",
            "socancuoccongdan",
            "madinhdanh",
            "cmnd",
            "socmnd",
            "cmndcccd",
            "nationalid",
            "citizenid",
            "idnumber",
        ],
    ),
    (Column::Phone, &["dienthoai", "sodienthoai", "sodt", "sdt", "didong", "dienthoaididong", "phone", "phonenumber", "mobile"]),
    (
        Column::Branch,
        &[
            "machibo",
            "chibo",
            "madonvi",
            "donvi",
            "madonvisinhhoat",
            "machiboin",
            "branch",
            "branchcode",
            "unit",
            "unitcode",
            "unitpath",
            "path",
        ],
    ),
    (Column::Code, &["ma", "madonvi", "matochuc", "madang", "code", "unitcode", "path"]),
    (
        Column::Parent,
        &[
            "macaptren",
            "macaptren",
            "madonvicaptren",
            "donvicaptren",
            "captren",
            "macha",
            "tructhuoc",
            "parent",
            "parentcode",
            "parentpath",
        ],
    ),
    (Column::Kind, &["cap", "loai", "loaidonvi", "capdonvi", "loaitochuc", "captochuc", "kind", "level", "type"]),
    (Column::Name, &["ten", "tendonvi", "tentochuc", "tenchibo", "name", "unitname"]),
    (Column::OpenedOn, &["ngaythanhlap", "ngaylap", "thanhlap", "openedon", "opened", "founded"]),
    (Column::Phase, &["giaidoan", "giaidoantrienkhai", "trienkhai", "phase"]),
];

/// What a header is taken for in a file of this kind.
pub(super) fn recognise(kind: ImportKind, header: &str) -> Option<Column> {
    // What stands in brackets explains, it does not name: "Ngày sinh (dd/mm/yyyy)".
    let named = header.split(['(', '[']).next().unwrap_or(header);
    let words: String = fold(named).chars().filter(char::is_ascii_alphanumeric).collect();
    let of_kind = WORDS.iter().filter(|(column, _)| column.belongs_to() == kind);
    of_kind
        .into_iter()
        .find(|(column, known)| known.contains(&words.as_str()) || column.key().replace('_', "") == words)
        .map(|(column, _)| *column)
}

/// What each column of the file is taken for; each meaning goes to the first column that has it.
pub(super) fn guess(kind: ImportKind, headers: &[String]) -> Vec<Option<Column>> {
    let mut taken = Vec::new();
    headers
        .iter()
        .map(|header| {
            let column = recognise(kind, header).filter(|column| !taken.contains(column))?;
            taken.push(column);
            Some(column)
        })
        .collect()
}

/// Looks for the header among the first rows: the row with the most words that are known.
#[derive(Debug)]
pub(super) struct HeaderSearch {
    kind: ImportKind,
    seen: usize,
    best: Option<Header>,
    /// Whether a row with something in it follows the best one.
    has_rows: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) row: u64,
    pub(super) words: Vec<String>,
    known: usize,
}

impl HeaderSearch {
    pub(super) fn new(kind: ImportKind) -> Self {
        Self { kind, seen: 0, best: None, has_rows: false }
    }

    /// Whether to look at further rows.
    pub(super) fn look(&mut self, row: u64, cells: &[Cell<'_>]) -> bool {
        self.seen += 1;
        let words: Vec<String> = cells.iter().map(|cell| cell.shown().chars().take(100).collect()).collect();
        let known = guess(self.kind, &words).iter().flatten().count();
        if self.best.as_ref().is_none_or(|best| known > best.known) {
            self.best = Some(Header { row, words, known });
            self.has_rows = false;
        } else {
            self.has_rows = true;
        }
        self.seen < HEADER_WITHIN
    }

    /// The header, when a row follows it.
    pub(super) fn found(self) -> Option<Header> {
        self.best.filter(|_| self.has_rows)
    }
}

/// Equal for files whose headers say the same, so that what was corrected once is remembered.
pub(super) fn header_fingerprint(kind: ImportKind, headers: &[String]) -> String {
    let folded: Vec<String> = headers.iter().map(|header| fold(header)).collect();
    fingerprint(&format!("{}\n{}", kind.key(), folded.join("\n")))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn headers_are_known_in_both_languages_and_every_spelling() {
        let table = [
            ("Số thẻ", Column::CardNumber),
            ("so the dang vien", Column::CardNumber),
            ("CARD NUMBER", Column::CardNumber),
            ("Họ và tên", Column::FullName),
            ("HỌ TÊN", Column::FullName),
            ("CCCD", Column::NationalId),
            ("Số định danh cá nhân", Column::NationalId),
            ("Ngày sinh (dd/mm/yyyy)", Column::BirthDate),
            ("Giới tính", Column::Sex),
            ("Ngày vào Đảng", Column::AdmittedOn),
            ("Ngày chính thức", Column::OfficialOn),
            ("Số điện thoại", Column::Phone),
            ("SĐT", Column::Phone),
            ("Mã chi bộ", Column::Branch),
            ("Diện", Column::Standing),
            ("birth_date", Column::BirthDate),
        ];
        for (header, column) in table {
            assert_eq!(recognise(ImportKind::Members, header), Some(column), "{header}");
        }
        assert_eq!(recognise(ImportKind::Members, "Ghi chú"), None);
        assert_eq!(recognise(ImportKind::Units, "Mã đơn vị"), Some(Column::Code));
        assert_eq!(recognise(ImportKind::Units, "Mã cấp trên"), Some(Column::Parent));
        for column in Column::ALL {
            assert_eq!(recognise(column.belongs_to(), column.key()), Some(column));
        }
    }

    #[test]
    fn a_meaning_is_given_once() {
        let headers = ["Họ tên", "Họ và tên", "Phái"].map(str::to_owned);
        assert_eq!(guess(ImportKind::Members, &headers), [Some(Column::FullName), None, Some(Column::Sex)]);
    }

    #[test]
    fn a_title_above_the_header_is_passed_over() {
        let row = |words: &[&'static str]| words.iter().map(|word| Cell::Text(Cow::Borrowed(*word))).collect::<Vec<_>>();
        let mut search = HeaderSearch::new(ImportKind::Members);
        search.look(1, &row(&["DANH SÁCH ĐẢNG VIÊN"]));
        search.look(3, &row(&["Số thẻ", "Họ và tên", "Ghi chú"]));
        search.look(4, &row(&["51.000001", "Nguyễn Văn A", ""]));
        assert_eq!(search.found().map(|header| header.row), Some(3));
    }
}
