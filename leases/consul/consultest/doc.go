// Package consultest runs real Consul servers for tests, each at a loopback address of its own. The binary is
// bin/consul, which make tools builds; a test without it fails and says so.
//
// [Start] is one server, ready in less than a second, that forgets everything when it is killed. [StartCluster] is three that
// keep a leader among them and their data over [Server.Kill] and [Server.Restart]. All of them end with the test, and with its
// process however that ends. It is for tests.
package consultest
