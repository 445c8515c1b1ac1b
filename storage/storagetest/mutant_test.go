package storagetest

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// A suite that passes everything proves nothing: each mutant breaks one promise, and the suite must name it.

type mutant struct {
	breaks string // the case that must fail
	make   func() storage.Store
}

var mutants = map[string]mutant{
	"checks for absence before it writes": {"Put_ifAbsentHasOneWinner", func() storage.Store { return &lateLook{NewMem()} }},
	"looks, then replaces":                {"Put_ifVersionHasOneWinner", func() storage.Store { return &looksThenReplaces{NewMem()} }},
	"keeps half of a broken put":          {"Put_errorOfTheReaderStoresNothing", func() storage.Store { return &keepsHalf{NewMem()} }},
	"writes in place":                     {"Put_replacingNeverShowsAHalf", func() storage.Store { return &inPlace{NewMem()} }},
	"removes whatever is there":           {"Remove_neverTakesANewerOne", func() storage.Store { return &removesAll{NewMem()} }},
	"looks, then removes":                 {"Remove_neverTakesANewerOne", func() storage.Store { return &looksThenRemoves{NewMem()} }},
	"opens any version":                   {"Open_atAVersion", func() storage.Store { return &opensAny{NewMem()} }},
	"shows an unmounted share as empty":   {"List_missingPrefix", func() storage.Store { return &emptyList{NewMem()} }},
	"drops names that are not UTF-8":      {"Names_areKeptByteForByte", func() storage.Store { return &utf8Only{NewMem()} }},
	"ignores a canceled context":          {"Canceled_endsEachCall", func() storage.Store { return &deaf{NewMem()} }},
	"loses the source of a move":          {"Move_ifAbsentKeepsBoth", func() storage.Store { return &losesSource{NewMem()} }},
}

const mutantVar = "STORAGETEST_MUTANT"

func TestRun_namesTheBrokenPromise(t *testing.T) {
	for name, m := range mutants {
		t.Run(name, func(t *testing.T) {
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMutant$/^"+m.breaks+"$", "-test.v")
			child.Env = append(os.Environ(), mutantVar+"="+name)
			out, err := child.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestMutant/"+m.breaks) {
				t.Fatalf("the suite did not see that a store %s: %v\n%s", name, err, out)
			}
		})
	}
}

// TestMutant runs the suite on the mutant that its parent asks for; without one it has nothing to do.
func TestMutant(t *testing.T) {
	if m, ok := mutants[os.Getenv(mutantVar)]; ok {
		Run(t, func(*testing.T) storage.Store { return m.make() }, Options{Entries: 100})
	}
}

type lateLook struct{ *Mem }

func (m *lateLook) Put(ctx context.Context, key asset.Key, r io.Reader, o storage.PutOptions) (storage.Object, error) {
	if _, err := m.Stat(ctx, key); err == nil && o.IfAbsent {
		return storage.Object{}, fs.ErrExist
	}
	m.othersWrite(ctx, key, "")
	o.IfAbsent = false
	return m.Mem.Put(ctx, key, r, o)
}

type looksThenReplaces struct{ *Mem }

func (m *looksThenReplaces) Put(ctx context.Context, key asset.Key, r io.Reader, o storage.PutOptions) (storage.Object, error) {
	if obj, err := m.Stat(ctx, key); o.IfVersion != "" && (err != nil || obj.Version != o.IfVersion) {
		return storage.Object{}, storage.ErrChanged
	}
	if o.IfVersion != "" {
		m.othersWrite(ctx, key, o.IfVersion)
	}
	o.IfVersion = ""
	return m.Mem.Put(ctx, key, r, o)
}

// othersWrite waits, but not for long, until the key has another version than v (none: ""): so a mutant with a gap between
// two deeds meets its race on every run, on one core as on many.
func (m *Mem) othersWrite(ctx context.Context, key asset.Key, v asset.Version) {
	for end := time.Now().Add(5 * time.Millisecond); time.Now().Before(end); runtime.Gosched() {
		if obj, err := m.Stat(ctx, key); err == nil && obj.Version != v {
			return
		}
	}
}

type keepsHalf struct{ *Mem }

func (m *keepsHalf) Put(ctx context.Context, key asset.Key, r io.Reader, o storage.PutOptions) (storage.Object, error) {
	b, err := io.ReadAll(r)
	obj, putErr := m.Mem.Put(ctx, key, strings.NewReader(string(b)), o)
	return obj, errors.Join(err, putErr)
}

type inPlace struct{ *Mem }

func (m *inPlace) Put(ctx context.Context, key asset.Key, r io.Reader, o storage.PutOptions) (storage.Object, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return storage.Object{}, err
	}
	if !o.IfAbsent {
		half, _ := m.Mem.Put(ctx, key, strings.NewReader(string(b[:len(b)/2])), o)
		m.othersWrite(ctx, key, half.Version)
	}
	return m.Mem.Put(ctx, key, strings.NewReader(string(b)), o)
}

type removesAll struct{ *Mem }

func (m *removesAll) Remove(ctx context.Context, key asset.Key, v asset.Version) error {
	m.othersWrite(ctx, key, v)
	return m.Mem.Remove(ctx, key, "")
}

type looksThenRemoves struct{ *Mem }

func (m *looksThenRemoves) Remove(ctx context.Context, key asset.Key, v asset.Version) error {
	obj, err := m.Stat(ctx, key)
	if err != nil || v != "" && obj.Version != v {
		return errors.Join(err, storage.ErrChanged)
	}
	m.othersWrite(ctx, key, obj.Version)
	return m.Mem.Remove(ctx, key, "")
}

type opensAny struct{ *Mem }

func (m *opensAny) Open(ctx context.Context, key asset.Key, _ asset.Version) (storage.Reader, error) {
	return m.Mem.Open(ctx, key, "")
}

type emptyList struct{ *Mem }

func (m *emptyList) List(
	ctx context.Context, prefix asset.Key, o storage.ListOptions,
) iter.Seq2[storage.Object, error] {
	if _, err := m.Stat(ctx, prefix); errors.Is(err, fs.ErrNotExist) {
		return func(func(storage.Object, error) bool) {}
	}
	return m.Mem.List(ctx, prefix, o)
}

type utf8Only struct{ *Mem }

func (m *utf8Only) Put(ctx context.Context, key asset.Key, r io.Reader, o storage.PutOptions) (storage.Object, error) {
	return m.Mem.Put(ctx, asset.Key(strings.ToValidUTF8(string(key), "\ufffd")), r, o)
}

type deaf struct{ *Mem }

func (m *deaf) Sync(ctx context.Context, keys ...asset.Key) error {
	return m.Mem.Sync(context.WithoutCancel(ctx), keys...)
}

type losesSource struct{ *Mem }

func (m *losesSource) Move(ctx context.Context, src storage.Object, dst asset.Key, o storage.PutOptions) (storage.Object, error) {
	obj, err := m.Copy(ctx, src, dst, o)
	return obj, errors.Join(err, m.Remove(ctx, src.Key, src.Version))
}
