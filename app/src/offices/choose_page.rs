//! Chooses the unit on which a role is granted. The page of its roles comes next, because the names of roles depend on the level of
//! the unit.

use domain::{
    Locale,
    forms::{FieldProblem, FormErrors},
    offices::{self, Candidate},
    units::PickPurpose,
};
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, params::ParamsMap};

use super::fns::choose_unit;
use crate::{
    i18n::use_locale,
    page::show,
    terms::{Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{Breadcrumbs, Button, ButtonKind, Crumb, ErrorSummary, IconName, LinkButton, PageHeader},
    units::picker::{FIND, UnitField, unit_field},
};

const ADDRESS: &str = "/units/roles";

const LABELS: Labels = &[("unit", text::offices::unit)];

/// The query of the page, from its address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Asked {
    unit: Option<String>,
    /// Present if the form was sent.
    find: Option<String>,
    then: Option<String>,
    member: Option<String>,
}

impl Asked {
    fn read(query: &ParamsMap) -> Self {
        Self { unit: query.get("unit"), find: query.get("find"), then: query.get("then"), member: query.get("member") }
    }

    /// Whether the form was sent to continue, not for a search.
    fn is_final(&self) -> bool {
        self.find.is_some() && self.then.as_deref() != Some(FIND)
    }

    /// The page of the roles of the selected unit.
    fn destination(&self, page: &offices::ChooseUnitPage) -> Option<String> {
        let unit = page.units.selected.as_ref().filter(|_| self.is_final())?.unit.id;
        let query: ParamsMap = self.member.clone().into_iter().map(|member| ("member", member)).collect();
        Some(format!("/units/{unit}/roles{}", query.to_query_string()))
    }
}

#[component]
pub fn ChooseUnitPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let asked = Memo::new(move |_| Asked::read(&query.read()));
    let data = Resource::new(
        move || asked.get(),
        |asked| {
            let is_final = asked.is_final();
            choose_unit(asked.unit, asked.find, asked.member, is_final)
        },
    );
    show(data, move |page| {
        let asked = asked.get_untracked();
        if let Some(destination) = asked.destination(&page) {
            leptos_axum::redirect(&destination);
        }
        shown(l, page, asked)
    })
}

fn shown(l: Locale, page: offices::ChooseUnitPage, asked: Asked) -> AnyView {
    let title = text::offices::choose_title(l);
    let lead = match &page.candidate {
        Some(Candidate { name, .. }) => text::offices::choose_for(l, name),
        None => text::offices::choose_lead(l).to_owned(),
    };
    let crumbs = vec![Crumb::link(text::units::title(l), "/units"), Crumb::here(text::offices::give_title(l))];
    let problems = page.problem.into_iter().map(|problem| FieldProblem::new("unit", problem)).collect();
    let errors = RwSignal::new(Some(FormErrors { problems, ..FormErrors::default() }));
    let unit = UnitField {
        purpose: PickPurpose::Role,
        legend: text::offices::unit(l),
        hint: text::offices::unit_hint(l),
        page: ADDRESS,
        choices: page.units,
        find: asked.find.unwrap_or_default(),
        error: field_error(l, errors, LABELS, "unit"),
    };
    let member = asked.member.map(|member| view! { <input type="hidden" name="member" value=member/> });
    view! {
        <Title text=title/>
        <div class="page page-narrow">
            <Breadcrumbs label=text::offices::way(l) crumbs/>
            <PageHeader title lead/>
            <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, errors, LABELS)/>
            <form class="form" method="get" action=ADDRESS>
                {member}
                {unit_field(l, unit)}
                <div class="actions">
                    <Button wide=true icon=IconName::ArrowRight>{text::offices::to_unit(l)}</Button>
                    <LinkButton href="/units" kind=ButtonKind::Quiet>{text::offices::to_units(l)}</LinkButton>
                </div>
            </form>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_not_final() {
        let asked = |pairs: &[(&'static str, &str)]| {
            let query: ParamsMap = pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
            Asked::read(&query).is_final()
        };
        assert!(!asked(&[]), "opened by a link");
        assert!(!asked(&[("unit", "01A"), ("member", "01B")]), "with a unit that a link selects");
        assert!(!asked(&[("find", "ben"), ("then", FIND)]));
        assert!(asked(&[("find", ""), ("unit", "01A")]));
        assert!(asked(&[("find", "ben")]), "without a unit, so that one is asked for");
    }
}
