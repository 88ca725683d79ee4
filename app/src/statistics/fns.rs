use domain::statistics::StatisticsPage;
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

/// The figures of `unit`; without one, of the highest unit the viewer holds an office on.
#[server(name = ReadStatistics, prefix = "/api", endpoint = "statistics/page", input = GetUrl)]
pub async fn page(unit: Option<String>) -> Result<StatisticsPage, AppError> {
    use crate::{
        context::server::{backend, viewer},
        error::{Kind, respond},
    };
    respond(
        async {
            let viewer = viewer()?;
            let unit = unit.map(|unit| unit.parse()).transpose().map_err(|_| AppError::new(Kind::NotFound))?;
            Ok::<_, AppError>(backend()?.statistics().page(&viewer, unit).await?)
        }
        .await,
    )
}
