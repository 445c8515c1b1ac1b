package cluster_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	gateClients = 4
	gateRate    = 100 // files a second in all
)

// BenchmarkGate_importedAfter226 uploads 100 small files a second to the gate of one node, and tells the time from the client's 226 to
// the record in the ledger, whose own time may be a tick of the kernel's clock early: with one node, and with two, where each takes half.
// A client that says something behind the answer, as those do that go on or leave, is known by that to have heard it. One that says
// nothing is not, and its file waits for the next command, here for that of its next file 40 ms later, or for ftp.settle.
// It needs the machine for itself.
func BenchmarkGate_importedAfter226(b *testing.B) {
	for _, n := range []int{1, 2} {
		for _, after := range []string{"speaks", "silent"} {
			b.Run(fmt.Sprintf("nodes-%d/%s", n, after), func(b *testing.B) { importedAfter226(b, n, after == "speaks") })
		}
	}
}

func importedAfter226(b *testing.B, nodes int, speaks bool) {
	g := withGates(b, nodes, defaultRule)
	b.ResetTimer()
	stored := g.uploadMany(b.N, speaks)
	within(b, time.Minute, "all imported", func() bool { return len(g.ledger()) == len(stored) }, g)
	b.StopTimer()
	took := map[bool][]time.Duration{} // by whether another node did it
	for _, r := range g.ledger() {
		other := r.Node != g.nodes[0].id
		took[other] = append(took[other], r.changed.Sub(stored[r.Key]))
	}
	for other, all := range took {
		slices.Sort(all)
		who := map[bool]string{false: "own", true: "other"}[other]
		b.ReportMetric(ms(all[len(all)/2]), who+"-p50-ms")
		b.ReportMetric(ms(all[len(all)*99/100]), who+"-p99-ms")
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// uploadMany spreads n uploads over some connections, in time, and returns when each was answered.
func (g *gates) uploadMany(n int, speaks bool) map[string]time.Time {
	var mu sync.Mutex
	stored := map[string]time.Time{}
	var all sync.WaitGroup
	for i := range gateClients {
		all.Go(func() {
			c := g.dial(0)
			if c == nil {
				return
			}
			defer c.Close()
			tick := time.NewTicker(time.Second * gateClients / gateRate)
			defer tick.Stop()
			for j := i; j < n; j += gateClients {
				name := fmt.Sprintf("%d.txt", j)
				at := c.store(name, "file "+name)
				if speaks {
					c.do("200", "NOOP")
				}
				mu.Lock()
				stored[name] = at
				mu.Unlock()
				<-tick.C
			}
		})
	}
	all.Wait()
	return stored
}

// ftpConn is a client that uploads one file after the other.
type ftpConn struct {
	net.Conn
	t    testing.TB
	r    *bufio.Reader
	host string
}

// dial is a client that is logged in, or nil after the test was told of the error.
func (g *gates) dial(gate int) *ftpConn {
	host, _, _ := net.SplitHostPort(g.at[gate])
	conn, err := net.Dial("tcp", g.at[gate])
	if err != nil {
		g.t.Error(err)
		return nil
	}
	c := &ftpConn{conn, g.t, bufio.NewReader(conn), host}
	c.want("220")
	c.do("331", "USER "+gateUser)
	c.do("230", "PASS "+gatePass)
	return c
}

func (c *ftpConn) want(code string) string {
	line, err := c.r.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, code) {
		c.t.Errorf("want %s, got %q, %v", code, line, err)
	}
	return line
}

func (c *ftpConn) do(code, command string) string {
	fmt.Fprintf(c, "%s\r\n", command)
	return c.want(code)
}

// store uploads, and returns when the answer came.
func (c *ftpConn) store(name, content string) time.Time {
	parts := strings.Split(c.do("229", "EPSV"), "|")
	port, err := strconv.Atoi(parts[min(3, len(parts)-1)])
	if err != nil {
		c.t.Error(err)
		return time.Time{}
	}
	fmt.Fprintf(c, "STOR %s\r\n", name)
	d, err := net.Dial("tcp", net.JoinHostPort(c.host, strconv.Itoa(port)))
	if err != nil {
		c.t.Error(err)
		return time.Time{}
	}
	_, err = io.WriteString(d, content)
	if err == nil {
		err = d.Close()
	}
	if err != nil {
		c.t.Error(err)
	}
	c.want("150")
	c.want("226")
	return time.Now()
}
