package cluster

import (
	"slices"
	"strings"
	"testing"
)

func TestDrift(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789abcdef", 4)
	for _, row := range []struct {
		name    string
		members []Member
		want    []string
	}{
		{"nobody", nil, nil},
		{"alike", []Member{{ID: "a", Rules: "x", Version: "1.0"}, {ID: "b", Rules: "x", Version: "1.0"}}, nil},
		{
			"one has other rules",
			[]Member{{ID: "a", Rules: long}, {ID: "b", Rules: "y"}, {ID: "c", Rules: long}},
			[]string{"Node b has settings and rules y, most have 0123456789ab."},
		},
		{
			"one has another version, one has none",
			[]Member{{ID: "a", Version: "1.0"}, {ID: "b", Version: "1.1"}, {ID: "c", Version: "1.0"}, {ID: "d"}, {ID: "e", Version: "1.0"}},
			[]string{"Node b has version 1.1, most have 1.0.", "Node d has version (none), most have 1.0."},
		},
		{
			"no majority",
			[]Member{{ID: "a", Rules: "y"}, {ID: "b", Rules: "x"}},
			[]string{"The nodes differ, and none is in the majority: settings and rules x on b; settings and rules y on a."},
		},
	} {
		if got := (View{Members: row.members}).Drift(); !slices.Equal(got, row.want) {
			t.Errorf("%s: want %q, got %q", row.name, row.want, got)
		}
	}
}
