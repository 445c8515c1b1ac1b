package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"

	"hotfolderd/admin"
	"hotfolderd/asset"
)

// Drops that a gate knows to be whole, and those that this node has seen on a share where it looks for all, are told to the node whose
// they are, over the members' own HTTP and with this node's token, so that no scan has to find them. These are hints: one that is lost costs time.
const (
	maxHints    = 10_000          // on their way to one node
	hintTime    = 4 * time.Second // a token that is not known is answered after one
	hintTries   = 20              // of one that nobody could be told
	hintBetween = 250 * time.Millisecond
)

// hints are on their way out.
type hints struct{ out chan hint }

type hint struct {
	admin.Heard
	tries int
}

func newHints() *hints { return &hints{make(chan hint, maxHints)} }

// add hands one over; it never waits.
func (h *hints) add(d hint) { offer(h.out, d) }

// offer drops what does not fit.
func offer(ch chan<- hint, h hint) {
	select {
	case ch <- h:
	default:
	}
}

// unproven is the version of a drop that was seen only: of no drop, so that whoever takes it for one that is whole is wrong about none.
const unproven asset.Version = "seen"

// tellSeen is for the hotfolders: a drop of another node was seen.
func (n *Node) tellSeen(hotfolder string, key asset.Key) {
	n.hints.add(hint{Heard: admin.Heard{Hotfolder: hotfolder, Key: key, Version: unproven, Door: asset.DoorShare}})
}

// hear takes a hint that is for this node.
func (n *Node) hear(h admin.Heard) {
	if h.Door == asset.DoorShare {
		n.room.Seen(h.Hotfolder, h.Key)
		return
	}
	n.room.Known(h.Hotfolder, h.Key, h.Version, h.Door)
}

// sendHints tells the owners until ctx ends.
func (n *Node) sendHints(ctx context.Context) {
	s := &hintSender{
		n: n, to: map[string]chan hint{},
		client: &http.Client{Timeout: hintTime, Transport: &http.Transport{MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute}},
	}
	defer s.client.CloseIdleConnections()
	defer s.work.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case h := <-n.hints.out:
			s.send(ctx, h)
		}
	}
}

// hintSender has for each node one request at a time, with all that has come meanwhile.
type hintSender struct {
	n      *Node
	client *http.Client
	to     map[string]chan hint // by address
	work   sync.WaitGroup
}

func (s *hintSender) send(ctx context.Context, h hint) {
	address, own := s.n.ownerOf(h.Heard)
	switch {
	case own:
		return
	case address == "":
		s.work.Go(func() { s.n.sendAgain(ctx, []hint{h}) })
		return
	case s.to[address] == nil:
		in := make(chan hint, maxHints)
		s.to[address] = in
		s.work.Go(func() { s.serve(ctx, address, in) })
	}
	offer(s.to[address], h)
}

// ownerOf is the address of the node whose a drop is, empty while it is nobody's.
func (n *Node) ownerOf(h admin.Heard) (address string, own bool) {
	if n.together == nil || n.claims.Mine(h.Hotfolder, h.Key) {
		return "", true
	}
	m, _ := n.together.members.View().Member(n.claims.shares.Owner(h.Hotfolder, h.Key))
	if m.ID == n.o.Settings.Node.ID {
		return "", false // not yet
	}
	return m.Address, false
}

// sendAgain has hints that were not taken looked at again, after a pause: their owner is just changing, and may be this node.
func (n *Node) sendAgain(ctx context.Context, batch []hint) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(hintBetween):
	}
	for _, h := range batch {
		if h.tries++; h.tries <= hintTries {
			n.hear(h.Heard)
			n.hints.add(h)
		}
	}
}

// serve tells one node what is its own.
func (s *hintSender) serve(ctx context.Context, address string, in <-chan hint) {
	p := &hintPeer{s: s, address: address}
	for {
		select {
		case <-ctx.Done():
			return
		case h := <-in:
			batch := append([]hint{h}, waitingHints(in)...)
			if err := p.tell(ctx, batch); err != nil {
				s.n.sendAgain(ctx, batch)
			}
		}
	}
}

// waitingHints are those that have come already, as far as one request takes them.
func waitingHints(in <-chan hint) (batch []hint) {
	for len(batch) < admin.MaxHeard-1 {
		select {
		case h := <-in:
			batch = append(batch, h)
		default:
			return batch
		}
	}
	return batch
}

// hintPeer is a node that is told, by one goroutine.
type hintPeer struct {
	s       *hintSender
	address string
	token   string // that it took last
	refused bool   // it took none the last time
}

// tell shows one token after the other: while they are being changed another node may know only some of them.
func (p *hintPeer) tell(ctx context.Context, batch []hint) error {
	told := make([]admin.Heard, len(batch))
	for i, h := range batch {
		told[i] = h.Heard
	}
	body, err := json.Marshal(told)
	if err != nil {
		return err
	}
	tokens := p.s.n.tokensFor(p.token)
	if len(tokens) == 0 {
		return p.tellWith(ctx, "", body)
	}
	for _, token := range tokens {
		if err = p.tellWith(ctx, token, body); err == nil {
			p.token, p.refused = token, false
		}
		if !errors.Is(err, errTokenRefused) {
			return err
		}
	}
	if !p.refused {
		p.refused = true
		p.s.n.log.Warn("a node takes no token of this one; drops of its own wait for its scans", zap.String("address", p.address))
	}
	return err
}

var errTokenRefused = errors.New("it does not know the token")

func (p *hintPeer) tellWith(ctx context.Context, token string, body []byte) error {
	req, err := p.s.n.toMember(ctx, http.MethodPost, p.address, "/v1/heard", token, body)
	if err != nil {
		return err
	}
	resp, err := p.s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 4096)) // read to its end, the connection can be used again
	switch {
	case resp.StatusCode == http.StatusUnauthorized:
		return errTokenRefused
	case resp.StatusCode/100 != 2:
		return fmt.Errorf("it answers %s", resp.Status)
	}
	return nil
}
