//! Citizen IDs and phone numbers in a text, including those that a spreadsheet stored as numbers without their leading zeros.

use std::collections::BTreeSet;

/// Share of the numbers without leading zeros that must have the structure of an ID or a phone: some amounts of money have it by
/// chance.
const SHARE: (usize, usize) = (2, 3);

/// The numbers found.
#[derive(Default)]
pub(super) struct Numbers {
    /// Citizen IDs, 12 digits each.
    pub(super) ids: BTreeSet<String>,
    /// Nine or ten digits: a phone number without its leading 0.
    pub(super) phones: BTreeSet<String>,
}

/// The numbers of a text, without grouping characters: spaces, dots, hyphens and brackets.
pub(super) fn find(text: &str) -> Numbers {
    let mut found = Numbers::default();
    let mut cut = Cut::default();
    for line in text.lines() {
        let mut run = Run::default();
        let mut before = ' ';
        for c in line.chars().chain(['\n']) {
            match c {
                '0'..='9' if before.is_ascii_digit() => run.groups.last_mut().into_iter().for_each(|group| group.digits.push(c)),
                '0'..='9' => run.groups.push(Group::begin(before, c)),
                ' ' | '.' | '-' | ')' if before.is_ascii_digit() => run.end_group(c),
                ' ' if before == ')' => {}
                _ => {
                    if c.is_alphabetic() && before.is_ascii_digit() {
                        run.groups.pop();
                    }
                    run.end(&mut found, &mut cut);
                }
            }
            before = c;
        }
    }
    cut.add_to(&mut found);
    found
}

/// An uninterrupted run of digits.
struct Group {
    digits: String,
    before: char,
    behind: char,
}

impl Group {
    fn begin(before: char, digit: char) -> Self {
        let digits = match before {
            '+' => format!("+{digit}"),
            // Digits within a word, like the number of a boat, are ignored.
            before if before.is_alphabetic() => format!("?{digit}"),
            _ => digit.to_string(),
        };
        Self { digits, before, behind: ' ' }
    }
}

/// Groups separated by a single character each.
#[derive(Default)]
struct Run {
    groups: Vec<Group>,
}

impl Run {
    fn end_group(&mut self, sign: char) {
        if let Some(group) = self.groups.last_mut() {
            group.behind = sign;
        }
    }

    /// A group that is a complete number is taken as one. Other groups are joined until they form one, but only after a leading 0
    /// or + and with usual group lengths: amounts of money and columns of figures have neither.
    fn end(&mut self, found: &mut Numbers, cut: &mut Cut) {
        let mut together = String::new();
        let mut groups = std::mem::take(&mut self.groups).into_iter().peekable();
        while let Some(group) = groups.next() {
            if found.take(&group.digits) {
                together.clear();
                continue;
            }
            let is_decimal = matches!(group.before, '.' | ',')
                || (group.behind == '.' && groups.peek().is_some_and(|next| next.before == '.'));
            if !is_decimal {
                cut.see(&group.digits);
            }
            let digits = group.digits.as_str();
            let goes_on = if together.is_empty() { digits.starts_with(['0', '+']) } else { !digits.starts_with(['+', '?']) };
            if !goes_on || digits.len() < 3 {
                together.clear();
                continue;
            }
            together.push_str(digits);
            if found.take(&together) {
                together.clear();
            }
        }
    }
}

impl Numbers {
    fn take(&mut self, digits: &str) -> bool {
        if let Some(national) = phone(digits) {
            self.phones.insert(national.to_owned());
        } else if digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_digit()) {
            self.ids.insert(digits.to_owned());
        } else {
            return false;
        }
        true
    }
}

/// Separate numbers without a leading zero, as spreadsheets store numbers that were typed as text.
#[derive(Default)]
struct Cut {
    ids: BTreeSet<String>,
    phones: BTreeSet<String>,
    /// Of 10 or 11 digits, and of 9 digits.
    long: BTreeSet<String>,
    short: BTreeSet<String>,
}

impl Cut {
    fn see(&mut self, digits: &str) {
        if digits.starts_with(['0', '+', '?']) {
            return;
        }
        // Amounts are round.
        let is_round = digits.ends_with("000");
        match digits.len() {
            9 => {
                self.short.insert(digits.to_owned());
                if !is_round && matches!(digits.as_bytes()[0], b'3' | b'5' | b'7' | b'8' | b'9') {
                    self.phones.insert(digits.to_owned());
                }
            }
            10 | 11 => {
                self.long.insert(digits.to_owned());
                let whole = format!("{digits:0>12}");
                if !is_round && is_built_like_an_id(&whole) {
                    self.ids.insert(whole);
                }
            }
            _ => {}
        }
    }

    fn add_to(self, found: &mut Numbers) {
        let is_most = |some: usize, all: usize| some * SHARE.1 >= all * SHARE.0;
        if is_most(self.ids.len(), self.long.len()) {
            found.ids.extend(self.ids);
        }
        if is_most(self.phones.len(), self.short.len()) && self.short.len() >= super::LIST {
            found.phones.extend(self.phones);
        }
    }
}

/// Three digits for the province, one for century and sex, two for the year of birth, six for the person.
fn is_built_like_an_id(digits: &str) -> bool {
    let bytes = digits.as_bytes();
    match bytes.get(3) {
        Some(b'0' | b'1') => true,
        // Born in 2000 or later.
        Some(b'2' | b'3') => bytes.get(4).is_some_and(|decade| *decade <= b'3'),
        _ => false,
    }
}

/// The digits after the 0 or the country code: nine for mobile phones (3, 5, 7, 8, 9), ten for landlines (2).
fn phone(digits: &str) -> Option<&str> {
    let national = match digits.strip_prefix('+') {
        Some(abroad) => {
            let national = abroad.strip_prefix("84")?;
            national.strip_prefix('0').unwrap_or(national)
        }
        None => digits.strip_prefix("84").filter(|rest| rest.len() >= 9).or_else(|| digits.strip_prefix('0'))?,
    };
    match (national.as_bytes().first()?, national.len()) {
        (b'3' | b'5' | b'7' | b'8' | b'9', 9) | (b'2', 10) => Some(national),
        _ => None,
    }
}
