package node

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"hotfolderd/workarea"
)

// machineFile, in a folder that one node of this machine locks, is what tells this place from every other one.
const machineFile = "machine"

// tenureAlone takes the bucket for this node alone. locked is the folder of this machine that it has locked.
func (n *Node) tenureAlone(ctx context.Context, locked string) error {
	machine, err := machineOf(locked)
	if err != nil {
		return err
	}
	return n.hold(ctx, workarea.TenureOptions{Machine: machine})
}

func (n *Node) hold(ctx context.Context, o workarea.TenureOptions) error {
	var l looks
	o.Saw = func(ctx context.Context, now workarea.Look) { l.saw(ctx, n, now) }
	t, err := n.area.Hold(ctx, o)
	if err != nil {
		return err
	}
	n.tenure.Store(t)
	n.onClose(func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime/2)
		defer cancel()
		return t.Close(ctx)
	})
	return nil
}

// fresh reports whether this node would hear of what others change.
func (n *Node) fresh() bool {
	t := n.tenure.Load()
	return n.news.Fresh() && (t == nil || t.Fresh())
}

// machineOf reads the machine's own word, or makes it. Whoever calls holds the folder's lock.
func machineOf(locked string) (string, error) {
	file := filepath.Join(locked, machineFile)
	text, err := os.ReadFile(file)
	if err == nil && len(text) > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return string(text), err
	}
	word := rand.Text()
	return word, os.WriteFile(file, []byte(word), 0o600)
}
