package consul

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/consul/api"
	"go.uber.org/zap"
)

// Config says where Consul is and how it is spoken to.
type Config struct {
	// Addresses are tried in order: host:port or a URL with http or https.
	Addresses []string
	// TokenFile holds the ACL token. It is read again when it changes. Empty: no token.
	TokenFile string
	// TLS is used for https addresses.
	TLS TLS
	// Timeout of one try at one address; 0 is 1.5 s.
	Timeout time.Duration
	// Log gets changes of address. nil is silent.
	Log *zap.Logger
}

// TLS names PEM files. CA empty trusts the system's; Cert and Key empty shows no certificate.
type TLS struct {
	CA, Cert, Key string
	// ServerName that the servers' certificates must have; empty is the host of the address.
	ServerName string
}

const (
	defaultTimeout = 1500 * time.Millisecond
	dialTimeout    = time.Second
	idlePerHost    = 64
)

// client makes the library's client for one address, and the function that lets its idle connections go.
func (c Config) client(address string, token *tokenFile) (*api.Client, func(), error) {
	d := &net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}
	t := &http.Transport{
		DialContext: d.DialContext, MaxIdleConnsPerHost: idlePerHost, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: dialTimeout,
	}
	scheme, host, found := strings.Cut(address, "://")
	if !found {
		scheme, host = "http", address
	}
	if scheme == "https" {
		tls, err := api.SetupTLSConfig(&api.TLSConfig{
			Address: c.TLS.ServerName, CAFile: c.TLS.CA, CertFile: c.TLS.Cert, KeyFile: c.TLS.Key,
		})
		if err != nil {
			return nil, nil, fmt.Errorf("consul: TLS: %w", err)
		}
		t.TLSClientConfig = tls
	}
	cfg := &api.Config{Address: host, Scheme: scheme, HttpClient: &http.Client{Transport: withToken{t, token}}, Transport: t, Token: noToken}
	cl, err := api.NewClient(cfg)
	if err != nil {
		return nil, nil, fmt.Errorf("consul %s: %w", address, err)
	}
	return cl, t.CloseIdleConnections, nil
}

// tokenFile is a file that holds a token and may be changed.
type tokenFile struct {
	path string

	mu    sync.Mutex
	mod   time.Time
	token string
}

func newTokenFile(path string) (*tokenFile, error) {
	f := &tokenFile{path: path}
	if path == "" {
		return f, nil
	}
	token, err := f.read()
	if err == nil && token == "" {
		err = errors.New("it is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("consul token file %q: %w", path, err)
	}
	return f, nil
}

// read returns the token of now. A file that cannot be read any more leaves the last one in force.
func (f *tokenFile) read() (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.path == "" {
		return "", nil
	}
	st, err := os.Stat(f.path)
	if err != nil || st.ModTime().Equal(f.mod) {
		return f.token, err
	}
	b, err := os.ReadFile(f.path)
	if err == nil {
		f.token, f.mod = strings.TrimSpace(string(b)), st.ModTime()
	}
	return f.token, err
}
