package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"time"

	"hotfolderd/admin/access"
	"hotfolderd/config"
)

// JobRequest is what somebody wants a job to be. What is left out is as the settings say.
type JobRequest struct {
	Owner  string            `json:"owner"`
	TTL    config.Duration   `json:"ttl"`   // how long it stays after it was used last
	Quota  config.Size       `json:"quota"` // bytes that its files may have together
	Labels map[string]string `json:"labels"`
}

// Job is a batch job with a place for its files.
type Job struct {
	ID      string            `json:"id"`
	Owner   string            `json:"owner"`
	Labels  map[string]string `json:"labels"`
	TTL     config.Duration   `json:"ttl"`
	Quota   int64             `json:"quota"` // bytes
	Used    int64             `json:"used"`  // bytes, as far as they were counted
	Created time.Time         `json:"created"`
	Renewed time.Time         `json:"renewed"` // when its use was noted last, by the store's clock, which is the one that counts
	Expires time.Time         `json:"expires"` // by the same clock; later, when files in its folder change
	Folder  string            `json:"folder"`  // where people and programs find it: a path on the share, or a URL of the bucket
	Files   string            `json:"files"`   // where HTTP finds it
}

// Jobs are the batch jobs of the work area. The functions are as those of [Backend].
type Jobs struct {
	New   func(ctx context.Context, j JobRequest) (Job, error)
	All   func(ctx context.Context) iter.Seq2[Job, error]
	Get   func(ctx context.Context, id string) (Job, error) // fs.ErrNotExist
	Renew func(ctx context.Context, id string) (Job, error) // asset.ErrJobEnded when it is too late
	// End takes a job away with its files, whoever uses it: from now on it is not there, and its files go soon.
	End func(ctx context.Context, id string) error
}

// maxJobRequest is the longest body of a request for a job.
const maxJobRequest = 64 << 10

func (s *Server) newJob(w http.ResponseWriter, r *http.Request) error {
	if s.b.Jobs == nil {
		return notOffered("batch jobs")
	}
	var wanted JobRequest
	if err := jobRequest(http.MaxBytesReader(w, r.Body, maxJobRequest), &wanted); err != nil {
		return err
	}
	if wanted.Owner == "" {
		wanted.Owner = access.Of(r.Context()).Name
	}
	j, err := fetch(r.Context(), s, func(ctx context.Context) (Job, error) { return s.b.Jobs.New(ctx, wanted) })
	if err != nil {
		return fmt.Errorf("new job: %w", err)
	}
	w.Header().Set("Location", "/v1/jobs/"+j.ID)
	return s.showOneJob(w, http.StatusCreated, j)
}

// jobRequest reads the body; an empty one asks for a job as the settings have it.
func jobRequest(body io.Reader, to *JobRequest) error {
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil && !errors.Is(err, io.EOF) {
		return newProblem(http.StatusBadRequest, `a job is asked for as {"owner": "", "ttl": "2h", "quota": "10GiB", "labels": {"a": "b"}}: `+Visible(err.Error()))
	}
	return nil
}

// showOneJob answers with a job, and with its files' address.
func (s *Server) showOneJob(w http.ResponseWriter, status int, j Job) error {
	j.Files = "/v1/jobs/" + j.ID + "/files/"
	s.tellIndex(w)
	return writeJSON(w, status, j)
}

func (s *Server) showJobs(w http.ResponseWriter, r *http.Request) error {
	if s.b.Jobs == nil {
		return notOffered("batch jobs")
	}
	limit, err := limitOf(r)
	if err != nil {
		return err
	}
	owner, named := r.URL.Query().Get("owner"), r.URL.Query().Has("owner")
	got, err := fetch(r.Context(), s, func(ctx context.Context) (some[Job], error) {
		return collect(ctx, onlyJobs(s.b.Jobs.All(ctx), func(j Job) bool { return !named || j.Owner == owner }), limit)
	})
	if err != nil {
		return fmt.Errorf("list jobs: %w", err)
	}
	for i := range got.values {
		got.values[i].Files = "/v1/jobs/" + got.values[i].ID + "/files/"
	}
	return writeJSON(w, http.StatusOK, list("jobs", got))
}

func onlyJobs(all iter.Seq2[Job, error], wanted func(Job) bool) iter.Seq2[Job, error] {
	return func(yield func(Job, error) bool) {
		for j, err := range all {
			if (err != nil || wanted(j)) && !yield(j, err) {
				return
			}
		}
	}
}

func (s *Server) showJob(w http.ResponseWriter, r *http.Request) error {
	if s.b.Jobs == nil {
		return notOffered("batch jobs")
	}
	return s.aboutJob(w, r, s.b.Jobs.Get)
}

func (s *Server) renewJob(w http.ResponseWriter, r *http.Request) error {
	if s.b.Jobs == nil {
		return notOffered("batch jobs")
	}
	return s.aboutJob(w, r, s.b.Jobs.Renew)
}

func (s *Server) aboutJob(w http.ResponseWriter, r *http.Request, do func(context.Context, string) (Job, error)) error {
	j, err := fetch(r.Context(), s, func(ctx context.Context) (Job, error) { return do(ctx, r.PathValue("id")) })
	if err != nil {
		return err
	}
	return s.showOneJob(w, http.StatusOK, j)
}

func (s *Server) endJob(w http.ResponseWriter, r *http.Request) error {
	if s.b.Jobs == nil {
		return notOffered("batch jobs")
	}
	if err := s.do(r.Context(), func(ctx context.Context) error { return s.b.Jobs.End(ctx, r.PathValue("id")) }); err != nil {
		return err
	}
	s.tellIndex(w)
	w.WriteHeader(http.StatusNoContent)
	return nil
}
