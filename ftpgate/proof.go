package ftpgate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"

	"go.uber.org/zap"

	"hotfolderd/intake"
	"hotfolderd/storage"
)

// A small upload is hashed while it comes, and its pending name holds the hash as its mark. So its bytes and its name become durable at the
// same time, and whoever finishes it after a crash can tell whether the bytes are all there. A large one is not worth that: its bytes
// take longer than the wait for its name, and the kernel moves them unseen.

const (
	mostProven = directFrom // bytes of an upload that is hashed
	markBytes  = 12         // of the hash
)

// beginProof begins to hash, where the store gains by it.
func (u *upload) beginProof() {
	if u.base == 0 && !u.to.folder.Store.Properties().WholeObjects {
		u.sum = sha256.New()
	}
}

// prove hashes the next bytes.
func (u *upload) prove(p []byte) {
	switch {
	case u.sum == nil:
	case u.staged.Size() > mostProven:
		u.sum = nil
	default:
		u.sum.Write(p)
	}
}

// mark tells what the bytes must be; empty when that is not known.
func (u *upload) mark() string {
	if u.sum == nil {
		return ""
	}
	return markOf(u.sum)
}

func markOf(sum hash.Hash) string { return hex.EncodeToString(sum.Sum(nil)[:markBytes]) }

// isProven reports whether the bytes of a pending upload are those that its mark tells. If not, the gate died before they were durable,
// and nobody was told that they are stored.
func isProven(ctx context.Context, f Folder, o storage.Object, mark string) (bool, error) {
	if mark == "" || mark == streamMark {
		return true, nil
	}
	sum := sha256.New()
	if err := intake.CopyPart(ctx, sum, f.Store, o, 0, o.Size); err != nil {
		return false, err
	}
	return markOf(sum) == mark, nil
}

// forgetCut removes a pending upload that a crash has cut.
func (g *Gate) forgetCut(ctx context.Context, p place, o storage.Object) error {
	g.o.Log.Info("an upload that was cut by a crash is removed; its client was not told that it is stored",
		zap.String("hotfolder", p.hotfolder), zap.String("key", p.key.Shown()))
	if err := p.folder.Store.Remove(ctx, o.Key, o.Version); err != nil {
		return err
	}
	return p.dropNote(ctx, o)
}
