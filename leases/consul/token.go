package consul

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// tokenFile is a file that holds a token and may be changed.
type tokenFile struct {
	path string

	mu    sync.Mutex
	mod   time.Time
	size  int64
	token string
}

var errNoToken = errors.New("it is empty")

func newTokenFile(path string) (*tokenFile, error) {
	f := &tokenFile{path: path}
	if path == "" {
		return f, nil
	}
	if _, err := f.read(); err != nil {
		return nil, fmt.Errorf("consul token file %s: %w", strconv.Quote(path), err)
	}
	return f, nil
}

// read returns the token of now. A file that is gone or empty for the moment leaves the last one in force.
func (f *tokenFile) read() (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.path == "" {
		return "", nil
	}
	st, err := os.Stat(f.path)
	if err != nil || st.ModTime().Equal(f.mod) && st.Size() == f.size {
		return f.token, err
	}
	b, err := os.ReadFile(f.path)
	if err != nil {
		return f.token, err
	}
	token := strings.TrimSpace(string(b))
	if token == "" {
		return f.token, errNoToken
	}
	f.token, f.mod, f.size = token, st.ModTime(), st.Size()
	return token, nil
}
