// Package consul keeps leases in Consul: leases over one session of the node, on a connection that tries several servers in
// turn. It never uses the client library's own lock, which tells its holder of a silent partition minutes too late.
//
// [Conn] is the connection, which package cluster shares. Every request has a deadline of its own: a stopped server costs one
// deadline, not the retransmissions of TCP.
package consul
