//go:build nfslab

package posix_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
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
	for i := range n {
		key := asset.Key(fmt.Sprintf("raced/%06d", i))
		if won := race(t, s, key, me); won {
			fmt.Printf("won %s\n", key)
		}
	}
	fmt.Println("raced")
}

// race tries until it is known who has won: an error that says neither leaves it open.
func race(t *testing.T, s storage.Store, key asset.Key, me string) bool {
	t.Helper()
	_, err := s.Put(t.Context(), key, strings.NewReader(me), storage.PutOptions{IfAbsent: true})
	if err != nil && !errors.Is(err, fs.ErrExist) {
		t.Fatalf("put %s: want a winner, got %v", key, err)
	}
	return err == nil
}
