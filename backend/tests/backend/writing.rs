//! Unsaved text: kept, offered again, deleted; who else is editing; the differences when two people save.

use backend::{
    Backend, Error,
    documents::{DraftForm, ImportDocxForm, TypedForm},
};
use chrono::TimeDelta;
use domain::{
    accounts::Viewer,
    difference::{Change, DiffPiece},
    forms::Problem,
    ids::DocumentId,
};

use crate::{
    documents::{draft, form, release, submit},
    engines::on_both_engines,
    samples::xlsx,
    support::{Fixture, organisation},
};

on_both_engines!(
    unsaved_text_is_offered_until_it_is_saved,
    other_editors_are_shown_while_they_are_present,
    nobody_is_at_a_draft_that_was_sent_on,
    nobody_keeps_anything_at_a_draft_they_may_not_write,
    a_file_is_taken_over_without_touching_what_is_stored,
);

async fn save(backend: &Backend, viewer: &Viewer, org: &Fixture, id: DocumentId, version: u32, body: &str) -> DocumentId {
    let (id, version, coast) = (id.to_string(), version.to_string(), org.coast.id.to_string());
    let form = DraftForm {
        id: &id,
        version: &version,
        kind: "guidance",
        title: "Hướng dẫn mùa bão",
        issuer: &coast,
        audience: &coast,
        body,
        ..DraftForm::default()
    };
    backend.documents().save_draft(viewer, form).await.expect("is saved")
}

async fn drafted(backend: &Backend, org: &Fixture) -> DocumentId {
    let editor = &org.coast_editor.viewer;
    let id = backend.documents().blank(editor).await.expect("a form").draft.id;
    save(backend, editor, org, id, 0, "Neo đậu trước 17 giờ.").await
}

async fn keep(backend: &Backend, viewer: &Viewer, id: DocumentId, version: u32, body: &str) -> backend::Result<u32> {
    let (id, version) = (id.to_string(), version.to_string());
    let form = TypedForm { id: &id, version: &version, title: "Hướng dẫn mùa bão", body };
    backend.documents().keep_typed(viewer, form).await.map(|kept| kept.version)
}

async fn unsaved_text_is_offered_until_it_is_saved(backend: &Backend, org: &Fixture) {
    let (documents, editor) = (backend.documents(), &org.coast_editor.viewer);
    let id = drafted(backend, org).await;
    let offered = async || documents.begin_writing(editor, id).await.expect("opens").unsaved;
    assert_eq!(offered().await, []);

    assert_eq!(keep(backend, editor, id, 1, "Neo đậu trước 16 giờ.\r\nGọi nhau.").await.ok(), Some(1));
    let unsaved = offered().await;
    assert_eq!((unsaved.len(), unsaved[0].body.as_str(), unsaved[0].version), (1, "Neo đậu trước 16 giờ.\nGọi nhau.", 1));
    assert_eq!(unsaved[0].at, backend.clock().now());
    let stored = documents.draft(editor, id).await.expect("opens").draft;
    assert_eq!((stored.body.as_str(), stored.version), ("Neo đậu trước 17 giờ.", 1), "the draft is untouched");
    let other = documents.begin_writing(&org.province_chief_editor.viewer, id).await.expect("opens");
    assert_eq!(other.unsaved, [], "it is nobody else's");

    save(backend, editor, org, id, 1, "Neo đậu trước 16 giờ.").await;
    assert_eq!(offered().await, []);
    // Text equal to the stored one is not kept, whenever it arrives.
    keep(backend, editor, id, 2, "Neo đậu trước 16 giờ.").await.expect("is kept");
    assert_eq!(offered().await, []);

    keep(backend, editor, id, 2, "Khác").await.expect("is kept");
    documents.forget_typed(editor, id).await.expect("is forgotten");
    assert_eq!(offered().await, []);
    keep(backend, editor, id, 2, "Khác").await.expect("is kept");
    backend.clock().advance(TimeDelta::days(31));
    assert_eq!(documents.purge_writing().await.expect("purges"), 2);
    assert_eq!(offered().await, []);
}

