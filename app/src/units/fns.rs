//! Server functions of the units.

use domain::{forms::Outcome, ids::UnitId, units};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// The viewer's units as a tree, today or on a past day, with the children of the units in `open`; with a search for words or a
/// code, the units of the viewer's subtrees that have or had them.
#[server(prefix = "/api", endpoint = "units/list", input = GetUrl)]
pub async fn list(
    q: Option<String>,
    open: Option<String>,
    sort: Option<String>,
    on: Option<String>,
) -> Result<units::UnitsPage, AppError> {
    use backend::units::ListQuery;
    use domain::tables::Order;

    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(
        async {
            let backend = backend()?;
            let (on, day_problem) = past_day(on, backend.clock().today());
            let query =
                ListQuery { words: q.as_deref(), open: open.as_deref(), order: sort.as_deref().and_then(Order::parse), on };
            let page = backend.unit_desk().list_by(&viewer()?, query).await?;
            Ok::<_, AppError>(units::UnitsPage { day_problem, ..page })
        }
        .await,
    )
}

/// The units that have or had a name or code, or the one with the id `unit`, with what became of each.
#[server(prefix = "/api", endpoint = "units/became", input = GetUrl)]
pub async fn became(
    q: Option<String>,
    unit: Option<String>,
    on: Option<String>,
    number: Option<u32>,
) -> Result<units::BecamePage, AppError> {
    use backend::units::BecameQuery;

    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(
        async {
            let backend = backend()?;
            let (on, day_problem) = past_day(on, backend.clock().today());
            let query = if day_problem.is_some() {
                // Nothing is searched until the day is corrected.
                BecameQuery::default()
            } else {
                BecameQuery { words: q.as_deref(), unit: unit.as_deref(), on, page: number.unwrap_or(1) }
            };
            let page = backend.unit_desk().became(&viewer()?, query).await?;
            Ok::<_, AppError>(units::BecamePage { day_problem, ..page })
        }
        .await,
    )
}

/// The units that have or had a code, or a path of codes such as `01.51.001`.
#[server(prefix = "/api", endpoint = "units/by_code", input = GetUrl)]
pub async fn by_code(code: String) -> Result<units::ByCode, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(async { Ok::<_, AppError>(backend()?.unit_desk().by_code(&viewer()?, &code).await?) }.await)
}

/// One unit, today or on a past day, with a page of its children; with a search for words or a code, of the matching ones.
#[server(prefix = "/api", endpoint = "units/page", input = GetUrl)]
pub async fn page(unit: String, on: Option<String>, q: Option<String>, number: Option<u32>) -> Result<units::UnitPage, AppError> {
    use backend::units::BelowQuery;

    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(
        async {
            let viewer = viewer()?;
            let on = day_in(on)?;
            let below = BelowQuery { words: q.as_deref(), page: number.unwrap_or(1) };
            Ok::<_, AppError>(backend()?.unit_desk().page(&viewer, &unit, on, below).await?)
        }
        .await,
    )
}

/// Units of a search, as the script of the picker shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PickerRows {
    /// The id and the label of each.
    pub rows: Vec<(UnitId, String)>,
    /// How many more there are, or that there is none.
    pub told: String,
}

/// Units that the viewer may choose for a purpose, found by words of the name or by the code: those below `within`, or all.
#[server(prefix = "/api", endpoint = "units/pick", input = GetUrl)]
pub async fn pick(purpose: String, within: Option<String>, q: Option<String>) -> Result<PickerRows, AppError> {
    use domain::units::PickPurpose;

    use super::picker::{label, status_text};
    use crate::{
        context::request::{backend, request_context, viewer},
        error::{Kind, respond},
    };

    respond(
        async {
            let viewer = viewer()?;
            let purpose = PickPurpose::from_key(&purpose).ok_or_else(|| AppError::new(Kind::NotFound))?;
            let typed = q.unwrap_or_default();
            let found = backend()?.unit_desk().pick(&viewer, purpose, within.as_deref(), &typed).await?;
            let l = request_context().map(|context| context.page.preferences.locale).unwrap_or_default();
            let told = status_text(l, &typed, found.units.len(), found.more);
            let rows = found.units.iter().map(|choice| (choice.unit.id, label(l, choice))).collect();
            Ok::<_, AppError>(PickerRows { rows, told })
        }
        .await,
    )
}

/// Possible new parents of a unit, or units it can be merged into.
#[server(prefix = "/api", endpoint = "units/targets", input = GetUrl)]
pub async fn targets(unit: String, step: String, q: Option<String>) -> Result<units::UnitTargets, AppError> {
    use domain::units::UnitStep;

    use crate::{
        context::request::{backend, viewer},
        error::{Kind, respond},
    };

    respond(
        async {
            let viewer = viewer()?;
            let step = UnitStep::from_key(&step).ok_or_else(|| AppError::new(Kind::NotFound))?;
            Ok::<_, AppError>(backend()?.unit_desk().targets(&viewer, &unit, step, q.as_deref()).await?)
        }
        .await,
    )
}

/// The members of a branch to split.
#[server(prefix = "/api", endpoint = "units/roster", input = GetUrl)]
pub async fn roster(unit: String) -> Result<units::Roster, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(async { Ok::<_, AppError>(backend()?.unit_desk().roster(&viewer()?, &unit).await?) }.await)
}

