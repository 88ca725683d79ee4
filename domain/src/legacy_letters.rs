//! Legacy Vietnamese encodings, TCVN3 (ABC) and VNI for Windows, and their conversion to Unicode.
//!
//! Both put Vietnamese letters at the code points of Western ones, and rely on fonts of their own (`.VnTime`, `VNI-Times`). A
//! program without the font shows `NguyÔn V¨n §øc` or `Nguyeãn Vaên Ñöùc` for `Nguyễn Văn Đức`. [`detect`] chooses the encoding
//! that turns the words into Vietnamese syllables; [`of_font`] derives it from the name of a font.
//!
//! Sources of the tables: TCVN 5712:1993 (VN3), named `TCVN5712-1` in `iconv`, and the VNI for Windows table of the VNI company,
//! as published with its keyboards. Characters in neither table are not changed.

/// A legacy encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LegacyLetters {
    /// TCVN 5712:1993, also called ABC: one code point for each lower-case letter, few for capitals.
    Tcvn3,
    /// VNI for Windows: a letter, followed by a mark.
    Vni,
}

/// The letters of TCVN3 from U+00A1 to U+00FE, in order; `·` where there is none. Capitals with a mark are those of VN1, which
/// some programs write; capital fonts (`.VnTimeH`) draw the lower-case code points instead.
const TCVN3: &str = "ĂÂÊÔƠƯĐăâêôơưđẰ·····àảãáạẲằẳẵắẴẮẦẨẪẤỀặầẩẫấậèỂẻẽéẹềểễếệìỉỄẾỒĩíịòỔỏõóọồổỗốộờởỡớợùỖủũúụừửữứựỳỷỹýỵ";

/// Single letters of VNI.
const VNI_LETTERS: &[(char, char)] = &[
    ('ñ', 'đ'),
    ('Ñ', 'Đ'),
    ('ô', 'ơ'),
    ('Ô', 'Ơ'),
    ('ö', 'ư'),
    ('Ö', 'Ư'),
    ('í', 'í'),
    ('Í', 'Í'),
    ('ì', 'ì'),
    ('Ì', 'Ì'),
    ('æ', 'ỉ'),
    ('Æ', 'Ỉ'),
    ('ó', 'ĩ'),
    ('Ó', 'Ĩ'),
    ('ò', 'ị'),
    ('Ò', 'Ị'),
    ('î', 'ỵ'),
    ('Î', 'Ỵ'),
];

/// Marks of VNI, lower case and capital, with the letters before them and the resulting letters.
const VNI_MARKS: &[(char, char, &str, &str)] = &[
    ('ù', 'Ù', "aeouyơư", "áéóúýớứ"),
    ('ø', 'Ø', "aeouyơư", "àèòùỳờừ"),
    ('û', 'Û', "aeouyơư", "ảẻỏủỷởử"),
    ('õ', 'Õ', "aeouyơư", "ãẽõũỹỡữ"),
    ('ï', 'Ï', "aeouyơư", "ạẹọụỵợự"),
    ('â', 'Â', "aeo", "âêô"),
    ('á', 'Á', "aeo", "ấếố"),
    ('à', 'À', "aeo", "ầềồ"),
    ('å', 'Å', "aeo", "ẩểổ"),
    ('ã', 'Ã', "aeo", "ẫễỗ"),
    ('ä', 'Ä', "aeo", "ậệộ"),
    ('ê', 'Ê', "a", "ă"),
    ('é', 'É', "a", "ắ"),
    ('è', 'È', "a", "ằ"),
    ('ú', 'Ú', "a", "ẳ"),
    ('ü', 'Ü', "a", "ẵ"),
    ('ë', 'Ë', "a", "ặ"),
];

/// Converts a text of a legacy encoding to Unicode.
///
/// ```
/// use domain::legacy_letters::{LegacyLetters, convert};
/// assert_eq!(convert("NguyÔn V¨n §øc", LegacyLetters::Tcvn3), "Nguyễn Văn Đức");
/// assert_eq!(convert("Nguyeãn Vaên Ñöùc", LegacyLetters::Vni), "Nguyễn Văn Đức");
/// ```
pub fn convert(text: &str, letters: LegacyLetters) -> String {
    match letters {
        LegacyLetters::Tcvn3 => text.chars().map(from_tcvn3).collect(),
        LegacyLetters::Vni => from_vni(text),
    }
}

fn from_tcvn3(letter: char) -> char {
    let place = (letter as usize).checked_sub(0xA1);
    place.and_then(|at| TCVN3.chars().nth(at)).filter(|found| *found != '·').unwrap_or(letter)
}

