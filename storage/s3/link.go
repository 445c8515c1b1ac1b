package s3

import (
	"context"
	"net/url"
	"time"

	"hotfolderd/asset"
)

// Link is an address at which an object can be read for a while by whoever has it, so it must not be logged. The answer there calls
// itself contentType and has that disposition. Nobody is asked whether the object is there. It is the address of the server as this
// store has it.
func (s *Store) Link(ctx context.Context, key asset.Key, valid time.Duration, contentType, disposition string) (string, error) {
	if err := ended(ctx, "link", key); err != nil {
		return "", err
	}
	as := url.Values{"response-content-type": {contentType}, "response-content-disposition": {disposition}}
	u, err := s.client.PresignedGetObject(ctx, s.at.bucket, s.name(key), valid, as)
	if err != nil {
		return "", fail(ctx, "link", key, err)
	}
	return u.String(), nil
}
