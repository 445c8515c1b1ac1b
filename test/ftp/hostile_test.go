package ftp_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// crowded lets many sessions be.
const crowded = "  max_sessions: 20000\n  max_per_address: 20000\n"

// BenchmarkSlowSockets has 10,000 sockets that say nothing, or a byte now and then, all of them served, and tells what the node holds
// and how long a new login takes meanwhile.
func BenchmarkSlowSockets(b *testing.B) {
	n := begin(b, options{rule: storesOnly, ftp: crowded + "  login: 10m\n"})
	count := number(b, "HOTFOLDERD_SOCKETS", 10_000)
	open := make([]net.Conn, count)
	sideBySide(count, 50, func(i int) {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(client(i))}}
		c, err := d.Dial("tcp", n.addr)
		if err != nil {
			b.Error(err)
			return
		}
		open[i] = c
		_, _ = io.WriteString(c, "U"[:i%2])
	})
	within(b, 2*time.Minute, "all are served", func() bool { return int(n.metric(b, "hotfolder_ftp_sessions")) == count })
	var took []time.Duration
	for range 100 {
		begin := time.Now()
		c, err := login(n.addr, "127.0.0.1", user, false)
		check(b, err)
		took = append(took, time.Since(begin))
		check(b, c.tcp.Close())
	}
	slices.Sort(took)
	b.ReportMetric(float64(n.memory()), "MiB")
	b.ReportMetric(float64(took[50].Microseconds())/1000, "login-p50-ms")
	b.ReportMetric(float64(took[98].Microseconds())/1000, "login-p99-ms")
	b.ReportMetric(0, "ns/op")
	for _, c := range open {
		if c != nil {
			c.Close()
		}
	}
	within(b, time.Minute, "nothing is held any more", func() bool { return n.metric(b, "hotfolder_ftp_sessions") == 0 && n.descriptors() < 100 })
}

func TestHostile_aFloodWithoutAnEndOfLineTakesNoMemory(t *testing.T) {
	t.Parallel()
	n := begin(t, options{})
	before := n.memory()
	piece := []byte(strings.Repeat("x", 1<<20))
	for i := range 8 {
		c, err := dial(n.addr, client(i), false)
		check(t, err)
		for range 1 << 10 { // a gigabyte, if anybody takes it
			if _, err := c.conn.Write(piece); err != nil {
				break
			}
		}
		c.tcp.Close()
	}
	if grown := n.memory() - before; grown > 32 {
		t.Errorf("want no memory taken, got %d MiB", grown)
	}
	n.isWell(t)
}

// isWell wants the node to take an upload, and to hold nothing else.
func (n *node) isWell(t *testing.T) {
	t.Helper()
	within(t, time.Minute, "no session is left", func() bool { return n.metric(t, "hotfolder_ftp_sessions") == 0 })
	c, err := login(n.addr, ownIP(), user, false)
	check(t, err)
	name := named("well", 0, 1000)
	check(t, c.upload(name, contentOf(name)))
	_, _ = c.do("221", "QUIT")
	c.tcp.Close()
	n.awaitImported(t, []string{name})
}

// Wrong passwords are tried by many at a time. None gets in; who guesses is slowed and banned, and a user elsewhere is not.
func TestHostile_wrongPasswordsAreSlowedAndBanned(t *testing.T) {
	t.Parallel()
	n := begin(t, options{})
	before := n.memory()
	sideBySide(number(t, "HOTFOLDERD_PASSWORDS", 60)/3, 20, func(int) {
		c, err := dial(n.addr, "127.250.0.1", false)
		if err != nil {
			return // banned by now
		}
		defer c.tcp.Close()
		for _, guess := range []string{"a", "", password + " "} {
			_ = c.say("USER " + user)
			_, _ = c.want("331")
			_ = c.say("PASS " + guess)
			if _, err := c.want("230"); err == nil {
				t.Errorf("%q let somebody in", guess)
			}
		}
	})
	if c, err := dial(n.addr, "127.250.0.1", false); err == nil {
		c.tcp.Close()
		t.Error("want who guesses banned")
	}
	if grown := n.memory() - before; grown > 64 {
		t.Errorf("want no memory held, got %d MiB more", grown)
	}
	n.isWell(t)
}

