package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

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
		token = strings.TrimSpace(string(b))
	}
	return &client{"http://" + net.JoinHostPort(host, port), token, &http.Client{Timeout: answerTime}}, nil
}

// ask reads the JSON of one route.
func (c *client) ask(ctx context.Context, route string, into any) (err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+route, nil)
	if err != nil {
		return err
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return c.noAnswer(err)
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	body := io.LimitReader(res.Body, maxAnswer)
	if res.StatusCode != http.StatusOK {
		return c.refused(res.StatusCode, body)
	}
	if err := json.NewDecoder(body).Decode(into); err != nil {
		return fmt.Errorf("%s answers, but not as a node of hotfolderd does: %w", c.base, err)
	}
	return nil
}

func (c *client) noAnswer(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no node answers at %s (http.listen): start one with hotfolderd run, or give its address with --address", c.base)
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
	if json.NewDecoder(body).Decode(&problem) != nil || problem.Detail == "" {
		problem.Detail = http.StatusText(status)
	}
	return fmt.Errorf("the node at %s answers %d: %s", c.base, status, problem.Detail)
}
