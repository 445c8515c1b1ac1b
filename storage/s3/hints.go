package s3

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"hotfolderd/asset"
)

const (
	// muteTime is how long a server that told nothing is not asked again: it may only have been busy.
	muteTime = 10 * time.Minute
	// signTime is how long the address of one listening is good for.
	signTime  = time.Hour
	maxNotice = 4 << 20 // bytes of one line of events
)

// errMute: no hint will come.
var errMute = errors.New("this server does not tell of changes (MinIO does, but not every version)")

// listening is what is known of a server's hints.
type listening struct {
	mu    sync.Mutex
	heard bool
	mute  error     // why it counts as one that tells nothing
	until time.Time // as long as this
}

// notice is a line of MinIO's listen API; those that only keep the connection alive hold no records.
type notice struct {
	Records []struct {
		S3 struct {
			Object struct {
				Key string `json:"key"`
			} `json:"object"`
		} `json:"s3"`
	}
}

// readEvents sends the names of what was written. They are as they are, though in other kinds of notices they are escaped.
func readEvents(ctx context.Context, body io.Reader, events chan<- string) {
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 64<<10), maxNotice)
	for lines.Scan() {
		var n notice
		if json.Unmarshal(lines.Bytes(), &n) != nil {
			return
		}
		for _, r := range n.Records {
			select {
			case events <- r.S3.Object.Key:
			case <-ctx.Done():
				return
			}
		}
	}
}

// listen opens a connection on which the server tells of what is written below a name. That something is removed is nothing to look at:
// nodes do that all day. It stands when listen returns: the server says so with its first sign of life, which it is asked to give each
// second.
func (s *Store) listen(ctx context.Context, below string) (io.ReadCloser, error) {
	query := url.Values{"prefix": {below}, "suffix": {""}, "ping": {"1"}, "events": {"s3:ObjectCreated:*"}}
	u, err := s.client.Presign(ctx, http.MethodGet, s.at.bucket, "", signTime, query)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, plain(err)
	}
	resp, err := s.wire.RoundTrip(req)
	if err != nil {
		return nil, plain(err)
	}
	if resp.StatusCode != http.StatusOK || strings.Contains(resp.Header.Get("Content-Type"), "xml") {
		resp.Body.Close()
		return nil, fmt.Errorf("%w: it answers %s", errMute, resp.Status)
	}
	return resp.Body, nil
}

// tells tries whether hints come, once if they do. What could not be tried is tried again by the next caller.
func (s *Store) tells(ctx context.Context) error {
	s.hints.mu.Lock()
	defer s.hints.mu.Unlock()
	switch {
	case s.readOnly:
		return errReadOnly
	case s.hints.heard:
		return nil
	case s.hints.mute != nil && time.Now().Before(s.hints.until):
		return s.hints.mute
	}
	err := s.tryHints(ctx)
	s.hints.heard, s.hints.mute = err == nil, nil
	if errors.Is(err, errMute) {
		s.hints.mute, s.hints.until = err, time.Now().Add(muteTime)
	}
	return err
}

// tryHints makes an object and waits to be told of it.
func (s *Store) tryHints(ctx context.Context) error {
	key := probeFolder.Join(asset.Key("hint-" + rand.Text()))
	within, cancel := context.WithTimeout(ctx, s.limits.hear)
	defer cancel()
	body, err := s.listen(within, s.name(key))
	if err == nil {
		err = s.heard(within, body, key)
	}
	if within.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("%w: of an object that was made it told nothing for %v", errMute, s.limits.hear)
	}
	return err
}

func (s *Store) heard(ctx context.Context, body io.ReadCloser, key asset.Key) error {
	events := make(chan string)
	var reading sync.WaitGroup
	ctx, stop := context.WithCancel(ctx)
	reading.Go(func() { readEvents(ctx, body, events); stop() })
	defer reading.Wait()
	defer body.Close()
	defer stop()
	if _, err := s.send(ctx, s.name(key), bodyOf(nil), rand.Text(), false); err != nil {
		return err
	}
	defer s.forget(ctx, key)
	select {
	case name := <-events:
		if name == s.name(key) {
			return nil
		}
	case <-ctx.Done():
	}
	return errMute
}

// forget deletes an object of our own, also when the caller's context has ended.
func (s *Store) forget(ctx context.Context, key asset.Key) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTime)
	defer cancel()
	if err := s.eraseAll(ctx, s.name(key), s.promises.Versions); err != nil {
		s.log.Warn("an object of our own was left", zap.String("key", key.Shown()), zap.Error(plain(err)))
	}
}
