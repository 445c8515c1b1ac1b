package access

import "context"

// Identity is somebody who was let in.
type Identity struct {
	Name    string // empty when nobody is named: the one token of the settings, or a node without any
	Role    Role
	Address string // that the request came from
}

type identityKey struct{}

// With gives a context the identity of whom it works for.
func With(ctx context.Context, id Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, id)
}

// Of is whom a context works for; the zero identity has no role.
func Of(ctx context.Context) Identity {
	id, _ := ctx.Value(identityKey{}).(Identity)
	return id
}
