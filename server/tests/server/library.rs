//! The library without script: lists, bookmarks, downloads.

use crate::app::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_document_is_bookmarked_and_found_again_without_script() {
    let app = TestApp::spawn().await;
    let id = app.published(&app.org.harbour).await.to_string();
    let address = format!("/library/{id}");
    let mut fisherman = app.signed_in(&app.org.fisherman).await;
    assert!(fisherman.get("/shelf/bookmarks").await.body.contains("Chưa có tài liệu nào được đánh dấu"));
    assert!(fisherman.get("/shelf/unread").await.body.contains(&address));
    assert!(fisherman.get(&address).await.is_whole());
    assert!(fisherman.get("/shelf/unread").await.body.contains(&address), "opening is not reading");
    assert!(fisherman.get("/shelf/recent").await.body.contains(&address));

    let form = [("id", id.as_str())];
    let read = fisherman.post("/api/documents/mark_read", &address, &form).await;
    assert_eq!((read.status, read.location()), (302, Some(format!("{address}#receipt").as_str())));
    assert!(!fisherman.get("/shelf/unread").await.body.contains(&address), "it was read");
    let marked = fisherman.post("/api/documents/bookmark", &address, &form).await;
    assert_eq!((marked.status, marked.location()), (302, Some(address.as_str())));
    assert!(fisherman.get("/shelf/bookmarks").await.body.contains(&address));
    let taken_away = fisherman.post("/api/documents/remove_bookmark", &address, &form).await;
    assert_eq!((taken_away.status, taken_away.location()), (302, Some(address.as_str())));
    assert!(!fisherman.get("/shelf/bookmarks").await.body.contains(&address));

    let mut farmer = app.signed_in(&app.org.farmer).await;
    let refused = farmer.post("/api/documents/bookmark", "/library", &form).await;
    assert_eq!((refused.status, refused.location()), (302, Some("/problem/not_found")));
    assert_eq!(farmer.get("/shelf/desk").await.status, 404, "there is no such list");
    assert_eq!(farmer.get("/shelf/unread?after=hom-qua").await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_text_corrected_since_it_was_opened_is_shown_before_it_is_read() {
    let app = TestApp::spawn().await;
    let id = app.published(&app.org.harbour).await;
    let address = format!("/library/{id}");
    let mut fisherman = app.signed_in(&app.org.fisherman).await;
    assert!(fisherman.get(&address).await.is_whole());
    app.correct(id).await;

    let key = id.to_string();
    let told = fisherman.post_json("/api/documents/mark_read", &[("id", key.as_str()), ("seen", "said")]).await;
    assert_eq!(told.status, 403, "the script then sends the form");
    let said = fisherman.post("/api/documents/mark_read", &address, &[("id", key.as_str())]).await;
    assert_eq!((said.status, said.location()), (302, Some(address.as_str())), "to the top, where the correction is shown");
    let unread = fisherman.get("/shelf/unread").await.body;
    assert!(unread.contains(&address), "{unread}");

    assert!(fisherman.get(&address).await.is_whole());
    let said = fisherman.post("/api/documents/mark_read", &address, &[("id", key.as_str())]).await;
    assert_eq!(said.location(), Some(format!("{address}#receipt").as_str()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_number_in_an_address_breaks_a_page() {
    let app = TestApp::spawn().await;
    let document = app.published(&app.org.harbour).await;
    let mut fisherman = app.signed_in(&app.org.fisherman).await;
    for year in [i32::MIN, -262_143, -1, 0, 10_889, 10_945, 262_142, i32::MAX] {
        let page = fisherman.get(&format!("/library?year={year}")).await;
        assert!(page.status == 200 && !page.body.contains(&document.to_string()), "{year}: {}", page.status);
    }
    assert_eq!(fisherman.get("/library?year=99999999999").await.status, 404);
    let last = fisherman.get("/library?after=7ZZZZZZZZZZZZZZZZZZZZZZZZZ").await;
    assert!(last.status == 200 && last.body.contains(&document.to_string()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_text_is_sent_once_and_not_again_with_the_data_of_the_page() {
    let app = TestApp::spawn().await;
    let id = app.published(&app.org.harbour).await.to_string();
    let mut fisherman = app.signed_in(&app.org.fisherman).await;
    let page = fisherman.get(&format!("/library/{id}")).await.body;
    assert_eq!(page.matches("Mọi tàu có chỗ neo đậu an toàn").count(), 1, "{page}");
    let asked = fisherman.get_json(&format!("/api/documents/read?id={id}")).await.body;
    assert!(asked.contains("Mọi tàu có chỗ neo đậu an toàn"), "the browser's own request contains it");
    assert!(asked.contains(&format!("http://{}/library/{id}", app.address)), "{asked}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_document_is_downloaded_as_a_file_by_its_audience() {
    let app = TestApp::spawn().await;
    let id = app.published(&app.org.harbour).await;
    let address = format!("/library/{id}/download");
    let mut fisherman = app.signed_in(&app.org.fisherman).await;
    let file = fisherman.get(&address).await;
    assert_eq!(file.status, 200);
    assert_eq!(file.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"nghi-quyet-ve-neo-dau-tau-thuyen.html\""));
    assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
    for part in
        ["<!DOCTYPE html>", "Nghị quyết về neo đậu tàu thuyền", &app.org.coast.name, "counter(page)", "Mọi tàu có chỗ neo đậu"]
    {
        assert!(file.body.contains(part), "{part} in {}", file.body);
    }
    assert!(!file.body.contains("<script") && !file.body.contains("src="), "nothing runs, nothing is fetched");

    for (mut browser, status) in [(app.signed_in(&app.org.farmer).await, 404), (app.browser(), 303)] {
        assert_eq!(browser.get(&address).await.status, status);
    }
    assert_eq!(fisherman.get("/library/khong-phai-ma/download").await.status, 404);
}
