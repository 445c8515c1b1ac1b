package admin

import (
	"slices"
	"testing"
)

func TestMemoryNumbers(t *testing.T) {
	for _, row := range []struct {
		m    Memory
		want []number
	}{
		{Memory{}, []number{{"of the machine's memory", "not known", ""}, {"kept of what was read", "nothing, by cache.memory", ""}}},
		{
			Memory{Resident: 3e9, Goal: 2e9, Bytes: 1e6, Limit: 128e6, Kinds: []Kept{{Kind: "assets", Hits: 2, Joined: 1, Misses: 1}, {Kind: "files"}}},
			[]number{
				{"of the machine's memory", "3 GB", ""},
				{"memory limit (GOMEMLIMIT)", "2 GB", "warn"},
				{"kept of what was read", "1 MB of 128 MB", ""},
				{"assets from memory", "75 %", ""},
			},
		},
		{Memory{Resident: 1e9, Goal: 2e9, Limit: 1}, []number{
			{"of the machine's memory", "1 GB", ""}, {"memory limit (GOMEMLIMIT)", "2 GB", ""}, {"kept of what was read", "0 B of 1 B", ""},
		}},
	} {
		if got := memoryNumbers(row.m); !slices.Equal(got, row.want) {
			t.Errorf("%+v: want %q, got %q", row.m, row.want, got)
		}
	}
}
