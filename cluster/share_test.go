package cluster

import (
	"testing"
	"time"
)

func importer(id string, lag time.Duration) Member {
	return Member{ID: id, Roles: []string{RoleImport}, Weight: 1, Share: 1, State: Active, Lag: lag}
}

func TestTakes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		m    Member
		want float64
	}{
		{Member{Roles: []string{"web", RoleImport}, Weight: 3, Share: 0.5, State: Active}, 1.5},
		{Member{Roles: []string{RoleImport}, Weight: 2, Share: 1, State: ReadOnly}, 2},
		{Member{Roles: []string{RoleImport}, Weight: 2, Share: 1, State: Draining}, 0},
		{Member{Roles: []string{RoleImport}, Weight: 2, Share: 1, State: Joining}, 0},
		{Member{Roles: []string{RoleImport}, Weight: 2, Share: 1, State: Recovering}, 0},
		{Member{Roles: []string{"web"}, Weight: 2, Share: 1, State: Active}, 0},
		{Member{Roles: []string{RoleImport}, Weight: -1, Share: 1, State: Active}, 0},
		{Member{Roles: []string{RoleImport}, Share: 1, State: Active}, 0},
	} {
		if got := row.m.Takes(); got != row.want {
			t.Errorf("%+v: want %v, got %v", row.m, row.want, got)
		}
	}
}

// TestNextShare lets a second pass with each look.
func TestNextShare(t *testing.T) {
	t.Parallel()
	draining := importer("c", 0)
	draining.State = Draining
	busy := []Member{importer("b", 4*time.Second), importer("c", 2*time.Second), importer("d", time.Hour)}
	for _, row := range []struct {
		name    string
		begin   float64
		lag     time.Duration
		others  []Member
		seconds int
		want    float64
	}{
		{"it falls behind", 1, 5 * time.Second, []Member{importer("b", 0)}, 1, 0.5},
		{"not twice within ten seconds", 1, time.Hour, []Member{importer("b", 0)}, 10, 0.5},
		{"twice within eleven", 1, time.Hour, []Member{importer("b", 0)}, 11, 0.25},
		{"never less than a quarter", 1, time.Hour, []Member{importer("b", 0)}, 100, 0.25},
		{"a small lag", 1, 4999 * time.Millisecond, []Member{importer("b", 0)}, 100, 1},
		{"less than three times the others", 1, 11 * time.Second, busy, 100, 1},
		{"three times the others", 1, 12 * time.Second, busy, 1, 0.5},
		{"nobody else takes work", 1, time.Hour, []Member{draining, {ID: "w", Lag: 0}}, 100, 1},
		{"alone", 1, time.Hour, nil, 100, 1},
		{"calm, not long enough", 0.25, 0, []Member{importer("b", 0)}, 30, 0.25},
		{"calm for half a minute", 0.25, 999 * time.Millisecond, []Member{importer("b", 0)}, 31, 0.5},
		{"calm for a minute", 0.25, 0, []Member{importer("b", 0)}, 61, 1},
		{"never more than one", 0.25, 0, nil, 1000, 1},
		{"neither calm nor behind", 0.5, 2 * time.Second, []Member{importer("b", 0)}, 1000, 0.5},
	} {
		t.Run(row.name, func(t *testing.T) {
			own := importer("a", row.lag)
			own.Share = row.begin
			var was shedding
			now := time.Unix(1000, 0)
			for range row.seconds {
				own.Share, was = nextShare(own, row.others, was, now)
				now = now.Add(time.Second)
			}
			if own.Share != row.want {
				t.Errorf("want %v, got %v", row.want, own.Share)
			}
		})
	}
}

func TestNextShare_calmIsInterrupted(t *testing.T) {
	t.Parallel()
	own := importer("a", 0)
	own.Share = 0.5
	var was shedding
	now := time.Unix(1000, 0)
	for second := range 50 {
		own.Lag = 0
		if second == 20 {
			own.Lag = time.Second
		}
		own.Share, was = nextShare(own, nil, was, now)
		now = now.Add(time.Second)
	}
	if own.Share != 0.5 {
		t.Errorf("want 0.5 still, got %v", own.Share)
	}
}

func TestShed_theOthersSeeThatANodeTakesLess(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	a, b := w.start("a"), w.start("b")
	w.sees("a b", a, b)
	a.Update(func(m *Member) { m.Lag, m.Waiting = time.Minute+7*time.Second, 5000 })
	w.until(b, "a takes half", func(v View) bool {
		m, _ := v.Member("a")
		return m.Takes() == 0.5 && m.Lag == 64*time.Second && m.Waiting == 4096
	})
	a.setShare(0.25)
	w.until(b, "a takes a quarter", func(v View) bool { m, _ := v.Member("a"); return m.Takes() == 0.25 })
	if m, _ := a.View().Member("b"); m.Takes() != 1 {
		t.Errorf("want b to take all it can, got %v", m.Takes())
	}
}
