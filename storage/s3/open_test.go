package s3_test

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"hotfolderd/storage"
	"hotfolderd/storage/s3/s3test"
	"hotfolderd/storage/storagetest"
)

// pattern is text of which every part differs from every other.
func pattern(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		b.WriteString(strings.Repeat(string(rune('a'+i%26)), 1+i%5))
	}
	return b.String()[:n]
}

func TestReader_goesOnWhereAnAnswerBrokeOff(t *testing.T) {
	onServers(t, func(t *testing.T, s *s3test.Server) {
		st, p := behind(t, s)
		want := pattern(1 << 20)
		if _, err := put(t.Context(), st, "k", want, storage.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		cuts := 0
		p.Decide(func(r *http.Request) s3test.Fate {
			if r.Method != http.MethodGet || cuts == 3 {
				return s3test.Fate{}
			}
			cuts++
			return s3test.Fate{CutAnswer: 200_000}
		})
		p.Reset()
		if got := storagetest.Content(t, st, "k"); got != want {
			t.Fatalf("want the %d bytes that were put, got %d others", len(want), len(got))
		}
		if n := p.Count("GET"); n != 4 {
			t.Errorf("want 4 GET, got %d", n)
		}
	})
}

func TestReader_doesNotGoOnWithAnotherVersion(t *testing.T) {
	onServers(t, func(t *testing.T, s *s3test.Server) {
		for name, c := range map[string]struct {
			change func(st storage.Store) error
			want   error
		}{
			"replaced": {func(st storage.Store) error {
				_, err := put(t.Context(), st, "k", pattern(1<<20)+"!", storage.PutOptions{})
				return err
			}, storage.ErrChanged},
			"removed": {func(st storage.Store) error { return st.Remove(t.Context(), "k", "") }, fs.ErrNotExist},
		} {
			t.Run(name, func(t *testing.T) {
				st, p := behind(t, s)
				if _, err := put(t.Context(), st, "k", pattern(1<<20), storage.PutOptions{}); err != nil {
					t.Fatal(err)
				}
				p.Decide(s3test.Nth(1, "GET", s3test.Fate{CutAnswer: 100_000}))
				r, err := st.Open(t.Context(), "k", "")
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				if err := c.change(st); err != nil {
					t.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, r); !errors.Is(err, c.want) {
					t.Errorf("read on: want %v, got %v", c.want, err)
				}
				if _, err := r.ReadAt(make([]byte, 10), 500_000); !errors.Is(err, c.want) {
					t.Errorf("read elsewhere: want %v, got %v", c.want, err)
				}
			})
		}
	})
}

func TestReader_readsAtPiecesWithFewRequests(t *testing.T) {
	t.Parallel()
	st, p := behind(t, shared(t, "versitygw"))
	want := pattern(1 << 20)
	if _, err := put(t.Context(), st, "k", want, storage.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	r, err := st.Open(t.Context(), "k", "")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p.Reset()
	var got strings.Builder
	if _, err := io.CopyBuffer(struct{ io.Writer }{&got}, io.NewSectionReader(r, 0, 1<<20), make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	if got.String() != want {
		t.Error("other bytes than were put")
	}
	if n := p.Count("GET"); n != 4 {
		t.Errorf("want 4 GET for 1 MiB in pieces of 1,000 bytes, got %d", n)
	}
	whole := make([]byte, 1<<20)
	if n, err := r.ReadAt(whole, 0); n != len(whole) || string(whole) != want {
		t.Errorf("all at once: %d bytes, %v", n, err)
	}
}
