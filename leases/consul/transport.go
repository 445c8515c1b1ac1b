package consul

import (
	"context"
	"net/http"
	"strings"
)

// noToken keeps the library from taking a token out of the environment. It is never sent.
const noToken = "none"

// withToken makes each request ours: nothing but the settings decides, not what the library found in the environment.
type withToken struct {
	next  http.RoundTripper
	token *tokenFile
}

// RoundTrip implements http.RoundTripper.
func (t withToken) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Del("X-Consul-Token")
	if token, _ := t.token.read(); token != "" {
		r.Header.Set("X-Consul-Token", token)
	}
	if strings.Contains(r.URL.RawQuery, "ns=") || strings.Contains(r.URL.RawQuery, "partition=") {
		q := r.URL.Query()
		q.Del("ns")
		q.Del("partition")
		r.URL.RawQuery = q.Encode()
	}
	res, err := t.next.RoundTrip(r)
	if to, ok := r.Context().Value(statusKey{}).(*int); ok && err == nil {
		*to = res.StatusCode
	}
	return res, err
}

type statusKey struct{}

// withStatus has the status of the last answer written to where it says.
func withStatus(ctx context.Context, to *int) context.Context {
	return context.WithValue(ctx, statusKey{}, to)
}
