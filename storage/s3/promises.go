package s3

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// promises are what a bucket and its server keep, as far as trying tells.
type promises struct {
	Server        string // as it calls itself
	Versions      bool   // the bucket keeps versions
	Create        bool   // a PUT only if absent has one winner
	Complete      bool   // so has the end of an upload in parts
	PutIf         bool   // a PUT looks at the version that it replaces
	CompleteIf    bool   // so does the end of an upload in parts
	CopyIf        bool   // a copy looks at the version of its source
	RemoveIf      bool   // a removal looks at the version
	RemoveVersion bool   // one version can be taken away
	amazon        bool
}

// twoSteps are servers that look at a version and remove it in two steps, which no single try can show.
var twoSteps = map[string]bool{"VERSITYGW": true}

// removeCertain reports whether a removal never hits a newer object: by the id of a version, or by a condition, where it is documented
// to hold in a race too.
func (p promises) removeCertain() bool {
	if twoSteps[p.Server] {
		return false
	}
	return p.Versions && p.RemoveVersion || p.RemoveIf && p.amazon
}

// suffice refuses a bucket that does not keep what is needed; risk accepts that a newer drop may be lost.
func (p promises) suffice(use Use, risk bool, bucket string) error {
	if use&ForWorkArea != 0 && !p.Create {
		return fmt.Errorf("bucket %s cannot hold a work area: %w", strconv.Quote(bucket), p.noCreate())
	}
	if use&ForDrops != 0 && !p.removeCertain() && !risk {
		return fmt.Errorf("bucket %s cannot hold drops: %s; or accept the risk (accept_risk), which is none where no name is used twice",
			strconv.Quote(bucket), p.noRemove())
	}
	return nil
}

func (p promises) noCreate() error {
	const why = "its server lets two writers create one object, so two nodes could import one drop"
	if p.Versions {
		return errors.New(why + "; some servers do so only where versions are kept: use a bucket without versions for the work area")
	}
	return errors.New(why + "; use a server that knows If-None-Match on PUT")
}

func (p promises) noRemove() string {
	const lost = "a drop that replaces another while that is removed could be lost"
	switch {
	case p.Versions && p.RemoveVersion:
		return lost + ": " + p.Server + " removes a version in two steps; use another server for drops"
	case p.Versions:
		return lost + ": its server cannot remove one version alone; use another server for drops"
	case p.RemoveIf:
		return lost + ": it keeps no versions, and that its server looks and removes in one step cannot be known; turn versioning on for " +
			"it, with a lifecycle rule that lets old versions expire"
	}
	return lost + ": it keeps no versions, and its server removes without looking; turn versioning on for it, with a lifecycle rule " +
		"that lets old versions expire"
}

func isAmazon(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	host := u.Hostname()
	return strings.HasSuffix(host, ".amazonaws.com") || strings.HasSuffix(host, ".amazonaws.com.cn")
}
