package client

import (
	"strconv"
	"strings"
	"sync"
)

const (
	indexHeader = "X-Hotfolder-Index"
	maxIndexes  = 16 // of so many logs, the ones written last
)

// indexes are the places of this client's writes, the newest of each node's log.
type indexes struct {
	mu   sync.Mutex
	logs []string // the one written last at the end
	at   map[string]uint64
}

// saw takes up what an answer tells.
func (i *indexes) saw(index string) {
	cut := strings.LastIndexByte(index, ':')
	if cut < 0 {
		return
	}
	log := index[:cut]
	seq, err := strconv.ParseUint(index[cut+1:], 10, 64)
	if err != nil {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.at == nil {
		i.at = map[string]uint64{}
	}
	if seq < i.at[log] {
		return
	}
	i.at[log] = seq
	i.toEnd(log)
}

// toEnd remembers that the log was written last. The caller holds the lock.
func (i *indexes) toEnd(log string) {
	kept := i.logs[:0]
	for _, l := range i.logs {
		if l != log {
			kept = append(kept, l)
		}
	}
	i.logs = append(kept, log)
	if len(i.logs) > maxIndexes {
		delete(i.at, i.logs[0])
		i.logs = i.logs[1:]
	}
}

// header is the value that a read sends; empty: nothing was written.
func (i *indexes) header() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	var all []string
	for _, l := range i.logs {
		all = append(all, l+":"+strconv.FormatUint(i.at[l], 10))
	}
	return strings.Join(all, ", ")
}

// Index is what a reader elsewhere sends as X-Hotfolder-Index to see all that this client has written: a list, empty when there is
// nothing to wait for.
func (c *Client) Index() string { return c.indexes.header() }

// Follow makes all further reads of this client see what that index speaks of: one or several, as [Client.Index] gives them.
func (c *Client) Follow(index string) {
	for one := range strings.SplitSeq(index, ",") {
		c.indexes.saw(strings.TrimSpace(one))
	}
}
