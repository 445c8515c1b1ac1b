package ftpgate

import (
	"context"
	"net/netip"
	"path"
	"sync"
	"time"

	"go.uber.org/zap"

	"hotfolderd/asset"
)

const (
	maxFaults    = 30 // lines that are no command, after which the session ends
	maxPasswords = 3  // wrong ones in one session
)

// session is one client from its greeting to its end. Its commands run one after the other in the library's loop; the fields
// below mu are also read by others.
type session struct {
	g      *Gate
	c      *control
	ctx    context.Context //nolint:containedctx // the library's commands have none; it ends with the session
	cancel context.CancelCauseFunc
	log    *zap.Logger
	id     string
	since  time.Time
	ends
	local netip.Addr // of this machine, for data connections

	ahead    *line  // of which something was to be known before it is executed
	last     bool   // no command is read any more
	faults   int    // lines that were no command
	wrong    int    // passwords
	name     string // as USER said
	cwd      string // clean and absolute, in the user's view
	restart  int64  // by REST
	declared int64  // by ALLO; 0 is nothing
	ascii    bool   // TYPE A, for SYST and STAT only: bytes are never changed
	private  bool   // PROT P
	sized    bool   // PBSZ was said
	epsvAll  bool
	rename   *target // by RNFR
	facts    []string
	data     opener // by PASV, EPSV, PORT or EPRT

	mu       sync.Mutex
	user     *User // nil before login
	transfer *transfer
}

// begin makes the session of a client that has said something.
func (l *listener) begin(n *newcomer) *session {
	s := &session{
		g: l.g, c: newControl(n.raw, l.g.secure), id: n.id, since: n.since, ends: n.ends, local: addrOf(n.raw.LocalAddr()), cwd: "/",
		facts: allFacts(), sized: l.implicit, private: l.implicit,
		log: l.g.o.Log.WithLazy(zap.String("session", n.id), zap.Stringer("address", n.client)),
	}
	s.ctx, s.cancel = context.WithCancelCause(l.hard)
	s.c.s = s
	return s
}

// end closes what the session holds open. Idempotent.
func (s *session) end() {
	s.dropData()
	s.cancel(errClosed)
}

// next is the next command for the library, or false when the session is over.
func (s *session) next() (line, bool) {
	for !s.last {
		l, ok := s.await()
		if !ok {
			return line{}, false
		}
		if _, known := s.g.table[l.verb]; known {
			return l, true
		}
		s.refuseLine(l)
	}
	return line{}, false
}

// await waits for a line as long as the limits allow. Lines that came before the client left are still answered.
func (s *session) await() (line, bool) {
	if s.g.isDraining() {
		s.reply(421, "%s", errDraining)
		return line{}, false
	}
	if l, ok := s.lastLine(); ok {
		return l, true
	}
	timer := time.NewTimer(s.patience())
	defer timer.Stop()
	select {
	case l := <-s.c.lines:
		return l, true
	case <-s.c.gone:
		return s.lastLine()
	case <-timer.C:
		s.reply(421, "%s", errSilent)
	case <-s.ctx.Done():
		s.reply(421, "%s", context.Cause(s.ctx))
	case <-s.g.draining:
		s.reply(421, "%s", errDraining)
	}
	return line{}, false
}

// lastLine is a line that has come already; one may have come together with the end.
func (s *session) lastLine() (line, bool) {
	if s.ahead != nil {
		l := *s.ahead
		s.ahead = nil
		return l, true
	}
	select {
	case l := <-s.c.lines:
		return l, true
	default:
		return line{}, false
	}
}

// foresee is the next command, if one has come since so many had. It stays the next.
func (s *session) foresee(before uint64) (line, bool) {
	if s.ahead == nil && s.c.received.Load() > before {
		select { // it is counted before it can be taken
		case l := <-s.c.lines:
			s.ahead = &l
		case <-s.c.closed:
		}
	}
	if s.ahead == nil {
		return line{}, false
	}
	return *s.ahead, true
}

// patience is how long a command may take to come.
func (s *session) patience() time.Duration {
	if s.account() == nil {
		return min(s.g.o.Idle, time.Until(s.since.Add(s.g.o.Login)))
	}
	return s.g.o.Idle
}

// refuseLine answers what is no command of ours.
func (s *session) refuseLine(l line) {
	if s.faults++; s.faults >= maxFaults {
		s.last = true
		s.reply(421, "too many lines that are no command")
		return
	}
	if l.fault != "" {
		s.reply(500, "%s", l.fault)
		return
	}
	s.reply(502, "%s is not known here", l.verb)
}

// account is the user who is logged in, or nil.
func (s *session) account() *User {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.user
}

func (s *session) setAccount(u *User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.user = u
}

// path makes a client's path clean and absolute in the user's view. Nothing leads above its root.
func (s *session) path(param string) string {
	if path.IsAbs(param) {
		return path.Clean(param)
	}
	return path.Join(s.cwd, param)
}

// place is a file or folder of a hotfolder.
type place struct {
	hotfolder string
	folder    Folder
	key       asset.Key // relative to the hotfolder; Root is the hotfolder itself
}

// full is the place's key in its store.
func (p place) full() asset.Key { return p.folder.Prefix.Join(p.key) }
