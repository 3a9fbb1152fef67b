package journal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
)

const (
	magic         = "ZEROJRNL"
	version       = 2 // of journals that are made; 1 is read and appended to as well
	preambleBytes = len(magic) + 4

	typeHeader = 1
	typeStep   = 2
	typeEval   = 3

	frameHeadBytes = 1 + 4 // type and length before the payload
	checkBytes     = 4
	frameBytes     = frameHeadBytes + checkBytes

	stepFixedBytes = 24 // a step payload before its projected gradients
	evalBytesOf1   = 30 // an evaluation payload in version 1, and the beginning of one in 2
	evalBytes      = evalBytesOf1 + 24
)

// Step is one update of the adapter.
type Step struct {
	Number    uint64    // 1 for the first step of a run
	Seed      uint64    // seed of the step's perturbations
	LR        float32   // learning rate, at least 0
	Loss      float32   // mean loss of the 2q perturbed copies
	ProjGrads []float32 // [q] projected gradient of each query
}

// EvalKind says which data an evaluation looked at.
type EvalKind uint8

// The kinds of evaluation.
const (
	EvalTrain   EvalKind = 1 // rows trained on
	EvalHeldOut EvalKind = 2 // rows that choose the best adapter
	EvalTest    EvalKind = 3 // rows that choose nothing
)

