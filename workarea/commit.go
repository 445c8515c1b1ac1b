package workarea

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// tidyTime bounds what is done after the caller's context ended: finding out what a broken call came to, taking back half
// of a step.
const tidyTime = 10 * time.Second

// result is how a commit ended, as the metric says it.
type result string

const (
	resultNew   result = "new"
	resultFound result = "found"
	resultAgain result = "again"
)

// Commit makes the import of one drop a fact: it gives the staged bytes their place and creates the ledger record, if
// there is none. ctx is the lease: after it has ended nothing is committed, and its cause is the error.
//
// The standing record is returned: rec itself, or, with found, what an earlier commit of the same drop with the same bytes
// wrote. A standing record with other bytes means that the store gave one version out twice; the drop is then committed
// under [asset.DropID.Again], so the standing record may carry another id than rec. Node and Committed are filled in
// where they are empty.
//
// After an error the drop may or may not be committed; committing it again, from fresh bytes, finds out. Nothing is
// durable by name before Apply.
func (a *Area) Commit(ctx context.Context, rec asset.Record, bytes storage.Staged) (standing asset.Record, found bool, err error) {
	if rec, err = a.complete(rec, bytes); err != nil {
		return asset.Record{}, false, fmt.Errorf("commit %s: %w", rec.Drop, err)
	}
	standing, res, err := a.commit(ctx, rec, bytes)
	if err == nil && standing.Content.Hash != rec.Content.Hash {
		rec.Drop = rec.Drop.Again(rec.Content.Hash)
		if standing, res, err = a.commit(ctx, rec, bytes); res == resultNew {
			res = resultAgain
		}
	}
	if err == nil && standing.Content.Hash != rec.Content.Hash {
		err = fmt.Errorf("%w: the ledger has it with the bytes %s", errTorn, standing.Content.Hash)
	}
	if err != nil {
		return asset.Record{}, false, fmt.Errorf("commit %s: %w", rec.Drop, because(ctx, err))
	}
	a.count.commits.WithLabelValues(string(res)).Inc()
	if res != resultFound {
		a.fresh.add(standing.Drop)
	}
	return standing, res == resultFound, nil
}

// complete fills in and checks what the record must hold.
func (a *Area) complete(rec asset.Record, bytes storage.Staged) (asset.Record, error) {
	if rec.Node == "" {
		rec.Node = a.node
	}
	if rec.Committed.IsZero() {
		rec.Committed = a.now()
	}
	rec.Committed = rec.Committed.UTC().Round(0)
	if err := checkRecord(&rec); err != nil {
		return rec, err
	}
	if n := bytes.Size(); n != rec.Content.Size {
		return rec, fmt.Errorf("the record says %d bytes, %d were staged", rec.Content.Size, n)
	}
	return rec, nil
}

// commit tries one drop id. The bytes and the record are flushed side by side, so that they share the cost.
func (a *Area) commit(ctx context.Context, rec asset.Record, bytes storage.Staged) (asset.Record, result, error) {
	line, err := a.stageRecord(ctx, rec)
	if err != nil {
		return asset.Record{}, "", err
	}
	defer func() {
		if err := line.Discard(); err != nil {
			a.log.Warn("a staged record was not discarded", zap.String("drop", string(rec.Drop)), zap.Error(err))
		}
	}()
	g, flush := errgroup.WithContext(ctx)
	g.Go(func() error { return bytes.Flush(flush) })
	g.Go(func() error { return line.Flush(flush) })
	if err := g.Wait(); err != nil {
		return asset.Record{}, "", fmt.Errorf("flush: %w", err)
	}
	if err := a.publishAsset(ctx, rec.Content, bytes); err != nil {
		return asset.Record{}, "", err
	}
	return a.publishRecord(ctx, rec, line)
}

func (a *Area) stageRecord(ctx context.Context, rec asset.Record) (storage.Staged, error) {
	line, err := encodeLine(rec)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	s, err := a.store.Stage(ctx)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	if _, err := s.Write(line); err != nil {
		return nil, fmt.Errorf("record: %w", errors.Join(err, s.Discard()))
	}
	return s, nil
}

// ifAbsent creates a file of ours whose name is made durable later.
var ifAbsent = storage.PutOptions{IfAbsent: true, Deferred: true}

// briefly is ifAbsent where nothing is to be known of what was made.
var briefly = storage.PutOptions{IfAbsent: true, Deferred: true, Brief: true}

// publishAsset puts the bytes at their content address. Bytes that are there already are the same ones, unless the store
// is damaged: the size at least must agree.
func (a *Area) publishAsset(ctx context.Context, c asset.Content, bytes storage.Staged) error {
	key := a.AssetKey(c.Hash)
	_, err := bytes.Publish(ctx, key, briefly)
	if err == nil {
		a.count.assetBytes.Add(float64(c.Size))
		return nil
	}
	// A reply that was lost, a staging that was published by an earlier try of this commit: what counts is what is there.
	there, serr := a.store.Stat(ctx, key)
	switch {
	case serr != nil:
		return fmt.Errorf("publish asset: %w", err)
	case there.Size != c.Size:
		return fmt.Errorf("publish asset: %s stands there with %d bytes instead of %d: it is damaged, take it away and put "+
			"it back from a backup", key.Quoted(), there.Size, c.Size)
	}
	return nil
}

// publishRecord is the one decision about a drop.
func (a *Area) publishRecord(ctx context.Context, rec asset.Record, line storage.Staged) (asset.Record, result, error) {
	if cause := context.Cause(ctx); cause != nil {
		return asset.Record{}, "", fmt.Errorf("too late: %w", cause)
	}
	_, err := line.Publish(ctx, a.ledgerKey(rec.Drop), briefly)
	if err == nil {
		return rec, resultNew, nil
	}
	standing, rerr := a.standing(ctx, rec.Drop)
	switch {
	case errors.Is(rerr, fs.ErrNotExist):
		return asset.Record{}, "", fmt.Errorf("publish record: %w", err)
	case rerr != nil:
		return asset.Record{}, "", fmt.Errorf("publish record: %w; then read it: %w", err, rerr)
	case !errors.Is(err, fs.ErrExist) && sameCommit(standing, rec):
		return standing, resultNew, nil
	}
	return standing, resultFound, nil
}

// standing reads what the ledger has, also when the caller's context ended while the answer was on its way.
func (a *Area) standing(ctx context.Context, id asset.DropID) (asset.Record, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTime)
	defer cancel()
	return a.Record(ctx, id)
}

// sameCommit reports whether a record is the very one that we tried to write: an error was only a lost answer then.
func sameCommit(x, y asset.Record) bool {
	return x.Node == y.Node && x.Token == y.Token && x.Committed.Equal(y.Committed) && x.Content.Hash == y.Content.Hash
}

// because adds the cause of an ended context to the error that it led to.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}
