//! Addresses of units.

use crate::app::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_address_by_code_redirects_to_the_unit_or_lists_several() {
    let app = TestApp::spawn().await;
    let org = &app.org;
    let code = org.harbour.path.as_str().trim_matches('/').replace('/', ".");
    let (by_code, address) = (format!("/units/code/{code}"), format!("/units/{}", org.harbour.id));
    let mut registrar = app.signed_in(&org.coast_registrar).await;
    let answer = registrar.get(&by_code).await;
    assert_eq!((answer.status, answer.location()), (302, Some(address.as_str())));
    assert_eq!(registrar.get("/units/code/999").await.status, 404);

    // Both communes have a branch with this code.
    let mut operator = app.signed_in(&org.operator).await;
    let answer = operator.get("/units/code/01").await;
    assert_eq!((answer.status, answer.location()), (200, None));
    assert!(answer.body.contains(&org.harbour.name) && answer.body.contains(&org.farm.name));

    let mut stranger = app.signed_in(&org.farmer).await;
    assert_eq!(stranger.get(&by_code).await.status, 404, "outside the own line");
}
