package cluster

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestSuspicion(t *testing.T) {
	const step = 500 * time.Millisecond
	for _, row := range []struct {
		name     string
		returned bool
		answers  string // one every half second: a alive, g gone, s silent, r reset
		want     string // d: dead after it
	}{
		{"it lives", false, "aaaa", "...."},
		{"refused twice", false, "agg", "..d"},
		{"refused before it was reached", false, "gg", ".d"},
		{"refused once now and then", false, "agagag", "......"},
		{"refused with silence between", false, "agsg", "...."},
		{"silent for two seconds", false, "assss", "....d"},
		{"silent before it was reached", false, "sssssss", "......."},
		{"silent for less", false, "asssassss", "........d"},
		{"silent, then refused", false, "asgg", "...d"},
		{"it answers again", false, "agga", "..d."},
		{"it returned and was never reached", true, "ggggssssgg", ".........."},
		{"it returned and was reached", true, "gagg", "...d"},
		{"contact was lost", false, "asssrsssss", ".........d"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := suspicion{o: ProbeOptions{}.withDefaults(), returned: row.returned}
			var got strings.Builder
			now := time.Unix(0, 0)
			for _, c := range row.answers {
				now = now.Add(step)
				switch c {
				case 'a':
					s.note(alive, now)
				case 'g':
					s.note(gone, now)
				case 's':
					s.note(silent, now)
				case 'r':
					s.reset()
				}
				got.WriteString(map[bool]string{true: "d", false: "."}[s.dead(now)])
			}
			if got.String() != row.want {
				t.Errorf("%s: want %s, got %s", row.answers, row.want, got.String())
			}
		})
	}
}

func TestTargets_everyMemberHasTheSameNumberOfObservers(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 12; n++ {
		var members []entry
		for i := range n {
			members = append(members, entry{Member: Member{ID: fmt.Sprintf("node-%d", i), Address: "x"}})
		}
		observers := map[string]int{}
		for _, m := range members {
			for _, e := range ringOf(members).targets(m.ID, 3) {
				if e.ID == m.ID {
					t.Fatalf("of %d: %s probes itself", n, m.ID)
				}
				observers[e.ID]++
			}
		}
		for _, m := range members {
			if want := min(3, n-1); observers[m.ID] != want {
				t.Errorf("of %d: want %d observers of %s, got %d", n, want, m.ID, observers[m.ID])
			}
			want := 2
			if n <= 2 {
				want = 1
			}
			if got := ringOf(members).needed(m.ID, 3); got != want {
				t.Errorf("of %d: want %d who must suspect, got %d", n, want, got)
			}
		}
	}
}

func TestTargets_withoutAddressOrMembership(t *testing.T) {
	t.Parallel()
	members := []entry{{Member: Member{ID: "a", Address: "x"}}, {Member: Member{ID: "b"}}, {Member: Member{ID: "c", Address: "x"}}}
	if got := ringOf(members).targets("a", 3); len(got) != 1 || got[0].ID != "c" {
		t.Errorf("want c only, got %v", got)
	}
	if got := ringOf(members).targets("z", 3); got != nil {
		t.Errorf("want nobody probed by one who is no member, got %v", got)
	}
	if got := ringOf(members).needed("a", 3); got != 2 {
		t.Errorf("want two of b and c, got %d", got)
	}
}
