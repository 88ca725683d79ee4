//! The editor's form, and how its fields are parsed.

use domain::{
    accounts::Viewer,
    audience::Audience,
    documents::{Body, DocumentField, DocumentKind, DocumentNumber, Relation, Title, desk::Remark},
    forms::{self, FormReader, Problem, bounded_line},
    members::Standing,
    policy::Action,
    statistics::Reach,
    units::{UnitPath, UnitRef},
};

use super::{Documents, Particulars, RelatedRow, draft::OnDesk};
use crate::{
    Error, Result,
    units::{Tree, chosen::TypedUnits},
};

/// Maximum length of the signer's name and office, in characters.
const SIGNER_MAX: u32 = 120;

/// Declares the form and the list of its fields together, so that a rejected form returns every field it received.
macro_rules! draft_form {
    ($($(#[$attribute:meta])* $field:ident,)+) => {
        /// The editor's form as typed.
        #[derive(Debug, Clone, Copy, Default)]
        pub struct DraftForm<'f> {
            $($(#[$attribute])* pub $field: &'f str,)+
            /// Limits the audience to these parts: ids of units below it, and keys of levels for all its units of that level.
            /// Empty: all of it.
            pub parts: &'f [String],
            /// Leaves out these units: ids of units below the audience.
            pub except: &'f [String],
        }

        impl<'f> DraftForm<'f> {
            /// The name and the typed value of each field, without `parts` and `except`.
            pub fn fields(&self) -> Vec<(&'static str, &'f str)> {
                vec![$((stringify!($field), self.$field)),+]
            }
        }
    };
}

draft_form! {
    id,
    /// The version the editor started from; `0` for a document not yet stored.
    version,
    kind,
    number,
    title,
    /// The signer, as printed on paper.
    signer,
    field,
    issuer,
    audience,
    /// Keys of standings, separated by commas; empty for all standings.
    standings,
    /// Numbers of documents, separated by commas.
    supersedes,
    amends,
    guides,
    must_read_by,
    expires_on,
    /// Any non-empty value pins the document.
    pinned,
    correction,
    body,
}

/// The audience of a form that is not saved yet. Fields as in [`DraftForm`].
#[derive(Debug, Clone, Copy)]
pub struct ReachForm<'f> {
    pub audience: &'f str,
    pub parts: &'f [String],
    pub except: &'f [String],
    pub standings: &'f str,
}

/// A parsed form.
pub(super) struct Draft {
    pub(super) particulars: Particulars,
    pub(super) is_pinned: bool,
    pub(super) correction: Option<Remark>,
    pub(super) body: Body,
}

impl Documents<'_> {
    /// How many members and branches the form's audience has, as far as the person may know it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a person who writes for no unit; [`Error::Invalid`] on the form `draft`, as [`Self::save_draft`].
    #[expect(clippy::unused_async, reason = "a use-case like the others")]
    pub async fn reach_of(&self, viewer: &Viewer, form: ReachForm<'_>) -> Result<Reach> {
        if viewer.standpoint.top_units(Action::WriteDocument).is_empty() {
            return Err(Error::NotFound);
        }
        let tree = self.backend.units().tree();
        Ok(self.reach(&tree, viewer, &typed_audience(&tree, viewer, form)?))
    }

    /// Parses the form of a document, which is on the desk unless it is new. Returns the reader as well, for problems that only
    /// the store can report.
    ///
    /// # Errors
    /// [`Error::Invalid`] with all problems the editor can fix; those of the store.
    pub(super) async fn parse_form(
        &self,
        viewer: &Viewer,
        form: &DraftForm<'_>,
        desk: Option<&OnDesk>,
    ) -> Result<(FormReader, Draft)> {
        let tree = self.backend.units().tree();
        let today = self.backend.clock().today();
        let is_correction = desk.is_some_and(|desk| desk.status().out.is_some());
        let current = desk.map(OnDesk::issuer).transpose()?;
        let mut reader = FormReader::new("draft");
        let title = reader.read("title", form.title, Title::parse);
        let kind = reader.read("kind", form.kind, |typed| match typed {
            "" => Err(Problem::Required),
            typed => DocumentKind::from_key(typed).ok_or(Problem::NotOffered),
        });
        let number = reader.read("number", form.number, DocumentNumber::parse_optional);
        let signer = reader.read("signer", form.signer, |typed| forms::optional(typed, |typed| bounded_line(typed, SIGNER_MAX)));
        let field = reader.read("field", form.field, |typed| {
            forms::optional(typed, |typed| DocumentField::from_key(typed).ok_or(Problem::NotOffered))
        });
        let issuer = reader.read("issuer", form.issuer, |typed| {
            let is_own = |path: &UnitPath| viewer.standpoint.may_by_office(Action::WriteDocument, path);
            let issuer = unit(&tree, typed, is_own)?;
            // The current issuer is offered whatever its level.
            let is_offered = current.is_some_and(|current| current.id == issuer.id)
                || viewer.standpoint.may_issue(Action::WriteDocument, &issuer);
            if is_offered { Ok(issuer) } else { Err(Problem::NotOffered) }
        });
        let audience = reader.read("audience", form.audience, |typed| {
            // Authority flows down: nobody publishes beside or above the issuer. Without a valid issuer there is nothing to check
            // against.
            unit(&tree, typed, |path| issuer.as_ref().is_none_or(|issuer| issuer.path.contains(path)))
        });
        let typed = TypedUnits { parts: form.parts, except: form.except };
        // Without an issuer there is nothing to check.
        let unit = audience.as_ref().filter(|_| issuer.is_some());
        let is_known = |path: &UnitPath| issuer.as_ref().is_some_and(|issuer| issuer.path.contains(path));
        let chosen = typed.read(&mut reader, &tree, unit, is_known);
        let standings = reader.read("standings", form.standings, standings_of);
        let mut related = Vec::new();
        for (relation, typed) in
            [(Relation::Supersedes, form.supersedes), (Relation::Amends, form.amends), (Relation::Guides, form.guides)]
        {
            let found = self.named(viewer, typed).await?;
            let rows = reader.read(relation.key(), typed, |_| found);
            related.extend(
                rows.into_iter()
                    .flatten()
                    .map(|document| RelatedRow { document: document.to_string(), relation: relation.key().to_owned() }),
            );
        }
        let coming = |typed: &str| {
            let day = forms::optional(typed, forms::day)?;
            if day.is_some_and(|day| day < today) { Err(Problem::DateRange) } else { Ok(day) }
        };
        let must_read_by = reader.read("must_read_by", form.must_read_by, coming);
        let expires_on = reader.read("expires_on", form.expires_on, coming);
        let correction = reader.read("correction", form.correction, |typed| match forms::optional(typed, Remark::parse)? {
            // Readers of the old text must be able to see what changed, also when it is published again after a withdrawal.
            None if is_correction => Err(Problem::Required),
            remark => Ok(remark),
        });
        let body = reader.read("body", form.body, Body::parse);
        let draft = || {
            let particulars = Particulars {
                kind: kind?,
                number: number?.map(|number| number.as_str().to_owned()),
                title: title?.as_str().to_owned(),
                signer: signer?,
                field: field?,
                issuer: issuer?,
                audience: chosen?.of(audience?, standings?),
                related,
                must_read_by: must_read_by?,
                expires_on: expires_on?,
            };
            Some(Draft { particulars, is_pinned: !form.pinned.is_empty(), correction: correction?, body: body? })
        };
        match draft() {
            Some(draft) if reader.is_clean() => Ok((reader, draft)),
            _ => Err(reader.finish().err().unwrap_or_default().into()),
        }
    }
}

/// The audience of a form, if it is within the units for which the person writes.
///
/// # Errors
/// [`Error::Invalid`] on the form `draft`.
pub(super) fn typed_audience(tree: &Tree, viewer: &Viewer, form: ReachForm<'_>) -> Result<Audience> {
    let is_own = |path: &UnitPath| viewer.standpoint.may_by_office(Action::WriteDocument, path);
    let mut reader = FormReader::new("draft");
    let chosen = reader.read("audience", form.audience, |typed| unit(tree, typed, is_own));
    let units = TypedUnits { parts: form.parts, except: form.except }.read(&mut reader, tree, chosen.as_ref(), is_own);
    let standings = reader.read("standings", form.standings, standings_of);
    match (chosen, units, standings) {
        (Some(unit), Some(units), Some(standings)) => Ok(units.of(unit, standings)),
        _ => Err(reader.finish().err().unwrap_or_default().into()),
    }
}

fn unit(tree: &Tree, typed: &str, fits: impl Fn(&UnitPath) -> bool) -> Result<UnitRef, Problem> {
    if typed.is_empty() {
        return Err(Problem::Required);
    }
    tree.named(typed).filter(|unit| fits(&unit.path)).cloned().ok_or(Problem::NotOffered)
}

fn standings_of(typed: &str) -> Result<Vec<Standing>, Problem> {
    let keys = typed.split(',').map(str::trim).filter(|key| !key.is_empty());
    keys.map(|key| Standing::from_key(key).ok_or(Problem::NotOffered)).collect()
}
