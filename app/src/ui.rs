//! The design system: the components of every page.
//!
//! Responsible for markup, classes, accessibility and progressive enhancement. It contains no domain term, business rule or text:
//! every displayed text is a prop. The classes are in `style/`.

mod button;
mod card;
mod choice;
mod diff;
mod field;
mod figure;
mod form;
mod icon;
mod line;
mod list;
mod notice;
mod page;
mod steps;
mod table;
mod unsent;

use leptos::prelude::use_context;

pub use button::{Button, ButtonKind, LinkButton};
pub use card::{Card, HeadingLevel};
pub use choice::{CheckGroup, Choice, RadioGroup, Select};
pub use diff::{Diff, DiffWords};
pub use field::{ErrorSummary, Field, FieldKind, FileField, PasswordField, RefusedForms, TextArea};
pub use figure::{Bar, BarChart, BigFigure, Figures, Progress, ShareBar, Trend};
pub use form::Form;
pub use icon::{Icon, IconName};
pub use line::{HERE, Line, Whose};
pub use list::{Chip, Chips, DateTile, ListRow, Pager, RowList};
pub use notice::{EmptyState, Notice, NoticeKind, Tag, Tone};
pub use page::{Breadcrumbs, Contents, Crumb, Heading, PageHeader, VisuallyHidden, title_class};
pub use steps::{Step, StepBar};
pub use table::{Cell, Column, DataTable, DescriptionList, Fact, RowHead, Sort, TableKind};
pub use unsent::Unsent;

/// The `lang` of content, where the page is in another language. Provided by the application.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ContentLang(pub Option<&'static str>);

/// The `lang` of a piece of content; `None` where the page is in its language.
pub fn content_lang() -> Option<&'static str> {
    use_context::<ContentLang>().and_then(|ContentLang(lang)| lang)
}

/// An optional text prop: accepts a `&str`, a `String` or an `Option` of either.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MaybeText(pub Option<String>);

impl From<&str> for MaybeText {
    fn from(text: &str) -> Self {
        Self(Some(text.to_owned()))
    }
}

impl From<String> for MaybeText {
    fn from(text: String) -> Self {
        Self(Some(text))
    }
}

impl From<Option<&str>> for MaybeText {
    fn from(text: Option<&str>) -> Self {
        Self(text.map(str::to_owned))
    }
}

impl From<Option<String>> for MaybeText {
    fn from(text: Option<String>) -> Self {
        Self(text)
    }
}
