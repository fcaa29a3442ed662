// A gRPC service with go-grpc-middleware's Prometheus provider, server and client, histograms enabled.
package main

import (
	"context"

	provider "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

func grpcMiddleware(options) (program, error) {
	registry := newRegistry()
	server := provider.NewServerMetrics(provider.WithServerHandlingTimeHistogram())
	client := provider.NewClientMetrics(provider.WithClientHandlingTimeHistogram())
	registry.MustRegister(server, client)
	exemplars := provider.WithExemplarFromContext(traceID)
	watched := grpcServer(grpc.ChainUnaryInterceptor(continueTrace, server.UnaryServerInterceptor(exemplars)))
	server.InitializeMetrics(watched)
	return program{
		serve:   watched.Serve,
		call:    grpcCaller(grpc.WithChainUnaryInterceptor(client.UnaryClientInterceptor(exemplars), sendTrace)),
		metrics: exposition(registry),
	}, nil
}

// continueTrace takes the caller's trace from the metadata, as a tracing interceptor would.
func continueTrace(ctx context.Context, r any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	found, _ := metadata.FromIncomingContext(ctx)
	carrier := propagation.MapCarrier{}
	for name, values := range found {
		carrier[name] = values[0]
	}
	return next(propagation.TraceContext{}.Extract(ctx, carrier), r)
}

// sendTrace hands the trace on to the callee.
func sendTrace(
	ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, next grpc.UnaryInvoker, options ...grpc.CallOption,
) error {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	for name, value := range carrier {
		ctx = metadata.AppendToOutgoingContext(ctx, name, value)
	}
	return next(ctx, method, request, reply, conn, options...)
}
