package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"time"

	"hotfolderd/asset"
)

// ListOptions of [Client.List]. The zero value lists every name.
type ListOptions struct {
	Prefix  string // names begin with it, byte by byte
	Folders bool   // one level only: names with a slash behind the prefix are told as their folder
	Search  string // part of a name, or a pattern such as *.jpg; capitals do not count
	Page    int    // names asked for at a time; 0: as the node likes
}

// Entry is one name of a list, or, with only Folder set, a folder of names.
type Entry struct {
	Name   asset.Key  `json:"name,omitempty"`
	Number int        `json:"number,omitempty"`
	Hash   asset.Hash `json:"sha256,omitzero"`
	Size   int64      `json:"size"`
	Type   string     `json:"type,omitempty"`
	Time   time.Time  `json:"time,omitzero"` // of the import
	Folder asset.Key  `json:"folder,omitempty"`
}

// List tells the names in an order that stays the same, page by page, and goes on at another node after a fault. An error ends it; one
// that wraps [ErrUnreadable] does not: a name was left out then, and the others follow.
func (c *Client) List(ctx context.Context, o ListOptions) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		cursor := ""
		for {
			page, err := c.page(ctx, o, cursor)
			if err != nil {
				yield(Entry{}, fmt.Errorf("list assets: %w", err))
				return
			}
			if !page.tell(yield) || page.Cursor == "" {
				return
			}
			cursor = page.Cursor
		}
	}
}

// listed is one page.
type listed struct {
	Assets     []Entry     `json:"assets"`
	Folders    []asset.Key `json:"folders"`
	Cursor     string      `json:"cursor"`
	Unreadable string      `json:"unreadable"`
}

func (l *listed) tell(yield func(Entry, error) bool) bool {
	if l.Unreadable != "" && !yield(Entry{}, fmt.Errorf("%w: %s", ErrUnreadable, l.Unreadable)) {
		return false
	}
	for _, f := range l.Folders {
		if !yield(Entry{Folder: f}, nil) {
			return false
		}
	}
	for _, e := range l.Assets {
		if !yield(e, nil) {
			return false
		}
	}
	return true
}

func (c *Client) page(ctx context.Context, o ListOptions, cursor string) (l listed, err error) {
	q := url.Values{}
	set := func(k, v string) {
		if v != "" {
			q.Set(k, v)
		}
	}
	set("prefix", o.Prefix)
	set("q", o.Search)
	set("cursor", cursor)
	if o.Folders {
		q.Set("delimiter", "/")
	}
	if o.Page > 0 {
		q.Set("limit", fmt.Sprint(o.Page))
	}
	return l, c.ask(ctx, "/v1/assets?"+q.Encode(), &l)
}

const maxJSON = 64 << 20 // bytes of an answer

// ask reads the JSON of a route, whole, from one node or another.
func (c *Client) ask(ctx context.Context, path string, into any) error {
	return c.exchange(ctx, request{method: http.MethodGet, path: path}, into)
}

// exchange is one request and its answer in JSON; an answer that broke off is asked for again where that does no harm.
func (c *Client) exchange(ctx context.Context, q request, into any) error {
	var broken error
	for range mostTries {
		a, err := c.do(ctx, q)
		if err != nil {
			return err
		}
		err = json.NewDecoder(io.LimitReader(a.Body, maxJSON)).Decode(into)
		drained(a.Body)
		if err == nil || a.StatusCode == http.StatusNoContent {
			return nil
		}
		if broken = fmt.Errorf("the answer of %s: %w", a.base, err); q.once {
			return broken
		}
		c.fleet.failed(a.base, broken, 0)
	}
	return noNode(broken)
}