/// Creates a child unit.
#[server(prefix = "/api", endpoint = "units/create")]
pub async fn create(parent: String, kind: String, code: String, name: String, on: String) -> Result<Outcome, AppError> {
    use backend::units::NewUnitForm;

    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("unit_new", &[("kind", &kind), ("code", &code), ("name", &name), ("on", &on)]);
    let typed = NewUnitForm { parent: &parent, kind: &kind, code: &code, name: &name, on: &on };
    let result = async { Ok(done(backend()?.unit_desk().create(&viewer()?, typed).await?, "new")) }.await;
    form.settle(result).await
}

/// Renames a unit.
#[server(prefix = "/api", endpoint = "units/rename")]
pub async fn rename(unit: String, version: String, name: String, on: String) -> Result<Outcome, AppError> {
    use backend::units::RenameForm;

    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("unit_rename", &[("name", &name), ("on", &on)]);
    let typed = RenameForm { unit: &unit, version: &version, name: &name, on: &on };
    let result = async { Ok(done(backend()?.unit_desk().rename(&viewer()?, typed).await?, "rename")) }.await;
    form.settle(result).await
}

/// Sets the phase of the roll-out in a unit.
#[server(prefix = "/api", endpoint = "units/phase")]
pub async fn set_phase(
    unit: String,
    version: String,
    phase: String,
    live_from: String,
    contact: String,
) -> Result<Outcome, AppError> {
    use backend::units::PhaseForm;

    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("unit_phase", &[("phase", &phase), ("live_from", &live_from), ("contact", &contact)]);
    let typed = PhaseForm { unit: &unit, version: &version, phase: &phase, live_from: &live_from, contact: &contact };
    let result = async { Ok(done(backend()?.unit_desk().set_phase(&viewer()?, typed).await?, "phase")) }.await;
    form.settle(result).await
}

/// Moves a unit below another one.
#[server(prefix = "/api", endpoint = "units/move")]
pub async fn move_below(
    unit: String,
    version: String,
    #[server(default)] target: String,
    code: String,
    on: String,
) -> Result<Outcome, AppError> {
    use backend::units::MoveForm;

    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("unit_move", &[("target", &target), ("code", &code), ("on", &on)]);
    let typed = MoveForm { unit: &unit, version: &version, target: &target, code: &code, on: &on };
    let result = async { Ok(done(backend()?.unit_desk().move_below(&viewer()?, typed).await?, "move")) }.await;
    form.settle(result).await
}

/// Merges a unit into another one.
#[server(prefix = "/api", endpoint = "units/merge")]
pub async fn merge(unit: String, version: String, #[server(default)] target: String, on: String) -> Result<Outcome, AppError> {
    use backend::units::MergeForm;

    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("unit_merge", &[("target", &target), ("on", &on)]);
    let typed = MergeForm { unit: &unit, version: &version, target: &target, on: &on };
    let result = async { Ok(done(backend()?.unit_desk().merge(&viewer()?, typed).await?, "merge")) }.await;
    form.settle(result).await
}

/// Splits a branch: the new branch, and the members who move to it.
#[server(prefix = "/api", endpoint = "units/split")]
pub async fn split(
    unit: String,
    version: String,
    code: String,
    name: String,
    on: String,
    #[server(default)] members: Vec<String>,
) -> Result<Outcome, AppError> {
    use backend::units::SplitForm;

    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let chosen = members.join(" ");
    let form = Submitted::new("unit_split", &[("code", &code), ("name", &name), ("on", &on), ("members", &chosen)]);
    let typed = SplitForm { unit: &unit, version: &version, code: &code, name: &name, on: &on, members: &members };
    let result = async { Ok(done(backend()?.unit_desk().split(&viewer()?, typed).await?, "split")) }.await;
    form.settle(result).await
}

/// Closes a unit that has neither members nor child units.
#[server(prefix = "/api", endpoint = "units/close")]
pub async fn close(unit: String, version: String, on: String) -> Result<Outcome, AppError> {
    use backend::units::CloseForm;

    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("unit_close", &[("on", &on)]);
    let typed = CloseForm { unit: &unit, version: &version, on: &on };
    let result = async { Ok(done(backend()?.unit_desk().close(&viewer()?, typed).await?, "close")) }.await;
    form.settle(result).await
}

/// The day in an address; empty for none.
#[cfg(feature = "ssr")]
fn day_in(on: Option<String>) -> Result<Option<chrono::NaiveDate>, AppError> {
    use domain::forms::{day, optional};

    optional(&on.unwrap_or_default(), day).map_err(|_| AppError::new(crate::error::Kind::Invalid))
}

/// The day in an address, today at the latest, or what is wrong with it, for the field of the page.
#[cfg(feature = "ssr")]
fn past_day(on: Option<String>, today: chrono::NaiveDate) -> (Option<chrono::NaiveDate>, Option<domain::forms::Problem>) {
    use domain::forms::{Problem, day, optional};

    match optional(&on.unwrap_or_default(), day) {
        Ok(Some(on)) if on > today => (None, Some(Problem::DateRange)),
        Ok(on) => (on, None),
        Err(problem) => (None, Some(problem)),
    }
}

/// Redirects to the unit's page with a reload, because the frame shows units too.
#[cfg(feature = "ssr")]
fn done(unit: domain::ids::UnitId, step: &str) -> Outcome {
    Outcome::Done { to: format!("/units/{unit}?done={step}"), reload: true }
}
