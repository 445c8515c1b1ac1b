package guest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Bare tells what calls take without a program of ours around them.
func (s *Service) Bare(q Bare, r *BareTimes) error {
	data := bytes.Repeat([]byte{'x'}, q.Size)
	for i := range q.Times {
		begin := time.Now()
		forget(q.Dir)
		r.Looks = append(r.Looks, int64(time.Since(begin)))
		begin = time.Now()
		if err := q.file(i, data); err != nil {
			return err
		}
		r.Files = append(r.Files, int64(time.Since(begin)))
	}
	return nil
}

// file is what the least import would do: bytes that are durable, and a name for them that is too.
func (q Bare) file(i int, data []byte) error {
	path := filepath.Join(q.Dir, fmt.Sprintf(".bare-%d", i))
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close(), os.Link(path, path+"-named"))
	dir, openErr := os.Open(q.Dir)
	if openErr == nil {
		err = errors.Join(err, dir.Sync(), dir.Close())
	}
	return errors.Join(err, openErr, os.Remove(path), os.Remove(path+"-named"))
}
