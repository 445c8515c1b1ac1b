package asset

import "errors"

// ErrNotNow is wrapped by the error of a write that this node may not do at the moment: it is read-only, or the other nodes
// cannot be told. Nothing is wrong with what was to be written; trying again later is right and counts as no attempt.
var ErrNotNow = errors.New("not now")