fn from_vni(text: &str) -> String {
    let mut converted = String::with_capacity(text.len());
    for letter in text.chars() {
        let marked = converted.chars().next_back().and_then(|before| marked(before, letter));
        if let Some(marked) = marked {
            converted.pop();
            converted.push(marked);
        } else {
            let known = VNI_LETTERS.iter().find(|(place, _)| *place == letter);
            converted.push(known.map_or(letter, |(_, meant)| *meant));
        }
    }
    converted
}

/// The letter that `mark` forms with the one before it. A capital may be followed by a lower-case mark.
fn marked(before: char, mark: char) -> Option<char> {
    let (.., bases, results) = VNI_MARKS.iter().find(|(small, capital, ..)| *small == mark || *capital == mark)?;
    let small = lower(before);
    let at = bases.chars().position(|base| base == small)?;
    let result = results.chars().nth(at)?;
    Some(if small == before { result } else { result.to_uppercase().next().unwrap_or(result) })
}

fn lower(letter: char) -> char {
    letter.to_lowercase().next().unwrap_or(letter)
}

/// The encoding of a legacy font.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LegacyFont {
    pub letters: LegacyLetters,
    /// Whether every letter is drawn as a capital: `.VnTimeH`.
    pub is_capital: bool,
}

impl LegacyFont {
    pub fn convert(self, text: &str) -> String {
        let converted = convert(text, self.letters);
        if self.is_capital { converted.to_uppercase() } else { converted }
    }
}

/// The encoding of a font, by its name.
///
/// ```
/// use domain::legacy_letters::of_font;
/// assert_eq!(of_font(".VnTimeH").map(|font| font.convert("nguyÔn")), Some("NGUYỄN".to_owned()));
/// assert_eq!(of_font("Times New Roman"), None);
/// ```
pub fn of_font(name: &str) -> Option<LegacyFont> {
    let name = name.trim().trim_start_matches('.').to_ascii_lowercase();
    if name.starts_with("vni") {
        return Some(LegacyFont { letters: LegacyLetters::Vni, is_capital: false });
    }
    // `.VnTime`, `.VnArial`, and `.VnTimeH` for capitals.
    name.starts_with("vn").then(|| LegacyFont { letters: LegacyLetters::Tcvn3, is_capital: name.ends_with('h') && name != "vnh" })
}

/// The legacy encoding of a text; `None` for Unicode, and where it is not certain.
///
/// Only words with Western letters and symbols count (U+00A1 to U+00FF): nearly all of them must become Vietnamese syllables, and
/// most must not be syllables as they are.
pub fn detect(text: &str) -> Option<LegacyLetters> {
    judge(text).map(|(letters, _)| letters)
}

/// The same for a short text without context: one or two words are not enough, because a name of another language may become a
/// syllable by chance (`Siu Tôp`), unless symbols occur where letters belong.
///
/// ```
/// use domain::legacy_letters::{LegacyLetters, detect_alone};
/// assert_eq!(detect_alone("TrÇn ThÞ HuÖ"), Some(LegacyLetters::Tcvn3));
/// assert_eq!(detect_alone("Siu Tôp"), None);
/// ```
pub fn detect_alone(text: &str) -> Option<LegacyLetters> {
    judge(text).filter(|(_, words)| *words >= 3 || is_suspicious(text)).map(|(letters, _)| letters)
}

/// The encoding, and the number of words that become syllables.
fn judge(text: &str) -> Option<(LegacyLetters, u32)> {
    let (mut words, mut plain, mut tcvn3, mut vni) = (0_u32, 0_u32, 0_u32, 0_u32);
    for word in words_of(text) {
        if word.chars().any(is_vietnamese_only) {
            return None;
        }
        if word.chars().any(is_western) {
            words += 1;
            plain += u32::from(is_syllable(word));
            tcvn3 += u32::from(is_syllable(&convert(word, LegacyLetters::Tcvn3)));
            vni += u32::from(is_syllable(&convert(word, LegacyLetters::Vni)));
        }
    }
    let (letters, matched) = if vni > tcvn3 { (LegacyLetters::Vni, vni) } else { (LegacyLetters::Tcvn3, tcvn3) };
    (words > 0 && matched * 10 >= words * 9 && plain * 2 <= words && tcvn3 != vni).then_some((letters, matched))
}

/// Whether symbols occur inside words, where Vietnamese has letters: a sign of a legacy encoding where [`detect`] is not certain.
pub fn is_suspicious(text: &str) -> bool {
    let is_own = |c: char| matches!(c, '\u{ad}' | '²' | '³' | '°');
    let is_sign = |c: char| is_western(c) && !is_own(c) && (!c.is_alphabetic() || matches!(c, 'ª' | 'µ' | 'º'));
    // No word ends in ằ: `»` after one closes a quotation.
    words_of(text).map(|word| word.trim_end_matches('»')).any(|word| {
        let behind_a_letter =
            word.chars().zip(word.chars().skip(1)).any(|(before, c)| before.is_ascii_alphabetic() && is_sign(c));
        // Đ and đ of TCVN3.
        let first = word.strip_prefix(['§', '®']).is_some_and(|rest| rest.starts_with(char::is_alphabetic));
        behind_a_letter || first
    })
}

