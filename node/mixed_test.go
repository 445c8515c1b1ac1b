package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/storage"
	"hotfolderd/storage/s3/s3test"
	"hotfolderd/storage/storagetest"
)

// mixed is a node whose hotfolder lies in another store than its work area.
type mixed struct {
	Options
	t          *testing.T
	main, door *OpenedStore // as people have them
	faults     map[string]*storagetest.Fault
}

// onMixed runs a test on pairs of stores: a work area and where people drop. No risk is accepted.
func onMixed(t *testing.T, test func(m *mixed)) {
	minio, gateway := s3test.MinIO(t), s3test.VersityGW(t)
	pairs := map[string]func(t *testing.T) (main, door string){
		"folder to bucket": func(t *testing.T) (string, string) {
			return minio.URL(minio.Bucket(t), "area"), "file://" + t.TempDir()
		},
		"folder to gateway": func(t *testing.T) (string, string) {
			return gateway.URL(gateway.Bucket(t), "area"), "file://" + t.TempDir()
		},
		"bucket to folder": func(t *testing.T) (string, string) {
			return "file://" + t.TempDir(), minio.URL(minio.VersionedBucket(t), "drops")
		},
		"bucket to bucket": func(t *testing.T) (string, string) {
			return minio.URL(minio.Bucket(t), "area"), minio.URL(minio.VersionedBucket(t), "drops")
		},
		"bucket to gateway": func(t *testing.T) (string, string) {
			return gateway.URL(gateway.Bucket(t), ""), minio.URL(minio.VersionedBucket(t), "")
		},
	}
	t.Run("on", func(t *testing.T) { // the servers end after all of them
		for name, pair := range pairs {
			if testing.Short() && strings.Count(name, "bucket") != 1 {
				continue
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				main, door := pair(t)
				test(newMixed(t, main, door))
			})
		}
	})
}

func newMixed(t *testing.T, main, door string) *mixed {
	t.Helper()
	m := &mixed{t: t, faults: map[string]*storagetest.Fault{}}
	m.Options = options(t, main, rule("inbox", impatient, withThumbnails, func(r *config.Rule) {
		r.Path = door
		r.Complete.Poll = config.Duration(200 * time.Millisecond)
	}))
	m.Settings.Storage.CredentialsFile = s3test.Credentials(t)
	m.Memory = t.TempDir()
	m.Wrap = func(s storage.Store) storage.Store {
		f := storagetest.NewFault(s)
		m.faults[s.Properties().URL] = f
		t.Cleanup(f.Clear)
		return f
	}
	m.main, m.door = m.people(main, true), m.people(door, false)
	return m
}

// people opens a store beside the node.
func (m *mixed) people(where string, create bool) *OpenedStore {
	m.t.Helper()
	s, err := OpenStore(m.t.Context(), m.Settings.Storage, where, create)
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { s.Close() })
	return s
}

func (m *mixed) fault(s *OpenedStore) *storagetest.Fault { return m.faults[s.Properties().URL] }

func (m *mixed) drop(key asset.Key, data []byte) {
	m.t.Helper()
	if _, err := m.door.Put(m.t.Context(), key, bytes.NewReader(data), storage.PutOptions{}); err != nil {
		m.t.Fatal(err)
	}
}

// awaitImported waits until a name has these bytes and its drop is gone.
func (m *mixed) awaitImported(r *running, key asset.Key, want []byte) {
	m.t.Helper()
	within(m.t, 40*time.Second, string(key)+" imported", func() bool {
		_, err := m.door.Stat(m.t.Context(), key)
		return errors.Is(err, fs.ErrNotExist) && bytes.Equal(imported(m.t, r.Area(), asset.Key("inbox").Join(key)), want)
	})
}

