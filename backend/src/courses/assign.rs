//! Assigning a course, ending it, and copying it.

use domain::{
    accounts::Viewer,
    audience::Audience,
    courses::{AssignPage, CourseState, CourseStep, UnitChoice},
    documents::DocumentSummary,
    events::EventBody,
    folding::fold,
    forms::{FormReader, Problem, day},
    ids::{CourseId, DocumentId, UnitId},
    members::Standing,
    statistics::Reach,
    units::{PickedUnits, UnitPath, UnitRef},
};

use super::{Course, Courses, QuestionRow, count, desk::UNCHANGED};
use crate::{
    Error, Result,
    change::Change,
    store::{StoreError, record, vars},
    units::{
        Tree,
        chosen::{TypedUnits, part_choices},
    },
};

/// Units offered at a time.
const OFFERED: usize = 200;

/// Standings to which a course can be restricted. Courses are not assigned to exempt members.
const STANDINGS: [Standing; 2] = [Standing::Official, Standing::Probationary];

/// The form, as typed.
#[derive(Debug, Clone, Copy)]
pub struct AssignForm<'f> {
    pub course: &'f str,
    pub version: &'f str,
    pub unit: &'f str,
    /// Limits it to these parts of the unit: ids of units below it, and keys of levels. Empty for all of it.
    pub parts: &'f [String],
    /// Leaves out these units: ids of units below it.
    pub except: &'f [String],
    /// Empty for all members.
    pub standings: &'f [String],
    pub due_on: &'f str,
}