/// The number of words with a letter outside ASCII, and how many of them are Vietnamese syllables.
pub fn syllables(text: &str) -> (usize, usize) {
    let words = words_of(text).filter(|word| !word.is_ascii());
    words.fold((0, 0), |(all, valid), word| (all + 1, valid + usize::from(is_syllable(word))))
}

/// Runs of letters and of characters that may encode one.
fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphabetic() && !is_western(c)).filter(|word| !word.is_empty())
}

const fn is_western(c: char) -> bool {
    matches!(c, '\u{a1}'..='\u{ff}')
}

/// Letters that occur only in Vietnamese texts in Unicode.
const fn is_vietnamese_only(c: char) -> bool {
    matches!(
        c,
        '\u{102}' | '\u{103}' | '\u{110}' | '\u{111}' | '\u{128}' | '\u{129}' | '\u{168}' | '\u{169}' | '\u{1a0}' | '\u{1a1}'
    ) || matches!(c, '\u{1af}' | '\u{1b0}' | '\u{1ea0}'..='\u{1ef9}')
}

/// Onsets of a syllable, longer ones first.
const ONSETS: &[&str] = &[
    "ngh", "ng", "gh", "gi", "kh", "nh", "ph", "qu", "th", "tr", "ch", "b", "c", "d", "đ", "g", "h", "k", "l", "m", "n", "p",
    "q", "r", "s", "t", "v", "x", "",
];

/// Onsets that occur before e, ê, i and y only, and those that never do.
const BEFORE_FRONT: &[&str] = &["ngh", "gh", "k"];
const BEFORE_BACK: &[&str] = &["ng", "c"];

/// Rhymes of a syllable without their tone.
const RHYMES: &str = " a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây e ec em en eng eo ep et \
                      ê êch êm ên ênh êp êt êu i ia ich iêc iêm iên iêng iêp iêt iêu im in inh ip it iu o oa oac oach oai oam oan \
                      oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oen oeo oet oi om on ong ooc oong op ot ô ôc ôi ôm ôn \
                      ông ôp ôt ơ ơi ơm ơn ơp ơt u ua uân uâng uât uây uc uê uêch uênh ui um un ung uơ uôc uôi uôm uôn uông uôt up \
                      ut uy uya uych uyên uyêt uynh uyn uyt uyu ư ưa ưc ưi ưng ươc ươi ươm ươn ương ươp ươt ươu ưt ưu y yêm yên \
                      yêng yêt yêu ";

/// Whether a word has the form of one Vietnamese syllable.
fn is_syllable(word: &str) -> bool {
    let mut tones = Vec::new();
    let bare: String = word.chars().map(|letter| without_tone(lower(letter), &mut tones)).collect();
    if tones.len() > 1 {
        return false;
    }
    // A syllable with a stop as its coda has one of two tones only.
    let is_short = ["c", "ch", "p", "t"].iter().any(|end| bare.ends_with(end));
    if is_short && !matches!(tones[..], ['\u{301}' | '\u{323}']) {
        return false;
    }
    let fits = |onset: &str, rest: &str| {
        let is_front = rest.starts_with(['e', 'ê', 'i', 'y']);
        let is_wrong = if is_front { BEFORE_BACK.contains(&onset) } else { BEFORE_FRONT.contains(&onset) };
        !rest.is_empty() && !is_wrong && RHYMES.contains(&format!(" {rest} "))
    };
    // "gì" is g and i, though "gi" is an onset too.
    ONSETS.iter().any(|onset| bare.strip_prefix(onset).is_some_and(|rest| fits(onset, rest)))
}

