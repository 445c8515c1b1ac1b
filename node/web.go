package node

import (
	"context"
	"fmt"
	"iter"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"hotfolderd/accounts"
	"hotfolderd/admin"
	"hotfolderd/admin/access"
	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/hotfolder"
)

// storyDays is how far back the page looks for the story of a file.
const storyDays = 30

func (n *Node) buildWeb() error {
	s := n.o.Settings
	backend := n.backend()
	if !s.Node.HasRole(config.RoleWeb) {
		if n.together == nil {
			return nil
		}
		// The members must be able to reach the node, and the commands that ask a node work on every node of a cluster.
		backend = admin.Backend{
			Node: n.view, Folders: n.folderViews, Scan: n.scan, Pause: n.pause,
			Cluster: backend.Cluster, HeldBy: backend.HeldBy, ClearCache: n.clearCache, ForgetMain: backend.ForgetMain, Drain: n.Drain,
			Audit: n.webAudit, Heard: backend.Heard, Lend: backend.Lend, Joins: backend.Joins, Sessions: backend.Sessions, EndSession: backend.EndSession,
		}
	}
	if err := n.readTokens(); err != nil {
		return err
	}
	o := admin.Options{
		Listen: s.HTTP.Listen, Token: n.tokens().First(), Tokens: n.tokens, Bans: n.bans, Peer: n.isPeer, Log: n.log, Registry: n.o.Registry,
	}
	if err := n.knowPeople(&o); err != nil {
		return err
	}
	web, err := admin.New(backend, o)
	if err != nil {
		return err
	}
	if err := web.Listen(); err != nil {
		return err
	}
	n.web = web
	n.answer()
	return nil
}

// knowPeople reads who may log in, and who is believed about where they come from.
func (n *Node) knowPeople(o *admin.Options) (err error) {
	h := n.o.Settings.HTTP
	if o.Proxies, err = networks(h.Proxies); err != nil {
		return fmt.Errorf("http.proxies: %w", err)
	}
	if h.UsersFile == "" {
		return nil
	}
	users, err := accounts.OpenFile(h.UsersFile, n.log, access.ParseUsers)
	if err != nil {
		return fmt.Errorf("http.users_file: %w", err)
	}
	o.Users = users.Now
	return nil
}

