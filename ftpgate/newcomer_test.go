package ftpgate_test

import (
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"hotfolderd/ftpgate"
)

func TestNewcomer_isServedWhenItsFirstLineIsWhole(t *testing.T) {
	g := newWorld(t).run()
	c := dial(t, g)
	for _, piece := range []string{"N", "O", "OP", "\r"} {
		_, err := io.WriteString(c.conn, piece)
		check(t, err)
		check(t, c.conn.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
		if b, err := c.r.Peek(1); err == nil {
			t.Fatalf("want no answer to half a line, got %q", b)
		}
	}
	_, err := io.WriteString(c.conn, "\nNOOP\r\n")
	check(t, err)
	c.want(200)
	c.want(200)
}

func TestNewcomer_isForgottenWhenItLeaves(t *testing.T) {
	g := newWorld(t).run()
	for _, said := range []string{"", "US", "USER cam\r\n"} {
		for _, leave := range []func(*net.TCPConn) error{(*net.TCPConn).Close, (*net.TCPConn).CloseWrite, reset} {
			c := dial(t, g)
			_, err := io.WriteString(c.conn, said)
			check(t, err)
			check(t, leave(c.raw))
			eventually(t, "nobody there", func() bool { return len(g.Sessions()) == 0 })
		}
	}
}

// reset ends a connection as a client does that crashed.
func reset(c *net.TCPConn) error {
	if err := c.SetLinger(0); err != nil {
		return err
	}
	return c.Close()
}

func TestNewcomer_isToldWhyItIsNotWaitedFor(t *testing.T) {
	for why, end := range map[string]func(*gate){
		"nothing was said for too long": func(*gate) {},
		"ended by an administrator":     func(g *gate) { g.End(g.Sessions()[0].ID) },
		"this node is going down":       func(g *gate) { go g.stop() },
	} {
		g := newWorld(t).run(func(o *ftpgate.Options) {
			if strings.HasPrefix(why, "nothing") {
				o.Login = 100 * time.Millisecond
			}
		})
		c := dial(t, g)
		_, err := io.WriteString(c.conn, "US")
		check(t, err)
		end(g)
		if got := c.want(421); got != "421 "+why {
			t.Errorf("want 421 %s, got %q", why, got)
		}
		eventually(t, "nobody there", func() bool { return len(g.Sessions()) == 0 })
	}
}

// There may be many who say nothing: each is listed and counted, and none has a goroutine.
func TestNewcomer_takesNoGoroutine(t *testing.T) {
	g := newWorld(t).run(func(o *ftpgate.Options) { o.PerAddress = 300 })
	before := runtime.NumGoroutine()
	for range 300 {
		_, err := io.WriteString(dial(t, g).conn, "U")
		check(t, err)
	}
	if got := len(g.Sessions()); got != 300 {
		t.Errorf("want 300 listed, got %d", got)
	}
	if more := runtime.NumGoroutine() - before; more > 30 {
		t.Errorf("want no goroutine for each, got %d more", more)
	}
	if conn, err := net.Dial("tcp", g.Addr().String()); err == nil {
		defer conn.Close()
		text, _ := io.ReadAll(conn)
		if want := "421 too many sessions from your address\r\n"; string(text) != want {
			t.Errorf("want %q, got %q", want, text)
		}
	}
}
