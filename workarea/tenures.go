package workarea

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// The objects of a tenure: its number, and the number with one of these.
const (
	endMark = ".end"  // its holder gave it back
	askMark = ".ask-" // somebody wants to know whether its holder lives
)

// tenures is what one listing found.
type tenures struct {
	top   uint64      // the highest number; 0: none was ever taken
	ended bool        // it was given back
	asked []asset.Key // questions to its holder
	old   []asset.Key // what belongs to lower numbers
}

func (a *Area) tenureKey(n uint64, mark string) asset.Key {
	return a.at("tenures", asset.Key(fmt.Sprintf("%0*d%s", numberDigits, n, mark)))
}

func (a *Area) tenures(ctx context.Context) (tenures, error) {
	var keys []asset.Key
	for o, err := range a.store.List(ctx, a.prefix.Join("tenures"), storage.ListOptions{NamesOnly: true}) {
		if errors.Is(err, fs.ErrNotExist) {
			return tenures{}, nil
		}
		if err != nil {
			return tenures{}, err
		}
		if isFile(o) {
			keys = append(keys, o.Key)
		}
	}
	return tenuresOf(keys), nil
}

// tenuresOf sorts what was listed.
func tenuresOf(keys []asset.Key) (seen tenures) {
	byNumber := map[uint64][]asset.Key{}
	for _, key := range keys {
		digits, mark, _ := strings.Cut(key.Base(), ".")
		n, err := strconv.ParseUint(digits, 10, 64)
		if err != nil {
			continue
		}
		byNumber[n] = append(byNumber[n], key)
		if mark == "" { // a mark alone is what is left of one that was pruned
			seen.top = max(seen.top, n)
		}
	}
	seen.sort(byNumber)
	return seen
}

func (s *tenures) sort(byNumber map[uint64][]asset.Key) {
	for n, keys := range byNumber {
		for _, key := range keys {
			switch base := key.Base(); {
			case n < s.top:
				s.old = append(s.old, key)
			case n == s.top && strings.HasSuffix(base, endMark):
				s.ended = true
			case n == s.top && strings.Contains(base, askMark):
				s.asked = append(s.asked, key)
			}
		}
	}
}
