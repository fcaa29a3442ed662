//! An axum service with axum-prometheus, and the process and runtime metrics that go with it.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use axum_prometheus::PrometheusMetricLayer;
use tokio::net::TcpListener;

use crate::{Program, SLOWNESS};

pub fn program(listener: TcpListener) -> Result<Program, Box<dyn Error>> {
    let (layer, handle) = PrometheusMetricLayer::pair();
    let process = metrics_process::Collector::default();
    process.describe();
    let runtime = tokio_metrics::RuntimeMetricsReporterBuilder::default();
    tokio::spawn(runtime.with_interval(Duration::from_secs(1)).describe_and_run());
    let routes = routes().layer(layer);
    Ok(Program {
        serve: Box::pin(async move { Ok(axum::serve(listener, routes).await?) }),
        metrics: Arc::new(move || {
            process.collect();
            handle.render()
        }),
        call: None,
    })
}

/// The routes of every axum service.
pub fn routes() -> Router {
    Router::new().route("/items/{item}", get(item))
}

async fn item(Path(item): Path<String>) -> (StatusCode, &'static str) {
    match item.as_str() {
        "failing" => (StatusCode::INTERNAL_SERVER_ERROR, "this one always fails\n"),
        "unavailable" => (StatusCode::SERVICE_UNAVAILABLE, "not now\n"),
        "missing" => (StatusCode::NOT_FOUND, "there is no such item\n"),
        "slow" => {
            tokio::time::sleep(SLOWNESS).await;
            (StatusCode::OK, "slow, but good\n")
        }
        _ => (StatusCode::OK, "good\n"),
    }
}
