// Package vp8 decodes the key frames of VP8, which is what a lossy WebP is, at 1/1, 1/2, 1/4 or 1/8 of their size.
//
// # What it promises
//
// At 1/1 each value is that of golang.org/x/image/vp8, and of libwebp. At the other scales it is the average of those: predictions need every value of
// the picture, but what is in memory is some rows and the small picture. The loop filter changes no prediction. It takes more time than all the rest,
// and is left out where averages show next to nothing of it: at 1/4 and 1/8, and at 1/2 where it is slight.
//
// What is cut off gives an error beside the picture, which has the rows before that. No input makes it panic, and [Limits] bound
// memory before anything is allocated.
//
// # What it never does
//
// It knows nothing of the file around the frame, of its alpha, or of frames that are made from others. It reads through r as it goes, a piece of each partition at a
// time, and starts no goroutine.
package vp8
