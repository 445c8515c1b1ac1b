// Package asset holds the values that every part of hotfolderd speaks in: keys, versions, hashes, drops, ledger
// records and journal events.
//
// It promises that a [Key] once made cannot escape its tree, that a [DropID] depends on nothing but the drop, and that
// every value survives JSON byte for byte, names that are not UTF-8 included. It does no I/O and never will.
package asset
