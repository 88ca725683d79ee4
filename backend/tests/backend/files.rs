//! Files of documents: how they are uploaded, what is stored, and who can download them.

use backend::{
    Backend, Error,
    files::{Arrived, Extracted, Extractor, NewUpload, Wanted},
};
use chrono::TimeDelta;
use domain::{
    accounts::Viewer,
    events::EventKind,
    files::{Arrival, FILE_BYTES_MAX, FILES_MAX, FileKind, FileRefused, FilesPage, Missing, OPEN_UPLOADS_MAX, OffsetRefused},
    forms::Problem,
    guard::WarningKind,
    ids::{AttachmentId, DocumentId, UploadId},
};

use crate::{
    documents::{draft, release},
    engines::on_both_engines,
    samples::{docx, endless_pdf, mp3, pdf, png, xlsx},
    support::{Fixture, organisation},
};

on_both_engines! {
    a_file_arrives_in_pieces_and_is_whole,
    a_file_with_a_warning_waits_for_a_decision,
    only_readers_have_the_files_of_a_published_document,
    only_the_desk_of_the_issuer_adds_and_removes_files,
    of_two_senders_of_one_upload_one_gets_another_offset,
}

const NAME: &str = "Nghị quyết.pdf";

async fn announced(backend: &Backend, viewer: &Viewer, document: DocumentId, name: &str, size: usize) -> UploadId {
    let new = NewUpload { document, name, size: size as u64 };
    backend.files().begin(viewer, new).await.expect("is announced")
}

/// Sends a file in pieces and finishes it.
pub(crate) async fn sent(
    backend: &Backend,
    viewer: &Viewer,
    document: DocumentId,
    name: &str,
    content: &[u8],
) -> Result<Arrived, Error> {
    let upload = announced(backend, viewer, document, name, content.len()).await;
    let length = content.len().div_ceil(3);
    for (at, piece) in content.chunks(length).enumerate() {
        let offset = (length * at) as u64;
        let mut intake = backend.files().resume(viewer, upload, offset, Some(piece.len() as u64)).await.expect("fits");
        intake.write(piece).await.expect("is taken");
        intake.pause().await.expect("is kept");
    }
    backend.files().finish(viewer, upload).await
}

pub(crate) async fn attached(
    backend: &Backend,
    viewer: &Viewer,
    document: DocumentId,
    name: &str,
    content: &[u8],
) -> AttachmentId {
    let arrived = sent(backend, viewer, document, name, content).await.expect("is attached");
    assert_eq!(arrived.warnings, []);
    arrived.attachment
}

async fn page(backend: &Backend, viewer: &Viewer, document: DocumentId) -> FilesPage {
    backend.files().page(viewer, document).await.expect("has a page")
}

/// The kinds and details of all events since. The clock stands still, so they are unordered.
pub(crate) async fn logged(
    backend: &Backend,
    listener: &mut tokio::sync::broadcast::Receiver<domain::events::Event>,
) -> Vec<(EventKind, Option<String>)> {
    backend.catch_up().await.expect("reads the log");
    let mut found: Vec<_> =
        std::iter::from_fn(|| listener.try_recv().ok()).map(|event| (event.kind(), event.body.detail())).collect();
    found.sort_by_key(|(kind, _)| kind.key());
    found
}

