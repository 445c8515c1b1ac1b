// Package intake is what the doors of a hotfolder have in common: where the bytes of an upload wait, unseen by anybody, until they
// are all there, and how they get their name.
//
// It writes only what a door asks it to, below [Folder].Aside and [Folder].Prefix, and keeps nothing in memory.
package intake
