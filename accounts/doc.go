// Package accounts is what the doors of a node know of people: hashes of passwords, files of users that are read again when they
// change, and who guesses too often. It knows no door.
//
// A password is compared a few at a time, whatever is asked, since each comparing takes memory. Wrong ones are counted by network,
// over all doors and nodes that tell each other. It writes nothing and logs no secret.
package accounts
