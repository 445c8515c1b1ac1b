package ftpgate

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"hotfolderd/config"
)

// UserSource knows who may use the gate. Its methods are safe for concurrent use and answer soon. [UsersFile] is one.
type UserSource interface {
	// Lookup is the user of that name as it is now. What it returns is never changed.
	Lookup(name string) (*User, bool)
	// Decoy is a hash that the password of a user who does not exist is compared with, so that both take the same time; empty when
	// there is none.
	Decoy(name string) string
	// Hotfolders are the names of all hotfolders that any user can reach.
	Hotfolders() []string
}

// User is one account.
type User struct {
	Name string
	// Hash of the password, as hotfolderd user hash-password makes it; empty for an account without password, which is only anonymous.
	Hash string
	// Mounts are the hotfolders by their place in the user's view: "/", "/products". The places are clean and absolute.
	Mounts      map[string]string
	Permissions Permission
	// Addresses that the user may come from; none: any.
	Addresses []netip.Prefix
	// RequireTLS refuses the user without encryption.
	RequireTLS bool
	Limits     Limits
}

// Limits of one user; 0 is none.
type Limits struct {
	Sessions int         // at a time, on all nodes; those that begin within a second at several may exceed it
	Rate     config.Size // bytes per second and direction, over all sessions on one node
	FileSize config.Size // of one upload
	Daily    config.Size // uploaded bytes a day (UTC), on all nodes; what came within seconds at several may exceed it
}

// Permission is a set of things that a user may do.
type Permission uint8

// The permissions. Logging in, changing folders and asking for features need none.
const (
	MayUpload Permission = 1 << iota
	MayList
	MayDownload
	MayDelete
	MayRename
	MayMkdir
)

// DefaultPermissions are those of a user for whom none are written: enough to drop files by way of a temporary name.
const DefaultPermissions = MayUpload | MayList | MayRename | MayMkdir

var permissionWords = [...]string{"upload", "list", "download", "delete", "rename", "mkdir"}

// parsePermission is the permission of a word, or 0.
func parsePermission(word string) Permission {
	i := slices.Index(permissionWords[:], word)
	if i < 0 {
		return 0
	}
	return 1 << i
}

// verb says a single permission in words.
func (p Permission) verb() string {
	for i, word := range permissionWords {
		if p == 1<<i {
			return word
		}
	}
	return "do that"
}

// May reports whether the user may do all of it.
func (u *User) May(p Permission) bool { return u.Permissions&p == p }

// from reports whether the user may come from an address.
func (u *User) from(a netip.Addr) bool {
	return len(u.Addresses) == 0 || slices.ContainsFunc(u.Addresses, func(p netip.Prefix) bool { return p.Contains(a) })
}

// mount finds the hotfolder that a clean absolute path lies in, and the rest of the path below its place. The longest place wins.
func (u *User) mount(p string) (hotfolder, rest string, ok bool) {
	best := ""
	for at, name := range u.Mounts {
		tail, under := strings.CutPrefix(p, strings.TrimSuffix(at, "/")+"/")
		if (under || p == at) && len(at) > len(best) {
			best, hotfolder, ok = at, name, true
			rest = tail
			if p == at {
				rest = ""
			}
		}
	}
	return hotfolder, rest, ok
}

// below lists the names directly below a clean absolute path that lead to a mount.
func (u *User) below(p string) []string {
	prefix := strings.TrimSuffix(p, "/") + "/"
	var names []string
	for at := range u.Mounts {
		if rest, ok := strings.CutPrefix(at, prefix); ok && rest != "" {
			name, _, _ := strings.Cut(rest, "/")
			names = append(names, name)
		}
	}
	slices.SortFunc(names, cmp.Compare[string])
	return slices.Compact(names)
}
