package hotfolder

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/storage"
	"hotfolderd/storage/storagetest"
)

// share is a store in memory that may say of itself what a share says.
type share struct {
	*storagetest.Mem
	props storage.Properties
}

func (s share) Properties() storage.Properties { return s.props }

// opened is a file that somebody may still be writing to.
type opened struct {
	*bytes.Reader
	obj        storage.Object
	open, seen bool
	hole       int64 // 0: none
}

var (
	_ storage.WriterFinder = (*opened)(nil)
	_ storage.HoleFinder   = (*opened)(nil)
)

func (o *opened) Object() storage.Object      { return o.obj }
func (o *opened) Check(context.Context) error { return nil }
func (o *opened) Close() error                { return nil }
func (o *opened) Writers() (open, known bool) { return o.open, o.seen }
func (o *opened) Hole() (int64, bool)         { return o.hole, o.hole > 0 }

func openedWith(data []byte) *opened {
	now := time.Now()
	return &opened{Reader: bytes.NewReader(data), obj: storage.Object{
		Key: "hotfolders/inbox/x", Version: "1", Size: int64(len(data)), ModTime: now, Changed: now,
	}}
}

// aFolder is a hotfolder of a share that runs nothing.
func aFolder(s storage.Store, r config.Rule) *folder {
	room := New(Deps{Log: zap.NewNop(), Journal: func(asset.Event) {}}, Options{})
	return newFolder(room, Spec{Rule: r, Store: s, Prefix: "hotfolders/inbox"})
}

func onShare(r config.Rule) *folder { return aFolder(share{Mem: storagetest.NewMem()}, r) }

// looked is what a look at src says.
func looked(t *testing.T, f *folder, c *candidate, src *opened) settled {
	t.Helper()
	c.look(src.obj, time.Now())
	s, err := f.settle(t.Context(), c, src)
	if err != nil {
		t.Fatal(err)
	}
	if (s.how == "") == (s.wait == "") || s.wait != "" && s.after <= 0 {
		t.Fatalf("want it settled, or a reason and a time to look again, got %+v", s)
	}
	return s
}

func picture(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSettle_aStoreOfWholeObjectsNeedsNoProof(t *testing.T) {
	f := aFolder(storagetest.NewMem(), rule(nil))
	if s := looked(t, f, &candidate{}, openedWith([]byte("half of someth"))); !strings.HasPrefix(s.how, "known:") {
		t.Errorf("want it known, got %+v", s)
	}
}

func TestSettle_openForWritingIsNeverComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c, src := onShare(rule(nil)), &candidate{created: true}, openedWith(picture(t))
		src.open, src.seen = true, true
		src.obj.Changed = src.obj.ModTime.Add(time.Second) // looks renamed into place, and its format is whole
		for range 100 {
			if s := looked(t, f, c, src); s.how != "" || !strings.Contains(s.wait, "open for writing") {
				t.Fatalf("want it open for writing after %s, got %+v", time.Since(c.since), s)
			}
			time.Sleep(time.Minute)
		}
		src.open = false
		if s := looked(t, f, c, src); s.how == "" {
			t.Errorf("want it complete when nobody writes any more, got %+v", s)
		}
	})
}

func TestSettle_whatIsOpenIsLookedAtLessAndLessOften(t *testing.T) {
	f, c, src := onShare(rule(func(r *config.Rule) { r.Complete.Settle = config.Duration(300 * time.Millisecond) })), &candidate{}, openedWith([]byte("x"))
	src.open, src.seen = true, true
	for i, want := range []time.Duration{2, 4, 8, 16, 32, 64, 128, 256, 300, 300} {
		if s := looked(t, f, c, src); s.after != want*time.Millisecond {
			t.Errorf("look %d: want the next after %dms, got %s", i, want, s.after)
		}
	}
}

