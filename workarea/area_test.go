package workarea

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/posix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// folder is a real store in a fresh folder.
func folder(t testing.TB) *posix.Store {
	t.Helper()
	s, err := posix.Open(t.Context(), t.TempDir(), posix.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func open(t testing.TB, s storage.Store) *Area {
	t.Helper()
	a, err := Open(t.Context(), s, Options{Node: "node-a"})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// job is one drop to be imported.
type job struct {
	key      asset.Key
	version  asset.Version
	name     asset.Key
	conflict asset.Conflict
	library  bool
	body     string
}

func (j job) record() asset.Record {
	d := asset.Drop{Hotfolder: "inbox", Key: j.key, Version: j.version}
	r := asset.Record{
		Drop: d.ID(), Hotfolder: d.Hotfolder, Key: d.Key, Version: d.Version, Door: asset.DoorShare, Arrived: time.Unix(1e9, 5).UTC(),
		Name: j.name, Conflict: j.conflict, Library: j.library, Token: "1.7",
	}
	if r.Name == "" {
		r.Name = j.key
	}
	if r.Conflict == "" {
		r.Conflict = asset.ConflictVersion
	}
	return r
}

// commit stages and commits a drop.
func commit(ctx context.Context, a *Area, j job) (asset.Record, bool, error) {
	content, staged, err := a.Stage(ctx, strings.NewReader(j.body))
	if err != nil {
		return asset.Record{}, false, err
	}
	rec := j.record()
	rec.Content = content
	standing, found, err := a.Commit(ctx, rec, staged)
	return standing, found, errors.Join(err, staged.Discard())
}

// walk imports a drop whole.
func walk(ctx context.Context, a *Area, j job) (asset.Record, asset.Outcome, error) {
	rec, _, err := commit(ctx, a, j)
	if err != nil {
		return rec, asset.Outcome{}, err
	}
	out, err := a.Apply(ctx, rec)
	return rec, out, err
}

func mustWalk(t testing.TB, a *Area, j job) (asset.Record, asset.Outcome) {
	t.Helper()
	rec, out, err := walk(t.Context(), a, j)
	if err != nil {
		t.Fatalf("import of %s: %v", j.key.Quoted(), err)
	}
	return rec, out
}

// versions shows the catalog of a name as "1:first 2:second".
func versions(t testing.TB, a *Area, name asset.Key) string {
	t.Helper()
	var shown []string
	for v, err := range a.Versions(t.Context(), name) {
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		shown = append(shown, fmt.Sprintf("%d:%s", v.Number, body(t, a, v.Record.Content.Hash)))
	}
	return strings.Join(shown, " ")
}

func body(t testing.TB, a *Area, h asset.Hash) string {
	t.Helper()
	r, err := a.OpenAsset(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func put(t testing.TB, s storage.Store, key asset.Key, text string) storage.Object {
	t.Helper()
	o, err := s.Put(t.Context(), key, strings.NewReader(text), storage.PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// tree lists all files below a prefix.
func tree(t testing.TB, s storage.Store, prefix asset.Key) []string {
	t.Helper()
	var keys []string
	for o, err := range s.List(t.Context(), prefix, storage.ListOptions{Recursive: true}) {
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if isFile(o) {
			keys = append(keys, string(o.Key))
		}
	}
	slices.Sort(keys)
	return keys
}

func TestStage_learnsTheBytesInOneReading(t *testing.T) {
	a := open(t, folder(t))
	data := append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte{7}, 700_000)...)
	c, s, err := a.Stage(t.Context(), &once{r: bytes.NewReader(data)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Discard()
	if want := int64(len(data)); c.Size != want || s.Size() != want {
		t.Errorf("want %d bytes, got %d and %d", want, c.Size, s.Size())
	}
	if c.Type != "image/png" {
		t.Errorf("want image/png, got %q", c.Type)
	}
	got := make([]byte, len(data))
	if _, err := s.ReadAt(got, 0); err != nil && err != io.EOF || !bytes.Equal(data, got) {
		t.Errorf("the staged bytes differ (%v)", err)
	}
	if want := hashOf(string(data)); c.Hash.String() != want {
		t.Errorf("want hash %s, got %s", want, c.Hash)
	}
}

// once fails a second reading and gives small pieces.
type once struct {
	r    io.Reader
	done bool
}

func (o *once) Read(p []byte) (int, error) {
	if o.done {
		return 0, errors.New("read again after the end")
	}
	n, err := o.r.Read(p[:min(len(p), 1000)])
	o.done = err == io.EOF
	return n, err
}

// A request body that was cut off says io.ErrUnexpectedEOF; it must never count as whole.
func TestStage_cutOffBodyIsNotWhole(t *testing.T) {
	for _, cause := range []error{io.ErrUnexpectedEOF, errors.New("line went dead")} {
		s := folder(t)
		a := open(t, s)
		before := tree(t, s, asset.Root)
		_, _, err := a.Stage(t.Context(), io.MultiReader(strings.NewReader("half"), &failing{cause}))
		if !errors.Is(err, cause) {
			t.Errorf("want %v, got %v", cause, err)
		}
		if after := tree(t, s, asset.Root); !slices.Equal(before, after) {
			t.Errorf("want nothing left behind, got %q", after)
		}
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

func TestStage_emptyFileIsAFile(t *testing.T) {
	a := open(t, folder(t))
	rec, out := mustWalk(t, a, job{key: "empty", body: ""})
	if out.Number != 1 || rec.Content.Size != 0 || rec.Content.Type == "" {
		t.Errorf("want version 1 of 0 bytes with a type, got %+v of %+v", out, rec.Content)
	}
}

func TestPut_makesVersionsOfAName(t *testing.T) {
	a := open(t, folder(t))
	for i, text := range []string{"one", "two", "two"} {
		_, out, err := a.Put(t.Context(), "x/y.txt", strings.NewReader(text), asset.DoorCLI)
		if err != nil {
			t.Fatal(err)
		}
		if want := min(i+1, 2); out.Number != want || out.Name != "x/y.txt" {
			t.Errorf("put %d: want number %d, got %+v", i, want, out)
		}
	}
	if want, got := "1:one 2:two", versions(t, a, "x/y.txt"); want != got {
		t.Errorf("want %q, got %q", want, got)
	}
	if _, _, err := a.Put(t.Context(), "../evil", strings.NewReader("x"), asset.DoorCLI); !errors.Is(err, asset.ErrKey) {
		t.Errorf("want a name that leaves the tree to be refused, got %v", err)
	}
}

// TestPutIf_aWriteThatIsRepeatedIsDoneOnce also when its name has gone on meanwhile.
func TestPutIf_aWriteThatIsRepeatedIsDoneOnce(t *testing.T) {
	a := open(t, folder(t))
	absent := func(ctx context.Context) error {
		if _, _, err := a.Current(ctx, "x"); err == nil {
			return fs.ErrExist
		}
		return nil
	}
	put := func(text, once string, allowed func(context.Context) error) (asset.Outcome, error) {
		_, out, err := a.PutIf(t.Context(), "x", strings.NewReader(text), PutOptions{Door: asset.DoorHTTP, Once: once, Allowed: allowed})
		return out, err
	}
	for range 2 {
		if out, err := put("mine", "word-one", absent); err != nil || out.Number != 1 {
			t.Errorf("want version 1 both times, got %+v, %v", out, err)
		}
	}
	if _, err := put("theirs", "word-two", nil); err != nil {
		t.Fatal(err)
	}
	if out, err := put("mine", "word-one", absent); err != nil || out.Number != 1 {
		t.Errorf("want it found as version 1, got %+v, %v", out, err)
	}
	if _, err := put("other bytes", "word-one", absent); !errors.Is(err, fs.ErrExist) {
		t.Errorf("want other bytes refused, by whatever word, got %v", err)
	}
	if out, err := put("mine", "word-three", nil); err != nil || out.Number != 3 {
		t.Errorf("want the same bytes by another word to be a write of their own, got %+v, %v", out, err)
	}
	if want, got := "1:mine 2:theirs 3:mine", versions(t, a, "x"); want != got {
		t.Errorf("want %q, got %q", want, got)
	}
}

// All writers have seen that the name is not there before the first of them makes it.
func TestPutIf_ofManyThatWantTheNameAbsentOneHasIt(t *testing.T) {
	a := open(t, folder(t))
	const writers = 8
	var seen, done sync.WaitGroup
	seen.Add(writers)
	outs, errs := make([]asset.Outcome, writers), make([]error, writers)
	put := func(i int) PutOptions {
		return PutOptions{Door: asset.DoorHTTP, Once: fmt.Sprint("writer-", i), IfAbsent: true, Allowed: func(context.Context) error {
			seen.Done()
			seen.Wait()
			return nil
		}} // a write that is found is not asked again
	}
	for i := range writers {
		done.Go(func() { _, outs[i], errs[i] = a.PutIf(t.Context(), "x", strings.NewReader(fmt.Sprint(i)), put(i)) })
	}
	done.Wait()
	winners := 0
	for i, out := range outs {
		if errs[i] != nil || out.Skipped == (out.Number == 1) {
			t.Errorf("want version 1 or skipped, got %+v, %v", out, errs[i])
		}
		if out.Number != 1 {
			continue
		}
		winners++
		if _, again, err := a.PutIf(t.Context(), "x", strings.NewReader(fmt.Sprint(i)), put(i)); err != nil || again.Number != 1 {
			t.Errorf("want the winner's write found when it is repeated, got %+v, %v", again, err)
		}
		if want, got := fmt.Sprint("1:", i), versions(t, a, "x"); want != got {
			t.Errorf("want %q, got %q", want, got)
		}
	}
	if winners != 1 {
		t.Errorf("want one winner, got %d", winners)
	}
}
