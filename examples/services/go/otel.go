// The OpenTelemetry SDK as a service sets it up: every request is traced, metrics leave through the Prometheus exporter.
package main

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
)

// openTelemetry installs the global providers and returns the page of metrics.
func openTelemetry(options options) (http.Handler, error) {
	registry := prometheus.NewRegistry()
	reader, err := exporter.New(exporter.WithRegisterer(registry), exporter.WithProducer(runtime.NewProducer()))
	if err != nil {
		return nil, err
	}
	identity := resource.NewSchemaless(
		attribute.String("service.name", "example"),
		attribute.String("service.version", "1.0.0"),
	)
	settings := []metric.Option{metric.WithReader(reader), metric.WithResource(identity)}
	if options.native {
		every := metric.Instrument{Kind: metric.InstrumentKindHistogram}
		exponential := metric.AggregationBase2ExponentialHistogram{MaxSize: 160, MaxScale: 20}
		settings = append(settings, metric.WithView(metric.NewView(every, metric.Stream{Aggregation: exponential})))
	}
	otel.SetMeterProvider(metric.NewMeterProvider(settings...))
	otel.SetTracerProvider(trace.NewTracerProvider(trace.WithSampler(trace.AlwaysSample())))
	otel.SetTextMapPropagator(propagation.TraceContext{})
	if err := runtime.Start(); err != nil {
		return nil, err
	}
	return exposition(registry), nil
}

// exposition serves a registry; exemplars need the OpenMetrics format.
func exposition(registry *prometheus.Registry) http.Handler {
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}
