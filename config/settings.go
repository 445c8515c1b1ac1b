package config

import (
	"fmt"
	"strings"
	"time"

	"hotfolderd/asset"
)

// Settings of one node, as in hotfolderd.yaml. [Default] is what a node runs with when no file says otherwise.
type Settings struct {
	Node    Node    `yaml:"node"`
	Storage Storage `yaml:"storage"`
	Cluster Cluster `yaml:"cluster"`
	// Hotfolders is the folder of rule files, or "published" for the rule set in the store.
	Hotfolders string `yaml:"hotfolders"`
	Import     Import `yaml:"import"`
	Thumbnails Demand `yaml:"thumbnails"`
	Cache      Cache  `yaml:"cache"`
	// Workarea is what people and batch jobs keep beside the assets.
	Workarea Workarea `yaml:"workarea"`
	HTTP     HTTP     `yaml:"http"`
	FTP      FTP      `yaml:"ftp"`
	Log      Log      `yaml:"log"`
}

// Node says who this node is among others.
type Node struct {
	ID       string   `yaml:"id"`       // 1 to 20 characters, unique among live nodes; default: the host name, shortened
	Roles    []string `yaml:"roles"`    // import, thumbnails, ftp, web
	Weight   int      `yaml:"weight"`   // share of the work relative to other nodes, 1 to 100
	Priority int      `yaml:"priority"` // 0 to 100; the highest live one does the single duties
}

// Storage is where the work area and, by default, the hotfolders are.
type Storage struct {
	URL         string `yaml:"url"`          // file:///srv/hotfolderd or s3://bucket/prefix?...; a plain path is a file URL
	JournalDays int    `yaml:"journal_days"` // the journal is kept so many days; 0 keeps all of it
	// CredentialsFile, in the format of ~/.aws/credentials, is for buckets; empty is the environment and the usual chain.
	CredentialsFile string `yaml:"credentials_file"`
	CAFile          string `yaml:"ca_file"`       // PEM file of the authorities that sign the certificate of an S3 server
	AcceptRisk      bool   `yaml:"accept_risk"`   // take a bucket where a removal may hit a newer object of the same moment
	RedirectSize    Size   `yaml:"redirect_size"` // assets from this size on are fetched from the bucket itself; 0 means none
}

// Cluster is how nodes find each other. Without an address the node is alone.
type Cluster struct {
	Consul       []string  `yaml:"consul"`
	Namespace    string    `yaml:"namespace"`
	Isolation    string    `yaml:"isolation"` // majority, static or dynamic
	TokenFile    string    `yaml:"token_file"`
	TLS          ConsulTLS `yaml:"tls"`
	Advertise    string    `yaml:"advertise"`      // host:port; see [Settings.Advertised]
	WaitForNodes int       `yaml:"wait_for_nodes"` // nothing is imported before so many are there
	SessionTTL   Duration  `yaml:"session_ttl"`
	PublishRules bool      `yaml:"publish_rules"` // this machine may publish rule sets
}

// ConsulTLS names the PEM files for https addresses of Consul. Without CA the system's authorities are trusted; without Cert
// no certificate is shown; without ServerName the certificate must be for the host of the address.
type ConsulTLS struct {
	CA         string `yaml:"ca"`
	Cert       string `yaml:"cert"`
	Key        string `yaml:"key"`
	ServerName string `yaml:"server_name"`
}

// Import bounds what a node does at a time.
type Import struct {
	Workers          int      `yaml:"workers"`           // drops walked at the same time over all hotfolders
	PerHotfolder     int      `yaml:"per_hotfolder"`     // of these, at most so many for one hotfolder
	Queue            int      `yaml:"queue"`             // drops remembered per hotfolder; the rest waits on the store
	ThumbnailWorkers int      `yaml:"thumbnail_workers"` // processes that render; 0 means one per processor
	MaxPixels        int64    `yaml:"max_pixels"`        // of an image that is still rendered
	ThumbnailTimeout Duration `yaml:"thumbnail_timeout"` // for all thumbnails of one asset
	ThumbnailMemory  Size     `yaml:"thumbnail_memory"`  // of one rendering process
}

