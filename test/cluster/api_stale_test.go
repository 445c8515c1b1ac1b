package cluster_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfolderd/cluster/invalidation"
)

// look is what a node answered without an index from when the write was answered on, until it had the write.
type look struct {
	p        *process
	index    string    // of the write
	answered time.Time // the write
	older    time.Time // when the last read was begun that got what was before; zero: none did
}

// stale is how long after the answer to the write somebody could still begin a read in vain.
func (l look) stale() time.Duration {
	if l.older.IsZero() {
		return 0
	}
	return l.older.Sub(l.answered)
}

// looks are many.
type looks struct {
	mu  sync.Mutex
	all []look
}

func (l *looks) add(one look) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, one)
}

// look reads without the index, at once and again, until the node has what was written.
func (o *owner) look(p *process, name, body, index string, answered time.Time) look {
	l := look{p: p, index: index, answered: answered}
	for end := answered.Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		begun := time.Now()
		r, err := p.do(http.MethodGet, "/v1/assets/"+name, "", "")
		if err == nil && r.body == body {
			return l
		}
		if err == nil && r.status == http.StatusOK {
			l.older = begun
		}
		if begun.After(end) {
			o.w.t.Errorf("%s: not within 10s: it has %q without an index, got %v, %v", p.id, body, r, err)
			return l
		}
	}
}

// judge holds what reads without an index got against when the node itself says that it had forgotten what was before: none that was
// begun later may have got it. Here all clocks are one.
func (l *looks) judge(t *testing.T) {
	t.Helper()
	var stale, lag, lagOfStale latencies
	told, untold := map[*process]tellings{}, 0
	for _, one := range l.all {
		if told[one.p] == nil {
			told[one.p] = one.p.forgettings()
		}
		forgotten, ok := told[one.p].of(t, one.index)
		if !ok { // it forgot everything meanwhile
			untold++
			continue
		}
		lag.add(max(0, forgotten.Sub(one.answered)))
		if one.older.IsZero() {
			continue
		}
		stale.add(one.stale())
		lagOfStale.add(max(0, forgotten.Sub(one.answered)))
		if one.older.After(forgotten) {
			t.Errorf("%s: a read begun %v after it had forgotten what was before %s got that", one.p.id, one.older.Sub(forgotten), one.index)
		}
	}
	if untold > len(l.all)/10 {
		t.Errorf("of %d of %d writes a node never said that it has forgotten what was before", untold, len(l.all))
	}
	t.Logf("from the answer to a write until another node has forgotten what was before, by its own clock: %s, of %d writes", lag.told("it takes"), len(l.all))
	t.Logf("reads without the index got what was before in %d of them; the last was begun %s after the answer; of these writes alone the forgetting %s",
		len(stale.all), stale.told("up to"), lagOfStale.told("takes"))
}

// tellings are when a node said that it had forgotten what was before which events, by log, in their order.
type tellings map[string][]telling

type telling struct {
	to uint64
	at time.Time
}

// of is when it had forgotten what was before an index.
func (f tellings) of(t *testing.T, index string) (time.Time, bool) {
	t.Helper()
	i, err := invalidation.ParseIndex(index)
	if err != nil {
		t.Fatal(err)
	}
	all := f[i.Instance]
	n, _ := slices.BinarySearchFunc(all, i.Seq, func(a telling, seq uint64) int {
		if a.to < seq {
			return -1
		}
		return 1
	})
	if n == len(all) {
		return time.Time{}, false
	}
	return all[n].at, true
}

// logsAll has the node say everything that it does.
func (p *process) logsAll() {
	p.t.Helper()
	text, err := os.ReadFile(p.settings)
	if err != nil {
		p.t.Fatal(err)
	}
	write(p.t, p.settings, strings.Replace(string(text), "log: { format: json }", "log: { format: json, level: debug }", 1))
}

// forgettings are what the node said of that.
func (p *process) forgettings() tellings {
	p.t.Helper()
	f, err := os.Open(filepath.Join(p.home, "log"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer f.Close()
	all := tellings{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if !strings.Contains(lines.Text(), `"changes of another node are forgotten"`) {
			continue
		}
		var line struct {
			Time time.Time
			Log  string
			To   uint64
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			p.t.Fatal(fmt.Errorf("%s: %w", lines.Text(), err))
		}
		all[line.Log] = append(all[line.Log], telling{line.To, line.Time})
	}
	if err := lines.Err(); err != nil {
		p.t.Fatal(err)
	}
	return all
}