async fn other_editors_are_shown_while_they_are_present(backend: &Backend, org: &Fixture) {
    let documents = backend.documents();
    let (editor, chief) = (&org.coast_editor, &org.province_chief_editor);
    let id = drafted(backend, org).await;
    let others = async |viewer: &Viewer| documents.begin_writing(viewer, id).await.expect("opens").others;
    assert_eq!(others(&editor.viewer).await, Vec::<String>::new());
    assert_eq!(others(&chief.viewer).await, std::slice::from_ref(&editor.name));
    backend.clock().advance(TimeDelta::seconds(44));
    let kept = documents.still_writing(&editor.viewer, id).await.expect("is noted");
    assert_eq!((kept.others, kept.version), (vec![chief.name.clone()], 1));
    backend.clock().advance(TimeDelta::seconds(1));
    assert_eq!(others(&editor.viewer).await, Vec::<String>::new(), "the chief editor has left");
    // A save by somebody else is reported to the others.
    save(backend, &chief.viewer, org, id, 1, "Neo đậu trước 15 giờ.").await;
    assert_eq!(keep(backend, &editor.viewer, id, 1, "Neo đậu sớm.").await.ok(), Some(2));
    let pieces = documents.conflict(&editor.viewer, id, "Neo đậu trước 17 giờ.\r\n".to_owned()).await.expect("differs");
    let piece = |text: &str, change| DiffPiece::new(text, change);
    let expected = [
        piece("Neo đậu trước ", Change::Same),
        piece("15", Change::Removed),
        piece("17", Change::Added),
        piece(" giờ.", Change::Same),
    ];
    assert_eq!(pieces, expected);
}

async fn nobody_is_at_a_draft_that_was_sent_on(backend: &Backend, org: &Fixture) {
    let (documents, editor, chief) = (backend.documents(), &org.coast_editor.viewer, &org.province_chief_editor.viewer);
    let id = drafted(backend, org).await;
    let others = async || documents.begin_writing(chief, id).await.expect("opens").others;
    documents.begin_writing(editor, id).await.expect("opens");
    assert_eq!(others().await, std::slice::from_ref(&org.coast_editor.name));
    submit(backend, editor, id).await;
    documents.want_changes(chief, id, "Thiếu ngày tháng.").await.expect("is sent back");
    assert_eq!(others().await, Vec::<String>::new(), "back at once");

    documents.begin_writing(editor, id).await.expect("opens");
    release(backend, editor, id).await;
    documents.revise(chief, id).await.expect("is begun");
    assert_eq!(others().await, Vec::<String>::new(), "a correction is another draft");
    documents.still_writing(editor, id).await.expect("is noted");
    assert_eq!(others().await, std::slice::from_ref(&org.coast_editor.name));
}

async fn nobody_keeps_anything_at_a_draft_they_may_not_write(backend: &Backend, org: &Fixture) {
    let id = drafted(backend, org).await;
    for stranger in [&org.fisherman, &org.coast_secretary, &org.hills_editor] {
        let refused = keep(backend, &stranger.viewer, id, 1, "Chen vào").await;
        assert!(matches!(refused, Err(Error::NotFound)), "{}: {refused:?}", stranger.name);
        assert!(matches!(backend.documents().begin_writing(&stranger.viewer, id).await, Err(Error::NotFound)));
    }
    // An editor elsewhere may have an empty form; the id of another person's draft in it gives no access.
    keep(backend, &org.hills_editor.viewer, id, 0, "Chen vào").await.expect("is kept for oneself");
    let seen = backend.documents().begin_writing(&org.coast_editor.viewer, id).await.expect("opens");
    assert!(seen.unsaved.is_empty() && seen.others.len() <= 1);
    let too_long = keep(backend, &org.coast_editor.viewer, id, 1, &"x".repeat(400_001)).await;
    match too_long {
        Err(Error::Invalid(errors)) => assert_eq!(errors.problem("body"), Some(&Problem::TooLong { max: 200_000 })),
        other => panic!("{other:?}"),
    }
    let member = &org.fisherman.viewer;
    assert!(matches!(backend.documents().preview(member, "a".to_owned()).await, Err(Error::NotFound)));
    assert!(matches!(backend.documents().from_html(member, "a".to_owned()).await, Err(Error::NotFound)));
    assert!(matches!(backend.documents().from_docx(member, vec![1]).await, Err(Error::NotFound)));
}

