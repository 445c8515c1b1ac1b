package node

import (
	"errors"
	"fmt"
	"strconv"

	"go.uber.org/zap"

	"hotfolderd/storage"
)

// errNotMounted: a folder of this machine's own disk is where a share was.
var errNotMounted = errors.New("the share is not mounted")

// wasShare is where the memory of this machine keeps what kind of share a hotfolder had at an address.
func wasShare(address string) string { return "share at " + address }

// expectShare holds a hotfolder's own store against what this machine remembers. A folder of its own disk in place of a share is a mount
// point: what lies in it was not dropped, and what people drop comes into it as soon as the share is mounted. A share is remembered.
func (n *Node) expectShare(where string, o *opened) {
	if n.o.Memory == "" || o.disk == nil || where == n.o.Settings.Storage.URL {
		return
	}
	address, err := addressOf(where)
	if err != nil {
		return
	}
	known, err := readMemory(n.o.Memory)
	kind := o.Properties().Kind
	switch was := known[wasShare(address)]; {
	case o.Properties().Remote || was != "" && n.o.NewStore:
		if !o.Properties().Remote {
			kind = ""
		}
		if err == nil {
			err = remember(n.o.Memory, wasShare(address), kind)
		}
		if err != nil {
			n.noMemory(err)
		}
	case was != "" && o.missing == nil:
		o.missing = fmt.Errorf("%w: %s: %w: it was %s and is a folder of this machine's %s now. Mount it; when this folder is to be used from now "+
			"on, start once with --new-store", storage.ErrIdentity, strconv.Quote(o.folder), errNotMounted, was, kind)
		n.absent.note(o, o.missing.Error())
		n.log.Error("a share cannot be used", zap.String("path", o.folder), zap.Error(o.missing))
	}
}
