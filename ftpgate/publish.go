package ftpgate

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/intake"
	"hotfolderd/storage"
)

// errUnheard: the client was told 226 and is known not to have heard it.
var errUnheard = errors.New("the client was gone before it heard the answer")

// makeDurable stores the bytes under a name that nobody lists, from which any gate can finish them, and lets go of them: what is open
// for writing has no version that can be moved.
func (u *upload) makeDurable(ctx context.Context) (storage.Object, error) {
	at, stored, err := u.store(ctx)
	if err == nil {
		u.discard()
		return stored, nil
	}
	u.takeBack(ctx, at) // the client is told that it failed, so it must not become a drop later
	return stored, err
}

func (u *upload) store(ctx context.Context) (at asset.Key, stored storage.Object, err error) {
	if u.stream != nil {
		stored, err = u.endStream(ctx)
		return u.stream.Key(), stored, err
	}
	mark := u.mark()
	at, err = u.s.g.names.New(ctx, u.to.folder, u.to.hotfolder, u.to.key, mark)
	if err == nil {
		stored, err = u.staged.Publish(ctx, at, storage.PutOptions{IfAbsent: true, Proven: mark != ""})
	}
	return at, stored, err
}

// takeBack removes what may be stored although an error came back.
func (u *upload) takeBack(ctx context.Context, at asset.Key) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	for _, key := range []asset.Key{at, intake.Beside(at)} {
		if key == asset.Root {
			continue
		}
		if err := u.to.folder.Store.Remove(ctx, key, ""); err != nil && !notThere(err) {
			u.s.log.Warn("bytes of an upload that failed may be left", zap.String("key", key.Shown()), zap.Error(err))
		}
	}
}

// publish tells the client that its file is stored, and gives it its name when the client has heard that. Meanwhile other sessions see
// it, and wait when they want to open or change it.
func (u *upload) publish(stored storage.Object) {
	s := u.s
	open, decided := s.g.pending.begin(u.name(), stored)
	defer decided()
	before := s.c.listen()
	s.reply(226, "stored, %d bytes", stored.Size)
	heard := s.c.heard(s.ctx, before, s.g.o.Settle)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), cleanupTimeout)
	defer cancel()
	if heard != nil {
		u.keepStored(ctx, stored)
		u.told(errors.Join(errUnheard, heard), true)
		return
	}
	stored = u.date(ctx, stored, open, before)
	s.g.o.Naming(u.to.hotfolder, u.to.key, stored.Version)
	final, err := s.g.giveName(ctx, u.to.place, stored)
	if err != nil { // the client was told; so the bytes stay where they are, and the sweep tries again
		s.g.left.Add(stored.Key)
		s.log.Error("an upload is stored but has no name yet; it is tried again", zap.String("key", u.to.key.Shown()), zap.Error(err))
		return
	}
	s.g.recent.add(u.name(), final, s.id)
	s.g.o.Heard(u.to.hotfolder, u.to.key, final.Version)
	u.told(nil, false)
	u.dropPartials(ctx)
}

// giveName moves stored bytes to their place. The move need not be durable: after a power cut the bytes have one name or the other,
// and the sweep finds them.
func (g *Gate) giveName(ctx context.Context, p place, stored storage.Object) (storage.Object, error) {
	final, err := p.folder.Name(ctx, stored, p.full(), putLater)
	if err != nil {
		return final, fmt.Errorf("name an upload: %w", err)
	}
	if err := p.dropNote(ctx, stored); err != nil {
		g.o.Log.Warn("the note of a stored upload was left", zap.Error(err))
	}
	return final, nil
}

// dropNote removes what was beside a pending upload, if anything.
func (p place) dropNote(ctx context.Context, pending storage.Object) error {
	note := intake.Beside(pending.Key)
	if note == asset.Root {
		return nil
	}
	return p.folder.Store.Remove(ctx, note, "")
}
