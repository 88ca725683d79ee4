//! Which part of a file is asked for (RFC 9110 §13, §14).

use axum::http::{HeaderMap, HeaderName, header};

/// What a request wants of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// It has the file already.
    Known,
    Whole,
    /// Bytes from the first up to and without the second.
    Part(u64, u64),
    /// Beyond the end.
    Nowhere,
}

/// `tag` is the file's strong entity tag, with its quotation marks.
pub(super) fn asked(headers: &HeaderMap, tag: &str, length: u64) -> Asked {
    if text(headers, &header::IF_NONE_MATCH).is_some_and(|known| names(known, tag)) {
        return Asked::Known;
    }
    // A part of another file does not fit to what the reader has; and a date is not what we go by.
    if text(headers, &header::IF_RANGE).is_some_and(|condition| condition.trim() != tag) {
        return Asked::Whole;
    }
    match text(headers, &header::RANGE).and_then(|range| range.trim().strip_prefix("bytes=")) {
        // Several parts at once: nobody we serve needs that, and answering with the whole is allowed.
        Some(range) if !range.contains(',') => part(range, length).unwrap_or(Asked::Whole),
        _ => Asked::Whole,
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// For keeping, a weak comparison is enough.
fn names(known: &str, tag: &str) -> bool {
    known.split(',').map(str::trim).any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// None for what is no range: then it is as if it were not there.
fn part(range: &str, length: u64) -> Option<Asked> {
    let (first, last) = range.trim().split_once('-')?;
    let digits = |text: &str| if text.bytes().all(|b| b.is_ascii_digit()) { text.parse::<u64>().ok() } else { None };
    Some(match (first, last) {
        ("", "") => return None,
        ("", last) => match digits(last)? {
            0 => Asked::Nowhere,
            _ if length == 0 => Asked::Nowhere,
            last => Asked::Part(length.saturating_sub(last), length),
        },
        (first, last) => {
            let first = digits(first)?;
            let until = if last.is_empty() { length } else { digits(last)?.saturating_add(1).min(length) };
            if !last.is_empty() && digits(last)? < first {
                return None;
            }
            if first >= length { Asked::Nowhere } else { Asked::Part(first, until) }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(HeaderName, &str)]) -> Asked {
        let headers = pairs.iter().map(|(name, value)| (name.clone(), value.parse().expect("a value"))).collect();
        asked(&headers, "\"abc\"", 100)
    }

    #[test]
    fn a_range_is_what_the_reader_lacks() {
        for (range, expected) in [
            ("bytes=0-9", Asked::Part(0, 10)),
            ("bytes=90-", Asked::Part(90, 100)),
            ("bytes=-10", Asked::Part(90, 100)),
            ("bytes=-1000", Asked::Part(0, 100)),
            ("bytes=99-1000", Asked::Part(99, 100)),
            ("bytes=0-18446744073709551615", Asked::Part(0, 100)),
            ("bytes=100-", Asked::Nowhere),
            ("bytes=1000-2000", Asked::Nowhere),
            ("bytes=-0", Asked::Nowhere),
            // What is no range at all is ignored.
            ("bytes=9-0", Asked::Whole),
            ("bytes=", Asked::Whole),
            ("bytes=-", Asked::Whole),
            ("bytes=a-b", Asked::Whole),
            ("bytes=+1-2", Asked::Whole),
            ("bytes=0-99999999999999999999", Asked::Whole),
            ("pages=1-2", Asked::Whole),
            ("bytes=0-1,5-6", Asked::Whole),
        ] {
            assert_eq!(of(&[(header::RANGE, range)]), expected, "{range}");
        }
        assert_eq!(of(&[]), Asked::Whole);
    }

    #[test]
    fn a_file_that_changed_is_sent_whole_and_one_that_did_not_is_not_sent_at_all() {
        let range = (header::RANGE, "bytes=0-9");
        for (condition, expected) in [
            ("\"abc\"", Asked::Part(0, 10)),
            ("\"other\"", Asked::Whole),
            ("W/\"abc\"", Asked::Whole),
            ("Sat, 21 Nov 2026 08:00:00 GMT", Asked::Whole),
        ] {
            assert_eq!(of(&[range.clone(), (header::IF_RANGE, condition)]), expected, "{condition}");
        }
        for (known, expected) in
            [("\"abc\"", Asked::Known), ("\"x\", W/\"abc\"", Asked::Known), ("*", Asked::Known), ("\"x\"", Asked::Whole)]
        {
            assert_eq!(of(&[(header::IF_NONE_MATCH, known)]), expected, "{known}");
        }
    }
}
