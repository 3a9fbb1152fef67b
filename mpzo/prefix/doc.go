// Package prefix keeps on disk what a program's frozen lower layers give for a
// sequence of tokens, so that they run once for each sequence and not once a
// step.
//
// A Codec says how a sequence's values are written, and rounds them: whoever uses
// values that were just computed takes them through the codec, too, so that it
// makes no difference whether a Cache had them. A Cache is a file of them within
// a stated size, which it may share with files of other identities in its folder.
//
// The file: all integers are little-endian.
//
//	header   magic "zthpfx01", identity [32], CRC-32C of the two, 4 bytes of zero
//	record   key [32], tokens u32, bytes of the payload u32, CRC-32C of the
//	         payload, CRC-32C of these 44 bytes; the payload
//	payload  for each value: a kind for each token (0: binary16, 1: float32),
//	         then the tokens' rows, in order
//
// The identity is that of what computes the values; a file with another one is
// begun anew. Records are appended, each by one write. A record whose head does
// not hold ends the file: it is cut off there. A record whose payload does not
// hold is as if it were not there.
package prefix
