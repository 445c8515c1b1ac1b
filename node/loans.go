package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"hotfolderd/admin"
	"hotfolderd/admin/access"
	"hotfolderd/asset"
	"hotfolderd/cluster"
	"hotfolderd/cluster/shares"
	"hotfolderd/config"
	"hotfolderd/hotfolder"
	"hotfolderd/storage"
)

// Whole scans of a share are made by the node that looks for all; the others take part in them over the members' own HTTP, as in a listing
// of their own. Whatever goes wrong there, a node scans itself.
const (
	loanDial   = time.Second
	loanSilent = 15 * time.Second // without a sign of life; the first pieces of a large folder may take a slow machine long
	loanTries  = 4                // of one that is not yet, or no more, the one that looks: the shares are just moving
	loanAgain  = 250 * time.Millisecond
	tellTime   = time.Second // to say that a scan begins
)

// loans is this node's part in the scans of others.
type loans struct {
	client *http.Client
	begins chan string // hotfolders that this node is about to scan for all
}

func newLoans() *loans {
	return &loans{begins: make(chan string, 100), client: &http.Client{Transport: &http.Transport{
		DialContext: (&net.Dialer{Timeout: loanDial}).DialContext, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute,
	}}}
}

// begin is for the hotfolders: a scan for all is about to begin. It reports whether others are told.
func (n *Node) beginScan(of string) bool {
	if len(n.otherImporters()) == 0 {
		return false
	}
	select {
	case n.loans.begins <- of:
		return true
	default:
		return false
	}
}

// otherImporters are the live members that may take part in this node's scans.
func (n *Node) otherImporters() (all []cluster.Member) {
	if n.claims.alone.Load() != nil {
		return nil
	}
	for _, m := range n.liveMembers() {
		if m.ID != n.o.Settings.Node.ID && m.Has(config.RoleImport) {
			all = append(all, m)
		}
	}
	return all
}

// tellScans tells the others of scans that begin, until ctx ends.
func (n *Node) tellScans(ctx context.Context) {
	defer n.loans.client.CloseIdleConnections()
	var work sync.WaitGroup
	defer work.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case of := <-n.loans.begins:
			for _, m := range n.otherImporters() {
				work.Go(func() { n.tellScan(ctx, m, of) })
			}
		}
	}
}

// tellScan is a hint: who does not hear it scans when it is time.
func (n *Node) tellScan(ctx context.Context, m cluster.Member, of string) {
	ctx, cancel := context.WithTimeout(ctx, tellTime)
	defer cancel()
	resp, err := n.askMember(ctx, m.Address, http.MethodPut, "/v1/scans/"+url.PathEscape(of), nil)
	if err == nil {
		resp.Body.Close()
	}
}

// askMember shows one token after the other: while they are being changed another node may know only some of them.
func (n *Node) askMember(ctx context.Context, address, method, path string, body []byte) (*http.Response, error) {
	tokens := n.tokens()
	if len(tokens) == 0 {
		tokens = access.Tokens{""}
	}
	for i, token := range tokens {
		req, err := n.toMember(ctx, method, address, path, token, body)
		if err != nil {
			return nil, err
		}
		resp, err := n.loans.client.Do(req)
		if err != nil || resp.StatusCode != http.StatusUnauthorized || i == len(tokens)-1 {
			return resp, err
		}
		resp.Body.Close()
	}
	return nil, errTokenRefused // there was one
}

// joinScan is for admin.Backend: another node is about to scan for all.
func (n *Node) joinScan(of string) { n.room.Joins(of) }

// borrow is for the hotfolders: it takes part in a scan by the node that looks for all.
func (n *Node) borrow(ctx context.Context, of string, join bool, take func(*storage.Object)) (hotfolder.Left, error) {
	for try := 1; ; try++ {
		left, err := n.borrowOnce(ctx, of, join, take)
		if join || try == loanTries || !errors.Is(err, hotfolder.ErrNotLent) || !n.othersLook(of) {
			return left, err
		}
		select {
		case <-ctx.Done():
			return left, context.Cause(ctx)
		case <-time.After(loanAgain):
		}
	}
}

// othersLook reports whether it is another node's to look for all.
func (n *Node) othersLook(of string) bool {
	address, own := n.ownerOf(admin.Heard{Hotfolder: of, Key: asset.Root})
	return !own && address != ""
}

func (n *Node) borrowOnce(ctx context.Context, of string, join bool, take func(*storage.Object)) (left hotfolder.Left, err error) {
	address, own := n.ownerOf(admin.Heard{Hotfolder: of, Key: asset.Root})
	if own || address == "" {
		return left, hotfolder.ErrNotLent
	}
	n.mu.Lock()
	ask := admin.ScanAsk{Hotfolder: of, Join: join, Rules: n.rulesHash, Holds: n.claims.shares.Holds(of)}
	n.mu.Unlock()
	body, err := json.Marshal(ask)
	if err != nil {
		return left, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silent := time.AfterFunc(loanSilent, func() { cancel(errLenderSilent) })
	defer silent.Stop()
	resp, err := n.askMember(ctx, address, http.MethodPost, "/v1/scans", body)
	if err != nil {
		return left, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		return readScan(resp.Body, func(o *storage.Object) { silent.Reset(loanSilent); take(o) })
	case http.StatusConflict:
		return left, hotfolder.ErrNotLent
	}
	return left, fmt.Errorf("scan of hotfolder %q by %s: it answers %s", of, address, resp.Status)
}

var (
	errLenderSilent = errors.New("the node that scans for all gives no sign of life")
	errNotWhole     = errors.New("the node that scans for all did not come to the end")
)

// readScan reads what another node finds. Without the last line it is not all.
func readScan(r io.Reader, take func(*storage.Object)) (left hotfolder.Left, err error) {
	for lines := json.NewDecoder(r); ; {
		var l admin.Scanned
		if err := lines.Decode(&l); err != nil {
			return left, fmt.Errorf("%w: %w", errNotWhole, err)
		}
		switch {
		case l.Ended:
			return hotfolder.Left{Ignored: l.Ignored, Refused: l.Refused, Took: l.Took}, nil
		case l.Key == "":
			take(nil)
		default:
			if _, err := asset.ParseKey(string(l.Key)); err != nil {
				return left, err
			}
			take(&storage.Object{Key: l.Key, Kind: storage.Kind(l.Kind), Size: l.Size, Version: l.Version, Changed: l.Changed})
		}
	}
}

// lend is for admin.Backend: what another node wants of this one's next scan.
func (n *Node) lend(ctx context.Context, ask admin.ScanAsk, take func(*admin.Scanned) error) (admin.Scanned, error) {
	n.mu.Lock()
	same := ask.Rules == n.rulesHash
	n.mu.Unlock()
	if !same || n.claims.alone.Load() != nil {
		return admin.Scanned{}, admin.ErrNoScan
	}
	wants := func(key asset.Key) bool { return shares.Within(ask.Holds, ask.Hotfolder, key) }
	left, err := n.room.Lend(ctx, ask.Hotfolder, ask.Join, wants, func(o *storage.Object) error {
		if o == nil {
			return take(nil)
		}
		return take(&admin.Scanned{Key: o.Key, Kind: uint8(o.Kind), Size: o.Size, Version: o.Version, Changed: o.Changed})
	})
	if errors.Is(err, hotfolder.ErrNotLent) {
		err = admin.ErrNoScan
	}
	return admin.Scanned{Ended: true, Ignored: left.Ignored, Refused: left.Refused, Took: left.Took}, err
}
