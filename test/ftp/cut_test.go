package ftp_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// atOnce is how many uploads there are at a time; each comes from an address of its own.
const atOnce = 8

// client is an address of loopback for the i-th of those at the same time.
func client(i int) string {
	return net.IPv4(127, 200+byte(i>>16&0xf), byte(i>>8), byte(i)|1).String()
}

// death is how an upload ends before its end: of its control and its data connection.
type death func(c *raw, tcp *net.TCPConn)

// deaths of clients and networks, as far as one socket can tell. A killed process ends all of them in any order.
var deaths = []struct {
	name string
	die  death
}{
	{"data ends, then control", func(c *raw, tcp *net.TCPConn) { tcp.Close(); c.tcp.Close() }},
	{"control ends, then data", func(c *raw, tcp *net.TCPConn) { c.tcp.Close(); tcp.Close() }},
	{"both reset", func(c *raw, tcp *net.TCPConn) { reset(tcp); reset(c.tcp) }},
	{"data reset", func(c *raw, tcp *net.TCPConn) { reset(tcp); pause(); c.tcp.Close() }},
	{"control reset", func(c *raw, tcp *net.TCPConn) { reset(c.tcp); pause(); tcp.Close() }},
	{"both half closed", func(c *raw, tcp *net.TCPConn) {
		_, _ = c.tcp.CloseWrite(), tcp.CloseWrite()
		pause()
		c.tcp.Close()
		tcp.Close()
	}},
	{"control half closed first", func(c *raw, tcp *net.TCPConn) { _ = c.tcp.CloseWrite(); pause(); tcp.Close(); c.tcp.Close() }},
	{"ABOR, then all ends", func(c *raw, tcp *net.TCPConn) { _ = c.say("ABOR"); tcp.Close(); c.tcp.Close() }},
	{"QUIT ahead, then all ends", func(c *raw, tcp *net.TCPConn) { _ = c.say("QUIT"); c.tcp.Close(); tcp.Close() }},
}

func reset(c *net.TCPConn) { _ = c.SetLinger(0); c.Close() }

func pause() { time.Sleep(rand.N(3 * time.Millisecond)) }

func TestCut_noSocketThatEndsMakesAFile(t *testing.T) {
	t.Parallel()
	n := begin(t, options{})
	var sent, whole atomic.Int64
	sideBySide(uploads(t, 60), atOnce, func(i int) {
		name := named("raw", i, 1+rand.IntN(1<<uint(4+rand.IntN(18))))
		cut := rand.IntN(len(name) + 1)
		if all := len(contentOf(name)); i%10 > 0 { // now and then nearly nothing
			cut = rand.IntN(all + 1)
		}
		if cut == len(contentOf(name)) {
			whole.Add(1)
		}
		death := deaths[i%len(deaths)]
		if err := cutOne(n.addr, client(i), name, cut, i/len(deaths)%2 == 1, death.die); err != nil {
			t.Errorf("%s, %s: %v", name, death.name, err)
		}
		sent.Add(1)
	})
	n.settle(t)
	done := n.imported(t)
	t.Logf("%d uploads died, %d of them behind their last byte; %d were imported, whole", sent.Load(), whole.Load(), len(done))
	if len(done) > int(whole.Load()) {
		t.Errorf("want only what was sent whole, got %d of %d", len(done), whole.Load())
	}
}

// cutOne sends the first bytes of a file and dies.
func cutOne(addr, local, name string, bytes int, secure bool, die death) error {
	c, err := login(addr, local, user, secure)
	if err != nil {
		return err
	}
	defer c.tcp.Close()
	tcp, data, err := c.begin("STOR " + name)
	if err != nil {
		return err
	}
	defer tcp.Close()
	content := contentOf(name)
	if _, err := io.WriteString(data, content[:min(bytes, len(content))]); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	if rand.IntN(2) == 0 {
		pause()
	}
	die(c, tcp)
	return nil
}

// A network can cut the encrypted data connection alone, and say so with a bare end.
func TestCut_anEncryptedConnectionThatEndsBareMakesNoFile(t *testing.T) {
	t.Parallel()
	n := begin(t, options{})
	sideBySide(max(10, uploads(t, 60)/10), atOnce, func(i int) {
		name := named("bare", i, 1+rand.IntN(1<<20))
		err := cutOne(n.addr, client(i), name, rand.IntN(1<<20), true, func(c *raw, tcp *net.TCPConn) {
			_ = tcp.CloseWrite()
			if _, err := c.want("426"); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			_, _ = c.do("221", "QUIT")
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	n.settle(t)
	if got := n.imported(t); len(got) > 0 {
		t.Errorf("want nothing, got %d", len(got))
	}
}

// leaves are the ways in which a client that is done leaves.
var leaves = []func(c *raw){
	func(c *raw) { c.tcp.Close() },
	func(c *raw) { _ = c.say("QUIT"); c.tcp.Close() },
	func(c *raw) { _, _ = c.do("221", "QUIT"); c.tcp.Close() },
	func(c *raw) { _ = c.tcp.CloseWrite(); c.tcp.Close() },
}

func TestWhole_noneIsRejectedHoweverTheClientLeaves(t *testing.T) {
	t.Parallel()
	n := begin(t, options{})
	count := uploads(t, 60)
	names := make([]string, count)
	sideBySide(count, atOnce, func(i int) {
		names[i] = named("whole", i, rand.IntN(1<<uint(4+rand.IntN(14))))
		c, err := login(n.addr, client(i), user, i/len(leaves)%2 == 1)
		if err != nil {
			t.Errorf("%s: %v", names[i], err)
			return
		}
		if err := c.upload(names[i], contentOf(names[i])); err != nil {
			t.Errorf("%s: %v", names[i], err)
		}
		leaves[i%len(leaves)](c)
	})
	n.awaitImported(t, names)
}

// awaitImported wants each of the names once, and nothing else.
func (n *node) awaitImported(t testing.TB, names []string) {
	t.Helper()
	n.settle(t)
	got := n.imported(t)
	missing := 0
	for _, name := range names {
		if got[name] != 1 {
			missing++
			t.Errorf("%s was told to be stored, and was imported %d times\n%s", name, got[name], n.log.about(name))
		}
	}
	for name := range got {
		if !slices.Contains(names, name) {
			t.Errorf("%s was imported, and nobody sent it", name)
		}
	}
	t.Logf("%d whole uploads, %d not imported", len(names), missing)
}
