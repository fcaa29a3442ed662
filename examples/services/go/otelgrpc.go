// A gRPC service with OpenTelemetry's otelgrpc, server and client.
package main

import (
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
)

func otelGRPC(options options) (program, error) {
	metrics, err := openTelemetry(options)
	if err != nil {
		return program{}, err
	}
	return program{
		serve:   grpcServer(grpc.StatsHandler(otelgrpc.NewServerHandler())).Serve,
		call:    grpcCaller(grpc.WithStatsHandler(otelgrpc.NewClientHandler())),
		metrics: metrics,
	}, nil
}
