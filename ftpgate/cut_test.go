package ftpgate_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"hotfolderd/ftpgate"
)

// cuts are the ways in which an upload ends before its end. Each gets a client in the middle of one.
var cuts = map[string]func(t *testing.T, c *client, d *net.TCPConn){
	"data reset": func(t *testing.T, c *client, d *net.TCPConn) {
		check(t, d.SetLinger(0))
		check(t, d.Close())
		c.want(426)
	},
	"control ends, then data": func(t *testing.T, c *client, d *net.TCPConn) {
		check(t, c.raw.Close())
		check(t, d.Close())
	},
	"data ends, then control": func(t *testing.T, c *client, d *net.TCPConn) {
		check(t, d.Close())
		check(t, c.raw.Close())
	},
	"data ends, control is reset": func(t *testing.T, c *client, d *net.TCPConn) {
		check(t, c.raw.SetLinger(0))
		check(t, d.Close())
		check(t, c.raw.Close())
	},
	"control ends, data stays": func(t *testing.T, c *client, _ *net.TCPConn) {
		check(t, c.raw.Close())
	},
	"control half closed, then data ends": func(t *testing.T, c *client, d *net.TCPConn) {
		check(t, c.raw.CloseWrite())
		check(t, d.Close())
		c.want(426)
	},
	"ABOR": func(_ *testing.T, c *client, _ *net.TCPConn) {
		c.do(426, "ABOR")
		c.want(226)
	},
	"ABOR out of band": func(t *testing.T, c *client, _ *net.TCPConn) {
		urgent(t, c.raw, "\xff\xf4\xff")
		_, err := io.WriteString(c.raw, "\xf2ABOR\r\n")
		check(t, err)
		c.want(426)
		c.want(226)
	},
	"ABOR after the data ended": func(t *testing.T, c *client, d *net.TCPConn) {
		c.do(426, "ABOR")
		check(t, d.Close())
		c.want(226)
	},
	"QUIT sent ahead, then all ends": func(t *testing.T, c *client, d *net.TCPConn) {
		c.send("QUIT")
		check(t, c.raw.Close())
		check(t, d.Close())
	},
}

// urgent sends bytes of which the last is urgent.
func urgent(t *testing.T, conn *net.TCPConn, text string) {
	t.Helper()
	raw, err := conn.SyscallConn()
	check(t, err)
	check(t, raw.Control(func(fd uintptr) {
		err = syscall.Sendto(int(fd), []byte(text), syscall.MSG_OOB, nil)
	}))
	check(t, err)
}

func TestUpload_thatIsCutNeverBecomesADrop(t *testing.T) {
	t.Parallel()
	for name, cut := range cuts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			g := w.run()
			for i := range 5 {
				c := login(t, g)
				d := c.begin("STOR cut-%d.jpg", i)
				_, err := io.WriteString(d, strings.Repeat("x", 100+i*150_000))
				check(t, err)
				cut(t, c, d)
				_, _ = c.raw.Close(), d.Close()
				g.idle()
			}
			if got := w.drops("inbox"); len(got) != 0 {
				t.Errorf("want no drop, got %v", got)
			}
			if len(g.heard) != 0 {
				t.Errorf("want nobody told, got %q", g.heard)
			}
			for _, e := range g.uploads() {
				if e.Refused == "" || e.Kept != (e.Size > 0) {
					t.Errorf("want it refused and kept, got %+v", e)
				}
			}
		})
	}
}

func TestUpload_shorterThanDeclaredIsCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := login(t, w.run())
	c.do(200, "ALLO 10")
	d := c.begin("STOR a.jpg")
	_, err := io.WriteString(d, "123456789")
	check(t, err)
	check(t, d.Close())
	c.want(426)
	if got := w.content("inbox/a.jpg"); got != "absent" {
		t.Errorf("want no drop, got %q", got)
	}
	c.do(200, "ALLO 9 R 512")
	c.upload("a.jpg", "123456789")
	c.do(200, "ALLO 10") // of one upload only
	c.do(257, "PWD")
	c.upload("b.jpg", "1")
}

func TestUpload_declaredTooLargeIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	c := login(t, newWorld(t).run())
	c.do(200, "ALLO 1000000000000000000")
	c.data()
	c.do(452, "STOR a.jpg")
}

// leave are the ways in which a client that is done leaves.
var leave = map[string]func(c *client){
	"stays":            func(*client) {},
	"at once":          func(c *client) { _ = c.raw.Close() },
	"QUIT, not waited": func(c *client) { c.send("QUIT"); _ = c.raw.Close() },
	"QUIT":             func(c *client) { c.do(221, "QUIT"); _ = c.raw.Close() },
	"half closes":      func(c *client) { _ = c.raw.CloseWrite() },
}

