package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.uber.org/zap"

	"hotfolderd/cluster"
	"hotfolderd/cluster/invalidation"
	"hotfolderd/cluster/shares"
	"hotfolderd/config"
	"hotfolderd/leases"
	"hotfolderd/leases/consul"
	"hotfolderd/leases/local"
	"hotfolderd/workarea"
)

// together is what a node has beyond one that is alone: a connection to Consul, a session there and a place among the members.
type together struct {
	conn    *consul.Conn
	keeper  *consul.Keeper
	leaser  *consul.Leaser
	members *cluster.Cluster
	cluster string // id
}

// dialPause is the time between two tries to find Consul at the start.
const dialPause = 500 * time.Millisecond

// dial connects to Consul, when the settings name one, and begins the node's session.
func (n *Node) dial(ctx context.Context) error {
	s := n.o.Settings
	if len(s.Cluster.Consul) == 0 {
		return nil
	}
	conn, err := consul.Dial(ConsulConfig(s.Cluster, n.log))
	if err != nil {
		return err
	}
	n.onClose(func() error { conn.Close(); return nil })
	keeper, err := n.keep(ctx, conn)
	if err != nil {
		return fmt.Errorf("cluster.consul: begin a session: %w", err)
	}
	n.onClose(keeper.Close)
	n.together = &together{conn: conn, keeper: keeper}
	return nil
}

// refusedTTL is in what Consul says, as an error of its own, to a TTL that its settings do not allow.
const refusedTTL = "Invalid Session TTL"

