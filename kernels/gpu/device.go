package gpu

import (
	"context"
	"errors"
)

var (
	// ErrTooLarge is wrapped when a tensor does not fit what a kernel can
	// address, or an op what its kernel is written for.
	ErrTooLarge = errors.New("too large for the device")
	// ErrNoKernel is wrapped when there is no kernel for an op.
	ErrNoKernel = errors.New("the device has no kernel")
	// ErrMemory is wrapped by Allocate when the device's memory is exhausted.
	ErrMemory = errors.New("not enough memory on the device")
)

// Device is what a backend gives: memory, and kernels that run over it. Its
// methods may be called by many goroutines.
type Device interface {
	Limits() Limits
	// Allocate gives a buffer of at least one byte, contents undefined.
	Allocate(bytes int64, use Use) (Buffer, error)
	// Upload copies data to the beginning of a span; data may be changed when it
	// returns. Nothing that is running may use the span.
	Upload(to Span, data []byte) error
	// Download copies the beginning of a span to data.
	Download(data []byte, from Span) error
	// Compile makes a kernel ready for a stage. It may take seconds; a cancelled
	// context ends that soon.
	Compile(ctx context.Context, k Kernel, constants []uint32) error
	// Record prepares stages, in order. It compiles kernels that are not ready. An
	// error wraps ErrTooLarge where a span is longer than a kernel can address.
	Record(stages []Stage) (Recording, error)
}

// Recording is a list of stages that is ready to be run any number of times.
type Recording interface {
	// Run computes all stages at the extents of the moment and waits for the
	// end. It allocates nothing. A cancelled context may end it early; what was
	// given to the device has then been computed.
	Run(ctx context.Context) error
	// Written are the bytes of parameters that runs have given the device.
	Written() int64
	// Held are the bytes of the device's memory that the recording keeps.
	Held() int64
	Free()
}

// Timer is a Device that can say how long stages take.
type Timer interface {
	// RecordTimed is Record with times. An error wraps nothing in particular
	// where the device cannot tell them: Record may still do.
	RecordTimed(stages []Stage) (TimedRecording, error)
}

// Stager is a Device that may need memory of its own to copy to and from buffers.
type Stager interface {
	// Staging are the bytes of it, 0 as long as none was needed.
	Staging() int64
}

// TimedRecording is a recording whose stages are timed.
type TimedRecording interface {
	Recording
	// StageTimes fills in the time of each stage of the last run, in seconds.
	// Stages that ran together share theirs as it comes.
	StageTimes(seconds []float64) error
}

// Limits are the device's limits that ops meet.
type Limits struct {
	BufferBytes     int64 // that a kernel can address in one buffer
	PartBytes       int64 // of a part of a weight matrix, which is split above that: at most BufferBytes
	AllocationBytes int64 // of one buffer
	WorkGroups      int   // of a stage
	MemoryBytes     int64 // of the device's memory; 0 where it does not tell
	Shared          bool  // that memory is the host's
	Arithmetic      Arithmetic
}

// Use says what a buffer is for, so that it lies where that is quickest.
type Use int

// The uses.
const (
	Local  Use = iota // of the device: the host seldom reads or writes it
	Input             // written by the host at each run
	Output            // read by the host after each run, or written and read
)

// Buffer is memory of a device.
type Buffer interface {
	Size() int64
	// Free frees it. Nothing that is running may use it.
	Free()
}

// Span is a range of a buffer, at a multiple of Alignment.
type Span struct {
	Buffer Buffer
	Offset int64
	Size   int64 // bytes, at least 1
}

// Part is the bytes of the span from a place on.
func (s Span) Part(from, bytes int64) Span { return Span{s.Buffer, s.Offset + from, bytes} }

func (s Span) overlaps(t Span) bool {
	return s.Buffer == t.Buffer && s.Offset < t.Offset+t.Size && t.Offset < s.Offset+s.Size
}

// Alignment of spans that kernels are given, in bytes. It suits every device:
// Vulkan allows none above it.
const Alignment = 256

// aligned rounds bytes up.
func aligned(bytes int64) int64 { return (bytes + Alignment - 1) / Alignment * Alignment }

// Threads is the number of invocations of a work group in every kernel.
const Threads = 128