// Demand says which thumbnails are made when somebody asks for them, beside those of the rules, by whom, and how many stay.
type Demand struct {
	OnDemand  []int    `yaml:"on_demand"`  // longer sides in pixels, 16 to 4096; none: only what rules make
	CacheSize Size     `yaml:"cache_size"` // of all thumbnails in the store; 0 is no limit
	CacheAge  Duration `yaml:"cache_age"`  // of one that nobody uses; 0 is no limit
	Programs  []string `yaml:"programs"`   // of others, that may render what the program does not know
}

// Cache bounds what a node keeps in memory of what it has read.
type Cache struct {
	Memory Size `yaml:"memory"` // 0 keeps nothing
}

// Workarea bounds batch jobs, and names the files that are watched.
type Workarea struct {
	// Watch are folders of the work area's files where programs change files on the share behind the nodes' backs; "*" is all.
	Watch []string `yaml:"watch"`
	Jobs  Jobs     `yaml:"jobs"`
}

// Jobs bounds the batch jobs of a work area.
type Jobs struct {
	TTL      Duration `yaml:"ttl"`       // how long one stays after its last use when it asks for nothing
	MaxTTL   Duration `yaml:"max_ttl"`   // that one may ask for
	Quota    Size     `yaml:"quota"`     // bytes of one that asks for nothing
	MaxQuota Size     `yaml:"max_quota"` // that one may ask for; 0 is no limit
	Total    Size     `yaml:"total"`     // of the quotas of all jobs together; 0 is no limit
}

// HTTP is the address of the page, the API and the metrics. Anything but loopback needs a token file.
type HTTP struct {
	Listen    string   `yaml:"listen"`
	TokenFile string   `yaml:"token_file"` // read again when it changes
	ResumeTTL Duration `yaml:"resume_ttl"` // how long a broken upload may rest
	UsersFile string   `yaml:"users_file"`
	Proxies   []string `yaml:"proxies"`
}

// FTP is the drop gate; it listens only when the node has the role ftp and a users file is set.
type FTP struct {
	Listen        string   `yaml:"listen"`
	ListenTLS     string   `yaml:"listen_tls"` // encrypted from the first byte; empty: not at all
	RequireTLS    bool     `yaml:"require_tls"`
	AllowCutTLS   bool     `yaml:"allow_cut_tls"` // take encrypted data whose end is not said, from old clients
	ResumeTTL     Duration `yaml:"resume_ttl"`    // how long broken uploads are kept for their owner; 0: not at all
	Checkpoint    Duration `yaml:"checkpoint"`    // what an upload receives in this time may be lost when the node dies
	Settle        Duration `yaml:"settle"`        // after which a silent client that has acknowledged the reply is believed to live
	PassivePorts  string   `yaml:"passive_ports"`
	PublicHost    string   `yaml:"public_host"`
	Proxies       []string `yaml:"proxies"` // addresses and networks of load balancers that speak PROXY protocol v2
	UsersFile     string   `yaml:"users_file"`
	TLS           TLS      `yaml:"tls"`
	MaxSessions   int      `yaml:"max_sessions"`
	MaxPerAddress int      `yaml:"max_per_address"`
	Login         Duration `yaml:"login"` // until a client has logged in
	Idle          Duration `yaml:"idle"`  // between two commands
	Stall         Duration `yaml:"stall"` // between two pieces of data
	Grace         Duration `yaml:"grace"` // for transfers in hand when the node ends
}

// TLS names the files of a certificate and its key.
type TLS struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// Log says how much is logged and how.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn or error
	Format string `yaml:"format"` // console, json, or auto: console on a terminal
}