func TestUpload_thatIsCompleteIsADropHoweverTheClientLeaves(t *testing.T) {
	t.Parallel()
	for name, leave := range leave {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			g := w.run(func(o *ftpgate.Options) { o.Settle = 20 * time.Millisecond })
			for i := range 20 {
				c := login(t, g)
				name := fmt.Sprintf("whole-%d.jpg", i)
				c.upload(name, "all of it")
				leave(c)
				eventually(t, name+" to be heard of", func() bool { return g.hasHeard("inbox/" + name) })
				_ = c.raw.Close()
			}
			if got := len(w.drops("inbox")); got != 20 {
				t.Errorf("want 20 drops, got %d", got)
			}
		})
	}
}

func TestUpload_quitSentAheadIsAnsweredAfterwards(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := login(t, w.run())
	d := c.begin("STOR a.jpg")
	c.send("QUIT")
	_, err := io.WriteString(d, "all")
	check(t, err)
	check(t, d.Close())
	c.want(226)
	c.want(221)
	if got := w.content("inbox/a.jpg"); got != "all" {
		t.Errorf("want all, got %q", got)
	}
}

func TestUpload_statIsAnsweredMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.run()
	c := login(t, g)
	d := c.begin("STOR a.jpg")
	_, err := io.WriteString(d, "12345")
	check(t, err)
	eventually(t, "the bytes to have come", func() bool { return g.Sessions()[0].Moved == 5 })
	if got := c.do(213, "STAT"); !strings.Contains(got, "upload of /a.jpg: 5 bytes") {
		t.Errorf("want the progress, got %q", got)
	}
	check(t, d.Close())
	c.want(226)
}

func TestUpload_thatStallsIsCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := login(t, w.run(func(o *ftpgate.Options) { o.Stall = 50 * time.Millisecond }))
	d := c.begin("STOR a.jpg")
	_, err := io.WriteString(d, "12345")
	check(t, err)
	if got := c.want(426); !strings.Contains(got, "no data came for too long") {
		t.Errorf("want the reason, got %q", got)
	}
	if got := w.content("inbox/a.jpg"); got != "absent" {
		t.Errorf("want no drop, got %q", got)
	}
}

func TestUpload_whoseAnswerNobodyReadIsTakenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("inbox/a.jpg", "the one before")
	g := w.run(func(o *ftpgate.Options) { o.Settle = patience })
	c := login(t, g)
	d := c.begin("STOR a.jpg")
	_, err := io.WriteString(d, "all of it")
	check(t, err)
	check(t, d.Close())
	c.peek()
	if got := w.content("inbox/a.jpg"); got != "the one before" {
		t.Errorf("want nothing changed before the client has heard, got %q", got)
	}
	check(t, c.raw.Close()) // as the kernel does for a process that was killed: with the answer unread
	g.idle()
	if got := w.content("inbox/a.jpg"); got != "the one before" || len(g.heard) != 0 {
		t.Errorf("want it taken back, got %q, and %q told", got, g.heard)
	}
	c = login(t, g)
	c.do(213, "SIZE a.jpg")
	c.do(350, "REST 9")
	d = c.begin("STOR a.jpg")
	check(t, d.Close())
	c.want(226)
	c.do(200, "NOOP")
	if got := w.content("inbox/a.jpg"); got != "all of it" {
		t.Errorf("want all of it without a byte sent again, got %q", got)
	}
}

// peek waits until a reply has come, and leaves it unread.
func (c *client) peek() {
	c.t.Helper()
	raw, err := c.raw.SyscallConn()
	check(c.t, err)
	check(c.t, c.raw.SetReadDeadline(time.Now().Add(patience)))
	check(c.t, raw.Read(func(fd uintptr) bool {
		_, _, err = syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		return err == nil
	}))
}

func TestUpload_endsWithTheControlConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.run()
	c := login(t, g)
	d := c.begin("STOR a.jpg")
	_, err := io.WriteString(d, "12345")
	check(t, err)
	check(t, c.raw.Close())
	g.idle() // although the data connection is still there
	if _, err := d.Read(make([]byte, 1)); err == nil {
		t.Error("want the data connection closed")
	}
}

func TestUpload_whoAsksForItMeanwhileWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.run(func(o *ftpgate.Options) { o.Settle = 300 * time.Millisecond })
	c, other := login(t, g), login(t, g)
	c.upload("a.jpg", "all")
	if got := other.do(213, "SIZE a.jpg"); got != "213 3" {
		t.Errorf("want the size, got %q", got)
	}
	c.upload("b.jpg", "all")
	if got := other.download("NLST *.jpg"); !strings.Contains(got, "b.jpg") {
		t.Errorf("want it listed, got %q", got)
	}
	c.upload("c.jpg", "all")
	other.do(250, "DELE c.jpg")
	if got := w.content("inbox/c.jpg"); got != "absent" {
		t.Errorf("want it removed, got %q", got)
	}
}
