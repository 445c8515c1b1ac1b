package ftpgate

import (
	"context"
	"strings"
)

// cmdUser begins a login. The answer says nothing about the user.
func (s *session) cmdUser(name string) {
	switch {
	case s.account() != nil:
		s.reply(530, "you are logged in; say QUIT and come again to be somebody else")
	case s.g.o.RequireTLS && !s.c.encrypted():
		s.reply(530, "encryption is required here: say AUTH TLS first")
	default:
		s.name = name
		if strings.EqualFold(name, "ftp") || strings.EqualFold(name, Anonymous) {
			s.name = Anonymous
		}
		s.reply(331, "now the password")
	}
}

// cmdPass ends a login. All refusals look and last alike, whatever is wrong.
func (s *session) cmdPass(password string) {
	name := s.name
	s.name = ""
	switch {
	case s.account() != nil:
		s.reply(230, "you are logged in already")
		return
	case name == "":
		s.reply(503, "say USER first")
		return
	}
	u, ok, err := s.g.verify(s.ctx, name, password)
	switch {
	case err != nil:
		s.last = true
		s.reply(421, "%s", err)
	case !ok && u == nil:
		s.refuseLogin(name, "no such user")
	case !ok:
		s.refuseLogin(name, "wrong password")
	case !u.from(s.client):
		s.refuseLogin(name, "the user may not come from this address")
	default:
		s.enter(u)
	}
}

// verify reports whether name and password are those of a user. It takes the same time for a user that does not exist.
func (g *Gate) verify(ctx context.Context, name, password string) (u *User, ok bool, err error) {
	u, exists := g.o.Users.Lookup(name)
	if exists && u.Hash == "" {
		return u, true, nil
	}
	against := ""
	if exists {
		against = u.Hash
	} else if against = g.o.Users.Decoy(name); against == "" {
		return nil, false, nil
	}
	good, err := g.verifier.Check(ctx, against, password)
	return u, good && exists, err
}

// enter logs a user in whose password was right.
func (s *session) enter(u *User) {
	switch {
	case u.RequireTLS && !s.c.encrypted():
		s.audit(Event{Kind: "login", User: u.Name, Refused: "not encrypted"})
		s.reply(530, "encryption is required for you: say AUTH TLS first, and change your password")
		return
	case !s.g.join(s, u):
		s.audit(Event{Kind: "login", User: u.Name, Refused: "too many sessions"})
		s.last = true
		s.reply(421, "you have %d sessions, and may have no more", u.Limits.Sessions)
		return
	}
	s.g.metrics.logins.WithLabelValues("ok").Inc()
	s.audit(Event{Kind: "login"})
	s.reply(230, "welcome")
}

// refuseLogin answers a login that failed, late.
func (s *session) refuseLogin(name, why string) {
	address := s.client.String()
	count := s.g.o.Bans.Failed(address)
	s.g.metrics.logins.WithLabelValues("refused").Inc()
	s.audit(Event{Kind: "login", User: name, Refused: why})
	wait(s.ctx, s.g.o.slow(count))
	if s.wrong++; s.wrong >= maxPasswords || s.g.o.Bans.Banned(address) > 0 {
		s.last = true
		s.reply(421, "wrong user or password, too often")
		return
	}
	s.reply(530, "wrong user or password")
}

func (s *session) cmdQuit(string) {
	s.last = true
	s.reply(221, "goodbye")
}
