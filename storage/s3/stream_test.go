package s3_test

import (
	"io"
	"net/http"
	"testing"

	"hotfolderd/storage/s3/s3test"
	"hotfolderd/storage/storagetest"
)

// A part that never arrives, however often it is sent, breaks the stream; its bytes are still here, and publishing again sends it again.
func TestStream_faultsAreRepeatedOrSettled(t *testing.T) {
	onServers(t, func(t *testing.T, s *s3test.Server) {
		bucket := s.Bucket(t)
		st, p := inParts(t, s, bucket)
		part := func(r *http.Request) bool { return r.URL.Query().Get("partNumber") == "2" }
		end := func(r *http.Request) bool { return r.Method == http.MethodPost && r.URL.Query().Has("uploadId") }
		for name, c := range map[string]struct {
			at    func(*http.Request) bool
			fate  s3test.Fate
			times int  // that it happens
			fails bool // the first time that it is published
		}{
			"part lost": {part, s3test.Fate{Lose: true}, 1, false}, "part cut": {part, s3test.Fate{CutRequest: mib}, 1, false},
			"part's answer lost": {part, s3test.Fate{LoseAnswer: true}, 1, false}, "part lost again and again": {part, s3test.Fate{Lose: true}, 5, true},
			"end's answer lost": {end, s3test.Fate{LoseAnswer: true}, 1, false}, "end lost again and again": {end, s3test.Fate{Lose: true}, 5, true},
		} {
			t.Run(name, func(t *testing.T) {
				hits := 0
				p.Decide(func(r *http.Request) s3test.Fate {
					if hits == c.times || !c.at(r) {
						return s3test.Fate{}
					}
					hits++
					return c.fate
				})
				defer p.Decide(nil)
				want := pattern(11*mib + 5)
				stream, err := st.Stream(t.Context(), "k")
				must(t, err)
				_, err = io.WriteString(stream, want)
				must(t, err)
				_, err = stream.Publish(t.Context(), "k", ifAbsent)
				if (err != nil) != c.fails {
					t.Fatalf("hit %d times: want failed %v, got %v", hits, c.fails, err)
				}
				if c.fails {
					_, err = stream.Publish(t.Context(), "k", ifAbsent)
					must(t, err)
				}
				must(t, stream.Discard())
				if storagetest.Content(t, st, "k") != want {
					t.Error("it is another")
				}
				must(t, st.Remove(t.Context(), "k", ""))
				if names := left(t, s, bucket); len(names) > 0 || incomplete(t, s, bucket, "pre/k") > 0 {
					t.Errorf("left are %q and %d uploads", names, incomplete(t, s, bucket, "pre/k"))
				}
			})
		}
	})
}
