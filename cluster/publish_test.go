package cluster

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestDue(t *testing.T) {
	t.Parallel()
	at := time.Unix(1000, 0)
	base := Member{ID: "a", Instance: "a.1", State: Active, Share: 1, Lag: 3 * time.Second, Waiting: 100}
	value, err := base.encode()
	if err != nil {
		t.Fatal(err)
	}
	w := written{member: base, value: value, at: at}
	for _, row := range []struct {
		name   string
		change func(*Member)
		needed bool
		after  time.Duration // since the last write; negative: at once
	}{
		{"nothing", func(*Member) {}, false, 0},
		{"a little more load", func(m *Member) { m.Lag, m.Waiting = 3900*time.Millisecond, 110 }, false, 0},
		{"load", func(m *Member) { m.Lag, m.Waiting = 4*time.Second, 128 }, true, writeLoadEvery},
		{"twice the lag", func(m *Member) { m.Lag = 6 * time.Second }, true, writeLagEvery},
		{"no lag any more", func(m *Member) { m.Lag = 0 }, true, writeLagEvery},
		{"share", func(m *Member) { m.Share = 0.5 }, true, writeLagEvery},
		{"rules", func(m *Member) { m.Rules = "x" }, true, writeEvery},
		{"rules and load", func(m *Member) { m.Rules, m.Waiting = "x", 7 }, true, writeEvery},
		{"state", func(m *Member) { m.State = Draining }, true, -1},
		{"state and load", func(m *Member) { m.State, m.Lag = Draining, time.Hour }, true, -1},
	} {
		m := base
		row.change(&m)
		got, needed := due(w, m)
		want := at.Add(row.after)
		if row.after < 0 || !row.needed {
			want = time.Time{}
		}
		if needed != row.needed || !got.Equal(want) {
			t.Errorf("%s: want %v, %v, got %v, %v", row.name, want, row.needed, got, needed)
		}
	}
}

func TestRounded(t *testing.T) {
	t.Parallel()
	last := 0
	for n := range 100_000 {
		r := rounded(n)
		if r > n || r*3 < n*2 || r < last {
			t.Fatalf("rounded(%d) = %d after %d", n, r, last)
		}
		last = r
	}
	if got := rounded(-5); got != 0 {
		t.Error("want 0, got", got)
	}
}

// counter is the value of a counter of the registry.
func counter(t testing.TB, reg *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatal("no metric", name)
	return 0
}

func TestUpdate_isGatheredButAStateIsToldAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	reg := prometheus.NewRegistry()
	a, b := w.start("a", func(o *Options) { o.Metrics = reg }), w.start("b")
	w.sees("a b", a, b)
	begin, writes := time.Now(), counter(t, reg, "hotfolder_cluster_writes_total")
	for i := range 200 {
		a.Update(func(m *Member) { m.RulesVersion, m.Waiting, m.Instance = i, i, "another" })
		<-time.After(10 * time.Millisecond) // a stream, not a burst
	}
	w.until(b, "it sees the last", func(v View) bool {
		m, _ := v.Member("a")
		return m.RulesVersion == 199 && m.Instance == a.livez.instance
	})
	if got, most := counter(t, reg, "hotfolder_cluster_writes_total")-writes, 1+time.Since(begin).Seconds(); got > most {
		t.Errorf("want at most one write a second, %.1f, got %v", most, got)
	}
	begin = time.Now()
	a.Update(func(m *Member) { m.State = Draining })
	w.until(b, "a is draining", func(v View) bool { m, _ := v.Member("a"); return m.State == Draining })
	if took := time.Since(begin); took > writeEvery/2 {
		t.Errorf("a new state was told after %v", took)
	}
}

func TestUpdate_beforeRunIsNotLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	b := w.start("b")
	a, o := w.prepare("a")
	c, err := Join(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	c.Update(func(m *Member) { m.Rules = "new" })
	a.run(c)
	w.until(b, "it sees the change", func(v View) bool { m, _ := v.Member("a"); return m.Rules == "new" })
}

// TestCluster_idleWritesNothing counts what is written to Consul in all.
func TestCluster_idleWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, firmTTL)
	a, b, c := w.three(isolated(Static, 50))
	w.probed(a, 4) // a second
	writes := w.server.Writes(t)
	w.probed(a, 40)
	w.sees("a b c", a, b, c)
	writes.Want(t, 0)
}

func TestDecode_foreignEntries(t *testing.T) {
	t.Parallel()
	good, err := json.Marshal(Member{ID: "a", Instance: "a.1"})
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		id, value string
		ok        bool
	}{
		"good": {"a", string(good), true}, "of another id": {"b", string(good), false}, "no JSON": {"a", "{", false},
		"nothing": {"a", "", false}, "no instance": {"a", `{"id":"a"}`, false},
	} {
		if _, err := decode(row.id, []byte(row.value)); (err == nil) != row.ok {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestWatch_foreignEntriesAreNoMembers: what somebody else wrote there does no harm.
func TestWatch_foreignEntriesAreNoMembers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	a := w.start("a")
	if err := a.conn.Put(t.Context(), a.root+membersDir+"b", []byte(`{"id":"b","instance":"b.1"}`)); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{membersDir + "c", suspectsDir + "a/c", suspectsDir + "a", clientsDir + "d.1"} {
		if _, ok, err := a.conn.Acquire(t.Context(), a.o.Keeper.Current().ID(), a.root+key, []byte("{")); err != nil || !ok {
			t.Fatal(key, ok, err)
		}
	}
	w.until(a, "the client is seen", func(View) bool { return a.Live("d.1") })
	w.until(a, "it sees only itself", func(v View) bool { return ids(v) == "a" })
	b := w.start("b") // the plain key stands in nobody's way
	w.sees("a b", a, b)
	if v := a.View(); len(v.Suspects) != 0 {
		t.Errorf("want no suspects, got %+v", v.Suspects)
	}
}

func TestEnterClient_isLiveWhileItsSessionIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	a := w.start("a")
	cli, _ := w.prepare("cli")
	if err := EnterClient(t.Context(), cli.conn, cli.keeper.Current(), w.namespace, "cli.1"); err != nil {
		t.Fatal(err)
	}
	w.until(a, "the client is live", func(View) bool { return a.Live("cli.1") })
	if err := cli.keeper.Close(); err != nil {
		t.Fatal(err)
	}
	w.until(a, "the client is gone", func(v View) bool { return !a.Live("cli.1") && ids(v) == "a" })
	if err := EnterClient(t.Context(), cli.conn, cli.keeper.Current(), w.namespace, "cli.1"); err == nil {
		t.Fatal("want an error for a session that has ended")
	}
}
