package program

// What a program may hold. Verify, and so Open and Write, refuse more. The
// limits stand far above any model of today; they bound the time and memory
// that a hostile file can cost. Extents are bounded by op.MaxDim and ranks by
// op.MaxRank.
const (
	MaxHeaderBytes    = 64 << 20 // all tables together
	MaxNameBytes      = 512      // every name and metadata key
	MaxMeta           = 4096     // metadata entries
	MaxMetaValueBytes = 1 << 20
	MaxConstants      = 1 << 17
	MaxSlots          = 1 << 17
	MaxSlotBytes      = 16 << 30 // all slots together: they take memory, but no room in the file
	MaxSites          = 1 << 16
	MaxLayer          = 1 << 16
	MaxMethods        = 64
	MaxValues         = 1 << 16 // a method
	MaxNodes          = 1 << 14 // a method; planning memory takes time in their square
	MaxPorts          = 64      // inputs, or outputs, of a node
	MaxAttrs          = 64      // a node
	MaxTokenizerBytes = 256 << 20
)

// Alignment is the alignment in bytes of every segment in the file, and so of
// every constant's data in memory: a cache line, and an AVX-512 register.
const Alignment = 64

// The least bytes that a record takes in the header, by which a count is held
// against the bytes that remain before a table is allocated.
const (
	minTextBytes     = 8
	minMetaBytes     = 2 * minTextBytes
	minDimBytes      = 16
	minTypeBytes     = 4 * 8
	segmentBytes     = 8 + 8 + 32
	minConstantBytes = minTextBytes + minTypeBytes + segmentBytes
	minSlotBytes     = minTextBytes + minTypeBytes
	minSiteBytes     = 6*8 + 2*minTextBytes
	minMethodBytes   = minTextBytes + 3*8
	minValueBytes    = minTextBytes + 2*8 + minTypeBytes
	minNodeBytes     = minTextBytes + 5*8
	minAttrBytes     = 16
	minIndexBytes    = 8
)
