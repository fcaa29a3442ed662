//! An actix-web service with OpenTelemetry's middleware.

use std::error::Error;

use actix_web::{App, HttpServer};
use opentelemetry_instrumentation_actix_web::RequestMetrics;
use tokio::net::TcpListener;

use crate::{Program, actix_web_prom, otel};

pub fn program(listener: TcpListener) -> Result<Program, Box<dyn Error>> {
    let metrics = otel::install()?;
    let server = HttpServer::new(|| App::new().wrap(RequestMetrics::default()).configure(actix_web_prom::routes))
        .workers(1)
        .listen(listener.into_std()?)?
        .run();
    Ok(Program { serve: Box::pin(async move { Ok(server.await?) }), metrics, call: None })
}
