//! Writes the text of a block as Markdown.

use pulldown_cmark::{Event, Options, Parser};

use super::{Inline, Style, composed};

/// A character with its style and link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Atom<'t> {
    what: AtomKind<'t>,
    style: Style,
    link: Option<&'t str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AtomKind<'t> {
    Letter(char),
    Break,
    Note(&'t str),
}

/// How much of the styling is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escaping {
    /// Bold and italic; characters escaped where Markdown would interpret them.
    Styled,
    /// The same without bold and italic.
    Plain,
    /// Every punctuation character escaped: always parses back to the source text.
    Literal,
}

/// The text as Markdown that parses back to the same words; `start` is what precedes it on the line.
///
/// Invariant: the words are those of the source. Styles that Markdown would not parse are dropped instead.
pub(super) fn written(text: &[Inline], start: &str) -> String {
    let text = composed(text);
    let atoms = collapsed(&text);
    let mut meant = String::new();
    for atom in &atoms {
        match atom.what {
            AtomKind::Letter(' ') | AtomKind::Break => {}
            AtomKind::Letter(letter) => meant.push(letter),
            AtomKind::Note(name) => meant.push_str(&format!("[^{name}]")),
        }
    }
    for escaping in [Escaping::Styled, Escaping::Plain] {
        let written = with_escaping(&atoms, escaping, start);
        if read(&format!("{start}{written}")) == meant {
            return written;
        }
    }
    with_escaping(&atoms, Escaping::Literal, start)
}
/// Collapses spaces to one between words and none at line ends. A space gets the style shared by both its neighbours.
fn collapsed(text: &[Inline]) -> Vec<Atom<'_>> {
    let mut atoms: Vec<Atom<'_>> = Vec::new();
    let mut space = false;
    for inline in text {
        let (style, link, note) = match inline {
            Inline::Text { text, style, link } => {
                for letter in text.chars() {
                    if letter == ' ' {
                        space = true;
                        continue;
                    }
                    let next = Atom { what: AtomKind::Letter(letter), style: *style, link: link.as_deref() };
                    between(&mut atoms, &mut space, next);
                    atoms.push(next);
                }
                continue;
            }
            Inline::Break => {
                space = false;
                if !atoms.is_empty() {
                    atoms.push(Atom { what: AtomKind::Break, style: Style::PLAIN, link: None });
                }
                continue;
            }
            Inline::Note(name) => (Style::PLAIN, None, name),
        };
        let next = Atom { what: AtomKind::Note(note), style, link };
        between(&mut atoms, &mut space, next);
        atoms.push(next);
    }
    while atoms.last().is_some_and(|atom| atom.what == AtomKind::Break) {
        atoms.pop();
    }
    atoms
}

fn between<'t>(atoms: &mut Vec<Atom<'t>>, space: &mut bool, next: Atom<'t>) {
    let waits = std::mem::take(space);
    if let Some(before) = atoms.last().copied().filter(|before| waits && before.what != AtomKind::Break) {
        let link = before.link.filter(|link| Some(*link) == next.link);
        atoms.push(Atom { what: AtomKind::Letter(' '), style: before.style.and(next.style), link });
    }
}

fn letter(what: AtomKind<'_>) -> Option<char> {
    if let AtomKind::Letter(letter) = what { Some(letter) } else { None }
}

/// The text a Markdown reader would show, without spaces.
fn read(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH;
    let mut read = String::new();
    for event in Parser::new_ext(markdown, options) {
        match event {
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                read.extend(text.chars().filter(|letter| !letter.is_whitespace()));
            }
            Event::FootnoteReference(name) => read.push_str(&format!("[^{name}]")),
            _ => {}
        }
    }
    read
}

