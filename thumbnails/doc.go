// Package thumbnails makes small images of assets and keeps them in the shared image cache.
//
// # What it promises
//
// An image is measured before it is decoded, and refused over the limits of its rule with a sentence that gives the
// numbers. It is decoded once for all sizes, a JPEG no finer than they need. What comes out fits inside size x size, keeps
// the aspect with correct rounding, is never larger than the original, stands upright whatever the camera wrote, and
// carries none of the original's metadata but the words that the rule keeps ([Spec]), cleaned, cut and written anew. A format without
// transparency gets the rule's background under it.
//
// A broken or hostile image costs a bounded time and a bounded memory and harms nobody: [NewPool] decodes in child
// processes that are killed over either. Whatever is wrong with an image is an [*Error] with a sentence for people;
// every other error is about the machine or the caller and worth another try.
//
// # What it writes
//
// Below the prefix it was given and nowhere else: <prefix>/ab/<sha256>/<size>.<jpg|png|webp> and, beside them,
// info.json: the original's measures, or why it cannot be rendered, so that nobody tries for ever. Files appear whole
// (that is the store's doing) and the same input gives the same bytes, so that nodes may race.
//
// # What it never does
//
// It never writes to the source, never runs a foreign program that is not allowed ([WithPrograms]), and never opens a file or a
// socket of its own; on Linux a child of the pool could not if it wanted to ([Confine]).
//
// # Colours
//
// What comes out is sRGB. A colour profile in a JPEG, PNG, WebP, TIFF, HEIC or AVIF is heeded, of grey, RGB and CMYK; without one colours
// are taken as sRGB, and inks converted plainly.
//
// # What is rendered
//
// JPEG, PNG, GIF, WebP, BMP, TIFF, HEIC and AVIF; of a Photoshop file the picture of the whole; of the raw file of a camera, where it is a TIFF, the
// largest JPEG inside. Of animations and series the first picture; of GIFs and WebPs
// all, when [Spec].Animated says so.
package thumbnails
