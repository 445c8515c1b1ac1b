package workarea

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const (
	recordExt = ".json"
	// maxSmall is the greatest size of a record, a sidecar or an identity. What is larger was not written by this program.
	maxSmall = 1 << 20
	// maxChanges is how often a file is opened again that changed just then.
	maxChanges = 20
)

// errTorn is for a file of ours that does not hold what we write. It is a fault of the store or of a person.
var errTorn = errors.New("torn or foreign")

// entry is a catalog entry: a ledger record, or one with a mark.
type entry struct {
	asset.Record
	// Same is the number of the version that had these bytes already.
	Same int `json:"same,omitempty"`
	// Replaced is the drop that took the place of this version.
	Replaced asset.DropID `json:"replaced,omitempty"`
}

// shown reports whether the entry is a version that people see.
func (e *entry) shown() bool { return e.Same == 0 && e.Replaced == "" }

// Record reads the ledger's record of a drop. fs.ErrNotExist when there is none; never a zero record without an error.
func (a *Area) Record(ctx context.Context, id asset.DropID) (asset.Record, error) {
	if _, err := asset.ParseDropID(string(id)); err != nil {
		return asset.Record{}, err
	}
	data, err := a.readSmall(ctx, a.ledgerKey(id))
	if err != nil {
		return asset.Record{}, fmt.Errorf("record of %s: %w", id, err)
	}
	e, err := decodeEntry(data)
	if err == nil && e.Drop != id {
		err = fmt.Errorf("%w: it is the record of %s", errTorn, e.Drop)
	}
	if err == nil && !e.shown() {
		err = fmt.Errorf("%w: it is a mark of the catalog", errTorn)
	}
	if err != nil {
		return asset.Record{}, fmt.Errorf("record of %s: %w", id, err)
	}
	return e.Record, nil
}

// encodeLine is the JSON of v as one line.
func encodeLine(v any) ([]byte, error) {
	line, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if len(line) >= maxSmall {
		return nil, fmt.Errorf("a record of %d bytes is too large", len(line))
	}
	return append(line, '\n'), nil
}

// decodeEntry reads one line of JSON and checks what everybody relies on.
func decodeEntry(data []byte) (entry, error) {
	var e entry
	if !bytes.HasSuffix(data, []byte("\n")) {
		return entry{}, fmt.Errorf("%w: it has no end", errTorn)
	}
	if err := json.Unmarshal(data, &e); err != nil {
		return entry{}, fmt.Errorf("%w: %v", errTorn, err)
	}
	if err := checkRecord(&e.Record); err != nil {
		return entry{}, fmt.Errorf("%w: %v", errTorn, err)
	}
	if e.Same < 0 {
		return entry{}, fmt.Errorf("%w: it is the same as version %d", errTorn, e.Same)
	}
	return e, nil
}

// checkRecord refuses a record that could not be found again or applied.
func checkRecord(r *asset.Record) error {
	if _, err := asset.ParseDropID(string(r.Drop)); err != nil {
		return err
	}
	if _, err := asset.ParseKey(string(r.Name)); err != nil {
		return fmt.Errorf("its asset has no name: %w", err)
	}
	switch r.Conflict {
	case asset.ConflictVersion, asset.ConflictReplace, asset.ConflictSkip, asset.ConflictRename, asset.ConflictReject:
	default:
		return fmt.Errorf("%q is no conflict policy", r.Conflict)
	}
	if r.Content.Hash.IsZero() || r.Content.Size < 0 {
		return errors.New("it has no content")
	}
	return nil
}

// readSmall reads a file of ours whole.
func (a *Area) readSmall(ctx context.Context, key asset.Key) ([]byte, error) {
	data, _, err := a.readObject(ctx, key, maxSmall)
	return data, err
}

// readObject reads a file of ours whole, and tells what it read. Marks are written over entries, so a file may change between
// the look at its name and its opening: then it is opened once more. One of more than most bytes is not ours.
func (a *Area) readObject(ctx context.Context, key asset.Key, most int64) (data []byte, o storage.Object, err error) {
	r, err := a.store.Open(ctx, key, "")
	for range maxChanges {
		if !errors.Is(err, storage.ErrChanged) {
			break
		}
		r, err = a.store.Open(ctx, key, "")
	}
	if err != nil {
		return nil, storage.Object{}, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	o = r.Object()
	if o.Size > most {
		return nil, o, fmt.Errorf("read %s: %w: it has %d bytes", key.Quoted(), errTorn, o.Size)
	}
	data = make([]byte, o.Size)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, o, fmt.Errorf("read %s: %w", key.Quoted(), err)
	}
	return data, o, nil
}
