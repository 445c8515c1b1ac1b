package consultest

import (
	"crypto/rand"
	"testing"

	"github.com/hashicorp/consul/api"
)

const (
	managementToken = "d9a9e4f1-3c52-4a7e-9d43-0f1f5b0f3c11"
	denySettings    = `acl { enabled = true, default_policy = "deny", tokens { initial_management = "` + managementToken + `" } }`
)

// StartDenying is [Start] with ACLs: nobody may do anything without a token. [Server.Client] and [Server.Dial] may do everything.
func StartDenying(t testing.TB, hcl ...string) *Server {
	t.Helper()
	s := newServer(t, append(hcl, denySettings)...)
	s.token = managementToken
	return s.run(t)
}

// Token is a new token that may do what the policy, in Consul's HCL, allows and nothing else. The server must be one of
// [StartDenying].
func (s *Server) Token(t testing.TB, policy string) string {
	t.Helper()
	acl := s.Client(t).ACL()
	name := rand.Text()
	if _, _, err := acl.PolicyCreate(&api.ACLPolicy{Name: name, Rules: policy}, nil); err != nil {
		t.Fatal(err)
	}
	token, _, err := acl.TokenCreate(&api.ACLToken{Policies: []*api.ACLTokenPolicyLink{{Name: name}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return token.SecretID
}

// Revoke takes a token away.
func (s *Server) Revoke(t testing.TB, token string) {
	t.Helper()
	acl := s.Client(t).ACL()
	self, _, err := acl.TokenReadSelf(&api.QueryOptions{Token: token})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := acl.TokenDelete(self.AccessorID, nil); err != nil {
		t.Fatal(err)
	}
}
