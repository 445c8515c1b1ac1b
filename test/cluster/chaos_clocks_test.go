//go:build chaos

package cluster_test

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

// TestChaos_clocksAnHourApartChangeNothing runs three nodes whose clocks are an hour ahead, right, and an hour behind, through imports,
// writes and reads, the death of one and its return. It compiles the standard library anew.
func TestChaos_clocksAnHourApartChangeNothing(t *testing.T) {
	skewed := buildSkewed(t)
	w := newWorld(t, []string{consultest.Start(t).Addr}, 3, shortTTL)
	a, b, c := w.nodes[0], w.nodes[1], w.nodes[2]
	off := map[*process]time.Duration{a: time.Hour, b: 0, c: -time.Hour}
	for p, d := range off {
		p.inside = []string{"env", "HOTFOLDERD_TEST_CLOCK=" + d.String()}
		p.program = skewed
	}
	w.begin()
	w.awaitFair(a, b, c)
	for p, d := range off {
		if got := p.clock(); got < d-time.Minute || got > d+time.Minute {
			t.Fatalf("the clock of %s is off by %v, want %v: nothing is tried here", p.id, got, d)
		}
	}
	d, stop := w.drops(), make(chan struct{})
	ended := d.stream(50, stop)
	for n := range 30 {
		at, reader := w.nodes[n%3], w.nodes[(n+1)%3]
		body := "version " + at.id + time.Now().String()
		index := at.put("clocks.txt", body).index
		if r := reader.fetch("clocks.txt", index); r.body != body {
			t.Errorf("written at %s, read at %s: want %q, got %v", at.id, reader.id, body, r)
		}
	}
	for _, p := range []*process{a, c} {
		p.kill()
		d.awaitDrop()
		p.start()
		w.awaitWhole(a, b, c)
	}
	a.mustRun("pause", "inbox")
	w.awaitPaused(true)
	c.mustRun("resume", "inbox")
	w.awaitPaused(false)
	close(stop)
	<-ended
	d.awaitTaken(awaitDrops)
	d.audit(t)
	for _, p := range w.nodes {
		if p.log.has(`"level":"error"`) {
			t.Errorf("%s:\n%s", p.id, p.log)
		}
	}
}

// clock is how far the node's clock is ahead of this one.
func (p *process) clock() time.Duration {
	p.t.Helper()
	res, err := client.Get("http://" + p.addr + "/livez")
	if err != nil {
		p.t.Fatal(err)
	}
	res.Body.Close()
	now, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		p.t.Fatal(err)
	}
	return time.Until(now)
}

// buildSkewed builds the program with a time.Now that is off by what HOTFOLDERD_TEST_CLOCK says.
func buildSkewed(t *testing.T) (program string) {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir, folder := t.TempDir(), filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	source, err := os.ReadFile(filepath.Join(folder, "time.go"))
	if err != nil {
		t.Fatal(err)
	}
	const before = "sec, nsec, mono := runtimeNow()\n"
	if strings.Count(string(source), before) < 1 {
		t.Fatalf("this Go reads the clock in another way: look for what replaces %q", before)
	}
	write(t, filepath.Join(dir, "time.go"), strings.Replace(string(source), before, before+"\tsec += skew\n", 1))
	write(t, filepath.Join(dir, "skew.go"), skewSource)
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(folder, "time.go"): filepath.Join(dir, "time.go"), filepath.Join(folder, "skew.go"): filepath.Join(dir, "skew.go"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "overlay.json"), string(overlay))
	program = filepath.Join(dir, "hotfolderd")
	out, err := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, "../../cmd/hotfolderd").CombinedOutput()
	if err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return program
}

const skewSource = `package time

import "syscall"

// skew is how many seconds this process's clock is ahead of the machine's.
var skew = func() int64 {
	text, _ := syscall.Getenv("HOTFOLDERD_TEST_CLOCK")
	d, _ := ParseDuration(text)
	return int64(d / Second)
}()
`
