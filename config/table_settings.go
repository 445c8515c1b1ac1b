package config

import (
	"math"
	"time"
)

// Patterns that Go and JSON Schema read alike.
const (
	nodeIDPattern     = `^[A-Za-z0-9_][A-Za-z0-9._-]{0,19}$`
	namespacePattern  = `^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$`
	hotfolderPattern  = `^[a-z0-9_-]{1,64}$`
	backgroundPattern = `^#[0-9a-fA-F]{6}$`
)

// nodeIDWords says what nodeIDPattern asks for.
const nodeIDWords = `must be 1 to 20 of A-Z, a-z, 0-9, ".", "_" and "-", not beginning with "." or "-"`

// settingsTable describes hotfolderd.yaml; what is read goes into s. It is a list, whatever its length.
func settingsTable(s *Settings) []entry {
	return []entry{
		{name: "node", doc: "Who this node is among others.", keys: []entry{
			{
				name: "id", to: &s.Node.ID, pattern: `^$|` + nodeIDPattern,
				expect: nodeIDWords,
				doc:    "Name of the node, unique among live nodes: 1 to 20 letters, digits, dots, dashes and underscores. Empty: the host name, shortened.",
			},
			{
				name: "roles", to: &s.Node.Roles, words: DefaultRoles(), least: 1, most: len(DefaultRoles()),
				doc: "What the node does: import drops, render thumbnails, take files by FTP, serve the page and the API.",
			},
			{name: "weight", to: &s.Node.Weight, min: 1, max: 100, doc: "Share of the work relative to other nodes."},
			{name: "priority", to: &s.Node.Priority, min: 0, max: 100, doc: "The live node with the highest priority does the single duties."},
		}},
		{name: "storage", doc: "Where the work area and, by default, the hotfolders are.", keys: []entry{
			{
				name: "url", to: &s.Storage.URL, check: storeURL,
				doc: "A folder, file:///folder, or s3://bucket/prefix?endpoint=https://host:9000&region=name. Keys and secrets are given as files or by the environment, never here.",
			},
			{name: "journal_days", to: &s.Storage.JournalDays, min: 0, max: 36500, doc: "The journal is kept so many days, for why and the page; 0 keeps all of it."},
			{
				name: "credentials_file", to: &s.Storage.CredentialsFile,
				doc: "Keys for buckets, in the format of ~/.aws/credentials; read again when it changes. Empty: the environment and the usual chain.",
			},
			{name: "ca_file", to: &s.Storage.CAFile, doc: "PEM file of the authorities that sign the S3 server's certificate. Empty: the system's."},
			{
				name: "accept_risk", to: &s.Storage.AcceptRisk,
				doc: "Take drops from a bucket without versions, whose server may remove a newer object that comes in the same moment.",
			},
			{
				name: "redirect_size", to: &s.Storage.RedirectSize,
				doc: "From this size on, GET of an asset answers 307 with an address in the bucket that is good for five minutes; its server must be reachable for clients. 0: the node serves all.",
			},
		}},
		{name: "cluster", doc: "How nodes find each other. Without an address the node is alone.", keys: clusterTable(&s.Cluster)},
		{name: "hotfolders", to: &s.Hotfolders, check: rulesFolder, doc: "Folder of the rule files, or published for the rule set in the store."},
		{name: "import", doc: "How much a node does at a time.", keys: []entry{
			{name: "workers", to: &s.Import.Workers, min: 1, max: 4096, doc: "Drops walked at the same time over all hotfolders."},
			{name: "per_hotfolder", to: &s.Import.PerHotfolder, min: 1, max: 4096, doc: "Of these, at most so many for one hotfolder."},
			{name: "queue", to: &s.Import.Queue, min: 1, max: 1_000_000, doc: "Drops remembered for each hotfolder; the rest waits on the store. This bounds memory."},
			{name: "thumbnail_workers", to: &s.Import.ThumbnailWorkers, min: 0, max: 256, doc: "Processes that render; 0 is one for each processor."},
			{name: "max_pixels", to: &s.Import.MaxPixels, min: 1, max: math.MaxUint32, doc: "Larger images are imported without thumbnails."},
			{
				name: "thumbnail_timeout", to: &s.Import.ThumbnailTimeout, min: int64(100 * time.Millisecond), max: int64(time.Hour),
				doc: "For all thumbnails of one asset.",
			},
			{name: "thumbnail_memory", to: &s.Import.ThumbnailMemory, min: 64 << 20, max: 1 << 40, doc: "Of one rendering process."},
		}},
		{name: "thumbnails", doc: "Thumbnails that are made when somebody asks for them, by whom, and how many stay.", keys: []entry{
			{
				name: "on_demand", to: &s.Thumbnails.OnDemand, min: 16, max: 4096, most: 16,
				doc: "Sizes (longer side, in pixels) that are made beside those of the rules; what is asked for is rounded up to one of both. None: only what rules make.",
			},
			{
				name: "cache_size", to: &s.Thumbnails.CacheSize,
				doc: "Bytes of all thumbnails in the store; over it, those that were not used for longest go, and are made again when somebody asks. 0: no limit.",
			},
			{
				name: "cache_age", to: &s.Thumbnails.CacheAge,
				doc: "A thumbnail that nobody used for so long goes, and is made again when somebody asks. 0: never.",
			},
			{
				name: "programs", to: &s.Thumbnails.Programs, most: 3, words: []string{"pdftoppm", "rsvg-convert", "ffmpeg"},
				doc: "Programs of others that may render PDF, SVG and video where they are installed; each runs without network, with the limits of import. None: no such thumbnails.",
			},
		}},
		{name: "cache", doc: "What the node keeps in memory.", keys: []entry{
			{name: "memory", to: &s.Cache.Memory, min: 0, max: 1 << 44, doc: "For names, small files and thumbnails that were read; 0 keeps nothing."},
		}},
		{name: "workarea", doc: "What people and batch jobs keep beside the assets.", keys: workareaTable(&s.Workarea)},
		{name: "http", doc: "The page, the API and the metrics.", keys: []entry{
			{name: "listen", to: &s.HTTP.Listen, check: listenAddress, doc: "host:port. Anything but loopback needs a token file; port 0 is any free one."},
			{name: "token_file", to: &s.HTTP.TokenFile, doc: "File that holds the token which requests carry; it is read again when it changes, and may hold several, one a line. Empty: none, loopback only."},
			{
				name: "resume_ttl", to: &s.HTTP.ResumeTTL, min: int64(time.Minute), max: int64(30 * 24 * time.Hour),
				doc: "How long an upload by tus may rest and be gone on with, on any node; then what came of it goes.",
			},
			{name: "users_file", to: &s.HTTP.UsersFile, doc: "File of the people who may log in, with their roles; it is read again when it changes. Empty: whoever has the token."},
			{
				name: "proxies", to: &s.HTTP.Proxies, most: 100, check: network,
				doc: "Addresses and networks of load balancers that tell by X-Forwarded-For who their clients are. None: nobody is believed.",
			},
		}},
		{name: "ftp", doc: "The FTP gate. It listens only with the role ftp and a users file.", keys: ftpTable(&s.FTP)},
		{name: "log", doc: "How much is logged, and how.", keys: []entry{
			{name: "level", to: &s.Log.Level, words: []string{"debug", "info", "warn", "error"}, doc: "The least important lines that are written."},
			{name: "format", to: &s.Log.Format, words: []string{"auto", "console", "json"}, doc: "auto is console on a terminal, else json."},
		}},
	}
}
