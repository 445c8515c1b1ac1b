package config

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"

	"hotfolderd/asset"
)

// The roles a node can have; without a setting it has them all.
const (
	RoleImport     = "import"
	RoleThumbnails = "thumbnails"
	RoleFTP        = "ftp"
	RoleWeb        = "web"
)

// MaxNodeID is the length of the longest node id: Consul's node name and the names of journal files hold it.
const MaxNodeID = 20

// Published is the value of [Settings.Hotfolders] that means the rule set in the store.
const Published = "published"

// Default is what a node runs with when no file says otherwise. Its node id is empty: callers that know the host name
// fill it with [DefaultID].
func Default() Settings {
	return Settings{
		Node:    Node{Roles: DefaultRoles(), Weight: DefaultWeight, Priority: DefaultPriority},
		Storage: Storage{URL: DefaultStorageURL, JournalDays: DefaultJournalDays},
		Cluster: Cluster{
			Namespace: DefaultNamespace, Isolation: DefaultIsolation, SessionTTL: DefaultSessionTTL, PublishRules: true,
		},
		Hotfolders: DefaultHotfolders,
		Import: Import{
			Workers: DefaultWorkers, PerHotfolder: DefaultPerHotfolder, Queue: DefaultQueue,
			MaxPixels: DefaultMaxPixels, ThumbnailTimeout: DefaultThumbnailTimeout, ThumbnailMemory: DefaultThumbnailMemory,
		},
		Cache:      Cache{Memory: DefaultCacheMemory},
		Workarea:   Workarea{Jobs: Jobs{TTL: DefaultJobTTL, MaxTTL: DefaultMaxJobTTL, Quota: DefaultJobQuota}},
		HTTP:       HTTP{Listen: DefaultHTTPListen, ResumeTTL: DefaultResumeTTL},
		Thumbnails: Demand{OnDemand: DefaultOnDemand()},
		FTP: FTP{
			Listen: DefaultFTPListen, PassivePorts: DefaultPassivePorts, ResumeTTL: DefaultResumeTTL, Checkpoint: DefaultFTPCheckpoint,
			Settle: DefaultFTPSettle, MaxSessions: DefaultFTPSessions, MaxPerAddress: DefaultFTPPerAddress, Login: DefaultFTPLogin,
			Idle: DefaultFTPIdle, Stall: DefaultFTPStall, Grace: DefaultFTPGrace,
		},
		Log: Log{Level: DefaultLogLevel, Format: DefaultLogFormat},
	}
}

// DefaultRoles are the roles of a node that names none: all.
func DefaultRoles() []string { return []string{RoleImport, RoleThumbnails, RoleFTP, RoleWeb} }

// DefaultRule is the rule of a hotfolder whose file says nothing but its name.
func DefaultRule(hotfolder string) Rule {
	return Rule{
		Hotfolder:  hotfolder,
		Path:       "hotfolders/" + hotfolder,
		Match:      Match{Include: []string{"**"}, Empty: "reject", System: "ignore"},
		Complete:   Complete{Settle: DefaultSettle, Patience: DefaultPatience, Incomplete: "import", Prove: true, Watch: "auto"},
		Name:       NameTemplate(hotfolder + "/{{.Path}}"),
		Conflict:   asset.ConflictVersion,
		After:      AfterRemove,
		Thumbnails: Thumbnails{Sizes: DefaultSizes(), Format: "jpeg", Quality: DefaultQuality, Background: DefaultBackground},
		Retry:      Retry{Attempts: DefaultAttempts, Backoff: DefaultBackoff, MaxBackoff: DefaultMaxBackoff},
	}
}

// DefaultID makes a node id of a host name: the name itself when it is a usable id, else its first label, cleaned and
// cut, with eight digits of the whole name's hash, so that hosts that differ only in what was cut stay apart.
func DefaultID(hostname string) string {
	if regexp.MustCompile(nodeIDPattern).MatchString(hostname) {
		return hostname
	}
	label, _, _ := strings.Cut(hostname, ".")
	label = regexp.MustCompile(`[^A-Za-z0-9_-]+`).ReplaceAllString(label, "-")
	label = strings.Trim(label, "-")
	if label == "" {
		label = "node"
	}
	sum := sha256.Sum256([]byte(hostname))
	digits := hex.EncodeToString(sum[:4])
	return label[:min(len(label), MaxNodeID-1-len(digits))] + "-" + digits
}
