package thumbnails

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

func readAll(t *testing.T, r io.Reader) []byte {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (rt *roomTest) overwrite(h asset.Hash, size int, data []byte) {
	rt.Helper()
	if _, err := rt.store.Put(rt.Context(), rt.room.rendition(h, size, JPEG), bytes.NewReader(data), storage.PutOptions{}); err != nil {
		rt.Fatal(err)
	}
}

func (rt *roomTest) inspect(h asset.Hash) []Flaw {
	rt.Helper()
	flaws, err := rt.room.Inspect(rt.Context(), h, testSpec)
	if err != nil {
		rt.Fatal(err)
	}
	return flaws
}

func (rt *roomTest) repair(data []byte, all bool) int {
	rt.Helper()
	n, _, err := rt.room.Repair(rt.Context(), content(data, "image/png"), testSpec, all, func(context.Context) (storage.Reader, error) {
		_, err := rt.store.Put(rt.Context(), "original", bytes.NewReader(data), storage.PutOptions{})
		if err != nil {
			return nil, err
		}
		return rt.store.Open(rt.Context(), "original", "")
	})
	if err != nil {
		rt.Fatal(err)
	}
	return n
}

func TestInspect_tellsWhatIsMissingAndWhatIsDamaged(t *testing.T) {
	rt := newRoom(t)
	data := asPNG(t, quarters(100, 80))
	c := content(data, "image/png")
	if got := rt.inspect(c.Hash); len(got) != 2 || !got[0].Missing() || !got[1].Missing() {
		t.Errorf("want both missing, got %v", got)
	}
	rt.generate(data, "image/png", testSpec)
	if got := rt.inspect(c.Hash); len(got) != 0 {
		t.Errorf("want none, got %v", got)
	}
	good := renderOK(t, data, testSpec).Renditions[0].Data
	for reason, bad := range map[string][]byte{
		"cannot be decoded": good[:len(good)-40], "cannot be decoded: EOF": {}, "pixels": asJPEG(t, quarters(65, 20)),
		"bytes are too many": append(bytes.Clone(good), make([]byte, largestFile(64))...), "not a JPEG": asPNG(t, quarters(9, 9)),
	} {
		rt.overwrite(c.Hash, 64, bad)
		got := rt.inspect(c.Hash)
		if len(got) != 1 || got[0].Size != 64 || got[0].Missing() || reason != "not a JPEG" && !strings.Contains(got[0].Reason, strings.TrimSuffix(reason, ": EOF")) {
			t.Errorf("%s: got %v", reason, got)
		}
		if n := rt.repair(data, false); n != 1 || len(rt.inspect(c.Hash)) != 0 {
			t.Errorf("%s: want one repaired, got %d; then %v", reason, n, rt.inspect(c.Hash))
		}
	}
}

func TestRepair_makesNothingThatIsThereUnlessAllAreWanted(t *testing.T) {
	rt := newRoom(t)
	data := asPNG(t, quarters(100, 80))
	if n := rt.repair(data, false); n != 2 {
		t.Errorf("want both made, got %d", n)
	}
	calls := rt.engine.calls
	if n := rt.repair(data, false); n != 0 || rt.engine.calls != calls {
		t.Errorf("want nothing made, got %d", n)
	}
	rt.overwrite(content(data, "").Hash, 64, asJPEG(t, quarters(64, 64))) // whole, and not of this picture: only all sees to it
	if n := rt.repair(data, true); n != 2 || rt.engine.calls != calls+1 {
		t.Errorf("want both made anew, got %d", n)
	}
	rd, err := rt.room.Open(t.Context(), content(data, "").Hash, 64, JPEG)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rd.Close() }()
	if want := renderOK(t, data, testSpec).Renditions[0].Data; !bytes.Equal(want, readAll(t, rd)) {
		t.Error("want the picture's own again")
	}
}

func (rt *roomTest) compare(data []byte, mime string, spec Spec) ([]Flaw, error) {
	rt.Helper()
	return rt.room.Compare(rt.Context(), content(data, mime), spec, func(context.Context) (storage.Reader, error) {
		_, err := rt.store.Put(rt.Context(), "original", bytes.NewReader(data), storage.PutOptions{})
		if err != nil {
			return nil, err
		}
		return rt.store.Open(rt.Context(), "original", "")
	})
}

func TestCompare_tellsWhatIsNotMadeNow(t *testing.T) {
	rt := newRoom(t)
	data := pngWithEXIF(asPNG(t, quarters(100, 80)), exifOfOwner("Eve", "x"))
	h := content(data, "").Hash
	reasons := func(spec Spec) (all []string) {
		t.Helper()
		flaws, err := rt.compare(data, "image/png", spec)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range flaws {
			switch {
			case f.Missing():
				all = append(all, "missing")
			case f.Differs():
				all = append(all, "differs")
			default:
				all = append(all, f.Reason)
			}
		}
		return all
	}
	want := func(what string, got []string, want ...string) {
		t.Helper()
		if strings.Join(got, ", ") != strings.Join(want, ", ") {
			t.Errorf("%s: want %q, got %q", what, want, got)
		}
	}
	want("before", reasons(testSpec), "missing", "missing")
	rt.generate(data, "image/png", testSpec)
	want("as made", reasons(testSpec))
	kept := testSpec
	kept.Keep = []string{"creator"}
	want("by another rule", reasons(kept), "differs", "differs")
	rt.overwrite(h, 16, asJPEG(t, quarters(16, 13)))
	want("by another hand", reasons(testSpec), "differs")
	rt.overwrite(h, 64, []byte("x"))
	if got := reasons(testSpec); len(got) != 2 || !strings.Contains(got[0], "cannot be decoded") {
		t.Errorf("want one damaged, got %q", got)
	}
	if got := rt.inspect(h); len(got) != 1 || got[0].Size != 64 {
		t.Errorf("want all left as it was, got %v", got)
	}
}

func TestCompare_saysWhatCannotBeRendered(t *testing.T) {
	rt := newRoom(t)
	for mime, data := range map[string][]byte{"image/png": asPNG(t, quarters(9, 9))[:60], "text/plain": []byte("x")} {
		var fault *Error
		if flaws, err := rt.compare(data, mime, testSpec); !errors.As(err, &fault) || flaws != nil {
			t.Errorf("%s: want what is wrong with the original, got %v, %v", mime, flaws, err)
		}
	}
	if _, err := rt.room.Compare(t.Context(), content([]byte("x"), "image/png"), testSpec, func(context.Context) (storage.Reader, error) { return nil, fs.ErrNotExist }); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("want that there is no original, got %v", err)
	}
}
