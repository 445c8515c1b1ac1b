package posix

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	"hotfolderd/storage"
)

// line is a TCP connection: what is written to one end can be read at the other.
func line(t *testing.T) (from, to *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer l.Close()
	out, err := net.Dial("tcp", l.Addr().String())
	check(t, err)
	in, err := l.Accept()
	check(t, err)
	t.Cleanup(func() { _, _ = out.Close(), in.Close() })
	return out.(*net.TCPConn), in.(*net.TCPConn)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestReceive_takesWhatCameInOrder(t *testing.T) {
	s := open(t)
	st, err := s.Stage(t.Context())
	check(t, err)
	defer func() { check(t, st.Discard()) }()
	from, to := line(t)
	want := make([]byte, 5<<20+12345)
	random := rand.NewChaCha8([32]byte{7})
	_, _ = random.Read(want)
	const byHand = 1000 // the first bytes are written, as the gate does it
	sent := make(chan error, 1)
	go func() {
		for rest := want; len(rest) > 0; {
			n := min(len(rest), 1+rand.IntN(300_000))
			if _, err := from.Write(rest[:n]); err != nil {
				sent <- err
				return
			}
			rest = rest[n:]
		}
		sent <- from.CloseWrite()
	}()
	_, err = io.CopyN(st, to, byHand)
	check(t, err)
	for {
		n, err := st.(storage.Receiver).Receive(to, 1<<20)
		if err == io.EOF {
			break
		}
		check(t, err)
		check(t, st.(storage.Receiver).Append())
		if n < 1 || n > 1<<20 {
			t.Fatalf("want some bytes, at most those asked for, got %d", n)
		}
	}
	check(t, <-sent)
	if st.Size() != int64(len(want)) {
		t.Errorf("want %d bytes, got %d", len(want), st.Size())
	}
	o, err := st.Publish(t.Context(), "all", storage.PutOptions{})
	check(t, err)
	r, err := s.Open(t.Context(), "all", o.Version)
	check(t, err)
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
		t.Errorf("want the same bytes, got %d, %v", len(got), err)
	}
}

func TestReceive_tellsWhatIsWrongWithTheConnection(t *testing.T) {
	s := open(t)
	st, err := s.Stage(t.Context())
	check(t, err)
	defer func() { check(t, st.Discard()) }()
	from, to := line(t)
	check(t, to.SetReadDeadline(time.Now().Add(10*time.Millisecond)))
	var wrong *net.OpError
	if _, err := st.(storage.Receiver).Receive(to, 100); !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &wrong) {
		t.Errorf("want it late, got %v", err)
	}
	check(t, to.SetReadDeadline(time.Time{}))
	check(t, from.SetLinger(0))
	check(t, from.Close())
	if n, err := st.(storage.Receiver).Receive(to, 100); n != 0 || !errors.As(err, &wrong) || errors.Is(err, io.EOF) {
		t.Errorf("want a reset, got %d, %v", n, err)
	}
	check(t, to.Close())
	if _, err := st.(storage.Receiver).Receive(to, 100); !errors.Is(err, net.ErrClosed) {
		t.Errorf("want it closed, got %v", err)
	}
}

// A file system without splice gets the bytes as well.
func TestReceive_byHand(t *testing.T) {
	s := open(t)
	st, err := s.stage()
	check(t, err)
	defer func() { check(t, st.Discard()) }()
	check(t, st.openPipe())
	w := os.NewFile(uintptr(st.pipe.w), "pipe")
	_, err = w.Write([]byte("some bytes"))
	check(t, err)
	check(t, st.drainByHand(10))
	got := make([]byte, 10)
	if _, err := st.ReadAt(got, 0); err != nil || string(got) != "some bytes" {
		t.Errorf("want the bytes, got %q, %v", got, err)
	}
	st.pipe.w = -1 // closed by w
	check(t, w.Close())
}
