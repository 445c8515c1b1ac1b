package main

import (
	"embed"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	api "hotfolderd/client"
)

//go:embed balancers
var balancers embed.FS

// balancerFiles are the templates by the name of the program.
var balancerFiles = map[string]string{"haproxy": "haproxy.cfg.tmpl", "nginx": "nginx.conf.tmpl"}

// balancerFlags say where the balancer is to listen.
type balancerFlags struct{ listen, ftp, ftps string }

func (a *app) balancerCommand() *cobra.Command {
	var f balancerFlags
	var r remote
	c := &cobra.Command{
		Use: "lb-config haproxy|nginx", Short: "Print the configuration of a load balancer before the live nodes",
		Long: "Asks the nodes who their members are and prints a whole configuration for haproxy or nginx: weights, health by /readyz, a cookie\n" +
			"that leads clients back to warm memory, times that long uploads need, and the FTP gates with the ports of their data. For FTP each\n" +
			"node needs passive_ports of its own. What could not be done is told in notes, there and here. It ends with how to load it.",
		Args: take(1, 1, "haproxy or nginx"), ValidArgs: []string{"haproxy", "nginx"},
		RunE: func(c *cobra.Command, args []string) error { return a.balancer(c, args[0], f, r) },
	}
	c.Flags().StringVar(&f.listen, "listen", "", "`host:port` for HTTP (default \":80\")")
	c.Flags().StringVar(&f.ftp, "ftp-listen", ":21", "`host:port` for FTP; its host is that of the data connections too")
	c.Flags().StringVar(&f.ftps, "ftps-listen", ":990", "`host:port` for FTP that is encrypted from the first byte")
	r.addTo(c)
	return c
}

func (a *app) balancer(c *cobra.Command, kind string, f balancerFlags, r remote) error {
	file, ok := balancerFiles[kind]
	if !ok {
		return usagef(c, "there is no template for %s; there are haproxy and nginx", show(kind))
	}
	cl, err := a.dial(c, r)
	if err != nil {
		return err
	}
	defer cl.Close()
	members, err := cl.Members(c.Context())
	if err != nil {
		return remoteFault(err)
	}
	v, err := balancerViewOf(members, f, kind)
	if err != nil {
		return usagef(c, "%w", err)
	}
	for _, n := range v.Notes {
		fmt.Fprintf(a.err, "hotfolderd: note: %s\n", n)
	}
	t, err := template.ParseFS(balancers, "balancers/"+file)
	if err != nil {
		return err
	}
	return t.Execute(a.out, v)
}

// balancerView is what the templates are made of. Nothing in it can be taken for more than one word of a configuration.
type balancerView struct {
	Listen string
	Notes  []string
	Nodes  []balancedNode
	Doors  []balancedDoor
	Gates  []balancedGate
}

type balancedNode struct {
	ID, Address string
	Weight      int
}

// balancedDoor is one kind of control connection.
type balancedDoor struct {
	Name, Suffix, Listen string
	Gates                []balancedGate
}

type balancedGate struct {
	ID, HTTP, Address, Host string
	Data                    string // where the balancer listens for its data connections
	Weight                  int
	Proxied                 bool // it believes PROXY protocol v2 of some addresses

	first, last int
}

func balancerViewOf(members []api.Member, f balancerFlags, kind string) (balancerView, error) {
	v := balancerView{Listen: f.listen}
	if v.Listen == "" {
		v.Listen = ":80"
	}
	for _, at := range []*string{&v.Listen, &f.ftp, &f.ftps} {
		if err := listenFor(kind, at); err != nil {
			return v, err
		}
	}
	slices.SortFunc(members, func(x, y api.Member) int { return strings.Compare(x.ID, y.ID) })
	for _, m := range members {
		switch why := unusable(m); {
		case why != "":
			v.note("node %s is left out: %s", show(m.ID), why)
		default:
			v.Nodes = append(v.Nodes, balancedNode{m.ID, m.Address, max(1, m.Weight)})
		}
	}
	if len(v.Nodes) == 0 {
		return v, errors.New("no member has the role web and an address that a balancer could reach")
	}
	v.addGates(members, f)
	return v, nil
}

