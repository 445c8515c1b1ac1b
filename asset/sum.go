package asset

import (
	"hash"
	"hash/crc32"
)

// sums is the polynomial that processors know.
var sums = crc32.MakeTable(crc32.Castagnoli)

// Sum tells two makings of one thumbnail apart. It takes a microsecond, and is no proof against anybody.
func Sum(data []byte) uint32 { return crc32.Checksum(data, sums) }

// NewSum is [Sum] of what is written to it.
func NewSum() hash.Hash32 { return crc32.New(sums) }
