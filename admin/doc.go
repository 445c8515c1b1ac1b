// Package admin is the HTTP of one node: health, metrics, the API and the web page.
//
// It promises that
//
//   - health, the page and the event stream answer from memory, so a hung store makes none of them hang;
//   - everything that does ask the store has a deadline to its first byte and a bound on how many wait at a time;
//   - nothing is served beyond loopback without a token, nothing is changed by a page of another origin, and a name, a
//     reason or an asset from outside is never taken for markup or script;
//   - an asset is written whole or not at all, under the conditions that the request names, and however long bytes come;
//   - a read that sends the index of a write (X-Hotfolder-Index) is answered by what was there after it, or not at all;
//   - every error is an RFC 9457 problem that says in words what was wrong.
//
// It writes nothing itself: what changes, changes through [Backend]. Who may ask for what stands in one table, in routes.go; who
// somebody is decides [access.Control]. Each change leaves a line in the log that says who made it. It never logs a token, a cookie
// or a query.
//
// The package knows the work of a node only through [Backend]; node/ fills it in. [Feed] is the memory of recent events
// that node/ gives to Recent and Subscribe.
package admin
