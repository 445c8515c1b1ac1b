package config

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Advertised is the host:port at which the other nodes reach this node's HTTP: cluster.advertise, else http.listen with the
// port of bound, the address that was really taken (empty: not known yet). The error says that http.listen is every address
// of the machine and nothing says which one to use; it cannot come from settings that were parsed here with cluster.consul.
func (s Settings) Advertised(bound string) (string, error) {
	if s.Cluster.Advertise != "" {
		return s.Cluster.Advertise, nil
	}
	host, number, err := net.SplitHostPort(s.HTTP.Listen)
	if err != nil {
		return "", fmt.Errorf("http.listen: %w", err)
	}
	if isEverywhere(host) {
		return "", fmt.Errorf("http.listen: %w", unknownAddress(s.HTTP.Listen).err())
	}
	if _, taken, err := net.SplitHostPort(bound); err == nil {
		number = taken
	}
	return net.JoinHostPort(host, number), nil
}

func unknownAddress(listen string) fault {
	return fault{
		quoted(listen) + " is every address of this machine, so the other nodes do not know which one to use",
		"set cluster.advertise to the host:port at which they reach this node",
	}
}

// relateCluster checks what the keys of a cluster mean together. A node that is alone leaves them unused.
func (r *reader) relateCluster(s *Settings) {
	c := &s.Cluster
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		r.at(fault{"a certificate and its key belong together", "set both cluster.tls.cert and cluster.tls.key, or none"}, "cluster.tls.cert", "cluster.tls.key")
	}
	if len(c.Consul) == 0 {
		if c.WaitForNodes > 1 {
			r.at(fault{fmt.Sprintf("%d nodes will never be there: without cluster.consul this node is alone", c.WaitForNodes), "set cluster.consul, or leave the key away"}, "cluster.wait_for_nodes")
		}
		return
	}
	if (c.TLS != ConsulTLS{}) && !hasHTTPS(c.Consul) {
		r.at(fault{"no address of cluster.consul begins with https://, so it would not be used", "write https:// before the addresses, or leave cluster.tls away"},
			"cluster.tls.ca", "cluster.tls.cert", "cluster.tls.key", "cluster.tls.server_name")
	}
	if host, _, err := net.SplitHostPort(s.HTTP.Listen); err == nil && isEverywhere(host) && c.Advertise == "" {
		r.at(unknownAddress(s.HTTP.Listen), "http.listen")
	}
}

func hasHTTPS(addresses []string) bool {
	for _, a := range addresses {
		if strings.HasPrefix(a, "https://") {
			return true
		}
	}
	return false
}

// advertiseAddress accepts a host:port that somebody else can go to.
func advertiseAddress(s string) fault {
	if s == "" {
		return fault{}
	}
	const hint = "write the host:port at which the other nodes reach this node, as 10.0.0.1:8480"
	host, number, err := net.SplitHostPort(s)
	switch {
	case err != nil:
		return fault{quoted(s) + " is no host:port", hint}
	case isEverywhere(host):
		return fault{quoted(s) + " is every address, which nobody can go to", hint}
	case !isHost(host):
		return fault{quoted(host) + " is no host name or IP address", hint}
	}
	if n, err := strconv.Atoi(number); err != nil || n < 1 || n > 65535 {
		return fault{quoted(s) + " has no port from 1 to 65535", hint}
	}
	return fault{}
}

func serverName(s string) fault {
	if s == "" || isHost(s) {
		return fault{}
	}
	return fault{quoted(s) + " is no host name", "write the name in the certificate, without scheme and port"}
}

// Common are the settings that all nodes of a cluster should have alike, by their names: with different ones the nodes work, but
// what becomes of a drop or a job depends on who takes it, or on who sweeps for all, or they do not agree on who may write. The cluster
// shows where they differ.
func (s Settings) Common() map[string]string {
	return map[string]string{
		"cluster.isolation":       s.Cluster.Isolation,
		"cluster.session_ttl":     fmt.Sprint(s.Cluster.SessionTTL),
		"cluster.wait_for_nodes":  fmt.Sprint(s.Cluster.WaitForNodes),
		"http.resume_ttl":         fmt.Sprint(s.HTTP.ResumeTTL),
		"import.max_pixels":       fmt.Sprint(s.Import.MaxPixels),
		"storage.journal_days":    fmt.Sprint(s.Storage.JournalDays),
		"thumbnails.cache_age":    fmt.Sprint(s.Thumbnails.CacheAge),
		"thumbnails.cache_size":   fmt.Sprint(s.Thumbnails.CacheSize),
		"workarea.jobs.max_quota": fmt.Sprint(s.Workarea.Jobs.MaxQuota),
		"workarea.jobs.max_ttl":   fmt.Sprint(s.Workarea.Jobs.MaxTTL),
		"workarea.jobs.quota":     fmt.Sprint(s.Workarea.Jobs.Quota),
		"workarea.jobs.total":     fmt.Sprint(s.Workarea.Jobs.Total),
		"workarea.jobs.ttl":       fmt.Sprint(s.Workarea.Jobs.TTL),
		"workarea.watch":          strings.Join(s.Workarea.Watch, ", "),
	}
}
