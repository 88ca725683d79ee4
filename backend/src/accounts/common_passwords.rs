//! Passwords that are guessed first: a list shipped with the program, the patterns people make such passwords longer with, and
//! what everybody knows about the person.
//!
//! No rule of composition: whatever is none of these is taken.

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

/// What the handbook is called, in every language it speaks.
const PRODUCT: [&str; 6] = ["sotay", "sotaydientu", "dangvien", "sotaydangvien", "handbook", "memberhandbook"];

/// Longest piece whose repetition makes no password: `abc12 abc12 abc12`.
const REPEATED_MAX: usize = 6;

/// A run along the keyboard, the alphabet or the digits counts from this length on.
const RUN_MIN: usize = 3;

/// So many characters beside what is known of the person, or beside runs, do not make a password.
const ADDED_MAX: usize = 3;

/// Rows of the keyboard and the alphabet, along which fingers walk in both directions.
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

/// What is known of the person who chooses.
#[derive(Debug, Clone, Default)]
pub(super) struct PersonalData {
    pub(super) full_name: String,
    /// As stored, `1981-03-14`.
    pub(super) birth_date: String,
    /// National ID, phone: digits only.
    pub(super) numbers: Vec<String>,
}

/// Takes a password that is not among those guessed first.
///
/// # Errors
/// [`Problem::CommonPassword`].
pub(super) fn refuse(password: Password) -> Result<Password, Problem> {
    if is_common(&folded(password.expose())) { Err(Problem::CommonPassword) } else { Ok(password) }
}

/// The same, and not made of what is known of the person.
///
/// # Errors
/// [`Problem::CommonPassword`].
pub(super) fn refuse_for(password: Password, known: &PersonalData) -> Result<Password, Problem> {
    let password = refuse(password)?;
    if is_known(&folded(password.expose()), known) { Err(Problem::CommonPassword) } else { Ok(password) }
}

/// Small letters without marks, letters and digits only. Of other scripts everything stays: the list knows none of it.
fn folded(password: &str) -> String {
    fold(password).chars().filter(|c| c.is_alphanumeric()).collect()
}

fn is_common(folded: &str) -> bool {
    let bare = folded.trim_matches(|c: char| c.is_ascii_digit());
    LISTED.contains(folded) || LISTED.contains(bare) || is_repeated(folded) || is_repeated(bare) || is_a_walk(folded)
}

/// One short piece again and again, or a listed one twice and more.
fn is_repeated(folded: &str) -> bool {
    let characters: Vec<char> = folded.chars().collect();
    (1..=characters.len() / 2).any(|length| {
        let piece = &characters[..length];
        let again = characters.chunks(length).all(|chunk| piece.starts_with(chunk));
        again && (length <= REPEATED_MAX || LISTED.contains(piece.iter().collect::<String>().as_str()))
    })
}

/// Fingers that walk along a row, the alphabet or the digits, or stay on a key: `qwertyuiop12`, `111222333444`.
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

/// How many of the first characters are one run.
fn run(characters: &[char]) -> usize {
    let same = characters.iter().take_while(|c| **c == characters[0]).count();
    let along = ROWS.iter().flat_map(|row| [row.chars().collect::<Vec<_>>(), row.chars().rev().collect()]).map(|row| {
        let Some(start) = row.iter().position(|c| *c == characters[0]) else { return 0 };
        row[start..].iter().zip(characters).take_while(|(row, typed)| row == typed).count()
    });
    along.max().unwrap_or_default().max(same)
}

/// Nothing but names, numbers and dates that others know, in any order, and hardly more.
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
    // The longest first, so that a short one does not take a long one apart.
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
    fn what_is_guessed_first_is_refused_however_it_is_dressed_up() {
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
    fn a_sentence_of_ones_own_is_taken() {
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
    fn what_everybody_knows_of_a_person_is_no_password_of_theirs() {
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
