//go:build nfslab

package posix_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/posix"
)

// TestInGuest_races is one of several clients of a share that all put the same keys, only if absent, at about the same times. It runs in a
// guest of package nfslab, whose test counts the lines that say what this one has won.
func TestInGuest_races(t *testing.T) {
	dir, me := os.Getenv("HOTFOLDERD_RACE_IN"), os.Getenv("HOTFOLDERD_RACE_AS")
	if dir == "" {
		t.Skip("runs in a guest")
	}
	n, _ := strconv.Atoi(os.Getenv("HOTFOLDERD_RACES"))
	s := opened(t, dir, posix.Options{})
	fmt.Println("ready")
	for begun := os.Getenv("HOTFOLDERD_RACE_BEGUN"); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(begun); err == nil {
			break
		}
	}
	raceAll(t, s, n, me)
	fmt.Println("raced")
}

// inFlight is how many keys each client has in hand at a time: else nearly all of a race is waiting for one disk.
const inFlight = 32

func raceAll(t *testing.T, s storage.Store, n int, me string) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range inFlight {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(n) && !t.Failed(); i = next.Add(1) - 1 {
				key := asset.Key(fmt.Sprintf("raced/%06d", i))
				if race(t, s, key, me) {
					fmt.Printf("won %s\n", key) // one write, which no other comes into
				}
			}
		})
	}
	all.Wait()
}

// race tries until it is known who has won: an error that says neither leaves it open.
func race(t *testing.T, s storage.Store, key asset.Key, me string) bool {
	t.Helper()
	_, err := s.Put(t.Context(), key, strings.NewReader(me), storage.PutOptions{IfAbsent: true})
	if err != nil && !errors.Is(err, fs.ErrExist) {
		t.Errorf("put %s: want a winner, got %v", key, err)
	}
	return err == nil
}
