package ftpgate

import (
	"context"
	"crypto/rand"
	"errors"
	"hash"
	"time"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

var putLater = storage.PutOptions{Deferred: true}

// upload is one STOR or APPE from its first byte to its fate.
type upload struct {
	s      *session
	user   *User
	to     target
	id     string // of this attempt, in the names of what is kept
	t      *transfer
	staged storage.Staged
	stream storage.Stream // what staged is, when the store takes the bytes while they come; else nil
	goesOn bool           // the stream broke off before
	base   int64          // bytes that were there before, by REST or APPE
	points checkpoints
	sum    hash.Hash // of the bytes so far; nil: not known
}

// uploadName is who uploads what where.
type uploadName struct {
	user, hotfolder string
	key             asset.Key
}

func (u *upload) name() uploadName { return uploadName{u.user.Name, u.to.hotfolder, u.to.key} }

func (s *session) cmdStor(param string) { s.store(param, s.restart, false) }

func (s *session) cmdAppe(param string) { s.store(param, 0, true) }

// store takes an upload and answers it.
func (s *session) store(param string, offset int64, appending bool) {
	u := &upload{s: s, user: s.account(), id: rand.Text()[:12]}
	err := u.prepare(param, offset > 0 || appending)
	if err == nil {
		err = u.run(offset, appending)
	}
	s.dropData()
	if err != nil {
		u.told(err, false)
		s.fail("STOR", err)
	}
}

// prepare finds out whether the upload can be begun.
func (u *upload) prepare(param string, goesOn bool) (err error) {
	if err := u.s.dataReady(); err != nil {
		return err
	}
	if u.to, err = u.s.forWriting(u.s.ctx, param); err != nil {
		return err
	}
	if goesOn {
		err = u.takeOver()
	}
	return err
}

// run is the walk of an upload. Until its end nobody sees anything of it, and what came is kept for its owner if it breaks.
func (u *upload) run(offset int64, appending bool) (err error) {
	s := u.s
	ctx, t, end := s.start("upload", u.to.path)
	defer end()
	u.t = t

	if err := u.roomFor(ctx, s.declared); err != nil {
		return err
	}
	from, offset, err := u.findBase(ctx, offset, appending)
	if err == nil {
		err = u.open(ctx, from, offset)
	}
	if err != nil {
		return causeOf(ctx, err)
	}
	defer u.discard()
	if err := u.fillBase(ctx, from, offset); err != nil {
		return causeOf(ctx, err)
	}
	u.beginProof()

	defer s.g.uploads.begin(u)()
	err = u.receive(ctx)
	if err == nil {
		err = u.check(ctx)
	}
	var stored storage.Object
	if err == nil {
		stored, err = u.makeDurable(ctx)
	}
	if err != nil {
		err = causeOf(ctx, err)
		u.keep(ctx, err)
		return err
	}
	end() // what the client says from now on is no part of the transfer
	u.publish(stored)
	return nil
}

// discard lets go of what is staged. A stream that broke off before is still as good as it was.
func (u *upload) discard() {
	var err error
	if u.goesOn {
		err = u.stream.Leave()
	}
	if err := errors.Join(err, u.staged.Discard()); err != nil {
		u.s.log.Warn("staged bytes were left", zap.Error(err))
	}
}

// check asks whether the bytes may become a drop.
func (u *upload) check(ctx context.Context) error {
	err := u.s.g.o.Check(ctx, Upload{
		User: u.user.Name, Hotfolder: u.to.hotfolder, Key: u.to.key, Size: u.staged.Size(), Bytes: u.staged,
	})
	if err != nil && ctx.Err() == nil {
		return answerf(553, "refused: %s", err)
	}
	return causeOf(ctx, err)
}

// told counts the upload and tells the audit how it ended.
func (u *upload) told(err error, unheard bool) {
	e := u.to.on("upload")
	if u.t != nil {
		e.Size, e.Took = u.base+u.t.moved.Load(), time.Since(u.t.since)
	}
	result := "stored"
	if err != nil {
		_, e.Refused, _ = answerTo(err)
		e.Kept = u.points.saved > 0
		result = "refused"
		if u.t != nil && u.t.moved.Load() > 0 {
			result = "cut"
		}
	}
	if unheard {
		result = "unheard"
	}
	u.s.g.metrics.uploads.WithLabelValues(u.to.hotfolder, result).Inc()
	u.s.audit(e)
}