async fn a_file_is_taken_over_without_touching_what_is_stored(backend: &Backend, org: &Fixture) {
    let (documents, editor) = (backend.documents(), &org.coast_editor.viewer);
    let file = docx("Kế hoạch", "Toàn xã ra quân.");
    let blank = documents.blank(editor).await.expect("a form").draft.id.to_string();
    let form = ImportDocxForm { id: &blank, version: "0", mode: "", file_name: "Kế hoạch.docx" };
    documents.import_docx(editor, form, file.clone()).await.expect("is taken over");
    let unfinished = documents.unfinished(editor).await.expect("a list").unsaved;
    let found: Vec<_> = unfinished.iter().map(|unsaved| (unsaved.title.as_str(), unsaved.body.as_str())).collect();
    assert_eq!(found, [("Kế hoạch", "Toàn xã ra quân.")]);

    // The title is not repeated as a heading, unless the text has another title.
    let again = ImportDocxForm { id: &blank, version: "0", mode: "replace", file_name: "khac.docx" };
    documents.import_docx(editor, again, file.clone()).await.expect("is taken over");
    let unfinished = documents.unfinished(editor).await.expect("a list").unsaved;
    assert_eq!((unfinished[0].title.as_str(), unfinished[0].body.as_str()), ("Kế hoạch", "Toàn xã ra quân."));

    let id = drafted(backend, org).await;
    let key = id.to_string();
    let take = async |mode| {
        documents.import_docx(editor, ImportDocxForm { id: &key, version: "1", mode, file_name: "" }, file.clone()).await
    };
    match take("").await {
        Err(Error::Invalid(errors)) => assert_eq!(errors.problem("mode"), Some(&Problem::Required)),
        other => panic!("{other:?}"),
    }
    let typed = async || documents.begin_writing(editor, id).await.expect("opens").unsaved.pop().expect("a text").body;
    take("append").await.expect("is taken over");
    assert_eq!(typed().await, "Neo đậu trước 17 giờ.\n\n## Kế hoạch\n\nToàn xã ra quân.");
    take("replace").await.expect("is taken over");
    assert_eq!(typed().await, "## Kế hoạch\n\nToàn xã ra quân.");
    let stored = documents.draft(editor, id).await.expect("opens").draft;
    assert_eq!((stored.body.as_str(), stored.version), ("Neo đậu trước 17 giờ.", 1));
    for (file, problem) in [(b"%PDF-1.7".to_vec(), Problem::Unreadable), (xlsx(&["Toàn xã ra quân."]), Problem::NoWordText)] {
        match documents.from_docx(editor, file).await {
            Err(Error::Invalid(errors)) => assert_eq!(errors.problem("file"), Some(&problem)),
            other => panic!("{other:?}"),
        }
    }
}

/// A file with a heading and a paragraph, packed as Word packs it.
fn docx(heading: &str, text: &str) -> Vec<u8> {
    use docx_rs::{Docx, Paragraph, Run, Style, StyleType};
    let paragraph = |text: &str| Paragraph::new().add_run(Run::new().add_text(text));
    let mut file = std::io::Cursor::new(Vec::new());
    Docx::new()
        .add_style(Style::new("Heading1", StyleType::Paragraph).name("heading 1"))
        .add_paragraph(paragraph(heading).style("Heading1"))
        .add_paragraph(paragraph(text))
        .build()
        .pack(&mut file)
        .expect("is packed");
    file.into_inner()
}

