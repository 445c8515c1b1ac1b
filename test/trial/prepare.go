package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"hotfolderd/config"
	"hotfolderd/node"
)

// prepare reads the settings of all nodes and makes sure that everything can be started. Nothing is started.
func prepare(configs, bin string, out io.Writer) (*trial, error) {
	files, err := filepath.Glob(filepath.Join(configs, "*.yaml"))
	if err == nil && len(files) == 0 {
		err = errors.New("there is no settings file (*.yaml)")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", configs, err)
	}
	t := &trial{out: &whole{to: out}, pause: pauseTime}
	program := filepath.Join(bin, "hotfolderd")
	for _, file := range files {
		s, err := readSettings(file)
		if err != nil {
			return nil, err
		}
		if err := t.add(file, program, s); err != nil {
			return nil, err
		}
	}
	t.ended, t.again = make(chan *process, len(files)+1), make(chan *process, len(files)+1)
	return t, errors.Join(t.isBuilt(), t.hasPorts())
}

func readSettings(file string) (config.Settings, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return config.Settings{}, err
	}
	s, err := config.ParseSettings(file, data)
	if err == nil && len(s.Cluster.Consul) != 1 {
		err = fmt.Errorf("%s: cluster.consul: want one address, where a Consul is started", file)
	}
	return s, err
}

// add makes the process of one node, and with the first that of Consul.
func (t *trial) add(file, program string, s config.Settings) (err error) {
	if t.consul == nil {
		if t.consul, err = consulAt(s.Cluster.Consul[0], filepath.Join(filepath.Dir(program), "consul")); err != nil {
			return fmt.Errorf("%s: cluster.consul: %w", file, err)
		}
		if t.store, err = storeOf(file, s); err != nil {
			return fmt.Errorf("%s: storage.url: %w", file, err)
		}
	}
	if s.Cluster.Consul[0] != t.consul.address {
		return fmt.Errorf("%s: cluster.consul: %s is not the address of the others, %s", file, s.Cluster.Consul[0], t.consul.address)
	}
	p := &process{
		name: "node " + s.Node.ID, settings: file, address: s.HTTP.Listen, answers: "/readyz", path: program,
		args: []string{"run", "--config", file}, shown: &column{name: s.Node.ID, to: t.out},
	}
	if _, err := os.Stat(t.store); errors.Is(err, os.ErrNotExist) {
		p.once = []string{"--new-store"} // somebody deleted it to begin anew
	}
	t.nodes = append(t.nodes, p)
	return nil
}

// storeOf is the folder of the store. A relative one is meant from the folder of the settings.
func storeOf(file string, s config.Settings) (string, error) {
	url := s.Storage.URL
	if !filepath.IsAbs(url) && !strings.Contains(url, "://") {
		url = filepath.Join(filepath.Dir(file), url)
	}
	return node.StoreFolder(url)
}

// consulAt is a server that is a cluster by itself, keeps everything in memory and uses the next two ports too.
func consulAt(address, program string) (*process, error) {
	host, ports, err := portsFrom(address)
	if err != nil {
		return nil, err
	}
	return &process{
		name: "Consul", address: address, answers: "/v1/status/leader", path: program, args: []string{
			"agent", "-dev", "-bind", host, "-client", host, "-http-port", ports[0], "-server-port", ports[1], "-serf-lan-port", ports[2],
			"-serf-wan-port", "-1", "-grpc-port", "-1", "-grpc-tls-port", "-1", "-dns-port", "-1", "-log-level", "err",
			"-hcl", "disable_update_check = true",
		},
	}, nil
}

func portsFrom(address string) (host string, ports []string, err error) {
	host, first, err := net.SplitHostPort(address)
	if err != nil {
		return "", nil, err
	}
	n, err := strconv.Atoi(first)
	if err != nil {
		return "", nil, err
	}
	for i := range 3 {
		ports = append(ports, strconv.Itoa(n+i))
	}
	return host, ports, nil
}

func (t *trial) isBuilt() error {
	for _, path := range []string{t.consul.path, t.nodes[0].path} {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("%w: make build bin/consul builds all that is needed", err)
		}
	}
	return nil
}

// hasPorts tells all ports that somebody else has.
func (t *trial) hasPorts() error {
	host, ports, err := portsFrom(t.consul.address)
	if err != nil {
		return err
	}
	var taken []string
	look := func(name, address string) {
		l, err := net.Listen("tcp", address)
		if err != nil {
			taken = append(taken, fmt.Sprintf("%s of %s (%v)", address, name, errors.Unwrap(err)))
			return
		}
		l.Close()
	}
	for _, port := range ports {
		look(t.consul.name, net.JoinHostPort(host, port))
	}
	for _, p := range t.nodes {
		look(p.name, p.address)
	}
	if len(taken) == 0 {
		return nil
	}
	return fmt.Errorf("these addresses are taken: %s; does it run already? Else write other ports into %s/*.yaml",
		strings.Join(taken, ", "), filepath.Dir(t.nodes[0].settings))
}
