package consul_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"hotfolderd/leases/consul"
	"hotfolderd/leases/consul/consultest"
)

// nobody is an address at which nobody listens; silent is one at which nobody ever answers.
func nobody(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func silent(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

func dial(t *testing.T, c consul.Config) *consul.Conn {
	t.Helper()
	conn, err := consul.Dial(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

func TestDo_triesTheNextAddress(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	const timeout = 300 * time.Millisecond
	conn := dial(t, consul.Config{Addresses: []string{nobody(t), silent(t), s.Addr}, Timeout: timeout})
	begin := time.Now()
	if err := conn.Put(t.Context(), "k", []byte("v")); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > 3*timeout {
		t.Fatalf("it took %v", took)
	}
	begin = time.Now()
	if pair, err := conn.Get(t.Context(), "k"); err != nil || string(pair.Value) != "v" {
		t.Fatal(pair, err)
	}
	if took := time.Since(begin); took > timeout {
		t.Fatalf("the address that answered was not remembered: it took %v", took)
	}
}

func TestDo_saysWhichAddressesDoNotAnswer(t *testing.T) {
	t.Parallel()
	a, b := nobody(t), silent(t)
	conn := dial(t, consul.Config{Addresses: []string{a, b}, Timeout: 100 * time.Millisecond})
	_, err := conn.Get(t.Context(), "k")
	if !errors.Is(err, consul.ErrUnreachable) || !strings.Contains(err.Error(), a) || !strings.Contains(err.Error(), b) {
		t.Fatalf("want ErrUnreachable and both addresses, got %v", err)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Fatalf("more than one line: %q", err)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("want it to hold the refusal, and no deadline that is not the caller's: %v", err)
	}
}

// One server whose certificate is bad says nothing of the others, which may come yet.
func TestDistrusted_whenNoAddressCouldBeTrusted(t *testing.T) {
	t.Parallel()
	c := consultest.Config(t, consultest.StartTLS(t))
	c.TLS.CA = consultest.Config(t, consultest.StartTLS(t)).TLS.CA
	if err := dial(t, c).Put(t.Context(), "k", nil); !consul.Distrusted(err) {
		t.Errorf("another authority's: %v", err)
	}
	c.Addresses = append(c.Addresses, "https://"+nobody(t))
	if err := dial(t, c).Put(t.Context(), "k", nil); consul.Distrusted(err) || !errors.Is(err, consul.ErrUnreachable) {
		t.Errorf("one is not there: %v", err)
	}
}

func TestDo_endsWithTheCallersContext(t *testing.T) {
	t.Parallel()
	conn := dial(t, consul.Config{Addresses: []string{silent(t)}, Timeout: time.Minute})
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(why) })
	if _, err := conn.Get(ctx, "k"); !errors.Is(err, why) {
		t.Fatalf("want the cause, got %v", err)
	}
}

// A server that says no for good is believed; one with trouble of its own is passed by.
func TestDo_believesARefusalOnly(t *testing.T) {
	t.Parallel()
	good := consultest.Start(t)
	for _, c := range []struct {
		status int
		final  bool
	}{{400, true}, {403, true}, {413, true}, {429, false}, {500, false}, {503, false}} {
		var asked atomic.Int32
		bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			http.Error(w, "no", c.status)
		}))
		conn := dial(t, consul.Config{Addresses: []string{bad.Listener.Addr().String(), good.Addr}})
		_, _, err := conn.Txn(t.Context(), api.KVTxnOps{{Verb: api.KVSet, Key: "k"}}) // of this call the library keeps no status
		if final := err != nil; final != c.final {
			t.Errorf("status %d: want final %v, got %v", c.status, c.final, err)
		}
		if denied := consul.Denied(err); denied != (c.status == http.StatusForbidden) {
			t.Errorf("status %d: denied is %v", c.status, denied)
		}
		if asked.Load() != 1 {
			t.Errorf("status %d: asked %d times", c.status, asked.Load())
		}
		conn.Close()
		bad.Close()
	}
}

