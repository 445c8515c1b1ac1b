package s3

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

const (
	// stall is how long a connection may be still, while we wait or send, before it is given up.
	stall = 60 * time.Second
	// longStall is that for what a server does with an object as large as may be before it answers.
	longStall = 15 * time.Minute
	dialTime  = 10 * time.Second
	// idleTime is shorter than stall, and than the time after which servers close a connection (MinIO 30 s): a request that begins on one
	// that is just being given up comes to nothing, and must be asked about.
	idleTime    = 10 * time.Second
	idlePerHost = 64
)

// extra is what goes with one request beside what the library knows. It travels in the context.
type extra struct {
	header   http.Header          // is added; of what need not be signed
	answered func(*http.Response) // sees the answer first; it must not read the body
}

type extraKey struct{}

func withExtra(ctx context.Context, e extra) context.Context {
	return context.WithValue(ctx, extraKey{}, e)
}

// wire counts requests and adds their extras.
type wire struct {
	quick, slow *http.Transport
	count       *requests
}

func newWire(ca string, count *requests) (*wire, error) {
	var trust *tls.Config
	if ca != "" {
		pool, err := authorities(ca)
		if err != nil {
			return nil, err
		}
		trust = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &wire{quick: newTransport(trust, stall), slow: newTransport(trust, longStall), count: count}, nil
}

func newTransport(trust *tls.Config, stall time.Duration) *http.Transport {
	dialer := &net.Dialer{Timeout: dialTime, KeepAlive: 15 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &patientConn{c, stall}, nil
		},
		MaxIdleConnsPerHost: idlePerHost, IdleConnTimeout: idleTime, TLSHandshakeTimeout: dialTime, TLSClientConfig: trust,
		ResponseHeaderTimeout: stall, ExpectContinueTimeout: time.Second, DisableCompression: true,
	}
}

// CloseIdleConnections lets go of what is not in use.
func (w *wire) CloseIdleConnections() {
	w.quick.CloseIdleConnections()
	w.slow.CloseIdleConnections()
}

func authorities(file string) (*x509.CertPool, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("certificates of authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, errors.New("no certificate in " + strconv.Quote(file) + "; want PEM")
	}
	return pool, nil
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	kind := kindOf(r)
	w.count.sent.WithLabelValues(kind).Inc()
	t := w.quick
	if kind == reqCopy || kind == reqUpload && r.Method == http.MethodPost {
		t = w.slow
	}
	e, _ := r.Context().Value(extraKey{}).(extra)
	if len(e.header) > 0 {
		r = r.Clone(r.Context())
		for name, values := range e.header {
			r.Header[name] = values
		}
	}
	resp, err := t.RoundTrip(r)
	if err == nil && e.answered != nil {
		e.answered(resp)
	}
	return resp, err
}

// patientConn gives a connection up that stood still for too long. A write moves the deadline of the read that waits for its answer.
type patientConn struct {
	net.Conn
	stall time.Duration
}

func (c *patientConn) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.stall)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c *patientConn) Write(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.stall)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
