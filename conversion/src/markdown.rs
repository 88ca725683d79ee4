//! Renders the Markdown of documents to safe HTML.
//!
//! There are two layers of protection: raw HTML in the source becomes text, and the output is sanitised by an allow-list of
//! elements, attributes and link schemes.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use ammonia::Builder;
use domain::{documents::Heading, folding::fold};
use pulldown_cmark::{Alignment, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

mod footnotes;

/// Maximum nesting of containers. More is not written by hand; the limit bounds the cost of a crafted text.
const DEPTH: usize = 32;

/// Allowed schemes of links to other sites.
const SCHEMES: [&str; 4] = ["http", "https", "mailto", "tel"];

/// The size of all drawings of the guides, in CSS pixels, so that the layout does not shift when they load.
const PICTURE: (u32, u32) = (320, 220);

/// A rendered text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Sanitised HTML.
    pub html: String,
    /// Headings of the first two levels, in order.
    pub contents: Vec<Heading>,
}

/// Renders the text of a document. Its top-level headings become `<h2>`, because the page's title is the only `<h1>`.
pub fn render(body: &str) -> Rendered {
    let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH;
    let events: Vec<Event<'_>> = Shallow { inner: Parser::new_ext(body, options), depth: 0 }.collect();
    let mut writer = Writer::new(shift(&events));
    let mut unsafe_html = String::with_capacity(body.len() * 3 / 2);
    let titles = titles(&events);
    let events = footnotes::arrange(writer.rewrite(events, titles));
    html::push_html(&mut unsafe_html, events.into_iter());
    Rendered { html: POLICY.clean(&unsafe_html).to_string(), contents: writer.contents }
}

/// Limits nesting: containers deeper than [`DEPTH`] are dropped, their text is kept.
struct Shallow<I> {
    inner: I,
    depth: usize,
}

impl<'t, I: Iterator<Item = Event<'t>>> Iterator for Shallow<I> {
    type Item = Event<'t>;

    fn next(&mut self) -> Option<Event<'t>> {
        loop {
            match self.inner.next()? {
                Event::Start(tag) => {
                    self.depth += 1;
                    if self.depth <= DEPTH {
                        return Some(Event::Start(tag));
                    }
                }
                Event::End(tag) => {
                    let kept = self.depth <= DEPTH;
                    self.depth -= 1;
                    if kept {
                        return Some(Event::End(tag));
                    }
                }
                leaf => return Some(leaf),
            }
        }
    }
}

/// Rewrites the parser's events for the page.
struct Writer {
    shift: i8,
    anchors: HashSet<String>,
    /// The last number given to each heading title, so that many equal headings are numbered in linear time.
    counts: HashMap<String, u32>,
    contents: Vec<Heading>,
    /// Column alignments of the current table.
    alignments: Vec<Alignment>,
    column: usize,
    in_head: bool,
    /// For each open link, whether its target is allowed.
    links: Vec<bool>,
    /// For each open picture, its address and its description so far; none if it is not one of our drawings.
    pictures: Vec<Option<Picture>>,
}

/// One of our drawings, whose description is being read.
struct Picture {
    address: String,
    description: String,
}

impl Writer {
    fn new(shift: i8) -> Self {
        Self {
            shift,
            anchors: HashSet::new(),
            counts: HashMap::new(),
            contents: Vec::new(),
            alignments: Vec::new(),
            column: 0,
            in_head: false,
            links: Vec::new(),
            pictures: Vec::new(),
        }
    }