// Defaults of a node's settings; documents and tests are held against these.
const (
	DefaultStorageURL       = "./data"
	DefaultJournalDays      = 90
	DefaultNamespace        = "default"
	DefaultIsolation        = "majority"
	DefaultSessionTTL       = Duration(10 * time.Second)
	DefaultHotfolders       = "configs/hotfolders"
	DefaultHTTPListen       = "127.0.0.1:8480"
	DefaultFTPListen        = "127.0.0.1:2121"
	DefaultPassivePorts     = "30000-30099"
	DefaultResumeTTL        = Duration(24 * time.Hour)
	DefaultFTPCheckpoint    = Duration(10 * time.Second)
	DefaultFTPSettle        = Duration(time.Second)
	DefaultFTPSessions      = 500
	DefaultFTPPerAddress    = 50
	DefaultFTPLogin         = Duration(30 * time.Second)
	DefaultFTPIdle          = Duration(5 * time.Minute)
	DefaultFTPStall         = Duration(2 * time.Minute)
	DefaultFTPGrace         = Duration(30 * time.Second)
	DefaultWeight           = 1
	DefaultPriority         = 50
	DefaultWorkers          = 192
	DefaultPerHotfolder     = 128
	DefaultQueue            = 20000
	DefaultMaxPixels        = 100_000_000
	DefaultThumbnailTimeout = Duration(20 * time.Second)
	DefaultThumbnailMemory  = Size(2 << 30)
	DefaultCacheMemory      = Size(128 << 20)
	DefaultJobTTL           = Duration(24 * time.Hour)
	DefaultMaxJobTTL        = Duration(30 * 24 * time.Hour)
	DefaultJobQuota         = Size(10 << 30)
	DefaultLogLevel         = "info"
	DefaultLogFormat        = "auto"
)

// Rule is one hotfolder, as in a rule file.
type Rule struct {
	// File the rule came from, for messages; empty for the built-in rule.
	File string `yaml:"-"`
	// Hotfolder is its name: 1 to 64 of a-z, 0-9, "-" and "_". Unique in a rule set.
	Hotfolder string `yaml:"hotfolder"`
	// Path is the folder below the store, or a store URL of its own. Default: hotfolders/<hotfolder>.
	Path string `yaml:"path"`
	// RunOn are the ids of the only nodes that import its drops; none: all may.
	RunOn []string `yaml:"run_on"`
	// Prefer are the ids of the nodes that import its drops as long as one of them is there. All of them are in RunOn when that
	// names any.
	Prefer     []string       `yaml:"prefer"`
	Match      Match          `yaml:"match"`
	Complete   Complete       `yaml:"complete"`
	Name       NameTemplate   `yaml:"name"` // default: <hotfolder>/{{.Path}}
	Conflict   asset.Conflict `yaml:"conflict"`
	After      After          `yaml:"after"`
	Library    bool           `yaml:"library"` // also keep a readable tree library/<name>
	Thumbnails Thumbnails     `yaml:"thumbnails"`
	// Check is what a gate looks at before it says that an upload is stored; see the words.
	Check  []string `yaml:"check"`
	Retry  Retry    `yaml:"retry"`
	Paused bool     `yaml:"paused"` // watch and report, import nothing
}

// After is what happens to a drop once it was imported.
type After string

// What can happen to an imported drop.
const (
	AfterRemove  After = "remove"
	AfterArchive After = "archive" // moved to archive/<hotfolder>/<yyyy-mm-dd>/ in the work area
	AfterKeep    After = "keep"    // left where it is and not imported again until it changes
)

// What a gate can check.
const (
	CheckName  = "name"  // match.include, match.exclude and match.system
	CheckSize  = "size"  // match.max_size and match.empty
	CheckType  = "type"  // the content is what the extension says, where it says something
	CheckWhole = "whole" // its format does not say that its end is missing
	CheckImage = "image" // it is an image that can be decoded
)

// Match decides which files are drops. Patterns are doublestar globs on the path below the hotfolder, without regard
// to case.
type Match struct {
	Include []string `yaml:"include"` // default: everything
	Exclude []string `yaml:"exclude"`
	MaxSize Size     `yaml:"max_size"` // larger files fail; 0 is no limit
	Empty   string   `yaml:"empty"`    // zero-byte files: reject (to failed/), import, or ignore
	System  string   `yaml:"system"`   // temporary, hidden and system names: ignore or import
}

