//! An actix-web service with actix-web-prom.

use std::error::Error;

use actix_web::{App, HttpResponse, HttpServer, web};
use actix_web_prom::PrometheusMetricsBuilder;
use prometheus::Registry;
use tokio::net::TcpListener;

use crate::{Program, SLOWNESS, exposition};

pub fn program(listener: TcpListener) -> Result<Program, Box<dyn Error>> {
    let registry = Registry::new();
    let middleware =
        PrometheusMetricsBuilder::new("api").registry(registry.clone()).build().map_err(|e| e.to_string())?;
    let server = HttpServer::new(move || App::new().wrap(middleware.clone()).configure(routes))
        .workers(1)
        .listen(listener.into_std()?)?
        .run();
    Ok(Program { serve: Box::pin(async move { Ok(server.await?) }), metrics: exposition(registry), call: None })
}

/// The routes of every actix-web service.
pub fn routes(config: &mut web::ServiceConfig) {
    config.route("/items/{item}", web::get().to(item));
}

async fn item(item: web::Path<String>) -> HttpResponse {
    match item.as_str() {
        "failing" => HttpResponse::InternalServerError().body("this one always fails\n"),
        "unavailable" => HttpResponse::ServiceUnavailable().body("not now\n"),
        "missing" => HttpResponse::NotFound().body("there is no such item\n"),
        "slow" => {
            tokio::time::sleep(SLOWNESS).await;
            HttpResponse::Ok().body("slow, but good\n")
        }
        _ => HttpResponse::Ok().body("good\n"),
    }
}
