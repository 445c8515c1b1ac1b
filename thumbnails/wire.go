package thumbnails

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// The conversation between a pool and one of its children, over the child's standard input and output. The child
// never opens anything: it asks for the bytes it needs.
//
//	pool   → child  request   JSON
//	child  → pool   need      offset and length
//	pool   → child  data      the bytes, fewer at the end of the file
//	child  → pool   answer    JSON, followed by one rendition message for each that it names
//
// A message is one byte of type, four bytes of length, and so many bytes. Both sides bound every length.
const (
	msgRequest byte = iota + 1
	msgNeed
	msgData
	msgAnswer
	msgRendition
)

const (
	blockBytes     = 256 << 10 // of one need
	jsonBytes      = 64 << 10
	renditionBytes = 4*MaxSize*MaxSize + 1<<20
)

// request is one image to render.
type request struct {
	Size   int64  `json:"size"`
	Spec   Spec   `json:"spec"`
	Limits Limits `json:"limits"`
}

// answer is a [Result] without its data, or an [*Error], or, with Kind 0 and a Reason, another error.
type answer struct {
	Kind   Kind   `json:"kind,omitempty"`
	Reason string `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"`
	Result Result `json:"result"`
}

type wire struct {
	r *bufio.Reader
	w *bufio.Writer
}

func newWire(r io.Reader, w io.Writer) *wire {
	return &wire{r: bufio.NewReaderSize(r, 64<<10), w: bufio.NewWriterSize(w, 64<<10)}
}

// send queues one message; flush sends what is queued.
func (w *wire) send(kind byte, payload []byte) error {
	head := [5]byte{kind}
	binary.BigEndian.PutUint32(head[1:], uint32(len(payload)))
	if _, err := w.w.Write(head[:]); err != nil {
		return err
	}
	_, err := w.w.Write(payload)
	return err
}

func (w *wire) flush() error { return w.w.Flush() }

func (w *wire) sendJSON(kind byte, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.send(kind, b)
}

// receive reads one message of at most limit bytes. It does not trust the length: memory is taken as bytes arrive.
func (w *wire) receive(limit int) (byte, []byte, error) {
	var head [5]byte
	if _, err := io.ReadFull(w.r, head[:]); err != nil {
		return 0, nil, err
	}
	n := int64(binary.BigEndian.Uint32(head[1:]))
	if n > int64(limit) {
		return 0, nil, fmt.Errorf("a message of %d bytes, at most %d are expected", n, limit)
	}
	var b bytes.Buffer
	b.Grow(int(min(n, blockBytes)))
	if _, err := io.CopyN(&b, w.r, n); err != nil {
		return 0, nil, fmt.Errorf("a message of %d bytes: %w", n, err)
	}
	return head[0], b.Bytes(), nil
}

// expect is receive for one type of message.
func (w *wire) expect(kind byte, limit int) ([]byte, error) {
	got, b, err := w.receive(limit)
	if err == nil && got != kind {
		err = fmt.Errorf("a message of type %d instead of %d", got, kind)
	}
	return b, err
}

func needBytes(off int64, n int) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(off))
	return binary.BigEndian.AppendUint32(b, uint32(n))
}

func parseNeed(b []byte) (off int64, n int, err error) {
	if len(b) != 12 {
		return 0, 0, fmt.Errorf("a need of %d bytes", len(b))
	}
	off, n = int64(binary.BigEndian.Uint64(b)), int(binary.BigEndian.Uint32(b[8:]))
	if off < 0 || n < 1 || n > blockBytes {
		return 0, 0, fmt.Errorf("a need of %d bytes at %d", n, off)
	}
	return off, n, nil
}
