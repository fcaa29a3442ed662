// What the gRPC services answer, and how they call one another; the health service stands for any service.
package main

import (
	"context"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

type health struct {
	grpc_health_v1.UnimplementedHealthServer
}

func (health) Check(_ context.Context, r *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	switch r.GetService() {
	case "failing":
		return nil, status.Error(codes.Internal, "this one always fails")
	case "unavailable":
		return nil, status.Error(codes.Unavailable, "not now")
	case "missing":
		return nil, status.Error(codes.NotFound, "there is no such item")
	case "slow":
		time.Sleep(slowness)
	}
	return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}, nil
}

// grpcServer serves the health service with a library's options.
func grpcServer(options ...grpc.ServerOption) *grpc.Server {
	server := grpc.NewServer(options...)
	grpc_health_v1.RegisterHealthServer(server, health{})
	return server
}

// grpcCaller makes a call function of a library's dial options; connections are kept.
func grpcCaller(options ...grpc.DialOption) func(context.Context, outgoing) string {
	var connections sync.Map
	return func(ctx context.Context, out outgoing) string {
		kept, found := connections.Load(out.target + out.via)
		if !found {
			made, err := connect(out, options)
			if err != nil {
				return err.Error()
			}
			kept, _ = connections.LoadOrStore(out.target+out.via, made)
		}
		ctx, cancel := context.WithTimeout(ctx, out.timeout)
		defer cancel()
		client := grpc_health_v1.NewHealthClient(kept.(*grpc.ClientConn))
		_, err := client.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: out.item})
		return status.Code(err).String()
	}
}

func connect(out outgoing, options []grpc.DialOption) (*grpc.ClientConn, error) {
	options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))
	target := out.target
	if out.via != "" {
		target = "passthrough:///" + out.target
		options = append(options, grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", out.via)
		}))
	}
	return grpc.NewClient(target, options...)
}
