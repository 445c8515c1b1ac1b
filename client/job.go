package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// JobOptions are what a job is to be; what is left out is as the nodes' settings say.
type JobOptions struct {
	Owner  string
	TTL    time.Duration // how long the job stays after it was used last
	Quota  int64         // bytes that its files may have together
	Labels map[string]string
}

// JobInfo is a batch job with a place for its files.
type JobInfo struct {
	ID      string            `json:"id"`
	Owner   string            `json:"owner"`
	Labels  map[string]string `json:"labels"`
	TTL     string            `json:"ttl"`
	Quota   int64             `json:"quota"` // bytes
	Used    int64             `json:"used"`  // bytes, as far as they were counted
	Created time.Time         `json:"created"`
	Renewed time.Time         `json:"renewed"`
	Expires time.Time         `json:"expires"` // by the store's clock
	Folder  string            `json:"folder"`  // on the share, or a URL of the bucket
	Files   string            `json:"files"`   // path of the API
}

// NewJob asks for a job. When the answer is lost there may be one that nobody uses: it expires.
func (c *Client) NewJob(ctx context.Context, o JobOptions) (j JobInfo, err error) {
	wanted := map[string]any{}
	if o.Owner != "" {
		wanted["owner"] = o.Owner
	}
	if o.TTL != 0 {
		wanted["ttl"] = o.TTL.String()
	}
	if o.Quota != 0 {
		wanted["quota"] = fmt.Sprintf("%dB", o.Quota)
	}
	if len(o.Labels) > 0 {
		wanted["labels"] = o.Labels
	}
	text, err := json.Marshal(wanted)
	if err != nil {
		return j, err
	}
	s, err := newSource(strings.NewReader(string(text)), nil)
	if err != nil {
		return j, err
	}
	q := request{method: http.MethodPost, path: "/v1/jobs", header: http.Header{"Content-Type": {"application/json"}}, writes: true, body: s.again}
	if err := c.exchange(ctx, q, &j); err != nil {
		return j, fmt.Errorf("new job: %w", err)
	}
	return j, nil
}

// Jobs lists the jobs, of one owner where that is not empty.
func (c *Client) Jobs(ctx context.Context, owner string) ([]JobInfo, error) {
	path := "/v1/jobs"
	if owner != "" {
		path += "?" + url.Values{"owner": {owner}}.Encode()
	}
	var got struct {
		Jobs      []JobInfo `json:"jobs"`
		Truncated bool      `json:"truncated"`
	}
	if err := c.ask(ctx, path, &got); err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	return got.Jobs, nil
}

// RenewJob lets a job stay for its TTL from now on; fs.ErrNotExist when it has ended.
func (c *Client) RenewJob(ctx context.Context, id string) (j JobInfo, err error) {
	q := request{method: http.MethodPost, path: jobPath(id) + "/renew", writes: true}
	if err := c.exchange(ctx, q, &j); err != nil {
		return j, fmt.Errorf("renew job %q: %w", id, err)
	}
	return j, nil
}

// EndJob takes a job away with its files; fs.ErrNotExist when there is none.
func (c *Client) EndJob(ctx context.Context, id string) error {
	a, err := c.do(ctx, request{method: http.MethodDelete, path: jobPath(id), writes: true})
	var told *Error
	if errors.As(err, &told) && told.again && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("end job %q: %w", id, err)
	}
	drained(a.Body)
	return nil
}

func jobPath(id string) string { return "/v1/jobs/" + url.PathEscape(id) }

// KeepJob renews a job three times in its TTL until ctx ends, or until the job has: then the error wraps fs.ErrNotExist. A renewal that
// no node takes is tried again as long as the job may live. It is for a goroutine of the caller's.
func (c *Client) KeepJob(ctx context.Context, j JobInfo) error {
	ttl, err := time.ParseDuration(j.TTL)
	if err != nil || ttl <= 0 {
		return fmt.Errorf("keep job %q: its TTL is %q", j.ID, j.TTL)
	}
	renewed := time.Now()
	for {
		if err := sleep(ctx, ttl/3); err != nil {
			return nil //nolint:nilerr // the caller's end
		}
		_, err := c.RenewJob(ctx, j.ID)
		switch {
		case err == nil:
			renewed = time.Now()
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, fs.ErrNotExist), time.Since(renewed) > 2*ttl:
			return err
		}
	}
}
