//! The certificate, on one sheet of A4. The print contains nothing but the certificate.

use domain::{Locale, courses::Certificate};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::fns::certificate;
use crate::{
    frame::way_back,
    i18n::use_locale,
    page::show,
    text,
    title::Title,
    ui::{Button, ButtonKind, HERE, IconName, Line, LinkButton, PageHeader},
};

#[component]
pub(crate) fn CertificatePage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let data = Resource::new(move || params.read().get("id").unwrap_or_default(), certificate);
    show(data, move |page| {
        let back = format!("/courses/{}", page.course);
        view! {
            <Title text=text::courses::certificate(l)/>
            <div class="page">
                {way_back(Line::content(&page.title), &back, text::courses::certificate(l))}
                <div class="stack no-print">
                    <PageHeader title=text::courses::certificate(l) lead=text::courses::print_hint(l)>
                        // Hidden until the script is loaded, which does the printing.
                        <Button button_type="button" icon=IconName::Print attr:hidden=true attr:data-print="true">
                            {text::courses::print(l)}
                        </Button>
                        <LinkButton href=back kind=ButtonKind::Secondary>{text::courses::to_course(l)}</LinkButton>
                    </PageHeader>
                </div>
                {sheet(l, page)}
            </div>
        }
        .into_any()
    })
}

fn sheet(l: Locale, page: Certificate) -> AnyView {
    let serial = Line::around(text::courses::certificate_serial(l, HERE), &Line::name(page.serial));
    view! {
        <article class="certificate">
            <p class="certificate-issuer">{Line::name(page.issuer.name).show()}</p>
            <h2 class="certificate-head">{text::courses::certificate_head(l)}</h2>
            <p>{text::courses::certificate_of(l)}</p>
            <p class="certificate-name">{Line::name(page.name).show()}</p>
            <p>{Line::name(page.branch).show()}</p>
            <p>{text::courses::certificate_has(l)}</p>
            <p class="certificate-title">{Line::content(page.title).show()}</p>
            <p>{text::courses::certificate_on(l, l.date(page.done_on))}</p>
            <p class="certificate-serial">{serial.show()}</p>
        </article>
    }
    .into_any()
}
