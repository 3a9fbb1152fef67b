// Package gguf reads the GGUF container, versions 2 and 3, and writes small
// version 3 files: named tensors, many of them quantised in blocks, beside
// typed metadata.
//
// A file is little-endian throughout:
//
//	offset 0   4 bytes  "GGUF"
//	offset 4   uint32   version, 2 or 3
//	offset 8   uint64   number of tensors
//	offset 16  uint64   number of metadata entries
//	offset 24  entries  text key, uint32 value type, value
//	           table    text name, uint32 rank, uint64 ne[rank], uint32 type, uint64 offset
//	           zeros    up to a multiple of the alignment
//	           data     each tensor at its offset from here, a multiple of the alignment
//
// A text is a uint64 length in bytes and the bytes. An array value is a uint32
// element type, a uint64 count and the elements end to end; arrays of arrays,
// which ggml's own reader refuses too, are refused. The alignment is the UINT32
// "general.alignment", 32 where absent. (Source: docs/gguf.md and
// include/gguf.h of ggml-org/ggml.)
//
// # Shapes
//
// The file stores ne, fastest dimension first: a matrix of 4 rows and 64
// columns has ne [64, 4]. [Tensor].Shape and [Entry].Shape are row-major,
// slowest dimension first, [4 64], as everywhere in Zeroth: ne backwards. The
// bytes are the same in either view.
//
// # What may be relied on
//
// [New] and [Open] hold every declared count, length, type, shape and offset
// against the size of the file before anything is allocated for it; tensors
// do not overlap and names are unique. What they return is safe to use without
// further checks. Arrays stay in the file until an accessor asks for them, so a
// vocabulary costs nothing until then and no more than about twice its bytes
// afterwards. [File.ReadF32] dequantises through a small buffer.
//
// Any package of Zeroth may use this one. What keys and tensor names mean, and
// which of them a model needs, is for the caller (the importer, the adapters).
package gguf
