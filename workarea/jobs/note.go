package jobs

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"strings"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/workarea/files"
)

// Note is what the store holds of a job.
type Note struct {
	ID      string            `json:"id"`
	Owner   string            `json:"owner,omitempty"`
	Labels  map[string]string `json:"labels,omitempty"`
	TTL     time.Duration     `json:"ttl"`
	Quota   int64             `json:"quota"`
	Node    string            `json:"node"`            // that made it
	Created time.Time         `json:"created"`         // by that node's clock, for people
	Ended   bool              `json:"ended,omitempty"` // it is not there any more, and its files go
	Used    int64             `json:"used"`            // bytes of its files, as far as they were counted
	// Turn grows with each write: in a bucket a version is its bytes, so no two notes may have the same.
	Turn uint64 `json:"turn"`
	// Written are all bytes that were ever added to Used; it only grows.
	Written int64 `json:"written"`
	// Looked is the store's time at which nobody was found to use it any more.
	Looked time.Time `json:"looked,omitzero"`
	// Held are the bytes that nodes are about to write, by the start of the node.
	Held map[string]int64 `json:"held,omitempty"`

	version asset.Version
	changed time.Time // by the store's clock
}

const (
	noteExt = ".json"
	maxNote = 256 << 10
)

func newID() string { return strings.ToLower(rand.Text()) }

// isID keeps everything else out of the paths.
func isID(id string) bool {
	return len(id) == len(newID()) && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

func (j *Jobs) noteKey(id string) asset.Key { return j.at("job-notes").Join(asset.Key(id + noteExt)) }

// read is the note of a job, ended or not; fs.ErrNotExist.
func (j *Jobs) read(ctx context.Context, id string) (Note, error) {
	if !isID(id) {
		return Note{}, fmt.Errorf("%w %q", asset.ErrNoJob, id)
	}
	for {
		n, err := j.readOnce(ctx, id)
		switch {
		case errors.Is(err, storage.ErrChanged):
			continue
		case errors.Is(err, fs.ErrNotExist):
			return n, fmt.Errorf("%w %q", asset.ErrNoJob, id)
		case err != nil:
			return n, fmt.Errorf("job %s: %w", id, err)
		}
		return n, nil
	}
}

func (j *Jobs) readOnce(ctx context.Context, id string) (n Note, err error) {
	r, err := j.store.Open(ctx, j.noteKey(id), "")
	if err != nil {
		return n, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	data, err := io.ReadAll(io.LimitReader(r, maxNote))
	if err == nil {
		err = json.Unmarshal(data, &n)
	}
	n.version, n.changed = r.Object().Version, r.Object().Changed
	return n, err
}

// write puts a note in place of the version that was read; [storage.ErrChanged] when somebody was quicker. A note without a version is a
// new one.
func (j *Jobs) write(ctx context.Context, n Note) (Note, error) {
	n.Turn++
	data, err := json.Marshal(n)
	if err != nil {
		return n, err
	}
	o, err := j.store.Put(ctx, j.noteKey(n.ID), bytes.NewReader(data), storage.PutOptions{IfAbsent: n.version == "", IfVersion: n.version})
	if err != nil {
		return n, fmt.Errorf("note of job %s: %w", n.ID, err)
	}
	n.version, n.changed = o.Version, o.Changed
	return n, nil
}

// change changes a note and writes it until nobody is quicker. It begins with the note that is known, if one is. edit says what is wrong;
// it gets a note of its own each time.
func (j *Jobs) change(ctx context.Context, id string, known Note, edit func(*Note) error) (n Note, err error) {
	for try := 0; ; try++ {
		if n = known; try > 0 || n.version == "" {
			if n, err = j.read(ctx, id); err != nil {
				return n, err
			}
		}
		n.Held = maps.Clone(n.Held)
		if err = edit(&n); err != nil {
			return n, err
		}
		if n, err = j.write(ctx, n); !errors.Is(err, storage.ErrChanged) {
			return n, err
		}
		if err := files.Pause(ctx, try); err != nil {
			return n, err
		}
	}
}

// expires is when a job ends that is not used any more, by the store's clock.
func (n Note) expires() time.Time { return n.changed.Add(n.TTL) }
