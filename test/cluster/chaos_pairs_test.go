//go:build chaos

package cluster_test

import "testing"

func TestChaos_readsWithTheIndexAreNeverOlder(t *testing.T) {
	readPairs(t, env(t, "HOTFOLDERD_PAIRS", 100_000))
}
