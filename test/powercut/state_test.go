//go:build powercut

package powercut

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	stdjpeg "image/jpeg"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hotfolderd/asset"
)

// state is what lies in a store, read from its files alone: no code of the node helps or mends.
type state struct {
	t       *testing.T
	dropped map[string]asset.Hash // by key: what lies in the hotfolder, or was set aside to be removed
	ledger  map[string]int        // records by the key of their drop
	catalog map[string][]asset.Record
	assets  map[asset.Hash]bool
	thumbs  int
}

// look reads a store and reports everything in it that is half.
func look(t *testing.T, dir string) *state {
	t.Helper()
	s := &state{t: t, dropped: map[string]asset.Hash{}, ledger: map[string]int{}, catalog: map[string][]asset.Record{}, assets: map[asset.Hash]bool{}}
	inbox, area := filepath.Join("hotfolders", "inbox"), filepath.Join(dir, "workarea")
	files(t, filepath.Join(dir, inbox), func(key string, data []byte) { s.dropped[key] = sha256.Sum256(data) })
	files(t, filepath.Join(dir, ".hotfolderd"), func(path string, data []byte) {
		if _, key, ok := strings.Cut(path, "/aside/"+inbox+"/"); ok {
			s.dropped[key] = sha256.Sum256(data)
		}
	})
	files(t, filepath.Join(area, "assets"), s.asset)
	files(t, filepath.Join(area, "ledger"), func(path string, data []byte) {
		if rec, ok := s.record("ledger/"+path, data); ok {
			s.ledger[string(rec.Key)]++
		}
	})
	files(t, filepath.Join(area, "catalog"), func(path string, data []byte) {
		if rec, ok := s.record("catalog/"+path, data); ok {
			s.catalog[string(rec.Key)] = append(s.catalog[string(rec.Key)], rec)
		}
	})
	files(t, filepath.Join(area, "library"), s.shown)
	files(t, filepath.Join(area, "image-cache"), s.thumbnail)
	return s
}

func (s *state) asset(path string, data []byte) {
	hash := asset.Hash(sha256.Sum256(data))
	if hash.String() != filepath.Base(path) {
		s.t.Errorf("half an asset: %s has %d bytes", path, len(data))
		return
	}
	s.assets[hash] = true
}

// record reads a file of the ledger or the catalog, which must be whole and lead to bytes that are whole.
func (s *state) record(path string, data []byte) (rec asset.Record, ok bool) {
	if err := json.Unmarshal(data, &rec); err != nil || !bytes.HasSuffix(data, []byte("\n")) {
		s.t.Errorf("torn: %s: %d bytes: %v", path, len(data), err)
		return rec, false
	}
	if !s.assets[rec.Content.Hash] {
		s.t.Errorf("%s leads to bytes that are not there", path)
	}
	return rec, true
}

func (s *state) shown(path string, data []byte) {
	if !s.assets[sha256.Sum256(data)] {
		s.t.Errorf("the library shows %s with %d bytes that are no asset's", path, len(data))
	}
}

func (s *state) thumbnail(path string, data []byte) {
	if filepath.Ext(path) != ".jpg" {
		return
	}
	s.thumbs++
	if _, err := stdjpeg.Decode(bytes.NewReader(data)); err != nil {
		s.t.Errorf("half a thumbnail: %s: %v", path, err)
	}
}

// imported reports whether the drop's name has its bytes.
func (s *state) imported(d *drop) bool {
	for _, rec := range s.catalog[d.key] {
		if rec.Content.Hash == d.hash && s.assets[d.hash] {
			return true
		}
	}
	return false
}

// files calls f for each file below dir, with its path from there. A folder that is not there has none.
func files(t *testing.T, dir string, f func(path string, data []byte)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil {
			rel, _ := filepath.Rel(dir, path)
			f(rel, data)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}
