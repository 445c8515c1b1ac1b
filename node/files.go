package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"go.uber.org/zap"

	"hotfolderd/admin"
	"hotfolderd/config"
	"hotfolderd/storage"
	"hotfolderd/workarea"
	"hotfolderd/workarea/files"
	"hotfolderd/workarea/jobs"
)

const (
	sweepEvery       = 10 * time.Second
	bucketSweepEvery = time.Minute // each look is paid for
	sweepTime        = time.Hour   // for one turn; what is left is swept by the next
)

// filesFolder is where the files of everybody are in the store.
var filesFolder = workarea.DefaultPrefix.Join("files")

// buildFiles makes what people and batch jobs keep in the work area.
func (n *Node) buildFiles(main *opened) {
	l := n.o.Settings.Workarea.Jobs
	n.files = files.New(main, filesFolder, n.news)
	n.jobs = jobs.New(jobs.Options{
		Store: main, Changes: n.news, Node: n.o.Settings.Node.ID, Instance: n.instance, Live: n.lives, MayWrite: n.mayWrite, Log: n.log, Metrics: n.o.Registry,
		Limits: jobs.Limits{TTL: l.TTL.D(), MaxTTL: l.MaxTTL.D(), Quota: int64(l.Quota), MaxQuota: int64(l.MaxQuota), Total: int64(l.Total)},
	})
	n.onClose(func() error { n.jobs.Close(); return nil })
	n.main, n.properties = main, main.Properties()
	n.jobPlace = func(id string) string { return main.path(n.jobs.Folder(id)) }
}

// lives reports whether the node of an instance may still write.
func (n *Node) lives(instance string) bool {
	switch {
	case n.together == nil:
		return false
	case n.together.members == nil:
		return true // nothing is known yet
	}
	return n.together.members.Live(instance)
}

// sweepJobs ends the jobs that nobody uses any more, until ctx ends. Of several nodes the one on duty does it.
func (n *Node) sweepJobs(ctx context.Context) {
	pause := sweepEvery
	if n.properties.Flat {
		pause = bucketSweepEvery
	}
	every(ctx, pause, func() {
		if !n.onDuty() || n.mayWrite() != nil {
			n.jobs.Rest()
			return
		}
		ctx, cancel := context.WithTimeout(ctx, sweepTime)
		defer cancel()
		err := n.area.CheckIdentity(ctx)
		if err == nil {
			_, err = n.jobs.Sweep(ctx)
		}
		if err != nil && ctx.Err() == nil {
			n.log.Warn("batch jobs were not swept; tried again soon", zap.Error(err))
		}
	})
}

// use is the tree that a place is in. done ends the use of it.
func (n *Node) use(ctx context.Context, p admin.FilePlace) (t *files.Tree, b files.Budget, done func(), err error) {
	if p.Job == "" {
		return n.files, nil, func() {}, nil
	}
	t, b, done, err = n.jobs.Files(ctx, p.Job)
	return t, b, done, told(err)
}

// told makes errors of the jobs also those of the HTTP.
func told(err error) error {
	if errors.Is(err, jobs.ErrAsked) {
		return fmt.Errorf("%w: %w", admin.ErrAsked, err)
	}
	return err
}

// fileBackend is for admin.Backend.
func (n *Node) fileBackend() *admin.Files {
	return &admin.Files{Open: n.openFile, Check: n.checkFile, Put: n.putFile, Remove: n.removeFile, RemoveFolder: n.removeFolder, List: n.listFiles}
}

func (n *Node) openFile(ctx context.Context, p admin.FilePlace) (storage.Reader, admin.File, error) {
	t, _, done, err := n.use(ctx, p)
	if err != nil {
		return nil, admin.File{}, err
	}
	r, f, err := t.Open(ctx, p.Path)
	if err != nil {
		done()
		return nil, admin.File{}, err
	}
	return &usedReader{r, done}, fileView(f), nil
}

// usedReader ends the use of a job when its file is closed.
type usedReader struct {
	storage.Reader
	done func()
}

func (r *usedReader) Close() error {
	r.done()
	return r.Reader.Close()
}

func (n *Node) checkFile(ctx context.Context, p admin.FilePlace, o admin.PutOptions) error {
	t, _, done, err := n.use(ctx, p)
	if err != nil {
		return err
	}
	defer done()
	return t.Check(ctx, p.Path, o.CheckTag)
}

