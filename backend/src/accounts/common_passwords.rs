//! Refuses passwords that are guessed first: those of a bundled list, common patterns that lengthen them, and personal data that
//! others may know.
//!
//! There are no composition rules: any other password is accepted.

use std::{collections::BTreeSet, sync::LazyLock};

use domain::{
    accounts::Password,
    folding::{fold, fold_name},
    forms::Problem,
};

/// See the head of the file for source and licence.
const LIST: &str = include_str!("common_passwords.txt");

static LISTED: LazyLock<BTreeSet<&'static str>> =
    LazyLock::new(|| LIST.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect());

/// Names of the handbook, in every supported language.
const PRODUCT: [&str; 6] = ["sotay", "sotaydientu", "dangvien", "sotaydangvien", "handbook", "memberhandbook"];

/// Longest piece whose repetition is refused: `abc12 abc12 abc12`.
const REPEATED_MAX: usize = 6;

/// Minimum length of a run along the keyboard, the alphabet or the digits.
const RUN_MIN: usize = 3;

/// A password that consists of personal data or runs and at most this many other characters is refused.
const ADDED_MAX: usize = 3;

/// Rows of the keyboard, the alphabet and the digits, in which runs are detected in both directions.
const ROWS: [&str; 8] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujm",
    "1q2w3e4r5t6y7u8i9o0p",
];

/// Personal data of the person who chooses a password.
#[derive(Debug, Clone, Default)]
pub(super) struct PersonalData {
    pub(super) full_name: String,
    /// As stored, `1981-03-14`.
    pub(super) birth_date: String,
    /// National ID and phone, digits only.
    pub(super) numbers: Vec<String>,
}

/// Returns the password unless it is a common one.
///
/// # Errors
/// [`Problem::CommonPassword`].
pub(super) fn refuse(password: Password) -> Result<Password, Problem> {
    if is_common(&folded(password.expose())) { Err(Problem::CommonPassword) } else { Ok(password) }
}

/// Returns the password unless it is a common one or consists of the person's data.
///
/// # Errors
/// [`Problem::CommonPassword`].
pub(super) fn refuse_for(password: Password, known: &PersonalData) -> Result<Password, Problem> {
    let password = refuse(password)?;
    if is_known(&folded(password.expose()), known) { Err(Problem::CommonPassword) } else { Ok(password) }
}

/// Lower-case letters without diacritics, and digits. Letters of other scripts are unchanged; the list contains none.
fn folded(password: &str) -> String {
    fold(password).chars().filter(|c| c.is_alphanumeric()).collect()
}

fn is_common(folded: &str) -> bool {
    let bare = folded.trim_matches(|c: char| c.is_ascii_digit());
    LISTED.contains(folded) || LISTED.contains(bare) || is_repeated(folded) || is_repeated(bare) || is_a_walk(folded)
}

/// Whether it repeats a short piece, or a listed password at least twice.
fn is_repeated(folded: &str) -> bool {
    let characters: Vec<char> = folded.chars().collect();
    (1..=characters.len() / 2).any(|length| {
        let piece = &characters[..length];
        let again = characters.chunks(length).all(|chunk| piece.starts_with(chunk));
        again && (length <= REPEATED_MAX || LISTED.contains(piece.iter().collect::<String>().as_str()))
    })
}

/// Whether it consists of runs along a row of the keyboard, the alphabet or the digits, or of a repeated key: `qwertyuiop12`,
/// `111222333444`.
fn is_a_walk(folded: &str) -> bool {
    let characters: Vec<char> = folded.chars().collect();
    let (mut at, mut beside) = (0, 0);
    while at < characters.len() {
        let run = run(&characters[at..]);
        if run < RUN_MIN {
            beside += 1;
            at += 1;
        } else {
            at += run;
        }
    }
    beside <= ADDED_MAX
}

