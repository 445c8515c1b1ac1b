package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"hotfolderd/accounts"
	"hotfolderd/admin"
	"hotfolderd/admin/access"
	"hotfolderd/asset"
	"hotfolderd/cache"
	"hotfolderd/cluster"
	"hotfolderd/cluster/invalidation"
	"hotfolderd/config"
	"hotfolderd/ftpgate"
	"hotfolderd/hotfolder"
	"hotfolderd/httpgate"
	"hotfolderd/storage"
	"hotfolderd/thumbnails"
	"hotfolderd/workarea"
	"hotfolderd/workarea/files"
	"hotfolderd/workarea/jobs"
)

// Options of a node. Settings, Log and Registry are required; the rest may stay zero.
type Options struct {
	Settings config.Settings
	// Rules loads the rule set; it is asked at the start and about once a second. Nil reads Settings.Hotfolders.
	Rules RuleSource
	Log   *zap.Logger
	// Registry collects the metrics of everything in the node and is served at /metrics.
	Registry *prometheus.Registry
	// Version of the program, for the page.
	Version string
	// Renderer is the command of a child process that runs thumbnails.ServeWorker. Empty renders in this process, where a
	// hostile picture can be refused but not killed.
	Renderer []string
	// Programs is the command of a child process that runs thumbnails.Become. Empty: no programs of others.
	Programs []string
	// Memory is a folder of this machine where the identity of each store that was opened is remembered, so that an empty mount
	// point in place of a known share is refused. It is made when it is missing. Empty is no memory.
	Memory string
	// NewStore takes whatever store is there, also where Memory knows another one, and remembers it instead.
	NewStore bool
	// Wrap is put around every store that is opened; for faults in tests.
	Wrap func(storage.Store) storage.Store
	// Step is called before each step of each walk; for tests that end the process there.
	Step func(step, hotfolder string, key asset.Key)
}

// ErrUnsupported is wrapped by the error for a setting that this version knows and cannot serve.
var ErrUnsupported = errors.New("not supported by this version")

// ErrSettings is wrapped by the error of [New] and Run when the node must not run with these settings beside the others: its id
// is taken, its store is not theirs, or belongs to another cluster. Starting again changes nothing.
var ErrSettings = errors.New("these settings do not fit the cluster")

// Node is one node, built and not yet running. Close it if Run is never called.
type Node struct {
	o       Options
	log     *zap.Logger
	started time.Time
	// instance names this start of the node, unlike any other.
	instance string

	stores     *stores
	together   *together // nil: the node is alone
	epoch      uint64    // of the tokens that Consul gives
	home       uint64    // number of the store's entry that says which cluster it belongs to
	news       *invalidation.Log
	memory     *cache.Cache
	known      known
	area       *workarea.Area
	files      *files.Tree
	jobs       *jobs.Jobs
	jobPlace   func(id string) string // where people find a job's folder
	main       *opened                // the store of the work area
	properties storage.Properties     // of it
	claims     *claims
	tenure     atomic.Pointer[workarea.Tenure] // of a bucket; nil: a lock does
	thumbs     *thumbnails.Room
	room       *hotfolder.Room
	feed       *admin.Feed
	rates      *rates
	web        *admin.Server        // nil when nobody needs to reach the node
	bans       *accounts.Bans       // of all doors
	gate       *ftpgate.Gate        // nil without the role, or without users
	gateOnce   sync.Once            // a gate runs once
	drops      *httpgate.Gate       // nil without the role web
	hints      *hints               // of drops, to other nodes
	loans      *loans               // of whole scans, from and to other nodes
	tokens     func() access.Tokens // of this node's HTTP; the others have the same
	answered   chan error           // gets what ended the page
	halts      halts
	pauses     pauses
	identity   identity
	absent     absent
	closers    []func() error
	gained     chan struct{} // closed when the first shares came
	gainOnce   sync.Once
	leave      chan struct{} // closed when the node is to drain
	leaving    sync.Once
	ended      chan struct{} // closed when all that Run started has ended

	mu           sync.Mutex
	state        admin.State
	why          string    // nothing is written, or imported
	farewell     time.Time // until then it takes writes although it drains
	rules        []config.Rule
	rulesHash    string
	rulesVersion int
	rulesError   string
	specs        map[string]hotfolder.Spec
}

