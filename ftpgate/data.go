package ftpgate

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"
)

var (
	errNoData   = errors.New("say PASV, EPSV, PORT or EPRT first")
	errNotSafe  = errors.New("data must be encrypted here: say PROT P first")
	errCutShort = errors.New("the data ended without saying so; it may have been cut")
	errStalled  = errors.New("no data came for too long")
)

// opener makes a data connection. It is used once.
type opener interface {
	open(ctx context.Context) (*net.TCPConn, error)
	close()
}

// dropData forgets the address for data.
func (s *session) dropData() {
	if s.data != nil {
		s.data.close()
		s.data = nil
	}
}

// dataConn is a data connection, plain or encrypted.
type dataConn struct {
	net.Conn
	raw   *net.TCPConn
	ended *endNoter // nil: not encrypted
}

// connect makes the data connection, tells the client (150), and encrypts it, in the order that clients wait for. Nothing was told
// when the error wraps errNoConnection.
func (s *session) connect(ctx context.Context, what string) (*dataConn, error) {
	o := s.data
	s.data = nil
	raw, err := o.open(ctx)
	if err != nil {
		o.close()
		return nil, errors.Join(errNoConnection, err)
	}
	d := &dataConn{Conn: raw, raw: raw}
	s.reply(150, "%s", what)
	if !s.private {
		return d, nil
	}
	return d, d.encrypt(ctx, s.g.secure)
}

var errNoConnection = errors.New("there is no data connection")

// dataReady says what keeps a transfer from having a data connection.
func (s *session) dataReady() error {
	switch {
	case s.data == nil:
		return errNoData
	case !s.private && (s.g.o.RequireTLS || s.account().RequireTLS):
		return errNotSafe
	}
	return nil
}

// encrypt is the handshake, within the time that a data connection may take.
func (d *dataConn) encrypt(ctx context.Context, config *tls.Config) error {
	ctx, cancel := context.WithTimeout(ctx, dataTimeout)
	defer cancel()
	d.ended = &endNoter{Conn: d.raw}
	conn := tls.Server(d.ended, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = d.raw.Close()
		return fmt.Errorf("encrypt the data connection: %w", err)
	}
	d.Conn = conn
	return nil
}

// endNoter notes the bare end of a connection. TLS calls that the end of the stream, as if it had been said.
type endNoter struct {
	net.Conn
	bare atomic.Bool
}

func (e *endNoter) Read(p []byte) (int, error) {
	n, err := e.Conn.Read(p)
	if errors.Is(err, io.EOF) {
		e.bare.Store(true)
	}
	return n, err
}

// saidEnd reports whether the other side has said, and nobody else could have, that this is the end.
func (d *dataConn) saidEnd() bool { return d.ended != nil && !d.ended.bare.Load() }

// next reads the next piece, for which there is a time.
func (d *dataConn) next(p []byte, stall time.Duration) (int, error) {
	if err := d.SetReadDeadline(time.Now().Add(stall)); err != nil {
		return 0, err
	}
	n, err := d.Read(p)
	return n, stalled(err)
}

// stalled is the error of a time that ran out, in our words.
func stalled(err error) error {
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		return errStalled
	}
	return err
}

// put writes a piece, for which there is a time.
func (d *dataConn) put(p []byte, stall time.Duration) error {
	if err := d.SetWriteDeadline(time.Now().Add(stall)); err != nil {
		return err
	}
	_, err := d.Write(p)
	return err
}

// finish says the end and closes.
func (d *dataConn) finish() error {
	_ = d.SetWriteDeadline(time.Now().Add(writeTimeout))
	return d.Close()
}
