package s3

import (
	"errors"
	"io"

	"hotfolderd/storage"
)

// ReadAt implements io.ReaderAt. What was fetched last is kept, at least 256 KiB of it; calls side by side take turns.
func (r *reader) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("read before the first byte")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for n < len(p) {
		if off+int64(n) >= r.obj.Size {
			return n, io.EOF
		}
		if got := r.kept(p[n:], off+int64(n)); got > 0 {
			n += got
			continue
		}
		if err := r.fetch(off+int64(n), len(p)-n); err != nil {
			return n, fail(r.ctx, "read", r.obj.Key, err)
		}
	}
	return n, nil
}

func (r *reader) kept(p []byte, off int64) int {
	if off < r.at || off >= r.at+int64(len(r.piece)) {
		return 0
	}
	return copy(p, r.piece[off-r.at:])
}

// fetch brings the piece at an offset. A large read is served in pieces too, so that a reader's memory does not depend on it.
func (r *reader) fetch(off int64, want int) error {
	n := min(int64(max(block, min(want, 4*block))), r.obj.Size-off)
	if int64(cap(r.piece)) < n {
		r.piece = make([]byte, n)
	}
	piece := r.piece[:n]
	r.piece = piece[:0]
	err := again(r.ctx, func() error {
		body, _, err := r.get(r.s.name(r.obj.Key), off, n)
		if err != nil {
			return err
		}
		defer body.Close()
		_, err = io.ReadFull(body, piece)
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	})
	if err == nil {
		r.piece, r.at = piece, off
	}
	return err
}

var _ storage.Reader = (*reader)(nil)
