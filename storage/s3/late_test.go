package s3_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"hotfolderd/storage/s3"
	"hotfolderd/storage/s3/s3test"
)

// A part that a server is still taking when its upload is ended brings that back on some. So whoever gives an upload up waits for its parts.
func TestLateParts_areWaitedFor(t *testing.T) {
	onServers(t, func(t *testing.T, s *s3test.Server) {
		bucket := s.Bucket(t)
		st, p := inParts(t, s, bucket)
		for name, giveUp := range map[string]func(came <-chan struct{}){
			"a stream that is discarded":                   func(came <-chan struct{}) { discardAfter(t, st, came) },
			"a large object whose writer has no more time": func(came <-chan struct{}) { cancelAfter(t, st, came) },
		} {
			t.Run(name, func(t *testing.T) {
				came, late := make(chan struct{}), make(chan struct{})
				hit, early := false, false
				p.Decide(func(r *http.Request) s3test.Fate {
					if !hit && r.URL.Query().Get("partNumber") == "2" {
						hit = true
						close(came)
						time.AfterFunc(300*time.Millisecond, func() { close(late) })
						return s3test.Fate{After: late}
					}
					if r.Method == http.MethodDelete && r.URL.Query().Has("uploadId") {
						select {
						case <-late:
						default:
							early = true
						}
					}
					return s3test.Fate{}
				})
				giveUp(came)
				p.Settle()
				p.Decide(nil)
				if n := incomplete(t, s, bucket, "pre/k"); early || n > 0 {
					t.Errorf("want the part waited for and nothing left, got given up early %v and %d uploads", early, n)
				}
				if names := left(t, s, bucket); len(names) > 0 {
					t.Errorf("left are %q", names)
				}
			})
		}
	})
}

// discardAfter begins a stream, and gives it up when a part is on its way.
func discardAfter(t *testing.T, st *s3.Store, came <-chan struct{}) {
	stream, err := st.Stream(t.Context(), "k")
	must(t, err)
	_, err = io.WriteString(stream, pattern(11*mib))
	must(t, err)
	<-came
	must(t, stream.Discard())
}

// cancelAfter puts a large object, and ends that when a part is on its way.
func cancelAfter(t *testing.T, st *s3.Store, came <-chan struct{}) {
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-came
		time.Sleep(100 * time.Millisecond) // the proxy has all of it
		cancel()
	}()
	if _, err := put(ctx, st, "k", pattern(11*mib), ifAbsent); err == nil {
		t.Error("want it to end without an object")
	}
	<-ctx.Done()
}
