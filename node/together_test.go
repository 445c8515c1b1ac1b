package node

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"hotfolderd/config"
	"hotfolderd/leases/consul"
	"hotfolderd/leases/consul/consultest"
)

// Nodes and Consul start in any order.
func TestNew_waitsForConsul(t *testing.T) {
	server := consultest.Start(t)
	server.Kill()
	o := options(t, t.TempDir(), rule("inbox"))
	o.Settings.Cluster.Consul = []string{server.Addr}
	o.Settings.Cluster.Namespace = consultest.Namespace(t)
	o.Settings.HTTP.Listen = "127.0.0.1:0"
	o.Settings.Cluster.SessionTTL = config.Duration(time.Second)

	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if n, err := New(ctx, o); err == nil {
		t.Fatalf("want it to wait until its context ends, got %v", n.State())
	}
	o.Registry = options(t, "").Registry
	built := make(chan error, 1)
	var n *Node
	go func() {
		var err error
		n, err = New(t.Context(), o)
		built <- err
	}()
	server.Restart(t)
	select {
	case err := <-built:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("Consul is there, and the node still waits")
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}

// Waiting mends no certificate.
func TestNew_endsWhenConsulIsNotTrusted(t *testing.T) {
	server := consultest.StartTLS(t)
	good, other := consultest.Config(t, server), consultest.Config(t, consultest.StartTLS(t))
	plain := consultest.Start(t)
	for name, c := range map[string]struct {
		tls     consul.TLS
		address string
	}{
		"its authority is not ours":        {consul.TLS{CA: other.TLS.CA, Cert: good.TLS.Cert, Key: good.TLS.Key}, good.Addresses[0]},
		"it does not accept ours":          {consul.TLS{CA: good.TLS.CA, Cert: other.TLS.Cert, Key: other.TLS.Key}, good.Addresses[0]},
		"it wants one":                     {consul.TLS{CA: good.TLS.CA}, good.Addresses[0]},
		"its certificate has another name": {consul.TLS{CA: good.TLS.CA, Cert: good.TLS.Cert, Key: good.TLS.Key, ServerName: "elsewhere"}, good.Addresses[0]},
		"it speaks no TLS":                 {good.TLS, "https://" + plain.Addr},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, t.TempDir(), rule("inbox"))
			o.Settings.Cluster.Consul = []string{c.address}
			o.Settings.Cluster.Namespace = consultest.Namespace(t)
			o.Settings.Cluster.TLS = config.ConsulTLS{CA: c.tls.CA, Cert: c.tls.Cert, Key: c.tls.Key, ServerName: c.tls.ServerName}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			_, err := New(ctx, o)
			if !errors.Is(err, ErrSettings) || !strings.Contains(err.Error(), c.address) || !strings.Contains(err.Error(), "cluster.tls") {
				t.Errorf("want ErrSettings with the address, got %v", err)
			}
		})
	}
}
