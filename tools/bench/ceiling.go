package bench

import (
	"time"

	"zeroth/kernels/cpu"
	"zeroth/kernels/cpu/peak"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
)

// Ceiling is what an instruction reaches on all workers of a pool.
type Ceiling struct {
	Instruction string  `json:"instruction"`
	OpsPerS     float64 `json:"ops_per_second"` // operations a second; a multiply-add is two
}

// levelOf makes a test for the levels within the features.
func levelOf(f cpu.Features) func(string) bool {
	return func(level string) bool { _, err := f.Limit(level); return err == nil }
}

// loopFor is the loop that kernels for weights of a type are held against: the
// best of that type, or of f32 where the instructions have none, since the
// weights are then converted. 4-bit weights become i8, unless q4 has its own.
func loopFor(weights string, f cpu.Features) peak.Loop {
	codes := weights == "q4" || weights == "nf4"
	var fallback peak.Loop
	for _, loop := range peak.Loops(levelOf(f)) {
		if loop.Type == weights || codes && loop.Type == "i8" {
			return loop
		}
		if loop.Type == "f32" && fallback.Run == nil {
			fallback = loop
		}
	}
	return fallback
}

// spin runs a loop on all workers at once.
type spin struct {
	pool   *platform.Pool
	loop   peak.Loop
	each   []func(rounds int) // the loop of each worker
	rounds int
}

// tilesPerWorker divides a loop, so that a worker that is late leaves some of its
// share to the others, as in a kernel.
const tilesPerWorker = 16

// newSpin makes a loop that takes about a turn.
func newSpin(pool *platform.Pool, loop peak.Loop) *spin {
	return spinOf(pool, loop, func() func(int) { return loop.Run })
}

// newHotSpin makes one of the micro-kernel that Linear picks.
func newHotSpin(pool *platform.Pool, f cpu.Features, weights op.DType, K int) *spin {
	loop := peak.Loop{Name: "micro-kernel", Ops: cpu.NewHotTile(f, weights, K).Ops}
	return spinOf(pool, loop, func() func(int) { return cpu.NewHotTile(f, weights, K).Run })
}

// spinOf makes a loop that takes about a turn, each worker's by itself.
func spinOf(pool *platform.Pool, loop peak.Loop, each func() func(rounds int)) *spin {
	s := &spin{pool: pool, loop: loop, rounds: 64}
	for range pool.Workers() {
		s.each = append(s.each, each())
	}
	for {
		begin := time.Now()
		s.each[0](s.rounds)
		if time.Since(begin) >= turnTime/tilesPerWorker {
			return s
		}
		s.rounds *= 2
	}
}

// Tile runs a worker's part of the loop.
func (s *spin) Tile(worker, _ int) { s.each[worker](s.rounds) }

func (s *spin) tiles() int { return tilesPerWorker * s.pool.Workers() }

// ops is the number of operations of one run.
func (s *spin) ops() float64 {
	return float64(s.tiles()) * float64(s.rounds) * float64(s.loop.Ops)
}

func (s *spin) contestant() Contestant {
	return Contestant{Name: s.loop.Name, Run: func() error { s.pool.Run(s, s.tiles()); return nil }}
}

// memory reads a buffer, or copies half of it onto the other, on all workers.
type memory struct {
	pool  *platform.Pool
	level string
	data  []byte
	copy  bool
}

// pageBytes divides what a tile reads or copies.
const pageBytes = 4096

// newMemory makes a loop over about the given number of bytes.
func newMemory(pool *platform.Pool, level string, bytes int, copies bool) *memory {
	part := max(bytes/(2*tilesPerWorker*pool.Workers())/pageBytes, 1) * pageBytes
	m := &memory{pool: pool, level: level, data: platform.Aligned(2 * part * tilesPerWorker * pool.Workers()), copy: copies}
	for i := 0; i < len(m.data); i += pageBytes {
		m.data[i] = 1 // so that each page is a page of its own
	}
	return m
}

// Tile moves or reads one part.
func (m *memory) Tile(_, tile int) {
	half := len(m.data) / 2
	part := half / m.tiles()
	low, high := m.data[tile*part:][:part], m.data[half+tile*part:][:part]
	if m.copy {
		copy(high, low)
		return
	}
	peak.Read(m.level, low)
	peak.Read(m.level, high)
}

func (m *memory) tiles() int { return tilesPerWorker * m.pool.Workers() }

func (m *memory) contestant() Contestant {
	name := "read"
	if m.copy {
		name = "copy"
	}
	return Contestant{Name: name, Run: func() error { m.pool.Run(m, m.tiles()); return nil }}
}
