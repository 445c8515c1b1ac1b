package ftpgate_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"hotfolderd/ftpgate"
)

// ways are spellings of something outside the user's hotfolders; each holds the name "secret".
func ways(dir string) []string {
	return []string{
		"../secret", "../../secret", "/../../secret", "sub/../../../secret", "./.././../secret", "....//....//secret", "..%2f..%2fsecret",
		`..\..\secret`, "%2e%2e/secret", "/hotfolders/../secret", "..//..//secret", "sub/../../../../../../../../../../../" + dir + "/secret",
		dir + "/secret", "link/secret", "link2", "~/secret", "~root/secret", "sub/./../../secret", ". ./secret", ".. /secret",
		".hotfolderd/secret", ".HotFolderD/secret", "..\xc0\xaf..\xc0\xafsecret", "\xff\xff../secret",
	}
}

func TestHostile_noPathLeadsOutside(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	outside := t.TempDir()
	for _, dir := range []string{w.dir, outside, filepath.Join(w.dir, "hotfolders"), w.path("products")} {
		check(t, os.WriteFile(filepath.Join(dir, "secret"), []byte("secret"), 0o644))
	}
	w.put("inbox/sub/x", "")
	check(t, os.Symlink(outside, w.path("inbox/link")))
	check(t, os.Symlink(filepath.Join(outside, "secret"), w.path("inbox/link2")))
	g := w.run()
	c := login(t, g)
	before := w.drops(".")
	for _, way := range ways(outside) {
		for _, say := range []string{"RETR", "NLST", "LIST", "MLSD"} {
			if got := c.tryDownload(say + " " + way); strings.Contains(got, "secret") {
				t.Errorf("%s %q: want nothing from outside, got %q", say, way, got)
			}
		}
		for _, say := range []string{"DELE", "RMD", "SIZE", "MDTM", "MLST", "RNFR"} {
			c.send("%s %s", say, way)
			if code, text, err := c.read(); err != nil || code < 500 {
				t.Errorf("%s %q: want it refused, got %q, %v", say, way, text, err)
			}
		}
	}
	for _, way := range ways(outside) {
		c.tryUpload("STOR "+way, "forged")
		c.tryUpload("APPE "+way, "forged")
		for _, say := range []string{"RNFR sub/x", "RNTO " + way, "MKD " + way, "RMD " + way, "DELE " + way, "CWD " + way, "CWD /"} {
			c.send("%s", say)
			_, _, err := c.read()
			check(t, err)
		}
	}
	c.do(221, "QUIT")
	g.idle()
	for _, dir := range []string{w.dir, outside, filepath.Join(w.dir, "hotfolders"), w.path("products")} {
		if got, err := os.ReadFile(filepath.Join(dir, "secret")); err != nil || string(got) != "secret" {
			t.Errorf("%s: want it as it was, got %q, %v", dir, got, err)
		}
	}
	for name, size := range w.drops("products") {
		if before[name] != size {
			t.Errorf("want nothing new beside the hotfolder, got %q", name)
		}
	}
	entries, err := os.ReadDir(outside)
	check(t, err)
	if len(entries) != 1 {
		t.Errorf("want nothing new outside, got %v", entries)
	}
}

// tryDownload is what a transfer sends, if it is allowed.
func (c *client) tryDownload(say string) string {
	c.t.Helper()
	d := c.data()
	defer d.Close()
	c.send("%s", say)
	code, _, err := c.read()
	check(c.t, err)
	if code != 150 {
		return ""
	}
	got, err := io.ReadAll(d)
	check(c.t, err)
	_, _, err = c.read()
	check(c.t, err)
	return string(got)
}

func (c *client) tryUpload(say, content string) {
	c.t.Helper()
	d := c.data()
	defer d.Close()
	c.send("%s", say)
	code, _, err := c.read()
	check(c.t, err)
	if code != 150 {
		return
	}
	_, err = io.WriteString(d, content)
	check(c.t, err)
	check(c.t, d.Close())
	c.want(226)
}

func TestHostile_theGatesOwnFoldersAreHidden(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.aside = "hotfolders/inbox/keep/aside"
	w.put("inbox/keep/aside/pending/inbox/x", "1")
	w.put("inbox/.hotfolderd/tmp/x", "1")
	c := login(t, w.run())
	if got := c.download("NLST"); strings.Contains(got, ".hotfolderd") {
		t.Errorf("want the store's folder hidden, got %q", got)
	}
	if got := c.download("NLST keep"); got != "" {
		t.Errorf("want the gate's folder hidden, got %q", got)
	}
	c.steps([]step{{"CWD keep/aside", 553, ""}, {"SIZE keep/aside/pending/inbox/x", 553, ""}, {"RMD keep/aside", 553, ""}, {"CWD .hotfolderd", 553, ""}})
}

