//! Meetings of the sample: three months back, one ahead, with papers and roll calls.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    events::EventBody,
    folding::fold,
    ids::MeetingId,
    meetings::{AttendanceKind, MeetingForm, MeetingKind, MeetingState},
    members::Standing,
    units::UnitRef,
};

use super::{
    dice::Dice,
    files::{self, MeetingFile, MeetingItem, MeetingTemplate},
    library::{Published, local_time},
    people::{BASE, Branch, Committee, JUST_NOW, Milieu, Organisation, PROVINCE, Person, SECTION},
    registry::{self, NewItem, NewMeeting},
};
use crate::{Backend, Result, bulk::Bulk};

/// Days from today on which branches meet, and the spread in days among branches.
const MONTHS: [(i64, i64); 4] = [(-75, 10), (-45, 10), (-14, 10), (3, 14)];

/// Reasons given for excused absences.
const EXCUSES: [&str; 6] = [
    "Đi công tác",
    "Ốm, có giấy của trạm y tế",
    "Việc gia đình",
    "Đưa người thân đi khám bệnh",
    "Trực cơ quan",
    "Đi học tập trung",
];

const AT_SEA: &str = "Đi biển dài ngày";

/// Writes the meetings and returns how many.
pub(super) fn hold(
    bulk: &mut Bulk,
    backend: &Backend,
    seed: u64,
    organisation: &Organisation,
    published: &[Published],
) -> Result<usize> {
    let file = files::meetings()?;
    let mut secretary = Secretary { bulk, dice: Dice::new(seed, 5), now: backend.clock().now(), count: 0 };
    for branch in &organisation.branches {
        if branch.key == "fishing" {
            secretary.fishing(&file, branch, published);
        } else {
            secretary.branch(&file, branch, published);
        }
    }
    for committee in organisation.committees.values() {
        secretary.committee(&file, organisation, committee);
    }
    Ok(secretary.count)
}

/// Writes the rows of meetings.
struct Secretary<'b> {
    bulk: &'b mut Bulk,
    dice: Dice,
    now: DateTime<Utc>,
    count: usize,
}

struct Plan<'p> {
    unit: &'p UnitRef,
    chair: &'p Person,
    invited: Vec<&'p Person>,
    kind: MeetingKind,
    form: MeetingForm,
    title: String,
    venue: String,
    items: &'p [MeetingItem],
    papers: Vec<&'p Published>,
    starts_at: DateTime<Utc>,
}

impl Secretary<'_> {
    fn fishing(&mut self, file: &MeetingFile, branch: &Branch, published: &[Published]) {
        for meeting in &file.fishing {
            let starts_at = local_time(self.now, meeting.days_from_now, 19 * 60 + 30);
            let before = starts_at.min(self.now);
            let mut papers: Vec<&Published> = published
                .iter()
                .filter(|document| document.audience.id == branch.unit.id)
                .filter(|document| document.at < before && before - document.at < TimeDelta::days(12))
                .collect();
            if papers.is_empty() {
                papers = hinted(&meeting.paper_hints, branch, published, before);
            }
            papers.truncate(4);
            self.write(Plan {
                unit: &branch.unit,
                chair: branch.secretary(),
                invited: invited(branch),
                kind: meeting.kind,
                form: MeetingForm::Mixed,
                title: meeting.title.clone(),
                venue: meeting.venue.clone(),
                items: &meeting.items,
                papers,
                starts_at,
            });
        }
    }

    fn branch(&mut self, file: &MeetingFile, branch: &Branch, published: &[Published]) {
        // A branch keeps its weekday and hour.
        let offset = self.dice.between(0, 10);
        let hour = *self.dice.pick(&[8 * 60, 14 * 60, 17 * 60 + 30, 19 * 60]).unwrap_or(&(14 * 60));
        for (month, (from, spread)) in MONTHS.into_iter().enumerate() {
            let starts_at = local_time(self.now, from + offset * spread / 10, hour);
            let Some(template) = template(file, branch.milieu, month == 1) else { continue };
            let before = starts_at.min(self.now);
            let papers = published
                .iter()
                .filter(|document| document.audience.path.contains(&branch.unit.path))
                .filter(|document| document.at + TimeDelta::days(2) < before && before - document.at < TimeDelta::days(35))
                .take(3)
                .collect();
            let form = if self.dice.chance(85) { MeetingForm::InPerson } else { MeetingForm::Mixed };
            self.write(Plan {
                unit: &branch.unit,
                chair: branch.secretary(),
                invited: invited(branch),
                kind: template.kind,
                form,
                title: template.title.clone(),
                venue: venue(branch),
                items: &template.items,
                papers,
                starts_at,
            });
        }
    }

    fn committee(&mut self, file: &MeetingFile, organisation: &Organisation, committee: &Committee) {
        let scope = match committee.unit.kind.key() {
            PROVINCE => "province",
            BASE | SECTION => "base",
            _ if committee.unit.name.contains("phường") => "ward",
            _ => "commune",
        };
        let Some(template) =
            file.templates.iter().find(|template| template.kind == MeetingKind::Committee && template.scope == scope)
        else {
            return;
        };
        let members: Vec<&Person> = committee.members.iter().map(|seat| organisation.at(*seat).1).collect();
        let Some(chair) = members.first() else { return };
        for days in [-62, -31, 6] {
            let form = if scope == "province" { MeetingForm::Online } else { MeetingForm::InPerson };
            self.write(Plan {
                unit: &committee.unit,
                chair,
                invited: members.clone(),
                kind: MeetingKind::Committee,
                form,
                title: template.title.clone(),
                venue: template.venues.first().cloned().unwrap_or_default(),
                items: &template.items,
                papers: Vec::new(),
                starts_at: local_time(self.now, days, 8 * 60),
            });
        }
    }

    fn write(&mut self, plan: Plan<'_>) {
        let latest = self.now - JUST_NOW;
        let announced_at = (plan.starts_at - TimeDelta::minutes(self.dice.between(4 * 1_440, 8 * 1_440))).min(latest);
        let reported_at = plan.starts_at + TimeDelta::minutes(self.dice.between(600, 2_800));
        let is_over = plan.starts_at + TimeDelta::hours(3) < latest;
        let state = if !is_over {
            MeetingState::Announced
        } else if self.dice.chance(2) {
            MeetingState::Cancelled
        } else if reported_at < latest && self.dice.chance(94) {
            MeetingState::Reported
        } else {
            MeetingState::Closed
        };
        let id = MeetingId::new(self.dice.ulid_at(announced_at));
        let meeting = NewMeeting {
            unit: plan.unit,
            kind: plan.kind,
            form: plan.form,
            state,
            title: &plan.title,
            starts_at: plan.starts_at,
            venue: &plan.venue,
            chair: &plan.chair.name,
            agenda: agenda(plan.items, &plan.papers),
        };
        registry::call_meeting(self.bulk, id, &meeting);
        let (chair, path) = (Some(plan.chair.id), &plan.unit.path);
        self.bulk.log(&mut self.dice, announced_at, chair, path, EventBody::MeetingAnnounced(id));
        if state == MeetingState::Reported {
            self.bulk.log(&mut self.dice, reported_at, chair, path, EventBody::MeetingReported(id));
        }
        if matches!(state, MeetingState::Reported | MeetingState::Closed) {
            for person in plan.invited {
                let (kind, reason) = self.attendance(person, plan.form);
                registry::note_attendance(self.bulk, id, person.id, kind, reason);
            }
        }
        self.count += 1;
    }

    fn attendance(&mut self, person: &Person, form: MeetingForm) -> (AttendanceKind, Option<&'static str>) {
        let throw = self.dice.between(0, 100);
        if person.at_sea {
            return if throw < 45 { (AttendanceKind::Remote, None) } else { (AttendanceKind::Excused, Some(AT_SEA)) };
        }
        match (form, throw) {
            (MeetingForm::Online, 0..92) | (MeetingForm::Mixed, 0..6) => (AttendanceKind::Remote, None),
            (_, 0..88) => (AttendanceKind::Present, None),
            (_, 88..97) => (AttendanceKind::Excused, self.dice.pick(&EXCUSES).copied()),
            _ => (AttendanceKind::Absent, None),
        }
    }
}