// New builds a node: it opens the store and its work area, takes the leases of a node that is alone, and listens. Nothing is
// imported before Run. The error says what is wrong and what to do; everything that was opened is closed again.
func New(ctx context.Context, o Options) (*Node, error) {
	n := &Node{
		o: o, log: o.Log, started: time.Now(), instance: cluster.NewInstance(o.Settings.Node.ID), feed: admin.NewFeed(0), rates: newRates(), hints: newHints(), loans: newLoans(),
		specs: map[string]hotfolder.Spec{}, state: admin.Joining,
		bans: accounts.NewBans(), pauses: pauses{look: make(chan struct{}, 1)},
		gained: make(chan struct{}), leave: make(chan struct{}), ended: make(chan struct{}),
	}
	if err := n.build(ctx); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// build opens one part after the other; each registers its closer as soon as it exists.
func (n *Node) build(ctx context.Context) (err error) {
	s := n.o.Settings
	if err := Supported(s); err != nil {
		return err
	}
	if n.o.Rules == nil {
		n.o.Rules = RuleFolder(s.Hotfolders)
	}
	n.stores = newStores(n.o)
	n.onClose(n.stores.close)
	expect := n.expected()
	main, err := n.stores.open(ctx, s.Storage.URL, expect == "")
	if err != nil {
		return n.replaced(mustAnswer(s.Storage.URL, err), expect)
	}
	if err := n.dial(ctx); err != nil {
		return err
	}
	if err := n.buildMemory(); err != nil {
		return err
	}
	if err := n.buildLog(main); err != nil {
		return err
	}
	n.area, err = workarea.Open(ctx, main, workarea.Options{
		Node: s.Node.ID, Expect: expect, Log: n.log, Metrics: n.o.Registry, Changes: n.news,
	})
	if err != nil {
		return n.replaced(mustAnswer(s.Storage.URL, err), expect)
	}
	n.remember()
	n.warnOfCase(main)
	n.buildFiles(main)
	if err := n.buildShares(ctx, main); err != nil {
		return err
	}
	if err := n.buildThumbnails(main); err != nil {
		return err
	}
	n.buildRoom()
	if err := n.loadPauses(ctx); err != nil {
		return err
	}
	if s.Hotfolders == config.Published {
		n.o.Rules = &published{area: n.area, every: n.lookEvery(publishedEvery)}
	}
	if err := n.loadRules(ctx); err != nil {
		return err
	}
	if err := n.buildDrops(); err != nil {
		return err
	}
	if err := n.buildWeb(); err != nil {
		return err
	}
	if err := n.buildGate(); err != nil {
		return err
	}
	return n.join(ctx)
}

// Supported refuses settings that are well-formed and cannot be served, instead of passing over them in silence. Its error
// wraps [ErrUnsupported] or says what is wrong with an address.
func Supported(s config.Settings) error {
	if _, err := addressOf(s.Storage.URL); err != nil {
		return fmt.Errorf("storage.url: %w", err)
	}
	return nil
}

func (n *Node) onClose(f func() error) { n.closers = append(n.closers, f) }

// Close gives back everything, the newest first. Run does it by itself. Idempotent.
func (n *Node) Close() error {
	var errs []error
	for len(n.closers) > 0 {
		last := len(n.closers) - 1
		f := n.closers[last]
		n.closers = n.closers[:last]
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}

func (n *Node) buildThumbnails(main storage.Store) error {
	s := n.o.Settings
	if !s.Node.HasRole(config.RoleThumbnails) {
		return nil
	}
	engine, err := ThumbnailEngine(n.o)
	if err != nil {
		return err
	}
	n.thumbs = thumbnails.New(main, imageCache, engine, thumbnails.Options{
		Limits: ThumbnailLimits(s.Import), Log: n.log, Metrics: n.o.Registry, Once: n.onceInTheCluster, Renew: n.renewAfter(), May: n.mayWrite,
	})
	n.onClose(n.thumbs.Close)
	return nil
}

func (n *Node) buildRoom() {
	s := n.o.Settings.Import
	n.room = hotfolder.New(hotfolder.Deps{
		Area: n.area, Render: renderer{n.thumbs}, Claims: n.claims, Journal: n.journal,
		Tell: n.tellSeen, Begins: n.beginScan, Borrow: n.borrow, Step: n.o.Step, Log: n.log, Node: n.o.Settings.Node.ID,
	}, hotfolder.Options{
		Workers: s.Workers, PerHotfolder: s.PerHotfolder, Queue: s.Queue, Metrics: hotfolder.NewMetrics(n.o.Registry),
	})
}

// journal writes an event down and shows it to whoever follows the page.
func (n *Node) journal(e asset.Event) {
	n.area.Journal().Record(e)
	n.feed.Publish(e)
	if e.Result == asset.Imported {
		n.rates.count(e.Hotfolder)
	}
}

// State is where the node is between joining and left.
func (n *Node) State() admin.State {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state
}

// Area is the node's work area, for commands that run inside the process.
func (n *Node) Area() *workarea.Area { return n.area }

// Addr is where the page is, "" without the role web.
func (n *Node) Addr() string {
	if !n.o.Settings.Node.HasRole(config.RoleWeb) {
		return ""
	}
	return n.boundAddr()
}

// boundAddr is where the node's HTTP is, with or without the page.
func (n *Node) boundAddr() string {
	if n.web == nil {
		return ""
	}
	return n.web.Addr()
}

// Folders are the hotfolders in force: name and where people drop.
func (n *Node) Folders() []hotfolder.Spec {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []hotfolder.Spec
	for _, r := range n.rules {
		all = append(all, n.specs[r.Hotfolder])
	}
	return all
}
