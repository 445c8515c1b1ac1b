package consul

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
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

// show reads the certificate anew for each handshake, so that it may be replaced while we run.
func (c TLS) show(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	cert, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	return &cert, err
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
		secure, err := api.SetupTLSConfig(&api.TLSConfig{
			Address: c.TLS.ServerName, CAFile: c.TLS.CA, CertFile: c.TLS.Cert, KeyFile: c.TLS.Key,
		})
		if err != nil {
			return nil, nil, fmt.Errorf("consul: TLS: %w", err)
		}
		if c.TLS.Cert != "" {
			secure.Certificates, secure.GetClientCertificate = nil, c.TLS.show
		}
		t.TLSClientConfig = secure
	}
	cfg := &api.Config{Address: host, Scheme: scheme, HttpClient: &http.Client{Transport: withToken{t, token}}, Transport: t, Token: noToken}
	cl, err := api.NewClient(cfg)
	if err != nil {
		return nil, nil, fmt.Errorf("consul %s: %w", address, err)
	}
	return cl, t.CloseIdleConnections, nil
}
