// Package ftp_test holds the FTP gate of real nodes against real clients, other servers, and people who mean harm. Nothing here shares
// code with the gate; what was imported is read from the ledger.
//
// How many uploads are tried is HOTFOLDERD_UPLOADS, a few without it.
package ftp_test
