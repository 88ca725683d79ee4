//! The frame of every page: top bar, the member's navigation, the navigation of offices.

use domain::{
    accounts::Viewer,
    ids::UnitId,
    policy::{Action, Role},
    units::UnitRef,
};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

mod badge;

pub use badge::Badge;
#[cfg(feature = "ssr")]
pub use badge::badges;

use self::badge::{badge_at, has_badge};
use crate::{
    acting::Acting,
    context::{use_page, use_viewer},
    i18n::use_locale,
    terms, text,
    ui::{Breadcrumbs, Crumb, HERE, Icon, IconName, Line, content_lang},
};

#[derive(Clone, Copy, PartialEq, Eq)]
struct NavItem {
    href: &'static str,
    icon: IconName,
    label: &'static str,
}

#[component]
pub fn Frame(children: Children) -> impl IntoView {
    let l = use_locale();
    let page = use_page();
    let (viewer, badges, acting_for) = (page.viewer, page.badges, page.acting_for);
    let class = if viewer.is_some() { "frame" } else { "frame frame-bare" };
    view! {
        // `rel="external"`: the browser moves the focus to the target; the router would only scroll.
        <a class="skip-link" href="#content" rel="external">{text::frame::skip(l)}</a>
        <div class=class>
            <header class="top-bar">
                <a class="brand" href="/">
                    <svg class="brand-mark" viewBox="0 0 32 32" aria-hidden="true">
                        <rect x="1" y="1" width="30" height="30" rx="7"></rect>
                        <path d="M16 10.2c-2.2-1.9-5-2.5-8.2-2.4v14.4c3.2-.1 6 .5 8.2 2.4 2.2-1.9 5-2.5 8.2-2.4V7.8c-3.2-.1-6 .5-8.2 2.4v14.4"></path>
                    </svg>
                    <span class="brand-name">{text::frame::product(l)}</span>
                </a>
                {viewer.clone().map(|viewer| unit_here(viewer, acting_for))}
            </header>
            {viewer.as_ref().map(|viewer| rail(viewer, &badges))}
            <main class="content" id="content" tabindex="-1">
                {children()}
            </main>
            {viewer.is_some().then(|| tab_bar(&badges))}
        </div>
    }
}

/// A link from a page back to its parent, with the name `place` and the address `href`.
pub fn way_back(place: impl Into<Line>, href: &str, here: impl Into<Line>) -> AnyView {
    back(place.into(), href, here.into(), false)
}

/// A link from a page of the side navigation back to "more", where the phone lists those pages.
pub fn way_to_more(here: &str) -> AnyView {
    back(text::frame::more(use_locale()).into(), "/more", here.into(), true)
}

/// A link back to the first page, which the desktop has in the side navigation.
pub fn way_home(here: &str) -> AnyView {
    back(text::frame::home(use_locale()).into(), "/", here.into(), true)
}

fn back(place: Line, href: &str, here: Line, phone_only: bool) -> AnyView {
    let crumbs = vec![Crumb::link(place, href), Crumb::here(here)];
    view! { <Breadcrumbs label=text::frame::way(use_locale()) crumbs phone_only/> }.into_any()
}

/// On pages of offices the acting unit, with a link to change it; elsewhere the viewer's own branch.
fn unit_here(viewer: Viewer, chosen: Option<UnitId>) -> AnyView {
    let here = use_location();
    let unit = move || {
        let (path, query) = (here.pathname.get(), here.search.get());
        if let Some(acting) = Acting::at(&viewer, chosen, &path, &query) {
            return unit_acted_for(acting);
        }
        let name = viewer.branch.name.clone();
        view! { <p class="top-bar-place" lang=content_lang() translate="no">{name}</p> }.into_any()
    };
    unit.into_any()
}

