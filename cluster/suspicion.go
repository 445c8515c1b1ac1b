package cluster

import "time"

// suspicion is what an observer makes of the answers of one session of one member.
type suspicion struct {
	o ProbeOptions
	// returned: the instance was a member before under another session, so it lived longer than its session. Then a refusal
	// is no proof (a firewall refuses too) until it was reached once; or members that cannot reach each other would take each
	// other's sessions for ever.
	returned bool

	reached  bool
	refusals int       // in a row
	misses   int       // in a row, refusals too
	since    time.Time // when it was asked first, or answered last
}

// note takes the answer of a probe that began at asked.
func (s *suspicion) note(a answer, asked time.Time) {
	if s.since.IsZero() {
		s.since = asked
	}
	switch a {
	case alive:
		s.reached, s.refusals, s.misses, s.since = true, 0, 0, asked
	case gone:
		s.refusals++
		s.misses++
	case silent:
		s.refusals = 0
		s.misses++
	}
}

// dead: it should be suspected. Silence is believed only of a member that was reached before: nobody may take a firewall's
// drop for a death.
func (s *suspicion) dead(now time.Time) bool {
	refused := s.refusals >= s.o.Refusals && (s.reached || !s.returned)
	gone := s.misses >= s.o.Misses && now.Sub(s.since) >= s.o.Silence && s.reached
	return refused || gone
}

// pause is the time from one probe to the next. After the first refusals it looks again sooner.
func (s *suspicion) pause() time.Duration {
	if s.refusals > 0 && s.refusals < s.o.Refusals {
		return s.o.Interval / 4
	}
	return s.o.Interval
}

// reset forgets the misses: this node may be the one that is cut off.
func (s *suspicion) reset() { s.refusals, s.misses, s.since = 0, 0, time.Time{} }