func TestMixed_dropsCrossOnceAndGo(t *testing.T) {
	onMixed(t, func(m *mixed) {
		r := start(m.t, m.Options)
		want := map[asset.Key][]byte{
			"a.txt": []byte("first"), "sub/deep/b.jpg": jpeg(30_000, 1), "c.bin": bytes.Repeat([]byte("large"), 1<<19), "é ü.txt": []byte("odd"),
		}
		for key, data := range want {
			m.drop(key, data)
		}
		for key, data := range want {
			m.awaitImported(r, key, data)
		}
		if got := records(m.t, m.main); len(got) != len(want) {
			m.t.Errorf("want %d records, got %v", len(want), got)
		}
		for o, err := range m.main.List(m.t.Context(), asset.Root, storage.ListOptions{}) {
			if err != nil || o.Key != "workarea" && o.Key != ".hotfolderd" {
				m.t.Errorf("something else in the work area's store: %v, %v", o, err)
			}
		}
	})
}

// The door's store is asked to remove a drop only when the other one holds the bytes, the record and the name, and was told to make
// these names durable.
func TestMixed_aDropIsRemovedOnlyWhenItIsDurableElsewhere(t *testing.T) {
	onMixed(t, func(m *mixed) {
		var synced sync.Map
		var looks atomic.Int32
		wrap := m.Wrap
		m.Wrap = func(s storage.Store) storage.Store {
			if s.Properties().URL == m.main.Properties().URL {
				return syncing{wrap(s), &synced}
			}
			return removing{wrap(s), func(key asset.Key) { m.mustBeDurable(&synced, key); looks.Add(1) }}
		}
		r := start(m.t, m.Options)
		want := map[asset.Key][]byte{}
		for i := range 10 {
			key := asset.Key(fmt.Sprintf("%d.jpg", i))
			want[key] = jpeg(5000+i, uint64(i))
			m.drop(key, want[key])
		}
		for key, data := range want {
			m.awaitImported(r, key, data)
		}
		if looks.Load() < int32(len(want)) {
			m.t.Errorf("want %d removals seen, got %d", len(want), looks.Load())
		}
	})
}

type syncing struct {
	storage.Store
	keys *sync.Map
}

func (s syncing) Sync(ctx context.Context, keys ...asset.Key) error {
	err := s.Store.Sync(ctx, keys...)
	for _, key := range keys {
		if err == nil {
			s.keys.Store(key, true)
		}
	}
	return err
}

type removing struct {
	storage.Store
	before func(asset.Key)
}

func (r removing) Remove(ctx context.Context, key asset.Key, v asset.Version) error {
	r.before(key)
	return r.Store.Remove(ctx, key, v)
}

func (m *mixed) mustBeDurable(synced *sync.Map, drop asset.Key) {
	ctx := m.t.Context()
	src, err := m.door.Open(ctx, drop, "")
	if errors.Is(err, fs.ErrNotExist) {
		return // it was removed before, and is looked for again
	}
	if err != nil {
		m.t.Error(err)
		return
	}
	defer src.Close()
	data, err := io.ReadAll(src)
	if err != nil {
		m.t.Error(err)
		return
	}
	hash := sum(data)
	for _, key := range []asset.Key{"workarea/assets/" + hash.Shard(), asset.Key("workarea/catalog/inbox").Join(drop + ".1.json")} {
		if _, err := m.main.Stat(ctx, key); err != nil {
			m.t.Errorf("%s is being removed and there is no %s: %v", drop, key, err)
		}
		if _, ok := synced.Load(key); !ok {
			m.t.Errorf("%s is being removed and %s was not made durable", drop, key)
		}
	}
	if len(records(m.t, m.main)) == 0 {
		m.t.Errorf("%s is being removed and has no record", drop)
	}
}

// A drop that is replaced just before the one before it is removed stays, and is imported as the next version.
func TestMixed_aNewerDropIsNeverRemoved(t *testing.T) {
	onMixed(t, func(m *mixed) {
		older, newer := jpeg(5000, 1), jpeg(6000, 2)
		var once sync.Once
		m.Step = func(step, _ string, key asset.Key) {
			if step == "remove" {
				once.Do(func() { m.drop(key, newer) })
			}
		}
		r := start(m.t, m.Options)
		m.drop("a.jpg", older)
		m.awaitImported(r, "a.jpg", newer)
		if _, number, err := r.Area().Current(m.t.Context(), "inbox/a.jpg"); err != nil || number != 2 {
			m.t.Errorf("want version 2, got %d, %v", number, err)
		}
		if got := records(m.t, m.main); len(got) != 2 {
			m.t.Errorf("want 2 records, got %v", got)
		}
	})
}

