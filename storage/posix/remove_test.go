package posix

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/storagetest"
)

// Somebody appends to a file by its name at the moment in which it is removed. Whoever got it open before it was taken away
// must find its bytes again.
func TestRemove_losesNothingThatWasWrittenBeforeIt(t *testing.T) {
	s := open(t)
	path := filepath.Join(s.Dir(), "in")
	if err := os.Mkdir(path, 0o777); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(path, "x")
	late, kept := 0, 0
	for i := range 4000 {
		if err := os.WriteFile(path, []byte("base"), 0o666); err != nil {
			t.Fatal(err)
		}
		obj, err := s.Stat(t.Context(), "in/x")
		if err != nil {
			t.Fatal(err)
		}
		var wrote bool
		var wg sync.WaitGroup
		wg.Go(func() { wrote = appended(path, i%7) })
		for range i % 5 {
			_, _ = s.Stat(t.Context(), "in/x")
		}
		err = s.Remove(t.Context(), "in/x", obj.Version)
		wg.Wait()
		if err != nil && !errors.Is(err, storage.ErrChanged) {
			t.Fatal(err)
		}
		got, readErr := os.ReadFile(path)
		switch {
		case wrote && string(got) != "base+":
			t.Fatalf("round %d: want what was written before, got %q, %v; remove said %v", i, got, readErr, err)
		case wrote:
			kept++
		case err != nil:
			t.Fatalf("round %d: want it removed when nobody wrote, got %v", i, err)
		default:
			late++
		}
	}
	if late == 0 || kept == 0 {
		t.Errorf("want both to win sometimes, got %d removed and %d kept: this proves nothing", late, kept)
	}
}

// appended opens the file for writing when it is still there, writes, and closes it. A file that lost its name while it was being
// opened, between the look and the count of writers, was removed before it was written to.
func appended(path string, spin int) bool {
	for range spin {
		_, _ = os.Lstat(path)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	var st unix.Stat_t
	if unix.Fstat(int(f.Fd()), &st) != nil || st.Nlink == 0 {
		return false
	}
	_, err = f.WriteString("+")
	return err == nil
}

func TestWriters_aMappedFileIsOpenUntilItIsUnmapped(t *testing.T) {
	s := open(t)
	obj := put(t, s, "x", strings.Repeat("x", 4096), storage.PutOptions{})
	fd, err := unix.Open(filepath.Join(s.Dir(), "x"), unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	mapped, err := unix.Mmap(fd, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	unix.Close(fd)
	if err != nil {
		t.Fatal(err)
	}
	open, known, err := s.Writers(t.Context(), "x", obj.Version)
	if !open || !known || err != nil {
		t.Errorf("want a writer although its descriptor is closed, got %v %v %v", open, known, err)
	}
	if err := unix.Munmap(mapped); err != nil {
		t.Fatal(err)
	}
	if open, known, err = s.Writers(t.Context(), "x", obj.Version); open || !known || err != nil {
		t.Errorf("want no writer any more, got %v %v %v", open, known, err)
	}
}

func deepKey(levels int, name string) asset.Key {
	key := asset.Root
	for i := range levels {
		key = key.Join(asset.Key(fmt.Sprintf(name, i)))
	}
	return key
}

func TestStore_foldersDeepBelowOneAnother(t *testing.T) {
	for name, key := range map[string]asset.Key{
		"300 levels":  deepKey(300, "level%03d").Join("x"),
		"full length": asset.Key(strings.Repeat(strings.Repeat("n", asset.MaxComponent-1)+"/", 16) + strings.Repeat("x", 15)),
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			obj := put(t, s, key, "deep", storage.PutOptions{Deferred: true})
			seen := 0
			for o, err := range s.List(t.Context(), asset.Root, storage.ListOptions{Recursive: true}) {
				if err != nil {
					t.Fatal(err)
				}
				if o.Key == key && o.Version == obj.Version {
					seen++
				}
			}
			if seen != 1 {
				t.Errorf("want the file listed once, got %d times", seen)
			}
			if got := storagetest.Content(t, s, key); got != "deep" {
				t.Errorf("want its bytes, got %q", got)
			}
			if err := s.Remove(t.Context(), key, obj.Version); err != nil {
				t.Errorf("want it removed, got %v", err)
			}
		})
	}
}

func TestFile_readsAndWritesLikeAFile(t *testing.T) {
	fd, err := unix.Open(t.TempDir(), unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	f := &file{fd: fd}
	for _, part := range []string{"hello ", "", "world"} {
		if n, err := f.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatalf("want %d bytes written, got %d, %v", len(part), n, err)
		}
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(f); string(b) != "hello world" || err != nil {
		t.Errorf("want all of it, got %q, %v", b, err)
	}
	if n, err := f.Read(make([]byte, 4)); n != 0 || err != io.EOF {
		t.Errorf("want its end, got %d, %v", n, err)
	}
	b := make([]byte, 8)
	if n, err := f.ReadAt(b, 6); n != 5 || err != io.EOF || string(b[:n]) != "world" {
		t.Errorf("want the rest and its end, got %q, %v", b[:n], err)
	}
	if n, err := f.ReadAt(b[:5], 0); n != 5 || err != nil || string(b[:5]) != "hello" {
		t.Errorf("want a part from the front, got %q, %v", b[:n], err)
	}
	if n, err := f.ReadAt(b, 99); n != 0 || err != io.EOF {
		t.Errorf("want its end, got %d, %v", n, err)
	}
	if _, err := f.ReadAt(b, -1); err == nil || err == io.EOF {
		t.Errorf("want a negative offset refused, got %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(b); !errors.Is(err, unix.EBADF) {
		t.Errorf("want a closed file to say so and never to read another's, got %v", err)
	}
	_ = f.Close() // harmless
}
