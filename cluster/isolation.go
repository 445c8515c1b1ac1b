package cluster

import "fmt"

// Writable reports whether the node may write, and if not, why, in a sentence.
//
// With isolation majority and dynamic: while it has contact. With static: the main node always, even without contact; the
// others while they have contact and the main node lives. The answer changes by time alone when contact is lost; ask again.
func (v View) Writable() (ok bool, why string) {
	switch {
	case v.IsolatedMain:
		return true, ""
	case !v.Contact:
		return false, fmt.Sprintf("Consul does not answer, so this node cannot know what the others do (isolation: %s)", v.isolation)
	case v.isolation != Static || v.Main == v.Self:
		return true, ""
	case v.Main == "":
		return false, "there is no main node at the moment (isolation: static)"
	}
	if _, live := v.Member(v.Main); !live {
		return false, fmt.Sprintf("the main node %s is not live (isolation: static): start it, or let another have its duty by hotfolderd cluster forget %s", v.Main, v.Main)
	}
	return true, ""
}

// Importing reports whether imports may start, and if not, why: the node is writable, and once since it joined at least
// WaitFor members with the role import were live at the same time.
func (v View) Importing() (ok bool, why string) {
	if ok, why := v.Writable(); !ok {
		return false, why
	}
	if !v.enough {
		n := 0
		for _, m := range v.Members {
			if m.Has(RoleImport) {
				n++
			}
		}
		return false, fmt.Sprintf("%d of the %d nodes with the role import that are waited for are live (wait_for_nodes)", n, v.waitFor)
	}
	return true, ""
}
