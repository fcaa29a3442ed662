// What the HTTP services answer, and how they call one another.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// items is the route that every HTTP service has.
const items = "/items/{item}"

// slowness is how long a slow answer takes.
const slowness = 100 * time.Millisecond

func answerItem(w http.ResponseWriter, r *http.Request) {
	switch r.PathValue("item") {
	case "failing":
		http.Error(w, "this one always fails", http.StatusInternalServerError)
	case "unavailable":
		http.Error(w, "not now", http.StatusServiceUnavailable)
	case "missing":
		http.NotFound(w, r)
	case "slow":
		time.Sleep(slowness)
		fmt.Fprintln(w, "slow, but good")
	default:
		fmt.Fprintln(w, "good")
	}
}

type viaKey struct{}

// caller makes a call function of a transport's instrumentation.
func caller(instrument func(http.RoundTripper) http.RoundTripper) func(context.Context, outgoing) string {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		via, _ := ctx.Value(viaKey{}).(string)
		return new(net.Dialer).DialContext(ctx, network, cmp.Or(via, address))
	}
	client := &http.Client{Transport: instrument(transport)}
	return func(ctx context.Context, out outgoing) string {
		ctx, cancel := context.WithTimeout(context.WithValue(ctx, viaKey{}, out.via), out.timeout)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+out.target+"/items/"+out.item, nil)
		if err != nil {
			return err.Error()
		}
		response, err := client.Do(request)
		if err != nil {
			return err.Error()
		}
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, response.Body)
		return strconv.Itoa(response.StatusCode)
	}
}