func TestSettle_renamedIntoPlaceIsKnown(t *testing.T) {
	for _, c := range []struct {
		name                string
		created, seen, open bool
		renamed             time.Duration // after the last write
		size                int
		looks               int // before, at another version
		known               bool
	}{
		{name: "renamed into place", created: true, seen: true, renamed: 1, size: 5, known: true},
		{name: "found by a scan", created: false, seen: true, renamed: 1, size: 5},
		{name: "writers cannot be seen", created: true, seen: false, renamed: 1, size: 5},
		{name: "written in place", created: true, seen: true, renamed: 0, size: 5},
		{name: "set back in time", created: true, seen: true, renamed: -1, size: 5},
		{name: "still open", created: true, seen: true, open: true, renamed: 1, size: 5},
		{name: "empty", created: true, seen: true, renamed: 1, size: 0},
		{name: "changed since the first look", created: true, seen: true, renamed: 1, size: 5, looks: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, cand, src := onShare(rule(nil)), &candidate{created: c.created}, openedWith(bytes.Repeat([]byte("x"), c.size))
			src.seen, src.open = c.seen, c.open
			src.obj.Changed = src.obj.ModTime.Add(c.renamed)
			for range c.looks {
				cand.look(storage.Object{Version: "0"}, time.Now())
			}
			if s := looked(t, f, cand, src); strings.HasPrefix(s.how, "known: renamed") != c.known {
				t.Errorf("want known %v, got %+v", c.known, s)
			}
		})
	}
}

func TestSettle_theFormatsEndIsProof(t *testing.T) {
	whole := picture(t)
	for _, c := range []struct {
		name   string
		data   []byte
		hole   int64
		unsure bool // writers cannot be seen
		prove  bool
		proven bool
	}{
		{"whole", whole, 0, false, true, true},
		{"whole, writers unseen", whole, 0, true, true, true},
		{"whole, but the rule does not ask", whole, 0, false, false, false},
		{"cut", whole[:len(whole)-1], 0, false, true, false},
		{"whole by its size, with a hole", whole, 40, false, true, false},
		{"of no known format", []byte("some text"), 0, false, true, false},
		{"empty", nil, 0, false, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := onShare(rule(func(r *config.Rule) { r.Complete.Prove = c.prove }))
			src := openedWith(c.data)
			src.hole, src.seen = c.hole, !c.unsure
			s := looked(t, f, &candidate{}, src)
			if s.proven != c.proven || strings.HasPrefix(s.how, "proven:") != c.proven {
				t.Errorf("want proven %v, got %+v", c.proven, s)
			}
		})
	}
}

func TestSettle_quietNeedsTwoLooksThatFarApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c, src := onShare(rule(nil)), &candidate{}, openedWith([]byte("some text"))
		need := config.DefaultSettle.D()
		if s := looked(t, f, c, src); s.how != "" || s.after != need {
			t.Fatalf("want the next look after %s, got %+v", need, s)
		}
		time.Sleep(need - time.Nanosecond)
		if s := looked(t, f, c, src); s.how != "" || s.after != time.Millisecond {
			t.Fatalf("want it waiting just before, got %+v", s)
		}
		time.Sleep(time.Nanosecond)
		if s := looked(t, f, c, src); s.how != "quiet: unchanged for 2s" || s.proven {
			t.Errorf("want it quiet for 2s, got %+v", s)
		}
	})
}

func TestSettle_oneLookIsNeverQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c, src := onShare(rule(nil)), &candidate{first: time.Now(), arrived: time.Now()}, openedWith([]byte("some text"))
		time.Sleep(time.Hour) // it lay there all the time; nobody looked
		if s := looked(t, f, c, src); s.how != "" {
			t.Errorf("want a second look, got %+v", s)
		}
	})
}

func TestSettle_aNewVersionBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c, src := onShare(rule(nil)), &candidate{attempts: 3}, openedWith([]byte("some text"))
		for i := range 20 {
			src.obj.Version = asset.Version(rune('a' + i))
			if s := looked(t, f, c, src); s.how != "" || s.after != config.DefaultSettle.D() {
				t.Fatalf("want all the quiet time again, got %+v", s)
			}
			time.Sleep(config.DefaultSettle.D() - time.Millisecond)
		}
		if c.attempts != 0 {
			t.Errorf("want the attempts of the old version forgotten, got %d", c.attempts)
		}
		time.Sleep(time.Millisecond)
		if s := looked(t, f, c, src); s.how == "" {
			t.Errorf("want the last version quiet, got %+v", s)
		}
	})
}

