// Package proof decides whether the bytes of a file prove, by their own format, that the file is whole to its last byte.
// A drop that is proven need not wait until it has been quiet.
//
// # What it promises
//
// [Complete] is said only when the format's own end was found exactly at the end of the file and nothing looks unwritten.
// It is never said for a cut file, nor for one whose size was set first and which is being filled from the front: the
// space not yet written reads as zeros, and a format that ends by a mark (JPEG, PNG, GIF, PDF, ZIP) has no mark then,
// while one that only has lengths up front (WebP, TIFF, ISO media) is doubted as soon as its last byte is zero.
//
// For files filled in any other order, PNG is proven by its checksums, GIF by its chain of blocks, and in every other
// format a page of 4 KiB that is all zero is a reason to doubt: JPEG looks at every page, the others at every page up to
// 8 MiB and at 256 spread over a larger file. So a gap of less than size/256 in a large file can be missed here. The
// caller closes that: it asks the file system for holes (SEEK_HOLE) before it believes [Complete].
//
// # What it does not promise
//
// A file that is a whole file of its format at every step of its making cannot be told from a finished one: a PDF that
// will get another incremental update, a JPEG cut exactly between its image and a trailer that nothing announces, a TIFF
// without its last pad byte. A TIFF whose directory lies behind its pixels is what a scanner leaves after each page, so
// that one is [Unknown]. So are most WebP files, whose coders end with a zero byte. Nor is a proof a validation: a proven
// file may still be broken, it only has all its bytes.
//
// # What it costs
//
// JPEG, PNG and GIF are read once, from front to back. The others are read by headers and samples: a film of 20 GB costs
// about a megabyte. One buffer of 128 KiB is all the memory, whatever the file says about itself, and every walk is
// bounded. The package writes nothing, opens nothing, and keeps no state.
package proof
