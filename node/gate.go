package node

import (
	"context"
	"fmt"
	"time"

	"hotfolderd/admin"
	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/ftpgate"
	"hotfolderd/hotfolder"
	"hotfolderd/storage"
)

// Where the gate keeps what has no name yet: in the work area, or out of sight in a store of a hotfolder's own.
const (
	gateAside      asset.Key = "workarea/ftp"
	gateAsideThere asset.Key = ".hotfolderd-ftp"
)

// buildGate listens for FTP, when the node has the role and there are users.
func (n *Node) buildGate() error {
	s := n.o.Settings
	if !n.hasGate() {
		return nil
	}
	users, err := ftpgate.OpenUsers(s.FTP.UsersFile, n.log)
	if err != nil {
		return fmt.Errorf("ftp.users_file: %w", err)
	}
	o, err := gateOptions(s.FTP)
	if err != nil {
		return err
	}
	o.Users, o.Folders, o.Writable, o.Naming, o.Heard, o.Audit = users, n.gateFolder, n.gateWritable, n.gateNaming, n.gateHeard, n.gateAudit
	o.Check = n.gateCheck
	o.Node, o.Log, o.Metrics = s.Node.ID, n.log, n.o.Registry
	n.gate, err = ftpgate.New(o)
	if err != nil {
		return fmt.Errorf("ftp: %w", err)
	}
	n.onClose(n.closeGate)
	return nil
}

// gateOptions are what the settings say of the gate.
func gateOptions(f config.FTP) (ftpgate.Options, error) {
	o := ftpgate.Options{
		Listen: f.Listen, ListenTLS: f.ListenTLS, PublicHost: f.PublicHost, TLS: ftpgate.TLS(f.TLS), RequireTLS: f.RequireTLS,
		AllowCutTLS: f.AllowCutTLS, MaxSessions: f.MaxSessions, PerAddress: f.MaxPerAddress, Login: f.Login.D(), Idle: f.Idle.D(),
		Stall: f.Stall.D(), Grace: f.Grace.D(), ResumeTTL: f.ResumeTTL.D(), Settle: f.Settle.D(), Checkpoint: f.Checkpoint.D(),
	}
	if o.ResumeTTL == 0 {
		o.ResumeTTL = -1
	}
	for _, text := range f.Proxies {
		p, err := config.ParseNetwork(text)
		if err != nil {
			return o, fmt.Errorf("ftp.proxies: %w", err)
		}
		o.Proxies = append(o.Proxies, p)
	}
	first, last, err := f.PortRange()
	if err != nil {
		return o, fmt.Errorf("ftp.passive_ports: %w", err)
	}
	o.PassivePorts = ftpgate.PortRange{First: first, Last: last}
	return o, nil
}

// closeGate lets the listeners of a gate go that never ran; one that did has none any more.
func (n *Node) closeGate() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // cleanup: ended at once
	cancel()
	return n.runGate(ctx)
}

func (n *Node) runGate(ctx context.Context) (err error) {
	n.gateOnce.Do(func() { err = n.gate.Run(ctx) })
	return err
}

// renamer is a store that gives a file another name in one step, so that a crash leaves it under one of the two.
type renamer interface {
	Rename(ctx context.Context, src storage.Object, dst asset.Key) (storage.Object, error)
}

// gateFolder is where a hotfolder is, as it is now.
func (n *Node) gateFolder(name string) (ftpgate.Folder, bool) {
	n.mu.Lock()
	s, ok := n.specs[name]
	n.mu.Unlock()
	if !ok {
		return ftpgate.Folder{}, false
	}
	f := ftpgate.Folder{Store: s.Store, Prefix: s.Prefix, Aside: n.aside(s)}
	if o, ok := s.Store.(*opened); ok {
		f.Folders, _ = o.maker.(ftpgate.FolderMaker)
		if r, ok := o.closer.(renamer); ok {
			f.Rename = r.Rename
		}
	}
	return f, true
}

func (n *Node) aside(s hotfolder.Spec) asset.Key {
	if s.Prefix == asset.Root {
		return gateAsideThere
	}
	return gateAside
}

// gateWritable refuses uploads while this node may not write.
func (n *Node) gateWritable() (bool, string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state == admin.Active, n.why
}

func (n *Node) hasGate() bool {
	s := n.o.Settings
	return s.Node.HasRole(config.RoleFTP) && s.FTP.UsersFile != ""
}

// gateNaming lets the walk know a drop before it can be seen.
func (n *Node) gateNaming(hotfolder string, key asset.Key, v asset.Version) {
	n.room.Expect(hotfolder, key, v, asset.DoorFTP)
}

// gateHeard tells the walk that a drop is whole: its client has heard that it is stored. Another node's drop is told to that node.
func (n *Node) gateHeard(hotfolder string, key asset.Key, v asset.Version) {
	n.room.Known(hotfolder, key, v, asset.DoorFTP)
	n.hints.add(hint{Heard: admin.Heard{Hotfolder: hotfolder, Key: key, Version: v, Door: asset.DoorFTP}})
}

// hearOfDrops is for admin.Backend.
func (n *Node) hearOfDrops(told []admin.Heard) {
	for _, h := range told {
		n.room.Known(h.Hotfolder, h.Key, h.Version, h.Door)
	}
}

// gateSessions is for admin.Backend.
func (n *Node) gateSessions() []admin.Session {
	if n.gate == nil {
		return nil // it is not built yet
	}
	var all []admin.Session
	for _, s := range n.gate.Sessions() {
		all = append(all, admin.Session(s))
	}
	return all
}

func (n *Node) endGateSession(id string) bool { return n.gate != nil && n.gate.End(id) }
