package s3

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"hotfolderd/asset"
)

// Use says what a store is opened for, and so what its server must keep.
type Use uint8

const (
	// ForWorkArea: nodes write side by side, so a create must have one winner.
	ForWorkArea Use = 1 << iota
	// ForDrops: people replace what a node removes, so a removal must never hit a newer object.
	ForDrops
)

// Config of [Open]. Only URL is required.
type Config struct {
	// URL is s3://bucket/prefix?endpoint=https://host:9000&region=eu-west-1&path_style=true. Without an endpoint it is AWS;
	// without a region the server is asked; path_style is found out when it is missing. It holds no secrets.
	URL string
	// CredentialsFile is a file in the format of ~/.aws/credentials; it is read again when it changes. Empty is the usual
	// chain: AWS_ACCESS_KEY_ID and its like, MINIO_ROOT_USER and its like, ~/.aws, the machine's role.
	CredentialsFile string
	// Profile in that file; empty is AWS_PROFILE or "default".
	Profile string
	// CA is a PEM file with the authorities that may sign the server's certificate; empty is the system's.
	CA string
	// Use is what the store is for; 0 is everything.
	Use Use
	// AcceptRisk takes a store for drops whose removal may hit a newer object that comes in the same moment.
	AcceptRisk bool
	// ReadOnly: nothing is probed, and every write is refused.
	ReadOnly bool
	// Spool is a local folder for what is larger than 1 MiB until it is published; empty is the system's for temporary files.
	// What lies there has no name and vanishes with the process.
	Spool string
	// Log gets what no caller is told; nil is silent.
	Log *zap.Logger
	// Metrics registers the counter of requests; nil is off. Several stores may share one.
	Metrics prometheus.Registerer
}

// String is the URL without what somebody may have put into it by mistake.
func (c Config) String() string { return redacted(c.URL) }

// GoString is String.
func (c Config) GoString() string { return c.String() }

const defaultEndpoint = "https://s3.amazonaws.com"

// place is what a store URL says.
type place struct {
	bucket   string
	prefix   string // of every name in the bucket: empty, or with a slash at its end
	endpoint string
	secure   bool
	region   string
	style    string // "", "true" or "false"
}

func parseURL(text string) (place, error) {
	u, err := url.Parse(text)
	if err != nil {
		return place{}, errors.New("it is no URL") // the library's error holds the text
	}
	switch {
	case u.Scheme != "s3" || u.Host == "":
		return place{}, errors.New("want s3://bucket/prefix?endpoint=https://host:9000&region=eu-west-1")
	case u.User != nil:
		return place{}, errors.New("it holds a user or a secret; put them into a credentials file")
	case u.Port() != "":
		return place{}, errors.New("a bucket has no port; name the server as ?endpoint=https://host:9000")
	}
	p := place{bucket: u.Host}
	if err := p.setPrefix(u.Path); err != nil {
		return place{}, err
	}
	return p, p.set(u.Query())
}

// Overlap reports whether two store URLs lead to places of one bucket of which one holds the other, or is the same. What is no URL of a
// bucket overlaps nothing.
func Overlap(x, y string) bool {
	a, errA := parseURL(x)
	b, errB := parseURL(y)
	return errA == nil && errB == nil && a.endpoint == b.endpoint && a.bucket == b.bucket &&
		(strings.HasPrefix(a.prefix, b.prefix) || strings.HasPrefix(b.prefix, a.prefix))
}

func (p *place) setPrefix(path string) error {
	path = strings.Trim(path, "/")
	if path == "" {
		return nil
	}
	key, err := asset.ParseKey(path)
	if err == nil {
		err = storable(path)
	}
	p.prefix = string(key) + "/"
	return err
}

func (p *place) set(query url.Values) error {
	p.endpoint = defaultEndpoint
	for name, values := range query {
		value := values[len(values)-1]
		switch name {
		case "endpoint":
			p.endpoint = value
		case "region":
			p.region = value
		case "path_style":
			p.style = value
			if _, err := strconv.ParseBool(value); err != nil {
				return errors.New("path_style is true or false")
			}
		default:
			return fmt.Errorf("unknown parameter %s; there are endpoint, region and path_style", strconv.Quote(name))
		}
	}
	return p.checkEndpoint()
}

func (p *place) checkEndpoint() error {
	e, err := url.Parse(p.endpoint)
	if err != nil || e.Host == "" || e.User != nil || strings.Trim(e.Path, "/") != "" || e.RawQuery != "" {
		return errors.New("endpoint is https://host:port or http://host:port, and nothing else")
	}
	if e.Scheme != "http" && e.Scheme != "https" {
		return errors.New("endpoint begins with https:// or http://")
	}
	p.secure = e.Scheme == "https"
	p.endpoint = e.Scheme + "://" + e.Host
	return nil
}

// String is the URL for people.
func (p place) String() string {
	query := url.Values{}
	if p.endpoint != defaultEndpoint {
		query.Set("endpoint", p.endpoint)
	}
	if p.region != "" {
		query.Set("region", p.region)
	}
	if p.style != "" {
		query.Set("path_style", p.style)
	}
	u := url.URL{Scheme: "s3", Host: p.bucket, Path: strings.TrimSuffix("/"+p.prefix, "/"), RawQuery: query.Encode()}
	return u.String()
}

// redacted is a store URL without the parts that could be secrets: everything but scheme, bucket, prefix and what is known to be
// none.
func redacted(text string) string {
	if p, err := parseURL(text); err == nil {
		return p.String()
	}
	u, err := url.Parse(text)
	if err != nil {
		return "s3://?"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
