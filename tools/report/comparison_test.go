package report

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

func writeComparison(t *testing.T, c Comparison) (*element, string) {
	t.Helper()
	var out bytes.Buffer
	if err := WriteComparison(&out, c); err != nil {
		t.Fatal(err)
	}
	root := parse(t, out.Bytes())
	checkPage(t, root)
	return root, out.String()
}

func TestComparison(t *testing.T) {
	c := Comparison{
		Title: "m.zpt", Verdict: "node 1 Linear q: NMSE 0.01 is above 1e-07", Facts: []Pair{{"loss", "1.2"}}, Settings: []Pair{{"eps", "0.01"}},
		Nodes: []ComparedNode{
			{Node: "Gather embedding", Type: "f32[1 N 8]", Kernel: "gather", Limit: 1e-7, RunLimit: 1e-7},
			{Node: "Linear q", Type: "f32[1 N 8]", Kernel: "linear", Alone: 1e-2, Limit: 1e-7, InRun: 1e-2, RunLimit: 2e-7, Max: 3, Fault: "NMSE 0.01 is above 1e-07"},
			{Node: "Add r", Type: "f32[P N 8]", Kernel: "add", Alone: 1e-14, Limit: 1e-7, InRun: 1e-3, RunLimit: 3e-7},
		},
	}
	root, page := writeComparison(t, c)
	if h := headings(root); h != "Error by node|Nodes in order|Settings" {
		t.Errorf("headings %q", h)
	}
	for class, want := range map[string]int{"run": 2, "alone": 1, "fault": 1} {
		if n := root.count("rect", class); n != want {
			t.Errorf("%d bars of class %s, want %d", n, class, want)
		}
	}
	if n := root.count("line", "limit"); n != 3 {
		t.Errorf("%d limits, want 3", n)
	}
	for _, want := range []string{c.Verdict, "NMSE 0.01 is above 1e-07", "past a limit"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	c.Nodes[1].Fault = ""
	if _, page := writeComparison(t, c); strings.Contains(page, "past a limit") {
		t.Error("the legend explains faults where there are none")
	}
}

// Whatever the numbers and names are, the page is sound.
func TestComparisonOfAnything(t *testing.T) {
	writeComparison(t, Comparison{})
	odd := []float64{0, math.NaN(), math.Inf(1), math.Inf(-1), -1, 1e-320, math.MaxFloat64}
	c := Comparison{Title: "a\x00\"<b>", Verdict: "&\u202e"}
	for i, v := range odd {
		w := odd[(i+1)%len(odd)]
		c.Nodes = append(c.Nodes, ComparedNode{Node: "<script>", Type: "\xff", Alone: v, Limit: w, InRun: w, RunLimit: v, Max: v, Pairs: w, Fault: "'\"<"})
	}
	root, _ := writeComparison(t, c)
	if root.count("line", "limit") != len(odd) {
		t.Error("limits are missing")
	}
	for len(c.Nodes) <= maxComparedRows {
		c.Nodes = append(c.Nodes, c.Nodes...)
	}
	if _, page := writeComparison(t, c); !strings.Contains(page, "The first 5,000 of ") {
		t.Error("nothing says that nodes are left out")
	}
}
