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
	// ErrIndex: WaitIndex was given something that is no index: 400.
	ErrIndex = errors.New("not an index")
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
	Watching      string        `json:"watching"`         // "events", "polling every 2s"
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
// Errors that decide an answer: fs.ErrNotExist 404, fs.ErrExist and [ErrRefused] 409, [asset.ErrKey] 400, [ErrReadOnly] and [asset.ErrNotNow] 503,
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
	// LinkAsset is where the bytes can be fetched instead, by whoever has the address; empty: only here. nil is always empty.
	LinkAsset     func(ctx context.Context, c asset.Content, contentType, disposition string) (string, error)
	OpenThumbnail func(ctx context.Context, h asset.Hash, size int, format string) (storage.Reader, error)

	Story func(ctx context.Context, hotfolder string, key asset.Key) iter.Seq2[asset.Event, error] // oldest first

	// Scan asks all nodes to look at a hotfolder, and does not wait for it. Pause makes all nodes import nothing from it, or go on.
	Scan  func(ctx context.Context, hotfolder string) error
	Pause func(ctx context.Context, hotfolder string, on bool) error

	// PutAsset stores all of r as the next version of the name, or nothing, and returns the version's record and number. It
	// looks at the conditions as late as it can. r may take as long as it brings bytes; an error of r stores nothing.
	PutAsset    func(ctx context.Context, name asset.Key, r io.Reader, o PutOptions) (asset.Record, int, error)
	RemoveAsset func(ctx context.Context, name asset.Key) error // takes the name out of the catalog; fs.ErrNotExist

	// Index is the place of the newest change that this node has told the others; WaitIndex returns when the node has
	// followed all changes up to an index of any node. Both answer for the header X-Hotfolder-Index. Index is memory;
	// empty: there is none that covers all that was written here.
	Index     func() string
	WaitIndex func(ctx context.Context, index string) error

	// Heard is told by another node's gate of drops that are whole; Sessions and EndSession are those of this node's gate. Memory.
	Heard      func([]Heard)
	Sessions   func() []Session
	EndSession func(id string) bool // false: there is none

	Cluster    func() Cluster                                      // memory
	HeldBy     func(member string) []Partition                     // memory: what another member holds, as far as this node knows
	ClearCache func(ctx context.Context) (index string, err error) // every node forgets all that it cached
	ForgetMain func(ctx context.Context, node string) error        // gives the duty of a main node that will not come back to another
	Drain      func(deadline time.Duration)                        // memory: begins to leave, does not wait for the end
}
