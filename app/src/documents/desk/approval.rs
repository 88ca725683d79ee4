//! The content of a publication compared with the published text: particulars, text, files. Shown in full on every page that
//! approves.

use domain::{
    Locale,
    documents::desk::{Change, DocumentDraft},
    files::AttachmentSummary,
    locale::local_date,
    units::UnitRef,
};
use leptos::prelude::*;

use super::{difference::difference, particulars::PARTICULARS};
use crate::{
    files::Attachments,
    terms, text,
    ui::{Card, DescriptionList, Fact, HERE, IconName, Line, Notice, NoticeKind, Tag, Tone, Whose},
};

/// The content of the publication. Changes are marked, with the previous value.
pub(super) fn what_goes_out(l: Locale, draft: &DocumentDraft, reach: String, change: &Change) -> AnyView {
    let title = match &change.out {
        None => text::desk::change_first(l),
        Some(_) if change.is_out => text::desk::change_out(l),
        Some(_) => text::desk::change_back(l),
    };
    let facts = PARTICULARS.iter().filter_map(|one| {
        let new = one.told(l, draft);
        // The note on an earlier correction is not compared.
        let compares = one.control != "correction";
        let old = change.out.as_deref().filter(|_| compares).map(|out| one.told(l, out)).filter(|old| *old != new);
        (!new.is_empty() || old.is_some()).then(|| particular(l, (one.label)(l), one.whose(), new, old))
    });
    let facts = facts.collect_view();
    let pieces = change.out.as_ref().map(|out| {
        let (old, new) = (text::desk::version(l, l.number(out.version)), text::desk::version(l, l.number(draft.version)));
        let pieces = difference(l, change.pieces.clone(), old, new);
        view! { <div class="stack" data-part="difference"><h3>{text::desk::change_text(l)}</h3>{pieces}</div> }
    });
    let files = files(l, change);
    let out = change.out.as_deref();
    let parts = units(l, text::desk::parts(l), text::desk::parts_all(l), &draft.parts, out.map(|out| out.parts.as_slice()));
    let none = text::units::except_none(l);
    let except = units(l, text::units::except(l), none, &draft.except, out.map(|out| out.except.as_slice()));
    let whom = terms::audience(l, &draft.audience, &draft.parts, &draft.except).show();
    view! {
        <Card title strong=true>
            <div class="stack" data-part="goes-out">
                <DescriptionList>
                    <Fact label=text::desk::reach_label(l)><strong>{reach}</strong><p>{whom}</p></Fact>
                    {parts}
                    {except}
                    {facts}
                </DescriptionList>
                {files}
                {pieces}
            </div>
        </Card>
    }
    .into_any()
}

fn particular(l: Locale, label: &'static str, whose: Whose, new: String, old: Option<String>) -> AnyView {
    let said = |value: String| if value.is_empty() { text::desk::nothing_set(l).into() } else { Line::of(whose, value) };
    let new = said(new).show();
    let old = old.map(|old| {
        let old = Line::around(text::desk::before(l, HERE), &said(old)).show();
        view! {
            <p><Tag tone=Tone::Warn icon=IconName::Pencil label=text::desk::changed(l)/></p>
            <p class="muted">{old}</p>
        }
    });
    view! { <Fact label><p class="as-typed">{new}</p>{old}</Fact> }.into_any()
}

/// The units that narrow an audience, and which of them changed: a long list is truncated. `none` are the words for no unit.
fn units(l: Locale, label: &'static str, none: &'static str, new: &[UnitRef], old: Option<&[UnitRef]>) -> Option<AnyView> {
    let without = |units: &[UnitRef], others: &[UnitRef]| -> Vec<UnitRef> {
        units.iter().filter(|unit| others.iter().all(|other| other.id != unit.id)).cloned().collect()
    };
    let told = |units: &[UnitRef]| if units.is_empty() { none.into() } else { terms::units(l, units) };
    let (come, gone) = old.map(|old| (without(new, old), without(old, new))).unwrap_or_default();
    let is_changed = !come.is_empty() || !gone.is_empty();
    if new.is_empty() && !is_changed {
        return None;
    }
    let changed = old.filter(|_| is_changed).map(|old| {
        let some = !new.is_empty() && !old.is_empty();
        let named = |words: String, units: &[UnitRef]| {
            (some && !units.is_empty()).then(|| view! { <p>{Line::around(words, &terms::units(l, units)).show()}</p> })
        };
        let come = named(text::desk::parts_come(l, HERE), &come);
        let gone = named(text::desk::parts_gone(l, HERE), &gone);
        let before = Line::around(text::desk::before(l, HERE), &told(old)).show();
        view! {
            <p><Tag tone=Tone::Warn icon=IconName::Pencil label=text::desk::changed(l)/></p>
            <p class="muted">{before}</p>
            {come}
            {gone}
        }
    });
    let new = told(new).show();
    Some(view! { <Fact label><p>{new}</p>{changed}</Fact> }.into_any())
}

fn files(l: Locale, change: &Change) -> AnyView {
    let without = |files: &[AttachmentSummary], others: &[AttachmentSummary]| {
        let names = files.iter().filter(|file| others.iter().all(|other| other.id != file.id)).map(|file| file.name.clone());
        names.collect::<Vec<_>>().join(", ")
    };
    let none = change.files.is_empty().then(|| view! { <p class="muted">{text::desk::no_files(l)}</p> });
    let (come, gone) = (without(&change.files, &change.old_files), without(&change.old_files, &change.files));
    let come = (change.out.is_some() && !come.is_empty()).then(|| view! { <p>{text::desk::files_come(l, come)}</p> });
    let gone = (!gone.is_empty()).then(|| view! { <p>{text::desk::files_gone(l, gone)}</p> });
    view! { <Attachments l files=change.files.clone()/> {none} {come} {gone} }.into_any()
}

/// Confirmation that an approval brings back a withdrawn document.
pub(super) fn comes_back(l: Locale, change: &Change, members: String) -> AnyView {
    let Some(withdrawn) = &change.withdrawn else { return ().into_any() };
    let on = l.long_date_within(local_date(withdrawn.at));
    let (title, because) = match &withdrawn.reason {
        Some(reason) => {
            (text::desk::comes_back(l, on), Some(Line::around(text::desk::withdrawn_because(l, HERE), &Line::content(reason))))
        }
        None => (text::desk::comes_back_over(l, on), None),
    };
    view! {
        <Notice kind=NoticeKind::Warn title>
            {because.map(|because| view! { <p class="as-typed">{because.show()}</p> })}
            <p>{text::desk::comes_back_hint(l, members)}</p>
        </Notice>
    }
    .into_any()
}
