//! Footnotes: numbered in the order of their references, listed at the end, each with back links.
//!
//! Ids are made of numbers, never of what an editor typed.

use std::collections::HashMap;

use pulldown_cmark::{CowStr, Event, Tag, TagEnd};

/// Back links per note; further references have none.
const WAYS_BACK: usize = 5;

/// Moves the notes out of the text into a list at the end, and turns the references into links.
pub(super) fn arrange(events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let (mut text, notes) = taken_out(events);
    let mut calls = Calls { notes, order: Vec::new(), counts: HashMap::new() };
    for event in &mut text {
        calls.number(event);
    }
    let mut listed = Vec::new();
    // Notes may refer to notes, so `order` grows during the loop.
    let mut at = 0;
    while let Some(name) = calls.order.get(at).cloned() {
        let mut note = calls.notes.remove(&name).unwrap_or_default();
        for event in &mut note {
            calls.number(event);
        }
        listed.push((name, note));
        at += 1;
    }
    if !listed.is_empty() {
        text.push(Event::Html("<ol class=\"footnotes\">\n".into()));
        for (number, (name, note)) in (1_usize..).zip(listed) {
            text.push(Event::Html(format!("<li id=\"note-{number}\">").into()));
            text.extend(with_way_back(note, number, calls.counts.get(&name).copied().unwrap_or_default()));
            text.push(Event::Html("</li>\n".into()));
        }
        text.push(Event::Html("</ol>\n".into()));
    }
    text
}

type Notes<'t> = HashMap<CowStr<'t>, Vec<Event<'t>>>;

/// The text without its notes, and the notes. The first of several notes with the same name is used.
fn taken_out(events: Vec<Event<'_>>) -> (Vec<Event<'_>>, Notes<'_>) {
    let mut notes = Notes::new();
    let mut open = Vec::new();
    let mut text = Vec::with_capacity(events.len());
    for event in events {
        match event {
            Event::Start(Tag::FootnoteDefinition(name)) => open.push((name, std::mem::take(&mut text))),
            Event::End(TagEnd::FootnoteDefinition) => {
                if let Some((name, around)) = open.pop() {
                    let note = std::mem::replace(&mut text, around);
                    notes.entry(name).or_insert(note);
                }
            }
            event => text.push(event),
        }
    }
    // The parser balances its events; otherwise the text is kept.
    for (_, around) in open.into_iter().rev() {
        let rest = std::mem::replace(&mut text, around);
        text.extend(rest);
    }
    (text, notes)
}

struct Calls<'t> {
    notes: Notes<'t>,
    /// The names, in the order of their first references.
    order: Vec<CowStr<'t>>,
    counts: HashMap<CowStr<'t>, usize>,
}

impl<'t> Calls<'t> {
    /// Turns a reference into a link to its note; a reference without a note is shown as typed.
    fn number(&mut self, event: &mut Event<'t>) {
        let Event::FootnoteReference(name) = event else { return };
        let known = self.counts.contains_key(name) || self.notes.contains_key(name);
        if !known {
            *event = Event::Text(format!("[^{name}]").into());
            return;
        }
        let count = self.counts.entry(name.clone()).or_insert(0);
        *count += 1;
        if *count == 1 {
            self.order.push(name.clone());
        }
        let number = self.order.iter().position(|known| known == name).map_or(0, |at| at + 1);
        let id = if *count <= WAYS_BACK { format!(" id=\"{}\"", call(number, *count)) } else { String::new() };
        let html = format!("<sup class=\"footnote-reference\"{id}><a href=\"#note-{number}\">{number}</a></sup>");
        *event = Event::InlineHtml(html.into());
    }
}

/// The id of a reference.
fn call(number: usize, count: usize) -> String {
    if count == 1 { format!("noteref-{number}") } else { format!("noteref-{number}-{count}") }
}

/// The note with links back to its references, in its last paragraph if it ends with one.
fn with_way_back(mut note: Vec<Event<'_>>, number: usize, count: usize) -> Vec<Event<'_>> {
    let ways: String = (1..=count.min(WAYS_BACK)).map(|count| format!(" <a href=\"#{}\">↩</a>", call(number, count))).collect();
    match note.last() {
        Some(Event::End(TagEnd::Paragraph)) => note.insert(note.len() - 1, Event::InlineHtml(ways.into())),
        _ => note.push(Event::Html(format!("<p>{}</p>", ways.trim_start()).into())),
    }
    note
}