func TestDial_refusesBadSettings(t *testing.T) {
	t.Parallel()
	empty := consultest.TokenFile(t, "")
	for name, c := range map[string]consul.Config{
		"no address":     {},
		"no token file":  {Addresses: []string{"a:1"}, TokenFile: filepath.Join(t.TempDir(), "missing")},
		"an empty token": {Addresses: []string{"a:1"}, TokenFile: empty},
		"no CA":          {Addresses: []string{"https://a:1"}, TLS: consul.TLS{CA: "missing"}},
		"no key":         {Addresses: []string{"https://a:1"}, TLS: consul.TLS{Cert: empty, Key: empty}},
		"a scheme":       {Addresses: []string{"ftp://a:1"}},
	} {
		if conn, err := consul.Dial(c); err == nil || conn != nil {
			t.Errorf("%s: want an error, got %v, %v", name, conn, err)
		}
	}
}

// Nothing but the settings decides, whatever the environment of the process says to Consul's own tools.
func TestDial_leavesTheEnvironmentAlone(t *testing.T) {
	s := consultest.StartDenying(t)
	c := consultest.Config(t, s)
	c.TokenFile = consultest.TokenFile(t, s.Token(t, consul.Policy("n")))
	before := dial(t, c)
	for _, e := range []string{
		api.HTTPAddrEnvName, api.HTTPTokenEnvName, api.HTTPTokenFileEnvName, api.HTTPSSLEnvName, api.HTTPAuthEnvName, api.HTTPCAFile,
		api.HTTPNamespaceEnvName, api.HTTPPartitionEnvName,
	} {
		t.Setenv(e, "true")
	}
	for _, conn := range []*consul.Conn{before, dial(t, c)} {
		if err := conn.Put(t.Context(), "hotfolderd/n/k", nil); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTokenFile_isReadAgainButNeverEmpty(t *testing.T) {
	t.Parallel()
	var got atomic.Value
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got.Store(r.Header.Get("X-Consul-Token")) }))
	defer s.Close()
	path := consultest.TokenFile(t, "one")
	conn := dial(t, consul.Config{Addresses: []string{s.URL}, TokenFile: path})
	for _, c := range []struct{ content, want string }{{"one", "one"}, {"two\n", "two"}, {"", "two"}, {" three ", "three"}} {
		if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		_ = conn.Put(t.Context(), "k", nil)
		if got.Load() != c.want {
			t.Fatalf("content %q: want %q, got %q", c.content, c.want, got.Load())
		}
	}
	none := dial(t, consul.Config{Addresses: []string{s.URL}})
	if _ = none.Put(t.Context(), "k", nil); got.Load() != "" {
		t.Fatalf("without a file: got %q", got.Load())
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _ = conn.Put(t.Context(), "k", nil); got.Load() != "three" {
		t.Fatalf("the file is gone: got %q", got.Load())
	}
}

func TestTLS_certificateMayBeReplaced(t *testing.T) {
	t.Parallel()
	s := consultest.StartTLS(t)
	c := consultest.Config(t, s)
	dir := t.TempDir()
	cert, key := c.TLS.Cert, c.TLS.Key
	c.TLS.Cert, c.TLS.Key = filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	use := func(cert, key string) {
		t.Helper()
		for to, from := range map[string]string{c.TLS.Cert: cert, c.TLS.Key: key} {
			b, err := os.ReadFile(from)
			if err == nil {
				err = os.WriteFile(to, b, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	foreign := consultest.Config(t, consultest.StartTLS(t)).TLS
	use(foreign.Cert, foreign.Key)
	conn := dial(t, c)
	if err := conn.Put(t.Context(), "k", nil); err == nil {
		t.Fatal("a certificate of another authority may write")
	}
	use(cert, key)
	if err := conn.Put(t.Context(), "k", nil); err != nil {
		t.Fatal(err)
	}
}
