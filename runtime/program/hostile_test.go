package program

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"zeroth/runtime/op"
)

func readGolden(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile(goldenPath)
	if err != nil {
		t.Fatal(err)
	}
	return append(alignedBytes(len(data))[:0], data...)
}

// TestTruncation: the golden file cut at any byte is refused, also when its
// length and hashes are made to fit what is left.
func TestTruncation(t *testing.T) {
	golden := readGolden(t)
	for n := range golden {
		if _, err := Parse(golden[:n]); err == nil {
			t.Errorf("cut to %d bytes it is accepted", n)
		}
		if _, err := Parse(reseal(golden[:n])); err == nil {
			t.Errorf("cut to %d bytes and sealed again it is accepted", n)
		}
	}
}

// TestHeaderTruncation: so is one whose header alone is cut.
func TestHeaderTruncation(t *testing.T) {
	header, body := split(readGolden(t))
	for n := range header {
		if _, err := Parse(seal(header[:n], body)); err == nil {
			t.Errorf("with a header of %d bytes it is accepted", n)
		}
	}
}

// TestEveryByteFlipped: no byte of the file can change unnoticed. With the
// hashes made to fit, what is accepted must be a sound program.
func TestEveryByteFlipped(t *testing.T) {
	golden := readGolden(t)
	for at := range golden {
		for i, mask := range []byte{0x01, 0x80, 0xff} {
			golden[at] ^= mask
			if _, err := Parse(golden); err == nil {
				t.Errorf("byte %d xor %#02x is accepted", at, mask)
			}
			if i == at%3 {
				checkParsed(t, reseal(golden))
			}
			golden[at] ^= mask
		}
	}
}

// checkParsed parses hostile bytes within the memory that they may cost, and
// holds what is accepted to be sound and canonical: writing it again gives
// the same bytes.
func checkParsed(t testing.TB, data []byte) {
	t.Helper()
	data = append(alignedBytes(len(data))[:0], data...)
	var (
		p   *Program
		err error
	)
	used := allocated(func() { p, err = Parse(data) })
	if bound := len(data)*5/2 + allocationSlack; used > bound && used > bound+inferenceWaste(data) {
		t.Errorf("%d bytes take %d bytes of memory (%.1000v)", len(data), used, err)
	}
	if err != nil {
		if n := len(err.Error()); n > 10*MaxNameBytes {
			t.Errorf("an error of %d bytes: %.100s…", n, err)
		}
		return
	}
	if err := Verify(p); err != nil {
		t.Errorf("Parse accepts what Verify refuses: %v", err)
	}
	if !bytes.Equal(assemble(p, nil), data) {
		t.Error("written again, it gives other bytes")
	}
}

// TestIndexChecksAreShared: however many nodes use an index constant, its
// values are read once. Read at each use, this would take minutes.
func TestIndexChecksAreShared(t *testing.T) {
	const nodes, length = 16000, 1 << 20
	p := &Program{Constants: []Constant{{"indices", i32(op.C(length)), make([]byte, 4*length)}}}
	m := Method{Name: "m", Values: []Value{{"", ConstRef, 0, i32(op.C(length))}}}
	for i := range nodes {
		rows := op.C(i + 1)
		m.Values = append(m.Values, Value{fmt.Sprint(i), Input, 0, f32(rows, op.C(1))}, Value{"", Temp, 0, f32(op.C(length), op.C(1))})
		m.Nodes = append(m.Nodes, Node{op.Gather, fmt.Sprint(i), nil, []int{2*i + 1, 0}, []int{2*i + 2}})
	}
	p.Methods = []Method{m}
	if err := Verify(p); err != nil {
		t.Fatal(err)
	}
	p.Constants[0].Data[4*(length-1)] = 5
	if err := Verify(p); err == nil || !strings.HasPrefix(err.Error(), "methods[0].nodes[0].inputs[1].constant indices: ") {
		t.Errorf("an index out of range: %v", err)
	}
}
