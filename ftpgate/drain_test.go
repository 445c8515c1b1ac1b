package ftpgate_test

import (
	"io"
	"net"
	"testing"
	"time"

	"hotfolderd/ftpgate"
)

func TestDrain_letsTransfersFinishAndTakesNoNewSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.run()
	idle, busy := login(t, g), login(t, g)
	d := busy.begin("STOR a.jpg")
	_, err := io.WriteString(d, "half, ")
	check(t, err)
	ended := make(chan struct{})
	go func() { defer close(ended); g.stop() }()
	idle.want(421)
	eventually(t, "no more sessions to be taken", func() bool {
		conn, err := net.Dial("tcp", g.Addr().String())
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	_, err = io.WriteString(d, "and half")
	check(t, err)
	check(t, d.Close())
	busy.want(226)
	busy.want(421)
	<-ended
	if got := w.content("inbox/a.jpg"); got != "half, and half" {
		t.Errorf("want all of it, got %q", got)
	}
}

func TestDrain_endsWithTheGraceAndKeepsWhatCame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.run(func(o *ftpgate.Options) { o.Grace = 50 * time.Millisecond })
	c := login(t, g)
	d := c.begin("STOR a.jpg")
	_, err := io.WriteString(d, "12345")
	check(t, err)
	eventually(t, "the bytes to have come", func() bool { return g.Sessions()[0].Moved == 5 })
	g.stop()
	c.want(426)
	c = login(t, w.run())
	if got := c.do(213, "SIZE a.jpg"); got != "213 5" {
		t.Errorf("want what came to be kept, got %q", got)
	}
}

func TestEnd_endsASession(t *testing.T) {
	t.Parallel()
	g := newWorld(t).run()
	c := login(t, g)
	all := g.Sessions()
	if len(all) != 1 || all[0].User != user || all[0].Address != "127.0.0.1" || all[0].TLS {
		t.Fatalf("want one session described, got %+v", all)
	}
	if !g.End(all[0].ID) || g.End("none") {
		t.Error("want the session ended, and no other")
	}
	c.want(421)
	g.idle()
}
