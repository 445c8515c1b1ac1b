package s3

import (
	"time"

	"hotfolderd/asset"
)

// Storable says why a name cannot be written.
func Storable(name string) error { return storable(name) }

// Name is what a key is called in the bucket.
func (s *Store) Name(key asset.Key) string { return s.name(key) }

// Twin opens another prefix of a bucket that was tried already.
func Twin(probed *Store, c Config) (*Store, error) {
	s, err := newStore(c)
	if err != nil {
		return nil, err
	}
	s.promises, s.props = probed.promises, probed.props
	s.props.URL = s.at.String()
	return s, nil
}

// Lower makes small objects large ones: more than so many bytes travel in parts of this size.
func (s *Store) Lower(large, part int64) {
	s.limits.memory, s.limits.stream, s.limits.parts, s.limits.part, s.limits.streamed, s.limits.copyPart = 1<<10, large, large, part, part, part
}

// ShortClaims lets the claim of a move be buried when it is so old.
func (s *Store) ShortClaims(d time.Duration) { s.limits.claim = d }

// LookNow makes the store look at its credentials file with the next request.
func LookNow(s *Store) {
	s.secretFile.mu.Lock()
	defer s.secretFile.mu.Unlock()
	s.secretFile.looked = time.Time{}
}

// FewHints makes room for so many hints only.
func (s *Store) FewHints(n int) { s.limits.hints = n }

// SmallPages lets a listing ask for so many names at once.
func (s *Store) SmallPages(n int) { s.limits.page = n }

// HearWithin gives the server so long to show that it tells of changes.
func (s *Store) HearWithin(d time.Duration) { s.limits.hear = d }
