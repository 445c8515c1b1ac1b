package consul

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/hashicorp/consul/api"
	"go.uber.org/zap"
)

// ErrUnreachable: no address gave a good answer in time. Whether a write was done is not known.
var ErrUnreachable = errors.New("consul gives no answer")

// Conn is a connection to one Consul cluster. It is safe for concurrent use. Close it to let its idle connections go.
type Conn struct {
	addresses []string
	clients   []*api.Client
	idle      []func()
	timeout   time.Duration
	log       *zap.Logger
	good      atomic.Int32 // the address that answered last
}

// Dial prepares a connection; nothing is sent yet. The error is about the settings.
func Dial(c Config) (*Conn, error) {
	if len(c.Addresses) == 0 {
		return nil, errors.New("consul: no address")
	}
	token, err := newTokenFile(c.TokenFile)
	if err != nil {
		return nil, err
	}
	conn := &Conn{addresses: c.Addresses, timeout: c.Timeout, log: c.Log}
	if conn.timeout <= 0 {
		conn.timeout = defaultTimeout
	}
	if conn.log == nil {
		conn.log = zap.NewNop()
	}
	for _, a := range c.Addresses {
		cl, idle, err := c.client(a, token)
		if err != nil {
			return nil, err
		}
		conn.clients, conn.idle = append(conn.clients, cl), append(conn.idle, idle)
	}
	return conn, nil
}

// Close lets idle connections go. Requests under way go on.
func (c *Conn) Close() {
	for _, idle := range c.idle {
		idle()
	}
}

// Do calls f with a client for one address after another, beginning with the one that answered last, until one gives a good
// answer or says no for good (4xx). Each try has the connection's timeout. f must be repeatable: an unanswered try may
// have been done all the same. The error wraps [ErrUnreachable] when no address answered, and what each of them said instead.
func (c *Conn) Do(ctx context.Context, f func(context.Context, *api.Client) error) error {
	return c.within(ctx, c.timeout, f)
}

func (c *Conn) within(ctx context.Context, timeout time.Duration, f func(context.Context, *api.Client) error) error {
	first := int(c.good.Load())
	var tries unanswered
	for i := range c.clients {
		n := (first + i) % len(c.clients)
		err := c.try(ctx, timeout, c.clients[n], f)
		switch {
		case err == nil || isFinal(err):
			c.answered(first, n)
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
		tries = append(tries, attempt{c.addresses[n], err})
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, tries)
}

func (c *Conn) try(ctx context.Context, timeout time.Duration, cl *api.Client, f func(context.Context, *api.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var status int
	err := f(withStatus(ctx, &status), cl)
	if refused(status) && err != nil && !errors.As(err, new(api.StatusError)) {
		err = api.StatusError{Code: status, Body: err.Error()} // some calls of the library keep the words only
	}
	return err
}

// answered remembers the address for the next request.
func (c *Conn) answered(before, now int) {
	if before != now && c.good.CompareAndSwap(int32(before), int32(now)) {
		c.log.Info("another consul server answers", zap.String("now", c.addresses[now]), zap.String("before", c.addresses[before]))
	}
}

// isFinal: the server understood and said no; another one would say the same. 429 and 5xx are a server's own trouble.
func isFinal(err error) bool {
	var status api.StatusError
	return errors.As(err, &status) && refused(status.Code)
}

func refused(code int) bool { return code >= 400 && code < 500 && code != 429 }

// Denied reports whether the error says that the ACL token may not do this.
func Denied(err error) bool {
	var status api.StatusError
	return errors.As(err, &status) && status.Code == http.StatusForbidden
}

// unfiltered is the error of a read, also when Consul left out what the token may not see: nothing must look gone that is only
// hidden.
func unfiltered(meta *api.QueryMeta, err error) error {
	if err == nil && meta.ResultsFilteredByACLs {
		return api.StatusError{Code: http.StatusForbidden, Body: "the ACL token may not see all of it"}
	}
	return err
}
