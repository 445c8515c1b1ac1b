package config

import (
	"net"
	"strings"
	"time"
)

// consulLeastTTL is what Consul refuses to go below unless its servers have another session_ttl_min.
const consulLeastTTL = Duration(10 * time.Second)

// OddSettings is what a settings file says that can be meant and rarely is, each with its place, in the order of the file. It
// is nil for a file with faults: those come first.
func OddSettings(file string, data []byte) []Error {
	s := Default()
	r := read(file, data, settingsTable(&s))
	r.relateSettings(&s)
	if len(r.faults) > 0 || len(s.Cluster.Consul) == 0 {
		return nil
	}
	r.oddPlaces(&s)
	r.oddConsul(&s)
	r.sort()
	return r.faults
}

// oddPlaces tells of places that only this machine can reach, in a cluster.
func (r *reader) oddPlaces(s *Settings) {
	if s.Storage.URL == DefaultStorageURL {
		r.at(fault{"the store is the folder " + DefaultStorageURL + " of this machine", "all nodes of a cluster need the same store: set storage.url to a share or a bucket"}, "storage.url", "cluster.consul")
	}
	at, err := s.Advertised("")
	if err == nil && isLoopback(at) {
		r.at(fault{quoted(at) + " is reached from this machine only", "fine as long as all nodes run here; else set http.listen or cluster.advertise to an address that the others reach"},
			"cluster.advertise", "http.listen", "cluster.consul")
	}
}

func (r *reader) oddConsul(s *Settings) {
	c := s.Cluster
	if c.SessionTTL < consulLeastTTL {
		r.at(fault{c.SessionTTL.String() + " is shorter than Consul allows", "fine when its servers have a session_ttl_min of that or less; else write at least " + consulLeastTTL.String()}, "cluster.session_ttl")
	}
	if plain := plainAddress(c.Consul); c.TokenFile != "" && plain != "" {
		r.at(fault{"the token goes to " + quoted(plain) + " unencrypted", "write https:// before the address"}, "cluster.token_file")
	}
	if c.Isolation != DefaultIsolation && !r.written("node.priority") {
		r.at(fault{"which node is the main one depends on node.priority, which is not set", "give the main node the highest; among equals the smallest id is main"}, "cluster.isolation")
	}
}

// plainAddress is the first address that a token would cross the network to without encryption, or empty.
func plainAddress(addresses []string) string {
	for _, a := range addresses {
		if strings.HasPrefix(a, "https://") {
			continue
		}
		host := strings.TrimSuffix(strings.TrimPrefix(a, "http://"), "/")
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if !isLoopback(net.JoinHostPort(host, "0")) {
			return a
		}
	}
	return ""
}
