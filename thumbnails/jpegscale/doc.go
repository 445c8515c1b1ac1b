// Package jpegscale decodes JPEG files at 1/1, 1/2, 3/8, 1/4 or 1/8 of their size, and does little more than what that size
// needs.
//
// # What it promises
//
// Baseline, extended sequential and progressive files of 8 bits are decoded, with one, three or four components, at the
// samplings that image/jpeg knows, with restart markers. At 1/1 each value is within 1 of image/jpeg. At 1/8 each
// component is what djpeg gives for it, bit by bit, as long as djpeg keeps its sampling too; at 1/2, 3/8 and 1/4 the picture
// is built from the low frequencies alone, which at 1/2 and 1/4 is sharper than djpeg's averages and needs fewer coefficients. A component
// keeps its sampling: colours of a 4:2:0 file are half as wide and half as high at every scale. Who wants colours at half the size whatever
// the file has, gets them so, and they cost less; see [Size].
//
// Coefficients that the scale does not need are stepped over in the bit stream, several at a time, and stored nowhere.
// Of a progressive file the scans that the scale does not need are skipped as bytes, and reading ends when the needed
// ones have been seen. A sequential file is decoded straight to the picture: beside it there are two buffers.
// A progressive one keeps the needed coefficients of the whole picture.
//
// What is damaged costs no more than its surroundings: the picture has middle grey where nothing is known, and there is
// an error beside it that the caller may ignore. No input makes it panic, and [Limits] bound memory and time.
//
// [Progressive] goes the other way with the same coefficients: it writes them in the order in which a picture shows early.
//
// # What it never does
//
// It reads no metadata but what the colours need, and starts no goroutine. Arithmetic coding, 12 bits, lossless and
// hierarchical files are refused as unsupported.
package jpegscale
