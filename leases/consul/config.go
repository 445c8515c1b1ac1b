package consul

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
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
	// Timeout of one try at one address; 0 is 1 s.
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

// show reads the certificate anew for each handshake, so that it may be replaced while we run.
func (c TLS) show(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	cert, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	return &cert, err
}

const (
	defaultTimeout = time.Second
	dialTimeout    = 500 * time.Millisecond
	idlePerHost    = 64
)

// client makes the library's client for one address, and the function that lets its idle connections go.
func (c Config) client(address string, token *tokenFile) (*api.Client, func(), error) {
	scheme, rest, found := strings.Cut(address, "://")
	if !found {
		scheme, rest = "http", address
	}
	if rest == "" || scheme != "http" && scheme != "https" {
		return nil, nil, fmt.Errorf("consul address %s: want host:port, or a URL with http or https", strconv.Quote(address))
	}
	t, err := c.transport(scheme == "https")
	if err != nil {
		return nil, nil, err
	}
	cl, err := api.NewClient(&api.Config{
		Address: scheme + "://" + rest, Scheme: scheme, Transport: t, HttpClient: &http.Client{Transport: withToken{t, token}}, Token: noToken,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("consul address %s: %w", strconv.Quote(address), err)
	}
	return cl, t.CloseIdleConnections, nil
}

// transport keeps connections open and has no limit of them, so that a renewal never waits behind anything else.
func (c Config) transport(secure bool) (*http.Transport, error) {
	d := &net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}
	t := &http.Transport{
		DialContext: d.DialContext, MaxIdleConnsPerHost: idlePerHost, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: dialTimeout,
	}
	if !secure {
		return t, nil
	}
	var err error
	t.TLSClientConfig, err = api.SetupTLSConfig(&api.TLSConfig{
		Address: c.TLS.ServerName, CAFile: c.TLS.CA, CertFile: c.TLS.Cert, KeyFile: c.TLS.Key,
	})
	if err != nil {
		return nil, fmt.Errorf("consul: TLS: %w", err)
	}
	if c.TLS.Cert != "" {
		t.TLSClientConfig.Certificates, t.TLSClientConfig.GetClientCertificate = nil, c.TLS.show
	}
	return t, nil
}
