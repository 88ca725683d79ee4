//! The content of a publication compared with the published text: particulars, text, files. Shown in full on every page that
//! approves.

use domain::{
    Locale,
    documents::desk::{Change, DocumentDraft},
    files::AttachmentSummary,
    ids::UnitId,
    locale::local_date,
    statistics::Reach,
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
pub(super) fn what_goes_out(l: Locale, draft: &DocumentDraft, reach: Reach, change: &Change) -> AnyView {
    let title = match &change.out {
        None => text::desk::change_first(l),
        Some(_) if change.is_out => text::desk::change_out(l),
        Some(_) => text::desk::change_back(l),
    };
    // Whom it is for is one line, with the units that narrow it.
    let facts = PARTICULARS.iter().filter(|one| one.control != "audience").filter_map(|one| {
        let new = one.display_text(l, draft);
        // The note on an earlier correction is not compared.
        let compares = one.control != "correction";
        let old = change.out.as_deref().filter(|_| compares).map(|out| one.display_text(l, out)).filter(|old| *old != new);
        (!new.is_empty() || old.is_some()).then(|| particular(l, (one.label)(l), one.whose(), new, old))
    });
    let facts = facts.collect_view();
    let pieces = change.out.as_ref().map(|out| {
        let (old, new) = (text::desk::version(l, l.number(out.version)), text::desk::version(l, l.number(draft.version)));
        let pieces = difference(l, change.pieces.clone(), old, new);
        view! { <div class="stack" data-part="difference"><h3>{text::desk::change_text(l)}</h3>{pieces}</div> }
    });
    let files = files(l, change);
    let whom = whom(l, draft, change);
    let hint = terms::reach_hint(l, reach).map(|hint| view! { <p class="small muted">{hint}</p> });
    view! {
        <Card title strong=true>
            <div class="stack" data-part="goes-out">
                <DescriptionList>
                    <Fact label=text::desk::reach_label(l)><strong>{terms::reach(l, reach)}</strong></Fact>
                    {whom}
                    {facts}
                </DescriptionList>
                {hint}
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

/// Whom the text is for, and what changes of it. A long list of units is truncated.
fn whom(l: Locale, draft: &DocumentDraft, change: &Change) -> AnyView {
    let all = |units: &[UnitRef]| units.iter().map(|unit| placed(l, unit, &change.parents)).collect::<Vec<_>>();
    let told = |of: &DocumentDraft| {
        let unit = placed(l, &of.audience, &change.parents);
        terms::audience(l, &unit, &all(&of.parts), &all(&of.except))
    };
    let changed = change.out.as_deref().filter(|out| is_for_others(draft, out)).map(|out| {
        let before = Line::around(text::desk::before(l, HERE), &told(out)).show();
        let named = |words: String, units: Vec<UnitRef>| {
            (!units.is_empty()).then(|| view! { <p>{Line::around(words, &terms::units(l, &all(&units))).show()}</p> })
        };
        // Where one of the lists is empty, the two lines say it.
        let both = |new: &[UnitRef], old: &[UnitRef]| {
            if new.is_empty() || old.is_empty() { (Vec::new(), Vec::new()) } else { (without(new, old), without(old, new)) }
        };
        let (come, gone) = both(&draft.parts, &out.parts);
        let (left_out, taken_in) = both(&draft.except, &out.except);
        view! {
            <p><Tag tone=Tone::Warn icon=IconName::Pencil label=text::desk::changed(l)/></p>
            <p class="muted">{before}</p>
            {named(text::desk::parts_come(l, HERE), come)}
            {named(text::desk::parts_gone(l, HERE), gone)}
            {named(text::desk::except_come(l, HERE), left_out)}
            {named(text::desk::except_gone(l, HERE), taken_in)}
        }
    });
    let new = told(draft).show();
    view! { <Fact label=text::desk::audience(l)><p>{new}</p>{changed}</Fact> }.into_any()
}

/// The unit with its parent in the name, as many have the same name.
fn placed(l: Locale, unit: &UnitRef, parents: &[(UnitId, String)]) -> UnitRef {
    let parent = parents.iter().find(|(id, _)| *id == unit.id);
    let name = parent.map_or_else(|| unit.name.clone(), |(_, parent)| text::units::placed(l, &unit.name, parent));
    UnitRef { name, ..unit.clone() }
}

/// Whether two texts are not for the same units. Above parts, the unit makes no difference.
fn is_for_others(new: &DocumentDraft, old: &DocumentDraft) -> bool {
    let differ = |new: &[UnitRef], old: &[UnitRef]| !without(new, old).is_empty() || !without(old, new).is_empty();
    let is_whole = new.parts.is_empty() && old.parts.is_empty();
    (is_whole && new.audience.id != old.audience.id) || differ(&new.parts, &old.parts) || differ(&new.except, &old.except)
}

fn without(units: &[UnitRef], others: &[UnitRef]) -> Vec<UnitRef> {
    units.iter().filter(|unit| others.iter().all(|other| other.id != unit.id)).cloned().collect()
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
