package node

import (
	"context"
	"fmt"
	"strconv"

	"hotfolderd/admin"
	"hotfolderd/admin/access"
	"hotfolderd/asset"
)

// webAudit journals what people do to a hotfolder by HTTP; all of it is in the log.
func (n *Node) webAudit(c admin.Change) {
	if c.Hotfolder == "" {
		return
	}
	words := fmt.Sprintf("http %s %s by %s", c.Method, c.Path, person(c.Who))
	if c.Refused != "" {
		words += "; not done: " + c.Refused
	}
	n.area.Journal().Record(asset.Event{
		Time: c.Time, Node: n.o.Settings.Node.ID, Hotfolder: c.Hotfolder, Door: asset.DoorHTTP, Result: asset.AtDoor, Reason: words, Took: c.Took,
	})
}

// person says who somebody is, and from where.
func person(who access.Identity) string {
	name := "somebody with the token"
	switch {
	case who.Name != "":
		name = strconv.Quote(who.Name)
	case who.Role == 0:
		name = "somebody who was not known"
	}
	return fmt.Sprintf("%s (%s) from %s", name, who.Role, who.Address)
}

// by says for whom a context works, if it is somebody who came by HTTP.
func by(ctx context.Context) string {
	if who := access.Of(ctx); who.Role != 0 {
		return ", by " + person(who)
	}
	return ""
}
