package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Store is a prefix of a bucket. Make one with [Open]; Close it when nothing uses it any more.
type Store struct {
	at       place
	client   minio.Core
	wire     *wire
	promises promises
	props    storage.Properties
	readOnly bool
	risk     bool
	spool    string
	limits   limits
	log      *zap.Logger
	hints    listening

	secrets    *credentials.Credentials
	secretFile *secretFile // nil: from elsewhere
}

var (
	_ storage.Store         = (*Store)(nil)
	_ storage.Watcher       = (*Store)(nil)
	_ storage.FolderMaker   = (*Store)(nil)
	_ storage.FolderRemover = (*Store)(nil)
	_ storage.TreeRemover   = (*Store)(nil)
)

// Open connects to a bucket, tries what its server keeps, and refuses one that does not keep what Use needs; the error says what to
// turn on. It writes a few small objects below [Private] and takes them away again.
func Open(ctx context.Context, c Config) (*Store, error) {
	s, err := open(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", strconv.Quote(redacted(c.URL)), plain(err))
	}
	return s, nil
}

func open(ctx context.Context, c Config) (*Store, error) {
	s, err := newStore(c)
	if err != nil {
		return nil, err
	}
	if err := s.start(ctx, c); err != nil {
		s.wire.CloseIdleConnections()
		return nil, err
	}
	return s, nil
}

// newStore makes a store that has spoken to nobody yet.
func newStore(c Config) (*Store, error) {
	at, err := parseURL(c.URL)
	if err != nil {
		return nil, err
	}
	count, err := newRequests(c.Metrics)
	if err != nil {
		return nil, err
	}
	w, err := newWire(c.CA, count)
	if err != nil {
		return nil, err
	}
	from, file := secrets(c)
	client, err := minio.NewCore(at.endpoint, &minio.Options{
		Creds: from, Secure: at.secure, Region: at.region, BucketLookup: lookups[at.style], Transport: w, MaxRetries: 1,
	})
	if err != nil {
		return nil, err
	}
	s := &Store{at: at, client: *client, wire: w, readOnly: c.ReadOnly, risk: c.AcceptRisk, spool: c.Spool, limits: defaultLimits, log: c.Log, secrets: from, secretFile: file}
	if s.log == nil {
		s.log = zap.NewNop()
	}
	return s, nil
}

var lookups = map[string]minio.BucketLookupType{
	"": minio.BucketLookupAuto, "true": minio.BucketLookupPath, "false": minio.BucketLookupDNS,
}

func (s *Store) start(ctx context.Context, c Config) error {
	if err := someone(ctx, s.secrets); err != nil {
		return err
	}
	if err := s.reach(ctx); err != nil {
		return err
	}
	if !c.ReadOnly {
		var err error
		if s.promises, err = s.probe(ctx); err != nil {
			return err
		}
		if err := s.Suffice(cmp.Or(c.Use, ForWorkArea|ForDrops)); err != nil {
			return err
		}
	}
	s.props = storage.Properties{
		URL: s.at.String(), Kind: "s3", Remote: true, WholeObjects: true, Flat: true, RemoveRaces: !s.promises.removeCertain(),
	}
	return nil
}

// Suffice refuses a use that the server does not keep enough for, as [Open] does for that of its Config: a store that was opened for one
// thing may come to be used for another. It asks the server nothing.
func (s *Store) Suffice(use Use) error { return s.promises.suffice(use, s.risk, s.at.bucket) }

// reach looks whether the bucket is there and may be listed.
func (s *Store) reach(ctx context.Context) error {
	return again(ctx, func() error {
		for o := range s.client.ListObjectsIter(ctx, s.at.bucket, minio.ListObjectsOptions{Prefix: s.at.prefix, MaxKeys: 1}) {
			return o.Err
		}
		return ctx.Err()
	})
}

// Close lets go of the connections. Idempotent; nothing may use the store any more.
func (s *Store) Close() error {
	s.wire.CloseIdleConnections()
	return nil
}

// Properties implements storage.Store.
func (s *Store) Properties() storage.Properties { return s.props }

// String is the URL of the store. It holds no secrets.
func (s *Store) String() string { return s.at.String() }

// GoString is String.
func (s *Store) GoString() string { return s.at.String() }

// Sync implements storage.Store: what was written is as durable as the server makes it before it answers.
func (s *Store) Sync(ctx context.Context, keys ...asset.Key) error {
	return ended(ctx, "sync", append(keys, asset.Root)[0])
}

// Space implements storage.Store. A bucket has no limit that it tells of.
func (s *Store) Space(ctx context.Context) (free, total int64, err error) {
	return 0, 0, ended(ctx, "space", asset.Root)
}

// Writers implements storage.Store. Objects are whole when they can be seen, but nobody knows who is about to write one.
func (s *Store) Writers(ctx context.Context, key asset.Key, _ asset.Version) (open, known bool, err error) {
	return false, false, ended(ctx, "writers", key)
}

// ended is the cause of a context that has ended, before anything is done.
func ended(ctx context.Context, op string, key asset.Key) error {
	cause := context.Cause(ctx)
	if cause == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", op, key.Quoted(), cause)
}

var errNoCreate = errors.New("this server lets two writers create one object, so nothing is created here only if absent; use a bucket without versions, or another server")
