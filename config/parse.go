package config

import (
	"cmp"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ParseSettings reads a settings file; file is its name in messages. What was not written has its default. The error is
// an [Errors] with every fault of the file, and then the settings are not to be used. The node id may be empty:
// callers fill it with [DefaultID].
func ParseSettings(file string, data []byte) (Settings, error) {
	s := Default()
	r := read(file, data, settingsTable(&s))
	r.relateSettings(&s)
	return s, r.done()
}

// ParseRule reads a rule file, which holds one rule. What was not written has its default. The error is an [Errors] with
// every fault of the file, and then the rule is not to be used.
func ParseRule(file string, data []byte) (Rule, error) {
	rule := DefaultRule("")
	rule.File = file
	r := read(file, data, ruleTable(&rule))
	r.relateRule(&rule)
	return rule, r.done()
}

// done is the error of the file, its faults in the order of their places.
func (r *reader) done() error {
	r.sort()
	return r.faults.orNil()
}

func (r *reader) sort() {
	slices.SortStableFunc(r.faults, func(a, b Error) int {
		if a.Line == 0 || b.Line == 0 {
			return cmp.Compare(b.Line, a.Line) // what has no place comes last
		}
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// relateSettings checks what no value can tell alone. Only written values are at fault: a default gives way.
func (r *reader) relateSettings(s *Settings) {
	switch {
	case s.Import.PerHotfolder <= s.Import.Workers:
	case r.written("import.per_hotfolder"):
		r.at(fault{strconv.Itoa(s.Import.PerHotfolder) + " is more than import.workers, " + strconv.Itoa(s.Import.Workers), "lower it, or raise import.workers"}, "import.per_hotfolder")
	default:
		s.Import.PerHotfolder = s.Import.Workers
	}
	if s.HTTP.TokenFile == "" && !isLoopback(s.HTTP.Listen) {
		r.at(fault{quoted(s.HTTP.Listen) + " can be reached from other machines, but there is no http.token_file", "set http.token_file, or listen on 127.0.0.1"}, "http.listen")
	}
	if s.HTTP.UsersFile != "" && s.HTTP.TokenFile == "" {
		r.at(fault{"people log in by http.users_file, but there is no http.token_file, from which their sessions are signed", "set http.token_file"}, "http.users_file")
	}
	if (s.FTP.TLS.Cert == "") != (s.FTP.TLS.Key == "") {
		r.at(fault{"a certificate and its key belong together", "set both ftp.tls.cert and ftp.tls.key, or none"}, "ftp.tls.cert", "ftp.tls.key")
	}
	r.relatePorts(s)
	r.relateCluster(s)
}

// relatePorts refuses two listeners on one port.
func (r *reader) relatePorts(s *Settings) {
	host, http, _ := net.SplitHostPort(s.HTTP.Listen)
	ftpHost, ftp, _ := net.SplitHostPort(s.FTP.Listen)
	if http == ftp && http != "0" && (host == ftpHost || isEverywhere(host) || isEverywhere(ftpHost)) {
		r.at(fault{"http.listen and ftp.listen have the same port " + ftp, "give one of them another port"}, "ftp.listen", "http.listen")
	}
	first, last, err := s.FTP.PortRange()
	if port, _ := strconv.Atoi(ftp); err == nil && first <= port && port <= last {
		r.at(fault{s.FTP.PassivePorts + " holds " + ftp + ", the port of ftp.listen", "choose ports above it"}, "ftp.passive_ports", "ftp.listen")
	}
}

// relateRule fills the defaults that depend on the name and checks what no value can tell alone.
func (r *reader) relateRule(rule *Rule) {
	whole := DefaultRule(rule.Hotfolder)
	if !r.written("path") {
		rule.Path = whole.Path
	}
	if !r.written("name") {
		rule.Name = whole.Name
	}
	if poll := rule.Complete.Poll.D(); poll > 0 && poll < 100*time.Millisecond {
		r.at(fault{rule.Complete.Poll.String() + " is too often", "at least 100ms, or 0 to let the node choose"}, "complete.poll")
	}
	r.relatePins(rule)
	r.relateRetry(&rule.Retry)
}

// relatePins refuses preferred nodes that may not run the hotfolder.
func (r *reader) relatePins(rule *Rule) {
	if len(rule.RunOn) == 0 {
		return
	}
	for _, id := range rule.Prefer {
		if !slices.Contains(rule.RunOn, id) {
			r.at(fault{quoted(id) + " is not in run_on, so it can never be preferred", "add it to run_on, or take it away here"}, "prefer")
		}
	}
}

func (r *reader) relateRetry(t *Retry) {
	switch {
	case t.Backoff <= t.MaxBackoff:
	case !r.written("retry.max_backoff"):
		t.MaxBackoff = t.Backoff
	case !r.written("retry.backoff"):
		t.Backoff = t.MaxBackoff
	default:
		r.at(fault{t.Backoff.String() + " is longer than retry.max_backoff, " + t.MaxBackoff.String(), "lower it, or raise retry.max_backoff"}, "retry.backoff")
	}
}

func isEverywhere(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || (ip != nil && ip.IsUnspecified())
}

func isLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	ip := net.ParseIP(host)
	return err == nil && (strings.EqualFold(host, "localhost") || (ip != nil && ip.IsLoopback()))
}
