package ftpgate

import (
	"maps"
	"slices"

	"go.uber.org/zap"

	"hotfolderd/accounts"
)

// UsersFile is a file of users; see [accounts.File]. Safe for concurrent use.
type UsersFile struct {
	file *accounts.File[map[string]*User]
}

var _ UserSource = (*UsersFile)(nil)

// OpenUsers reads the file. Its error says every fault with its line.
func OpenUsers(path string, log *zap.Logger) (*UsersFile, error) {
	f, err := accounts.OpenFile(path, log, ParseUsers)
	return &UsersFile{f}, err
}

// Lookup implements UserSource.
func (f *UsersFile) Lookup(name string) (*User, bool) {
	u, ok := f.file.Now()[name]
	return u, ok
}

// Decoy implements UserSource.
func (f *UsersFile) Decoy(name string) string {
	var hashes []string
	for _, u := range f.file.Now() {
		if u.Hash != "" {
			hashes = append(hashes, u.Hash)
		}
	}
	slices.Sort(hashes)
	return accounts.Decoy(name, hashes)
}

// Hotfolders implements UserSource.
func (f *UsersFile) Hotfolders() []string {
	var all []string
	for _, u := range f.file.Now() {
		all = slices.AppendSeq(all, maps.Values(u.Mounts))
	}
	slices.Sort(all)
	return slices.Compact(all)
}
