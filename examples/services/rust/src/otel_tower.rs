//! An axum service with OpenTelemetry's tower layer.

use std::error::Error;

use opentelemetry_instrumentation_tower::http::server::Layer;
use tokio::net::TcpListener;

use crate::{Program, axum_prometheus, otel};

pub fn program(listener: TcpListener) -> Result<Program, Box<dyn Error>> {
    let metrics = otel::install()?;
    let routes = axum_prometheus::routes().layer(Layer::new());
    Ok(Program { serve: Box::pin(async move { Ok(axum::serve(listener, routes).await?) }), metrics, call: None })
}
