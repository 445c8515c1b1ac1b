package cluster_test

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// step is one operation on a name, for the checker: a write that made a version, or a read that saw one.
type step struct {
	name    string
	what    string
	node    string
	version int
	least   int // a read's
}

// versionModel is a register with versions: a write makes the next one. A read may see an older one than the newest, but none
// that is older than its index allows and none that is not written yet.
var versionModel = porcupine.Model{
	Partition: partitioned(func(in any) string { return in.(step).name }),
	Init:      func() any { return 0 },
	Step: func(state, in, _ any) (bool, any) {
		newest, s := state.(int), in.(step)
		if s.what == "get" {
			return s.version >= s.least && s.version <= newest, newest
		}
		return s.version == newest+1, s.version
	},
	DescribeOperation: func(in, _ any) string {
		s := in.(step)
		return fmt.Sprintf("%s %s@%d by %s, least %d", s.what, s.name, s.version, s.node, s.least)
	},
}

// step turns what a client did into an operation by what the catalog has in the end. It is false for a write without an answer
// that came to nothing.
func (o done) step(t *testing.T, numbers map[string]map[string]int) (step, bool) {
	t.Helper()
	s := step{name: o.name, what: o.what, node: o.node, least: o.least}
	if o.content == "" {
		return s, true
	}
	sum := sha256.Sum256([]byte(o.content))
	s.version = numbers[o.name][hex.EncodeToString(sum[:])]
	switch {
	case s.version == 0 && o.end == 0:
		return s, false
	case s.version == 0:
		t.Errorf("%s %s by %s: the catalog does not have %q", o.what, o.name, o.node, o.content)
		return s, false
	case o.number != 0 && o.number != s.version:
		t.Errorf("%s %s by %s: it was told version %d, the catalog has %d", o.what, o.name, o.node, o.number, s.version)
	}
	return s, true
}

// partitioned has operations with different keys checked apart.
func partitioned(key func(in any) string) func([]porcupine.Operation) [][]porcupine.Operation {
	return func(ops []porcupine.Operation) (parts [][]porcupine.Operation) {
		by := map[string][]porcupine.Operation{}
		for _, o := range ops {
			by[key(o.Input)] = append(by[key(o.Input)], o)
		}
		for _, part := range by {
			parts = append(parts, part)
		}
		return parts
	}
}

// judge fails the test when there is no order, and shows the operations that have none.
func judge(t *testing.T, what string, m porcupine.Model, ops []porcupine.Operation) {
	t.Helper()
	begin, bad := time.Now(), 0
	for _, part := range m.Partition(ops) {
		result := porcupine.CheckOperationsTimeout(m, part, time.Minute)
		if result == porcupine.Ok {
			continue
		}
		if bad++; bad < 4 {
			t.Errorf("%s: %s:\n%s", what, result, shown(m, part))
		}
	}
	t.Logf("%s: %d operations, %d parts without an order, after %v", what, len(ops), bad, time.Since(begin).Round(time.Millisecond))
}

// shown are operations in the order of their begin.
func shown(m porcupine.Model, ops []porcupine.Operation) string {
	var b strings.Builder
	slices.SortFunc(ops, func(x, y porcupine.Operation) int { return cmp.Compare(x.Call, y.Call) })
	for _, o := range ops {
		fmt.Fprintf(&b, "%14v to %14v, client %d: %s\n", time.Duration(o.Call), time.Duration(o.Return), o.ClientId, m.DescribeOperation(o.Input, o.Output))
	}
	return b.String()
}

func numberOf(body string) int {
	var stored struct{ Number int }
	_ = json.Unmarshal([]byte(body), &stored)
	return stored.Number
}

func rename(from, to string) error { return os.Rename(from, to) }

func missing(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}