#[tokio::test]
async fn only_the_newest_unfinished_texts_are_kept() {
    let (backend, _, org) = organisation().await;
    let (documents, editor) = (backend.documents(), &org.coast_editor.viewer);
    for at in 0..23 {
        backend.clock().advance(TimeDelta::minutes(1));
        let id = documents.blank(editor).await.expect("a form").draft.id;
        keep(&backend, editor, id, 0, &format!("Bản {at}")).await.expect("is kept");
    }
    let offered = documents.unfinished(editor).await.expect("a list").unsaved;
    let bodies: Vec<_> = offered.iter().map(|unsaved| unsaved.body.as_str()).collect();
    assert_eq!(bodies, ["Bản 22", "Bản 21", "Bản 20", "Bản 19", "Bản 18"]);
    backend.clock().advance(TimeDelta::days(31));
    assert_eq!(documents.purge_writing().await.expect("purges"), 20);
}

#[tokio::test]
async fn what_comes_too_late_is_kept_for_who_had_opened_the_draft() {
    let (backend, _, org) = organisation().await;
    let (documents, editor) = (backend.documents(), &org.coast_editor.viewer);
    let id = draft(&backend, editor, &org.coast, &org.coast).await;
    let (key, coast) = (id.to_string(), org.coast.id.to_string());
    let late = DraftForm { body: "Viết thêm.", ..form(&key, "1", &coast, &coast) };
    submit(&backend, editor, id).await;
    let error = documents.save_draft(editor, late).await.expect_err("is in review");
    assert_eq!(documents.keep_late(editor, late, &error).await.expect("looks"), None, "was never opened to write");

    documents.recall(editor, id).await.expect("is taken back");
    documents.begin_writing(editor, id).await.expect("opens");
    documents.discard(editor, id, "1").await.expect("is thrown away");
    let error = documents.save_draft(editor, late).await.expect_err("is gone");
    let kept = documents.keep_late(editor, late, &error).await.expect("is kept").expect("somewhere");
    let unsaved = documents.unfinished(editor).await.expect("a list").unsaved;
    assert_eq!(unsaved.iter().map(|one| (one.document, one.body.as_str())).collect::<Vec<_>>(), [(kept, "Viết thêm.")]);
    let other = documents.keep_late(&org.hills_editor.viewer, late, &error).await;
    assert_eq!(other.expect("looks"), None, "a guessed id stores nothing");
}

#[tokio::test]
async fn a_preview_is_what_readers_see() {
    let (backend, _, org) = organisation().await;
    let editor = &org.coast_editor.viewer;
    let preview =
        backend.documents().preview(editor, "# Mục\n\n**hai** <script>1</script> từ".to_owned()).await.expect("a preview");
    assert!(preview.html.contains("<h2") && preview.html.contains("<strong>hai</strong>"), "{}", preview.html);
    assert!(!preview.html.contains("<script"), "{}", preview.html);
    assert_eq!((preview.words, preview.minutes), (4, 1));
    assert_eq!(backend.documents().preview(editor, String::new()).await.expect("an empty one").words, 0);
    let too_long = backend.documents().preview(editor, "x".repeat(200_001)).await;
    assert!(matches!(too_long, Err(Error::Invalid(_))), "{too_long:?}");
    let pasted = backend.documents().from_html(editor, "<p><img src=x></p>".to_owned()).await.expect("nothing");
    assert_eq!(pasted, "");
    let too_much = backend.documents().from_html(editor, "x".repeat(3 << 20)).await;
    assert!(matches!(too_much, Err(Error::Invalid(_))), "{too_much:?}");
}
