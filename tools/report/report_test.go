package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
)

// element is a node of a parsed page.
type element struct {
	name     string
	attrs    map[string]string
	text     string // of this element alone
	children []*element
}

func (e *element) all(name string, visit func(*element)) {
	if e.name == name {
		visit(e)
	}
	for _, c := range e.children {
		c.all(name, visit)
	}
}

func (e *element) count(name, class string) int {
	n := 0
	e.all(name, func(found *element) {
		for _, c := range strings.Fields(found.attrs["class"]) {
			if c == class {
				n++
			}
		}
	})
	return n
}

// parse reads a page as strict XML: every element closed, every special
// character escaped, no character that XML forbids.
func parse(t testing.TB, page []byte) *element {
	t.Helper()
	root := &element{}
	stack := []*element{root}
	for d := xml.NewDecoder(bytes.NewReader(page)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return root
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		top := stack[len(stack)-1]
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attrs: map[string]string{}}
			for _, a := range token.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			top.children = append(top.children, e)
			stack = append(stack, e)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text += string(token)
		}
	}
}

// write makes a page and checks it.
func write(t testing.TB, d Data) (*element, string) {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, d); err != nil {
		t.Fatal(err)
	}
	root := parse(t, out.Bytes())
	checkPage(t, root)
	return root, out.String()
}

// checkPage checks what holds for every page.
func checkPage(t testing.TB, root *element) {
	t.Helper()
	ids := map[string]bool{}
	var check func(*element)
	check = func(e *element) {
		switch e.name {
		case "script", "link", "img", "iframe", "object", "a", "foreignObject", "use", "image":
			t.Errorf("the page holds an element <%s>", e.name)
		}
		for name, value := range e.attrs {
			if strings.HasPrefix(name, "on") || name == "href" || name == "src" {
				t.Errorf("<%s> has the attribute %s", e.name, name)
			}
			if strings.Contains(value, "NaN") || strings.Contains(value, "Inf") {
				t.Errorf("<%s %s=%q>", e.name, name, value)
			}
		}
		if id := e.attrs["id"]; id != "" {
			if ids[id] {
				t.Errorf("two elements have the id %s", id)
			}
			ids[id] = true
		}
		for _, c := range e.children {
			check(c)
		}
	}
	check(root)
	root.all("svg", func(e *element) {
		for id := range strings.FieldsSeq(e.attrs["aria-labelledby"]) {
			if !ids[id] {
				t.Errorf("aria-labelledby names %s, which is not there", id)
			}
		}
	})
}

func headings(root *element) string {
	var names []string
	root.all("h2", func(e *element) { names = append(names, e.text) })
	return strings.Join(names, "|")
}

// sample is a small run with all parts.
func sample() Data {
	d := Data{
		Title: "run1", Facts: []Pair{{"held-out accuracy", "50.6 % → 78.1 %"}}, Settings: []Pair{{"seed", "7"}},
		Ops: []OpTime{{"Add", "add_f32", 10, 500, 0.5}, {"Linear", "linear_f32", 35, 17500, 1.5}},
		Plan: &Plan{
			Method: "losses", Bytes: 4096, LowerBound: 3072, Nodes: []string{"Gather a", "Linear b", "Add c"},
			Items: []Item{{"a", 0, 2048, 0, 1}, {"scratch of b", 2048, 1024, 1, 1}, {"b", 3072, 1024, 1, 2}},
		},
	}
	for i := 1; i <= 100; i++ {
		d.Steps = append(d.Steps, Step{Number: i, Loss: 2 / math.Sqrt(float64(i)), LR: 1e-3, ProjGradNorm: 0.5})
		if i%25 == 0 {
			d.Evals = append(d.Evals, Eval{Step: i, Loss: 0.5, Accuracy: 0.5 + float64(i)/400, Examples: 160, Best: i == 75})
		}
	}
	return d
}

