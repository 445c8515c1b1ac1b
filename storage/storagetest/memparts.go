package storagetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// MemPart is how many bytes [Mem] takes of a stream at once.
const MemPart = 1000

var _ storage.Streamer = (*Mem)(nil)

// memParts is what the store has of a stream. It outlives a power cut.
type memParts struct {
	key     asset.Key
	data    []byte
	changed time.Time
}

// Stream begins a stream of parts of [MemPart] bytes.
func (m *Mem) Stream(ctx context.Context, key asset.Key) (storage.Stream, error) {
	if err := ctx.Err(); err != nil {
		return nil, refused("stream", key, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return &memStream{memStaged: memStaged{m: m, life: m.lives}, key: key}, nil
}

// GoOn goes on behind whole parts.
func (m *Mem) GoOn(ctx context.Context, token string, at int64) (storage.Stream, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("go on: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	had := m.parts[token]
	switch {
	case had == nil:
		return nil, fmt.Errorf("go on: %w", fs.ErrNotExist)
	case at%MemPart != 0 || at > int64(len(had.data)):
		return nil, fmt.Errorf("no part ends at %d", at)
	}
	had.data = had.data[:at:at]
	return &memStream{memStaged: memStaged{m: m, life: m.lives, data: had.data}, key: had.key, token: token, sent: at}, nil
}

// Streamed tells of whole parts.
func (m *Mem) Streamed(ctx context.Context, token string) (storage.Streamed, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	had := m.parts[token]
	if had == nil {
		return storage.Streamed{}, fmt.Errorf("streamed: %w", fs.ErrNotExist)
	}
	there := storage.Streamed{Changed: had.changed}
	for end := int64(MemPart); end <= int64(len(had.data)); end += MemPart {
		there.Ends = append(there.Ends, end)
	}
	return there, ctx.Err()
}

// GiveUp forgets it.
func (m *Mem) GiveUp(ctx context.Context, token string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.parts, token)
	return ctx.Err()
}

// Streams is how many have been begun and not ended.
func (m *Mem) Streams() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.parts)
}

// memStream is a staging of which whole parts are with the store.
type memStream struct {
	memStaged
	key   asset.Key
	token string
	sent  int64
	left  bool
}

func (s *memStream) Write(p []byte) (int, error) {
	if s.left {
		return 0, fs.ErrClosed
	}
	n, err := s.memStaged.Write(p)
	for s.Size()-s.sent > MemPart {
		s.send()
	}
	return n, err
}

func (s *memStream) send() {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.token == "" {
		s.m.count++
		s.token = strconv.Itoa(s.m.count)
		s.m.parts[s.token] = &memParts{key: s.key}
	}
	if had := s.m.parts[s.token]; had != nil {
		s.sent += MemPart
		had.data, had.changed = s.data[:s.sent:s.sent], time.Now()
	}
}

func (s *memStream) ReadAt(p []byte, off int64) (int, error) {
	if off < s.sent {
		return 0, errors.New("it was sent already")
	}
	return s.memStaged.ReadAt(p, off)
}

func (s *memStream) Key() asset.Key { return s.key }

func (s *memStream) Token() string {
	if s.left {
		return ""
	}
	return s.token
}

func (s *memStream) Sent() int64                      { return s.sent }
func (s *memStream) Settle(ctx context.Context) error { return ctx.Err() }

func (s *memStream) Leave() error {
	s.left = true
	return nil
}

func (s *memStream) Publish(ctx context.Context, key asset.Key, o storage.PutOptions) (storage.Object, error) {
	if s.left {
		return storage.Object{}, refused("publish", key, fs.ErrClosed)
	}
	obj, err := s.memStaged.Publish(ctx, key, o)
	if err == nil {
		s.left = true
		err = s.m.GiveUp(context.WithoutCancel(ctx), s.token)
	}
	return obj, err
}

func (s *memStream) Discard() error {
	if s.left {
		return nil
	}
	s.left = true
	return errors.Join(s.memStaged.Discard(), s.m.GiveUp(context.Background(), s.token)) // cleanup: a test ends it
}
