package asset

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Hash is the SHA-256 of an asset's bytes: its identity and its place in the work area.
type Hash [sha256.Size]byte

// ParseHash reads 64 hexadecimal digits.
func ParseHash(s string) (Hash, error) {
	var h Hash
	if len(s) != 2*len(h) {
		return h, fmt.Errorf("a hash has %d hexadecimal digits, not %d", 2*len(h), len(s))
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil {
		return Hash{}, fmt.Errorf("hash %q: %w", s, err)
	}
	return h, nil
}

// IsZero reports whether nothing was hashed yet.
func (h Hash) IsZero() bool { return h == Hash{} }

// String is the 64 lower-case hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Shard is "ab/<hash>": 256 folders keep every folder of the work area small. A second level was measured to cost a young
// store half its speed (each import made two new folders) and to gain nothing up to tens of millions of assets.
func (h Hash) Shard() Key { return shard(h.String()) }

// MarshalText writes the digits; the zero hash is empty.
func (h Hash) MarshalText() ([]byte, error) {
	if h.IsZero() {
		return []byte{}, nil
	}
	return []byte(h.String()), nil
}

// UnmarshalText is the inverse of [Hash.MarshalText].
func (h *Hash) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*h = Hash{}
		return nil
	}
	parsed, err := ParseHash(string(b))
	*h = parsed
	return err
}

func shard(hexDigits string) Key {
	return Key(hexDigits[:2] + "/" + hexDigits)
}
