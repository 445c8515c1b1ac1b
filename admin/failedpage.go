package admin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"hotfolderd/asset"
)

// retryMost is how many drops one request puts back; whoever wants more asks again.
const retryMost = 1000

type failedPageView struct {
	frame
	failedPart
}

// failedPage waits a moment for the list, which lives on the store.
func (s *Server) failedPage(w http.ResponseWriter, r *http.Request) error {
	if s.b.Failures == nil {
		return notOffered("the list of failed drops")
	}
	_, count := folderViews(s.folders(), time.Now(), s.b)
	var v failedPageView
	v.take(s.failures(r.Context(), count), failedShown)
	v.frame = s.frame(r, "/failed")
	return s.render(w, http.StatusOK, "failed.html", v)
}

// retryAll puts failed drops back until the time for one request is over; those of one hotfolder with ?hotfolder. One that cannot be
// put back does not keep the others.
func (s *Server) retryAll(w http.ResponseWriter, r *http.Request) error {
	if s.b.Retry == nil || s.b.Failures == nil {
		return notOffered("retries")
	}
	only := r.URL.Query().Get("hotfolder")
	put, fault := 0, error(nil)
	err := s.do(r.Context(), func(ctx context.Context) error {
		got, err := collect(ctx, s.b.Failures(ctx), failedRead)
		for _, f := range got.values {
			if only != "" && f.Hotfolder != only || put >= retryMost || ctx.Err() != nil {
				continue
			}
			switch err := s.putBack(ctx, f); {
			case err == nil:
				put++
			case fault == nil:
				fault = err
			}
		}
		return err
	})
	s.failed.stale()
	if err = errors.Join(err, fault); err != nil {
		return fmt.Errorf("%d drops were put back, and then: %w", put, err)
	}
	return s.done(w, r, "failed", http.StatusOK, map[string]any{"retried": put})
}

// putBack passes over a drop that somebody else has put back meanwhile.
func (s *Server) putBack(ctx context.Context, f asset.Failure) error {
	_, err := s.b.Retry(ctx, f.ID)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
