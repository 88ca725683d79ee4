//! Numbers of citizens and phones in a text, also such as a spreadsheet has taken for amounts and cut off at the front.

use std::collections::BTreeSet;

/// Of numbers that lost their first zeros, this share must look like what they are taken for: among sums of money, some do by chance.
const SHARE: (usize, usize) = (2, 3);

/// What was found.
#[derive(Default)]
pub(super) struct Numbers {
    /// Citizen numbers, 12 digits each.
    pub(super) ids: BTreeSet<String>,
    /// The nine or ten digits that follow the 0 of a phone number.
    pub(super) phones: BTreeSet<String>,
}

/// The numbers of a text, without what groups their digits: a space, a dot, a hyphen or a bracket.
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

/// Digits that nothing keeps apart.
struct Group {
    digits: String,
    before: char,
    behind: char,
}

impl Group {
    fn begin(before: char, digit: char) -> Self {
        let digits = match before {
            '+' => format!("+{digit}"),
            // What is part of a word, like the number of a boat, is none of these.
            before if before.is_alphabetic() => format!("?{digit}"),
            _ => digit.to_string(),
        };
        Self { digits, before, behind: ' ' }
    }
}

/// Groups that nothing but one sign between digits keeps apart.
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

    /// A group that is a number by itself is one. Others are put together until they are, but only from a 0 or a + on and in groups
    /// as people write them: sums of money and columns of figures are neither.
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

/// Numbers without a zero in front that stand by themselves, as spreadsheets keep what was typed as text.
#[derive(Default)]
struct Cut {
    ids: BTreeSet<String>,
    phones: BTreeSet<String>,
    /// Of 10 or 11 digits, and of 9.
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

/// Three digits of the province, one of century and sex, two of the year of birth, six of the person.
fn is_built_like_an_id(digits: &str) -> bool {
    let bytes = digits.as_bytes();
    match bytes.get(3) {
        Some(b'0' | b'1') => true,
        // Born from 2000 on.
        Some(b'2' | b'3') => bytes.get(4).is_some_and(|decade| *decade <= b'3'),
        _ => false,
    }
}

/// The digits that follow the 0 or the code of the country: nine of mobile phones (3, 5, 7, 8, 9), ten of landlines (2).
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
