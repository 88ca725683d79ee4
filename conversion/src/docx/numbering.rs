//! Labels of list items, counted as Word does: lists with the same definition continue each other, unless one overrides its
//! start.

use std::collections::{HashMap, HashSet};

use super::{Attributes, Label, Marker, Visitor, short};

/// Maximum length of a label, e.g. "Điều %1.", in characters: Word's own limit. The label is repeated for each item.
const LABEL_MAX: usize = 60;

/// Number of list levels.
const DEPTH: usize = 9;

/// The numbering definitions, and the current count of each.
#[derive(Default)]
pub(super) struct Numbering {
    kinds: HashMap<String, Kind>,
    nums: HashMap<String, Num>,
    /// The definitions that list styles refer to.
    styles: HashMap<String, String>,
    counts: HashMap<String, [Option<u32>; DEPTH]>,
    /// Lists and levels whose start override was applied.
    begun: HashSet<(String, usize)>,
    open: String,
    open_level: usize,
    is_override: bool,
}

/// An abstract numbering, in Word's terms.
#[derive(Default)]
struct Kind {
    levels: Vec<Level>,
    /// The list style whose levels are used instead.
    style: Option<String>,
}

/// A list (numbering instance).
#[derive(Default)]
struct Num {
    kind: String,
    overrides: Vec<Override>,
}

#[derive(Default)]
struct Override {
    at: usize,
    start: Option<u32>,
    level: Option<Level>,
}

#[derive(Clone)]
struct Level {
    format: String,
    /// E.g. `%1.%2.`: placeholders for the numbers of the levels.
    text: String,
    start: u32,
    /// The paragraph style linked to this level.
    style: String,
    /// Restarts only after levels up to this one; 0 for never.
    restart: Option<usize>,
    /// All numbers in decimal: "1.2" below "Chương I".
    is_legal: bool,
}

impl Default for Level {
    fn default() -> Self {
        Self { format: String::new(), text: String::new(), start: 1, style: String::new(), restart: None, is_legal: false }
    }
}

impl Visitor for Numbering {
    fn open(&mut self, name: &str, attributes: &Attributes<'_>, around: &[String]) -> bool {
        let parent = around.last().map_or("", String::as_str);
        match name {
            "abstractNum" => {
                self.open = short(attributes.get("abstractNumId").unwrap_or_default());
                self.kinds.insert(self.open.clone(), Kind::default());
                self.is_override = false;
            }
            "styleLink" => {
                self.styles.insert(short(attributes.val()), self.open.clone());
            }
            "numStyleLink" => {
                if let Some(kind) = self.kinds.get_mut(&self.open) {
                    kind.style = Some(short(attributes.val()));
                }
            }
            "num" => {
                self.open = short(attributes.get("numId").unwrap_or_default());
                self.nums.insert(self.open.clone(), Num::default());
                self.is_override = true;
            }
            "abstractNumId" => {
                if let Some(num) = self.nums.get_mut(&self.open) {
                    num.kind = short(attributes.val());
                }
            }
            "lvlOverride" => {
                let at = attributes.number("ilvl") as usize;
                if let Some(num) = self.nums.get_mut(&self.open).filter(|num| num.overrides.len() < DEPTH && at < DEPTH) {
                    num.overrides.push(Override { at, ..Override::default() });
                }
            }
            "startOverride" => {
                if let Some(over) = self.nums.get_mut(&self.open).and_then(|num| num.overrides.last_mut()) {
                    over.start = Some(attributes.number("val"));
                }
            }
            "lvl" => self.open_level(attributes),
            _ if parent == "lvl" => {
                if let Some(level) = self.level() {
                    level.property(name, attributes);
                }
            }
            _ => {}
        }
        true
    }
}

impl Level {
    fn property(&mut self, name: &str, attributes: &Attributes<'_>) {
        match name {
            "numFmt" => self.format = short(attributes.val()),
            "lvlText" => self.text = attributes.val().chars().take(LABEL_MAX).collect(),
            "start" => self.start = attributes.number("val"),
            "pStyle" => self.style = short(attributes.val()),
            "lvlRestart" => self.restart = Some(attributes.number("val") as usize),
            "isLgl" => self.is_legal = attributes.is_on(),
            _ => {}
        }
    }
}

impl Numbering {
    fn open_level(&mut self, attributes: &Attributes<'_>) {
        if self.is_override {
            if let Some(over) = self.nums.get_mut(&self.open).and_then(|num| num.overrides.last_mut()) {
                over.level = Some(Level::default());
            }
        } else if let Some(kind) = self.kinds.get_mut(&self.open) {
            let next = kind.levels.len();
            self.open_level = attributes.get("ilvl").and_then(|level| level.trim().parse().ok()).unwrap_or(next).min(DEPTH - 1);
            while kind.levels.len() <= self.open_level {
                kind.levels.push(Level::default());
            }
        }
    }