func (n *Node) putFile(ctx context.Context, p admin.FilePlace, r io.Reader, o admin.PutOptions) (admin.File, bool, error) {
	if err := n.mayWrite(); err != nil {
		return admin.File{}, false, err
	}
	t, b, done, err := n.use(ctx, p)
	if err != nil {
		return admin.File{}, false, err
	}
	defer done()
	f, created, err := t.Put(ctx, p.Path, r, o.CheckTag, b)
	return fileView(f), created, told(err)
}

func (n *Node) removeFile(ctx context.Context, p admin.FilePlace, o admin.PutOptions) error {
	if err := n.mayWrite(); err != nil {
		return err
	}
	t, b, done, err := n.use(ctx, p)
	if err != nil {
		return err
	}
	defer done()
	return told(t.Remove(ctx, p.Path, o.CheckTag, b))
}

func (n *Node) removeFolder(ctx context.Context, p admin.FilePlace) error {
	if err := n.mayWrite(); err != nil {
		return err
	}
	t, _, done, err := n.use(ctx, p)
	if err != nil {
		return err
	}
	defer done()
	return t.RemoveFolder(ctx, p.Path)
}

func (n *Node) listFiles(ctx context.Context, p admin.FilePlace, q admin.FileQuery) (page admin.FilePage, err error) {
	t, _, done, err := n.use(ctx, p)
	if err != nil {
		return page, err
	}
	defer done()
	got, err := t.List(ctx, p.Path, files.Query{Prefix: q.Prefix, After: q.After, Limit: q.Limit})
	for _, f := range got.Files {
		page.Files = append(page.Files, fileView(f))
	}
	page.Next = got.Next
	return page, err
}

func fileView(f files.File) admin.File {
	v := admin.File{Path: f.Path, Size: f.Size, Modified: f.Modified, Changed: f.Changed, Kind: "other"}
	switch {
	case f.IsFile():
		v.Kind, v.ETag = "file", `"`+f.Tag+`"`
	case f.Kind == storage.Directory || f.Kind == storage.Mount:
		v.Kind, v.Size = "folder", 0
	}
	return v
}

// jobBackend is for admin.Backend.
func (n *Node) jobBackend() *admin.Jobs {
	return &admin.Jobs{New: n.newJob, All: n.allJobs, Get: n.getJob, Renew: n.renewJob, End: n.endJob}
}

func (n *Node) newJob(ctx context.Context, w admin.JobRequest) (admin.Job, error) {
	if err := n.mayWrite(); err != nil {
		return admin.Job{}, err
	}
	j, err := n.jobs.Create(ctx, jobs.Wanted{Owner: w.Owner, TTL: w.TTL.D(), Quota: int64(w.Quota), Labels: w.Labels})
	if err == nil {
		n.log.Info("a job was made", zap.String("job", j.ID), zap.String("owner", j.Owner))
	}
	return n.jobView(j), told(err)
}

func (n *Node) getJob(ctx context.Context, id string) (admin.Job, error) {
	j, err := n.jobs.Get(ctx, id)
	return n.jobView(j), told(err)
}

func (n *Node) renewJob(ctx context.Context, id string) (admin.Job, error) {
	if err := n.mayWrite(); err != nil {
		return admin.Job{}, err
	}
	j, err := n.jobs.Renew(ctx, id)
	return n.jobView(j), told(err)
}

func (n *Node) endJob(ctx context.Context, id string) error {
	if err := n.mayWrite(); err != nil {
		return err
	}
	return told(n.jobs.End(ctx, id))
}

func (n *Node) allJobs(ctx context.Context) iter.Seq2[admin.Job, error] {
	return func(yield func(admin.Job, error) bool) {
		for j, err := range n.jobs.All(ctx) {
			if !yield(n.jobView(j), err) {
				return
			}
		}
	}
}

func (n *Node) jobView(j jobs.Job) admin.Job {
	labels := j.Labels
	if labels == nil {
		labels = map[string]string{}
	}
	return admin.Job{
		ID: j.ID, Owner: j.Owner, Labels: labels, TTL: config.Duration(j.TTL), Quota: j.Quota, Used: j.Used,
		Created: j.Created, Renewed: j.Renewed, Expires: j.Expires, Folder: n.jobPlace(j.ID),
	}
}