fn with_escaping(atoms: &[Atom<'_>], escaping: Escaping, start: &str) -> String {
    let mut out = String::new();
    let mut rest = atoms;
    while let Some(first) = rest.first() {
        let same = rest.iter().take_while(|atom| atom.link == first.link).count();
        let (linked, behind) = rest.split_at(same);
        match first.link.filter(|_| escaping != Escaping::Literal) {
            Some(address) => {
                let label = runs(linked, escaping, "x");
                let label = label.trim();
                if !label.is_empty() {
                    out.push_str(&format!("[{label}]({address})"));
                }
            }
            None => {
                let more = runs(linked, escaping, line(start, &out));
                out.push_str(&more);
            }
        }
        rest = behind;
    }
    out
}

/// The text before the next character, as far as escaping needs it.
fn line<'t>(before: &'t str, out: &'t str) -> &'t str {
    if out.is_empty() { before } else { out }
}

/// Writes each run of one style. Marks are placed next to the words; punctuation at the edge that would prevent `CommonMark` from
/// parsing them stays outside.
fn runs(atoms: &[Atom<'_>], escaping: Escaping, before: &str) -> String {
    let mut out = String::new();
    let mut rest = atoms;
    while let Some(first) = rest.first() {
        let style = first.style;
        let same = rest.iter().take_while(|atom| atom.style == style && !matches!(atom.what, AtomKind::Note(_))).count().max(1);
        let (run, behind) = rest.split_at(same);
        rest = behind;
        let mark = if escaping == Escaping::Styled { style.mark() } else { "" };
        let is_word = |atom: &Atom<'_>| letter(atom.what).is_some_and(char::is_alphanumeric);
        let from = run.iter().position(is_word).unwrap_or(run.len());
        let until = run.iter().rposition(is_word).map_or(from, |at| at + 1);
        if mark.is_empty() || from == until {
            let more = escaped(run, escaping, line(before, &out));
            out.push_str(&more);
            continue;
        }
        // Punctuation may be inside the mark if white space or nothing follows outside.
        let opens = run[..from].iter().position(|atom| letter(atom.what).is_some_and(|letter| letter != ' '));
        let is_free_before = out.chars().next_back().or(before.chars().next_back()).is_none_or(char::is_whitespace);
        let from = if is_free_before { opens.unwrap_or(from) } else { from };
        let closes = run[until..].iter().rposition(|atom| letter(atom.what).is_some_and(|letter| letter != ' '));
        let is_free_behind = rest.first().is_none_or(|atom| atom.what == AtomKind::Break || atom.what == AtomKind::Letter(' '))
            || run.len() > until + closes.map_or(0, |at| at + 1);
        let until = if is_free_behind { closes.map_or(until, |at| until + at + 1) } else { until };
        let more = escaped(&run[..from], escaping, line(before, &out));
        out.push_str(&more);
        out.push_str(mark);
        out.push_str(&escaped(&run[from..until], escaping, "x"));
        out.push_str(mark);
        out.push_str(&escaped(&run[until..], escaping, "x"));
    }
    out
}

/// The characters, escaped where Markdown would interpret them.
fn escaped(atoms: &[Atom<'_>], escaping: Escaping, before: &str) -> String {
    let mut out = String::new();
    // Whether the current line is entirely in `out`, and where it begins.
    let mut is_whole = before.is_empty() || before.ends_with('\n');
    let mut begin = 0;
    for (at, atom) in atoms.iter().enumerate() {
        let letter = match atom.what {
            AtomKind::Break => {
                out.push_str("  \n");
                is_whole = true;
                begin = out.len();
                continue;
            }
            AtomKind::Note(name) => {
                out.push_str(&format!("[^{name}]"));
                continue;
            }
            AtomKind::Letter(letter) => letter,
        };
        let line = line(before, &out);
        let next = atoms.get(at + 1).and_then(|atom| self::letter(atom.what));
        let whole = is_whole.then(|| &out[begin..]);
        if letter.is_ascii_punctuation() && (escaping == Escaping::Literal || means_something(letter, line, whole, next)) {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// Whether Markdown would interpret `letter` here. `line` ends with the preceding text; `whole` is all of the line so far, if
/// available.
fn means_something(letter: char, line: &str, whole: Option<&str>, next: Option<char>) -> bool {
    let starts_line = line.is_empty() || line.ends_with('\n');
    match letter {
        '\\' | '*' | '`' | '[' | ']' | '~' | '|' => true,
        // Within a word it has no meaning.
        '_' => !(line.ends_with(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric)),
        '<' => next.is_none_or(|next| next.is_alphabetic() || matches!(next, '/' | '!' | '?')),
        '&' => next.is_some_and(|next| next.is_alphanumeric() || next == '#'),
        '#' => starts_line || line.ends_with([' ', '#']),
        '>' | '=' => starts_line,
        '-' | '+' | ':' => starts_line && next.is_none_or(|next| next == ' ' || next == letter || next == '-'),
        // After digits at the start of a line they would begin a list.
        '.' | ')' => {
            whole.is_some_and(|whole| !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit()))
                && next.is_none_or(char::is_whitespace)
        }
        _ => false,
    }
}