// Wrong passwords from many addresses, of which none makes enough of them to be banned: each is slowed, and none stops another.
func TestHostile_wrongPasswordsFromManyAddresses(t *testing.T) {
	t.Parallel()
	n := begin(t, options{})
	before := n.memory()
	sideBySide(number(t, "HOTFOLDERD_PASSWORDS", 60)/3, 400, func(i int) {
		c, err := dial(n.addr, client(2*i), false)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.tcp.Close()
		begun := time.Now()
		for _, answer := range []string{"530", "530", "421"} {
			_ = c.say("USER " + user)
			_, _ = c.want("331")
			_ = c.say("PASS wrong")
			if _, err := c.want(answer); err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(begun); took < 3*time.Second {
			t.Errorf("want three guesses to take their time, they took %s", took)
		}
	})
	if grown := n.memory() - before; grown > 64 {
		t.Errorf("want no memory held, got %d MiB more", grown)
	}
	n.isWell(t)
}

// spellings of a file beside the hotfolder, on the store, and of one outside.
var spellings = []string{
	"../secret", "../../secret", "/../../secret", "....//....//secret", "..%2f..%2fsecret", `..\..\secret`, "%2e%2e/%2e%2e/secret", "..//..//secret",
	"sub/../../../secret", "/hotfolders/../secret", "./.././.././secret", "..\xc0\xaf..\xc0\xafsecret", "..\xff/secret", "link/secret", "~/secret",
	"/workarea/store.json", "../../workarea/store.json", "/proc/self/root/etc/passwd", "/etc/passwd", "../../../../../../../../../../etc/passwd",
}

func TestHostile_noSpellingLeadsOutOfTheHotfolder(t *testing.T) {
	t.Parallel()
	n := begin(t, options{rule: storesOnly})
	inbox := filepath.Join(n.store, "hotfolders", "inbox")
	for _, dir := range []string{n.dir, n.store, filepath.Join(n.store, "hotfolders")} {
		write(t, filepath.Join(dir, "secret"), "secret")
	}
	check(t, os.Symlink(n.store, filepath.Join(inbox, "link")))
	c, err := login(n.addr, client(0), user, false)
	check(t, err)
	for _, way := range spellings { // before anything of that name is in the hotfolder
		for _, say := range []string{"SIZE", "MDTM", "MLST", "DELE", "RMD", "RNFR"} {
			if _, err := c.do("5", say+" "+way); err != nil {
				t.Errorf("%s %q: %v", say, way, err)
			}
		}
		if tcp, _, err := c.begin("RETR " + way); err == nil {
			t.Errorf("RETR %q: want it refused", way)
			tcp.Close()
		}
	}
	for _, way := range spellings {
		if tcp, _, err := c.begin("STOR " + way); err == nil {
			_, _ = io.WriteString(tcp, "forged")
			tcp.Close()
			_, err = c.want("2")
			check(t, err)
		}
	}
	for _, path := range filesBelow(n.store) {
		if data, err := os.ReadFile(path); err == nil && string(data) == "forged" && !strings.HasPrefix(path, inbox+"/") {
			t.Errorf("want nothing outside, got %s", path)
		}
	}
	for _, dir := range []string{n.dir, n.store, filepath.Join(n.store, "hotfolders")} {
		if got, err := os.ReadFile(filepath.Join(dir, "secret")); err != nil || string(got) != "secret" {
			t.Errorf("%s/secret: want it as it was, got %q, %v", dir, got, err)
		}
	}
}

func TestHostile_noDataGoToAnybodyElse(t *testing.T) {
	t.Parallel()
	n := begin(t, options{})
	c, err := login(n.addr, client(0), user, false)
	check(t, err)
	victim, err := net.Listen("tcp", ownIP()+":9000")
	check(t, err)
	defer victim.Close()
	host := strings.ReplaceAll(victim.Addr().(*net.TCPAddr).IP.String(), ".", ",")
	mine := strings.ReplaceAll(client(0), ".", ",")
	for _, say := range []string{
		"PORT " + host + ",35,40", fmt.Sprintf("EPRT |1|%s|9000|", victim.Addr().(*net.TCPAddr).IP), "PORT " + mine + ",0,22", "PORT 1", "EPRT |", "PORT 1,2,3,4,5,999",
	} {
		if answer, err := c.do("5", say); err != nil {
			t.Errorf("%s: want it refused, got %q", say, answer)
		}
	}
	check(t, victim.(*net.TCPListener).SetDeadline(time.Now().Add(300*time.Millisecond)))
	if conn, err := victim.Accept(); err == nil {
		conn.Close()
		t.Error("want nobody called")
	}
}
