package storagetest

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Open reads from the bytes themselves: they never change.
func (m *Mem) Open(ctx context.Context, key asset.Key, v asset.Version) (storage.Reader, error) {
	if err := ctx.Err(); err != nil {
		return nil, refused("open", key, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o, err := m.at("open", key, v)
	if err != nil {
		return nil, err
	}
	return &memReader{Reader: bytes.NewReader(o.data), m: m, obj: o.object(key)}, nil
}

type memReader struct {
	*bytes.Reader
	m   *Mem
	obj storage.Object
}

func (r *memReader) Object() storage.Object { return r.obj }
func (r *memReader) Close() error           { return nil }

func (r *memReader) Check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return refused("check", r.obj.Key, err)
	}
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	_, err := r.m.at("check", r.obj.Key, r.obj.Version)
	return err
}

// Stage begins a staging that a power cut ends.
func (m *Mem) Stage(ctx context.Context) (storage.Staged, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("stage: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return &memStaged{m: m, life: m.lives}, nil
}

type memStaged struct {
	m    *Mem
	life int
	data []byte
	done bool
}

func (s *memStaged) Write(p []byte) (int, error) {
	if s.done {
		return 0, fs.ErrClosed
	}
	s.data = append(s.data, p...)
	return len(p), nil
}

func (s *memStaged) Size() int64 { return int64(len(s.data)) }

func (s *memStaged) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(s.data).ReadAt(p, off)
}

func (s *memStaged) Flush(ctx context.Context) error { return ctx.Err() }

func (s *memStaged) Publish(ctx context.Context, key asset.Key, o storage.PutOptions) (storage.Object, error) {
	if err := ctx.Err(); err != nil {
		return storage.Object{}, refused("publish", key, err)
	}
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.done || s.life != s.m.lives {
		return storage.Object{}, refused("publish", key, fs.ErrClosed)
	}
	obj, err := s.m.set("publish", key, s.m.content(s.data), o)
	s.done = err == nil
	return obj, err
}

func (s *memStaged) Discard() error {
	s.done = true
	return nil
}