func TestPageHasEveryPart(t *testing.T) {
	d := sample()
	root, page := write(t, d)
	if got, want := headings(root), "Loss|Accuracy|Projected gradient|Time by op|Memory plan of |Settings"; got != want {
		t.Errorf("headings %q, want %q", got, want)
	}
	for _, want := range []string{
		"50.6 % → 78.1 %", "best: 68.8 %", "mean of the last 5 steps", "linear_f32", "75.0 %", "2.00 s in all",
		"arena 4 KiB", "lower bound 3 KiB", "33.3 % above", "accuracy 68.8 % at step 75, 160 examples, the best", "from node 0 (Gather a) to 1 (Linear b)",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if got := root.count("circle", "mark"); got != 8 { // 4 of loss, 4 of accuracy
		t.Errorf("%d marks, want 8", got)
	}
	if got := root.count("circle", "best"); got != 2 {
		t.Errorf("%d best marks, want 2", got)
	}
	if got := root.count("rect", "tensor"); got != 2 {
		t.Errorf("%d tensors drawn, want 2", got)
	}
	if got := root.count("rect", "scratch"); got != 1 {
		t.Errorf("%d scratches drawn, want 1", got)
	}
	if _, again := write(t, sample()); again != page {
		t.Error("the same data gave another page")
	}
}

func TestTextShowsPerplexity(t *testing.T) {
	d := sample()
	d.Text = true
	for i := range d.Evals {
		d.Evals[i].Accuracy = math.NaN()
	}
	root, page := write(t, d)
	if got, want := headings(root), "Loss|Perplexity|Projected gradient|Time by op|Memory plan of |Settings"; got != want {
		t.Errorf("headings %q, want %q", got, want)
	}
	if !strings.Contains(page, "best: 1.6487") { // e^0.5
		t.Error("the best perplexity is not marked")
	}
	if strings.Contains(page, "NaN") {
		t.Error("the page shows NaN")
	}
}

func TestLearningRateIsDrawnWhenItChanges(t *testing.T) {
	d := sample()
	d.Steps[50].LR = 5e-4
	if root, _ := write(t, d); !strings.Contains(headings(root), "Learning rate") {
		t.Error("no picture of a learning rate that changes")
	}
}

// hostile are strings that would break out of a page that did not escape them,
// or that XML forbids.
func hostile() []string {
	return []string{
		`<script>alert(1)</script>`, `</style><script>alert(1)</script>`, `" onload="alert(1)`, `' onload='alert(1)`,
		`</title></svg><img src=x onerror=alert(1)>`, `{{.Title}}`, `]]>`, `<!--`, `--><b>`, `&lt;&#60;&amp`, "a\x00b\x1b[31m",
		"\xff\xfe\xed\xa0\x80", "\ufffe\uffff", "\u202eevil\u2066", "line\nbreak\r\ttab", `javascript:alert(1)`, `expression(alert(1))`,
		"scratch of <b>", strings.Repeat("x", 1<<20), strings.Repeat("<&>\"'", 1<<16), strings.Repeat("é", 1<<18), "",
	}
}

func TestHostileStringsStayText(t *testing.T) {
	for i, s := range hostile() {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			clear, _ := write(t, sample())
			d := sample()
			d.Title = s
			d.Facts, d.Settings = []Pair{{s, s}}, []Pair{{s, s}}
			d.Ops[0].Op, d.Ops[0].Kernel = s, s
			d.Plan.Method, d.Plan.Nodes[0], d.Plan.Items[0].Name = s, s, s
			root, page := write(t, d)
			if got, want := shape(root), shape(clear); got != want && s != "" {
				t.Errorf("the string changed the page's elements:\n%s\nwant\n%s", got, want)
			}
			if len(page) > 1<<18 {
				t.Errorf("the page has %d bytes", len(page))
			}
			if strings.ContainsAny(page, "\x00\x1b\u202e\u2066") {
				t.Error("control or direction marks reached the page")
			}
		})
	}
}

// shape lists a page's elements in order.
func shape(e *element) string {
	var b strings.Builder
	var walk func(*element)
	walk = func(e *element) {
		b.WriteString(e.name + "(")
		for _, c := range e.children {
			walk(c)
		}
		b.WriteString(")")
	}
	walk(e)
	return b.String()
}

