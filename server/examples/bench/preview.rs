//! Measures an import: the time from the end of the upload of a short file until its preview is shown.

use std::{fmt::Write as _, path::Path, time::Instant};

use anyhow::{Context as _, Result, ensure};
use backend::{Backend, demo::many, imports::UploadForm};
use chrono::Months;
use domain::{
    accounts::Viewer,
    ids::MemberId,
    imports::{Counts, ImportKind, ImportPage, ImportState},
    policy::Role,
    units::UnitRef,
};

use crate::{
    Times,
    members::{Person, members_of},
    open, viewer,
};

const HEADER: &str =
    "Số thẻ,Họ và tên,Giới tính,Ngày sinh,Ngày vào Đảng,Ngày chính thức,Diện,Số định danh,Điện thoại,Mã chi bộ\n";

/// A branch that does not exist.
const NOWHERE: &str = "99/99/999/99";

/// Persons with these numbers and above are not in the registry.
const NEWCOMERS: usize = 90_000_000;

pub(crate) async fn measure(folder: &Path, rows: u64, rounds: usize) -> Result<()> {
    ensure!(rows >= 4, "a file needs at least 4 rows: one new, one changed, one duplicate and one of an unknown unit");
    let backend = open(folder).await?;
    let members = many::members(&backend).await?;
    let tree = backend.units().tree();
    let commune = tree.all().find(|unit| unit.kind.key() == "commune").context("there is no commune")?;
    let counts = Counts { fresh: (rows - 2) / 2, changed: (rows - 2) - (rows - 2) / 2, unchanged: 0, refused: 2 };
    let file = file(&members_of(&backend, commune, members), counts)?;
    println!("{members} members, a file of {rows} rows for {}", commune.name);
    let branch = tree.all().find(|unit| commune.path.contains(&unit.path) && unit.kind.holds_members());
    let member = MemberId::new(backend.clock().ulid());
    let registrar = viewer(member, branch.context("there is no branch")?, Some((Role::Registrar, commune)));
    let mut times = Times::default();
    for _ in 0..rounds {
        let page = preview(&backend, &registrar, commune, &file, &mut times).await?;
        let (import, read) = (&page.import, page.import.rows.map_or(0, |rows| rows.rows));
        ensure!(import.state == ImportState::Previewed, "the file is not previewed: {:?} {:?}", import.failure, page.missing);
        ensure!(import.counts == counts, "{:?} instead of {counts:?}: {:?}", import.counts, page.refused);
        ensure!(read == rows, "{read} rows of the file were read instead of {rows}");
        backend.imports().cancel(&registrar, import.id).await?;
    }
    println!("{rows} rows read: {} new, {} changed, {} refused", counts.fresh, counts.changed, counts.refused);
    times.tell("preview, from the end of the upload (at most 1000 ms at p50 is the aim)");
    Ok(())
}

async fn preview(backend: &Backend, registrar: &Viewer, unit: &UnitRef, file: &str, times: &mut Times) -> Result<ImportPage> {
    let form = UploadForm { kind: ImportKind::Members.key(), unit: &unit.id.to_string(), file_name: "danh-sach.csv" };
    let mut upload = backend.imports().receive(registrar, form).await?;
    upload.write(file.as_bytes().to_vec()).await?;
    let start = Instant::now();
    let import = upload.finish().await?.import;
    backend.imports().settled(import).await?;
    let page = backend.imports().page(registrar, import).await?;
    times.note(start);
    Ok(page)
}

/// Some new persons, some members with changed phones, one of the new persons again, and one of an unknown unit.
fn file(members: &[(Person, UnitRef)], counts: Counts) -> Result<String> {
    let changed = usize::try_from(counts.changed)?;
    ensure!(members.len() >= changed.max(1), "a commune has {} members, fewer than {changed}", members.len());
    let mut file = HEADER.to_owned();
    let newcomers = (NEWCOMERS..).zip(members.iter().cycle()).map(|(number, (_, branch))| (Person(number), branch));
    for (person, branch) in newcomers.take(usize::try_from(counts.fresh)?) {
        write_row(&mut file, person, &codes(branch))?;
    }
    for (person, branch) in &members[..changed] {
        write_row(&mut file, *person, &codes(branch))?;
    }
    write_row(&mut file, Person(NEWCOMERS), &codes(&members[0].1))?;
    write_row(&mut file, Person(NEWCOMERS - 1), NOWHERE)?;
    Ok(file)
}

fn codes(branch: &UnitRef) -> String {
    branch.path.as_str().trim_matches('/').to_owned()
}

fn write_row(file: &mut String, person: Person, branch: &str) -> Result<()> {
    let (card, name, id) = (person.card(), person.full_name(), person.national_id());
    let (birth, admitted) = (person.birth_date().format("%d/%m/%Y"), person.admitted_on().format("%d/%m/%Y"));
    let official = person.admitted_on() + Months::new(12);
    let official = official.format("%d/%m/%Y");
    writeln!(file, "{card},{name},Nam,{birth},{admitted},{official},Chính thức,{id},08{:08},{branch}", person.0)?;
    Ok(())
}
