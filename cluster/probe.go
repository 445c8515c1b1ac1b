package cluster

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"
)

// InstanceHeader is the header by which GET /livez tells the instance that answers.
const InstanceHeader = "Hotfolder-Instance"

// Defaults of ProbeOptions.
const (
	DefaultProbeTargets  = 3
	DefaultProbeInterval = 250 * time.Millisecond
	DefaultProbeTimeout  = 500 * time.Millisecond
	DefaultProbeRefusals = 2
	DefaultProbeMisses   = 3
	DefaultProbeSilence  = 2 * time.Second
)

// ProbeOptions say how members look after each other. Zero values are the defaults above.
type ProbeOptions struct {
	Targets  int           // at most so many others are probed by one member
	Interval time.Duration // from one probe of a member to the next; a quarter of it after a first refusal
	Timeout  time.Duration // of one probe
	Refusals int           // so many refused probes in a row make a suspect
	Misses   int           // so many unanswered probes in a row, over at least Silence, make a suspect
	Silence  time.Duration
}

func (o ProbeOptions) withDefaults() ProbeOptions {
	o.Targets, o.Interval = orDefault(o.Targets, DefaultProbeTargets), orDefault(o.Interval, DefaultProbeInterval)
	o.Timeout, o.Refusals = orDefault(o.Timeout, DefaultProbeTimeout), orDefault(o.Refusals, DefaultProbeRefusals)
	o.Misses, o.Silence = orDefault(o.Misses, DefaultProbeMisses), orDefault(o.Silence, DefaultProbeSilence)
	return o
}

func orDefault[T int | time.Duration](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}

// answer is what one probe says.
type answer int

const (
	silent answer = iota // nobody answers, or somebody who does not say who he is: it may live
	gone                 // nobody listens there, or another instance does: it is dead
	alive
)

// prober asks members whether they live. It keeps its connections.
type prober struct {
	client  *http.Client
	timeout time.Duration
}

func newProber(o ProbeOptions) *prober {
	dialer := &net.Dialer{Timeout: o.Timeout}
	return &prober{
		timeout: o.Timeout,
		client: &http.Client{
			Transport: &http.Transport{
				DialContext: dialer.DialContext, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute, DisableCompression: true,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

func (p *prober) close() { p.client.CloseIdleConnections() }

// ask probes once. seen is the instance that answered, if any.
func (p *prober) ask(ctx context.Context, address, instance string) (a answer, seen string) {
	if address == "" {
		return silent, ""
	}
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/livez", nil)
	if err != nil {
		return silent, ""
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return unanswered(err), ""
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 4096) // read to its end, the connection can be used again
	switch seen = resp.Header.Get(InstanceHeader); seen {
	case instance:
		return alive, seen
	case "":
		return silent, ""
	default:
		return gone, seen
	}
}

// unanswered tells a machine that says "nobody listens here" from one that says nothing.
func unanswered(err error) answer {
	for _, refusal := range []error{syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, refusal) {
			return gone
		}
	}
	return silent
}
