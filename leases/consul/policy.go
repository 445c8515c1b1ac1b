package consul

import "fmt"

// Root is the prefix of all keys of a namespace.
func Root(namespace string) string { return "hotfolderd/" + namespace + "/" }

// nodePrefix begins the names of a namespace's nodes in Consul's catalog. The colon is in no namespace and in no node id, so
// that no namespace's prefix begins another's.
func nodePrefix(namespace string) string { return "hf-" + namespace + ":" }

func catalogNode(namespace, node string) string { return nodePrefix(namespace) + node }

// Policy is the ACL policy, in Consul's HCL, that is enough for every node and client of one namespace, and opens nothing of
// another: all keys below [Root], and the sessions and catalog nodes of its nodes.
func Policy(namespace string) string {
	return fmt.Sprintf(`key_prefix %q {
  policy = "write"
}
session_prefix %q {
  policy = "write"
}
node_prefix %q {
  policy = "write"
}
`, Root(namespace), nodePrefix(namespace), nodePrefix(namespace))
}
