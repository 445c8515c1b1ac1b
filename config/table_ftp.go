package config

import "time"

const mostFTPTime = int64(24 * time.Hour)

// ftpTable describes the section ftp. It is a list, whatever its length.
func ftpTable(f *FTP) []entry {
	return []entry{
		{name: "listen", to: &f.Listen, check: listenAddress, doc: "host:port of the control connection."},
		{name: "listen_tls", to: &f.ListenTLS, check: listenAddressOrNone, doc: "host:port where connections are encrypted from the first byte. Empty: none."},
		{name: "require_tls", to: &f.RequireTLS, doc: "Refuse passwords and data that are not encrypted."},
		{
			name: "allow_cut_tls", to: &f.AllowCutTLS,
			doc: "Take encrypted data whose end the client does not say, for old clients: a connection that was cut looks the same.",
		},
		{name: "resume_ttl", to: &f.ResumeTTL, max: int64(30 * 24 * time.Hour), doc: "How long broken uploads are kept for their owner to go on with; 0: not at all."},
		{
			name: "checkpoint", to: &f.Checkpoint, min: int64(100 * time.Millisecond), max: mostFTPTime,
			doc: "A long upload is kept on the store this often, to go on by another node when this one dies.",
		},
		{
			name: "settle", to: &f.Settle, min: int64(time.Millisecond), max: int64(time.Minute),
			doc: "After this time a client that has acknowledged the last reply and says nothing is believed to live.",
		},
		{name: "passive_ports", to: &f.PassivePorts, check: passivePorts, doc: "First and last port of data connections, as 30000-30099."},
		{name: "public_host", to: &f.PublicHost, check: publicHost, doc: "Address that clients are told for data connections, when a router stands between. Empty: the one they came to."},
		{
			name: "proxies", to: &f.Proxies, most: 100, check: network,
			doc: "Addresses and networks of load balancers that tell by PROXY protocol v2 who their clients are. None: nobody is believed.",
		},
		{name: "users_file", to: &f.UsersFile, doc: "File of the FTP users. Empty: no FTP."},
		{name: "tls", doc: "Certificate of the FTP gate. Empty: no encryption.", keys: []entry{
			{name: "cert", to: &f.TLS.Cert, doc: "PEM file of the certificate and its chain."},
			{name: "key", to: &f.TLS.Key, doc: "PEM file of its key."},
		}},
		{name: "max_sessions", to: &f.MaxSessions, min: 1, max: 100_000, doc: "Sessions at a time on this node."},
		{name: "max_per_address", to: &f.MaxPerAddress, min: 1, max: 100_000, doc: "Of these, from one address."},
		{name: "login", to: &f.Login, min: int64(time.Second), max: mostFTPTime, doc: "A client must have logged in by then."},
		{name: "idle", to: &f.Idle, min: int64(time.Second), max: mostFTPTime, doc: "A session with no command for so long ends; transfers do not count."},
		{name: "stall", to: &f.Stall, min: int64(time.Second), max: mostFTPTime, doc: "A transfer in which nothing moves for so long is broken off."},
		{name: "grace", to: &f.Grace, min: int64(time.Millisecond), max: mostFTPTime, doc: "Time that transfers in hand get to finish when the node ends."},
	}
}
