package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/gabriel-vasile/mimetype"

	"hotfolderd/config"
	"hotfolderd/ftpgate"
	"hotfolderd/hotfolder"
	"hotfolderd/hotfolder/proof"
)

// gateCheck looks at an upload as its rule asks, before its client is told that it is stored. The error is the client's answer.
func (n *Node) gateCheck(ctx context.Context, u ftpgate.Upload) error {
	n.mu.Lock()
	rule := n.specs[u.Hotfolder].Rule
	n.mu.Unlock()
	for _, what := range rule.Check {
		var err error
		switch what {
		case config.CheckName:
			err = checkName(rule, u)
		case config.CheckSize:
			err = checkSize(rule, u)
		case config.CheckType:
			err = checkType(u)
		case config.CheckWhole:
			err = checkWhole(ctx, u)
		case config.CheckImage:
			err = n.checkImage(ctx, u)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// gateReads reports whether a rule asks for a check of the bytes.
func (n *Node) gateReads(hotfolder string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.ContainsFunc(n.specs[hotfolder].Rule.Check, func(what string) bool {
		return what != config.CheckName && what != config.CheckSize
	})
}

func checkName(rule config.Rule, u ftpgate.Upload) error {
	if why := hotfolder.NewFilter(rule).Ignored(u.Key); why != "" {
		return fmt.Errorf("this folder takes no file of that name (%s)", why)
	}
	return nil
}

func checkSize(rule config.Rule, u ftpgate.Upload) error {
	switch {
	case rule.Match.MaxSize > 0 && u.Size > int64(rule.Match.MaxSize):
		return fmt.Errorf("it has %d bytes, at most %d are taken", u.Size, int64(rule.Match.MaxSize))
	case u.Size == 0 && rule.Match.Empty == "reject":
		return errors.New("it is empty")
	}
	return nil
}

// typesOf are the types that a file with one of these extensions must have. Others may have any.
var typesOf = map[string]string{
	".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".gif": "image/gif", ".webp": "image/webp", ".tif": "image/tiff",
	".tiff": "image/tiff", ".bmp": "image/bmp", ".pdf": "application/pdf",
	".zip": "application/zip",
}

const typeHead = 3 << 10 // bytes that the type is told by

func checkType(u ftpgate.Upload) error {
	want := typesOf[strings.ToLower(path.Ext(string(u.Key)))]
	if want == "" {
		return nil
	}
	head := make([]byte, min(u.Size, typeHead))
	if _, err := u.Bytes.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read it: %w", err)
	}
	got := mimetype.Detect(head)
	for t := got; t != nil; t = t.Parent() {
		if t.Is(want) {
			return nil
		}
	}
	return fmt.Errorf("its name says %s, its content is %s", want, got)
}

func checkWhole(ctx context.Context, u ftpgate.Upload) error {
	e, err := proof.Check(ctx, u.Bytes, u.Size)
	if err == nil && e.Verdict == proof.Incomplete {
		err = errors.New("it is incomplete: " + e.Reason)
	}
	return err
}

func (n *Node) checkImage(ctx context.Context, u ftpgate.Upload) error {
	if n.thumbs == nil {
		return errors.New("this node has not the role thumbnails, so it cannot look at images")
	}
	return n.thumbs.Check(ctx, u.Bytes, u.Size)
}
