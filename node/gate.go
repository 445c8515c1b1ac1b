package node

import (
	"context"
	"fmt"
	"slices"
	"time"

	"hotfolderd/admin"
	"hotfolderd/asset"
	"hotfolderd/cluster"
	"hotfolderd/config"
	"hotfolderd/ftpgate"
	"hotfolderd/hotfolder"
	"hotfolderd/intake"
	"hotfolderd/storage"
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
	o.Check, o.Reads, o.Lives, o.Bans = n.gateCheck, n.gateReads, n.gateLives, n.bans
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
	proxies, err := networks(f.Proxies)
	if err != nil {
		return o, fmt.Errorf("ftp.proxies: %w", err)
	}
	o.Proxies = proxies
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
	Rename(ctx context.Context, src storage.Object, dst asset.Key, o storage.PutOptions) (storage.Object, error)
}

// chooser is a store that cannot hold every key.
type chooser interface {
	Storable(key asset.Key) error
}

// dater is a store that keeps the times that it is told.
type dater interface {
	SetTime(ctx context.Context, o storage.Object, t time.Time) (storage.Object, error)
}

// gateFolder is where a hotfolder is, as it is now.
func (n *Node) gateFolder(name string) (intake.Folder, bool) { return n.intakeFolder(name, "ftp") }

// intakeFolder is where a hotfolder is, for one kind of door.
func (n *Node) intakeFolder(name string, door asset.Key) (intake.Folder, bool) {
	n.mu.Lock()
	s, ok := n.specs[name]
	n.mu.Unlock()
	if !ok {
		return intake.Folder{}, false
	}
	f := intake.Folder{Store: s.Store, Prefix: s.Prefix, Aside: aside(s, door)}
	if o, ok := s.Store.(*opened); ok {
		if _, ok := o.maker.(intake.FolderMaker); ok {
			f.Folders = o
		}
		if r, ok := o.closer.(renamer); ok {
			f.Rename = o.renaming(r)
		}
		if d, ok := o.closer.(dater); ok {
			f.SetTime = o.dating(d)
		}
		if c, ok := o.closer.(chooser); ok {
			f.Storable = c.Storable
		}
		if st, ok := o.closer.(storage.Streamer); ok {
			f.Streams = st
		}
	}
	return f, true
}

// aside is where a door keeps what has no name yet: in the work area, or out of sight in a store of a hotfolder's own.
func aside(s hotfolder.Spec, door asset.Key) asset.Key {
	if s.Prefix == asset.Root {
		return ".hotfolderd-" + door
	}
	return asset.Key("workarea").Join(door)
}

// gateWritable refuses uploads while this node may not write.
func (n *Node) gateWritable() (bool, string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state == admin.Active, n.why
}

// gateLives reports whether a node is a member, as far as is known.
func (n *Node) gateLives(id string) bool {
	if n.together == nil {
		return false
	}
	n.mu.Lock()
	members := n.together.members
	n.mu.Unlock()
	return members != nil && slices.ContainsFunc(members.View().Members, func(m cluster.Member) bool { return m.ID == id })
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
		n.hear(h)
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