/// The length of the run at the start.
fn run(characters: &[char]) -> usize {
    let same = characters.iter().take_while(|c| **c == characters[0]).count();
    let along = ROWS.iter().flat_map(|row| [row.chars().collect::<Vec<_>>(), row.chars().rev().collect()]).map(|row| {
        let Some(start) = row.iter().position(|c| *c == characters[0]) else { return 0 };
        row[start..].iter().zip(characters).take_while(|(row, typed)| row == typed).count()
    });
    along.max().unwrap_or_default().max(same)
}

/// Whether it consists of the person's names, numbers and dates in any order, and at most [`ADDED_MAX`] other characters.
fn is_known(folded: &str, known: &PersonalData) -> bool {
    let name = fold_name(&known.full_name);
    let mut pieces: Vec<String> = PRODUCT.iter().map(|name| (*name).to_owned()).collect();
    pieces.extend(name.split(' ').filter(|word| word.chars().count() > 1).map(str::to_owned));
    pieces.push(name.replace(' ', ""));
    pieces.extend(known.numbers.iter().cloned());
    if let [year, month, day] = known.birth_date.split('-').collect::<Vec<_>>()[..] {
        let short = year.get(2..).unwrap_or_default();
        pieces.extend([
            format!("{day}{month}{year}"),
            format!("{year}{month}{day}"),
            format!("{day}{month}{short}"),
            format!("{month}{day}{year}"),
            year.to_owned(),
        ]);
    }
    pieces.retain(|piece| !piece.is_empty());
    // The longest first, so that a shorter piece does not split a longer one.
    pieces.sort_by_key(|piece| std::cmp::Reverse(piece.len()));
    let mut rest = folded.to_owned();
    for piece in &pieces {
        rest = rest.replace(piece.as_str(), "");
    }
    rest.chars().count() <= ADDED_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &str) -> bool {
        refuse(Password::parse(text).expect("long enough")).is_ok()
    }

    #[test]
    fn the_list_is_folded_and_long_enough_to_matter() {
        assert!(LISTED.len() > 4_000, "{}", LISTED.len());
        for entry in LISTED.iter() {
            assert_eq!(folded(entry), *entry);
        }
        assert!(LISTED.iter().filter(|entry| entry.len() >= Password::MIN as usize).count() > 250);
    }

    #[test]
    fn common_passwords_are_refused_in_every_disguise() {
        for common in [
            "Password12345",
            "matkhau123456",
            "Mật khẩu 2026",
            "MẬT-KHẨU-1234",
            "q1w2e3r4t5y6",
            "qwertyuiop12",
            "123456789012",
            "987654321098",
            "111111111111",
            "abcabcabcabc",
            "aaaabbbbcccc",
            "qwertyqwerty",
            "abcdefghijkl",
            "Việt Nam 1945!",
            "iloveyou2024!!",
            "administrator",
            "Sổ tay 123456",
        ] {
            assert!(!taken(common), "{common}");
        }
    }

    #[test]
    fn an_own_sentence_is_accepted() {
        for own in [
            "ca-voi-xanh-2026",
            "mười hai chữ cái",
            "thuyen ve ben luc 5 gio",
            "correct horse battery staple",
            "7f3k9q2m8x4d",
            "আমার নৌকা নীল রঙের",
            "con mèo nhà bà Tư leo rào",
        ] {
            assert!(taken(own), "{own}");
        }
    }

    #[test]
    fn personal_data_is_refused() {
        let known = PersonalData {
            full_name: "Võ Văn Khơi".to_owned(),
            birth_date: "1981-03-14".to_owned(),
            numbers: vec!["951000000001".to_owned(), "0912345678".to_owned()],
        };
        let taken = |text: &str| refuse_for(Password::parse(text).expect("long enough"), &known).is_ok();
        for refused in [
            "Võ Văn Khơi 1981",
            "khoi14031981",
            "vovankhoivovankhoi",
            "951000000001",
            "0912345678 khơi",
            "Khoi.951000000001!",
            "handbook handbook",
            "So tay dang vien so tay",
            "sotay-vovankhoi-81",
        ] {
            assert!(!taken(refused), "{refused}");
        }
        assert!(taken("khoi thich ca ngu dai duong"));
        assert!(taken("ca-voi-xanh-2026"));
    }
}
