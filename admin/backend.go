package admin

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Thumbnail is an opened thumbnail and what it is: jpeg, png or webp.
type Thumbnail struct {
	storage.Reader
	Format string
	sum    uint32 // of its bytes; see summed
}

// KnownThumbnail is a thumbnail in memory: its bytes, their [asset.Sum], and what it is.
type KnownThumbnail struct {
	Data   []byte
	Sum    uint32
	Format string
}

// State of a node. Only active and read-only are ready.
type State string

// The states, in the order in which a node goes through them.
const (
	Joining    State = "joining"
	Recovering State = "recovering"
	Active     State = "active"
	ReadOnly   State = "read-only"
	Draining   State = "draining"
	Left       State = "left"
)

// Ready reports whether a node in this state should be sent requests.
func (s State) Ready() bool { return s == Active || s == ReadOnly }

// Level is how a folder is doing, for a colour and for alarms.
type Level string

// The levels.
const (
	OK   Level = "ok"
	Warn Level = "warn"
	Bad  Level = "bad"
)

// Errors of Backend functions. Wrap them with the reason.
var (
	// ErrReadOnly: the node may not write now: 503 with Retry-After. [asset.ErrNotNow] is answered in the same way.
	ErrReadOnly = errors.New("this node is read-only now")
	// ErrCondition: what [PutOptions] ask for does not hold: 412.
	ErrCondition = errors.New("the condition of the request does not hold")
	// ErrNoThumbnail: there can be no thumbnail of these bytes: 404.
	ErrNoThumbnail = errors.New("this asset has no thumbnails")
	// ErrIndex: WaitIndex was given something that is no index: 400.
	ErrIndex = errors.New("not an index")
	// ErrAsked: nobody may have what was asked for: 400.
	ErrAsked = errors.New("this cannot be had")
	// ErrRefused: it does not go with how things are: 409.
	ErrRefused = errors.New("refused")
)

// Folder is one hotfolder as this node sees it. Durations are nanoseconds in JSON, as in [asset.Event].
type Folder struct {
	Name          string        `json:"name"`
	Path          string        `json:"path"`             // as in the rule: below the store, or a store URL
	State         string        `json:"state"`            // one word: watching, importing, stalled, refused, paused
	Level         Level         `json:"level"`            // how that is to be taken
	Reason        string        `json:"reason,omitempty"` // one sentence when Level is not ok
	Watching      string        `json:"watching"`         // "events", "looking at folders: on nfs other machines write unseen"
	Waiting       int           `json:"waiting"`          // drops seen and not begun, those that settle included
	Settling      int           `json:"settling"`         // of the waiting, those that are not proven complete yet
	InFlight      int           `json:"in_flight"`        // being walked
	Imported      uint64        `json:"imported"`         // since the node started, like Failed and Ignored
	Failed        uint64        `json:"failed"`
	Ignored       uint64        `json:"ignored"`
	OldestWaiting time.Duration `json:"oldest_waiting"` // age of the drop that waits longest
	Rate          float64       `json:"rate"`           // imports a second over the last minute or so
	LastScan      time.Time     `json:"last_scan,omitzero"`
	ScanTook      time.Duration `json:"scan_took"`
	Rule          string        `json:"rule"`           // the rule file, empty for the built-in rule
	DropHere      string        `json:"drop_here"`      // where people drop: an absolute path or a URL
	Paused        bool          `json:"paused"`         // it is watched and nothing imported, whatever else there is to say of it
	PausedByRule  bool          `json:"paused_by_rule"` // and only another rule ends that
}

// Node is who answers.
type Node struct {
	ID         string    `json:"id"`
	Instance   string    `json:"instance,omitempty"` // this start of the node, in a cluster; /livez tells it to the others
	State      State     `json:"state"`
	Version    string    `json:"version"`
	Started    time.Time `json:"started,omitzero"`
	Roles      []string  `json:"roles"`
	Store      string    `json:"store"` // its URL, without secrets
	StoreID    string    `json:"store_id"`
	Rules      string    `json:"rules"`                 // hash of the rule set that is in force
	RulesError string    `json:"rules_error,omitempty"` // why a newer rule set was refused
	Memory     Memory    `json:"memory"`
}

// Memory is what a node keeps of what it has read.
type Memory struct {
	Limit    int64  `json:"limit"` // bytes; 0: nothing is kept
	Bytes    int64  `json:"bytes"` // that are taken, about
	Kinds    []Kept `json:"kinds"`
	Resident int64  `json:"resident"` // bytes that the process has of the machine; 0: not known
	Goal     int64  `json:"goal"`     // bytes at which it begins to collect harder (GOMEMLIMIT); 0: none
}

// Kept is one kind of that. Counts are since the node started.
type Kept struct {
	Kind      string `json:"kind"`
	Bytes     int64  `json:"bytes"`
	Entries   int64  `json:"entries"`
	Hits      uint64 `json:"hits"`      // answers from memory
	Joined    uint64 `json:"joined"`    // answers by a read of the store that was under way
	Misses    uint64 `json:"misses"`    // reads of the store
	Evictions uint64 `json:"evictions"` // things that went for want of room
}

// Event is a journal event with its place in the stream. IDs only grow, over restarts too.
type Event struct {
	ID uint64 `json:"id"`
	asset.Event
}

