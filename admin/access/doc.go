// Package access decides who may ask a node's HTTP, and for what.
//
// Everybody who is let in has one of three roles. A viewer reads; an operator also does what the daily work needs, and what can
// be undone; an admin does everything. What a role may do is told where a route is declared, once, by the [Role] it needs.
package access
