// Package journal keeps the append-only record of a zeroth-order run.
//
// The run is its trajectory: the perturbations are pure functions of a seed, so
// the step seeds, the projected gradients and the learning rates, together with
// the program and the start adapter, rebuild the trained LoRA B bit for bit. The
// journal of those few bytes a step is the checkpoint. It also holds the results
// of evaluations, so that a report can be drawn from it alone.
//
// The training loop appends to a journal through a [Writer] made by [Create] or
// [Open]; replay and report look at it with [Read], also while a run is going
// on. The package knows bytes, order and damage. What the numbers mean to the
// adapter (noise, update rule, schedules) stays out, and so does everything that
// differs between two equal runs: no times, no thread counts, no host names. Two
// runs of the same program, data, settings and seed leave the same bytes.
//
// # Layout
//
// Version 2. All integers are little endian; f32 and f64 are IEEE 754 bits in
// the same order. Offsets and sizes are bytes.
//
//	file     = preamble header-record *( step-record | evaluation-record )
//
//	preamble, 12 bytes
//	  0   8  magic "ZEROJRNL"
//	  8   4  u32 version, 2; 1 is read too
//
//	record, 9 + n bytes
//	  0   1  u8 type: 1 header, 2 step, 3 evaluation
//	  1   4  u32 n, bytes of payload
//	  5   n  payload
//	  5+n 4  u32 check
//
//	header payload (type 1; the first record and only the first; at most 1 MiB)
//	  0  32  SHA-256 fingerprint of the program file's header
//	  32 32  fingerprint of the adapter the run starts from; zero if none
//	  64  8  u64 run seed
//	  72  4  u32 rank r, 1 … 65536
//	  76  4  f32 alpha, finite and above 0
//	  80  4  u32 sampler id, not 0
//	  84  4  u32 q, queries a step, 1 … 4096
//	  88  4  f32 eps, finite and above 0
//	  92  4  u32 number of sites, 1 … 65536
//	  96  4  u32 number of settings, 0 … 1024
//	  100 …  sites: u64 id, u16 n, n bytes of name; ids and names are unique
//	  …   …  settings: u16 n, n bytes of key, u16 m, m bytes of value;
//	         keys ascend strictly by bytes
//
//	step payload (type 2; 24 + 4q bytes)
//	  0   8  u64 step: 1 for the first, then one more each time
//	  8   8  u64 step seed
//	  16  4  f32 lr, finite, at least 0
//	  20  4  f32 mean loss of the copies that went forward, finite
//	  24 4q  f32 projected gradient of each query, finite
//
//	evaluation payload (type 3; 54 bytes)
//	  0   8  u64 step: the number of steps recorded before it, so 0 is the
//	         adapter the run starts from
//	  8   1  u8 kind: 1 training data, 2 held-out data, 3 test data
//	  9   1  u8 metrics present: bit 0 loss, bit 1 accuracy, bit 2 F1, bit 3 exact
//	         match; at least one
//	  10  4  u32 examples looked at
//	  14  8  f64 loss, finite; 0 if absent
//	  22  8  f64 accuracy, 0 … 1; 0 if absent
//	  30  8  f64 F1, 0 … 1; 0 if absent
//	  38  8  f64 exact match, 0 … 1; 0 if absent
//	  46  8  u64 steps after which the adapter was as evaluated: the step above,
//	         of test data any up to it
//
// Names and keys hold 1 … 256 bytes of printable UTF-8, values at most 65535
// bytes of UTF-8. A header payload ends where its last setting ends.
//
// The check is a CRC-32C (Castagnoli) that runs on from record to record: that
// of the header record covers the preamble and the record's type, length and
// payload; that of every later record starts from the check before it and covers
// its own type, length and payload. Stored checks are not covered themselves. A
// record is therefore bound to its place: one that was moved, repeated, dropped
// or brought from another journal does not check. A step record of a given
// journal has a fixed size, 33 + 4q bytes, and an evaluation record has 63.
//
// In version 1 an evaluation payload ends behind the accuracy, with bits 2 and 3
// clear, and is of the adapter after the step. A journal keeps its version: one of
// version 1 is appended to in version 1.
//
// Any change to these bytes raises the version. A reader refuses versions, record
// types and kinds it does not know.
//
// # Damage
//
// An append is one write. A process killed at any moment leaves at most part of
// the record in flight, and a power cut may lose or spoil what was not yet on
// the disk. Such a tail, bytes in which no whole record checks, is not an error:
// [Open] cuts it off, [Read] leaves it, and both report where it began, how long
// it is and why it was not accepted. A run is deterministic, so resuming writes
// the lost records again with the same bytes.
//
// Anything else did not come from an interrupted run and is refused with
// [ErrDamaged], never cut: bytes that do not check although a later record does,
// and records that check but break a rule of the layout (steps out of order,
// numbers that are not finite, unknown types). A record later in the file counts
// if it checks against the check stored before it or against the one computed
// for the damaged record before it. A journal without a whole header holds no
// step and is refused with [ErrFormat].
//
// # Durability
//
// With every append handed to the kernel before [Writer.Step] returns, killing
// the process loses at most the step in flight. Against a power cut the file is
// fsynced when it is created, at [Writer.Sync], at [Writer.Close], and at the
// first append that comes a second or more after the last fsync; records not yet
// on the disk then always span less than a second of the run. [Writer.SyncEvery]
// changes that.
//
// An append that fails (a full disk) is taken back: the file ends at the last
// good record, and the same record may be appended again. A failed fsync, or a
// failed append that cannot be taken back, ends the writer: every later call
// returns that error.
//
// A writer holds an exclusive lock on the file (flock, LockFileEx), so that two
// processes cannot append to one journal. Systems with neither have no lock.
package journal
