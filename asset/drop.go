package asset

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"time"
)

// Version tells one content of a key from the next. It is made by the store and opaque to everybody else: equal
// versions mean the same bytes as far as that store can tell. Empty means "whatever is there".
type Version string

// Door is how a drop came in.
type Door string

// The doors of a hotfolder.
const (
	DoorShare Door = "share"
	DoorFTP   Door = "ftp"
	DoorS3    Door = "s3"
	DoorHTTP  Door = "http"
	DoorCLI   Door = "cli"
)

// Drop is one file put into a hotfolder. Hotfolder, Key and Version together are its identity; the rest describes it.
type Drop struct {
	Hotfolder string
	Key       Key // relative to the hotfolder
	Version   Version
	Size      int64     // bytes
	Arrived   time.Time // by the store's clock, never by the writer's
	Door      Door
}

// DropID names a drop in the ledger: 64 hexadecimal digits that depend on (hotfolder, key, version) only.
type DropID string

// ID derives the drop's id. Every node derives the same id for the same drop, which is what makes the ledger's
// create-if-absent the one decision about it.
func (d Drop) ID() DropID { return dropID(d.Hotfolder, string(d.Key), string(d.Version)) }

// Again is the id of a drop that has the same version as an older, already imported one but other bytes (a store may
// give an inode, a size and a time out twice). It depends on the bytes too.
func (id DropID) Again(h Hash) DropID { return dropID(string(id), h.String(), "again") }

func dropID(parts ...string) DropID {
	sum := sha256.New()
	for _, p := range parts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		sum.Write(n[:])
		sum.Write([]byte(p))
	}
	return DropID(hex.EncodeToString(sum.Sum(nil)))
}

// ParseDropID checks that s is 64 lower-case hexadecimal digits.
func ParseDropID(s string) (DropID, error) {
	h, err := ParseHash(s)
	if err != nil || h.String() != s {
		return "", fmt.Errorf("%q is no drop id (64 hexadecimal digits)", s)
	}
	return DropID(s), nil
}

// Shard is "ab/<id>", like [Hash.Shard].
func (id DropID) Shard() Key { return shard(string(id)) }

// Partition is which of n partitions a drop of this hotfolder falls into. It depends on the key alone, so that the
// versions of one file are always walked in order, by one node.
func Partition(hotfolder string, key Key, n int) int {
	f := fnv.New64a()
	f.Write([]byte(hotfolder))
	f.Write([]byte{0})
	f.Write([]byte(key))
	// The low bits of FNV are weak; fold the high ones in.
	x := f.Sum64()
	x ^= x >> 32
	return int(x % uint64(n))
}