/// Exempt members are not invited.
fn invited(branch: &Branch) -> Vec<&Person> {
    branch.people.iter().filter(|person| person.standing != Standing::Exempt).collect()
}

fn template(file: &MeetingFile, milieu: Milieu, thematic: bool) -> Option<&MeetingTemplate> {
    let title = match (milieu, thematic) {
        (Milieu::Retired, true) => "hưu trí",
        (Milieu::Office, true) => "đúng hẹn",
        (Milieu::Coast, false) => "mùa mưa bão",
        (Milieu::Coast, true) => "rác từ biển",
        (Milieu::School, _) => "trường học",
        (Milieu::Office, false) => "cơ quan",
        (Milieu::Company, _) => "doanh nghiệp",
        (Milieu::Neighbourhood | Milieu::Retired, _) => "khu phố",
    };
    file.templates.iter().find(|template| template.title.contains(title))
}

/// The venue of the meetings of a branch. The venues in the templates belong to one branch each.
fn venue(branch: &Branch) -> String {
    match branch.milieu {
        Milieu::Neighbourhood | Milieu::Coast | Milieu::Retired => format!("Nhà sinh hoạt cộng đồng, {}", branch.short_name),
        Milieu::School => "Phòng hội đồng nhà trường".to_owned(),
        Milieu::Office => "Phòng họp cơ quan".to_owned(),
        Milieu::Company => "Phòng họp đơn vị".to_owned(),
    }
}

/// Documents that reach the branch and match one of the hints.
fn hinted<'p>(hints: &[String], branch: &Branch, published: &'p [Published], before: DateTime<Utc>) -> Vec<&'p Published> {
    let hints: Vec<String> = hints.iter().map(|hint| fold(hint)).collect();
    published
        .iter()
        .filter(|document| document.audience.path.contains(&branch.unit.path) && document.at < before)
        .filter(|document| {
            let title = fold(&document.title);
            hints.iter().any(|hint| title.contains(hint.as_str()))
        })
        .take(2)
        .collect()
}

/// Papers are attached to the items in the middle: the first is the roll call, the last the vote.
fn agenda(items: &[MeetingItem], papers: &[&Published]) -> Vec<NewItem> {
    let middle = items.len().saturating_sub(2).max(1);
    let mut agenda: Vec<NewItem> =
        items.iter().map(|item| NewItem { title: item.title.clone(), minutes: item.minutes, papers: Vec::new() }).collect();
    for (index, paper) in papers.iter().enumerate() {
        if let Some(item) = agenda.get_mut(1 + index % middle) {
            item.papers.push(paper.id);
        }
    }
    agenda
}