func TestHostile_aStolenDataConnectionIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := login(t, w.run())
	port := strings.Split(c.do(229, "EPSV"), "|")[3]
	thief := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 3)}}
	stolen, err := thief.Dial("tcp", "127.0.0.1:"+port)
	check(t, err)
	closing(t, stolen)
	c.send("STOR a.jpg")
	_, _ = io.WriteString(stolen, "forged")
	if _, err := stolen.Read(make([]byte, 1)); err == nil {
		t.Error("want the thief's connection closed")
	}
	d, err := net.Dial("tcp", "127.0.0.1:"+port)
	check(t, err)
	c.want(150)
	_, err = io.WriteString(d, "mine")
	check(t, err)
	check(t, d.Close())
	c.want(226)
	c.do(200, "NOOP")
	if got := w.content("inbox/a.jpg"); got != "mine" {
		t.Errorf("want mine, got %q", got)
	}
}

func TestHostile_garbageEndsTheSession(t *testing.T) {
	t.Parallel()
	g := newWorld(t).run()
	for _, garbage := range []string{
		strings.Repeat("x", 1<<20), strings.Repeat("\n", 100), strings.Repeat("GET / HTTP/1.1\r\n", 100), strings.Repeat("\xff\xf4\x00\n", 100),
	} {
		c := dial(t, g)
		_, _ = io.WriteString(c.conn, garbage)
		check(t, c.conn.SetReadDeadline(time.Now().Add(patience)))
		_, err := io.Copy(io.Discard, c.conn)
		var late net.Error
		if errors.As(err, &late) && late.Timeout() {
			t.Errorf("%.20q: want the session to end", garbage)
		}
	}
	g.idle()
}

func TestHostile_linesWithoutEndTakeNoMemory(t *testing.T) {
	var before, after runtime.MemStats
	g := newWorld(t).run()
	c := dial(t, g)
	runtime.ReadMemStats(&before)
	piece := make([]byte, 1<<20)
	for range 64 {
		if _, err := c.conn.Write(piece); err != nil {
			break
		}
	}
	g.idle()
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("want no memory held, got %d bytes", grown)
	}
}

func TestHostile_sessionsAreLimited(t *testing.T) {
	t.Parallel()
	g := newWorld(t).run(func(o *ftpgate.Options) { o.MaxSessions, o.PerAddress, o.Login = 5, 3, 100*time.Millisecond })
	for range 3 {
		dial(t, g)
	}
	conn, err := net.Dial("tcp", g.Addr().String())
	check(t, err)
	closing(t, conn)
	text, err := io.ReadAll(conn)
	check(t, err)
	if want := "421 too many sessions from your address\r\n"; string(text) != want {
		t.Errorf("want %q, got %q", want, text)
	}
	g.idle() // who does not log in is gone soon
	c := login(t, g)
	time.Sleep(150 * time.Millisecond) // longer than a login may take
	c.do(200, "NOOP")
}

func TestHostile_anIdleSessionEnds(t *testing.T) {
	t.Parallel()
	g := newWorld(t).run(func(o *ftpgate.Options) { o.Idle = 50 * time.Millisecond })
	c := login(t, g)
	c.want(421)
	g.idle()
}

func TestHostile_dataPortsAreGivenBack(t *testing.T) {
	t.Parallel()
	first := freePort(t)
	g := newWorld(t).run(func(o *ftpgate.Options) { o.PassivePorts = ftpgate.PortRange{First: first, Last: first} })
	c := login(t, g)
	for range 5 {
		c.do(229, "EPSV")
		c.do(229, "EPSV") // the one before is given up
		c.do(553, "STOR none/x.jpg")
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func TestHostile_oneClientAtATimeOnOnePort(t *testing.T) {
	t.Parallel()
	first := freePort(t)
	g := newWorld(t).run(func(o *ftpgate.Options) { o.PassivePorts = ftpgate.PortRange{First: first, Last: first} })
	done := make(chan error, 4)
	for i := range 4 {
		c := login(t, g)
		go func() {
			var err error
			for j := 0; j < 5 && err == nil; j++ {
				err = c.plainUpload(fmt.Sprintf("%d-%d.jpg", i, j), "x")
			}
			done <- err
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// plainUpload is upload without a test to fail.
func (c *client) plainUpload(name, content string) error {
	talk := func(say string, want int) (string, error) {
		if say != "" {
			if _, err := io.WriteString(c.conn, say+"\r\n"); err != nil {
				return "", err
			}
		}
		text, err := c.r.ReadString('\n')
		if err == nil && !strings.HasPrefix(text, fmt.Sprint(want)) {
			err = fmt.Errorf("%s: want %d, got %q", say, want, text)
		}
		return text, err
	}
	text, err := talk("EPSV", 229)
	if err != nil {
		return err
	}
	d, err := net.Dial("tcp", "127.0.0.1:"+strings.Split(text, "|")[3])
	if err != nil {
		return err
	}
	defer d.Close()
	if _, err = talk("STOR "+name, 150); err != nil {
		return err
	}
	if _, err := io.WriteString(d, content); err != nil {
		return err
	}
	if err := d.Close(); err != nil {
		return err
	}
	_, err = talk("", 226)
	return err
}
