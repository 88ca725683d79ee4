//! Unicode equivalents of the characters of symbol fonts: Symbol, Wingdings and similar.

/// Symbol, from 0x21 to 0x7E.
const SYMBOL: &str = "!∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_‾αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼";

/// Symbol, from 0xA0 to 0xE5.
const SYMBOL_HIGH: &str = "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑";

/// Commonly used characters of the other fonts, as pairs of code and symbol.
const WINGDINGS: &str = "\u{22}✂\u{28}☎\u{2a}✉\u{36}⌛\u{37}⌨\u{3f}✍\u{40}✎\u{41}✌\u{45}☜\u{46}☞\u{47}☝\u{48}☟\u{4a}☺\u{4c}☹\u{51}✈\u{52}☼\u{54}❄\u{6c}●\u{6d}❍\u{6e}■\u{6f}□\u{71}❑\u{72}❒\u{73}◆\u{74}◆\u{75}◆\u{76}❖\u{77}◆\u{81}①\u{82}②\u{83}③\u{84}④\u{85}⑤\u{86}⑥\u{87}⑦\u{88}⑧\u{89}⑨\u{8a}⑩\u{8c}❶\u{8d}❷\u{8e}❸\u{8f}❹\u{90}❺\u{91}❻\u{92}❼\u{93}❽\u{94}❾\u{95}❿\u{9e}·\u{9f}•\u{a0}▪\u{a1}○\u{a4}◉\u{a5}◎\u{a7}▪\u{a8}☐\u{aa}✦\u{ab}★\u{d8}➢\u{dc}➲\u{df}←\u{e0}→\u{e1}↑\u{e2}↓\u{e8}➔\u{ef}⇦\u{f0}⇨\u{f1}⇧\u{f2}⇩\u{fb}✗\u{fc}✔\u{fd}☒\u{fe}☑";
const WINGDINGS_2: &str = "\u{4f}✗\u{50}✓\u{51}☒\u{52}☑\u{53}☒\u{54}☒\u{97}●\u{98}•\u{a2}■\u{a3}☐\u{a6}□";
const WEBDINGS: &str = "\u{31}□\u{32}□\u{3d}■\u{61}✔\u{63}☐\u{67}■\u{6e}●\u{72}✗";

/// Whether this is a symbol font.
pub(super) fn is_pictorial(font: &str) -> bool {
    table(font).is_some()
}

/// The Unicode equivalent of a character in a symbol font; `None` if unknown.
pub(super) fn sign(font: &str, letter: char) -> Option<char> {
    let code = u32::from(letter) & 0xff;
    match table(font).unwrap_or(Table::Symbol) {
        _ if code == 0x20 => Some(' '),
        Table::Symbol if (0x21..=0x7e).contains(&code) => SYMBOL.chars().nth(code as usize - 0x21),
        Table::Symbol => SYMBOL_HIGH.chars().nth((code as usize).checked_sub(0xa0)?),
        Table::Pairs(pairs) => {
            let mut pairs = pairs.chars();
            while let (Some(known), Some(sign)) = (pairs.next(), pairs.next()) {
                if u32::from(known) == code {
                    return Some(sign);
                }
            }
            None
        }
    }
}

enum Table {
    Symbol,
    Pairs(&'static str),
}

fn table(font: &str) -> Option<Table> {
    match font.trim().to_ascii_lowercase().as_str() {
        "symbol" => Some(Table::Symbol),
        "wingdings" => Some(Table::Pairs(WINGDINGS)),
        "wingdings 2" => Some(Table::Pairs(WINGDINGS_2)),
        "wingdings 3" => Some(Table::Pairs("")),
        "webdings" => Some(Table::Pairs(WEBDINGS)),
        _ => None,
    }
}
