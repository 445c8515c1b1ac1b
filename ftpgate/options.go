package ftpgate

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"hotfolderd/accounts"
	"hotfolderd/asset"
	"hotfolderd/intake"
)

// Defaults of [Options]; the zero value of a field stands for them.
const (
	DefaultMaxSessions = 500
	DefaultPerAddress  = 50
	DefaultIdle        = 5 * time.Minute
	DefaultLogin       = 30 * time.Second
	DefaultStall       = 2 * time.Minute
	DefaultGrace       = 30 * time.Second
	DefaultResumeTTL   = 24 * time.Hour
	DefaultSettle      = time.Second
	DefaultCheckpoint  = 10 * time.Second
)

const (
	unheardTimeout = time.Minute      // after which a client that acknowledges nothing is dead
	writeTimeout   = 30 * time.Second // for a reply, to a client that does not read
	dataTimeout    = 30 * time.Second // until a data connection is there
	cleanupTimeout = 30 * time.Second // to keep what a broken upload left
)

// Options of [New]. Users and Folders must be set.
type Options struct {
	// Listen is the host:port of the control connection; ListenTLS, if set, one that is encrypted from its first byte.
	Listen, ListenTLS string
	// PassivePorts are the ports of data connections; the zero value lets the system choose.
	PassivePorts PortRange
	// PublicHost is what clients are told by PASV, an IPv4 address or a name. Empty: the address they came to.
	PublicHost string
	// Proxies are the load balancers that are believed when they tell by PROXY protocol v2 who their clients are. A connection of
	// theirs must begin with that.
	Proxies []netip.Prefix
	// TLS names the files of the certificate, read again when they change. Without them nothing is encrypted.
	TLS TLS
	// RequireTLS refuses passwords and data that are not encrypted.
	RequireTLS bool
	// AllowCutTLS takes the bare end of an encrypted data connection for the end of the file, for old clients that never say it.
	AllowCutTLS bool

	Users   UserSource
	Folders func(hotfolder string) (Folder, bool)

	// Writable tells whether uploads are taken just now, and if not, why. nil: always.
	Writable func() (bool, string)
	// Check is asked before 226 whether the complete bytes may become a drop. Its error's text is the client's answer. nil: all may.
	Check func(ctx context.Context, u Upload) error
	// Reads tells whether Check reads the bytes of an upload to a hotfolder: they are then all kept on this machine until it has. nil:
	// it does.
	Reads func(hotfolder string) bool
	// Heard is told of each drop that is known to be complete: its client has heard that it is stored. It must not block.
	Heard func(hotfolder string, key asset.Key, v asset.Version)
	// Naming is told of such a drop just before it gets its name, with the version it will have where a rename keeps that. It must
	// not block.
	Naming func(hotfolder string, key asset.Key, v asset.Version)
	// Audit is told what people do and what is refused. It must not block.
	Audit func(Event)
	// Bans counts wrong passwords; nil counts in this process alone.
	Bans Bans

	// Node is the id of this node: what a former process of it left is seen to at once.
	Node string
	// Lives tells whether a node that has told its tally is still there; the sessions of one that is not have ended. nil: all are.
	Lives func(node string) bool

	MaxSessions, PerAddress int           // sessions in all, and from one address
	Idle                    time.Duration // between two commands
	Login                   time.Duration // until a client has logged in
	Stall                   time.Duration // between two pieces of data
	Grace                   time.Duration // for transfers in hand when Run is to end
	ResumeTTL               time.Duration // how long broken uploads are kept; negative: not at all
	Settle                  time.Duration // after which a client that has acknowledged an answer and says nothing is believed to live
	Checkpoint              time.Duration // what an upload receives in this time may be lost when the process dies

	Log     *zap.Logger
	Metrics prometheus.Registerer

	slow func(wrong int) time.Duration // before a wrong password is answered; nil: accounts.Slow
}

// PortRange is a range of ports, both ends included.
type PortRange struct{ First, Last int }

// TLS names PEM files: a certificate with its chain, and its key.
type TLS struct{ Cert, Key string }

// Folder is where the drops of a hotfolder are.
type Folder = intake.Folder

// Upload is what [Options].Check sees: all bytes, not yet visible to anybody.
type Upload struct {
	User      string
	Hotfolder string
	Key       asset.Key
	Size      int64
	Bytes     io.ReaderAt // for those who said so by [Options].Reads
}

// Bans counts wrong passwords by address. Its methods are safe for concurrent use and answer soon.
type Bans interface {
	// Banned tells how long an address is still refused; 0 when it is not.
	Banned(address string) time.Duration
	// Failed counts a wrong password and tells how many there are now. It may ban the address.
	Failed(address string) (count int)
}

func (o Options) withDefaults() (Options, error) {
	if o.Users == nil || o.Folders == nil {
		return o, errors.New("the FTP gate needs users and folders")
	}
	if (o.TLS.Cert == "") != (o.TLS.Key == "") {
		return o, errors.New("the FTP gate: a certificate and its key belong together")
	}
	if o.TLS.Cert == "" && (o.RequireTLS || o.ListenTLS != "") {
		return o, errors.New("the FTP gate is to encrypt, but has no certificate")
	}
	o.fillFuncs()
	set(&o.MaxSessions, DefaultMaxSessions)
	set(&o.PerAddress, DefaultPerAddress)
	set(&o.Idle, DefaultIdle)
	set(&o.Login, DefaultLogin)
	set(&o.Stall, DefaultStall)
	set(&o.Grace, DefaultGrace)
	set(&o.ResumeTTL, DefaultResumeTTL)
	set(&o.Settle, DefaultSettle)
	set(&o.Checkpoint, DefaultCheckpoint)
	return o, nil
}

func (o *Options) fillFuncs() {
	if o.Writable == nil {
		o.Writable = func() (bool, string) { return true, "" }
	}
	if o.Lives == nil {
		o.Lives = func(string) bool { return true }
	}
	if o.Reads == nil {
		reads := o.Check != nil
		o.Reads = func(string) bool { return reads }
	}
	if o.Check == nil {
		o.Check = func(context.Context, Upload) error { return nil }
	}
	if o.Heard == nil {
		o.Heard = func(string, asset.Key, asset.Version) {}
	}
	if o.Naming == nil {
		o.Naming = func(string, asset.Key, asset.Version) {}
	}
	if o.Audit == nil {
		o.Audit = func(Event) {}
	}
	if o.Bans == nil {
		o.Bans = accounts.NewBans()
	}
	if o.slow == nil {
		o.slow = accounts.Slow
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
}

func set[T int | time.Duration](v *T, to T) {
	if *v == 0 {
		*v = to
	}
}
