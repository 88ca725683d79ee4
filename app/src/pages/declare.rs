//! Expansion of the table of pages.

/// Defines `PAGES` and `WILDCARDS` for the server, and the routes of both halves. A row with a missing part does not match and
/// fails the build.
macro_rules! pages {
    (
        browser { $(
            $browser_path:tt => $browser_view:ident {
                scripts: $browser_scripts:expr, guide: $browser_guide:expr, access: $browser_access:expr
            },
        )* }
        markup { $(
            $markup_path:tt => $markup_view:ident {
                scripts: $markup_scripts:expr, guide: $markup_guide:expr, access: $markup_access:expr
            },
        )* }
        server { $(
            $wildcard:tt { $(
                $server_path:tt => $server_view:ident {
                    scripts: $server_scripts:expr, guide: $server_guide:expr, access: $server_access:expr
                },
            )* }
        )* }
    ) => {
        /// Every page, in the order of matching.
        #[cfg(feature = "ssr")]
        pub const PAGES: &[Page] = &[
            $(Page {
                path: $browser_path,
                rendering: Rendering::Browser,
                scripts: &$browser_scripts,
                guide: $browser_guide,
                access: $browser_access,
            },)*
            $(Page {
                path: $markup_path,
                rendering: Rendering::Markup,
                scripts: &$markup_scripts,
                guide: $markup_guide,
                access: $markup_access,
            },)*
            $($(Page {
                path: $server_path,
                rendering: Rendering::Server,
                scripts: &$server_scripts,
                guide: $server_guide,
                access: $server_access,
            },)*)*
        ];

        /// Addresses that the browser half leaves to the server: `/desk/*rest` for `/desk` and all below it, `/devices` for that
        /// address only.
        #[cfg(feature = "ssr")]
        const WILDCARDS: &[&str] = &[$($wildcard),*];

        /// Shows the page of the address. Each is one complete document: readable without script, compressed as a whole, with the
        /// right title and status.
        pub(crate) fn routes() -> impl IntoView {
            view! {
                <Routes fallback=NotFoundPage>
                    $(<Route path=path!($browser_path) view=$browser_view ssr=SsrMode::Async/>)*
                    $(<Route path=path!($markup_path) view=$markup_view ssr=SsrMode::Async/>)*
                    <ServerRoutes/>
                </Routes>
            }
        }

        #[cfg(feature = "ssr")]
        #[component(transparent)]
        fn ServerRoutes() -> impl leptos_router::MatchNestedRoutes + Clone {
            view! { $($(<Route path=path!($server_path) view=$server_view ssr=SsrMode::Async/>)*)* }
                .into_inner()
                .into_any_nested_route()
        }

        #[cfg(not(feature = "ssr"))]
        #[component(transparent)]
        fn ServerRoutes() -> impl leptos_router::MatchNestedRoutes + Clone {
            view! { $(<Route path=path!($wildcard) view=ByServer/>)* }.into_inner().into_any_nested_route()
        }
    };
}
