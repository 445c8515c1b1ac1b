package ftpgate

import (
	"context"
	"errors"
	"io"

	"hotfolderd/storage"
)

// cmdRetr sends a file from where REST said.
func (s *session) cmdRetr(param string) {
	r, p, err := s.openFile(param)
	if err != nil {
		s.dropData()
		s.fail("RETR", err)
		return
	}
	defer r.Close()
	e := p.on("download")
	e.Size = r.Object().Size - s.restart
	err = s.sendData("download", s.path(param), func(ctx context.Context, t *transfer, d *dataConn) error {
		return s.sendFile(ctx, t, d, io.NewSectionReader(r, s.restart, r.Object().Size-s.restart))
	})
	if err != nil {
		_, e.Refused, _ = answerTo(err)
		s.audit(e)
		s.fail("RETR", err)
		return
	}
	s.audit(e)
	s.reply(226, "that was all, %d bytes", e.Size)
}

// openFile opens a file that may be sent, and checks that REST is within it.
func (s *session) openFile(param string) (storage.Reader, place, error) {
	if err := s.dataReady(); err != nil {
		return nil, place{}, err
	}
	p, err := s.file(param)
	if err != nil {
		return nil, p, err
	}
	o, err := s.stat(s.ctx, p)
	if err != nil {
		return nil, p, s.wasTaken(p, err)
	}
	r, err := p.folder.Store.Open(s.ctx, p.full(), o.Version)
	if err == nil && s.restart > r.Object().Size {
		err = errors.Join(answerf(554, "it cannot begin at %d: the file has %d bytes", s.restart, r.Object().Size), r.Close())
	}
	return r, p, err
}

func (s *session) sendFile(ctx context.Context, t *transfer, d *dataConn, r io.Reader) error {
	buf := s.g.buffers.get()
	defer s.g.buffers.put(buf)
	u := s.account()
	for {
		n, err := r.Read(buf[:])
		if n > 0 {
			if err := d.put(buf[:n], s.g.o.Stall); err != nil {
				return errors.Join(errCut, err)
			}
			t.moved.Add(int64(n))
			s.g.metrics.out.Add(float64(n))
			if err := s.g.paces.of(u.Name, "out").wait(ctx, int64(n), int64(u.Limits.Rate)); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
