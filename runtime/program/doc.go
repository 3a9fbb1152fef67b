// Package program is a program in memory, and the .zpt file it is read from
// and written to.
//
// [Open] maps a file and verifies all of it before it returns; [Parse] does
// the same over bytes. [Write] and [WriteStream] make files. [Verify] holds a
// program built in memory to the same rules. Whatever passed one of them can
// be run without further checks of its structure; what a run is given is the
// executor's to check. The package may be used by all of Zeroth and knows of
// no model, no tokenizer and no training: those are text and bytes to it.
//
// # The file
//
// Version 1. All integers are little-endian and of fixed width. The file is
// a prologue, a header and segments:
//
//	offset 0    8 bytes  magic 89 5A 50 54 0D 0A 1A 0A ("\x89ZPT\r\n\x1a\n")
//	offset 8    u32      format version, 1
//	offset 12   u32      0
//	offset 16   u64      header length H in bytes
//	offset 24   u64      file length in bytes, exactly
//	offset 32   32 bytes SHA-256 of the header; it is the program's fingerprint
//	offset 64   H bytes  header
//	            zeros    up to a multiple of 64
//	            bytes    segment 0
//	            zeros    up to a multiple of 64
//	            bytes    segment 1
//	            …        the file ends with the last byte of the last segment
//
// There is a segment for each constant, in order, and then one for the
// tokenizer if there is one. Each begins at the first multiple of 64 at or
// after the end of what stands before it; so each offset in the header can
// have one value only. The bytes between are zero.
//
// # The header
//
// The header is one record of type header. Every number in it takes 8 bytes:
// u64 is unsigned, i64 two's complement, f64 IEEE 754 binary64. text is a u64
// length in bytes and that many bytes of UTF-8. list of X is a u64 count and
// that many records X. Fields stand in the order given, with nothing between
// them and nothing after the last.
//
//	header    = meta: list of (key text, value text), sorted by key, unique
//	            constants: list of (name text, type, segment)
//	            slots:     list of (name text, type)
//	            sites:     list of site
//	            methods:   list of method
//	            tokenizer: list of (kind text, segment), none or one
//	type      = dtype u64    1 f32, 2 i32, 3 u32, 4 bf16, 5 i8, 6 q4, 7 nf4
//	            layout u64   0 rows, 1 panels16
//	            wide u64     1 if there is a copy per perturbation, else 0
//	            shape: list of (sym u64, extent u64), at most 2
//	segment   = offset u64, length u64 (bytes, from the front of the file), sha256 32 bytes
//	site      = id u64 (below 2³²), name text, module text, layer i64,
//	            out u64, in u64, a i64, b i64 (slots, or both −1)
//	method    = name text, values: list of value, nodes: list of node,
//	            outputs: list of u64 (values)
//	value     = name text, kind u64, ref u64, type
//	            kind 1 input, 2 constant ref, 3 slot ref, 4 temporary; ref is 0
//	            where the kind refers to nothing
//	node      = op u64, op version u64, name text, attrs: list of attr,
//	            inputs: list of u64, outputs: list of u64 (values)
//	attr      = kind u64 (1 integer, 2 float), value i64 or f64; they stand in
//	            the order of the op's row in the op table, which has the names
//
// An extent with sym 0 is a constant; with another sym it is added to what
// the symbol is bound to: 1 N tokens, 2 S sequences, 3 R loss rows, 4 K
// candidates, 5 G examples, 6 Q queries.
//
// A constant's segment holds its elements: row-major, 4 bytes each, or as
// panels16 (see op.Panels), which must hold zero bits for rows past M and columns
// past K. Slots have no segment: they are zero when a session begins.
//
// # What is checked
//
// Prologue, hashes, and that each field is within its bounds; then all that
// [Verify] lists, with type inference run again over every node. limits.go
// states the greatest counts and lengths. Records are counted against the
// bytes that remain before a table is made for them, and none takes more than
// about two and a half times its bytes in memory. Beyond the parsed header nothing is
// allocated: constants are used where they lie.
package program
