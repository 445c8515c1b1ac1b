package ftpgate_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfolderd/ftpgate"
)

// counter bans at the third wrong password, and notes whom it counted.
type counter struct {
	mu    sync.Mutex
	count int
	after int
}

func (c *counter) Banned(string) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count >= c.after {
		return time.Hour
	}
	return 0
}

func (c *counter) Failed(string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
	return 0
}

func TestLogin_wrongPasswordsAreSlowedAndEndTheSession(t *testing.T) {
	t.Parallel()
	g := newWorld(t).run(func(o *ftpgate.Options) { o.Bans = &counter{after: 100} })
	c := dial(t, g)
	begin := time.Now()
	for i, name := range []string{"cam", "nobody", "cam"} {
		c.do(331, "USER %s", name)
		want := map[bool]string{true: "421 wrong user or password, too often", false: "530 wrong user or password"}[i == 2]
		c.send("PASS wrong")
		if _, got, err := c.read(); err != nil || got != want {
			t.Errorf("%s: want %q, got %q, %v", name, want, got, err)
		}
	}
	if took := time.Since(begin); took < 3*time.Second {
		t.Errorf("want three seconds at least, got %s", took)
	}
	g.idle()
	for _, e := range g.events {
		if e.Kind == "login" && (e.Refused == "" || strings.Contains(e.User, "wrong")) {
			t.Errorf("want each refusal told without the password, got %+v", e)
		}
	}
}

func TestLogin_whoIsBannedIsNotServed(t *testing.T) {
	t.Parallel()
	g := newWorld(t).run(func(o *ftpgate.Options) { o.Bans = &counter{after: 1} })
	inside := login(t, g)
	c := dial(t, g)
	c.do(331, "USER cam")
	c.do(421, "PASS wrong")
	conn, err := net.Dial("tcp", g.Addr().String())
	check(t, err)
	closing(t, conn)
	text, err := io.ReadAll(conn)
	check(t, err)
	if want := "421 too many wrong passwords; try again in 1h0m0s\r\n"; string(text) != want {
		t.Errorf("want %q, got %q", want, text)
	}
	inside.do(200, "NOOP") // who is in stays
}
