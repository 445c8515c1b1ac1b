// Package cache is the memory of one node: what it has read of the shared store, so that it need not read it again.
//
// # What it promises
//
// All that is kept takes no more than the bytes it was given, about; what is used least goes first. What names stand for
// ([Names]) is kept until somebody says [Cache.Forget]: who asks after that gets what was read after that, also when an older
// read is still under way. While the node would not hear of changes, names are read anew each time and nothing is kept of
// that. Bytes that are known by their hash ([Blobs]) never change, so they are only evicted. Whoever wants what another is
// just reading waits for that one read.
//
// # What it never keeps
//
// That something is absent: the first version of a name is announced to nobody. Nor what is larger than one entry may be,
// nor errors.
//
// # What it does not see
//
// A change that nobody tells of: what a name stands for is believed for a minute at most.
package cache
