//go:build powercut

package powercut

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/posix"
)

const putRounds = 15

// TestPut_isDurableWhenItReturns lets a few or many callers put objects until the power goes. What was acknowledged is there.
func TestPut_isDurableWhenItReturns(t *testing.T) {
	for _, kind := range []string{"ext4", "xfs"} {
		t.Run(kind, func(t *testing.T) {
			d, all := newDisk(t, kind), 0
			for i := range putRounds {
				dir := filepath.Join(d.dir, fmt.Sprint(i))
				acknowledged := putUntilCut(t, d, dir, 1+i%5*3)
				d.powerUp(t)
				there := map[asset.Key]bool{}
				files(t, dir, func(path string, data []byte) {
					there[asset.Key(path)] = bytes.Equal(data, body(asset.Key(path)))
				})
				for _, key := range acknowledged {
					if !there[key] {
						t.Errorf("%s was acknowledged and is not there whole", key)
					}
				}
				all += len(acknowledged)
			}
			d.unmount(t)
			fmt.Printf("%s: %d cuts, %d acknowledged puts: all there\n", kind, putRounds, all)
		})
	}
}

// putUntilCut returns the keys whose Put returned without an error.
func putUntilCut(t *testing.T, d *disk, dir string, callers int) (acknowledged []asset.Key) {
	t.Helper()
	s, err := posix.Open(t.Context(), dir, posix.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := 0; ; i++ {
				key := asset.Key(fmt.Sprintf("%d/%d/%d", c, i%7, i))
				if put(t.Context(), s, key) != nil {
					return
				}
				mu.Lock()
				acknowledged = append(acknowledged, key)
				mu.Unlock()
			}
		})
	}
	time.Sleep(100*time.Millisecond + rand.N(50*time.Millisecond)) // the moment itself
	if err := d.powerCut(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	_ = s.Close() // cannot tidy up without its disk
	return acknowledged
}

func put(ctx context.Context, s storage.Store, key asset.Key) error {
	_, err := s.Put(ctx, key, bytes.NewReader(body(key)), storage.PutOptions{})
	return err
}

// body is what is put under a key.
func body(key asset.Key) []byte {
	sum := sha256.Sum256([]byte(key))
	return bytes.Repeat(sum[:], 300)
}