    /// The level being read.
    fn level(&mut self) -> Option<&mut Level> {
        if self.is_override {
            return self.nums.get_mut(&self.open)?.overrides.last_mut()?.level.as_mut();
        }
        self.kinds.get_mut(&self.open)?.levels.get_mut(self.open_level)
    }

    /// The key of a list's definition.
    fn kind_of(&self, num: &Num) -> Option<String> {
        let kind = self.kinds.get(&num.kind)?;
        let linked = kind.style.as_ref().filter(|_| kind.levels.is_empty()).and_then(|style| self.styles.get(style));
        Some(linked.filter(|kind| self.kinds.contains_key(*kind)).unwrap_or(&num.kind).clone())
    }

    /// The level that a list assigns to paragraphs of one of these styles.
    pub(super) fn level_of<'s>(&self, num: &str, mut styles: impl Iterator<Item = &'s str>) -> Option<u8> {
        let kind = self.kinds.get(&self.kind_of(self.nums.get(num)?)?)?;
        let at = styles.find_map(|style| kind.levels.iter().position(|level| !style.is_empty() && level.style == style))?;
        u8::try_from(at).ok()
    }

    /// Counts a list item and returns its label.
    pub(super) fn next(&mut self, num: &str, level: u8) -> Option<Label> {
        let at = usize::from(level);
        let list = self.nums.get(num)?;
        let kind = self.kind_of(list)?;
        let mut levels = self.kinds.get(&kind)?.levels.clone();
        for over in &list.overrides {
            if let Some(level) = levels.get_mut(over.at) {
                if let Some(own) = &over.level {
                    *level = own.clone();
                }
                level.start = over.start.unwrap_or(level.start);
            }
        }
        let own = levels.get(at)?.clone();
        if own.format == "bullet" {
            return Some(Label::Marker(Marker::Bullet));
        }
        let begins = list.overrides.iter().any(|over| over.at == at && over.start.is_some());
        let begins = begins && self.begun.insert((num.to_owned(), at));
        let counts = self.counts.entry(kind).or_default();
        for (above, level) in levels.iter().enumerate().take(at) {
            counts[above].get_or_insert(level.start);
        }
        counts[at] = match counts[at] {
            Some(count) if !begins => Some(count.saturating_add(1)),
            _ => Some(own.start),
        };
        for (below, level) in levels.iter().enumerate().skip(at + 1) {
            if level.restart.is_none_or(|restart| at < restart.min(below)) {
                counts[below] = None;
            }
        }
        label(&levels, &own, counts, at)
    }
}

fn label(levels: &[Level], own: &Level, counts: &[Option<u32>; DEPTH], at: usize) -> Option<Label> {
    let count = |at: usize| counts[at].unwrap_or_default();
    let place = format!("%{}", at + 1);
    let is_plain = own.text.strip_prefix(&place).is_some_and(|rest| matches!(rest, "." | ")" | ""));
    if is_plain && (own.format == "decimal" || own.format.is_empty()) && count(at) < 1_000_000 {
        return Some(Label::Marker(Marker::Number(count(at))));
    }
    let mut words = own.text.clone();
    for (at, level) in levels.iter().enumerate() {
        let format = if own.is_legal && level.format != "none" { "decimal" } else { &level.format };
        words = words.replace(&format!("%{}", at + 1), &in_format(count(at), format));
    }
    let words = words.trim();
    (!words.is_empty()).then(|| Label::Words(words.to_owned()))
}

fn in_format(number: u32, format: &str) -> String {
    match format {
        "lowerLetter" => lettered(number),
        "upperLetter" => lettered(number).to_uppercase(),
        "lowerRoman" => roman(number).to_lowercase(),
        "upperRoman" => roman(number),
        "decimalZero" => format!("{number:02}"),
        "none" => String::new(),
        _ => number.to_string(),
    }
}

/// a, b … z, aa, bb …, as Word counts.
pub(super) fn lettered(number: u32) -> String {
    let Some(at) = number.checked_sub(1) else { return String::new() };
    let letter = u8::try_from(at % 26).map_or('a', |at| char::from(b'a' + at));
    letter.to_string().repeat((at / 26 + 1).min(4) as usize)
}

pub(super) fn roman(number: u32) -> String {
    const SIGNS: [(u32, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    if number >= 4_000 {
        return number.to_string();
    }
    let mut rest = number;
    let mut roman = String::new();
    for (value, sign) in SIGNS {
        while rest >= value {
            roman.push_str(sign);
            rest -= value;
        }
    }
    roman
}
