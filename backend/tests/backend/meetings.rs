//! Meetings of nobody: what is seen of them with rows in the store is tested beside the use-case.

use backend::Error;
use domain::ids::MeetingId;

use crate::support::organisation;

#[tokio::test]
async fn without_meetings_the_lists_are_empty_and_none_is_found() {
    let (backend, _, org) = organisation().await;
    let page = backend.meetings().list(&org.fisherman.viewer).await.expect("a page");
    assert!(page.coming.is_empty() && page.past.is_empty());
    let unknown = backend.meetings().read(&org.fisherman.viewer, MeetingId::new(backend.clock().ulid())).await;
    assert!(matches!(unknown, Err(Error::NotFound)));
    assert!(backend.home().page(&org.exempt.viewer).await.expect("a page").next_meeting.is_none());
}
