// A net/http service with OpenTelemetry's otelhttp, server and client.
package main

import (
	"net"
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
)

func otelHTTP(options options) (program, error) {
	metrics, err := openTelemetry(options)
	if err != nil {
		return program{}, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+items, answerItem)
	handler := otelhttp.NewHandler(mux, "server")
	return program{
		serve:   func(l net.Listener) error { return http.Serve(l, handler) },
		call:    caller(func(t http.RoundTripper) http.RoundTripper { return otelhttp.NewTransport(t) }),
		metrics: metrics,
	}, nil
}
