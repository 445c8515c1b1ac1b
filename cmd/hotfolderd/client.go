package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"hotfolderd/admin/access"
	"hotfolderd/config"
)

const (
	answerTime = 10 * time.Second
	maxAnswer  = 64 << 20
)

// client asks the node that runs with the same settings.
type client struct {
	base, token string
	http        *http.Client
}

// newClient makes a client for the settings' own address, or for another one.
func newClient(h config.HTTP, address string) (*client, error) {
	if address == "" {
		address = h.Listen
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("the address %q is not host:port: %w", address, err)
	}
	if port == "0" {
		return nil, errors.New("http.listen asks for any free port, so its address is not known here: give it with --address")
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	token := ""
	if h.TokenFile != "" {
		b, err := os.ReadFile(h.TokenFile)
		if err != nil {
			return nil, fmt.Errorf("http.token_file: %w", err)
		}
		token = access.Lines(b).First()
	}
	return &client{"http://" + net.JoinHostPort(host, port), token, &http.Client{Timeout: answerTime}}, nil
}

// ask reads the JSON of one route.
func (c *client) ask(ctx context.Context, route string, into any) error {
	return c.do(ctx, http.MethodGet, route, nil, into)
}

// tell sends a request that changes something, with body as JSON, and reads its answer.
func (c *client) tell(ctx context.Context, route string, body, into any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodPost, route, bytes.NewReader(data), into)
}

func (c *client) do(ctx context.Context, method, route string, body io.Reader, into any) (err error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+route, body)
	if err != nil {
		return err
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return c.noAnswer(err)
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	answer := io.LimitReader(res.Body, maxAnswer)
	if res.StatusCode/100 != 2 {
		return c.refused(res.StatusCode, answer)
	}
	if err := json.NewDecoder(answer).Decode(into); err != nil {
		return fmt.Errorf("%s answers, but not as a node of hotfolderd does: %w", c.base, err)
	}
	return nil
}

// clientOf makes a client for the node of the settings.
func (a *app) clientOf(address string) (*client, error) {
	s, err := a.settings()
	if err != nil {
		return nil, err
	}
	return newClient(s.HTTP, address)
}

// errNobody: nothing listens there.
var errNobody = errors.New("no node answers")

func (c *client) noAnswer(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w at %s (http.listen): start one with hotfolderd run, or give its address with --address", errNobody, c.base)
	}
	return fmt.Errorf("no node answers at %s (http.listen): %w", c.base, err)
}

func (c *client) refused(status int, body io.Reader) error {
	if status == http.StatusUnauthorized {
		return fmt.Errorf("the node at %s wants its token: name the file that holds it as http.token_file", c.base)
	}
	var problem struct {
		Detail string `json:"detail"`
	}
	switch known := json.NewDecoder(body).Decode(&problem) == nil && problem.Detail != ""; {
	case known && status == http.StatusNotFound:
		return notFoundf("%s", problem.Detail)
	case !known:
		problem.Detail = http.StatusText(status)
	}
	return &refusedError{status, fmt.Sprintf("the node at %s answers %d: %s", c.base, status, problem.Detail)}
}

// refusedError is what a node says to a request that it does not serve.
type refusedError struct {
	status int
	text   string
}

func (e *refusedError) Error() string { return e.text }
