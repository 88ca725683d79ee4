//! Writes records: registration, a registrar's change, an accepted correction. All three go through [`Particulars`].

use domain::{
    accounts::Viewer,
    events::{EventBody, MemberChange},
    forms::{FormReader, Problem, day, optional},
    ids::{MemberId, UnitId},
    members::{
        CardNumber, CorrectionField, DateField, FullName, MemberDraft, MemberFormPage, NationalId, PhoneNumber, Sex, Standing,
        check_dates,
    },
    policy::Action,
    units::UnitRef,
};

use super::{
    MemberRow, Members, branches, highest,
    rows::{NewMember, Particulars, derived},
};
use crate::{
    Error, Result,
    change::Change,
    store::{StoreError, record, vars},
};

/// The registrar's form as typed.
#[derive(Debug, Clone, Copy)]
pub struct MemberForm<'f> {
    pub id: &'f str,
    /// The version that the registrar edited.
    pub version: &'f str,
    pub full_name: &'f str,
    pub card: &'f str,
    pub sex: &'f str,
    pub birth_date: &'f str,
    pub admitted_on: &'f str,
    pub official_on: &'f str,
    pub standing: &'f str,
    /// Empty: unchanged, or none yet.
    pub national_id: &'f str,
    pub phone: &'f str,
    /// The branch of a new member; later changes are transfers.
    pub unit: &'f str,
}