fn unit_acted_for(Acting { units, shown, takes_all, place }: Acting) -> AnyView {
    let l = use_locale();
    let name = shown.as_ref().map_or_else(|| text::frame::acting_all(l).to_owned(), |unit| unit.name.clone());
    let lang = shown.as_ref().and_then(|_| content_lang());
    let title = name.clone();
    let label = view! {
        <span class="visually-hidden">{text::frame::acting_for(l)} " "</span>
        <span class="acting-unit" lang=lang translate="no" title=title>{name}</span>
    };
    if units.len() == 1 {
        return view! { <p class="top-bar-unit">{label}</p> }.into_any();
    }
    let choice = |id: String, name: Line, current: bool| {
        // `rel="external"`: the server stores the choice and redirects back.
        view! {
            <li>
                <a href=format!("{place}?for={id}") rel="external" aria-current=current.then_some("true")>{name.show()}</a>
            </li>
        }
    };
    let all = takes_all.then(|| choice(String::new(), text::frame::acting_all(l).into(), shown.is_none()));
    let choices: Vec<_> = units
        .into_iter()
        .map(|unit| {
            let current = shown.as_ref().is_some_and(|shown| shown.id == unit.id);
            choice(unit.id.to_string(), Line::name(unit.name), current)
        })
        .collect();
    view! {
        <details class="acting">
            <summary>{label}</summary>
            <ul role="list">{all} {choices}</ul>
        </details>
    }
    .into_any()
}

fn member_nav_items() -> [NavItem; 5] {
    let l = use_locale();
    [
        NavItem { href: "/", icon: IconName::Home, label: text::frame::home(l) },
        NavItem { href: "/library", icon: IconName::Book, label: text::frame::library(l) },
        NavItem { href: "/meetings", icon: IconName::Calendar, label: text::frame::meetings(l) },
        NavItem { href: "/opinions", icon: IconName::Message, label: text::frame::opinions(l) },
        NavItem { href: "/more", icon: IconName::More, label: text::frame::more(l) },
    ]
}

/// Navigation of one office: its role, the acting unit, and the entries.
struct StaffPlaces {
    role: Role,
    unit: UnitRef,
    places: Vec<NavItem>,
}

/// The navigation of a person's offices, each office once.
fn staff_places(viewer: &Viewer) -> Vec<StaffPlaces> {
    let l = use_locale();
    let places = [
        (&[Action::WriteDocument][..], NavItem { href: "/desk", icon: IconName::Compose, label: text::frame::desk(l) }),
        (
            &[Action::ManageCourses][..],
            NavItem { href: "/courses/manage", icon: IconName::CheckCircle, label: text::courses::place(l) },
        ),
        (
            &[Action::ReadOpinions, Action::WriteDocument][..],
            NavItem { href: "/branch", icon: IconName::People, label: text::frame::branch(l) },
        ),
        (&[Action::ReadStatistics][..], NavItem { href: "/readers", icon: IconName::Eye, label: text::readers::title(l) }),
        (&[Action::ReadStatistics][..], NavItem { href: "/committee", icon: IconName::Chart, label: text::frame::committee(l) }),
        (&[Action::ManageUnit][..], NavItem { href: "/units", icon: IconName::Layers, label: text::frame::units(l) }),
        (&[Action::ReadMembers][..], NavItem { href: "/members", icon: IconName::Card, label: text::frame::members(l) }),
        (&[Action::IssueCodes][..], NavItem { href: "/codes", icon: IconName::Key, label: text::codes::place(l) }),
        (&[Action::ReadAudit][..], NavItem { href: "/audit", icon: IconName::History, label: text::frame::audit(l) }),
    ];
    let mut offices: Vec<StaffPlaces> = Vec::new();
    for (actions, place) in places {
        // If several offices open it, the one that covers the first of these actions.
        let office = actions.iter().find_map(|action| viewer.office_held(|role| role.covers(*action)));
        let Some(office) = office else { continue };
        match offices.iter_mut().find(|known| known.role == office.role && known.unit.id == office.unit.id) {
            Some(known) => known.places.push(place),
            None => offices.push(StaffPlaces { role: office.role, unit: office.unit.clone(), places: vec![place] }),
        }
    }
    offices
}

