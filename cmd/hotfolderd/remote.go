package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hotfolderd/admin/access"
	api "hotfolderd/client"
)

// What a command asks nodes with when no flag says so.
const (
	serverVariable = "HOTFOLDERD_SERVER"
	tokenVariable  = "HOTFOLDERD_TOKEN_FILE"
)

// patience is for which nodes are tried that do not serve a request: longer than another one needs to take over, and not so long that
// a wrong address looks like a command that hangs.
const patience = 10 * time.Second

// remote says which nodes a command asks over HTTP, from any machine.
type remote struct{ servers, tokenFile string }

func (r *remote) addTo(c *cobra.Command) {
	c.Flags().StringVar(&r.servers, "server", "", "`host:port` of a node, or several with commas; the others are found by themselves")
	c.Flags().StringVar(&r.tokenFile, "token-file", "", "`file` with the token of the nodes")
	_ = c.RegisterFlagCompletionFunc("server", cobra.NoFileCompletions) // it fails only for a flag that is not there
}

// asked reports whether nodes are to be asked and not the store: by the flag, or by the environment, which a settings file that was
// named on the command line goes before.
func (r remote) asked(a *app) bool { return r.addresses(a) != "" }

func (r remote) addresses(a *app) string {
	if r.servers == "" && a.configFile == "" {
		return os.Getenv(serverVariable)
	}
	return r.servers
}

// dial makes a client of the nodes: those that were named, else the one of the settings.
func (a *app) dial(c *cobra.Command, r remote) (*api.Client, error) {
	servers, tokenFile := r.addresses(a), cmp.Or(r.tokenFile, os.Getenv(tokenVariable))
	if servers == "" {
		own, err := a.ownServer()
		if err != nil {
			return nil, err
		}
		servers, tokenFile = own.servers, cmp.Or(r.tokenFile, own.tokenFile)
	}
	o := api.Options{Patience: patience, Moved: func(m api.Move) {
		if m.Why != nil {
			a.tell(fmt.Errorf("going on at %s: %w", m.To, m.Why))
		}
	}}
	if tokenFile != "" {
		text, err := os.ReadFile(tokenFile)
		if err != nil {
			return nil, fmt.Errorf("the token: %w", err)
		}
		o.Token = access.Lines(text).First()
	}
	cl, err := api.New(strings.Split(servers, ","), o)
	if err != nil {
		return nil, usagef(c, "--server: %w", err)
	}
	return cl, nil
}

// ownServer is the node that runs with the same settings.
func (a *app) ownServer() (remote, error) {
	s, err := a.settings()
	if err != nil {
		return remote{}, err
	}
	host, port, err := net.SplitHostPort(s.HTTP.Listen)
	if err != nil || port == "0" {
		return remote{}, errors.New("http.listen names no port to ask at: give the node's address with --server")
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return remote{net.JoinHostPort(host, port), s.HTTP.TokenFile}, nil
}

// remoteFault gives an error of a node its exit code.
func remoteFault(err error) error {
	var told *api.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &told) && errors.Is(told, fs.ErrNotExist):
		return &fault{exitNotFound, err}
	case errors.As(err, &told) && told.Status == 401:
		return fmt.Errorf("%w: name the file that holds it with --token-file or %s", err, tokenVariable)
	}
	return err
}
