package node

import (
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fillFile writes size bytes that do not compress, and makes sure that they are on the disk.
func fillFile(b *testing.B, path string, size int64) {
	b.Helper()
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	noise := rand.NewChaCha8([32]byte{1})
	if _, err := io.CopyN(f, noise, size); err != nil {
		b.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	dropCache(f)
}

// dropCache makes the next read of f come from the disk.
func dropCache(f *os.File) { _ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED) }

// copyFloor reads once, hashes, writes once and fsyncs: what importing a file must do at least.
func copyFloor(b *testing.B, from, to string) time.Duration {
	b.Helper()
	begin := time.Now()
	src, err := os.Open(from)
	if err != nil {
		b.Fatal(err)
	}
	defer src.Close()
	dst, err := os.Create(to)
	if err != nil {
		b.Fatal(err)
	}
	defer dst.Close()
	if _, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(dst, sha256.New())}, struct{ io.Reader }{src}, make([]byte, 256<<10)); err != nil {
		b.Fatal(err)
	}
	if err := dst.Sync(); err != nil {
		b.Fatal(err)
	}
	took := time.Since(begin)
	dropCache(src)
	if err := os.Remove(to); err != nil {
		b.Fatal(err)
	}
	return took
}
