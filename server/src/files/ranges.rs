//! Conditional and range requests (RFC 9110 §13, §14).

use axum::http::{HeaderMap, HeaderName, header};

/// What to send for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestedRange {
    /// Not modified: the client has the file already.
    Known,
    Whole,
    /// Bytes of a half-open range.
    Part(u64, u64),
    /// Not satisfiable: beyond the end.
    Nowhere,
}

/// `tag` is the file's strong entity tag, with its quotation marks.
pub(super) fn asked(headers: &HeaderMap, tag: &str, length: u64) -> RequestedRange {
    if text(headers, &header::IF_NONE_MATCH).is_some_and(|known| names(known, tag)) {
        return RequestedRange::Known;
    }
    // A range of another version does not fit; dates are not supported as validators.
    if text(headers, &header::IF_RANGE).is_some_and(|condition| condition.trim() != tag) {
        return RequestedRange::Whole;
    }
    match text(headers, &header::RANGE).and_then(|range| range.trim().strip_prefix("bytes=")) {
        // Multiple ranges are not supported; the whole file is a valid response.
        Some(range) if !range.contains(',') => part(range, length).unwrap_or(RequestedRange::Whole),
        _ => RequestedRange::Whole,
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// `If-None-Match` uses weak comparison.
fn names(known: &str, tag: &str) -> bool {
    known.split(',').map(str::trim).any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// `None` for an invalid range, which is ignored.
fn part(range: &str, length: u64) -> Option<RequestedRange> {
    let (first, last) = range.trim().split_once('-')?;
    let digits = |text: &str| if text.bytes().all(|b| b.is_ascii_digit()) { text.parse::<u64>().ok() } else { None };
    Some(match (first, last) {
        ("", "") => return None,
        ("", last) => match digits(last)? {
            0 => RequestedRange::Nowhere,
            _ if length == 0 => RequestedRange::Nowhere,
            last => RequestedRange::Part(length.saturating_sub(last), length),
        },
        (first, last) => {
            let first = digits(first)?;
            let until = if last.is_empty() { length } else { digits(last)?.saturating_add(1).min(length) };
            if !last.is_empty() && digits(last)? < first {
                return None;
            }
            if first >= length { RequestedRange::Nowhere } else { RequestedRange::Part(first, until) }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(HeaderName, &str)]) -> RequestedRange {
        let headers = pairs.iter().map(|(name, value)| (name.clone(), value.parse().expect("a value"))).collect();
        asked(&headers, "\"abc\"", 100)
    }

    #[test]
    fn a_range_is_what_the_reader_lacks() {
        for (range, expected) in [
            ("bytes=0-9", RequestedRange::Part(0, 10)),
            ("bytes=90-", RequestedRange::Part(90, 100)),
            ("bytes=-10", RequestedRange::Part(90, 100)),
            ("bytes=-1000", RequestedRange::Part(0, 100)),
            ("bytes=99-1000", RequestedRange::Part(99, 100)),
            ("bytes=0-18446744073709551615", RequestedRange::Part(0, 100)),
            ("bytes=100-", RequestedRange::Nowhere),
            ("bytes=1000-2000", RequestedRange::Nowhere),
            ("bytes=-0", RequestedRange::Nowhere),
            // An invalid range is ignored.
            ("bytes=9-0", RequestedRange::Whole),
            ("bytes=", RequestedRange::Whole),
            ("bytes=-", RequestedRange::Whole),
            ("bytes=a-b", RequestedRange::Whole),
            ("bytes=+1-2", RequestedRange::Whole),
            ("bytes=0-99999999999999999999", RequestedRange::Whole),
            ("pages=1-2", RequestedRange::Whole),
            ("bytes=0-1,5-6", RequestedRange::Whole),
        ] {
            assert_eq!(of(&[(header::RANGE, range)]), expected, "{range}");
        }
        assert_eq!(of(&[]), RequestedRange::Whole);
    }

    #[test]
    fn a_file_that_changed_is_sent_whole_and_one_that_did_not_is_not_sent_at_all() {
        let range = (header::RANGE, "bytes=0-9");
        for (condition, expected) in [
            ("\"abc\"", RequestedRange::Part(0, 10)),
            ("\"other\"", RequestedRange::Whole),
            ("W/\"abc\"", RequestedRange::Whole),
            ("Sat, 21 Nov 2026 08:00:00 GMT", RequestedRange::Whole),
        ] {
            assert_eq!(of(&[range.clone(), (header::IF_RANGE, condition)]), expected, "{condition}");
        }
        for (known, expected) in [
            ("\"abc\"", RequestedRange::Known),
            ("\"x\", W/\"abc\"", RequestedRange::Known),
            ("*", RequestedRange::Known),
            ("\"x\"", RequestedRange::Whole),
        ] {
            assert_eq!(of(&[(header::IF_NONE_MATCH, known)]), expected, "{known}");
        }
    }
}
