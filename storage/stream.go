package storage

import (
	"context"
	"time"

	"hotfolderd/asset"
)

// Streamer is implemented by stores that can take the bytes of an object while they come, where [Store.Stage] keeps all of them on this
// machine until the end. Its methods are safe for concurrent use.
type Streamer interface {
	// Stream begins an object with the one key that it can be published under. ctx ends every wait of its Write. The error is
	// [errors.ErrUnsupported] where the store cannot do it safely; Stage can.
	Stream(ctx context.Context, key asset.Key) (Stream, error)
	// GoOn goes on, in any process, with a stream that was left or whose process died, behind its first at bytes: one of
	// [Streamed].Ends. What the store has behind that is replaced. fs.ErrNotExist when it was published or given up.
	GoOn(ctx context.Context, token string, at int64) (Stream, error)
	// Streamed tells what the store has of a stream; fs.ErrNotExist as for GoOn.
	Streamed(ctx context.Context, token string) (Streamed, error)
	// GiveUp takes away what the store has of a stream. One that has ended is no error.
	GiveUp(ctx context.Context, token string) error
}

// Streamed is what a store has of a stream.
type Streamed struct {
	// Ends are the offsets behind which it can go on, in their order. There may be none.
	Ends []int64
	// Changed is when the newest bytes came, by the store's clock.
	Changed time.Time
}

// Stream is a [Staged] whose bytes are on their way before it is published, and can be kept when it breaks off. Publish takes no key
// but Key, and may be repeated after an error. ReadAt reads nothing before Sent. Discard gives up what the store has, unless the stream
// was left.
type Stream interface {
	Staged
	// Key is the one that it can be published under.
	Key() asset.Key
	// Token is what another process needs to go on; empty while the store has nothing.
	Token() string
	// Sent is how many of the first bytes the store has.
	Sent() int64
	// Settle waits until what is on its way has arrived, and returns why it did not.
	Settle(ctx context.Context) error
	// Leave ends the stream and keeps what the store has, for GoOn. Idempotent.
	Leave() error
}