func TestSettle_whatIsIncompleteIsWaitedForPatiently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		whole := picture(t)
		f, c, src := onShare(rule(nil)), &candidate{}, openedWith(whole[:len(whole)-5])
		var last settled
		for looks := 0; time.Since(src.obj.ModTime) < config.DefaultPatience.D(); looks++ {
			last = looked(t, f, c, src)
			if last.how != "" || looks > 100 {
				t.Fatalf("want it waiting for %s in few looks, got %+v after %s and %d looks", config.DefaultPatience, last, time.Since(c.since), looks)
			}
			time.Sleep(last.after)
		}
		s := looked(t, f, c, src)
		if !strings.HasPrefix(s.how, "quiet: unchanged for 30s, although incomplete: PNG") || s.proven {
			t.Errorf("want it taken after %s with a word about it, got %+v", config.DefaultPatience, s)
		}
	})
}

// TestSettle_anEmptyFileOfAShareIsWaitedForPatiently makes a file, as a program of another machine does that is slow to write to it.
func TestSettle_anEmptyFileOfAShareIsWaitedForPatiently(t *testing.T) {
	for remote, quiet := range map[bool]time.Duration{true: config.DefaultPatience.D(), false: config.DefaultSettle.D()} {
		synctest.Test(t, func(t *testing.T) {
			f := aFolder(share{storagetest.NewMem(), storage.Properties{Remote: remote}}, rule(nil))
			c, src, begin := &candidate{}, openedWith(nil), time.Now()
			for s := looked(t, f, c, src); s.how == ""; s = looked(t, f, c, src) {
				if remote && s.after > maxPause {
					t.Fatalf("want it looked at soon again, got after %s", s.after)
				}
				time.Sleep(s.after)
			}
			if took := time.Since(begin); took < quiet || took > quiet+maxPause {
				t.Errorf("remote %v: want it taken after %s, got %s", remote, quiet, took)
			}
		})
	}
}

func TestSettle_patienceIsNeverShorterThanSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := onShare(rule(func(r *config.Rule) {
			r.Complete.Patience, r.Complete.Settle = config.Duration(time.Second), config.Duration(10*time.Second)
		}))
		c, src := &candidate{}, openedWith(picture(t)[:40])
		looked(t, f, c, src)
		time.Sleep(9 * time.Second)
		if s := looked(t, f, c, src); s.how != "" {
			t.Errorf("want it waiting for settle, got %+v", s)
		}
	})
}

func TestSettle_aDoneMarkerDecidesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := storagetest.NewMem()
		f := aFolder(share{Mem: m}, rule(func(r *config.Rule) { r.Complete.DoneMarker = "{name}.done" }))
		c, src := &candidate{key: "a/x"}, openedWith(picture(t))
		for range 3 {
			if s := looked(t, f, c, src); s.how != "" || !strings.Contains(s.wait, `"a/x.done" is not there`) {
				t.Fatalf("want it waiting for its marker, however whole and quiet, got %+v", s)
			}
			time.Sleep(time.Hour)
		}
		if _, err := m.Put(t.Context(), "hotfolders/inbox/a/x.done", strings.NewReader(""), storage.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		if s := looked(t, f, c, src); !strings.HasPrefix(s.how, "known: its done marker") {
			t.Errorf("want it known, got %+v", s)
		}
	})
}

func TestRefuse_whatTheRuleCannotTake(t *testing.T) {
	r := rule(func(r *config.Rule) { r.Match.MaxSize = 10 })
	for size, want := range map[int64]string{0: "match.empty", 1: "", 10: "", 11: "match.max_size"} {
		err := refuse(r, storage.Object{Size: size})
		no, _ := err.(*refusal)
		if (want == "") != (err == nil) || no != nil && no.key != want {
			t.Errorf("%d bytes: want %q, got %v", size, want, err)
		}
	}
	r.Match.MaxSize, r.Match.Empty = 0, "import"
	for _, size := range []int64{0, 1 << 60} {
		if err := refuse(r, storage.Object{Size: size}); err != nil {
			t.Errorf("%d bytes: want them taken, got %v", size, err)
		}
	}
}
