package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// faultsOf are the lines of the error, without the file's name.
func faultsOf(t testing.TB, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var all Errors
	if !errors.As(err, &all) || len(all) == 0 {
		t.Fatalf("want Errors, got %T: %v", err, err)
	}
	return strings.Split(err.Error(), "\n")
}

func TestParseRule_namesEveryFaultWithItsPlace(t *testing.T) {
	_, err := ParseRule("products.yaml", []byte(`hotfolder: Products
path: /hotfolders/products
match:
  include:
    - ".*\\.jpg"
    - "*.png"
  max_sise: 2GiB
  empty: drop
complete: { settle: 25h, done_marker: "a/{name}" }
thumbnails:
  sizes: [256, 8, 256]
  quality: high
`))
	want := []string{
		`products.yaml:1:12: hotfolder: "Products" cannot be used; must be 1 to 64 of a-z, 0-9, "-" and "_"`,
		`products.yaml:2:7: path: "/hotfolders/products" begins with a slash; write a folder below the store, or file:///folder for another one`,
		`products.yaml:5:7: match.include[0]: ".*\\.jpg" looks like a regular expression; a glob is expected, as **/*.{jpg,png}`,
		`products.yaml:7:3: match.max_sise: unknown key; did you mean max_size?`,
		`products.yaml:8:10: match.empty: "drop" is not reject, import or ignore`,
		`products.yaml:9:21: complete.settle: 25h is out of range; from 0s to 24h`,
		`products.yaml:9:39: complete.done_marker: "a/{name}" has a slash; a marker lies beside its drop: write "{name}.done" for a marker of each file, or ".ready" for one of the folder`,
		`products.yaml:11:16: thumbnails.sizes[1]: 8 is out of range; from 16 to 4096`,
		`products.yaml:11:19: thumbnails.sizes[2]: 256 is in the list twice; keep one of them`,
		`products.yaml:12:12: thumbnails.quality: expected a whole number, got "high"; from 1 to 100`,
	}
	got := faultsOf(t, err)
	for i := range max(len(want), len(got)) {
		w, g := at(want, i), at(got, i)
		if w != g {
			t.Errorf("want %s\n got %s", w, g)
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "nothing"
}

// one is a file with one fault: what must be in its line.
type one struct{ text, want string }

func refuse(t *testing.T, parse func([]byte) error, rows []one) {
	t.Helper()
	for _, row := range rows {
		got := faultsOf(t, parse([]byte(row.text)))
		if len(got) != 1 || !strings.Contains(got[0], row.want) {
			t.Errorf("%q: want one fault with\n %s\ngot\n %s", row.text, row.want, strings.Join(got, "\n "))
		}
	}
}

func rule(data []byte) error     { _, err := ParseRule("r.yaml", data); return err }
func settings(data []byte) error { _, err := ParseSettings("s.yaml", data); return err }

func TestParse_refusesWhatIsNoPlainYAML(t *testing.T) {
	refuse(t, settings, []one{
		{"", "1:1: the file is empty; leave it away for the defaults, or write {}"},
		{"# only a comment\n", "the file is empty"},
		{"node:\n\tweight: 1\n", "2:1: found character that cannot start any token; indent with spaces, not with tabs"},
		{"node: {weight: 1}\n---\nlog: {}\n", "2:1: a second document begins here"},
		{"node: {weight: 1, weight: 2}\n", "1:19: node.weight: set twice, first on line 1"},
		{"log: {}\nlog: {}\n", "2:1: log: set twice, first on line 1"},
		{"a: &a [x]\n", "a: unknown key"},
		{"node: &n {weight: 2}\n", "1:7: node: &n is an anchor, which is not used here"},
		{"hotfolders: *x\n", "1:13: *x is an alias, which is not used here; put a value"},
		{"<<: {node: {}}\n", "<<: unknown key; merging is not used here"},
		{"node: {weight: !!int \"5\"}\n", "node.weight: it has the tag !!int"},
		{"hotfolders: !secret x\n", "it has the tag !secret"},
		{"- node\n", "1:1: expected keys and values, got a list"},
		{"text\n", "expected keys and values, got text"},
		{"? [a]\n: b\n", "a key must be a word, not a list"},
		{"node: 5\n", "1:7: node: expected keys and values, got a number; its keys are id, roles, weight, priority"},
		{"log: {level: \xff}\n", "1:14: invalid leading UTF-8 octet"},
		{"\"a\\nb: forged\": 1\n", `"a\nb: forged": unknown key`},
		{"log: {level: \"info\\u0007\"}\n", "holds a control character"},
		{strings.Repeat("[", 20) + "\n", "exceeded max depth"},
		{"#" + strings.Repeat("x", maxFile), "more than 1MiB"},
	})
}

func TestParse_doesNotUnfoldAliases(t *testing.T) {
	text := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c <= 'z'; c++ {
		text += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c, ", c-1), 9), ", "))
	}
	start := time.Now()
	if err := settings([]byte(text)); err == nil {
		t.Error("want faults, got none")
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestParse_endsALongListOfFaults(t *testing.T) {
	var text strings.Builder
	for i := range 500 {
		fmt.Fprintf(&text, "key%d: 1\n", i)
	}
	got := faultsOf(t, settings([]byte(text.String())))
	if len(got) > maxFaults+1 {
		t.Errorf("want at most %d lines, got %d", maxFaults+1, len(got))
	}
	last := got[len(got)-1]
	if want := "s.yaml: more than 100 faults; the rest is not shown"; last != want {
		t.Errorf("want the last to be %q, got %q", want, last)
	}
}

func TestParseSettings_refusesImpossibleValues(t *testing.T) {
	refuse(t, settings, []one{
		{"node: {id: this-is-far-too-long-for-an-id}", "must be 1 to 20 of"},
		{"node: {id: .hidden}", `".hidden" cannot be used`},
		{"node: {id: 5}", `1:12: node.id: expected text, got a number; put it in quotes: "5"`},
		{"node: {roles: []}", "the list is empty"},
		{"node: {roles: import}", `expected a list, got text; write ["import"]`},
		{"node: {roles: [imports]}", `node.roles[0]: "imports" is not import, thumbnails, ftp or web; did you mean import?`},
		{"node: {weight: 0}", "0 is out of range; from 1 to 100"},
		{"node: {weight: 1.5}", `expected a whole number, got "1.5"`},
		{"node: {weight: 99999999999999999999}", "expected a whole number"},
		{"node: {priority: 101}", "101 is out of range; from 0 to 100"},
		{"node: {wieght: 1}", "node.wieght: unknown key; did you mean weight?"},
		{"weight: 1", "weight: unknown key; did you mean node.weight?"},
		{"storage: {url: ftp://host/x}", `a store is not reached by "ftp"`},
		{"storage: {url: file://srv/x}", `"srv" is taken for another machine; write three slashes: file:///srv`},
		{"storage: {url: 'file:///'}", "it names no folder"},
		{"storage: {url: 'file:///srv/../etc'}", `it has a part ".."`},
		{"storage: {url: 'file:///srv/%2e%2e/etc'}", `it has a part ".."`},
		{"storage: {url: 'file:/srv'}", "has no // after its scheme"},
		{"storage: {url: 's3:///x'}", "it names no bucket"},
		{"storage: {url: ''}", "it is empty"},
		{"cluster: {consul: ['a b']}", `cluster.consul[0]: "a b" is no Consul address`},
		{"cluster: {consul: ['host:99999']}", "is no Consul address"},
		{"cluster: {consul: 'host:8500'}", `expected a list, got text; write ["host:8500"]`},
		{"cluster: {namespace: a/b}", `"a/b" cannot be used`},
		{"cluster: {isolation: Static}", `"Static" is not majority, static or dynamic; did you mean static?`},
		{"hotfolders: ''", "it is empty; write a folder, or published"},
		{"hotfolders: [a]", "expected text, got a list"},
		{"hotfolders: 2026-01-01", "expected text, got a date; put it in quotes"},
		{"storage: {url: 'file:///srv?x=1'}", "a file URL has no query"},
		{"storage: {url: 'file:///srv#x'}", "it holds #; write it as %23"},
		{"storage: {url: 'file:///a b%zz'}", "it is no URL that can be read"},
		{"hotfolders: s3://bucket/rules", "is no folder"},
		{"import: {queue: 0}", "0 is out of range"},
		{"import: {workers: 4, per_hotfolder: 5}", "1:37: import.per_hotfolder: 5 is more than import.workers, 4"},
		{"import: {thumbnail_timeout: 5}", `the duration "5" has no unit; write 5s for seconds`},
		{"import: {thumbnail_timeout: -5s}", "is negative"},
		{"import: {thumbnail_memory: 1MiB}", "1MiB is out of range; from 64MiB to 1TiB"},
		{"http: {listen: '0.0.0.0:8480'}", "1:16: http.listen: \"0.0.0.0:8480\" can be reached from other machines, but there is no http.token_file"},
		{"http: {listen: ':8480'}", "can be reached from other machines"},
		{"http: {listen: 'example.org:8480'}", "can be reached from other machines"},
		{"http: {listen: '127.0.0.1'}", "is no address to listen on"},
		{"http: {listen: '127.0.0.1:http'}", "has no port"},
		{"http: {listen: '127.0.0.1:65536'}", "has no port"},
		{"http: {listen: 'a/b:80'}", "is no host name"},
		{"http: {listen: ''}", "is no address to listen on"},
		{"ftp: {passive_ports: 30100-30000}", "ends before it begins"},
		{"ftp: {passive_ports: 0-10}", "holds port 0"},
		{"ftp: {passive_ports: a-b}", "is no range of ports"},
		{"ftp: {passive_ports: 2000-3000}", "holds 2121, the port of ftp.listen"},
		{"ftp: {passive_ports: 30000}", "expected text, got a number; put it in quotes"},
		{"ftp: {listen: '127.0.0.1:8480'}", "1:15: ftp.listen: http.listen and ftp.listen have the same port 8480"},
		{"ftp: {listen: ':8480'}", "have the same port 8480"},
		{"http: {listen: '127.0.0.1:2121'}", "1:16: http.listen: http.listen and ftp.listen have the same port 2121"},
		{"ftp: {public_host: 'ftp://x'}", "write it without scheme and port"},
		{"ftp: {tls: {cert: a.pem}}", "1:19: ftp.tls.cert: a certificate and its key belong together"},
		{"ftp: {tls: {key: a.pem}}", "1:18: ftp.tls.key: a certificate and its key belong together"},
		{"log: {level: warning}", `"warning" is not debug, info, warn or error`},
		{"log: {level: }", "expected text, got nothing; leave the key away for the default"},
		{"log: {format: yes}", `"yes" is not auto, console or json`},
	})
}

func TestParseSettings_neverRepeatsASecret(t *testing.T) {
	for _, text := range []string{
		"storage: {url: 's3://key:hush@bucket/x'}", "storage: {url: 's3://bucket/x?secret_key=hush'}", "storage: {url: 's3://bucket/x?token=hush'}",
		"storage: {url: 's3://bucket/x?endpoint=https://me:hush@host'}", "storage: {url: 'http://me:hush@host'}", "storage: {url: 's3://me:hush@buck et/%'}",
		"cluster: {consul: ['http://me:hush@host:8500']}",
	} {
		got := faultsOf(t, settings([]byte(text)))
		if len(got) != 1 || strings.Contains(got[0], "hush") {
			t.Errorf("%s: want one fault without the secret, got %q", text, got)
		}
	}
}

func TestParseSettings_acceptsWhatIsPossible(t *testing.T) {
	for _, text := range []string{
		"{}", "node:\nhttp:\n", "node: {id: node-a, roles: [web]}", "storage: {url: /srv/hot folders}", "storage: {url: 'file:///srv/x'}",
		"storage: {url: 's3://bucket/prefix?endpoint=https://host:9000&region=eu-west-1'}", "storage: {url: 's3://bucket?secret_key_file=/run/s3'}",
		"cluster: {consul: ['10.0.0.1:8500', 'https://consul.example.org', host, '[::1]:8500', '::1']}", "hotfolders: published", "ftp: {listen: '127.0.0.2:8480'}",
		"http: {listen: '0.0.0.0:8480', token_file: /run/token}", "http: {listen: '[::1]:0'}", "http: {listen: 'localhost:80'}",
		"ftp: {listen: ':21', passive_ports: '30000', public_host: 203.0.113.7, users_file: u.yaml, tls: {cert: c, key: k}}",
		"import: {max_pixels: 1_000, thumbnail_memory: 1.5GiB}",
	} {
		if err := settings([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestParseSettings_aDefaultGivesWayToWhatIsWritten(t *testing.T) {
	s, err := ParseSettings("", []byte("import: {workers: 8}"))
	if err != nil || s.Import.PerHotfolder != 8 {
		t.Errorf("want 8 for one hotfolder, got %d, %v", s.Import.PerHotfolder, err)
	}
	for text, want := range map[string]Retry{
		"max_backoff: 100ms": {Attempts: DefaultAttempts, Backoff: Duration(100 * time.Millisecond), MaxBackoff: Duration(100 * time.Millisecond)},
		"backoff: 1m":        {Attempts: DefaultAttempts, Backoff: Duration(time.Minute), MaxBackoff: Duration(time.Minute)},
	} {
		r, err := ParseRule("", []byte("hotfolder: x\nretry: {"+text+"}"))
		if err != nil || r.Retry != want {
			t.Errorf("%s: want %+v, got %+v, %v", text, want, r.Retry, err)
		}
	}
}

func TestParseRule_refusesImpossibleValues(t *testing.T) {
	x := "hotfolder: x\n"
	refuse(t, rule, []one{
		{"paused: true", "1:1: hotfolder: this key is needed"},
		{"{}", "hotfolder: this key is needed"},
		{x + "path: hotfolders/x/", `ends with a slash; write "hotfolders/x"`},
		{x + "path: a//b", "an empty part"},
		{x + "path: ../x", `it has a part ".."`},
		{x + "path: workarea/x", "lies in a tree that the program owns; choose a folder outside of workarea or .hotfolderd"},
		{x + "path: WorkArea", "lies in a tree that the program owns"},
		{x + "path: .hotfolderd/x", "lies in a tree that the program owns"},
		{x + "path: smb://host/x", "a store is not reached by"},
		{x + "path: ''", "it is empty"},
		{x + "match: {include: [*.jpg]}", "*.jpg is an alias, which is not used here; put a value that begins with { * @ % & or ! in quotes"},
		{x + "match: {include: ['[a']}", "is no glob; brackets and braces must be closed"},
		{x + "match: {include: ['^a$']}", "looks like a regular expression"},
		{x + "match: {include: ['(a|b)']}", "looks like a regular expression"},
		{x + "match: {include: ['/*.jpg']}", "begins with a slash"},
		{x + "match: {include: ['./*.jpg']}", `has a part "."`},
		{x + "match: {include: ['**.jpg']}", "write **/*.jpg"},
		{x + "match: {include: ['a/']}", `write "a/**"`},
		{x + "match: {include: ['!a']}", "put it under match.exclude"},
		{x + "match: {include: ['*.jpg,*.png']}", "several patterns in one"},
		{x + `match: {include: ['a\b']}`, "looks like a regular expression"},
		{x + `match: {include: ['a\c']}`, "folders are divided by /"},
		{x + "match: {exclude: ['']}", "the pattern is empty"},
		{x + "match: {exclude: ['" + strings.Repeat("{a,b}", 12) + "']}", "more than 1000 alternatives"},
		{x + "match: {max_size: -5}", `"-5" is negative`},
		{x + "match: {max_size: 1.5}", "is no whole number of bytes"},
		{x + "match: {max_size: 9EB}", "is no size such as"},
		{x + "match: {max_size: 9999999TiB}", "is more than a file can have"},
		{x + "match: {max_size: }", "expected a size such as 2GiB, got nothing"},
		{x + "complete: {done_marker: '{name}'}", "the marker would be the drop itself"},
		{x + "complete: {done_marker: '{base}.ok'}", "another word in braces"},
		{x + "complete: {done_marker: '*.done'}", "is no file name"},
		{x + "complete: {done_marker: {name}}", "expected text, got keys and values; put a value that begins with { in quotes"},
		{x + "complete:\n  done_marker: {name}.done", "did not find expected key; put a value that begins with {"},
		{x + "complete: {prove: yes}", `expected true or false, got "yes"`},
		{x + "complete: {poll: 1ms}", "1ms is too often"},
		{x + "complete: {watch: inotify}", "is not auto, events or poll"},
		{x + "name: {{.Path}}", "expected text, got keys and values"},
		{x + "name: fixed.jpg", "every drop would get the same name"},
		{x + "name: '{{.Pth}}'", "unknown field .Pth; did you mean .Path?"},
		{x + "conflict: overwrite", "is not version, replace, skip, rename or reject"},
		{x + "after: delete", "is not remove, archive or keep"},
		{x + "thumbnails: {sizes: [16, 17, 18, 19, 20, 21, 22, 23, 24]}", "the list has 9 items, at most 8 are allowed"},
		{x + "thumbnails: {sizes: [big]}", "expected a whole number"},
		{x + "thumbnails: {format: gif}", "is not jpeg, png, webp or auto"},
		{x + "thumbnails: {keep: [gps]}", `"gps" is not copyright, creator, credit, source, terms, title or description`},
		{x + "thumbnails: {keep: [copyright, copyright]}", "copyright is in the list twice"},
		{x + "thumbnails: {background: red}", `must be "#rrggbb"`},
		{x + "thumbnails:\n  background: #ffffff\n", "expected text, got nothing; put a value that begins with # in quotes"},
		{x + "thumbnails:\n  background: # white\n", "expected text, got nothing; leave the key away"},
		{x + "retry: {attempts: 101}", "from 1 to 100"},
		{x + "retry: {backoff: 2m, max_backoff: 1m}", "is longer than retry.max_backoff"},
		{x + "retry: {backoff: 48h}", "from 0s to 24h"},
	})
}

func TestParseRule_acceptsWhatIsPossible(t *testing.T) {
	for _, text := range []string{
		"path: 'file:///mnt/other'", "path: 's3://bucket/in'", "path: deep/er/x y", "match: {include: ['**/*.*', 'a/**/b', '**', 'Foo[0-9].jp?g']}",
		"match: {exclude: ['**/.*', '**/name.*', '.*.swp', '{a/**,b}/*', 'a\\[1\\]', '**/*.{jpg,*g}']}", "complete: {done_marker: .ready}",
		"complete: {done_marker: 'x-{name}.ok'}", "thumbnails: {sizes: []}", "thumbnails:", "complete: {settle: 0, poll: 0}",
	} {
		if err := rule([]byte("hotfolder: x\n" + text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestParseRule_fillsEveryDefault(t *testing.T) {
	got, err := ParseRule("x.yaml", []byte("hotfolder: x\n"))
	want := DefaultRule("x")
	want.File = "x.yaml"
	if err != nil || !reflect.DeepEqual(want, got) {
		t.Errorf("want %+v, got %+v, %v", want, got, err)
	}
}