impl Courses<'_> {
    /// The confirmation page before a course is assigned: the unit, its number of members, and documents that do not reach them.
    /// `typed` searches units by name; `picked` are the units of a form that is not sent.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the person may not know of the course or of the unit, [`Error::NotAllowed`] for a person who may
    /// only take the course and for a course that is already assigned.
    pub async fn assignment(
        &self,
        viewer: &Viewer,
        id: CourseId,
        unit: Option<UnitId>,
        typed: &str,
        picked: &PickedUnits,
    ) -> Result<AssignPage> {
        let course = self.managed(viewer, id).await?;
        course.step(CourseStep::Assign)?;
        let tree = self.backend.units().tree();
        let chosen = match unit {
            Some(unit) => tree.get(unit).filter(|unit| course.issuer.path.contains(&unit.path)).ok_or(Error::NotFound)?,
            None => tree.at(&course.issuer.path).ok_or(Error::NotFound)?,
        };
        let text = self.text(id).await?;
        // A selection with a problem is reported when the form is sent; until then the page is that of the whole unit.
        let audience = picked_audience(&tree, &course.issuer, chosen, picked).unwrap_or_else(|| Audience::of(chosen.clone()));
        let statistics = self.backend.statistics();
        let choice =
            |unit: &UnitRef| UnitChoice { members: statistics.members(&viewer.standpoint, &tree, unit), unit: unit.clone() };
        let is_below = |path: &UnitPath| course.issuer.path.contains(path);
        Ok(AssignPage {
            documents: count(course.documents.len()),
            questions: course.questions,
            trail: tree.trail(&chosen.path).filter(|unit| course.issuer.path.contains(&unit.path)).cloned().collect(),
            reach: self.backend.documents().reach(&tree, viewer, &audience),
            parts: part_choices(self.backend, &viewer.standpoint, &tree, &audience, is_below, picked),
            standings: STANDINGS.into(),
            out_of_reach: self.out_of_reach(viewer, &course, &audience).await?,
            units: offered(&tree, &course.issuer, chosen, typed).into_iter().map(choice).collect(),
            chosen: chosen.clone(),
            course: course.draft(&text),
        })
    }

    /// How many members and branches the form would assign the course to, as far as the person may know it.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `assign` for units that cannot be chosen. Otherwise as [`Self::assignment`].
    pub async fn reach_of(&self, viewer: &Viewer, form: AssignForm<'_>) -> Result<Reach> {
        let course = self.managed(viewer, form.course.parse().map_err(|_| Error::NotFound)?).await?;
        course.step(CourseStep::Assign)?;
        let tree = self.backend.units().tree();
        let mut reader = FormReader::new("assign");
        match typed_audience(&mut reader, &tree, &course.issuer, &form) {
            Some(audience) => Ok(self.backend.documents().reach(&tree, viewer, &audience)),
            None => Err(reader.finish().err().unwrap_or_default().into()),
        }
    }

    /// Assigns a draft to the members of a unit.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `assign`: on `unit`, `parts` and `except` [`Problem::NotOffered`] outside the own subtree,
    /// [`Problem::NotBelow`] outside that of the unit, [`Problem::Nobody`] where everything is left out; on `unit`
    /// [`Problem::OutOfReach`] when some of the documents do not reach all members, [`Problem::Required`] when there is neither a
    /// document nor a question, [`Problem::Stale`] when the course was changed concurrently; on `due_on` [`Problem::DateRange`]
    /// for a past day. Otherwise as [`Self::assignment`].
    pub async fn assign(&self, viewer: &Viewer, form: AssignForm<'_>) -> Result<CourseId> {
        let id: CourseId = form.course.parse().map_err(|_| Error::NotFound)?;
        let version: u32 = form.version.parse().map_err(|_| Error::NotFound)?;
        let course = self.managed(viewer, id).await?;
        course.step(CourseStep::Assign)?;
        let tree = self.backend.units().tree();
        let today = self.backend.clock().today();
        let mut reader = FormReader::new("assign");
        let audience = typed_audience(&mut reader, &tree, &course.issuer, &form);
        let due_on = reader.read("due_on", form.due_on, |typed| {
            let day = day(typed)?;
            if day < today { Err(Problem::DateRange) } else { Ok(day) }
        });
        let (Some(audience), Some(due_on)) = (audience, due_on) else {
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        if course.documents.is_empty() && course.questions == 0 {
            return Err(reader.refused("unit", Problem::Required).into());
        }
        if !self.out_of_reach(viewer, &course, &audience).await?.is_empty() {
            return Err(reader.refused("unit", Problem::OutOfReach).into());
        }
        let clock = self.backend.clock();
        let some = |keys: Vec<String>| (!keys.is_empty()).then_some(keys);
        let ids = |units: &[UnitRef]| some(units.iter().map(|unit| unit.id.to_string()).collect());
        let mut vars = self.edit_vars(viewer, id, version);
        vars.extend(vars! {
            audience: audience.unit.id.to_string(),
            audience_path: audience.unit.path.to_string(),
            parts: ids(&audience.parts),
            except: ids(&audience.except),
            standings: some(audience.standings.iter().map(|standing| standing.key().to_owned()).collect()),
            due_on: due_on.to_string(),
            shelf: clock.ulid().to_string(),
        });
        let (actor, issuer) = (Some(viewer.member), &course.issuer.path);
        let change = Change::new(UNCHANGED, vars).then(ASSIGN).event(clock, actor, issuer, EventBody::CourseAssigned(id));
        match self.backend.transact(change).await {
            Ok(_) => Ok(id),
            Err(StoreError::Thrown(_)) => Err(reader.refused("unit", Problem::Stale).into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends a course, so that it can no longer be started. Certificates remain valid, and open tries can be handed in.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the person may not know of it, [`Error::NotAllowed`] for a person who may only take the course
    /// and for a course that is not assigned.
    pub async fn end(&self, viewer: &Viewer, id: CourseId) -> Result<()> {
        let course = self.managed(viewer, id).await?;
        if course.state == CourseState::Ended {
            return Ok(());
        }
        course.step(CourseStep::End)?;
        let clock = self.backend.clock();
        let vars = vars! { course: record("course", id), now: clock.now() };
        let sql = "IF (SELECT VALUE state FROM ONLY $course) != 'assigned' { THROW 'ended' }; \
                   UPDATE $course SET state = 'ended', ended_at = $now, shelf = NONE, version = version + 1 RETURN NONE;";
        let (actor, issuer) = (Some(viewer.member), &course.issuer.path);
        let change = Change::new(sql, vars).event(clock, actor, issuer, EventBody::CourseEnded(id));
        match self.backend.transact(change).await {
            // Thrown: another transaction ended it concurrently.
            Ok(_) | Err(StoreError::Thrown(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Creates a draft with the same content, since an assigned course cannot be changed. `copy` is the id of the draft,
    /// generated when the button is rendered, so that the request is idempotent.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::NotAllowed`] as [`Self::form`].
    pub async fn copy(&self, viewer: &Viewer, id: CourseId, copy: CourseId) -> Result<CourseId> {
        let course = self.managed(viewer, id).await?;
        let text = self.text(id).await?;
        let mut vars = self.edit_vars(viewer, copy, 0);
        vars.extend(vars! {
            title: course.title.as_str(),
            description: text.description,
            issuer: course.issuer.id.to_string(),
            issuer_path: course.issuer.path.to_string(),
            documents: course.documents.iter().map(ToString::to_string).collect::<Vec<_>>(),
            count: i64::from(course.questions),
            questions: text.questions.iter().map(QuestionRow::from).collect::<Vec<_>>(),
            pass_percent: i64::from(course.rules.pass_percent),
            minutes: course.rules.minutes.map(i64::from),
            tries: i64::from(course.rules.tries),
        });
        let clock = self.backend.clock();
        let (actor, issuer) = (Some(viewer.member), &course.issuer.path);
        let change = Change::new(COPY, vars).event(clock, actor, issuer, EventBody::CourseSaved(copy));
        match self.backend.transact(change).await {
            Ok(_) => Ok(copy),
            // Created by an earlier request. An id of another course is reported as not found.
            Err(StoreError::Exists) => self.managed(viewer, copy).await.map(|course| course.id),
            Err(error) => Err(error.into()),
        }
    }

    /// The documents of the course that some of these members may not read.
    async fn out_of_reach(&self, viewer: &Viewer, course: &Course, whom: &Audience) -> Result<Vec<DocumentSummary>> {
        let audiences = self.backend.documents().audiences(&course.documents).await?;
        let reached: Vec<DocumentId> =
            audiences.into_iter().filter(|(_, audience)| audience.covers_all_of(whom)).map(|(id, _)| id).collect();
        let mut documents = self.documents(viewer, course).await?;
        documents.retain(|document| !reached.contains(&document.id));
        Ok(documents)
    }
}

const ASSIGN: &str = "UPDATE $course SET state = 'assigned', audience = $audience, audience_path = $audience_path, parts = $parts, \
     except = $except, standings = $standings, due_on = $due_on, assigned_at = $now, shelf = $shelf, version = $next, \
     saved_at = $now, saved_by = $editor RETURN NONE;";

const COPY: &str = "CREATE $course SET title = $title, issuer = $issuer, issuer_path = $issuer_path, state = 'draft', version = $next, \
     saved_at = $now, saved_by = $editor, documents = $documents, questions = $count, pass_percent = $pass_percent, minutes = $minutes, \
     tries = $tries RETURN NONE; CREATE $text SET description = $description, questions = $questions RETURN NONE;";

/// The audience of the form, if it is within the course's unit.
fn typed_audience(reader: &mut FormReader, tree: &Tree, issuer: &UnitRef, form: &AssignForm<'_>) -> Option<Audience> {
    let is_own = |path: &UnitPath| issuer.path.contains(path);
    let unit = reader
        .read("unit", form.unit, |typed| tree.named(typed).filter(|unit| is_own(&unit.path)).cloned().ok_or(Problem::NotOffered));
    let units = TypedUnits { parts: form.parts, except: form.except }.read(reader, tree, unit.as_ref(), is_own);
    let standings = reader.read("standings", &form.standings.join(" "), |_| chosen_standings(form.standings));
    Some(units?.of(unit?, standings?))
}

/// The audience of the units picked in a form that is not sent, below the chosen unit. `None` where it has a problem.
fn picked_audience(tree: &Tree, issuer: &UnitRef, chosen: &UnitRef, picked: &PickedUnits) -> Option<Audience> {
    let ids = |typed: &str| typed.split_whitespace().map(ToOwned::to_owned).collect::<Vec<_>>();
    let (unit, parts, except) = (chosen.id.to_string(), ids(&picked.parts), ids(&picked.except));
    let form = AssignForm { course: "", version: "", unit: &unit, parts: &parts, except: &except, standings: &[], due_on: "" };
    typed_audience(&mut FormReader::new("assign"), tree, issuer, &form)
}

fn chosen_standings(typed: &[String]) -> Result<Vec<Standing>, Problem> {
    let chosen: Vec<Standing> = typed
        .iter()
        .map(|key| Standing::from_key(key).filter(|standing| STANDINGS.contains(standing)).ok_or(Problem::NotOffered))
        .collect::<Result<_, _>>()?;
    // Selecting all standings means all members.
    let is_all = STANDINGS.iter().all(|standing| chosen.contains(standing));
    Ok(if is_all { Vec::new() } else { chosen })
}

/// The children of the selected unit, or the units of the subtree whose name contains `typed`.
fn offered<'t>(tree: &'t Tree, issuer: &'t UnitRef, chosen: &'t UnitRef, typed: &str) -> Vec<&'t UnitRef> {
    let words = fold(typed);
    if words.is_empty() {
        return tree.children(&chosen.path).take(OFFERED).collect();
    }
    tree.subtree(&issuer.path).filter(|unit| fold(&unit.name).contains(&words)).take(OFFERED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_standings_are_all_members() {
        let chosen = |keys: &[&str]| chosen_standings(&keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>());
        assert_eq!(chosen(&["probationary"]), Ok(vec![Standing::Probationary]));
        assert_eq!(chosen(&["official", "probationary"]), Ok(Vec::new()));
        assert_eq!(chosen(&["exempt"]), Err(Problem::NotOffered));
        assert_eq!(chosen(&["x"]), Err(Problem::NotOffered));
    }
}
