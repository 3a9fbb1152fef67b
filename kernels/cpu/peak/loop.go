package peak

import (
	"runtime"
	"time"
	"unsafe"
)

// Loop is a loop of nothing but independent multiply-adds.
type Loop struct {
	Name string // the instructions and their registers: "VFMADD231PS ymm"
	// Type is what x is multiplied with: f32, bf16, i8 or q4. Where several
	// instructions are needed for a multiply-add that cannot overflow, the loop is
	// their shortest sequence.
	Type  string
	Needs string           // the level that has them, as the environment variable ZEROTH_CPU names it
	Ops   int              // operations of a round: a multiply-add counts two
	Run   func(rounds int) // does the rounds
}

// Loops lists the loops of this architecture whose level the processor has, best
// first. The last is plain Go, of level generic and any type.
func Loops(has func(level string) bool) []Loop {
	var list []Loop
	for _, loop := range archLoops() {
		if has(loop.Needs) {
			list = append(list, loop)
		}
	}
	return append(list, Loop{"plain Go", "f32", "generic", chainCount * 2, chainsGeneric})
}

// OnCore measures the operations a second of one core. It takes a few
// milliseconds and returns the best of several runs.
func OnCore(loop Loop) float64 {
	best := 0.0
	for rounds, runs := 1000, 0; runs < 12; {
		begin := time.Now()
		loop.Run(rounds)
		took := time.Since(begin)
		if took < time.Millisecond {
			rounds *= 2
			continue
		}
		best = max(best, float64(rounds)*float64(loop.Ops)/took.Seconds())
		runs++
	}
	return best
}

// blockBytes is what a loop over memory reads at a time.
const blockBytes = 256

// Read reads data, less than 256 bytes at its end excepted, with the widest
// loads of a level, generic or any other, that this architecture has.
func Read(level string, data []byte) {
	if blocks := len(data) / blockBytes; blocks > 0 {
		readLoop(level)(unsafe.SliceData(data), blocks)
	}
}

// readGeneric is the loop in plain Go.
func readGeneric(p *byte, blocks int) {
	var a, b, c, d uint64
	words := unsafe.Slice((*uint64)(unsafe.Pointer(p)), blocks*blockBytes/8)
	for i := 0; i+4 <= len(words); i += 4 {
		a |= words[i]
		b |= words[i+1]
		c |= words[i+2]
		d |= words[i+3]
	}
	runtime.KeepAlive(a | b | c | d)
}

// chainCount is the number of independent chains of multiply-adds in a loop.
const chainCount = 12

// chainsGeneric is the loop in plain Go, one lane wide.
func chainsGeneric(n int) { runtime.KeepAlive(chains(n, 1)) }

// chains is the sum of twelve chains of n multiply-adds. It is not inlined, so
// that the products are not folded into constants.
//
//go:noinline
func chains(n int, x float32) float32 {
	var a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11 float32
	for range n {
		a0 += x * x
		a1 += x * x
		a2 += x * x
		a3 += x * x
		a4 += x * x
		a5 += x * x
		a6 += x * x
		a7 += x * x
		a8 += x * x
		a9 += x * x
		a10 += x * x
		a11 += x * x
	}
	return a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9 + a10 + a11
}
