package workarea

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// maxEventLine is the longest line of a batch that is looked at.
const maxEventLine = 1 << 20

// Story streams what the journal of all nodes knows about one drop's key since a time, oldest first. It holds the events
// of that key of one day in memory. An empty hotfolder is any of them. A batch that cannot be read yields its error, and the
// story goes on if the caller does.
func (a *Area) Story(ctx context.Context, hotfolder string, key asset.Key, since time.Time) iter.Seq2[asset.Event, error] {
	return func(yield func(asset.Event, error) bool) {
		days, err := a.journalDays(ctx)
		if err != nil {
			yield(asset.Event{}, fmt.Errorf("story of %s: %w", key.Quoted(), err))
			return
		}
		for _, day := range days {
			// An event lies in the folder of the day on which it was written, which is its own or a later one.
			if day < dayOf(since) {
				continue
			}
			if !a.storyOfDay(ctx, day, hotfolder, key, since, yield) {
				return
			}
		}
	}
}

func (a *Area) storyOfDay(
	ctx context.Context, day, hotfolder string, key asset.Key, since time.Time, yield func(asset.Event, error) bool,
) bool {
	var events []asset.Event
	wanted := func(e asset.Event) bool {
		return (hotfolder == "" || e.Hotfolder == hotfolder) && e.Key == key && !e.Time.Before(since)
	}
	mark, err := json.Marshal(key)
	if err != nil {
		return yield(asset.Event{}, err)
	}
	for o, err := range a.store.List(ctx, a.journalDay(day), storage.ListOptions{NamesOnly: true}) {
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && isFile(o) && strings.HasSuffix(o.Key.Base(), ".jsonl") {
			events, err = a.search(ctx, o.Key, append([]byte(`"key":`), mark...), wanted, events)
		}
		if err != nil && !yield(asset.Event{}, fmt.Errorf("story of %s: %w", key.Quoted(), err)) {
			return false
		}
	}
	slices.SortStableFunc(events, func(x, y asset.Event) int { return x.Time.Compare(y.Time) })
	for _, e := range events {
		if !yield(e, nil) {
			return false
		}
	}
	return true
}

// search adds the events of one batch that hold the bytes mark and are wanted. Only such lines are decoded.
func (a *Area) search(
	ctx context.Context, key asset.Key, mark []byte, wanted func(asset.Event) bool, found []asset.Event,
) (_ []asset.Event, err error) {
	r, err := a.store.Open(ctx, key, "")
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	found, err = searchLines(r, mark, wanted, found)
	if err != nil {
		err = fmt.Errorf("batch %s: %w", key.Quoted(), err)
	}
	return found, err
}

// searchLines skips a line that is no event: what was cut off in a crash says nothing.
func searchLines(r io.Reader, mark []byte, wanted func(asset.Event) bool, found []asset.Event) ([]asset.Event, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxEventLine)
	for lines.Scan() {
		var e asset.Event
		if !bytes.Contains(lines.Bytes(), mark) || json.Unmarshal(lines.Bytes(), &e) != nil {
			continue
		}
		if wanted(e) {
			found = append(found, e)
		}
	}
	return found, lines.Err()
}

// journalDays are the days that have a journal, oldest first.
func (a *Area) journalDays(ctx context.Context) ([]string, error) {
	var days []string
	for o, err := range a.store.List(ctx, a.prefix.Join("journal"), storage.ListOptions{NamesOnly: true}) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if _, err := time.Parse(time.DateOnly, o.Key.Base()); err == nil && o.Kind == storage.Directory {
			days = append(days, o.Key.Base())
		}
	}
	slices.Sort(days)
	return days, nil
}

// PruneJournal removes the days that ended before a time. Several nodes may do it at once.
func (a *Area) PruneJournal(ctx context.Context, before time.Time) error {
	days, err := a.journalDays(ctx)
	if err != nil {
		return fmt.Errorf("prune journal: %w", err)
	}
	for _, day := range days {
		if day >= dayOf(before) {
			break
		}
		if err := a.removeDay(ctx, day); err != nil {
			return fmt.Errorf("prune journal: %w", err)
		}
	}
	return nil
}

func (a *Area) removeDay(ctx context.Context, day string) error {
	for o, err := range a.store.List(ctx, a.journalDay(day), storage.ListOptions{NamesOnly: true}) {
		if err == nil && isFile(o) {
			err = a.store.Remove(ctx, o.Key, "")
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