    fn rewrite<'t>(&mut self, events: Vec<Event<'t>>, titles: Vec<String>) -> Vec<Event<'t>> {
        let mut titles = titles.into_iter();
        let mut rewritten = Vec::with_capacity(events.len());
        for event in events {
            let event = match event {
                Event::Start(Tag::Heading { level, .. }) => {
                    let level = self.level(level);
                    let anchor = self.heading(level, titles.next().unwrap_or_default());
                    Event::Start(Tag::Heading { level, id: Some(anchor.into()), classes: Vec::new(), attrs: Vec::new() })
                }
                Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(self.level(level))),
                Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
                Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
                Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
                Event::Start(Tag::Link { dest_url, .. }) if !leads_somewhere_allowed(&dest_url) => {
                    self.links.push(false);
                    continue;
                }
                Event::Start(Tag::Link { .. }) => {
                    self.links.push(true);
                    event
                }
                // The text of a disallowed link is kept, without the link.
                Event::End(TagEnd::Link) if !self.links.pop().unwrap_or(true) => continue,
                // A picture from another site would reveal the reader to its owner; only its description is kept.
                Event::Start(Tag::Image { dest_url, .. }) => {
                    let ours = is_drawing(&dest_url);
                    let picture = ours.then(|| Picture { address: dest_url.to_string(), description: String::new() });
                    self.pictures.push(picture);
                    continue;
                }
                Event::End(TagEnd::Image) => match self.pictures.pop().flatten() {
                    Some(picture) => Event::Html(picture.html().into()),
                    None => continue,
                },
                Event::Text(text) | Event::Code(text) if self.describes(&text) => continue,
                event => self.table(event),
            };
            rewritten.push(event);
        }
        rewritten
    }

    /// Adds the text to the description of the current drawing. Returns false outside a drawing.
    fn describes(&mut self, text: &str) -> bool {
        let Some(Some(picture)) = self.pictures.last_mut() else { return false };
        picture.description.push_str(text);
        true
    }

    /// Writes the tags of a table: it scrolls on a phone, marks header cells, and aligns without a `style` attribute.
    fn table<'t>(&mut self, event: Event<'t>) -> Event<'t> {
        let html: CowStr<'t> = match event {
            Event::Start(Tag::Table(alignments)) => {
                self.alignments = alignments;
                match self.contents.last() {
                    Some(heading) => format!(
                        "<div class=\"table-scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"{}\"><table>",
                        heading.anchor
                    )
                    .into(),
                    None => "<div class=\"table-scroll\" tabindex=\"0\"><table>".into(),
                }
            }
            Event::End(TagEnd::Table) => "</tbody></table></div>\n".into(),
            Event::Start(Tag::TableHead) => {
                self.in_head = true;
                self.column = 0;
                "<thead><tr>".into()
            }
            Event::End(TagEnd::TableHead) => {
                self.in_head = false;
                "</tr></thead><tbody>\n".into()
            }
            Event::Start(Tag::TableRow) => {
                self.column = 0;
                "<tr>".into()
            }
            Event::End(TagEnd::TableRow) => "</tr>\n".into(),
            Event::Start(Tag::TableCell) => {
                let cell = if self.in_head { "<th scope=\"col\"" } else { "<td" };
                let class = match self.alignments.get(self.column) {
                    Some(Alignment::Center) => " class=\"align-center\">",
                    Some(Alignment::Right) => " class=\"align-right\">",
                    _ => ">",
                };
                self.column += 1;
                format!("{cell}{class}").into()
            }
            Event::End(TagEnd::TableCell) => if self.in_head { "</th>" } else { "</td>" }.into(),
            other => return other,
        };
        Event::Html(html)
    }

    fn level(&self, level: HeadingLevel) -> HeadingLevel {
        let level = usize::try_from(level as i8 + self.shift).unwrap_or(2);
        HeadingLevel::try_from(level.clamp(2, 6)).unwrap_or(HeadingLevel::H6)
    }

    /// Registers a heading and returns its unique anchor.
    fn heading(&mut self, level: HeadingLevel, title: String) -> String {
        let stem = anchor(&title);
        let count = self.counts.entry(stem.clone()).or_default();
        let anchor = loop {
            *count += 1;
            let anchor = if *count == 1 { stem.clone() } else { format!("{stem}-{count}") };
            // Another heading may have the title `x 2`.
            if self.anchors.insert(anchor.clone()) {
                break anchor;
            }
        };
        if level <= HeadingLevel::H3 {
            let level = if level == HeadingLevel::H2 { 2 } else { 3 };
            self.contents.push(Heading { anchor: anchor.clone(), title, level });
        }
        anchor
    }
}

