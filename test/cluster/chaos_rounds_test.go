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

// upTo is a random time below d.
func upTo(d time.Duration) time.Duration { return rand.N(d) }

// times are how long something took, over and over.
type times []time.Duration

func (ts times) String() string {
	if len(ts) == 0 {
		return "never"
	}
	s := slices.Sorted(slices.Values(ts))
	at := func(p int) time.Duration { return s[(len(s)-1)*p/100].Round(time.Millisecond) }
	return fmt.Sprintf("%d times, p50 %v, p90 %v, p99 %v, longest %v", len(s), at(50), at(90), at(99), at(100))
}
