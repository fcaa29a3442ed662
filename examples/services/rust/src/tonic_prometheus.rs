//! A tonic service with tonic_prometheus_layer, server and client, in the version of today and in the one before.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use prometheus::Registry;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::{Outgoing, Program, SLOWNESS, exposition};

/// Makes the program of one version of the library; its types differ, its use does not.
macro_rules! program_of {
    ($name:ident, $library:ident) => {
        pub fn $name(listener: TcpListener) -> Result<Program, Box<dyn Error>> {
            let registry = Registry::new();
            $library::metrics::try_init_settings($library::metrics::GlobalSettings {
                registry: registry.clone(),
                ..Default::default()
            })?;
            let server = Server::builder()
                .layer($library::MetricsLayer::new())
                .add_service(HealthServer::new(Items))
                .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)));
            Ok(Program {
                serve: Box::pin(async move { Ok(server.await?) }),
                metrics: exposition(registry),
                call: Some(Arc::new(|outgoing: Outgoing| {
                    Box::pin(async move {
                        match channel(outgoing.target, outgoing.timeout) {
                            Ok(channel) => {
                                let mut client = HealthClient::new($library::MetricsChannel::new(channel));
                                let answer = client.check(HealthCheckRequest { service: outgoing.item }).await;
                                format!("{:?}", answer.map_or_else(|status| status.code(), |_| Code::Ok))
                            }
                            Err(problem) => problem.to_string(),
                        }
                    })
                })),
            })
        }
    };
}

program_of!(program, tonic_prometheus_layer);
program_of!(program_0_2, tonic_prometheus_layer_0_2);

/// A channel to an address; channels are kept, and so are their connections.
fn channel(target: String, timeout: Duration) -> Result<Channel, tonic::transport::Error> {
    static CHANNELS: LazyLock<Mutex<HashMap<(String, Duration), Channel>>> = LazyLock::new(Mutex::default);
    let mut channels = CHANNELS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(kept) = channels.get(&(target.clone(), timeout)) {
        return Ok(kept.clone());
    }
    let made = Endpoint::from_shared(format!("http://{target}"))?.timeout(timeout).connect_lazy();
    channels.insert((target, timeout), made.clone());
    Ok(made)
}

/// The health service stands for any service.
struct Items;

#[tonic::async_trait]
impl Health for Items {
    type WatchStream = tokio_stream::Empty<Result<HealthCheckResponse, Status>>;

    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        match request.get_ref().service.as_str() {
            "failing" => return Err(Status::internal("this one always fails")),
            "unavailable" => return Err(Status::unavailable("not now")),
            "missing" => return Err(Status::not_found("there is no such item")),
            "slow" => tokio::time::sleep(SLOWNESS).await,
            _ => {}
        }
        Ok(Response::new(HealthCheckResponse { status: ServingStatus::Serving.into() }))
    }

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("nobody watches"))
    }
}
