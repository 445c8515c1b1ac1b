package shares

import "hotfolderd/asset"

// Holds says which partitions of a hotfolder this node holds now, by a letter for each, for another node that is to pick out its drops with
// [Within]. While they change, it may be older than what Mine says.
func (s *Shares) Holds(hotfolder string) string {
	parts := s.table.Load().set(hotfolder).parts
	text := make([]byte, len(parts))
	for i, p := range parts {
		text[i] = notHeld
		if g := p.grip.Load(); g != nil && g.open() && !g.ended() {
			text[i] = held
		}
	}
	return string(text)
}

const held, notHeld = '1', '0'

// Within reports whether a drop is in one of the partitions that another node says it holds.
func Within(holds, hotfolder string, key asset.Key) bool {
	return holds != "" && holds[asset.Partition(hotfolder, key, len(holds))] == held
}
