//! The texts of the guides, embedded in the server.
//!
//! A text begins with its title (`# …`) and a paragraph about its audience; the rest is the guide.

use backend::markdown;
use domain::Locale;

use super::{Guide, GuideSummary};
use crate::text;

/// One guide in the languages of [`Locale::ALL`].
struct Text {
    slug: &'static str,
    vi: &'static str,
    en: &'static str,
    bn: &'static str,
}

macro_rules! guides {
    ($($slug:literal),+ $(,)?) => {
        &[$(Text {
            slug: $slug,
            vi: include_str!(concat!("../../guides/vi/", $slug, ".md")),
            en: include_str!(concat!("../../guides/en/", $slug, ".md")),
            bn: include_str!(concat!("../../guides/bn/", $slug, ".md")),
        }),+]
    };
}

/// In display order.
const GUIDES: &[Text] =
    guides!["member", "android", "ios", "secretary", "editor", "courses", "committee", "registrar", "reorganisation", "operator"];

pub(super) fn list(l: Locale) -> Vec<GuideSummary> {
    let summary = |text: &Text| {
        let (title, lead, _) = text.parts(l);
        GuideSummary { slug: text.slug.to_owned(), title: title.to_owned(), lead: lead.to_owned() }
    };
    GUIDES.iter().map(summary).collect()
}

pub(super) fn read(slug: &str, l: Locale) -> Option<Guide> {
    let text = GUIDES.iter().find(|text| text.slug == slug)?;
    let (title, lead, body) = text.parts(l);
    Some(Guide { title: title.to_owned(), lead: lead.to_owned(), html: markdown::render(body).html })
}

/// All guides in all languages.
#[cfg(test)]
pub(crate) fn texts() -> impl Iterator<Item = (&'static str, Locale, &'static str)> {
    GUIDES.iter().flat_map(|text| Locale::ALL.map(|l| (text.slug, l, text.template(l))))
}

impl Text {
    /// With the terms of the installation's pack filled in.
    fn of(&self, l: Locale) -> &'static str {
        text::spoken(l, self.template(l))
    }

    const fn template(&self, l: Locale) -> &'static str {
        match l {
            Locale::Vi => self.vi,
            Locale::En => self.en,
            Locale::Bn => self.bn,
        }
    }

    /// Title, lead and body.
    fn parts(&self, l: Locale) -> (&'static str, &'static str, &'static str) {
        let (title, rest) = self.of(l).split_once("\n\n").unwrap_or_default();
        let (lead, body) = rest.split_once("\n\n").unwrap_or_default();
        (title.trim_start_matches("# "), lead, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Images of a text: alternative text and address.
    fn pictures(text: &str) -> Vec<(&str, &str)> {
        let mut found = Vec::new();
        for piece in text.split("![").skip(1) {
            let (alt, rest) = piece.split_once("](").expect("a picture");
            let (address, _) = rest.split_once(')').expect("a picture");
            found.push((alt, address));
        }
        found
    }

    #[test]
    fn every_guide_is_complete_in_every_language() {
        for text in GUIDES {
            for l in Locale::ALL {
                let (title, lead, body) = text.parts(l);
                let at = format!("{} in {}", text.slug, l.tag());
                assert!(text.of(l).starts_with("# ") && title.chars().count() > 5, "{at} has a title");
                assert!(lead.chars().count() > 20 && !lead.contains('\n'), "{at} has a lead of one line");
                let words = body.split_whitespace().count();
                assert!((110..=440).contains(&words), "{at} has {words} words");
                assert!(body.contains("\n1. "), "{at} has numbered steps");
            }
        }
    }

    #[test]
    fn every_language_has_the_same_steps_and_pictures() {
        for text in GUIDES {
            let steps = |l: Locale| text.of(l).lines().filter(|line| line.split_once(". ").is_some_and(is_step)).count();
            let addresses = |l: Locale| pictures(text.of(l)).into_iter().map(|(_, at)| at).collect::<Vec<_>>();
            for l in Locale::ALL {
                assert_eq!(steps(l), steps(Locale::Vi), "{} in {}", text.slug, l.tag());
                assert_eq!(addresses(l), addresses(Locale::Vi), "{} in {}", text.slug, l.tag());
            }
        }
    }

    fn is_step((number, _): (&str, &str)) -> bool {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    }

    #[test]
    fn every_picture_exists_and_is_described() {
        let public = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../public");
        for text in GUIDES {
            for l in Locale::ALL {
                let pictures = pictures(text.of(l));
                assert!(!pictures.is_empty(), "{} has a picture", text.slug);
                let html = read(text.slug, l).expect("a guide").html;
                for (alt, address) in pictures {
                    assert!(alt.chars().count() > 10, "{address} of {} in {} is described", text.slug, l.tag());
                    assert!(public.join(address.trim_start_matches('/')).exists(), "{address} of {}", text.slug);
                    assert!(html.contains(&format!("<img src=\"{address}\"")), "{address} is shown: {html}");
                }
            }
        }
    }
}
