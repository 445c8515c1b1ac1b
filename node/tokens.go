package node

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"

	"hotfolderd/accounts"
	"hotfolderd/admin/access"
	"hotfolderd/cluster"
)

// readTokens reads the token file, which is looked at again when it changes.
func (n *Node) readTokens() error {
	n.tokens = func() access.Tokens { return nil }
	name := n.o.Settings.HTTP.TokenFile
	if name == "" {
		return nil
	}
	f, err := accounts.OpenFile(name, n.log, access.ParseTokens)
	if err != nil {
		return fmt.Errorf("http.token_file: %w", err)
	}
	n.tokens = f.Now
	return nil
}

// tokensFor are the tokens to show to another node, in this order; the one that it took last goes before all.
func (n *Node) tokensFor(last string) []string {
	all := slices.Clone(n.tokens())
	if i := slices.Index(all, last); i > 0 {
		all[0], all[i] = all[i], all[0]
	}
	return all
}

// toMember is a request to another node, with one of the tokens, or none.
func (n *Node) toMember(ctx context.Context, method, address, path, token string, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+address+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if session := n.ownSession(); session != "" {
		req.Header.Set(headerSession, session)
	}
	return req, nil
}

// headerSession names the sender's session in Consul, which only the members of the cluster know.
const headerSession = "Hotfolder-Session"

// isPeer reports whether a live member asks.
func (n *Node) isPeer(r *http.Request) bool {
	shown := r.Header.Get(headerSession)
	return shown != "" && slices.ContainsFunc(n.liveMembers(), func(m cluster.Member) bool { return m.Session == shown })
}

// ownSession is this node's, as the others know it; empty when it has none.
func (n *Node) ownSession() string {
	for _, m := range n.liveMembers() {
		if m.ID == n.o.Settings.Node.ID {
			return m.Session
		}
	}
	return ""
}

// liveMembers are those of the cluster, as soon as this node is one.
func (n *Node) liveMembers() []cluster.Member {
	if n.together == nil {
		return nil
	}
	n.mu.Lock()
	members := n.together.members
	n.mu.Unlock()
	if members == nil {
		return nil
	}
	return members.View().Members
}
