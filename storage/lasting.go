package storage

import (
	"context"
	"time"
)

// Lasting is ctx that ends so long after ctx has: for a step that is better waited for than cut, since the other side may take it all the
// same. The caller must call end, which ends it at once. It has the values of ctx, and no deadline that could be asked for.
func Lasting(ctx context.Context, d time.Duration) (longer context.Context, end context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(d, cancel) })
	return longer, func() { stop(); cancel() }
}
