//! Decodes keys of a Vietnamese input method that remain in a word, because it was typed with the method switched off or pasted.
//!
//! Telex writes marks with letters (`nghij quyeets`), VNI with digits (`nghi5 quye61t`): `s f r x j` and `1 2 3 4 5` are the
//! tones, `aa ee oo` and `6` the circumflex, `w` and `7 8` horn and breve, `dd` and `9` the stroke. A mark may follow its letter
//! directly or the syllable, and part of the word may have marks already (`quyêts`).

use domain::folding::compose;

const HUYEN: char = '\u{300}';
const SAC: char = '\u{301}';
const NGA: char = '\u{303}';
const HOI: char = '\u{309}';
const NANG: char = '\u{323}';
const CIRCUMFLEX: char = '\u{302}';
const BREVE: char = '\u{306}';
const HORN: char = '\u{31b}';

/// Most letters of a word with keys: the longest syllable has seven letters, plus its mark and tone.
const KEYS_MAX: usize = 12;

/// The word written by the keys, in lower case; `None` if the text has no such keys.
pub(super) fn decoded(typed: &str) -> Option<String> {
    let typed: Vec<char> = compose(&typed.to_lowercase()).chars().collect();
    if typed.len() < 2 || typed.len() > KEYS_MAX || !typed[0].is_alphabetic() {
        return None;
    }
    if typed.iter().any(char::is_ascii_digit) { vni(&typed) } else { telex(&typed) }
}

/// A syllable being composed: letters, each with its mark, and the tone.
#[derive(Default)]
struct Syllable {
    letters: Vec<(char, Option<char>)>,
    tone: Option<char>,
    /// Number of keys that became marks.
    keys: usize,
}

impl Syllable {
    fn has_vowel(&self) -> bool {
        self.letters.iter().any(|(letter, _)| is_vowel(*letter))
    }

    /// Puts the mark on the last of these letters that has none.
    fn mark(&mut self, letters: &[char], mark: char) -> bool {
        let last = self.letters.iter_mut().rev().find(|(letter, marked)| marked.is_none() && letters.contains(letter));
        let Some((_, marked)) = last else { return false };
        *marked = Some(mark);
        self.keys += 1;
        true
    }

    /// Adds a horn; `uo` takes two.
    fn horn(&mut self) -> bool {
        let ends: Vec<_> = self.letters.iter().map(|(letter, mark)| (*letter, mark.is_none())).collect();
        let both = ends.windows(2).rposition(|two| two == [('u', true), ('o', true)]);
        if let Some(at) = both {
            self.letters[at].1 = Some(HORN);
            self.letters[at + 1].1 = Some(HORN);
            self.keys += 1;
            return true;
        }
        self.mark(&['u', 'o'], HORN)
    }

    fn stroke(&mut self) -> bool {
        match self.letters.first_mut() {
            Some((letter @ 'd', _)) => {
                *letter = 'đ';
                self.keys += 1;
                true
            }
            _ => false,
        }
    }

    fn tone(&mut self, tone: char) -> bool {
        if self.tone.is_some() || !self.has_vowel() {
            return false;
        }
        self.tone = Some(tone);
        self.keys += 1;
        true
    }

    /// The word. The tone follows the letters until it is composed: it goes to the last vowel with a mark, else to the last
    /// vowel.
    fn written(self) -> Option<String> {
        if self.keys == 0 {
            return None;
        }
        let mut text = String::new();
        let vowel =
            |marked: bool| self.letters.iter().rposition(|(letter, mark)| is_vowel(*letter) && (!marked || mark.is_some()));
        let bearer = vowel(true).or_else(|| vowel(false));
        for (at, (letter, mark)) in self.letters.iter().enumerate() {
            text.push(*letter);
            text.extend(*mark);
            if Some(at) == bearer {
                text.extend(self.tone);
            }
        }
        Some(compose(&text))
    }
}

const fn is_vowel(letter: char) -> bool {
    matches!(letter, 'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'ă' | 'â' | 'ê' | 'ô' | 'ơ' | 'ư')
}

fn telex(typed: &[char]) -> Option<String> {
    let mut word = Syllable::default();
    for key in typed {
        let is_key = match key {
            's' => word.tone(SAC),
            'f' => word.tone(HUYEN),
            'r' => word.tone(HOI),
            'x' => word.tone(NGA),
            'j' => word.tone(NANG),
            'a' | 'e' | 'o' => word.mark(&[*key], CIRCUMFLEX),
            'd' => word.stroke(),
            'w' => word.horn() || word.mark(&['a'], BREVE),
            _ => false,
        };
        if !is_key && *key == 'w' {
            word.letters.push(('ư', None));
            word.keys += 1;
        } else if !is_key {
            word.letters.push((*key, None));
        }
    }
    word.written()
}

fn vni(typed: &[char]) -> Option<String> {
    let mut word = Syllable::default();
    for key in typed {
        let is_key = match key {
            '1' => word.tone(SAC),
            '2' => word.tone(HUYEN),
            '3' => word.tone(HOI),
            '4' => word.tone(NGA),
            '5' => word.tone(NANG),
            '6' => word.mark(&['a', 'e', 'o'], CIRCUMFLEX),
            '7' => word.horn(),
            '8' => word.mark(&['a'], BREVE),
            '9' => word.stroke(),
            _ => {
                word.letters.push((*key, None));
                true
            }
        };
        // A digit that is no mark: a number, not a word.
        if !is_key {
            return None;
        }
    }
    word.written()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(typed: &str) -> String {
        decoded(typed).unwrap_or_default()
    }

    #[test]
    fn keys_of_telex_become_marks() {
        for (typed, word) in [
            ("nghij", "nghị"),
            ("quyeets", "quyết"),
            ("quyêts", "quyết"),
            ("quyetes", "quyết"),
            ("ddangr", "đảng"),
            ("dangdr", "đảng"),
            ("Vieen", "viên"),
            ("mooi", "môi"),
            ("truwowngf", "trường"),
            ("truongwf", "trường"),
            ("dduwowcj", "được"),
            ("chuyeenr", "chuyển"),
            ("ddooir", "đổi"),
            ("bawngf", "bằng"),
            ("soos", "số"),
            ("tw", "tư"),
            ("moi", ""),
            ("ban", ""),
            ("s", ""),
        ] {
            assert_eq!(one(typed), word, "{typed}");
        }
    }

    #[test]
    fn keys_of_vni_become_marks() {
        for (typed, word) in [
            ("nghi5", "nghị"),
            ("quye61t", "quyết"),
            ("quyet61", "quyết"),
            ("d9", "đ"),
            ("d9ang3", "đảng"),
            ("d9a3ng", "đảng"),
            ("vie6n", "viên"),
            ("tru7o7ng2", "trường"),
            ("truong72", "trường"),
            ("ba8ng2", "bằng"),
        ] {
            assert_eq!(one(typed), word, "{typed}");
        }
        for number in ["57nqtw", "339", "b2", "nq57", "a5c6d7", "h8", "2026", "x1"] {
            assert_eq!(decoded(number), None, "{number}");
        }
    }

    proptest! {
        #[test]
        fn anything_can_be_decoded(typed in "\\PC{0,14}") {
            decoded(&typed);
        }
    }
}
