package admin

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"go.uber.org/zap"

	"hotfolderd/storage"
)

// window is how much is read at a time when a client did not begin at the first byte: on S3 each read is a request.
const window = 256 << 10

// serveBytes is http.ServeContent (ranges, conditions, HEAD) over a store's reader. A store that stops giving bytes is
// given up by calling stop, which ends the reader's context; a client that stops taking them by the write deadline.
func (s *Server) serveBytes(w http.ResponseWriter, r *http.Request, rd storage.Reader, modified time.Time, stop func()) error {
	return s.serveFrom(w, r, &content{rd: rd, size: rd.Object().Size}, modified, stop)
}

func (s *Server) serveFrom(w http.ResponseWriter, r *http.Request, c *content, modified time.Time, stop func()) error {
	stalled := time.AfterFunc(writeTimeout, stop)
	defer stalled.Stop()
	c.read = func() { stalled.Reset(writeTimeout) }
	out := &patient{ResponseWriter: w, c: http.NewResponseController(w)}
	http.ServeContent(out, r, "", modified, c)
	switch out.refused {
	case http.StatusPreconditionFailed:
		return newProblem(out.refused, "the bytes are others than the request's condition names")
	case http.StatusRequestedRangeNotSatisfiable:
		return newProblem(out.refused, fmt.Sprintf("there is no such range: it has %d bytes", c.size))
	}
	if c.err != nil {
		// The status is out already: only a broken connection tells the client that this is not the whole.
		s.log.Debug("asset cut short", zap.Error(c.err))
		panic(http.ErrAbortHandler)
	}
	return nil
}

// patient moves the write deadline with every write, so that a long download may take its time and a dead client not.
type patient struct {
	http.ResponseWriter
	c       *http.ResponseController
	refused int // the status of an error, which is ours to write
}

func (p *patient) WriteHeader(status int) {
	if status >= http.StatusBadRequest {
		p.refused = status
		return
	}
	p.ResponseWriter.WriteHeader(status)
}

func (p *patient) Write(b []byte) (int, error) {
	if p.refused != 0 {
		return len(b), nil
	}
	_ = p.c.SetWriteDeadline(time.Now().Add(writeTimeout)) // a writer without deadlines is a test's
	return p.ResponseWriter.Write(b)
}

// content makes an io.ReadSeeker of a storage.Reader. From the first byte on it reads the stream, which every store gives
// best; elsewhere it reads windows.
type content struct {
	rd        storage.Reader
	size      int64
	pos       int64  // where the next Read begins
	head      []byte // what was read of the stream already
	streamed  int64  // where the stream of rd stands
	windowed  *bufio.Reader
	windowPos int64
	read      func() // tells that bytes came
	err       error  // the first failure that was not the end
}

func (c *content) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += c.pos
	case io.SeekEnd:
		offset += c.size
	}
	if offset < 0 {
		return 0, errors.New("seek before the first byte")
	}
	c.pos = offset
	return offset, nil
}

func (c *content) Read(b []byte) (int, error) {
	if c.pos >= c.size {
		return 0, io.EOF
	}
	b = b[:min(int64(len(b)), c.size-c.pos)]
	n, err := c.readAt(b)
	c.pos += int64(n)
	if n > 0 {
		c.read()
	}
	if errors.Is(err, io.EOF) && c.pos < c.size {
		err = fmt.Errorf("the bytes end at %d of %d: %w", c.pos, c.size, io.ErrUnexpectedEOF)
	}
	if err != nil && !errors.Is(err, io.EOF) && c.err == nil {
		c.err = err
	}
	return n, err
}

func (c *content) readAt(b []byte) (int, error) {
	if c.pos < int64(len(c.head)) {
		return copy(b, c.head[c.pos:]), nil
	}
	if c.pos == c.streamed {
		n, err := c.rd.Read(b)
		c.streamed += int64(n)
		return n, err
	}
	if c.windowed == nil || c.windowPos != c.pos {
		c.windowed = bufio.NewReaderSize(io.NewSectionReader(c.rd, c.pos, c.size-c.pos), window)
		c.windowPos = c.pos
	}
	n, err := c.windowed.Read(b)
	c.windowPos += int64(n)
	return n, err
}
