package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
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
	t.ended, t.again = make(chan *process, len(files)+2), make(chan *process, len(files)+2)
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
		if err := t.addShared(file, filepath.Dir(program), s); err != nil {
			return err
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

// addShared makes what the nodes share: their store, and Consul.
func (t *trial) addShared(file, bin string, s config.Settings) (err error) {
	if strings.HasPrefix(s.Storage.URL, "s3://") {
		if t.bucket, err = bucketOf(file, filepath.Join(bin, "minio"), s); err == nil {
			t.store = t.bucket.home
		}
	} else {
		t.store, err = storeOf(file, s)
	}
	if err != nil {
		return fmt.Errorf("%s: storage.url: %w", file, err)
	}
	kept := ""
	if t.bucket != nil {
		kept = filepath.Join(t.store, "consul")
	}
	if t.consul, err = consulAt(s.Cluster.Consul[0], filepath.Join(bin, "consul"), kept); err != nil {
		return fmt.Errorf("%s: cluster.consul: %w", file, err)
	}
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

// consulAt is a server that is a cluster by itself and uses the next two ports too. It keeps everything in memory, or in a folder.
func consulAt(address, program, kept string) (*process, error) {
	host, ports, err := portsFrom(address)
	if err != nil {
		return nil, err
	}
	mode := []string{"-dev"}
	if kept != "" {
		mode = []string{"-server", "-bootstrap-expect", "1", "-data-dir", kept, "-node", "trial", "-hcl", "performance { raft_multiplier = 1 }"}
	}
	return &process{
		name: "Consul", address: address, answers: "/v1/status/leader", says: true, path: program, args: slices.Concat([]string{"agent"}, mode, []string{
			"-bind", host, "-client", host, "-http-port", ports[0], "-server-port", ports[1], "-serf-lan-port", ports[2],
			"-serf-wan-port", "-1", "-grpc-port", "-1", "-grpc-tls-port", "-1", "-dns-port", "-1", "-log-level", "err",
			"-hcl", "disable_update_check = true",
		}),
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
	for _, p := range append(t.needs(), t.nodes[0]) {
		if _, err := os.Stat(p.path); err != nil {
			return fmt.Errorf("%w: make build bin/consul bin/minio builds all that is needed", err)
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
	if t.bucket != nil {
		look(t.bucket.server.name, t.bucket.server.address)
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
