package cluster_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

// rounds is how many rounds of faults a test goes: few in go test, as many as HOTFOLDERD_CHAOS_ROUNDS says in make chaos.
func rounds(t testing.TB, few int) int {
	t.Helper()
	many := os.Getenv("HOTFOLDERD_CHAOS_ROUNDS")
	if many == "" {
		return few
	}
	n, err := strconv.Atoi(many)
	if err != nil || n < 1 {
		t.Fatalf("HOTFOLDERD_CHAOS_ROUNDS=%s: want a number of rounds", many)
	}
	return n
}

// chaos reports whether there is time for everything.
func chaos() bool { return os.Getenv("HOTFOLDERD_CHAOS_ROUNDS") != "" }

// patience is for what must come in the end: a bucket and its server may share the processors with everything else.
const patience = 3 * time.Minute

// upTo is a random time below d.
func upTo(d time.Duration) time.Duration { return rand.N(d) }

// times are how long something took, over and over.
type times []time.Duration

func (ts times) String() string {
	return fmt.Sprintf("%d times, p50 %v, p90 %v, p99 %v, longest %v", len(ts), ts.at(50), ts.at(90), ts.at(99), ts.at(100))
}

// at is the time that so many in a hundred do not exceed.
func (ts times) at(percent int) time.Duration {
	if len(ts) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(ts))
	return s[(len(s)*percent+99)/100-1].Round(time.Millisecond)
}

func sortTimes(ts []time.Time) { slices.SortFunc(ts, time.Time.Compare) }
