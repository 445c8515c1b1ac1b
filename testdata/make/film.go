package main

import "bytes"

// atom is a box of an ISO media file.
func atom(kind string, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return append(append(be.AppendUint32(nil, uint32(8+len(body))), kind...), body...)
}

// words are numbers of 32 bits; most boxes begin with a zero one for their version and flags.
func words(v ...uint32) []byte {
	var b []byte
	for _, n := range v {
		b = be.AppendUint32(b, n)
	}
	return b
}

// movie is the index of frames that lie behind each other from offset at on, at ten a second.
func movie(frames [][]byte, at int) []byte {
	const width, height = 128, 96
	n := uint32(len(frames))
	sizes := words(0, 0, n)
	for _, f := range frames {
		sizes = append(sizes, words(uint32(len(f)))...)
	}
	matrix := words(1<<16, 0, 0, 0, 1<<16, 0, 0, 0, 1<<30)
	entry := atom("jpeg", words(0, 1, 0, 0, 0, 0, width<<16|height, 72<<16, 72<<16, 0, 1<<16), make([]byte, 30), words(24<<16|0xffff))
	table := atom("stbl", atom("stsd", words(0, 1), entry), atom("stts", words(0, 1, n, 100)),
		atom("stsc", words(0, 1, 1, n, 1)), atom("stsz", sizes), atom("stco", words(0, 1, uint32(at))))
	info := atom("minf", atom("vmhd", words(1, 0, 0)), atom("dinf", atom("dref", words(0, 1), atom("url ", words(1)))), table)
	media := atom("mdia", atom("mdhd", words(0, 0, 0, 1000, 100*n, 0x55c40000)),
		atom("hdlr", words(0, 0), []byte("vide"), words(0, 0, 0), []byte{0}), info)
	track := atom("trak", atom("tkhd", words(3, 0, 0, 1, 0, 100*n, 0, 0, 0, 0), matrix, words(width<<16, height<<16)), media)
	return atom("moov", atom("mvhd", words(0, 0, 0, 1000, 100*n, 1<<16, 0x01000000, 0, 0), matrix, words(0, 0, 0, 0, 0, 0, 2)), track)
}
