package asset

import "hash/fnv"

// Mark is a number that stands for the key where only "forget what you know of it" is to be said: 8 bytes however long the
// key is. Two keys may share one; then both are forgotten, which costs time and nothing else.
func (k Key) Mark() uint64 {
	f := fnv.New64a()
	f.Write([]byte(k))
	// The low bits of FNV are weak, and stripes are chosen by them; fold the high ones in.
	x := f.Sum64()
	return x ^ x>>32
}
