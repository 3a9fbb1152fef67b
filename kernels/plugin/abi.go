package plugin

import "unsafe"

// Values of zeroth_backend.h.
const (
	abiVersion = 1
	maxScore   = 1000

	statusOK          = 0
	statusUnsupported = 1
	statusFailed      = 2
	statusNoMemory    = 3
	statusFatal       = 4

	tensorWide     = 1
	tensorMutable  = 2
	tensorConstant = 4

	attrInt   = 1
	attrFloat = 2

	flagConcurrent = 1

	valueInput = 1
	valueConst = 2
	valueSlot  = 3
	valueTemp  = 4
)

// The structs of zeroth_backend.h, field by field. What they point to is C's or
// lies on Go's heap, which does not move.

type cError struct {
	size, capacity uint32
	message        *byte
}

type cHost struct {
	size, abiVersion           uint32
	name                       *byte
	log                        uintptr
	optionKeys, optionValues   **byte
	optionCount, quantileCount uint32
	quantiles                  *int32
	_                          [4]uint64
}

type cTensor struct {
	size, dtype, layout, flags uint32
	rank, copies, varies, _    uint32
	extent                     [2]int64
	bytes                      uint64
	data                       unsafe.Pointer
	_                          [2]uint64
}

type cAttr struct {
	size, kind uint32
	key        *byte
	value      uint64
}

type cNode struct {
	size, op, opVersion, attrCount uint32
	opName, name                   *byte
	attrs                          **cAttr
	inCount, outCount              uint32
	in, out                        **cTensor
	inValues, outValues            *uint32
	_                              [2]uint64
}

type cCall struct {
	size, threads uint32
	node          *cNode
	scratch       unsafe.Pointer
	scratchBytes  uint64
	_             [2]uint64
}

type cKernelInfo struct {
	size, _      uint32
	scratchBytes uint64
	_            [2]uint64
}

type cValue struct {
	size, kind, ref, _ uint32
	name               *byte
	tensor             *cTensor
	_                  [2]uint64
}

type cPartition struct {
	size, mutates                                  uint32
	method                                         *byte
	nodeCount, valueCount, inputCount, outputCount uint32
	nodes                                          **cNode
	values                                         **cValue
	inputs, outputs                                *uint32
	_                                              [2]uint64
}

type cSessionInfo struct {
	size, copies, slotCount, threads uint32
	slots                            **cTensor
	_                                [4]uint64
}

type cTable struct {
	size, abiVersion           uint32
	name, version, about       *byte
	kernelFlags, delegateFlags uint32
	open                       uintptr
	kernelQuery, kernelBind    uintptr
	kernelRun, kernelUnbind    uintptr
	nodeQuery, sessionOpen     uintptr
	partitionCompile           uintptr
	slotWrite, slotRead        uintptr
	executableRun              uintptr
	executableFetch            uintptr
	executableDestroy          uintptr
	sessionClose               uintptr
	reserved                   [8]uintptr
}

// function is an entry of the table under its name in C.
type function struct {
	name    string
	address uintptr
}

func (t *cTable) kernelFunctions() []function {
	return []function{
		{"kernel_query", t.kernelQuery},
		{"kernel_bind", t.kernelBind},
		{"kernel_run", t.kernelRun},
		{"kernel_unbind", t.kernelUnbind},
	}
}

func (t *cTable) delegateFunctions() []function {
	return []function{
		{"node_query", t.nodeQuery},
		{"session_open", t.sessionOpen},
		{"partition_compile", t.partitionCompile},
		{"slot_write", t.slotWrite},
		{"slot_read", t.slotRead},
		{"executable_run", t.executableRun},
		{"executable_fetch", t.executableFetch},
		{"executable_destroy", t.executableDestroy},
		{"session_close", t.sessionClose},
	}
}

// sizeOf is what the first field of a struct says.
func sizeOf[T any]() uint32 {
	var v T
	return uint32(unsafe.Sizeof(v))
}

// cString copies s to the heap, ended by a zero. What follows a zero in s is not
// seen by C.
func cString(s string) *byte {
	b := make([]byte, len(s)+1)
	copy(b, s)
	return &b[0]
}

// goString reads a string of C's of at most limit bytes; ok is false where there
// is none or where it does not end.
func goString(s *byte, limit int) (text string, ok bool) {
	if s == nil {
		return "", false
	}
	for n := 0; n <= limit; n++ {
		if *(*byte)(unsafe.Add(unsafe.Pointer(s), n)) == 0 {
			return string(unsafe.Slice(s, n)), true
		}
	}
	return "", false
}

// first is the address of a slice's first element, or nil.
func first[T any](s []T) *T { return unsafe.SliceData(s) }