async fn a_file_arrives_in_pieces_and_is_whole(backend: &Backend, org: &Fixture) {
    backend.read_files_by(Extractor::within());
    let editor = &org.coast_editor.viewer;
    let document = draft(backend, editor, &org.coast, &org.harbour).await;
    let content = pdf("Nghị quyết số 57-NQ/TW");
    let size = content.len() as u64;
    let upload = announced(backend, editor, document, "../\u{202e}Nghị quyết.PDF", content.len()).await;
    let files = backend.files();

    let mut intake = files.resume(editor, upload, 0, None).await.expect("begins");
    intake.write(&content[..1_000]).await.expect("is taken");
    // The connection breaks here.
    assert_eq!(intake.pause().await.expect("is kept"), Arrival { size, received: 1_000 });
    assert_eq!(files.arrival(editor, upload).await.expect("is there"), Arrival { size, received: 1_000 });
    let open = page(backend, editor, document).await.uploads;
    assert_eq!((open.len(), open[0].received, open[0].name.as_str()), (1, 1_000, "Nghị quyết.PDF"));

    for (offset, announced) in [(0, None), (999, Some(1)), (1_001, Some(1))] {
        let refused = files.resume(editor, upload, offset, announced).await.err();
        assert!(matches!(refused, Some(Error::Offset(OffsetRefused::Elsewhere { received: 1_000 }))), "{offset}: {refused:?}");
    }
    let beyond = files.resume(editor, upload, 1_000, Some(size)).await.err();
    assert!(matches!(beyond, Some(Error::Offset(OffsetRefused::Beyond))), "{beyond:?}");
    let early = files.finish(editor, upload).await.err();
    assert!(matches!(early, Some(Error::Offset(OffsetRefused::Elsewhere { received: 1_000 }))), "{early:?}");

    let mut intake = files.resume(editor, upload, 1_000, Some(size - 1_000)).await.expect("goes on");
    intake.write(&content[1_000..]).await.expect("is taken");
    let more = intake.write(b"more").await.err();
    assert!(matches!(more, Some(Error::Offset(OffsetRefused::Beyond))), "{more:?}");
    assert!(intake.pause().await.expect("is kept").is_whole());

    backend.catch_up().await.expect("reads the log");
    let mut listener = backend.events().listen();
    let arrived = files.finish(editor, upload).await.expect("is attached");
    let again = files.finish(editor, upload).await.expect("says the same");
    assert_eq!(arrived, again);
    assert_eq!(logged(backend, &mut listener).await, [(EventKind::FileAttached, None)]);
    let page = page(backend, editor, document).await;
    assert!(page.uploads.is_empty() && page.waiting.is_empty() && page.is_open);
    let file = &page.files[0];
    assert_eq!((page.files.len(), file.file.name.as_str(), file.file.kind), (1, NAME, FileKind::Pdf));
    assert_eq!((file.file.bytes, file.file.pages, file.file.has_preview), (size, Some(1), true));
    assert_eq!((file.text_missing, file.added_by.as_str()), (None, org.coast_editor.name.as_str()));

    let open = files.open(editor, arrived.attachment).await.expect("may have it");
    assert_eq!(open.read(0, size).await.expect("reads"), content);
    assert_eq!(open.read(9, 19).await.expect("reads"), content[9..19]);
    let preview = files.open_preview(editor, arrived.attachment).await.expect("has a picture");
    assert!(preview.media_type == "image/png" && preview.content.starts_with(b"\x89PNG"));
}

async fn a_file_with_a_warning_waits_for_a_decision(backend: &Backend, org: &Fixture) {
    backend.read_files_by(Extractor::within());
    let editor = &org.coast_editor.viewer;
    let document = draft(backend, editor, &org.coast, &org.harbour).await;
    backend.catch_up().await.expect("reads the log");
    let mut listener = backend.events().listen();
    let files = backend.files();
    let secret = docx("TỐI MẬT\nKế hoạch\n0912345678\n0912345679\n0912345680");
    let kept = sent(backend, editor, document, "ke-hoach.docx", &secret).await.expect("arrives");
    let kinds: Vec<_> = kept.warnings.iter().map(|warning| warning.kind).collect();
    assert_eq!(kinds, [WarningKind::SecrecyMark, WarningKind::PhoneNumbers]);
    let list = xlsx(&["051090001234", "051090001235", "051090001236", "051090001237"]);
    let removed = sent(backend, editor, document, "danh-sach.xlsx", &list).await.expect("arrives");
    assert_eq!((removed.warnings[0].kind, removed.warnings[0].count), (WarningKind::IdNumbers, 4));

    let before = page(backend, editor, document).await;
    assert_eq!((before.files.len(), before.waiting.len()), (0, 2), "neither is attached to the text");
    assert!(before.waiting.iter().all(domain::files::DeskFile::is_waiting));
    match files.keep_file(editor, kept.attachment, "  ").await {
        Err(Error::Invalid(errors)) => assert_eq!(errors.problem("reason"), Some(&Problem::Required)),
        other => panic!("{other:?}"),
    }
    files.keep_file(editor, kept.attachment, "Đã được giải mật ngày 01/11.").await.expect("is kept");
    let again = files.keep_file(editor, kept.attachment, "Lần nữa.").await;
    assert!(matches!(again, Err(Error::NotFound)), "{again:?}");
    files.remove(editor, removed.attachment).await.expect("is removed");

    let after = page(backend, editor, document).await;
    assert_eq!((after.files.len(), after.waiting.len()), (1, 0));
    let decided = after.files[0].kept.as_ref().expect("was decided");
    assert_eq!((decided.by.as_str(), decided.reason.as_str()), (org.coast_editor.name.as_str(), "Đã được giải mật ngày 01/11."));
    let log = logged(backend, &mut listener).await;
    let kinds = Some("secrecy_mark,phone_numbers".to_owned());
    assert_eq!(log, [(EventKind::FileRemoved, None), (EventKind::WarningOverruled, kinds)]);
}

