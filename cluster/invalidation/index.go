package invalidation

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"hotfolderd/asset"
)

// ErrIndex: the text is no index, or one that no log ever gave out.
var ErrIndex = errors.New("not an index of this cluster")

// Index is one event of one log. A node that has waited for it shows nothing older than the write that it belongs to. The zero
// Index, and any with Seq 0, is before everything.
type Index struct {
	// Instance names the log: the instance of its writer, with "~1", "~2", ... when the writer had to begin anew.
	Instance string
	Seq      uint64
}

// String is "<instance>:<seq>", in characters that a header and a URL bear. [ParseIndex] is its inverse.
func (i Index) String() string {
	return url.PathEscape(i.Instance) + ":" + strconv.FormatUint(i.Seq, 10)
}

// ParseIndex reads what [Index.String] wrote. The error says what is wrong and wraps [ErrIndex].
func ParseIndex(s string) (Index, error) {
	at := strings.LastIndexByte(s, ':')
	if at < 0 {
		return Index{}, indexFault(s, "it has no colon; it looks like node-a.k2x7q9w4m1zp:42")
	}
	name, err := url.PathUnescape(s[:at])
	if err != nil {
		return Index{}, indexFault(s, "its first part has a broken escape")
	}
	seq, err := strconv.ParseUint(s[at+1:], 10, 64)
	if err != nil {
		return Index{}, indexFault(s, "what follows the colon is no number")
	}
	if fault := nameFault(name); fault != "" && (name != "" || seq != 0) {
		return Index{}, indexFault(s, "its first part "+fault)
	}
	return Index{Instance: name, Seq: seq}, nil
}

func indexFault(s, why string) error {
	if len(s) > 200 {
		s = s[:200] + "..."
	}
	return fmt.Errorf("%w: %s: %s", ErrIndex, strconv.Quote(s), why)
}

// nameFault says what is wrong with the name of a log, which is a part of a key in Consul and of one in the store.
func nameFault(name string) string {
	_, errName := asset.ParseKey(name)
	_, errNode := asset.ParseKey(nodeOf(name))
	switch {
	case name == "":
		return "is empty"
	case errName != nil || errNode != nil || strings.ContainsAny(name, "/,"):
		return "is no usable name"
	case name == removedName:
		return "is a reserved name"
	}
	return ""
}

// again names the n-th log of an instance that had to begin anew.
func again(instance string, n int) string { return instance + "~" + strconv.Itoa(n) }

// writerOf is the instance that writes the log of this name.
func writerOf(name string) string {
	at := strings.LastIndexByte(name, '~')
	if at < 0 {
		return name
	}
	if _, err := strconv.ParseUint(name[at+1:], 10, 32); err != nil {
		return name
	}
	return name[:at]
}

// nodeOf is the node of an instance: the folder of its segments, which outlives a start.
func nodeOf(name string) string {
	instance := writerOf(name)
	if at := strings.LastIndexByte(instance, '.'); at > 0 {
		return instance[:at]
	}
	return instance
}
