// Package safetensors reads and writes the safetensors container: named
// tensors in one file, described by a JSON header.
//
// A file is
//
//	offset 0      8 bytes  N, the header's length in bytes, little-endian
//	offset 8      N bytes  the header, a JSON object padded with spaces
//	offset 8+N    data     the tensors, little-endian, row-major, end to end
//
// and the header maps each tensor's name to
//
//	{"dtype": "F32", "shape": [4, 64], "data_offsets": [begin, end]}
//
// with offsets counted in bytes from the start of the data. The one other key
// is "__metadata__", a map from text to text. (Source: the format section of
// the README of huggingface/safetensors.)
//
// [New] and [Open] read the header alone and hold all of it against the size
// of the file before anything else happens: no duplicate key, tensors that
// tile the data from its first byte to its last without hole or overlap, and
// each as long as its shape and dtype say. What they return is therefore safe
// to use without further checks. [File.ReadF32] streams one tensor through a
// small buffer, [File.Rewrite] writes the file with some matrices changed; no
// call holds a whole file in memory. [Write] makes files whose bytes depend on
// nothing but the tensors and metadata given.
//
// Any package of Zeroth may use this one. What the names mean, and which
// tensors a model needs, is for the caller (graph/importer, the adapters).
package safetensors