// Backend is what a node offers to its HTTP. Every function is safe for concurrent use. Those marked "memory" return at once
// and touch no store; the others may, and are called with a context that has a deadline to their first result. A function
// left nil is a thing this node does not do: its routes answer 501 and the page leaves it out. Only Node is required.
//
// Errors that decide an answer: fs.ErrNotExist 404, fs.ErrExist, [ErrRefused], [storage.ErrNotRegular] and [storage.ErrChanged] 409, [asset.ErrKey] and [ErrAsked] 400, [ErrReadOnly] and [asset.ErrNotNow] 503,
// [ErrCondition] 412, [storage.ErrFull] 507, a deadline 504; everything else is 500 with its text.
type Backend struct {
	Node    func() Node               // memory
	Folders func() []Folder           // memory; in the order in which people should see them
	Recent  func(n int) []asset.Event // memory; the newest imports, failures and skips, newest first, at most n

	// Subscribe sends what was remembered after the event with this id (0: everything that is remembered), then what
	// happens, in order. It closes the channel when ctx ends or the reader is too slow. Memory.
	Subscribe func(ctx context.Context, after uint64) <-chan Event

	Failures func(ctx context.Context) iter.Seq2[asset.Failure, error]
	Retry    func(ctx context.Context, id string) (asset.Key, error) // puts a failed drop back; returns where, below its hotfolder

	Current   func(ctx context.Context, name asset.Key) (asset.Record, int, error) // the current version and its number
	OpenAsset func(ctx context.Context, h asset.Hash) (storage.Reader, error)      // ctx lives as long as the reader
	// ListAssets tells one page of the names, always in the same order, with the versions that they stand for. A name that is there
	// all the time is told once, whatever comes and goes between the pages.
	ListAssets func(ctx context.Context, q AssetQuery) (AssetPage, error)
	// Versions tells those of a name with a number below this one (0: all), the newest first, and where to go on: 0 is the end.
	Versions func(ctx context.Context, name asset.Key, below, limit int) (found []Asset, next int, err error)
	Version  func(ctx context.Context, name asset.Key, number int) (asset.Record, error) // fs.ErrNotExist
	// Tags reads all metadata out of the bytes of an asset, by where it is kept (exif, iptc, xmp) and by name, within bounds.
	Tags func(ctx context.Context, c asset.Content) (map[string]map[string]string, error)
	// LinkAsset is where the bytes can be fetched instead, by whoever has the address; empty: only here. nil is always empty.
	LinkAsset     func(ctx context.Context, c asset.Content, contentType, disposition string) (string, error)
	OpenThumbnail func(ctx context.Context, h asset.Hash, size int, format string) (storage.Reader, error)
	// MakeThumbnail opens a thumbnail of what a record is of, and makes it when there is none; it may take longer than others.
	// An empty format is the one of its hotfolder. [ErrNoThumbnail]. Sizes are those that it makes beside a record's own.
	MakeThumbnail func(ctx context.Context, rec asset.Record, size int, format string) (Thumbnail, error)
	Sizes         []int
	// Known and KnownThumbnail are Current and MakeThumbnail from what is in memory, if it is. The bytes must not be changed. nil is
	// never. Memory.
	Known          func(name asset.Key) (rec asset.Record, number int, ok bool)
	KnownThumbnail func(rec asset.Record, size int, format string) (t KnownThumbnail, ok bool)

	Story func(ctx context.Context, hotfolder string, key asset.Key) iter.Seq2[asset.Event, error] // oldest first

	// Scan asks all nodes to look at a hotfolder, and does not wait for it. Pause makes all nodes import nothing from it, or go on.
	Scan  func(ctx context.Context, hotfolder string) error
	Pause func(ctx context.Context, hotfolder string, on bool) error

	// PutAsset stores all of r as the next version of the name, or nothing, and returns the version's record and number. It
	// looks at the conditions as late as it can. r may take as long as it brings bytes; an error of r stores nothing.
	PutAsset    func(ctx context.Context, name asset.Key, r io.Reader, o PutOptions) (asset.Record, int, error)
	RemoveAsset func(ctx context.Context, name asset.Key) error // takes the name out of the catalog; fs.ErrNotExist

	// Files are what people and batch jobs keep in the work area, Jobs the batch jobs. nil: this node offers none.
	Files *Files
	Jobs  *Jobs

	Drops *Drops // nil: this node takes none by HTTP

	// Index is the place of the newest change that this node has told the others; WaitIndex returns when the node has
	// followed all changes up to an index of any node. Both answer for the header X-Hotfolder-Index. Index is memory;
	// empty: there is none that covers all that was written here.
	Index     func() string
	WaitIndex func(ctx context.Context, index string) error

	// Heard is told by another node's gate of drops that are whole; Sessions and EndSession are those of this node's gate. Memory.
	Heard func([]Heard)
	// Lend has another node take part in this one's next whole scan of a hotfolder: take gets what it wants of that, and nil now and then as a sign
	// of life. It returns the last line. [ErrNoScan]. Joins is told that another node begins one. nil: this node imports nothing.
	Lend       func(ctx context.Context, ask ScanAsk, take func(*Scanned) error) (end Scanned, err error)
	Joins      func(hotfolder string)
	Sessions   func() []Session
	EndSession func(id string) bool // false: there is none

	Audit func(Change) // memory: is told what people change and what they are refused

	Cluster    func() Cluster                                      // memory
	HeldBy     func(member string) []Partition                     // memory: what another member holds, as far as this node knows
	ClearCache func(ctx context.Context) (index string, err error) // every node forgets all that it cached
	ForgetMain func(ctx context.Context, node string) error        // gives the duty of a main node that will not come back to another
	Drain      func(deadline time.Duration)                        // memory: begins to leave, does not wait for the end
}
