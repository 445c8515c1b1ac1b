// Package cluster_test runs several real processes of hotfolderd on one store with a real Consul, drops files into it, and
// kills, stops and cuts off what it can. What became of the drops is checked by a reader that shares no code with the program.
package cluster_test
