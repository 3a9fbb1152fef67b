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

func someStudy() Study {
	curve := func(end float64) (rows, low, median, high []float64) {
		for i := range 5 {
			v := 2 - (2-end)*float64(i)/4
			rows, low, median, high = append(rows, float64(1000*i)), append(low, v-0.1), append(median, v), append(high, v+0.2)
		}
		return rows, low, median, high
	}
	task := StudyTask{Name: "SST-2 <dev>", Settings: "--task sst2", Baseline: "P-RGE"}
	for i := range 10 {
		m := StudyMethod{Name: fmt.Sprint("method ", i), Runs: 5, Final: 1 - float64(i)/20, Accuracy: 0.5, Saved: float64(i)}
		m.Rows, m.Low, m.Median, m.High = curve(m.Final)
		task.Methods = append(task.Methods, m)
	}
	diverged := StudyMethod{Name: "wild", Final: math.Inf(1), Accuracy: math.NaN(), Rows: []float64{0, math.NaN()}, Low: []float64{1, 2}, Median: []float64{math.Inf(1), 2}, High: []float64{1}}
	task.Methods = append(task.Methods, diverged)
	return Study{Title: "a & b", Tasks: []StudyTask{task, {Name: "empty", Measure: "1 − cosine"}}}
}

func TestStudyPage(t *testing.T) {
	var out bytes.Buffer
	if err := WriteStudy(&out, someStudy()); err != nil {
		t.Fatal(err)
	}
	page := out.String()
	decoder := xml.NewDecoder(&out)
	decoder.Strict = true
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the page is not well-formed: %v", err)
		}
	}
	for _, want := range []string{
		"SST-2 &lt;dev&gt;", "a &amp; b", "method 9", "diverged", "never", "9.00 ×", "There is nothing to draw", ">1 − cosine</th>", ">loss</th>", "held-out loss (nats), median and spread",
		`class="spread series c1 dashed"`, "fewer rows to the end of P-RGE",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if n := strings.Count(page, `class="spread`); n != 10 {
		t.Errorf("%d curves are drawn, want 10", n)
	}
	for _, bad := range []string{"NaN", "Inf", "<script"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
}

func TestStudyPageOfTooMuch(t *testing.T) {
	s := Study{}
	for i := range 200 {
		task := StudyTask{Name: fmt.Sprint("t", i)}
		for range 200 {
			task.Methods = append(task.Methods, StudyMethod{Name: strings.Repeat("x", 5000)})
		}
		s.Tasks = append(s.Tasks, task)
	}
	var out bytes.Buffer
	if err := WriteStudy(&out, s); err != nil {
		t.Fatal(err)
	}
	if out.Len() > 2<<20 {
		t.Errorf("the page takes %d bytes", out.Len())
	}
	if !strings.Contains(out.String(), "Left out: 176 methods") {
		t.Error("it does not say what it leaves out")
	}
}
