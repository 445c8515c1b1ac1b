package accounts

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	fileEvery = time.Second // between two looks at a file
	maxFile   = 4 << 20     // bytes of it
)

// File is a file of users or of a token, as something that was parsed. It is looked at when somebody asks, at most once a second; a file that is
// wrong is told in the log and what was read before stays. Safe for concurrent use.
type File[T any] struct {
	path  string
	parse func(file string, data []byte) (T, error)
	log   *zap.Logger

	mu     sync.Mutex
	looked time.Time
	stamp  Stamp
	value  T
}

// Stamp tells one content of a file from the next.
type Stamp struct {
	modified time.Time
	size     int64
}

// OpenFile reads a file. The error of parse says every fault with its line; a nil log logs nothing.
func OpenFile[T any](path string, log *zap.Logger, parse func(file string, data []byte) (T, error)) (*File[T], error) {
	f := &File[T]{path: path, parse: parse, log: log}
	if log == nil {
		f.log = zap.NewNop()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f, f.read()
}

// Now is what the file says.
func (f *File[T]) Now() T {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.looked) >= fileEvery {
		f.look()
	}
	return f.value
}

// look reads the file again when it has changed; mu is held.
func (f *File[T]) look() {
	now, err := StampOf(f.path)
	f.looked = time.Now()
	if err != nil || now == f.stamp {
		return // a file that is being replaced is there again soon
	}
	if err := f.read(); err != nil {
		f.stamp = now
		f.log.Error("a file of users or of the token was refused; what it said before stays", zap.Error(err))
		return
	}
	f.log.Info("a file of users or of the token was read again", zap.String("file", f.path))
}

// read reads the file; mu is held.
func (f *File[T]) read() error {
	now, err := StampOf(f.path)
	if err != nil {
		return err
	}
	if now.size > maxFile {
		return fmt.Errorf("%s: it has %d bytes, %d are allowed", f.path, now.size, maxFile)
	}
	data, err := os.ReadFile(f.path)
	if err != nil {
		return err
	}
	value, err := f.parse(f.path, data)
	if err != nil {
		return err
	}
	f.looked, f.stamp, f.value = time.Now(), now, value
	return nil
}

// StampOf looks at a file; it must be a regular one.
func StampOf(path string) (Stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Stamp{}, err
	}
	if !info.Mode().IsRegular() {
		return Stamp{}, errors.New(path + " is not a regular file")
	}
	return Stamp{info.ModTime(), info.Size()}, nil
}
