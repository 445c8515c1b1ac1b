package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"hotfolderd/asset"
)

// PortRange is the first and the last port of [FTP.PassivePorts]. It fails only for settings that were not parsed here.
func (f FTP) PortRange() (first, last int, err error) {
	low, high, ranged := strings.Cut(f.PassivePorts, "-")
	if !ranged {
		high = low
	}
	first, errFirst := port(low)
	last, errLast := port(high)
	switch {
	case errFirst != nil || errLast != nil:
		return 0, 0, fmt.Errorf("%s is no range of ports such as %s", quoted(f.PassivePorts), DefaultPassivePorts)
	case first > last:
		return 0, 0, fmt.Errorf("%s ends before it begins", quoted(f.PassivePorts))
	case first == 0:
		return 0, 0, fmt.Errorf("%s holds port 0, which clients cannot reach", quoted(f.PassivePorts))
	}
	return first, last, nil
}

func port(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0, errors.New("no port")
	}
	return int(n), nil
}

func passivePorts(s string) fault {
	if _, _, err := (FTP{PassivePorts: s}).PortRange(); err != nil {
		return fault{err.Error(), "ports are 1 to 65535"}
	}
	return fault{}
}

func listenAddress(s string) fault {
	host, number, err := net.SplitHostPort(s)
	if err != nil {
		return fault{quoted(s) + " is no address to listen on", "write host:port, as 127.0.0.1:8480 or [::1]:8480"}
	}
	if _, err := port(number); err != nil {
		return fault{quoted(s) + " has no port from 0 to 65535", "write host:port, as 127.0.0.1:8480"}
	}
	if host != "" && !isHost(host) {
		return fault{quoted(host) + " is no host name or IP address", "write host:port, as 127.0.0.1:8480"}
	}
	return fault{}
}

func listenAddressOrNone(s string) fault {
	if s == "" {
		return fault{}
	}
	return listenAddress(s)
}

// ParseNetwork reads an address as the network of it alone, or a network such as 10.0.0.0/8.
func ParseNetwork(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%s is no address such as 10.0.0.5, and no network such as 10.0.0.0/8", quoted(s))
	}
	return p, nil
}

func network(s string) fault {
	if _, err := ParseNetwork(s); err != nil {
		return fault{err.Error(), ""}
	}
	return fault{}
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)

func isHost(s string) bool {
	address, zone, _ := strings.Cut(s, "%")
	if net.ParseIP(address) != nil {
		return zone == "" || hostName.MatchString(zone)
	}
	return len(s) <= 253 && hostName.MatchString(s)
}

func publicHost(s string) fault {
	if s == "" || isHost(s) {
		return fault{}
	}
	return fault{quoted(s) + " is no host name or IP address", "write it without scheme and port"}
}

// consulAddress accepts host, host:port and either as an http or https URL.
func consulAddress(s string) fault {
	if strings.Contains(s, "@") {
		return fault{"a Consul address must not hold a password", "give the token as a file or by the environment"}
	}
	rest := s
	for _, scheme := range []string{"http://", "https://"} {
		if after, ok := strings.CutPrefix(s, scheme); ok {
			rest = strings.TrimSuffix(after, "/")
		}
	}
	host, number, err := net.SplitHostPort(rest)
	if err != nil {
		host, number = rest, "8500"
	}
	if _, err := port(number); err != nil || !isHost(host) {
		return fault{quoted(s) + " is no Consul address", "write host:port or http://host:port"}
	}
	return fault{}
}

func rulesFolder(s string) fault {
	switch {
	case s == "":
		return fault{"it is empty", "write a folder, or " + Published}
	case strings.Contains(s, "://"):
		return fault{quoted(s) + " is no folder", "rule files are read from a folder; " + Published + " takes the rule set from the store"}
	}
	return fault{}
}

