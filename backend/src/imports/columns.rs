//! Recognises columns by their headers: the usual words of Vietnamese lists and their English counterparts, whatever their
//! diacritics, case and spacing.

use domain::{
    folding::fold,
    imports::{Column, ImportKind},
};

use super::file::Cell;
use crate::keys::fingerprint;

/// Rows searched for a header. Lists often have a title above it.
pub(super) const HEADER_WITHIN: usize = 20;

/// Header words of each column, folded to ASCII letters and digits.
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
    (
        Column::BirthDate,
        &["ngaysinh", "ngaythangnamsinh", "namsinh", "ngaythangsinh", "sinhngay", "birthdate", "dateofbirth", "born", "dob"],
    ),
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
            "codeoftheunitabove",
        ],
    ),
    (Column::Kind, &["cap", "loai", "loaidonvi", "capdonvi", "loaitochuc", "captochuc", "kind", "level", "type"]),
    (Column::Name, &["ten", "tendonvi", "tentochuc", "tenchibo", "name", "unitname"]),
    (Column::OpenedOn, &["ngaythanhlap", "ngaylap", "thanhlap", "openedon", "opened", "founded"]),
    (Column::Phase, &["giaidoan", "giaidoantrienkhai", "trienkhai", "phase"]),
];

/// The column that a header stands for in a file of this kind.
pub(super) fn recognise(kind: ImportKind, header: &str) -> Option<Column> {
    if kind == ImportKind::Members
        && let Some(column) = of_one_sex(header)
    {
        return Some(column);
    }
    // Text in brackets is an explanation, not part of the name: "Ngày sinh (dd/mm/yyyy)".
    let named = header.split(['(', '[']).next().unwrap_or(header);
    let words: String = fold(named).chars().filter(char::is_ascii_alphanumeric).collect();
    let of_kind = WORDS.iter().filter(|(column, _)| column.belongs_to() == kind);
    of_kind
        .into_iter()
        .find(|(column, known)| known.contains(&words.as_str()) || column.key().replace('_', "") == words)
        .map(|(column, _)| *column)
}

/// A column for men or women only, as on paper lists: "Nam" or "Nữ" alone, or after the name of the column.
fn of_one_sex(header: &str) -> Option<Column> {
    let words: Vec<&str> = header.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let (last, before) = words.split_last()?;
    let column = match last.to_lowercase().as_str() {
        // "năm" with its diacritic means "year", so only "nam" matches.
        "nam" | "male" => Column::Male,
        "nữ" | "nu" | "female" => Column::Female,
        _ => return None,
    };
    let before = before.join(" ");
    let fits = before.is_empty() || matches!(recognise(ImportKind::Members, &before), Some(Column::BirthDate | Column::Sex));
    fits.then_some(column)
}

/// The column that each header stands for. Of several headers for one column the first wins.
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

/// Searches the first rows for the header: the row, or the two rows together, with the most known words.
#[derive(Debug)]
pub(super) struct HeaderSearch {
    kind: ImportKind,
    rows: Vec<(u64, Vec<String>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    /// Last row of the header; the data rows follow.
    pub(super) row: u64,
    /// Non-empty rows up to and including this one.
    pub(super) depth: u64,
    pub(super) words: Vec<String>,
    /// Number of known words.
    pub(super) known: usize,
}

impl HeaderSearch {
    /// Rows read after the last one that can be a header: its second row, its column numbers, and a first data row.
    const BEHIND: usize = 3;

    pub(super) fn new(kind: ImportKind) -> Self {
        Self { kind, rows: Vec::new() }
    }

