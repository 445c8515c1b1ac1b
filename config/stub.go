package config

import (
	"time"

	"hotfolderd/asset"

	"go.yaml.in/yaml/v4"
)

const nodeIDPattern = `^[A-Za-z0-9_][A-Za-z0-9._-]{0,19}$`

func ParseSettings(file string, data []byte) (Settings, error) {
	s := Default()
	err := yaml.Unmarshal(data, &s)
	return s, err
}

func ParseRule(file string, data []byte) (Rule, error) {
	r := DefaultRule("inbox")
	err := yaml.Unmarshal(data, &r)
	return r, err
}

func CheckSet(rules []Rule) error { return nil }

func RulesHash(rules []Rule) string { return "" }

func Schema(kind string) []byte { return nil }

type NameData struct {
	Path      asset.Key
	Arrived   time.Time
	Hash      asset.Hash
	Meta      map[string]string
	Hotfolder string
}

type Namer struct{}

func CompileName(t NameTemplate) (*Namer, error)          { return &Namer{}, nil }
func (n *Namer) Name(d NameData) (asset.Key, error)       { return d.Path, nil }
func (t NameTemplate) Check() error                       { return nil }
func (t NameTemplate) Name(d NameData) (asset.Key, error) { return d.Path, nil }
