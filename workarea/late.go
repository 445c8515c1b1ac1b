package workarea

import (
	"context"
	"errors"
	"io/fs"
)

// isLate reports whether a later drop under the same key of the same hotfolder stands under the name already. It happens when
// whoever committed this record was stopped before it applied it, the file was replaced meanwhile, and another node imported the
// newer one: the older bytes must not come to be the current ones then. Both times are the store's.
func (w *applying) isLate(ctx context.Context, v view) (bool, error) {
	top := v.topEntry.Record
	if v.top == 0 || w.rec.Hotfolder == "" || top.Hotfolder != w.rec.Hotfolder || top.Key != w.rec.Key {
		return false, nil
	}
	newer, err := w.a.store.Stat(ctx, w.a.ledgerKey(top.Drop))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = w.findRecord(ctx)
	}
	return err == nil && newer.ModTime.After(w.ledger.ModTime), err
}
