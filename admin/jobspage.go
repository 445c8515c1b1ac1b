package admin

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

const jobsShown = 200

type jobsPageView struct {
	frame
	Jobs  []jobView
	More  bool
	Fault string
}

type jobView struct {
	Job
	Left, UsedText string
	Mark           string
}

func (s *Server) jobsPage(w http.ResponseWriter, r *http.Request) error {
	if s.b.Jobs == nil {
		return notOffered("batch jobs")
	}
	got, err := fetch(r.Context(), s, func(ctx context.Context) (some[Job], error) { return collect(ctx, s.b.Jobs.All(ctx), jobsShown) })
	if err != nil {
		return fmt.Errorf("list jobs: %w", err)
	}
	v := jobsPageView{frame: s.frame(r, "/jobs"), More: got.more}
	if got.err != nil {
		v.Fault = got.err.Error()
	}
	for _, j := range got.values {
		v.Jobs = append(v.Jobs, jobViewOf(j, time.Now()))
	}
	return s.render(w, http.StatusOK, "jobs.html", v)
}

func jobViewOf(j Job, now time.Time) jobView {
	v := jobView{Job: j, UsedText: bytesOf(j.Used), Left: "is swept soon"}
	if left := j.Expires.Sub(now); left > 0 {
		v.Left = span(left.Truncate(time.Second))
	}
	if j.Quota > 0 {
		v.UsedText += " of " + bytesOf(j.Quota)
		v.Mark = markIf(j.Used > j.Quota/10*9, "warn")
	}
	return v
}

// endJobByForm is what DELETE is to a program.
func (s *Server) endJobByForm(w http.ResponseWriter, r *http.Request) error {
	if s.b.Jobs == nil {
		return notOffered("batch jobs")
	}
	if err := s.do(r.Context(), func(ctx context.Context) error { return s.b.Jobs.End(ctx, r.PathValue("id")) }); err != nil {
		return err
	}
	goBack(w, r, "/jobs")
	return nil
}