fn rail(viewer: &Viewer, badges: &[Badge]) -> AnyView {
    let l = use_locale();
    let staff: Vec<_> = staff_places(viewer)
        .into_iter()
        .map(|StaffPlaces { role, unit, places }| {
            view! {
                <div class="rail-staff">
                    <p class="rail-title">
                        {terms::role_at(l, role, unit.kind)} " "
                        <span class="rail-unit" lang=content_lang() translate="no">{unit.name}</span>
                    </p>
                    {link_list(places, "rail-link", badges)}
                </div>
            }
        })
        .collect();
    view! {
        <nav class="rail" aria-label=text::frame::places(l)>
            {link_list(member_nav_items(), "rail-link", badges)}
            {staff}
        </nav>
    }
    .into_any()
}

fn tab_bar(badges: &[Badge]) -> AnyView {
    let l = use_locale();
    view! {
        <nav class="tab-bar" aria-label=text::frame::places(l)>
            {link_list(member_nav_items(), "tab", badges)}
        </nav>
    }
    .into_any()
}

/// The navigation of offices as a list, for phones without side navigation; with the numbers of pending items.
#[component]
pub fn StaffMenu(badges: Vec<Badge>) -> impl IntoView {
    let l = use_locale();
    use_viewer().map(|viewer| {
        let links: Vec<_> = staff_places(&viewer)
            .into_iter()
            .flat_map(|StaffPlaces { role, unit, places }| {
                let office = text::account::office(l, terms::role_at(l, role, unit.kind), HERE);
                let office = Line::around(office, &Line::name(unit.name));
                let badges = &badges;
                places.into_iter().map(move |place| {
                    view! {
                        <li>
                            <a class="menu-link" href=place.href>
                                <Icon name=place.icon/>
                                <span>{place.label} " " <span class="menu-note">{office.clone().show()}</span></span>
                                {badge_at(badges, place.href)}
                                <Icon name=IconName::Next/>
                            </a>
                        </li>
                    }
                })
            })
            .collect();
        (!links.is_empty()).then(|| {
            view! {
                <section class="stack-tight">
                    <h2>{text::home::work(l)}</h2>
                    <ul class="menu" role="list">{links}</ul>
                </section>
            }
        })
    })
}

fn link_list(places: impl IntoIterator<Item = NavItem>, class: &'static str, badges: &[Badge]) -> AnyView {
    let links = places.into_iter().map(|place| view! { <li>{link(place, class, badges)}</li> }).collect_view();
    view! { <ul role="list">{links}</ul> }.into_any()
}

/// What everybody reaches through "more".
pub(crate) const THROUGH_MORE: [&str; 6] = ["/more", "/courses", "/record", "/guides", "/devices", "/password"];

/// Where the phone has no tab of its own for: reached through "more" as well.
pub(crate) const WORK_THROUGH_MORE: [&str; 14] = [
    "/courses/manage",
    "/audit",
    "/desk",
    "/branch",
    "/committee",
    "/readers",
    "/units",
    "/reorganisations",
    "/members",
    "/corrections",
    "/transfers",
    "/quality",
    "/imports",
    "/codes",
];

fn link(place: NavItem, class: &'static str, badges: &[Badge]) -> AnyView {
    let badge = has_badge(place.href, class == "tab").then(|| badge_at(badges, place.href));
    let here = use_location().pathname;
    let current = move || {
        let here = here.get();
        let lies_in = |places: &[&str]| places.iter().any(|start| here.starts_with(start));
        let inside = match place.href {
            "/" => here == "/",
            // On the phone the staff places are reached through this one.
            "/more" if lies_in(&WORK_THROUGH_MORE) => class == "tab",
            "/more" => lies_in(&THROUGH_MORE),
            "/library" => lies_in(&["/library", "/search", "/shelf"]),
            // What waits in the registry is reached through it.
            "/members" => lies_in(&["/members", "/corrections", "/transfers", "/quality", "/imports"]),
            "/units" => lies_in(&["/units", "/reorganisations"]),
            start => here.starts_with(start),
        };
        inside.then_some("page")
    };
    view! {
        <a class=class href=place.href aria-current=current>
            <Icon name=place.icon/>
            <span>{place.label}</span>
            {badge}
        </a>
    }
    .into_any()
}