func (v *balancerView) note(format string, args ...any) {
	v.Notes = append(v.Notes, fmt.Sprintf(format, args...))
}

// listenFor checks an address and writes it as the program wants it.
func listenFor(kind string, at *string) error {
	host, port, err := net.SplitHostPort(*at)
	if err != nil || strings.ContainsAny(host, " \t\n;{}#\"'\\$") || !number(port) {
		return fmt.Errorf("%q is no host:port to listen on", *at)
	}
	if kind == "nginx" && host == "" {
		*at = port
	}
	return nil
}

func number(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// unusable says why a member gets no requests by HTTP.
func unusable(m api.Member) string {
	host, port, err := net.SplitHostPort(m.Address)
	switch {
	case !idWord(m.ID):
		return "its id is no word of a configuration"
	case !slices.Contains(m.Roles, "web"):
		return "it has not the role web"
	case m.State == "left":
		return "it has left"
	case err != nil || !number(port) || !hostWord(host):
		return "it has no address that others can reach (cluster.advertise)"
	}
	return ""
}

// idWord and hostWord keep what a member says of itself from being more than one word.
func idWord(id string) bool {
	return harmlessWord.MatchString(id) && !strings.ContainsAny(id, "/@%+=:,")
}

func hostWord(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && !ip.IsUnspecified() || ip == nil && idWord(host)
}

// addGates adds the FTP gates, unless two have the same ports: a data connection could not be told where it belongs.
func (v *balancerView) addGates(members []api.Member, f balancerFlags) {
	all := balancedDoor{Name: "ftp", Listen: f.ftp}
	tls := balancedDoor{Name: "ftps", Suffix: " that is encrypted from the first byte", Listen: f.ftps}
	for _, m := range members {
		if m.Gate == nil || unusableGate(m) {
			continue
		}
		g := gateOf(m, f.ftp)
		for _, other := range v.Gates {
			if g.first <= other.last && other.first <= g.last {
				v.note("FTP is left out: nodes %s and %s have the same ftp.passive_ports; give each node a range of its own", other.ID, g.ID)
				v.Gates, v.Doors = nil, nil
				return
			}
		}
		v.Gates, all.Gates = append(v.Gates, g), append(all.Gates, g)
		if host, port, err := net.SplitHostPort(m.Gate.AddressTLS); err == nil && number(port) && hostWord(host) {
			g.Address = m.Gate.AddressTLS
			tls.Gates = append(tls.Gates, g)
		}
	}
	for _, d := range []balancedDoor{all, tls} {
		if len(d.Gates) > 0 {
			v.Doors = append(v.Doors, d)
		}
	}
	if slices.ContainsFunc(v.Gates, func(g balancedGate) bool { return !g.Proxied }) {
		v.note("some gates have no ftp.proxies: they see all clients at the balancer's address")
	}
}

func unusableGate(m api.Member) bool {
	host, port, err := net.SplitHostPort(m.Gate.Address)
	first, last := portsOf(m.Gate.Ports)
	return unusable(m) != "" || err != nil || !number(port) || !hostWord(host) || first == 0 || last < first
}

func gateOf(m api.Member, listen string) balancedGate {
	host, _, _ := net.SplitHostPort(m.Gate.Address) // was checked
	on, _, err := net.SplitHostPort(listen)
	if err != nil {
		on = "" // nginx has only a port where all addresses are meant
	}
	g := balancedGate{
		ID: m.ID, HTTP: m.Address, Address: m.Gate.Address, Host: bracketed(host), Weight: max(1, m.Weight), Proxied: len(m.Gate.Proxies) > 0,
	}
	g.first, g.last = portsOf(m.Gate.Ports)
	if g.Data = fmt.Sprintf("%d-%d", g.first, g.last); on != "" || err == nil {
		g.Data = bracketed(on) + ":" + g.Data
	}
	return g
}

func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

func portsOf(text string) (first, last int) {
	low, high, ranged := strings.Cut(text, "-")
	if !ranged {
		high = low
	}
	if !number(low) || !number(high) {
		return 0, 0
	}
	first, _ = strconv.Atoi(low) // they are numbers
	last, _ = strconv.Atoi(high)
	return first, last
}