// Complete decides when a drop is complete.
type Complete struct {
	Settle     Duration `yaml:"settle"`      // how long an unproven file must be quiet
	Patience   Duration `yaml:"patience"`    // how long, when its own format says that its end is missing
	Incomplete string   `yaml:"incomplete"`  // and then: import it as it is, or reject it (to failed/)
	DoneMarker string   `yaml:"done_marker"` // e.g. "{name}.done" or ".ready": taken only when this file is there too
	Prove      bool     `yaml:"prove"`       // take a file at once when its format proves it whole
	Watch      string   `yaml:"watch"`       // auto, events or poll
	Poll       Duration `yaml:"poll"`        // longest time between two scans; 0 lets the node choose
}

// Thumbnails of the assets of one hotfolder. No sizes, no thumbnails.
type Thumbnails struct {
	Sizes       []int  `yaml:"sizes"`       // longer side in pixels, 16 to 4096, at most 8 of them
	Format      string `yaml:"format"`      // jpeg, png, webp, or auto: png where there is transparency
	Quality     int    `yaml:"quality"`     // of JPEG and WebP, 1 to 100
	Progressive bool   `yaml:"progressive"` // JPEGs begin with the whole picture, coarsely
	Animated    bool   `yaml:"animated"`    // an animated GIF or WebP stays animated, as webp or png
	Background  string `yaml:"background"`  // "#rrggbb" under transparency when the format has none

	Keep []string `yaml:"keep"` // words of [KeepWords]: what thumbnails have of the metadata
}

// KeepWords are what a rule may have thumbnails keep of the original's metadata.
func KeepWords() []string {
	return []string{"copyright", "creator", "credit", "source", "terms", "title", "description"}
}

// Retry says how often a failed walk is tried again before the drop moves to failed/.
type Retry struct {
	Attempts   int      `yaml:"attempts"`    // in all, 1 to 100
	Backoff    Duration `yaml:"backoff"`     // before the second attempt; doubles each time, with jitter
	MaxBackoff Duration `yaml:"max_backoff"` // never longer than this
}

// Defaults of a rule.
const (
	DefaultSettle     = Duration(2 * time.Second)
	DefaultPatience   = Duration(30 * time.Second)
	DefaultAttempts   = 5
	DefaultBackoff    = Duration(500 * time.Millisecond)
	DefaultMaxBackoff = Duration(30 * time.Second)
	DefaultQuality    = 82
	DefaultBackground = "#ffffff"
)

// DefaultOnDemand are the sizes that are made when somebody asks for them.
func DefaultOnDemand() []int { return []int{64, 128, 256, 512, 1024, 2048} }

// DefaultSizes are the thumbnail sizes of a rule that names none.
func DefaultSizes() []int { return []int{256, 1024} }

// Duration is a time.Duration written as in Go: 2s, 500ms, 1h30m.
type Duration time.Duration

// D is the duration as the standard library has it.
func (d Duration) D() time.Duration { return time.Duration(d) }

// String is the way it is written.
func (d Duration) String() string { return time.Duration(d).String() }

// Size is a number of bytes written with a unit: 100KB, 2GiB, 512.
type Size int64

// String is the size with the largest binary unit that divides it.
func (s Size) String() string {
	units := []string{"TiB", "GiB", "MiB", "KiB"}
	for i, u := range units {
		unit := Size(1) << (10 * (len(units) - i))
		if s >= unit && s%unit == 0 {
			return fmt.Sprintf("%d%s", s/unit, u)
		}
	}
	return fmt.Sprintf("%dB", int64(s))
}

// HasRole reports whether the node does this.
func (n Node) HasRole(role string) bool {
	for _, r := range n.Roles {
		if strings.EqualFold(r, role) {
			return true
		}
	}
	return false
}
