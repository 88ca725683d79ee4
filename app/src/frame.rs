//! The frame around every page: top bar, the member's places, the places of one's offices.

use domain::{
    accounts::Viewer,
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
    context::{use_page, use_viewer},
    i18n::use_locale,
    terms, text,
    ui::{Icon, IconName, content_lang},
};

#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    href: &'static str,
    icon: IconName,
    label: &'static str,
}

#[component]
pub fn Frame(children: Children) -> impl IntoView {
    let l = use_locale();
    let page = use_page();
    let (viewer, badges) = (page.viewer, page.badges);
    let class = if viewer.is_some() { "frame" } else { "frame frame-bare" };
    let unit = viewer.as_ref().map(|viewer| viewer.branch.name.clone());
    view! {
        // Left to the browser, which moves the focus there; the router would only scroll.
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
                {unit.map(|name| view! { <p class="top-bar-place" lang=content_lang() translate="no">{name}</p> })}
            </header>
            {viewer.as_ref().map(|viewer| rail(viewer, &badges))}
            <main class="content" id="content" tabindex="-1">
                {children()}
            </main>
            {viewer.is_some().then(|| tab_bar(&badges))}
        </div>
    }
}

fn member_places() -> [Place; 5] {
    let l = use_locale();
    [
        Place { href: "/", icon: IconName::Home, label: text::frame::home(l) },
        Place { href: "/library", icon: IconName::Book, label: text::frame::library(l) },
        Place { href: "/meetings", icon: IconName::Calendar, label: text::frame::meetings(l) },
        Place { href: "/opinions", icon: IconName::Message, label: text::frame::opinions(l) },
        Place { href: "/more", icon: IconName::More, label: text::frame::more(l) },
    ]
}

/// What one office opens: the role one acts in, the unit one acts for, and the places.
struct StaffPlaces {
    role: Role,
    unit: UnitRef,
    places: Vec<Place>,
}

/// The places of one's offices, each office once.
fn staff_places(viewer: &Viewer) -> Vec<StaffPlaces> {
    let l = use_locale();
    let places = [
        (Action::WriteDocument, Place { href: "/desk", icon: IconName::Compose, label: text::frame::desk(l) }),
        (Action::ManageCourses, Place { href: "/courses/manage", icon: IconName::CheckCircle, label: text::courses::place(l) }),
        (Action::ReadOpinions, Place { href: "/branch", icon: IconName::People, label: text::frame::branch(l) }),
        (Action::ReadStatistics, Place { href: "/readers", icon: IconName::Eye, label: text::readers::title(l) }),
        (Action::ReadStatistics, Place { href: "/committee", icon: IconName::Chart, label: text::frame::committee(l) }),
        (Action::ManageUnit, Place { href: "/units", icon: IconName::Layers, label: text::frame::units(l) }),
        (Action::ReadMembers, Place { href: "/members", icon: IconName::Card, label: text::frame::members(l) }),
        (Action::IssueCodes, Place { href: "/codes", icon: IconName::Key, label: text::codes::place(l) }),
        (Action::ReadAudit, Place { href: "/audit", icon: IconName::History, label: text::frame::audit(l) }),
    ];
    let mut offices: Vec<StaffPlaces> = Vec::new();
    for (action, place) in places {
        let Some(office) = viewer.office_held(|role| role.covers(action)) else { continue };
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
            {link_list(member_places(), "rail-link", badges)}
            {staff}
        </nav>
    }
    .into_any()
}

fn tab_bar(badges: &[Badge]) -> AnyView {
    let l = use_locale();
    view! {
        <nav class="tab-bar" aria-label=text::frame::places(l)>
            {link_list(member_places(), "tab", badges)}
        </nav>
    }
    .into_any()
}

/// The staff places as a list, for the phone, where there is no rail; with the numbers of what waits there.
#[component]
pub fn StaffMenu(badges: Vec<Badge>) -> impl IntoView {
    let l = use_locale();
    use_viewer().map(|viewer| {
        let links: Vec<_> = staff_places(&viewer)
            .into_iter()
            .flat_map(|StaffPlaces { role, unit, places }| {
                let office = text::account::office(l, terms::role_at(l, role, unit.kind), unit.name);
                let badges = &badges;
                places.into_iter().map(move |place| {
                    view! {
                        <li>
                            <a class="menu-link" href=place.href>
                                <Icon name=place.icon/>
                                <span>{place.label} " " <span class="menu-note">{office.clone()}</span></span>
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

fn link_list(places: impl IntoIterator<Item = Place>, class: &'static str, badges: &[Badge]) -> AnyView {
    let links = places.into_iter().map(|place| view! { <li>{link(place, class, badges)}</li> }).collect_view();
    view! { <ul role="list">{links}</ul> }.into_any()
}

/// Where the phone has no tab of its own for: reached through "more".
const THROUGH_MORE: [&str; 18] = [
    "/more",
    "/courses",
    "/record",
    "/audit",
    "/guides",
    "/devices",
    "/password",
    "/desk",
    "/branch",
    "/committee",
    "/readers",
    "/units",
    "/members",
    "/corrections",
    "/transfers",
    "/quality",
    "/imports",
    "/codes",
];

fn link(place: Place, class: &'static str, badges: &[Badge]) -> AnyView {
    let badge = has_badge(place.href, class == "tab").then(|| badge_at(badges, place.href));
    let here = use_location().pathname;
    let current = move || {
        let here = here.get();
        let inside = match place.href {
            "/" => here == "/",
            // On the phone the staff places are reached through this one.
            "/more" if class == "tab" => THROUGH_MORE.iter().any(|start| here.starts_with(start)),
            "/library" => ["/library", "/search", "/shelf"].iter().any(|start| here.starts_with(start)),
            // What waits in the registry is reached through it.
            "/members" => ["/members", "/corrections", "/transfers", "/quality"].iter().any(|start| here.starts_with(start)),
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
