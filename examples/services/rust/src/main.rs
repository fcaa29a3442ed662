//! One program per instrumentation library: serves known answers, exposes /metrics, and calls others on demand.

use std::collections::HashMap;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::{Registry, TextEncoder};
use tokio::net::TcpListener;

mod actix_web_prom;
mod axum_prometheus;
mod otel;
mod otel_actix_web;
mod otel_tower;
mod tonic_prometheus;

/// How long a slow answer takes.
const SLOWNESS: Duration = Duration::from_millis(100);

type Running = Pin<Box<dyn Future<Output = Result<(), Box<dyn Error>>>>>;
type Calling = Pin<Box<dyn Future<Output = String> + Send>>;
type Metrics = Arc<dyn Fn() -> String + Send + Sync>;
type Call = Arc<dyn Fn(Outgoing) -> Calling + Send + Sync>;

/// One instrumented service.
struct Program {
    serve: Running,
    metrics: Metrics,
    call: Option<Call>, // none where the library does not watch clients
}

/// Whom to call, for what, and how long to wait.
struct Outgoing {
    target: String,
    item: String,
    timeout: Duration,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().collect();
    let name = words.get(1).cloned().unwrap_or_default();
    let address = |flag: &str| words.iter().skip_while(|word| *word != flag).nth(1).map_or("127.0.0.1:0", |word| word);
    let service = TcpListener::bind(address("--listen")).await?;
    let admin = TcpListener::bind(address("--admin")).await?;
    let started = format!("service={} admin={}", service.local_addr()?, admin.local_addr()?);
    let program = match name.as_str() {
        "actix-web-prom" => actix_web_prom::program(service)?,
        "axum-prometheus" => axum_prometheus::program(service)?,
        "otel-actix-web" => otel_actix_web::program(service)?,
        "otel-tower" => otel_tower::program(service)?,
        "tonic-prometheus" => tonic_prometheus::program(service)?,
        "tonic-prometheus-0.2" => tonic_prometheus::program_0_2(service)?,
        _ => return Err(format!("there is no program “{name}”; see README.md").into()),
    };
    println!("{started}");
    let routes = Router::new()
        .route("/metrics", get(metrics))
        .with_state(program.metrics)
        .merge(Router::new().route("/call", get(call)).with_state(program.call));
    tokio::select! {
        ended = program.serve => ended,
        ended = async { axum::serve(admin, routes).await } => Ok(ended?),
    }
}

/// A registry and the metrics of the process as a page.
fn exposition(registry: Registry) -> Metrics {
    Arc::new(move || {
        let found = [registry.gather(), prometheus::gather()].concat();
        TextEncoder::new().encode_to_string(&found).unwrap_or_default()
    })
}

async fn metrics(State(metrics): State<Metrics>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], metrics())
}

async fn call(State(call): State<Option<Call>>, Query(query): Query<HashMap<String, String>>) -> Response {
    let Some(call) = call else {
        return (StatusCode::NOT_IMPLEMENTED, "this library does not watch clients").into_response();
    };
    let word = |name: &str| query.get(name).cloned().unwrap_or_default();
    let timeout = word("timeout").trim_end_matches("ms").parse().unwrap_or(5000);
    let outgoing = Outgoing { target: word("target"), item: word("item"), timeout: Duration::from_millis(timeout) };
    call(outgoing).await.into_response()
}
