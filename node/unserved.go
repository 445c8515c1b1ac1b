package node

import (
	"fmt"
	"slices"
	"strings"

	"hotfolderd/admin"
	"hotfolderd/cluster"
	"hotfolderd/config"
)

// unserved are the hotfolders that no live member takes drops from, and why. Nobody else would tell: each node leaves them to
// others.
func (n *Node) unserved() map[string]string {
	if n.together == nil {
		return nil
	}
	n.mu.Lock()
	members, rules := n.together.members, n.rules
	n.mu.Unlock()
	if members == nil {
		return nil
	}
	v := members.View()
	if !v.Contact {
		return nil
	}
	all := map[string]string{}
	for _, r := range rules {
		if why := nobodyTakes(r, v.Members); why != "" {
			all[r.Hotfolder] = why
		}
	}
	return all
}

func nobodyTakes(r config.Rule, members []cluster.Member) (why string) {
	some := false
	for _, m := range members {
		if m.Takes() > 0 {
			if len(r.RunOn) == 0 || slices.Contains(r.RunOn, m.ID) {
				return ""
			}
			some = true
		}
	}
	if !some {
		return "drops wait: no live node has the role import"
	}
	return fmt.Sprintf("drops wait: none of the nodes that may import here is live (run_on: %s)", strings.Join(r.RunOn, ", "))
}

// tellUnserved marks a hotfolder that looks well from here, and is not.
func tellUnserved(f *admin.Folder, why string) {
	if why != "" && f.Level == admin.OK {
		f.Level, f.Reason = admin.Warn, why
	}
}