// storeURL accepts a folder, a file URL and an S3 URL. Whether such a store can be served is decided by who opens it.
func storeURL(s string) fault {
	scheme, _, isURL := strings.Cut(s, "://")
	switch {
	case s == "":
		return fault{"it is empty", "write a folder, file:///folder or s3://bucket/prefix"}
	case isURL:
		return checkURL(scheme, s)
	case strings.HasPrefix(s, "file:") || strings.HasPrefix(s, "s3:"):
		return fault{quoted(s) + " has no // after its scheme", "write file:///folder or s3://bucket/prefix"}
	}
	return fault{}
}

// checkURL never repeats the URL in its message: somebody may have put a password into it.
func checkURL(scheme, s string) fault {
	u, err := url.Parse(s)
	switch {
	case scheme != "file" && scheme != "s3":
		return fault{"a store is not reached by " + quoted(scheme), "write a folder, file:///folder or s3://bucket/prefix"}
	case err != nil:
		return fault{"it is no URL that can be read", "write a space as %20 and a percent sign as %25"}
	case u.User != nil || holdsSecret(u):
		return fault{"a store URL must not hold a key, token or password", "give secrets as files or by the environment"}
	case u.Fragment != "" || strings.Contains(s, "#"):
		return fault{"it holds #", "write it as %23"}
	case scheme == "file":
		return checkFileURL(u)
	case u.Hostname() == "" || u.Port() != "":
		return fault{"it names no bucket", "write s3://bucket/prefix?endpoint=https://host:9000"}
	}
	return keyPart(strings.TrimSuffix(strings.TrimPrefix(u.Path, "/"), "/"))
}

func checkFileURL(u *url.URL) fault {
	switch {
	case u.Host != "" && u.Host != "localhost":
		return fault{quoted(u.Host) + " is taken for another machine", "write three slashes: file:///" + shorten(u.Host) + "..."}
	case u.RawQuery != "":
		return fault{"a file URL has no query", "write a question mark as %3F"}
	case strings.Trim(u.Path, "/") == "":
		return fault{"it names no folder", "write file:///folder"}
	}
	return keyPart(strings.Trim(u.Path, "/"))
}

// keyPart checks the path in a URL like a key, so that no spelling of it can climb.
func keyPart(s string) fault {
	if s == "" {
		return fault{}
	}
	if _, err := asset.ParseKey(s); err != nil {
		return fault{err.Error(), ""}
	}
	return fault{}
}

var (
	secretWord = regexp.MustCompile(`(?i)secret|passw|token|access.?key|credential`)
	userInURL  = regexp.MustCompile(`://[^/?#]*@`)
)

// holdsSecret looks at the query: a secret itself, not the name of a file that holds one.
func holdsSecret(u *url.URL) bool {
	query, err := url.ParseQuery(u.RawQuery)
	for key, values := range query {
		isFile := strings.HasSuffix(strings.ToLower(key), "file")
		if (secretWord.MatchString(key) && !isFile) || userInURL.MatchString(strings.Join(values, " ")) {
			return true
		}
	}
	return err != nil
}

// rulePath accepts a key below the store or a store URL. The trees that the program owns are no hotfolders.
func rulePath(s string) fault {
	if scheme, _, isURL := strings.Cut(s, "://"); isURL {
		return checkURL(scheme, s)
	}
	key, err := asset.ParseKey(s)
	clean := strings.Trim(s, "/")
	switch {
	case err != nil && strings.HasPrefix(s, "/"):
		return fault{quoted(s) + " begins with a slash", "write a folder below the store, or file:///folder for another one"}
	case err != nil && clean != s && clean != "":
		return fault{quoted(s) + " ends with a slash", "write " + quoted(clean)}
	case err != nil:
		return fault{err.Error(), "write a folder below the store, as hotfolders/products"}
	case reserved(key):
		return fault{quoted(s) + " lies in a tree that the program owns", "choose a folder outside of " + oneOf(reservedTrees)}
	}
	return fault{}
}

var reservedTrees = []string{"workarea", ".hotfolderd"}

// reserved compares without regard to case: on some shares the two would be one folder.
func reserved(k asset.Key) bool {
	first, _, _ := strings.Cut(string(k), "/")
	for _, tree := range reservedTrees {
		if strings.EqualFold(first, tree) {
			return true
		}
	}
	return false
}
