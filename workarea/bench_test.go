package workarea

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"hotfolderd/asset"
)

const benchSize = 100_000

// BenchmarkFloor is what a file costs that is written and made durable, and nothing else: 32 writers, a folder each.
func BenchmarkFloor(b *testing.B) {
	dir := b.TempDir()
	data := make([]byte, benchSize)
	rand.Read(data)
	var next atomic.Int64
	b.SetBytes(benchSize)
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		own := filepath.Join(dir, fmt.Sprint(next.Add(1)))
		if err := os.Mkdir(own, 0o777); err != nil {
			b.Error(err)
		}
		for pb.Next() {
			f, err := os.Create(filepath.Join(own, fmt.Sprint(next.Add(1))))
			if err == nil {
				_, err = f.Write(data)
			}
			if err == nil {
				err = f.Sync()
			}
			if err != nil {
				b.Error(err)
			}
			f.Close()
		}
	})
}

// BenchmarkCommitApply is the whole way of a new drop through the work area: stage, commit, apply, all durable. 32 walks at
// a time (with -cpu 2), each drop with a name of its own.
func BenchmarkCommitApply(b *testing.B) {
	a := open(b, folder(b))
	data := make([]byte, benchSize)
	rand.Read(data)
	var next atomic.Uint64
	b.SetBytes(benchSize)
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		own := bytes.Clone(data)
		for pb.Next() {
			n := next.Add(1)
			binary.BigEndian.PutUint64(own, n)
			key := asset.Key(fmt.Sprintf("d%d/f%d.bin", n%100, n))
			c, staged, err := a.Stage(b.Context(), bytes.NewReader(own))
			if err != nil {
				b.Error(err)
				return
			}
			rec := job{key: key}.record()
			rec.Content = c
			rec, _, err = a.Commit(b.Context(), rec, staged)
			if err == nil {
				_, err = a.Apply(b.Context(), rec)
			}
			if err != nil {
				b.Error(err)
			}
			staged.Discard()
		}
	})
}
