package httpgate

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/intake"
)

// Defaults of [Options]; the zero value of a field stands for them.
const (
	DefaultResumeTTL  = 24 * time.Hour
	DefaultCheckpoint = 10 * time.Second
	DefaultGrace      = 30 * time.Second
)

// Options of [New]. Folders and Hotfolders must be set.
type Options struct {
	Folders    func(hotfolder string) (Folder, bool)
	Hotfolders func() []string

	// Writable is asked before anything is stored; its error is the client's answer. nil: always.
	Writable func() error
	// Problem makes the RFC 9457 document of an answer, and tells its media type; its detail is a sentence for people. nil: the sentence itself is the answer.
	Problem func(status int, detail string) (mediaType string, text []byte)
	// Check is asked of the complete bytes whether they may become a drop. Its error's text is the client's answer. nil: all may.
	Check func(ctx context.Context, u Upload) error
	// Done reports whether a drop that lies there was imported already, and only stays. nil: none was.
	Done func(ctx context.Context, d Drop) (bool, error)
	// Heard is told of each drop when it has its name. It must not block.
	Heard func(hotfolder string, key asset.Key, v asset.Version)
	// Naming is told of a drop just before it gets its name, with the version it will have where a rename keeps that, or with none
	// where nobody can know it yet. It must not block.
	Naming func(hotfolder string, key asset.Key, v asset.Version)

	// Node is the id of this node: what a former process of it left is seen to at once.
	Node string

	ResumeTTL  time.Duration // how long an upload may rest before it is forgotten
	Checkpoint time.Duration // what a tus upload receives in this time may be lost when the process dies
	Grace      time.Duration // for uploads in hand when Run is to end

	Log     *zap.Logger
	Metrics prometheus.Registerer
}

// Folder is where the drops of a hotfolder are, and what its rule says before they come.
type Folder struct {
	intake.Folder
	Ignored func(asset.Key) string // why a name is never a drop; empty when it may be one
	MaxSize int64                  // bytes; 0: any
	Empty   bool                   // files without bytes are taken
}

// Upload is what [Options].Check sees: all bytes, not yet visible to anybody.
type Upload struct {
	Hotfolder string
	Key       asset.Key
	Size      int64
	Bytes     io.ReaderAt
}

func (o Options) withDefaults() (Options, error) {
	if o.Folders == nil || o.Hotfolders == nil {
		return o, errors.New("the HTTP gate needs hotfolders")
	}
	if o.Writable == nil {
		o.Writable = func() error { return nil }
	}
	if o.Check == nil {
		o.Check = func(context.Context, Upload) error { return nil }
	}
	if o.Done == nil {
		o.Done = func(context.Context, Drop) (bool, error) { return false, nil }
	}
	if o.Heard == nil {
		o.Heard = func(string, asset.Key, asset.Version) {}
	}
	if o.Naming == nil {
		o.Naming = func(string, asset.Key, asset.Version) {}
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	set(&o.ResumeTTL, DefaultResumeTTL)
	set(&o.Checkpoint, DefaultCheckpoint)
	set(&o.Grace, DefaultGrace)
	return o, nil
}

func set(v *time.Duration, to time.Duration) {
	if *v == 0 {
		*v = to
	}
}
