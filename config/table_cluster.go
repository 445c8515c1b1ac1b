package config

import "time"

// clusterTable describes the section cluster. It is a list, whatever its length.
func clusterTable(c *Cluster) []entry {
	return []entry{
		{
			name: "consul", to: &c.Consul, most: 16, check: consulAddress,
			doc: "Consul addresses (host:port or URL), tried in order. None: the node is alone.",
		},
		{
			name: "namespace", to: &c.Namespace, pattern: namespacePattern,
			expect: `must be 1 to 64 of A-Z, a-z, 0-9, ".", "_" and "-", not beginning with "." or "-"`,
			doc:    "Keeps several clusters on one Consul apart. The same on all nodes of a cluster.",
		},
		{
			name: "isolation", to: &c.Isolation, words: []string{"majority", "static", "dynamic"},
			doc: "Who may write when nodes cannot see each other: those with a majority of Consul, the live one with the highest priority (static), or all but that one (dynamic).",
		},
		{name: "token_file", to: &c.TokenFile, doc: "File that holds the ACL token for Consul; it is read again when it changes. Empty: none."},
		{name: "tls", doc: "Files for https addresses of Consul.", keys: []entry{
			{name: "ca", to: &c.TLS.CA, doc: "PEM file of the authorities to trust. Empty: the system's."},
			{name: "cert", to: &c.TLS.Cert, doc: "PEM file of the certificate to show. Empty: none."},
			{name: "key", to: &c.TLS.Key, doc: "PEM file of its key."},
			{name: "server_name", to: &c.TLS.ServerName, check: serverName, doc: "Name that Consul's certificate must have. Empty: the host of the address."},
		}},
		{
			name: "advertise", to: &c.Advertise, check: advertiseAddress,
			doc: "host:port at which the other nodes reach this node's HTTP. Empty: http.listen.",
		},
		{name: "wait_for_nodes", to: &c.WaitForNodes, min: 0, max: maxNodes, doc: "Nothing is imported before so many nodes are there. 0: no waiting."},
		{
			name: "session_ttl", to: &c.SessionTTL, min: int64(500 * time.Millisecond), max: int64(time.Hour),
			doc: "How long a silent node keeps its work; Consul ends its session after up to twice that. Consul's own least is 10s unless its servers are set otherwise.",
		},
		{name: "publish_rules", to: &c.PublishRules, doc: "Whether rule sets may be published with these settings."},
	}
}
