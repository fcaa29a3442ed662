// One program per instrumentation library: serves known answers, exposes /metrics, and calls others on demand.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"sort"
	"strings"
	"time"

	"go.opentelemetry.io/otel/propagation"
)

// program is one instrumented service.
type program struct {
	serve   func(net.Listener) error                        // answers requests
	call    func(context.Context, outgoing) (status string) // nil where the library does not watch clients
	metrics http.Handler                                    // the Prometheus exposition
}

// outgoing says whom to call: a name as it would be found in a cluster, the address that really answers to it, and how
// long to wait.
type outgoing struct {
	target, via, item string
	timeout           time.Duration
}

type options struct{ native bool }

var programs = map[string]func(options) (program, error){
	"grpcmiddleware": grpcMiddleware,
	"otelgrpc":       otelGRPC,
	"otelhttp":       otelHTTP,
	"promhttp":       promHTTP,
}

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	names := make([]string, 0, len(programs))
	for name := range programs {
		names = append(names, name)
	}
	sort.Strings(names)
	flags := flag.NewFlagSet("services", flag.ExitOnError)
	listen := flags.String("listen", "127.0.0.1:0", "where to serve; port 0 takes a free one")
	admin := flags.String("admin", "127.0.0.1:0", "where to serve /metrics and /call")
	native := flags.Bool("native", false, "make native histograms")
	if len(os.Args) < 2 || programs[os.Args[1]] == nil {
		return fmt.Errorf("usage: services %s [--listen …] [--admin …] [--native]", strings.Join(names, "|"))
	}
	if err := flags.Parse(os.Args[2:]); err != nil {
		return err
	}
	made, err := programs[os.Args[1]](options{native: *native})
	if err != nil {
		return err
	}
	service, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	side, err := net.Listen("tcp", *admin)
	if err != nil {
		return err
	}
	fmt.Printf("service=%s admin=%s\n", service.Addr(), side.Addr())
	ended := make(chan error, 2)
	go func() { ended <- made.serve(service) }()
	go func() { ended <- http.Serve(side, adminRoutes(made)) }()
	return <-ended
}

// adminRoutes serves what is not the service's own traffic, without instrumentation.
func adminRoutes(made program) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", made.metrics)
	mux.HandleFunc("GET /call", func(w http.ResponseWriter, r *http.Request) {
		if made.call == nil {
			http.Error(w, "this library does not watch clients", http.StatusNotImplemented)
			return
		}
		query := r.URL.Query()
		timeout, err := time.ParseDuration(cmp.Or(query.Get("timeout"), "5s"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		fmt.Fprint(w, made.call(ctx, outgoing{query.Get("target"), query.Get("via"), query.Get("item"), timeout}))
	})
	return mux
}