async fn only_readers_have_the_files_of_a_published_document(backend: &Backend, org: &Fixture) {
    backend.read_files_by(Extractor::within());
    let editor = &org.coast_editor.viewer;
    let document = draft(backend, editor, &org.coast, &org.harbour).await;
    let file = attached(backend, editor, document, NAME, &pdf("Nghị quyết")).await;
    let files = backend.files();
    let reader = &org.fisherman.viewer;
    assert!(matches!(files.open(reader, file).await.err(), Some(Error::NotFound)), "a draft's file is not found");
    assert!(files.open(&org.province_chief_editor.viewer, file).await.is_ok(), "but not for the desk above");

    release(backend, editor, document).await;
    let shown = backend.documents().read(reader, document).await.expect("reads").attachments;
    assert_eq!((shown.len(), shown[0].id, shown[0].name.as_str()), (1, file, NAME));
    assert!(files.open(reader, file).await.is_ok() && files.open_preview(reader, file).await.is_ok());
    for stranger in [&org.teacher, &org.farmer, &org.farm_secretary, &org.hills_editor, &org.operator] {
        assert!(matches!(files.open(&stranger.viewer, file).await.err(), Some(Error::NotFound)), "{}", stranger.name);
        assert!(matches!(files.open_preview(&stranger.viewer, file).await.err(), Some(Error::NotFound)), "{}", stranger.name);
    }
    let closed = files.remove(editor, file).await;
    assert!(matches!(closed, Err(Error::File(FileRefused::Closed))), "a published text keeps its files: {closed:?}");
    let late = files.begin(editor, NewUpload { document, name: NAME, size: 10 }).await;
    assert!(matches!(late, Err(Error::File(FileRefused::Closed))), "{late:?}");
}

async fn only_the_desk_of_the_issuer_adds_and_removes_files(backend: &Backend, org: &Fixture) {
    backend.read_files_by(Extractor::within());
    let editor = &org.coast_editor.viewer;
    let document = draft(backend, editor, &org.coast, &org.harbour).await;
    let file = attached(backend, editor, document, NAME, &pdf("Nghị quyết")).await;
    let upload = announced(backend, editor, document, NAME, 10).await;
    let files = backend.files();
    for stranger in [&org.fisherman, &org.secretary, &org.coast_secretary, &org.hills_editor, &org.operator] {
        let viewer = &stranger.viewer;
        let refused = [
            files.page(viewer, document).await.err(),
            files.begin(viewer, NewUpload { document, name: NAME, size: 10 }).await.err(),
            files.receive(viewer, document, NAME).await.err(),
            files.arrival(viewer, upload).await.err(),
            files.resume(viewer, upload, 0, None).await.err(),
            files.finish(viewer, upload).await.err(),
            files.cancel(viewer, upload).await.err(),
            files.keep_file(viewer, file, "Vì cần.").await.err(),
            files.remove(viewer, file).await.err(),
        ];
        for (at, error) in refused.into_iter().enumerate() {
            assert!(matches!(error, Some(Error::NotFound)), "{} {at}: {error:?}", stranger.name);
        }
    }
    // An upload belongs to its sender, the document to the desk.
    let colleague = &org.province_chief_editor.viewer;
    assert!(matches!(files.resume(colleague, upload, 0, None).await.err(), Some(Error::NotFound)));
    assert_eq!(page(backend, colleague, document).await.uploads, []);
    files.remove(colleague, file).await.expect("may");
    assert_eq!(page(backend, editor, document).await.files, []);
    files.cancel(editor, upload).await.expect("may");
    assert!(matches!(files.arrival(editor, upload).await, Err(Error::NotFound)));
}