// String returns "train", "held-out" or "test".
func (k EvalKind) String() string {
	switch k {
	case EvalTrain:
		return "train"
	case EvalHeldOut:
		return "held-out"
	case EvalTest:
		return "test"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Metrics is the set of metrics an evaluation holds.
type Metrics uint8

// The metrics.
const (
	HasLoss     Metrics = 1 << 0
	HasAccuracy Metrics = 1 << 1
	HasF1       Metrics = 1 << 2
	HasExact    Metrics = 1 << 3

	metricsOf1 = HasLoss | HasAccuracy
	allMetrics = metricsOf1 | HasF1 | HasExact
)

// Eval is the result of an evaluation.
type Eval struct {
	Step     uint64   // steps done before it; 0 is the adapter the run starts from
	Of       uint64   // steps after which the adapter was as evaluated: Step, or before it
	Kind     EvalKind // which data
	Metrics  Metrics  // which of the metrics below are meant; the others are 0
	Examples uint32   // rows looked at
	Loss     float64  // mean loss
	Accuracy float64  // share of rows answered right, 0 … 1
	F1       float64  // F1 as the task defines it, 0 … 1
	Exact    float64  // share of exact matches as the task defines them, 0 … 1
}

// sizes are what the lengths of records depend on.
type sizes struct {
	version uint32
	q       int
}

// stepBytes returns the length of a step's payload.
func stepBytes(q int) int { return stepFixedBytes + 4*q }

// check says which rule of the layout the step breaks as the one to follow
// step last of a run with q queries.
func (s *Step) check(last uint64, q int) error {
	switch {
	case s.Number != last+1:
		return fmt.Errorf("step %d follows step %d, must be %d: %w", s.Number, last, last+1, ErrRecord)
	case len(s.ProjGrads) != q:
		return fmt.Errorf("step %d: %d projected gradients, q is %d: %w", s.Number, len(s.ProjGrads), q, ErrRecord)
	case !finite(float64(s.LR)):
		return fmt.Errorf("step %d: lr is %v: %w", s.Number, s.LR, ErrNotFinite)
	case s.LR < 0:
		return fmt.Errorf("step %d: lr is %v, must be at least 0: %w", s.Number, s.LR, ErrRecord)
	case !finite(float64(s.Loss)):
		return fmt.Errorf("step %d: the loss is %v: %w (the run diverged: lower lr or eps)", s.Number, s.Loss, ErrNotFinite)
	}
	for i, projGrad := range s.ProjGrads {
		if !finite(float64(projGrad)) {
			return fmt.Errorf("step %d: projected gradient %d is %v: %w (the run diverged: lower lr or eps)", s.Number, i, projGrad, ErrNotFinite)
		}
	}
	return nil
}

// check says which rule of the layout the evaluation breaks after step last of
// a journal of that version.
func (e *Eval) check(last uint64, version uint32) error {
	known := allMetrics
	if version == 1 {
		known = metricsOf1
	}
	switch {
	case e.Step != last:
		return fmt.Errorf("evaluation of step %d comes after step %d: %w", e.Step, last, ErrRecord)
	case e.Kind < EvalTrain || e.Kind > EvalTest:
		return fmt.Errorf("evaluation after step %d: kind %d is unknown: %w", e.Step, uint8(e.Kind), ErrRecord)
	case e.Of > e.Step, e.Of < e.Step && (e.Kind != EvalTest || version == 1):
		return fmt.Errorf("evaluation after step %d: %s of the adapter after step %d: %w", e.Step, e.Kind, e.Of, ErrRecord)
	case e.Metrics == 0 || e.Metrics&^known != 0:
		return fmt.Errorf("evaluation after step %d: metric set %#x is empty or unknown in version %d: %w", e.Step, uint8(e.Metrics), version, ErrRecord)
	case !finite(e.Loss):
		return fmt.Errorf("evaluation after step %d: the loss is %v: %w (the run diverged: lower lr or eps)", e.Step, e.Loss, ErrNotFinite)
	case e.Metrics&HasLoss == 0 && math.Float64bits(e.Loss) != 0:
		return fmt.Errorf("evaluation after step %d: loss %v is not in the metric set: %w", e.Step, e.Loss, ErrRecord)
	}
	for _, share := range []struct {
		name  string
		bit   Metrics
		value float64
	}{{"accuracy", HasAccuracy, e.Accuracy}, {"F1", HasF1, e.F1}, {"exact match", HasExact, e.Exact}} {
		switch {
		case !finite(share.value):
			return fmt.Errorf("evaluation after step %d: the %s is %v: %w", e.Step, share.name, share.value, ErrNotFinite)
		case share.value < 0 || share.value > 1:
			return fmt.Errorf("evaluation after step %d: the %s is %v, must be 0 … 1: %w", e.Step, share.name, share.value, ErrRecord)
		case e.Metrics&share.bit == 0 && math.Float64bits(share.value) != 0:
			return fmt.Errorf("evaluation after step %d: %s %v is not in the metric set: %w", e.Step, share.name, share.value, ErrRecord)
		}
	}
	return nil
}

// appendStep appends the payload of a step.
func appendStep(out []byte, s *Step) []byte {
	out = binary.LittleEndian.AppendUint64(out, s.Number)
	out = binary.LittleEndian.AppendUint64(out, s.Seed)
	out = binary.LittleEndian.AppendUint32(out, math.Float32bits(s.LR))
	out = binary.LittleEndian.AppendUint32(out, math.Float32bits(s.Loss))
	for _, projGrad := range s.ProjGrads {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(projGrad))
	}
	return out
}

// decodeStep reads a payload of stepBytes(len(projGrads)) bytes; the step keeps
// projGrads.
func decodeStep(payload []byte, projGrads []float32) Step {
	for i := range projGrads {
		projGrads[i] = math.Float32frombits(binary.LittleEndian.Uint32(payload[stepFixedBytes+4*i:]))
	}
	return Step{
		Number:    binary.LittleEndian.Uint64(payload),
		Seed:      binary.LittleEndian.Uint64(payload[8:]),
		LR:        math.Float32frombits(binary.LittleEndian.Uint32(payload[16:])),
		Loss:      math.Float32frombits(binary.LittleEndian.Uint32(payload[20:])),
		ProjGrads: projGrads,
	}
}

// appendEval appends the payload of an evaluation in a journal of that version.
func appendEval(out []byte, e *Eval, version uint32) []byte {
	out = binary.LittleEndian.AppendUint64(out, e.Step)
	out = append(out, byte(e.Kind), byte(e.Metrics))
	out = binary.LittleEndian.AppendUint32(out, e.Examples)
	out = binary.LittleEndian.AppendUint64(out, math.Float64bits(e.Loss))
	out = binary.LittleEndian.AppendUint64(out, math.Float64bits(e.Accuracy))
	if version == 1 {
		return out
	}
	out = binary.LittleEndian.AppendUint64(out, math.Float64bits(e.F1))
	out = binary.LittleEndian.AppendUint64(out, math.Float64bits(e.Exact))
	return binary.LittleEndian.AppendUint64(out, e.Of)
}

// decodeEval reads a payload of evalBytesOf1 or evalBytes bytes.
func decodeEval(payload []byte) Eval {
	e := Eval{
		Step:     binary.LittleEndian.Uint64(payload),
		Kind:     EvalKind(payload[8]),
		Metrics:  Metrics(payload[9]),
		Examples: binary.LittleEndian.Uint32(payload[10:]),
		Loss:     math.Float64frombits(binary.LittleEndian.Uint64(payload[14:])),
		Accuracy: math.Float64frombits(binary.LittleEndian.Uint64(payload[22:])),
	}
	if e.Of = e.Step; len(payload) > evalBytesOf1 {
		e.F1 = math.Float64frombits(binary.LittleEndian.Uint64(payload[30:]))
		e.Exact = math.Float64frombits(binary.LittleEndian.Uint64(payload[38:]))
		e.Of = binary.LittleEndian.Uint64(payload[46:])
	}
	return e
}

// beginRecord appends type and length of a record; the payload follows, and
// then endRecord.
func beginRecord(out []byte, kind byte, payloadBytes int) []byte {
	out = append(out, kind)
	return binary.LittleEndian.AppendUint32(out, uint32(payloadBytes))
}

// endRecord appends the check of the record that begins at start, which runs on
// from the check before it, and returns that check.
func endRecord(out []byte, start int, before uint32) ([]byte, uint32) {
	check := runCheck(before, out[start:])
	return binary.LittleEndian.AppendUint32(out, check), check
}

// runCheck continues a check over more bytes. MakeTable returns the one table
// it keeps for Castagnoli, which has the machine's CRC instruction behind it.
func runCheck(before uint32, data []byte) uint32 {
	return crc32.Update(before, crc32.MakeTable(crc32.Castagnoli), data)
}

// appendPreamble appends magic and version.
func appendPreamble(out []byte, version uint32) []byte {
	out = append(out, magic...)
	return binary.LittleEndian.AppendUint32(out, version)
}

// encodeHead returns the start of a journal of that version, preamble and header
// record, and the check that the first record runs on from.
func encodeHead(h *Header, version uint32) ([]byte, uint32) {
	payload := headerBytes(h)
	out := appendPreamble(make([]byte, 0, preambleBytes+frameBytes+payload), version)
	out = beginRecord(out, typeHeader, payload)
	out = appendHeader(out, h)
	return endRecord(out, 0, 0)
}
