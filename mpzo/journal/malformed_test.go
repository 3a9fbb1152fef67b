package journal

import (
	"bytes"
	"errors"
	"math"
	"testing"
)

// malformed are journals whose checks are good and whose content breaks a rule,
// or whose head is broken.
func malformed() map[string]struct {
	data []byte
	want error
} {
	type broken = struct {
		data []byte
		want error
	}
	cases := map[string]broken{}
	good := sampleHeader()
	goodPayload := appendHeader(nil, &good)

	header := func(name string, change func(payload []byte) []byte) {
		data, _ := rawJournal(change(bytes.Clone(goodPayload)))
		cases["header: "+name] = broken{data, ErrFormat}
	}
	edit := func(name string, change func(payload []byte)) {
		header(name, func(payload []byte) []byte { change(payload); return payload })
	}
	firstName := headerFixedBytes + 8
	header("empty", func([]byte) []byte { return nil })
	header("cut in the fixed part", func(p []byte) []byte { return p[:headerFixedBytes-1] })
	header("cut before the sites", func(p []byte) []byte { return p[:headerFixedBytes] })
	header("cut in a site", func(p []byte) []byte { return p[:firstName+3] })
	header("cut in a setting", func(p []byte) []byte { return p[:len(p)-1] })
	header("a byte too many", func(p []byte) []byte { return append(p, 0) })
	edit("rank 0", func(p []byte) { put32(p, 72, 0) })
	edit("rank huge", func(p []byte) { put32(p, 72, math.MaxUint32) })
	edit("alpha 0", func(p []byte) { putFloat(p, 76, 0) })
	edit("alpha negative", func(p []byte) { putFloat(p, 76, -1) })
	edit("alpha NaN", func(p []byte) { putFloat(p, 76, math.NaN()) })
	edit("sampler 0", func(p []byte) { put32(p, 80, 0) })
	edit("q 0", func(p []byte) { put32(p, 84, 0) })
	edit("q 2³²-1", func(p []byte) { put32(p, 84, math.MaxUint32) })
	edit("q past the limit", func(p []byte) { put32(p, 84, maxQueries+1) })
	edit("eps 0", func(p []byte) { putFloat(p, 88, 0) })
	edit("eps infinite", func(p []byte) { putFloat(p, 88, math.Inf(1)) })
	edit("no sites", func(p []byte) { put32(p, 92, 0) })
	edit("one site less", func(p []byte) { put32(p, 92, 1) })
	edit("one site more", func(p []byte) { put32(p, 92, 3) })
	edit("2³²-1 sites", func(p []byte) { put32(p, 92, math.MaxUint32) })
	edit("sites that wrap", func(p []byte) { put32(p, 92, math.MaxUint32/siteFixedBytes+1) })
	edit("one setting less", func(p []byte) { put32(p, 96, 2) })
	edit("one setting more", func(p []byte) { put32(p, 96, 4) })
	edit("2³²-1 settings", func(p []byte) { put32(p, 96, math.MaxUint32) })
	edit("empty site name", func(p []byte) { p[firstName], p[firstName+1] = 0, 0 })
	edit("site name past the end", func(p []byte) { p[firstName], p[firstName+1] = 0xff, 0xff })
	edit("site name not UTF-8", func(p []byte) { p[firstName+2] = 0xff })
	edit("site name with NUL", func(p []byte) { p[firstName+5] = 0 })
	edit("site ids equal", func(p []byte) { put64(p, headerFixedBytes, 7) })
	header("site names equal", func(p []byte) []byte {
		h := sampleHeader()
		h.Sites[1].Name = h.Sites[0].Name
		return appendHeader(nil, &h)
	})
	swap := func(name, first, second string) {
		header(name, func([]byte) []byte {
			h := sampleHeader()
			h.Settings = nil
			p := appendHeader(nil, &h)
			put32(p, 96, 2)
			for _, text := range []string{first, "1", second, "2"} {
				p = appendText(p, text)
			}
			return p
		})
	}
	swap("keys out of order", "b", "a")
	swap("key twice", "a", "a")
	swap("empty key", "", "a")
	swap("key with a line end", "a", "b\n")

	head, headCheck := encodeHead(&good, version)
	preamble := func(name string, want error, change func(data []byte) []byte) {
		cases["head: "+name] = broken{change(bytes.Clone(head)), want}
	}
	preamble("empty", ErrFormat, func([]byte) []byte { return nil })
	preamble("other magic", ErrFormat, func(d []byte) []byte { d[0] = 'z'; return d })
	preamble("version 0", ErrVersion, func(d []byte) []byte { put32(d, 8, 0); return d })
	preamble("version 3", ErrVersion, func(d []byte) []byte { put32(d, 8, 3); return d })
	preamble("first record a step", ErrFormat, func(d []byte) []byte { d[12] = typeStep; return d })
	preamble("length 2³²-1", ErrFormat, func(d []byte) []byte { put32(d, 13, math.MaxUint32); return d })
	preamble("length past the end", ErrFormat, func(d []byte) []byte { put32(d, 13, uint32(len(d))); return d })
	preamble("check wrong", ErrFormat, func(d []byte) []byte { d[len(d)-1]++; return d })

	record := func(name string, kind byte, payload []byte) {
		data, _ := appendRaw(bytes.Clone(head), headCheck, kind, payload)
		cases["record: "+name] = broken{data, ErrDamaged}
	}
	step := func(name string, change func(s *Step)) {
		s := sampleStep(1, 3)
		change(&s)
		record("step "+name, typeStep, appendStep(nil, &s))
	}
	eval := func(name string, change func(e *Eval)) {
		e := sampleEval(0)
		change(&e)
		record("evaluation "+name, typeEval, appendEval(nil, &e, version))
	}
	record("type 0", 0, nil)
	record("type 4", 4, make([]byte, evalBytes))
	record("second header", typeHeader, goodPayload)
	record("empty step", typeStep, nil)
	step("of q - 1", func(s *Step) { s.ProjGrads = s.ProjGrads[:2] })
	step("of q + 1", func(s *Step) { s.ProjGrads = append(s.ProjGrads, 0) })
	step("number 0", func(s *Step) { s.Number = 0 })
	step("number 2", func(s *Step) { s.Number = 2 })
	step("number 2⁶⁴-1", func(s *Step) { s.Number = math.MaxUint64 })
	step("lr negative", func(s *Step) { s.LR = -1 })
	step("lr NaN", func(s *Step) { s.LR = float32(math.NaN()) })
	step("loss infinite", func(s *Step) { s.Loss = float32(math.Inf(1)) })
	step("gradient NaN", func(s *Step) { s.ProjGrads[1] = float32(math.NaN()) })
	eval("of a later step", func(e *Eval) { e.Step = 1 })
	eval("kind 0", func(e *Eval) { e.Kind = 0 })
	eval("kind 255", func(e *Eval) { e.Kind = 255 })
	eval("without metrics", func(e *Eval) { e.Metrics = 0 })
	eval("metric unknown", func(e *Eval) { e.Metrics = 0x83 })
	eval("F1 absent but there", func(e *Eval) { e.F1 = 0.5 })
	eval("exact match 2", func(e *Eval) { e.Metrics, e.Exact = allMetrics, 2 })
	eval("F1 NaN", func(e *Eval) { e.Metrics, e.F1 = allMetrics, math.NaN() })
	eval("of a later adapter", func(e *Eval) { e.Kind, e.Of = EvalTest, 1 })
	eval("accuracy 2", func(e *Eval) { e.Accuracy = 2 })
	eval("loss NaN", func(e *Eval) { e.Loss = math.NaN() })
	record("evaluation too short", typeEval, make([]byte, evalBytes-1))
	record("evaluation too long", typeEval, make([]byte, evalBytes+1))
	return cases
}

func TestMalformed(t *testing.T) {
	cases := malformed()
	if len(cases) < 60 {
		t.Fatalf("only %d classes", len(cases))
	}
	for name, c := range cases {
		path := writeFile(t, c.data)
		if _, err := Read(path); !errors.Is(err, c.want) {
			t.Errorf("%s: Read: got %v, want %v", name, err, c.want)
		}
		w, _, err := Open(path)
		if !errors.Is(err, c.want) || w != nil {
			t.Errorf("%s: Open: got %v, want %v", name, err, c.want)
		}
		if !bytes.Equal(readBytes(t, path), c.data) {
			t.Errorf("%s: the file was changed", name)
		}
	}
}
