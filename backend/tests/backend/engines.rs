//! The same journey on each engine.

/// Runs a journey, `async fn(&Backend, &Fixture)`, on the in-memory engine and on the on-disk engine.
macro_rules! on_both_engines {
    ($($journey:ident),+ $(,)?) => {
        mod in_memory {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $journey() {
                let (backend, _, org) = crate::support::organisation().await;
                super::$journey(&backend, &org).await;
            }
        )+}

        mod on_disk {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $journey() {
                let (backend, _, _folder) = crate::support::on_disk().await;
                let org = crate::support::Fixture::insert(&backend).await;
                super::$journey(&backend, &org).await;
            }
        )+}
    };
}
pub(crate) use on_both_engines;