// keep begins the session. It waits for a Consul that is not there yet: nodes and servers may start in any order.
func (n *Node) keep(ctx context.Context, conn *consul.Conn) (*consul.Keeper, error) {
	s := n.o.Settings
	for told := false; ; told = true {
		keeper, err := consul.Keep(ctx, conn, consul.KeepOptions{
			Namespace: s.Cluster.Namespace, Node: s.Node.ID, TTL: s.Cluster.SessionTTL.D(), Log: n.log,
		})
		switch {
		case err != nil && strings.Contains(err.Error(), refusedTTL):
			return nil, fmt.Errorf("%w: %w: write a longer cluster.session_ttl, or set session_ttl_min on Consul's servers", ErrSettings, err)
		case consul.Distrusted(err):
			return nil, fmt.Errorf("%w: %w: look at cluster.tls and the certificates", ErrSettings, err)
		case !errors.Is(err, consul.ErrUnreachable) || ctx.Err() != nil:
			return keeper, err
		}
		if !told {
			n.log.Warn("waiting for Consul (cluster.consul)", zap.Strings("addresses", s.Cluster.Consul), zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(dialPause):
		}
	}
}

// ConsulConfig is how the settings of a cluster reach Consul.
func ConsulConfig(c config.Cluster, log *zap.Logger) consul.Config {
	return consul.Config{
		Addresses: c.Consul, TokenFile: c.TokenFile, Log: log,
		TLS: consul.TLS{CA: c.TLS.CA, Cert: c.TLS.Cert, Key: c.TLS.Key, ServerName: c.TLS.ServerName},
	}
}

// buildLog makes the log that tells the members what to forget.
func (n *Node) buildLog(main *opened) (err error) {
	o := invalidation.Options{
		Node: n.o.Settings.Node.ID, Instance: n.instance, Store: main,
		Forget:    func(marks []uint64) { n.memory.Forget(marks...) },
		ForgetAll: n.forgetAll,
		Log:       n.log, Metrics: n.o.Registry,
	}
	if t := n.together; t != nil {
		o.Conn, o.Root = t.conn, consul.Root(n.o.Settings.Cluster.Namespace)
		o.Live = func(instance string) bool { return t.members.Live(instance) }
		o.Duty = func() bool { return t.members.Duty() }
	}
	n.news, err = invalidation.New(o)
	return err
}

func (n *Node) forgetAll(reason string) {
	n.log.Info("forgot everything", zap.String("reason", reason))
	n.memory.ForgetAll()
}

// buildShares decides by which leases the drops are divided. A node that is alone keeps every other process away from the store;
// the nodes of a cluster keep those away that are alone.
func (n *Node) buildShares(ctx context.Context, main *opened) error {
	o := shares.Options{Self: n.o.Settings.Node.ID, Gained: n.gainedShares, Log: n.log}
	var err error
	if n.together == nil {
		o.Log = nil // it has all, and nothing will change that
		o.Leaser, err = n.leasesAlone(ctx, main)
	} else {
		var l *consul.Leaser
		if l, err = n.leasesTogether(ctx, main); l != nil {
			o.Leaser, o.Watch = l, l.Watch
		}
	}
	if err != nil {
		return err
	}
	n.claims = &claims{shares: shares.New(o)}
	return nil
}

// leasesAlone locks the store's own folder. A bucket has none: a folder of this machine is locked then, and the tenure of the bucket
// is taken, which other machines see.
func (n *Node) leasesAlone(ctx context.Context, main *opened) (leases.Leaser, error) {
	if err := n.belongsToNobody(ctx); err != nil {
		return nil, err
	}
	private := main.private()
	if private == "" {
		private = filepath.Join(cmp.Or(n.o.Memory, os.TempDir()), "alone-"+n.area.ID())
	}
	l, err := local.New(private)
	if err == nil {
		n.onClose(func() error { return main.calls.Close(l.Close) })
		if main.private() == "" {
			err = n.tenureAlone(ctx, private)
		}
	}
	if errors.Is(err, leases.ErrHeld) {
		return nil, fmt.Errorf("%w: stop it first; beside the nodes of a cluster, set cluster.consul as they have it", err)
	}
	return l, err
}

func (n *Node) leasesTogether(ctx context.Context, main *opened) (*consul.Leaser, error) {
	if err := n.shareStore(ctx, main); err != nil {
		return nil, err
	}
	if err := n.settle(ctx); err != nil {
		return nil, err
	}
	namespace := n.o.Settings.Cluster.Namespace
	var err error
	if n.epoch, err = cluster.Epoch(ctx, n.together.conn, namespace, n.area.RaiseEpoch); err != nil {
		return nil, err
	}
	l := consul.New(n.together.conn, n.together.keeper, consul.Options{Root: consul.Root(namespace), Epoch: n.epoch, Log: n.log})
	n.onClose(l.Close)
	n.together.leaser = l
	return l, nil
}

// shareStore keeps nodes that are alone away from a store that the cluster works on.
func (n *Node) shareStore(ctx context.Context, main *opened) error {
	var err error
	if main.private() == "" {
		err = n.hold(ctx, workarea.TenureOptions{Cluster: n.o.Settings.Cluster.Namespace})
	} else {
		var shared io.Closer
		if shared, err = local.Share(main.private()); err == nil {
			n.onClose(func() error { return main.calls.Close(shared.Close) })
		}
	}
	if errors.Is(err, leases.ErrHeld) {
		return fmt.Errorf("%w: it is alone, its settings name no cluster.consul: stop it, or give it the settings of this cluster", err)
	}
	return err
}

// silence is how long a member must answer nobody before its session is taken. It is longer than a node without Consul's answer
// goes on importing (3 s), so that one whose network is gone stops before others start on its partitions.
const silence = 4 * time.Second

// join makes the node a member. It answers the others' probes from then on.
func (n *Node) join(ctx context.Context) (err error) {
	if n.together == nil {
		return nil
	}
	s := n.o.Settings
	address, err := s.Advertised(n.boundAddr())
	if err != nil {
		return err
	}
	members, err := cluster.Join(ctx, cluster.Options{
		Conn: n.together.conn, Keeper: n.together.keeper, Namespace: s.Cluster.Namespace, Self: n.member(address),
		Isolation: s.Cluster.Isolation, WaitFor: s.Cluster.WaitForNodes, Probe: cluster.ProbeOptions{Silence: silence},
		Home: n.area, Cluster: n.together.cluster, Epoch: n.area.RaiseEpoch, Log: n.log, Metrics: n.o.Registry,
	})
	n.mu.Lock()
	defer n.mu.Unlock()
	n.together.members = members
	return ofSettings(err)
}

// ofSettings says of an error that only a change of settings helps.
func ofSettings(err error) error {
	if errors.Is(err, cluster.ErrDuplicate) || errors.Is(err, cluster.ErrStore) || errors.Is(err, cluster.ErrHome) {
		return fmt.Errorf("%w: %w", ErrSettings, err)
	}
	return err
}

func (n *Node) member(address string) cluster.Member {
	s := n.o.Settings
	return cluster.Member{
		ID: s.Node.ID, Instance: n.instance, Address: address, Roles: s.Node.Roles, Weight: s.Node.Weight, Priority: s.Node.Priority,
		Settings: s.Common(),
		Version:  n.o.Version, Rules: n.rulesHash, RulesVersion: n.rulesVersion, Store: n.area.ID(), State: string(n.State()),
		Share: 1, Started: n.started, Gate: n.gateOf(address),
	}
}

// gateOf is where this node's gate is reached: at the host of its own HTTP, where it listens on all addresses.
func (n *Node) gateOf(address string) *cluster.Gate {
	if !n.hasGate() {
		return nil
	}
	f := n.o.Settings.FTP
	return &cluster.Gate{
		Address: reached(f.Listen, address), AddressTLS: reached(f.ListenTLS, address), Ports: f.PassivePorts, Proxies: f.Proxies,
	}
}

// reached is a listener's address as others reach it; of none it is empty.
func reached(listen, address string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host, _, _ = net.SplitHostPort(address) // without an address of its own it has none for this either
	}
	return net.JoinHostPort(host, port)
}
