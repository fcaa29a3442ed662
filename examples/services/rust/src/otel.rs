//! The OpenTelemetry SDK as a service sets it up; metrics leave through the Prometheus exporter.

use std::error::Error;

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::Registry;

use crate::{Metrics, exposition};

/// Installs the global meter provider and returns the page of metrics.
pub fn install() -> Result<Metrics, Box<dyn Error>> {
    let registry = Registry::new();
    let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone()).build()?;
    let identity = Resource::builder_empty()
        .with_attribute(KeyValue::new("service.name", "example"))
        .with_attribute(KeyValue::new("service.version", "1.0.0"))
        .build();
    let provider = SdkMeterProvider::builder().with_reader(exporter).with_resource(identity).build();
    opentelemetry::global::set_meter_provider(provider);
    Ok(exposition(registry))
}
