package invalidation

import (
	"encoding/binary"

	"github.com/hashicorp/consul/api"
)

// counter counts the logs that were removed from Consul, so that a reader knows of those that it never saw.
type counter struct {
	count uint64
	index uint64 // in Consul; 0: there is none
}

// removedName is the key of the counter, beside the heads.
const removedName = "removed"

func (c counter) encode() []byte { return binary.AppendUvarint([]byte{headVersion}, c.count) }

// decodeCounter reads a counter. A broken one counts as 0, as if Consul had lost logs.
func decodeCounter(p *api.KVPair) counter {
	c := counter{index: p.ModifyIndex}
	if len(p.Value) > 1 && p.Value[0] == headVersion {
		c.count, _ = binary.Uvarint(p.Value[1:])
	}
	return c
}