// networks are addresses and networks of the settings.
func networks(texts []string) (all []netip.Prefix, err error) {
	for _, text := range texts {
		p, err := config.ParseNetwork(text)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// answer serves the page from now on, until Close: the members must reach a node before it joins, and so must the node itself,
// or it takes an earlier start of its own that was at the same address for one that does not answer and may live.
func (n *Node) answer() {
	ctx, end := context.WithCancel(context.Background()) // cleanup: Close
	n.answered = make(chan error, 1)
	go func() {
		defer close(n.answered)
		n.answered <- n.web.Run(ctx)
	}()
	n.onClose(func() error {
		end()
		return <-n.answered
	})
}

// awaitAnswered returns when the page ends before ctx does.
func (n *Node) awaitAnswered(ctx context.Context) error {
	select {
	case err := <-n.answered:
		return err
	case <-ctx.Done():
		return nil
	}
}

// backend offers the node to its HTTP.
func (n *Node) backend() admin.Backend {
	b := admin.Backend{
		Node: n.view, Folders: n.folderViews, Recent: n.feed.Recent, Subscribe: n.feed.Subscribe,
		Failures: n.area.Failures, Retry: n.Retry, Current: n.current, Known: n.peek, OpenAsset: n.openAsset, LinkAsset: n.linkAsset,
		Scan: n.scan, Pause: n.pause, Audit: n.webAudit,
		Story: func(ctx context.Context, hotfolder string, key asset.Key) iter.Seq2[asset.Event, error] {
			return n.area.Story(ctx, hotfolder, key, time.Now().AddDate(0, 0, -storyDays))
		},
	}
	if n.thumbs != nil {
		b.OpenThumbnail = n.openThumbnail
		if sizes := n.o.Settings.Thumbnails.OnDemand; len(sizes) > 0 {
			b.MakeThumbnail, b.Sizes, b.KnownThumbnail = n.makeThumbnail, sizes, n.knownThumbnail
		}
	}
	b.PutAsset, b.RemoveAsset, b.Index, b.WaitIndex = n.putAsset, n.removeAsset, n.index, n.waitIndex
	b.ListAssets, b.Versions, b.Version, b.Tags = n.listAssets, n.versions, n.version, n.area.Tags
	b.Files, b.Jobs = n.fileBackend(), n.jobBackend()
	b.ClearCache, b.Drain, b.Drops = n.clearCache, n.Drain, n.dropsBackend()
	if n.together != nil {
		b.Cluster, b.HeldBy, b.ForgetMain = n.clusterView, n.heldBy, n.forgetMain
	}
	if n.imports() {
		b.Heard, b.Lend, b.Joins = n.hearOfDrops, n.lend, n.joinScan
	}
	if n.hasGate() {
		b.Sessions, b.EndSession = n.gateSessions, n.endGateSession
	}
	return b
}

func (n *Node) view() admin.Node {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.o.Settings
	return admin.Node{
		ID: s.Node.ID, Instance: n.instance, State: n.state, Version: n.o.Version, Started: n.started, Roles: s.Node.Roles,
		Store: n.stores.url(s.Storage.URL), StoreID: n.area.ID(), Rules: n.rulesHash, RulesError: n.rulesError, Memory: n.memoryView(),
	}
}

func (n *Node) folderViews() []admin.Folder {
	var all []admin.Folder
	for _, s := range n.room.Status() {
		all = append(all, n.folderView(s))
	}
	if !n.imports() {
		all = n.foldersOfOthers()
	}
	unserved := n.unserved()
	for i := range all {
		tellUnserved(&all[i], unserved[all[i].Name])
	}
	return all
}

func (n *Node) imports() bool { return n.o.Settings.Node.HasRole(config.RoleImport) }

// foldersOfOthers are the hotfolders as a node without the role import knows them: people drop and ask here too.
func (n *Node) foldersOfOthers() []admin.Folder {
	var all []admin.Folder
	for _, s := range n.Folders() {
		f := admin.Folder{
			Name: s.Rule.Hotfolder, Path: s.Rule.Path, State: "elsewhere", Level: admin.OK, Watching: "nodes with the role import",
			Rule: s.Rule.File, DropHere: s.Path, Paused: s.Rule.Paused, PausedByRule: s.Rule.Paused,
		}
		if f.Reason = n.pauses.of(f.Name); f.Reason != "" {
			f.Paused, f.State, f.Level = true, "paused", admin.Warn
		}
		all = append(all, f)
	}
	return all
}

var levels = map[hotfolder.Level]admin.Level{hotfolder.Green: admin.OK, hotfolder.Amber: admin.Warn, hotfolder.Red: admin.Bad}

func (n *Node) folderView(s hotfolder.Status) admin.Folder {
	n.mu.Lock()
	rule := n.specs[s.Hotfolder].Rule
	n.mu.Unlock()
	return admin.Folder{
		Name: s.Hotfolder, Path: rule.Path, Paused: rule.Paused || n.pauses.of(s.Hotfolder) != "", PausedByRule: rule.Paused, State: s.State, Level: levels[s.Level], Reason: s.Reason,
		Watching: s.Watching, Waiting: s.Ready + s.Settling, Settling: s.Settling, InFlight: s.InHand,
		Imported: s.Counts.Imported, Failed: s.Counts.Failed, Ignored: uint64(s.Ignored + s.Refused),
		OldestWaiting: s.OldestWaiting, Rate: n.rates.perSecond(s.Hotfolder), LastScan: s.LastScan, ScanTook: s.ScanTook,
		Rule: s.Rule, DropHere: s.Path,
	}
}

// Retry puts a failed drop back into its hotfolder and says where.
func (n *Node) Retry(ctx context.Context, id string) (asset.Key, error) {
	f, err := n.area.Failure(ctx, id)
	if err != nil {
		return "", err
	}
	n.mu.Lock()
	s, ok := n.specs[f.Hotfolder]
	n.mu.Unlock()
	if !ok {
		return "", fmt.Errorf("retry %s: there is no hotfolder %q any more", f.ID, f.Hotfolder)
	}
	back, err := n.area.Retry(ctx, id, s.Store, s.Prefix.Join(f.Key))
	if err != nil {
		return "", err
	}
	key, _ := back.Below(s.Prefix)
	n.journal(asset.Event{
		Time: time.Now(), Node: n.o.Settings.Node.ID, Hotfolder: f.Hotfolder, Key: key, Drop: f.Drop, Result: asset.Retried,
		Reason: "put back into its hotfolder to be tried again" + by(ctx),
	})
	if err := n.scan(ctx, f.Hotfolder); err != nil {
		n.log.Info("a drop that was put back is found by the next scan", zap.String("hotfolder", f.Hotfolder), zap.Error(err))
	}
	return key, nil
}