impl Members<'_> {
    /// An empty form for a member of `unit`, or of a branch found by `typed`.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the viewer may register nobody, or `unit` is outside the viewer's subtree.
    #[expect(clippy::unused_async, reason = "a use-case like the others")]
    pub async fn blank(&self, viewer: &Viewer, unit: Option<UnitId>, typed: &str) -> Result<MemberFormPage> {
        let tree = self.backend.units().tree();
        let top_units = viewer.standpoint.top_units(Action::ManageMembers);
        highest(&tree, &top_units)?;
        let chosen = match unit {
            Some(unit) => {
                let unit = tree.get(unit).ok_or(Error::NotFound)?;
                if !viewer.standpoint.may_by_office(Action::ManageMembers, &unit.path) {
                    return Err(Error::NotFound);
                }
                Some(unit)
            }
            None => None,
        };
        let scopes = chosen.map_or(top_units, |unit| vec![&unit.path]);
        let (branches, more_branches) = branches::choices(&tree, &scopes, typed, None, branches::LINES);
        let only = if let [only] = branches.as_slice() { Some(only.id) } else { None };
        let draft = MemberDraft {
            id: MemberId::new(self.backend.clock().ulid()),
            version: 0,
            full_name: String::new(),
            card: String::new(),
            sex: None,
            birth_date: None,
            admitted_on: None,
            official_on: None,
            standing: Standing::Official,
            national_id: None,
            phone: None,
            unit: only,
        };
        Ok(MemberFormPage { draft, is_new: true, branches, more_branches })
    }

    /// The form with the values of a record.
    ///
    /// # Errors
    /// [`Error::NotFound`] as [`Self::record`], [`Error::NotAllowed`] when the viewer may read the record but not change it.
    pub async fn form(&self, viewer: &Viewer, id: MemberId) -> Result<MemberFormPage> {
        let row = self.within_reach(viewer, id, Action::ManageMembers).await?;
        self.log_opening(viewer, &row).await?;
        let draft = MemberDraft {
            id,
            version: row.version(),
            full_name: row.full_name.clone(),
            card: row.code.clone(),
            sex: Some(row.sex()?),
            birth_date: Some(row.birth_date()?),
            admitted_on: Some(row.admitted_on()?),
            official_on: row.official_on()?,
            standing: row.standing()?,
            national_id: row.national_id(self.backend)?.map(|id| id.masked()),
            phone: row.phone(self.backend)?.map(|phone| phone.expose().to_owned()),
            unit: None,
        };
        Ok(MemberFormPage { draft, is_new: false, branches: Vec::new(), more_branches: false })
    }

    /// Registers a new member, posted to a branch from today. The same form sent twice registers once; with another person in it,
    /// as after the browser's back button, it registers that person too.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the viewer may register nobody; [`Error::Invalid`] of the form `member` for invalid input:
    /// [`Problem::Taken`] on a card number or national ID that another record has, [`Problem::NotOffered`] on a unit that is not
    /// an open branch of the viewer's subtree.
    pub async fn register(&self, viewer: &Viewer, form: MemberForm<'_>) -> Result<MemberId> {
        let tree = self.backend.units().tree();
        highest(&tree, &viewer.standpoint.top_units(Action::ManageMembers))?;
        let mut id: MemberId = form.id.parse().map_err(|_| Error::NotFound)?;
        let mut reader = FormReader::new("member");
        let unit = reader.read("unit", form.unit, |typed| match typed {
            "" => Err(Problem::Required),
            typed => tree
                .named(typed)
                .filter(|unit| unit.kind.holds_members())
                .filter(|unit| viewer.standpoint.may_by_office(Action::ManageMembers, &unit.path))
                .cloned()
                .ok_or(Problem::NotOffered),
        });
        let particulars = particulars(&mut reader, form);
        if let Some(particulars) = &particulars {
            self.refuse_impossible_dates(&mut reader, particulars);
        }
        let (Some(unit), Some(particulars), true) = (unit, particulars, reader.is_clean()) else {
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        let change = self.registration(viewer, id, &unit, &particulars).await?;
        let written = match self.backend.transact(change).await {
            Err(StoreError::Exists) => {
                let row = self.readable(viewer, id).await?;
                let stored = Particulars { national_id: row.national_id(self.backend)?, ..self.stored(&row)? };
                if stored == particulars && row.unit_path()? == unit.path {
                    return Ok(id);
                }
                // A form meant to correct the first registration fails here, because its card number is taken.
                id = MemberId::new(self.backend.clock().ulid());
                let change = self.registration(viewer, id, &unit, &particulars).await?;
                self.backend.transact(change).await
            }
            written => written,
        };
        match written {
            Ok(_) => Ok(id),
            Err(StoreError::Taken { index }) => Err(self.taken_by(viewer, reader, &index, form).await?),
            Err(error) => Err(error.into()),
        }
    }

    /// Stores the form as the next version of the record.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::NotAllowed`] as [`Self::form`]; [`Error::Invalid`] of the form `member`,
    /// [`Problem::Stale`] on `full_name` when the record was changed meanwhile, [`Problem::HeldAbove`] on identifying numbers of
    /// a member who holds a role outside the viewer's subtree.
    pub async fn change(&self, viewer: &Viewer, form: MemberForm<'_>) -> Result<MemberId> {
        let id: MemberId = form.id.parse().map_err(|_| Error::NotFound)?;
        let version: u32 = form.version.parse().map_err(|_| Error::NotFound)?;
        let row = self.within_reach(viewer, id, Action::ManageMembers).await?;
        let mut reader = FormReader::new("member");
        let Some(wanted) = particulars(&mut reader, form) else {
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        // Old records may have contradictory dates; other fields can be changed without correcting them.
        if touches_dates(&self.stored(&row)?, &wanted) {
            self.refuse_impossible_dates(&mut reader, &wanted);
        }
        if row.version() != version {
            reader.refuse("full_name", Problem::Stale);
        }
        if !reader.is_clean() {
            return Err(reader.finish().err().unwrap_or_default().into());
        }
        let (mut change, changed) = self.written_change(&row, &wanted).await?;
        if changed.is_empty() {
            return Ok(id);
        }
        let numbers: Vec<&str> = changed.iter().copied().filter(|field| is_number(field)).collect();
        if !numbers.is_empty() {
            let Some(guarded) = self.guard(change, viewer, &row, Action::ManageMembers).await? else {
                for field in numbers {
                    reader.refuse(field, Problem::HeldAbove);
                }
                return Err(reader.finish().err().unwrap_or_default().into());
            };
            change = guarded;
        }
        let fields = MemberChange::Fields(changed.iter().map(|field| (*field).to_owned()).collect());
        let body = EventBody::MemberChanged { member: id, change: Some(fields) };
        let told = self.tell_owner(change, viewer, &row, &changed)?;
        let change = told.event(self.backend.clock(), Some(viewer.member), &row.unit_path()?, body);
        match self.backend.transact(change).await {
            Ok(_) => Ok(id),
            // The record or the roles changed meanwhile.
            Err(StoreError::Thrown(_)) => Err(reader.refused("full_name", Problem::Stale).into()),
            Err(StoreError::Taken { index }) => Err(self.taken_by(viewer, reader, &index, form).await?),
            Err(error) => Err(error.into()),
        }
    }

    /// The values of the stored record.
    pub(super) fn stored(&self, row: &MemberRow) -> Result<Particulars> {
        Ok(Particulars {
            full_name: row.full_name()?,
            card: CardNumber::parse(&row.code).map_err(|_| row.damaged())?,
            sex: row.sex()?,
            birth_date: row.birth_date()?,
            admitted_on: row.admitted_on()?,
            official_on: row.official_on()?,
            standing: row.standing()?,
            national_id: None,
            phone: row.phone(self.backend)?,
        })
    }

    /// The change from the stored record to the wanted values, which fails if the record was changed meanwhile, and the keys of
    /// the changed fields.
    pub(super) async fn written_change(&self, row: &MemberRow, wanted: &Particulars) -> Result<(Change, Vec<&'static str>)> {
        let stored = self.stored(row)?;
        let (keys, clock) = (self.backend.keys(), self.backend.clock());
        let id_hash = wanted.national_id.as_ref().map(|id| keys.lookup("id", id.expose()));
        let phone_hash = wanted.phone.as_ref().map(|phone| keys.lookup("phone", phone.expose()));
        let new_id = id_hash.is_some() && id_hash != row.id_hash;
        let compared = [
            (stored.full_name != wanted.full_name, CorrectionField::FullName.key()),
            (stored.card != wanted.card, CorrectionField::Card.key()),
            (stored.sex != wanted.sex, CorrectionField::Sex.key()),
            (stored.birth_date != wanted.birth_date, DateField::BirthDate.key()),
            (stored.admitted_on != wanted.admitted_on, DateField::AdmittedOn.key()),
            (stored.official_on != wanted.official_on, DateField::OfficialOn.key()),
            (stored.standing != wanted.standing, "standing"),
            (new_id, CorrectionField::NationalId.key()),
            (phone_hash != row.phone_hash, CorrectionField::Phone.key()),
        ];
        let changed: Vec<&'static str> = compared.into_iter().filter_map(|(is_so, key)| is_so.then_some(key)).collect();
        if changed.is_empty() {
            return Ok((Change::default(), changed));
        }
        let sealed = |text: &str| keys.seal(clock, &row.id, text);
        let derived = derived(keys, &wanted.full_name, wanted.birth_date);
        let mut after = row.clone();
        after.full_name = wanted.full_name.as_str().to_owned();
        after.birth_date = wanted.birth_date.to_string();
        after.admitted_on = wanted.admitted_on.to_string();
        after.official_on = wanted.official_on.map(|day| day.to_string());
        after.twin_key = Some(derived.twin_key.clone());
        after.phone_hash = phone_hash.clone();
        after.id_hash = id_hash.clone().or_else(|| row.id_hash.clone());
        let vars = vars! {
            member: record("member", &row.id),
            version: i64::from(row.version()),
            next: i64::from(row.version()) + 1,
            code: wanted.card.as_str(),
            full_name: wanted.full_name.as_str(),
            sort_key: derived.sort_key,
            given: derived.given,
            sex: wanted.sex.key(),
            birth_date: after.birth_date.clone(),
            admitted_on: after.admitted_on.clone(),
            official_on: after.official_on.clone(),
            standing: wanted.standing.key(),
            twin_key: derived.twin_key,
            phone_hash: phone_hash.clone(),
            phone_cipher: if phone_hash == row.phone_hash {
                row.phone_cipher.clone()
            } else {
                wanted.phone.as_ref().map(|phone| sealed(phone.expose())).transpose()?
            },
        };
        let mut change = Change::new(UNCHANGED, vars).then(CHANGE);
        if let Some(id) = wanted.national_id.as_ref().filter(|_| new_id) {
            change = change
                .then("UPDATE $member SET id_hash = $id_hash, id_cipher = $id_cipher RETURN NONE")
                .bind(vars! { id_hash: id_hash, id_cipher: sealed(id.expose())? });
        }
        let quality_issues = self.settled_issues(row.twin_key.as_deref(), &after).await?;
        Ok((change.quality_issues(&quality_issues), changed))
    }

    async fn registration(&self, viewer: &Viewer, id: MemberId, unit: &UnitRef, particulars: &Particulars) -> Result<Change> {
        let clock = self.backend.clock();
        let today = clock.today();
        let row = NewMember::new(self.backend, id, particulars, unit, today)?;
        let quality_issues = self.new_issues(id, &row, &particulars.quality_issues(today)).await?;
        let body = EventBody::MemberRegistered { member: id, standing: Some(particulars.standing) };
        let change = Change::new("INSERT INTO member $row RETURN NONE", vars! { row: row }).quality_issues(&quality_issues);
        Ok(change.event(clock, Some(viewer.member), &unit.path, body))
    }

    pub(super) fn refuse_impossible_dates(&self, reader: &mut FormReader, wanted: &Particulars) {
        let today = self.backend.clock().today();
        for field in check_dates(wanted.birth_date, wanted.admitted_on, wanted.official_on, today) {
            reader.refuse(field.key(), Problem::DateRange);
        }
    }
}

/// Whether the field identifies its owner at the sign-in, at a reset and in an import. Changing it can give access to the
/// account.
pub(super) fn is_number(field: &str) -> bool {
    use CorrectionField::{Card, NationalId, Phone};

    matches!(CorrectionField::from_key(field), Some(Card | NationalId | Phone))
}

/// Whether any of the dates differs.
pub(super) fn touches_dates(stored: &Particulars, wanted: &Particulars) -> bool {
    (stored.birth_date, stored.admitted_on, stored.official_on) != (wanted.birth_date, wanted.admitted_on, wanted.official_on)
}

/// Parses all fields but the branch. `None` when one of them is invalid; the reader has the problems.
fn particulars(reader: &mut FormReader, form: MemberForm<'_>) -> Option<Particulars> {
    let full_name = reader.read("full_name", form.full_name, FullName::entered);
    let card = reader.read("card", form.card, CardNumber::parse);
    let sex = reader.read("sex", form.sex, |typed| chosen(typed, Sex::from_key));
    let birth_date = reader.read("birth_date", form.birth_date, day);
    let standing = reader.read("standing", form.standing, |typed| chosen(typed, Standing::from_key));
    let admitted_on = reader.read("admitted_on", form.admitted_on, day);
    let official_on = reader.read("official_on", form.official_on, |typed| optional(typed, day));
    let national_id = reader.read("national_id", form.national_id, |typed| optional(typed, NationalId::parse));
    let phone = reader.read("phone", form.phone, |typed| optional(typed, PhoneNumber::parse));
    Some(Particulars {
        full_name: full_name?,
        card: card?,
        sex: sex?,
        birth_date: birth_date?,
        admitted_on: admitted_on?,
        official_on: official_on?,
        standing: standing?,
        national_id: national_id?,
        phone: phone?,
    })
}

fn chosen<T>(typed: &str, from_key: impl Fn(&str) -> Option<T>) -> Result<T, Problem> {
    if typed.is_empty() { Err(Problem::Required) } else { from_key(typed).ok_or(Problem::NotOffered) }
}

/// Fails the transaction when the record was changed meanwhile.
pub(super) const UNCHANGED: &str = "IF ((SELECT VALUE version FROM ONLY $member) ?? 0) != $version { THROW 'stale' };";

const CHANGE: &str = "UPDATE $member SET code = $code, full_name = $full_name, sort_key = $sort_key, given = $given, sex = $sex, \
                      birth_date = $birth_date, admitted_on = $admitted_on, official_on = $official_on, standing = $standing, \
                      twin_key = $twin_key, phone_hash = $phone_hash, phone_cipher = $phone_cipher, version = $next RETURN NONE;";
