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
			[]string{"Node b has rules y, most have 0123456789ab."},
		},
		{
			"one has another version, one has none",
			[]Member{{ID: "a", Version: "1.0"}, {ID: "b", Version: "1.1"}, {ID: "c", Version: "1.0"}, {ID: "d"}, {ID: "e", Version: "1.0"}},
			[]string{"Node b has version 1.1, most have 1.0.", "Node d has version (none), most have 1.0."},
		},
		{
			"one has another setting, one does not know of a newer one",
			[]Member{
				{ID: "a", Settings: map[string]string{"cluster.isolation": "majority", "new": "1"}},
				{ID: "b", Settings: map[string]string{"cluster.isolation": "static", "new": "2"}},
				{ID: "c", Settings: map[string]string{"cluster.isolation": "majority"}},
			},
			[]string{"Node b has cluster.isolation static, most have majority."},
		},
		{
			"no majority",
			[]Member{{ID: "a", Rules: "y"}, {ID: "b", Rules: "x"}},
			[]string{"The nodes differ, and none is in the majority: rules x on b; rules y on a."},
		},
	} {
		if got := (View{Members: row.members}).Drift(); !slices.Equal(got, row.want) {
			t.Errorf("%s: want %q, got %q", row.name, row.want, got)
		}
	}
}
