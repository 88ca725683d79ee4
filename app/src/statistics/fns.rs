use domain::statistics::StatisticsPage;
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

/// The figures of `unit`; without it, of the highest unit the viewer holds an office on. Its children are those that the table
/// shows: see [`domain::tables::TableQuery`].
#[server(name = ReadStatistics, prefix = "/api", endpoint = "statistics/page", input = GetUrl)]
pub async fn page(
    unit: Option<String>,
    q: Option<String>,
    sort: Option<String>,
    rows: Option<String>,
) -> Result<StatisticsPage, AppError> {
    use domain::tables::TableQuery;

    use crate::{
        context::request::{backend, viewer},
        error::{known, respond},
    };
    respond(
        async {
            let viewer = viewer()?;
            let unit = unit.as_deref().map(known).transpose()?;
            let query = TableQuery::parse(q.as_deref(), sort.as_deref(), rows.as_deref());
            Ok::<_, AppError>(backend()?.statistics().table(&viewer, unit, &query).await?)
        }
        .await,
    )
}
