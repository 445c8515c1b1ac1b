package jpegscale

import (
	"cmp"
	mathbits "math/bits"
	"slices"
)

const (
	symbols = 256
	longest = 16 // bits of a code
)

// codeWriter writes symbols by the codes that are made for them, and what follows each as it is.
type codeWriter struct {
	counting bool // symbols are counted only
	counts   [symbols + 1]int
	codes    [symbols]uint32 // length<<16 | code
	acc      uint64          // bits that are not in out yet: the lowest n
	n        int
	out      []byte
}

// put writes a number as JPEG does, behind zeros others.
func (w *codeWriter) put(zeros int, v int32) {
	size := mathbits.Len32(uint32(max(v, -v)))
	if v < 0 {
		v += 1<<size - 1
	}
	w.code(byte(zeros<<4|size), uint64(v), size)
}

func (w *codeWriter) code(symbol byte, more uint64, n int) {
	if w.counting {
		w.counts[symbol]++
		return
	}
	c := w.codes[symbol]
	used := int(c>>16) + n
	w.acc = w.acc<<used | uint64(c&0xffff)<<n | more
	for w.n += used; w.n >= 8; {
		w.n -= 8
		b := byte(w.acc >> w.n)
		if w.out = append(w.out, b); b == 0xff {
			w.out = append(w.out, 0)
		}
	}
}

// flush fills the last byte with ones.
func (w *codeWriter) flush() {
	if w.n > 0 {
		fill := 8 - w.n
		w.acc, w.n = w.acc<<fill|(1<<fill-1), 0
		if w.out = append(w.out, byte(w.acc)); byte(w.acc) == 0xff {
			w.out = append(w.out, 0)
		}
	}
}

// build makes codes for what was counted, and returns them as a file has them: how many of each length, and their symbols.
func (w *codeWriter) build() []byte {
	lengths := codeLengths(&w.counts)
	table := make([]byte, longest)
	order := used(&lengths)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(lengths[a], lengths[b]) })
	code, before := uint32(0), 0
	for _, s := range order[:len(order)-1] { // the last is the one that nobody uses
		n := lengths[s]
		code <<= n - before
		w.codes[s] = uint32(n)<<16 | code
		table[n-1]++
		table = append(table, byte(s))
		code, before = code+1, n
	}
	return table
}

func used(lengths *[symbols + 1]int) (all []int) {
	for s, n := range lengths {
		if n > 0 {
			all = append(all, s)
		}
	}
	return all
}

// codeLengths is Huffman's method. One symbol more than there are has the longest code, since a code of ones only is forbidden. Where one comes
// out too long the counts are made more even.
func codeLengths(counts *[symbols + 1]int) (lengths [symbols + 1]int) {
	for {
		most := 0
		for s, depth := range depths(counts) {
			lengths[s] = depth
			most = max(most, depth)
		}
		if most <= longest {
			return lengths
		}
		for s, n := range counts {
			counts[s] = (n + 1) / 2
		}
	}
}

// depths are those of the leaves of the tree.
func depths(counts *[symbols + 1]int) map[int]int {
	leaves := []int{symbols}
	for s, n := range counts[:symbols] {
		if n > 0 {
			leaves = append(leaves, s)
		}
	}
	slices.SortStableFunc(leaves, func(a, b int) int { return cmp.Compare(counts[a], counts[b]) })
	above := joined(leaves, counts)
	depth, found := make([]int, len(above)), map[int]int{}
	for i := len(above) - 2; i >= 0; i-- {
		depth[i] = depth[above[i]] + 1
		if i < len(leaves) {
			found[leaves[i]] = depth[i]
		}
	}
	return found
}

// joined joins the two lightest again and again, leaves first, and says into which each went. The last is the root.
func joined(leaves []int, counts *[symbols + 1]int) (above []int) {
	n := len(leaves)
	weights := make([]int, n, 2*n)
	for i, s := range leaves {
		weights[i] = counts[s]
	}
	above = make([]int, 2*n-1)
	leaf, pair := 0, n
	lightest := func() (i int) {
		if leaf < n && (pair == len(weights) || weights[leaf] <= weights[pair]) {
			leaf++
			return leaf - 1
		}
		pair++
		return pair - 1
	}
	for len(weights) < 2*n-1 {
		a, b := lightest(), lightest()
		above[a], above[b] = len(weights), len(weights)
		weights = append(weights, weights[a]+weights[b])
	}
	return above
}
