package node

import (
	"fmt"
	"strconv"
	"strings"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/ftpgate"
)

// gateAudit logs and journals what people do at the gate.
func (n *Node) gateAudit(e ftpgate.Event) {
	fields := []zap.Field{
		zap.String("kind", e.Kind), zap.String("user", asset.Shown(e.User)), zap.String("address", e.Address), zap.Bool("tls", e.TLS),
		zap.String("session", e.Session),
	}
	if e.Hotfolder != "" {
		fields = append(fields, zap.String("hotfolder", e.Hotfolder), zap.String("key", e.Key.Shown()), zap.Int64("size", e.Size))
	}
	if e.Refused != "" {
		fields = append(fields, zap.String("refused", e.Refused))
	}
	n.log.Info("ftp", fields...)
	n.area.Journal().Record(asset.Event{
		Time: e.Time, Node: n.o.Settings.Node.ID, Hotfolder: e.Hotfolder, Key: e.Key, Door: asset.DoorFTP, Result: asset.AtDoor,
		Reason: auditWords(e), Size: e.Size, Took: e.Took,
	})
}

// auditWords are a sentence that says who did what.
func auditWords(e ftpgate.Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "ftp %s by %s from %s, session %s", e.Kind, strconv.Quote(e.User), e.Address, e.Session)
	if e.TLS {
		b.WriteString(", encrypted")
	}
	if e.To != asset.Root {
		b.WriteString(", to " + e.To.Quoted())
	}
	if e.Refused != "" {
		b.WriteString("; not done: " + e.Refused)
	}
	if e.Kept {
		b.WriteString("; what came is kept to go on with")
	}
	return b.String()
}