impl Picture {
    fn html(&self) -> String {
        let (width, height) = PICTURE;
        let description = self.description.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;");
        format!("<img src=\"{}\" alt=\"{description}\" width=\"{width}\" height=\"{height}\">", self.address)
    }
}

/// Whether this is the address of a bundled drawing: `/pictures/` and a plain name.
fn is_drawing(address: &str) -> bool {
    let name = address.strip_prefix("/pictures/").and_then(|file| file.strip_suffix(".svg"));
    name.is_some_and(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'))
}

/// The text before the first colon is a scheme, however it is disguised. The parser has already decoded entities.
fn leads_somewhere_allowed(to: &str) -> bool {
    let start = to.split(['/', '?', '#']).next().unwrap_or_default();
    start.split_once(':').is_none_or(|(scheme, _)| SCHEMES.iter().any(|allowed| scheme.eq_ignore_ascii_case(allowed)))
}

/// The shift of heading levels that makes the highest one `<h2>`.
fn shift(events: &[Event<'_>]) -> i8 {
    let levels = events.iter().filter_map(|event| match event {
        Event::Start(Tag::Heading { level, .. }) => Some(*level as i8),
        _ => None,
    });
    2 - levels.min().unwrap_or(2)
}

/// The plain text of each heading.
fn titles(events: &[Event<'_>]) -> Vec<String> {
    let mut titles = Vec::new();
    let mut open: Option<String> = None;
    for event in events {
        match event {
            Event::Start(Tag::Heading { .. }) => open = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => titles.extend(open.take()),
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                if let Some(title) = &mut open {
                    title.push_str(text);
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some(title) = &mut open {
                    title.push(' ');
                }
            }
            _ => {}
        }
    }
    titles
}

/// `II. Nhiệm vụ` → `s-ii-nhiem-vu`. The prefix prevents clashes with ids that the page's scripts look up.
fn anchor(title: &str) -> String {
    let mut anchor = "s".to_owned();
    for word in fold(title).split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(12) {
        anchor.push('-');
        anchor.push_str(word);
    }
    anchor
}

/// The allow-list: exactly what the renderer writes.
static POLICY: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let tags = [
        "a",
        "blockquote",
        "br",
        "code",
        "del",
        "div",
        "em",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "img",
        "li",
        "ol",
        "p",
        "pre",
        "strong",
        "sup",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
    ];
    let attributes: [(&str, &[&str]); 12] = [
        ("a", &["href", "title"]),
        ("div", &["tabindex", "role", "aria-labelledby"]),
        ("h2", &["id"]),
        ("h3", &["id"]),
        ("h4", &["id"]),
        ("h5", &["id"]),
        ("h6", &["id"]),
        ("img", &["src", "alt", "width", "height"]),
        ("li", &["id"]),
        ("ol", &["start"]),
        ("sup", &["id"]),
        ("th", &["scope"]),
    ];
    let classes: [(&str, &[&str]); 5] = [
        ("div", &["table-scroll"]),
        ("ol", &["footnotes"]),
        ("sup", &["footnote-reference"]),
        ("td", &["align-center", "align-right"]),
        ("th", &["align-center", "align-right"]),
    ];
    let table = |rows: &[(&'static str, &'static [&'static str])]| -> HashMap<&'static str, HashSet<&'static str>> {
        rows.iter().map(|(tag, names)| (*tag, names.iter().copied().collect())).collect()
    };
    let mut policy = Builder::empty();
    policy
        .tags(tags.into())
        .tag_attributes(table(&attributes))
        .allowed_classes(table(&classes))
        .url_schemes(["http", "https", "mailto", "tel"].into())
        .attribute_filter(|element, attribute, value| match (element, attribute) {
            ("img", "src") if !is_drawing(value) => None,
            _ => Some(value.into()),
        })
        // `external`: the browser, not the client-side router, follows links, which include those to anchors in the text.
        .link_rel(Some("external noopener nofollow"));
    policy
});

#[cfg(test)]
mod tests;
