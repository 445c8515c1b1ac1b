package consultest

import (
	"os"
	"path/filepath"
	"testing"

	"hotfolderd/leases/consul"
)

// Config reaches several servers of one cluster, tried in this order, with every right.
func Config(t testing.TB, servers ...*Server) consul.Config {
	t.Helper()
	c := consul.Config{TLS: servers[0].tls}
	for _, s := range servers {
		a := s.Addr
		if s.scheme != "" {
			a = s.scheme + "://" + a
		}
		c.Addresses = append(c.Addresses, a)
	}
	if token := servers[0].token; token != "" {
		c.TokenFile = TokenFile(t, token)
	}
	return c
}

// Dial makes a connection to several servers of one cluster, tried in this order, that ends with the test.
func Dial(t testing.TB, servers ...*Server) *consul.Conn {
	t.Helper()
	return dial(t, Config(t, servers...))
}

// Dial makes a connection to this server that ends with the test.
func (s *Server) Dial(t testing.TB) *consul.Conn {
	t.Helper()
	return Dial(t, s)
}

// DialAs is Dial with the rights of a token only.
func (s *Server) DialAs(t testing.TB, token string) *consul.Conn {
	t.Helper()
	c := Config(t, s)
	c.TokenFile = TokenFile(t, token)
	return dial(t, c)
}

func dial(t testing.TB, c consul.Config) *consul.Conn {
	t.Helper()
	conn, err := consul.Dial(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// TokenFile is the path of a new file that holds the token.
func TokenFile(t testing.TB, token string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
