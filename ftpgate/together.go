package ftpgate

// join makes the session one of the user's, if there may be one more.
func (g *Gate) join(s *session, u *User) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if u.Limits.Sessions > 0 {
		defer g.nudge()
		if g.sessionsOf(u.Name)+g.sessionsElsewhere(u.Name) >= u.Limits.Sessions {
			return false
		}
	}
	s.setAccount(u)
	return true
}

// sessionsOf counts a user's here; mu is held.
func (g *Gate) sessionsOf(user string) (count int) {
	for _, s := range g.sessions {
		if a := s.account(); a != nil && a.Name == user {
			count++
		}
	}
	return count
}

// sessionsElsewhere counts a user's at the gates of other nodes that live, as they have told; mu is held.
func (g *Gate) sessionsElsewhere(user string) (count int) {
	for node, told := range g.others {
		if told[user] > 0 && g.o.Lives(node) {
			count += told[user]
		}
	}
	return count
}

// limitedSessions are those of users who may have only so many.
func (g *Gate) limitedSessions() map[string]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	count := map[string]int{}
	for _, s := range g.sessions {
		if a := s.account(); g.isLimited(a) && (count[a.Name] > 0 || len(count) < mostSpenders) {
			count[a.Name]++
		}
	}
	return count
}

// isLimited reports whether somebody may have only so many sessions, by the users file as it is now.
func (g *Gate) isLimited(u *User) bool {
	if u == nil {
		return false
	}
	now, ok := g.o.Users.Lookup(u.Name)
	return ok && now.Limits.Sessions > 0
}

func (g *Gate) hearSessions(node string, told map[string]int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.others[node] = told
}