func TestDegenerateData(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	cases := map[string]Data{
		"nothing":            {},
		"one step":           {Steps: []Step{{1, 2, 1e-3, 0.5}}},
		"two steps":          {Steps: []Step{{1, 2, 1e-3, 0.5}, {2, 1, 1e-3, 0.5}}},
		"one step at zero":   {Steps: []Step{{0, 0, 0, 0}}},
		"one evaluation":     {Evals: []Eval{{0, 1, 0.5, 10, true}}},
		"nothing finite":     {Steps: []Step{{1, nan, nan, nan}, {2, inf, -inf, inf}}, Evals: []Eval{{1, nan, nan, 0, true}, {1, inf, inf, 0, true}}, Text: true},
		"some finite":        {Steps: []Step{{1, nan, 1, nan}, {2, 3, inf, 4}, {3, inf, 2, -inf}}},
		"huge":               {Steps: []Step{{1, 1e300, 1e300, 1e308}, {2, -1e300, -1e300, 1}}, Evals: []Eval{{2, 800, 1e300, 1, true}}, Text: true},
		"tiny":               {Steps: []Step{{1, 5e-324, 5e-324, 1e-310}, {2, 0, 0, 0}}},
		"equal":              {Steps: []Step{{1, -3, 1, 1}, {2, -3, 1, 1}}},
		"nearly equal":       {Steps: []Step{{1, 1, 1, 1}, {2, math.Nextafter(1, 2), math.Nextafter(1, 2), 1}}},
		"extreme numbers":    {Steps: []Step{{math.MaxInt, 1, 1, 1}, {math.MinInt, 2, 1, 1}}},
		"late numbers":       {Steps: []Step{{math.MaxInt, 1, 1, 1}, {math.MaxInt - 1, 2, 1, 1}}},
		"repeated, unsorted": {Steps: []Step{{5, 1, 1, 1}, {2, 2, 1, 1}, {5, 3, 1, 1}}, Evals: []Eval{{5, 1, 1, 1, true}, {0, 2, 0, 1, true}}},
		"wild ops":           {Ops: []OpTime{{"a", "b", -1, math.MinInt64, -1}, {"c", "d", math.MaxInt, math.MaxInt64, nan}, {"e", "f", 0, 0, inf}, {"g", "h", 1, 1, 1e-12}}},
		"no time":            {Ops: []OpTime{{"a", "b", 1, 1, 0}}},
		"empty plan":         {Plan: &Plan{}},
		"plan without nodes": {Plan: &Plan{Bytes: 64, LowerBound: 64, Items: []Item{{"a", 0, 64, 0, 5}, {"b", 0, 64, 6, math.MaxInt}}}},
		"huge plan":          {Plan: &Plan{Bytes: math.MaxInt, LowerBound: math.MaxInt, Nodes: []string{"a"}, Items: []Item{{"a", 0, math.MaxInt, 0, 0}}}},
		"bound above arena":  {Plan: &Plan{Bytes: 64, LowerBound: math.MaxInt, Nodes: []string{"a"}, Items: []Item{{"a", 0, 64, 0, 0}}}},
		"negative plan":      {Plan: &Plan{Bytes: -5, LowerBound: math.MinInt, Nodes: []string{"a"}, Items: []Item{{"a", 0, -5, 0, 0}}}},
		"negative bound":     {Plan: &Plan{Bytes: 64, LowerBound: math.MinInt, Nodes: []string{"a"}, Items: []Item{{"a", 0, 64, 0, 0}}}},
	}
	for name, d := range cases {
		t.Run(name, func(t *testing.T) { write(t, d) })
	}
	if _, page := write(t, Data{}); !strings.Contains(page, "No steps are recorded") {
		t.Error("the empty page does not say that it is empty")
	}
}

func TestLongRunsAreThinned(t *testing.T) {
	var d Data
	for i := range 100_000 {
		d.Steps = append(d.Steps, Step{Number: i, Loss: 1 + math.Sin(float64(i)), LR: float64(i), ProjGradNorm: 1})
		d.Evals = append(d.Evals, Eval{Step: i, Loss: 1, Accuracy: float64(i%7) / 7, Best: i == 12345})
	}
	d.Plan = &Plan{Bytes: 1 << 20, LowerBound: 1 << 20}
	for i := range 20_000 {
		d.Plan.Nodes = append(d.Plan.Nodes, fmt.Sprint("node ", i))
		d.Plan.Items = append(d.Plan.Items, Item{fmt.Sprint("tensor ", i), i, 1, i, i})
	}
	root, page := write(t, d)
	root.all("path", func(e *element) {
		if n := strings.Count(e.attrs["d"], " "); n > maxDrawn {
			t.Errorf("a curve of %d points", n)
		}
	})
	if got := root.count("circle", "best"); got != 2 {
		t.Errorf("%d best marks, want 2: thinning lost the best", got)
	}
	if got := root.count("rect", "tensor"); got != maxItems {
		t.Errorf("%d tensors drawn, want %d", got, maxItems)
	}
	for _, note := range []string{"Thinned from 100,000", "largest 5,000 of 20,000", "first 99,500 are left out"} {
		if !strings.Contains(page, note) {
			t.Errorf("the page does not say %q", note)
		}
	}
	if len(page) > 3<<20 {
		t.Errorf("the page has %d bytes", len(page))
	}
}

type failing struct{}

var errFull = errors.New("disk full")

func (failing) Write([]byte) (int, error) { return 0, errFull }

func TestWriteReturnsTheWritersError(t *testing.T) {
	if err := Write(failing{}, sample()); !errors.Is(err, errFull) {
		t.Errorf("error %v, want one that wraps %v", err, errFull)
	}
}

func FuzzWrite(f *testing.F) {
	for _, s := range hostile() {
		if len(s) < 100 {
			f.Add(s, 1.5, 3, 100, 0, 2)
		}
	}
	f.Add("x", math.Inf(1), math.MinInt, math.MaxInt, -1, math.MaxInt)
	f.Fuzz(func(t *testing.T, s string, v float64, number, bytes, first, last int) {
		write(t, Data{
			Title: s, Text: number%2 == 0, Facts: []Pair{{s, s}}, Settings: []Pair{{s, s}},
			Steps: []Step{{number, v, v, v}, {first, 1, v, 1}}, Evals: []Eval{{last, v, v, bytes, true}, {number, 1, 1, 1, false}},
			Ops:  []OpTime{{s, s, number, int64(last), v}, {s, s, 1, 1, 1}},
			Plan: &Plan{Method: s, Bytes: bytes, LowerBound: last, Nodes: []string{s, s}, Items: []Item{{s, first, number, first, last}, {s, 0, bytes, 0, 1}}},
		})
	})
}
