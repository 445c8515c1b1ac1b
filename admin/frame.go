package admin

import "time"

// frame is what all pages of a node have around them.
type frame struct {
	Node        nodeView
	Session     bool
	Clustered   bool
	StateWhy    string // why the node is not active, where it knows
	ImportsWait string // what imports wait for while the node is active
}

func (s *Server) frame(now time.Time) frame {
	f := frame{Node: nodeViewOf(s.b.Node(), now), Session: !s.access.open, Clustered: s.b.Cluster != nil}
	if f.Clustered {
		f.explain(s.b.Cluster())
	}
	return f
}

func (f *frame) explain(c Cluster) {
	if !c.Writable {
		f.StateWhy = c.Why
	}
	if f.Node.State == Active && !c.Importing {
		f.ImportsWait = c.ImportingWhy
	}
}