// What fails crosses to failed/, also when the answer to its removal is lost, and goes back; an archive crosses too.
func TestMixed_failedDropsAndArchivesCross(t *testing.T) {
	onMixed(t, func(m *mixed) {
		rules := m.Rules.(fixedRules)
		rules[0].Match.MaxSize = 1 << 20
		rules[0].After = config.AfterArchive
		r := start(m.t, m.Options)
		m.fault(m.door).Inject(storagetest.Rule{Op: storagetest.OpRemove, When: storagetest.After, Times: 1, Err: syscall.EIO})
		large := bytes.Repeat([]byte("x"), 1<<20+1)
		m.drop("large.bin", large)
		within(m.t, 20*time.Second, "the drop in failed/", func() bool { return r.status("inbox").Counts.Failed == 1 })
		for f, err := range r.Area().Failures(m.t.Context()) {
			if err != nil {
				m.t.Fatal(err)
			}
			if got := m.read("workarea/" + f.Stored); !bytes.Equal(got, large) {
				m.t.Errorf("want all bytes in failed/, got %d", len(got))
			}
			if key, err := r.Retry(m.t.Context(), f.ID); err != nil || key != "large.bin" {
				m.t.Errorf("retry: %s, %v", key, err)
			}
		}
		within(m.t, 20*time.Second, "it failed again", func() bool { return r.status("inbox").Counts.Failed == 2 })
		kept := []byte("kept")
		m.drop("sub/kept.txt", kept)
		m.awaitImported(r, "sub/kept.txt", kept)
		var archived []string
		for o, err := range m.main.List(m.t.Context(), "workarea/archive/inbox", storage.ListOptions{Recursive: true}) {
			if err == nil && strings.HasSuffix(string(o.Key), ".txt") {
				archived = append(archived, string(m.read(o.Key)))
			}
		}
		if !slices.Equal(archived, []string{"kept"}) {
			m.t.Errorf("want it in the archive, got %q", archived)
		}
	})
}

// read is all of an object in the work area's store.
func (m *mixed) read(key asset.Key) []byte {
	m.t.Helper()
	src, err := m.main.Open(m.t.Context(), key, "")
	if err != nil {
		m.t.Error(err)
		return nil
	}
	defer src.Close()
	data, err := io.ReadAll(src)
	if err != nil {
		m.t.Error(err)
	}
	return data
}

// Every operation on either store fails once, done or not.
func TestMixed_faultsOnEitherSideLoseNothing(t *testing.T) {
	onMixed(t, func(m *mixed) {
		r := start(m.t, m.Options)
		for nth := range 24 {
			faults := []*storagetest.Fault{m.fault(m.door), m.fault(m.main)}
			for _, f := range faults {
				f.Inject(storagetest.Rule{
					After: nth, Times: 1, When: storagetest.When(nth % 2), Err: syscall.EIO,
					Match: func(k asset.Key) bool { return path.Base(string(k)) != "store.json" },
				})
			}
			key, data := asset.Key(fmt.Sprintf("%d.jpg", nth)), jpeg(5000, uint64(nth))
			m.drop(key, data)
			m.awaitImported(r, key, data)
			for _, f := range faults {
				f.Clear()
			}
			if _, number, err := r.Area().Current(m.t.Context(), asset.Key("inbox").Join(key)); err != nil || number != 1 {
				m.t.Errorf("%s: want version 1, got %d, %v", key, number, err)
			}
			if got := records(m.t, m.main); len(got) != nth+1 {
				m.t.Errorf("%s: want %d records, got %d", key, nth+1, len(got))
			}
		}
		if n := m.fault(m.door).Fired() + m.fault(m.main).Fired(); n < 20 {
			m.t.Errorf("only %d faults struck", n)
		}
	})
}
