package s3

import "hotfolderd/asset"

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