/// Removes the tone of a letter and records it.
fn without_tone(letter: char, tones: &mut Vec<char>) -> char {
    use unicode_normalization::UnicodeNormalization;
    let parts = letter.nfd().filter(|part| {
        let is_tone = matches!(part, '\u{300}' | '\u{301}' | '\u{303}' | '\u{309}' | '\u{323}');
        tones.extend(is_tone.then_some(*part));
        !is_tone
    });
    let bare: String = parts.nfc().collect();
    bare.chars().next().unwrap_or(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_legacy_encodings_become_unicode() {
        let table = [
            ("Nguyễn Văn Đức", "NguyÔn V¨n §øc", "Nguyeãn Vaên Ñöùc"),
            ("Trần Thị Huệ", "TrÇn ThÞ HuÖ", "Traàn Thò Hueä"),
            ("Phạm Đình Toản", "Ph¹m §×nh To¶n", "Phaïm Ñình Toaûn"),
            ("Lê Hữu Phước", "Lª H÷u Ph\u{ad}íc", "Leâ Höõu Phöôùc"),
            ("Bùi Quỳnh Nga", "Bïi Quúnh Nga", "Buøi Quyønh Nga"),
            ("Vũ Đặng Kỳ", "Vò §Æng Kú", "Vuõ Ñaëng Kyø"),
            ("Nữ", "N÷", "Nöõ"),
        ];
        for (unicode, tcvn3, vni) in table {
            assert_eq!(detect(unicode), None, "{unicode}");
            assert_eq!(detect(vni), Some(LegacyLetters::Vni), "{vni}");
            assert_eq!(convert(vni, LegacyLetters::Vni), unicode);
            assert_eq!(detect(tcvn3), Some(LegacyLetters::Tcvn3), "{tcvn3}");
            assert_eq!(convert(tcvn3, LegacyLetters::Tcvn3), unicode);
        }
        assert_eq!(convert("TRAÀN ÑÖÙC THAÉNG", LegacyLetters::Vni), "TRẦN ĐỨC THẮNG");
        assert_eq!(TCVN3.chars().count(), 0xFE - 0xA0);
    }

    /// Every letter of a table round-trips: a typing error in a table would show here.
    #[test]
    fn every_letter_of_vietnamese_is_in_both_tables() {
        let marked = "àảãáạăằẳẵắặâầẩẫấậèẻẽéẹêềểễếệìỉĩíịòỏõóọôồổỗốộơờởỡớợùủũúụưừửữứựỳỷỹýỵđ";
        for letter in marked.chars() {
            assert_eq!(TCVN3.chars().filter(|known| *known == letter).count(), 1, "{letter}");
            let made = VNI_MARKS.iter().map(|(.., results)| results.matches(letter).count()).sum::<usize>();
            let alone = VNI_LETTERS.iter().filter(|(_, meant)| *meant == letter).count();
            assert!((1..=2).contains(&(made + alone)), "{letter}");
        }
    }

    #[test]
    fn unicode_and_other_languages_are_not_changed() {
        for text in [
            "Nguyễn Thị Hòa",
            "Lý Thái Tổ",
            "Hoà",
            "Ý",
            "K'Brơi",
            "Y Bhĭm Niê",
            "Müller",
            "José",
            "René Descartes",
            "Zoë Å",
            "André Lò",
            "Nguyen Van A",
            "12/03/1981",
            "§ 5",
            "20 °C",
            "",
        ] {
            assert_eq!(detect(text), None, "{text}");
        }
    }

    #[test]
    fn a_word_or_two_by_themselves_decide_nothing() {
        for text in ["Siu Tôp", "60000001\nSiu Tôp\nNam\n01/02/1980", "Siu Tôp\nKsor Tôp"] {
            assert_eq!(detect_alone(text), None, "{text}");
        }
        for (text, letters) in
            [("NguyÔn V¨n §øc", LegacyLetters::Tcvn3), ("N÷", LegacyLetters::Tcvn3), ("Nguyeãn Vaên Ñöùc", LegacyLetters::Vni)]
        {
            assert_eq!(detect_alone(text), Some(letters), "{text}");
        }
    }

    #[test]
    fn signs_inside_words_are_suspicious() {
        for text in ["H¬ng", "V¨n", "§g", "n÷"] {
            assert!(is_suspicious(text), "{text}");
        }
        for text in ["Điều § 5", "20 °C", "Müller", "Nguyễn Văn Đức", "« trích »", "«Sao Đỏ A»", "20m²", "K’Brơi"]
        {
            assert!(!is_suspicious(text), "{text}");
        }
    }

    #[test]
    fn syllables_are_recognised_by_their_form() {
        for word in ["Nguyễn", "nghiêng", "quyển", "gì", "giếng", "Ý", "yên", "thuở", "khuya", "ướt", "Đắk"] {
            assert_eq!(is_syllable(word), word != "Đắk", "{word}");
        }
        for word in ["Nguyênn", "mật́", "hãa", "sách̉", "Müller", "cơng", "catt"] {
            assert!(!is_syllable(word), "{word}");
        }
    }

    #[test]
    fn fonts_tell_their_letters() {
        let font = |name| of_font(name).map(|font| (font.letters, font.is_capital));
        assert_eq!(font(".VnTime"), Some((LegacyLetters::Tcvn3, false)));
        assert_eq!(font(".VnArialH"), Some((LegacyLetters::Tcvn3, true)));
        assert_eq!(font("VNI-Times"), Some((LegacyLetters::Vni, false)));
        for name in ["Times New Roman", "Arial", "Verdana", ""] {
            assert_eq!(font(name), None, "{name}");
        }
    }
}
