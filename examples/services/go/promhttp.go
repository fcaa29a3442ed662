// A net/http service with client_golang's promhttp, named as its example middleware names things.
package main

import (
	"net"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/propagation"
)

func promHTTP(options options) (program, error) {
	registry := newRegistry()
	mux := http.NewServeMux()
	mux.Handle("GET "+items, instrumented(registry, options, items, http.HandlerFunc(answerItem)))
	mux.Handle("/", instrumented(registry, options, "/", http.NotFoundHandler()))
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		mux.ServeHTTP(w, r.WithContext(ctx))
	})
	return program{
		serve:   func(l net.Listener) error { return http.Serve(l, handler) },
		metrics: exposition(registry),
	}, nil
}

// instrumented counts and times the requests of one handler.
func instrumented(registry *prometheus.Registry, options options, name string, next http.Handler) http.Handler {
	own := promauto.With(prometheus.WrapRegistererWith(prometheus.Labels{"handler": name}, registry))
	requests := own.NewCounterVec(prometheus.CounterOpts{
		Name: "http_requests_total",
		Help: "Tracks the number of HTTP requests.",
	}, []string{"method", "code"})
	histogram := prometheus.HistogramOpts{
		Name:    "http_request_duration_seconds",
		Help:    "Tracks the latencies for HTTP requests.",
		Buckets: prometheus.DefBuckets,
	}
	if options.native {
		histogram.NativeHistogramBucketFactor = 1.1
	}
	duration := own.NewHistogramVec(histogram, []string{"method", "code"})
	exemplars := promhttp.WithExemplarFromContext(traceID)
	next = promhttp.InstrumentHandlerCounter(requests, next, exemplars)
	return promhttp.InstrumentHandlerDuration(duration, next, exemplars)
}