async fn of_two_senders_of_one_upload_one_gets_another_offset(backend: &Backend, org: &Fixture) {
    let editor = &org.coast_editor.viewer;
    let document = draft(backend, editor, &org.coast, &org.harbour).await;
    let content = mp3();
    let upload = announced(backend, editor, document, "bai-hat.mp3", content.len()).await;
    let files = backend.files();
    let mut one = files.resume(editor, upload, 0, None).await.expect("begins");
    let mut other = files.resume(editor, upload, 0, None).await.expect("begins too");
    one.write(&content[..300]).await.expect("is taken");
    other.write(&[0; 500]).await.expect("is taken");
    one.pause().await.expect("is kept");
    let late = other.pause().await.err();
    assert!(matches!(late, Some(Error::Offset(OffsetRefused::Elsewhere { received: 300 }))), "{late:?}");
    one.write(&content[300..]).await.expect("is taken");
    one.pause().await.expect("is kept");
    let file = files.finish(editor, upload).await.expect("is attached").attachment;
    let open = files.open(editor, file).await.expect("may have it");
    assert_eq!(open.read(0, open.bytes).await.expect("reads"), content, "nothing of the other one is in it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_type_of_a_file_decides_whether_it_is_accepted() {
    let (backend, _, org) = organisation().await;
    let editor = &org.coast_editor.viewer;
    let document = draft(&backend, editor, &org.coast, &org.harbour).await;
    for (name, content, expected) in [
        ("anh.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), FileRefused::Markup),
        ("trang.pdf", b"<!DOCTYPE html><script>alert(1)</script>".to_vec(), FileRefused::Markup),
        ("a.pdf", b"MZ\x90\0".to_vec(), FileRefused::Kind),
        ("anh.jpg", png(60_000, 60_000), FileRefused::Dimensions),
        ("anh.png", b"\x89PNG\r\n\x1a\n broken".to_vec(), FileRefused::Broken),
    ] {
        let refused = sent(&backend, editor, document, name, &content).await;
        assert!(matches!(refused, Err(Error::File(found)) if found == expected), "{name}: {refused:?}");
    }
    let page = page(&backend, editor, document).await;
    assert!(page.files.is_empty() && page.uploads.is_empty(), "a rejected file leaves nothing");
    let files = backend.files();
    for (size, expected) in [(0, FileRefused::Empty), (FILE_BYTES_MAX + 1, FileRefused::TooBig), (u64::MAX, FileRefused::TooBig)]
    {
        let refused = files.begin(editor, NewUpload { document, name: NAME, size }).await;
        assert!(matches!(refused, Err(Error::File(found)) if found == expected), "{size}: {refused:?}");
    }
    let picture = attached(&backend, editor, document, "anh.gif", &png(30, 20)).await;
    let open = files.open(editor, picture).await.expect("may have it");
    assert_eq!((open.name.as_str(), open.kind), ("anh.gif.png", FileKind::Png), "the extension is corrected");
    let content = open.read(0, open.bytes).await.expect("reads");
    assert!(!content.windows(7).any(|window| window == b"Ganh Da"), "the location is removed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_cannot_be_read_is_attached_and_noted() {
    let (backend, _, org) = organisation().await;
    backend.read_files_by(Extractor::of(|wanted, _, _| match wanted {
        Wanted::Text => panic!("a failure of the reader"),
        Wanted::Preview => Extracted::missing(Missing::Protected),
    }));
    let editor = &org.coast_editor.viewer;
    let document = draft(&backend, editor, &org.coast, &org.harbour).await;
    attached(&backend, editor, document, NAME, &endless_pdf()).await;
    let file = &page(&backend, editor, document).await.files[0];
    assert_eq!((file.text_missing, file.preview_missing), (Some(Missing::Failed), Some(Missing::Protected)));
    assert!(!file.file.has_preview);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_in_progress_are_limited_and_abandoned_ones_are_removed() {
    let (backend, clock, org) = organisation().await;
    let editor = &org.coast_editor.viewer;
    let document = draft(&backend, editor, &org.coast, &org.harbour).await;
    let files = backend.files();
    let mut last = None;
    for _ in 0..OPEN_UPLOADS_MAX {
        last = Some(announced(&backend, editor, document, NAME, 10).await);
    }
    let refused = files.begin(editor, NewUpload { document, name: NAME, size: 10 }).await;
    assert!(matches!(refused, Err(Error::File(FileRefused::TooManyOpen))), "{refused:?}");
    let mut intake = files.resume(editor, last.expect("some"), 0, None).await.expect("begins");
    intake.write(b"half").await.expect("is taken");
    intake.pause().await.expect("is kept");

    clock.advance(TimeDelta::days(2));
    assert_eq!(files.purge().await.expect("purges"), 0);
    clock.advance(TimeDelta::days(2));
    assert_eq!(files.purge().await.expect("purges"), OPEN_UPLOADS_MAX as usize);
    assert!(matches!(files.arrival(editor, last.expect("some")).await, Err(Error::NotFound)));
    announced(&backend, editor, document, NAME, 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_number_of_files_is_limited_and_waiting_ones_count() {
    let (backend, _, org) = organisation().await;
    backend.read_files_by(Extractor::within());
    let editor = &org.coast_editor.viewer;
    let document = draft(&backend, editor, &org.coast, &org.harbour).await;
    for at in 2..FILES_MAX {
        attached(&backend, editor, document, &format!("{at}.mp3"), &mp3()).await;
    }
    let secret = docx("TỐI MẬT\nKế hoạch");
    let waiting = sent(&backend, editor, document, "mot.docx", &secret).await.expect("arrives").attachment;
    let given_up = sent(&backend, editor, document, "hai.docx", &secret).await.expect("arrives").attachment;
    for content in [&secret, &mp3()] {
        let full = sent(&backend, editor, document, "ba", content).await;
        assert!(matches!(full, Err(Error::File(FileRefused::TooMany))), "{full:?}");
    }
    let files = backend.files();
    files.keep_file(editor, waiting, "Đã được giải mật.").await.expect("it had its place already");
    files.remove(editor, given_up).await.expect("is removed");
    attached(&backend, editor, document, "cuoi.mp3", &mp3()).await;
    assert_eq!(page(&backend, editor, document).await.files.len(), FILES_MAX as usize);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn discarding_a_correction_keeps_the_files_of_the_published_text() {
    let (backend, clock, org) = organisation().await;
    let editor = &org.coast_editor.viewer;
    let document = draft(&backend, editor, &org.coast, &org.harbour).await;
    let out = attached(&backend, editor, document, "mot.mp3", &mp3()).await;
    release(&backend, editor, document).await;
    backend.documents().revise(editor, document).await.expect("begins");
    let added = attached(&backend, editor, document, "hai.mp3", &mp3()).await;
    backend.documents().discard(editor, document, "1").await.expect("is thrown away");
    clock.advance(TimeDelta::days(31));
    assert_eq!(backend.files().purge().await.expect("purges"), 1);
    assert!(backend.files().open(&org.fisherman.viewer, out).await.is_ok());
    assert!(matches!(backend.files().open(editor, added).await.err(), Some(Error::NotFound)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_is_removed_some_time_after_its_last_file() {
    let (backend, clock, org) = organisation().await;
    let editor = &org.coast_editor.viewer;
    let document = draft(&backend, editor, &org.coast, &org.harbour).await;
    let one = attached(&backend, editor, document, "mot.mp3", &mp3()).await;
    let other = attached(&backend, editor, document, "hai.mp3", &mp3()).await;
    let files = backend.files();
    let content = files.open(editor, one).await.expect("may have it");
    assert_eq!(content.sha256, files.open(editor, other).await.expect("may have it").sha256, "it is stored once");

    files.remove(editor, one).await.expect("is removed");
    clock.advance(TimeDelta::days(31));
    assert_eq!(files.purge().await.expect("purges"), 1);
    assert!(matches!(files.open(editor, one).await.err(), Some(Error::NotFound)));
    assert!(content.read(0, 10).await.is_ok(), "the other file still uses it");
    backend.documents().discard(editor, document, "1").await.expect("is thrown away");
    assert!(content.read(0, 10).await.is_ok(), "and it is kept for a while");
    clock.advance(TimeDelta::days(31));
    assert_eq!(files.purge().await.expect("purges"), 1);
    assert!(content.read(0, 10).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plain_form_sends_a_file_of_unknown_size() {
    let (backend, _, org) = organisation().await;
    let editor = &org.coast_editor.viewer;
    let document = draft(&backend, editor, &org.coast, &org.harbour).await;
    let files = backend.files();
    let mut intake = files.receive(editor, document, "bai-hat.mp3").await.expect("begins");
    intake.write(&mp3()).await.expect("is taken");
    assert_eq!(page(&backend, editor, document).await.uploads, [], "it cannot be resumed");
    let arrived = intake.complete(editor).await.expect("is attached");
    assert_eq!(page(&backend, editor, document).await.files[0].file.id, arrived.attachment);

    let mut large = files.receive(editor, document, "lon.mp3").await.expect("begins");
    let mut refused = None;
    for _ in 0..=50 {
        refused = large.write(&vec![0; 1 << 20]).await.err();
    }
    assert!(matches!(refused, Some(Error::File(FileRefused::TooBig))), "{refused:?}");
    large.drop_all().await.expect("is dropped");
}
