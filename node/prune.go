package node

import (
	"context"
	"time"

	"go.uber.org/zap"
)

const (
	pruneEvery = 24 * time.Hour
	pruneTime  = time.Hour // for one turn; what is left is removed by the next
)

// pruneJournal removes the days of the journal that are older than the settings want, at the start and once a day, until ctx
// ends.
func (n *Node) pruneJournal(ctx context.Context) {
	if n.o.Settings.Storage.JournalDays == 0 {
		return
	}
	n.pruneOnce(ctx)
	every(ctx, pruneEvery, func() { n.pruneOnce(ctx) })
}

// pruneOnce looks first whether the store is still ours: a foreign one's journal is not for us to cut.
func (n *Node) pruneOnce(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, pruneTime)
	defer cancel()
	err := n.area.CheckIdentity(bounded)
	if err == nil {
		err = n.area.PruneJournal(bounded, time.Now().AddDate(0, 0, -n.o.Settings.Storage.JournalDays))
	}
	if err != nil && ctx.Err() == nil {
		n.log.Warn("old days of the journal could not be removed; tried again in a day", zap.Error(err))
	}
}