    /// Returns whether to add further rows.
    pub(super) fn add_row(&mut self, row: u64, cells: &[Cell<'_>]) -> bool {
        self.rows.push((row, cells.iter().map(|cell| cell.shown().chars().take(100).collect()).collect()));
        self.rows.len() < HEADER_WITHIN + Self::BEHIND
    }

    /// The header, if a row follows it.
    pub(super) fn found(self) -> Option<Header> {
        let count = |words: &[String]| guess(self.kind, words).iter().flatten().count();
        let (mut best, mut best_at) = (None, 0);
        for (at, (_, words)) in self.rows.iter().enumerate().take(HEADER_WITHIN) {
            let below = self.rows.get(at + 1).map(|(_, below)| joined(self.kind, words, below));
            for (last, words) in [(at, Some(words.clone())), (at + 1, below)] {
                let Some(words) = words else { continue };
                let known = count(&words);
                if best.as_ref().is_none_or(|(most, _)| known > *most) {
                    (best, best_at) = (Some((known, words)), last);
                }
            }
        }
        let (known, words) = best?;
        if known > 0 && self.rows.get(best_at + 1).is_some_and(|(_, below)| is_numbering(below)) {
            best_at += 1;
        }
        let row = self.rows.get(best_at)?.0;
        self.rows.get(best_at + 1)?;
        Some(Header { row, depth: best_at as u64 + 1, words, known })
    }
}

/// Two rows of a header as one: a cell of the upper row spans the empty cells to its right.
fn joined(kind: ImportKind, above: &[String], below: &[String]) -> Vec<String> {
    let mut spanning = "";
    (0..above.len().max(below.len()))
        .map(|at| {
            let (top, sub) = (above.get(at).map_or("", String::as_str), below.get(at).map_or("", String::as_str));
            if !top.is_empty() {
                spanning = top;
            }
            if sub.is_empty() {
                return top.to_owned();
            }
            let both = format!("{spanning} {sub}");
            let is_known = recognise(kind, &both).is_some() || recognise(kind, sub).is_none();
            if is_known && !spanning.is_empty() { both } else { sub.to_owned() }
        })
        .collect()
}

/// The row of column numbers that forms have below their header: 1, 2, 3 … or (1) (2) (3), possibly after letters.
fn is_numbering(words: &[String]) -> bool {
    let bare = words.iter().map(|word| word.trim_matches(['(', ')', '[', ']', ' '])).filter(|word| !word.is_empty());
    let numbers: Vec<u32> = bare.clone().filter_map(|word| word.parse().ok()).collect();
    let is_short = bare.clone().all(|word| word.len() <= 3);
    let is_row = numbers.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1]));
    is_short && is_row && numbers.len() >= 3 && numbers.len() + 2 >= bare.count()
}

/// Equal for files with equal headers, so that a corrected mapping is reused.
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
        search.add_row(1, &row(&["DANH SÁCH ĐẢNG VIÊN"]));
        search.add_row(3, &row(&["Số thẻ", "Họ và tên", "Ghi chú"]));
        search.add_row(4, &row(&["51.000001", "Nguyễn Văn A", ""]));
        assert_eq!(search.found().map(|header| (header.row, header.depth)), Some((3, 2)));
    }

    fn searched(rows: &[&str]) -> Option<Header> {
        let mut search = HeaderSearch::new(ImportKind::Members);
        for (at, row) in rows.iter().enumerate() {
            let cells: Vec<Cell<'_>> = row.split('|').map(|word| Cell::Text(Cow::Borrowed(word))).collect();
            search.add_row(at as u64 + 1, &cells);
        }
        search.found()
    }

    #[test]
    fn two_rows_of_a_header_are_one() {
        let header = searched(&[
            "DANH SÁCH ĐẢNG VIÊN CHI BỘ",
            "STT|Số thẻ đảng viên|Họ và tên|Ngày sinh||Ngày vào Đảng|Mã chi bộ",
            "|||Nam|Nữ||",
            "(1)|(2)|(3)|(4)|(5)|(6)|(7)",
            "1|77.1|Kiều Hai Dòng|12/03/1981||19/05/2005|02",
        ])
        .expect("is found");
        assert_eq!((header.row, header.depth), (4, 4));
        let expected = [None, Some(Column::CardNumber), Some(Column::FullName), Some(Column::Male), Some(Column::Female)];
        assert_eq!(guess(ImportKind::Members, &header.words)[..5], expected);

        // The upper row has no known word, or only half of one.
        let header = searched(&[
            "Số thẻ|Thông tin cá nhân||Ngày||Mã chi bộ",
            "|Họ và tên|Giới tính|sinh|vào Đảng|",
            "77.1|Kiều Hai Dòng|Nữ|12/03/1981|19/05/2005|02",
        ])
        .expect("is found");
        assert_eq!(header.row, 2);
        assert_eq!(guess(ImportKind::Members, &header.words).iter().flatten().count(), 6);
    }

    #[test]
    fn the_first_person_is_no_second_header() {
        for first in ["77.1|Kiều Nữ|Nữ|12/03/1981|19/05/2005|02", "1|A|Nam|1|2|3", "x||||Nam|"] {
            let header =
                searched(&["Số thẻ|Họ và tên|Giới tính|Ngày sinh|Ngày vào Đảng|Mã chi bộ", first, first]).expect("is found");
            assert_eq!(header.row, 1, "{first}");
        }
        assert_eq!(searched(&["Số thẻ|Họ và tên"]), None, "no data row follows");
    }

    #[test]
    fn columns_of_one_sex_are_known() {
        let table = [
            ("Nam", Some(Column::Male)),
            ("Ngày sinh - Nữ", Some(Column::Female)),
            ("Ngày sinh (Nam)", Some(Column::Male)),
            ("Giới tính: nữ", Some(Column::Female)),
            ("Năm", None),
            ("Năm sinh", Some(Column::BirthDate)),
            ("Ngày, tháng, năm sinh", Some(Column::BirthDate)),
            ("Việt Nam", None),
        ];
        for (header, column) in table {
            assert_eq!(recognise(ImportKind::Members, header), column, "{header}");
        }
    }
}
