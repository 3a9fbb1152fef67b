package data

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"zeroth/internal/testdata"
)

// seed adds the beginnings of real files, and forms that were once hard.
func seed(f *testing.F, pattern string, forms ...string) {
	f.Helper()
	for _, form := range forms {
		f.Add([]byte(form))
	}
	root := os.Getenv("ZEROTH_SHARED")
	if root == "" { // not testdata.Shared, which would skip the forms above too
		root = filepath.Join(testdata.Repo(".."), "shared", "data")
	}
	matches, err := filepath.Glob(filepath.Join(root, "datasets", filepath.FromSlash(pattern)))
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range matches {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text[:min(len(text), 1500)])
	}
}

// fuzzRows reads text to its end and checks what every reader promises.
func fuzzRows(t *testing.T, name string, text []byte, task *Task) {
	options := Options{LineBytes: 600, Rows: 50, Tokens: 64}
	reader, err := NewReader(name, strings.NewReader(string(text)), options)
	for line := 0; err == nil; {
		var row Row
		if row, err = reader.Next(); err != nil {
			break
		}
		if row.Line <= line || len(row.Names) != len(row.Values) {
			t.Fatalf("row %+v after line %d", row, line)
		}
		line = row.Line
		for i, value := range row.Values {
			if !utf8.ValidString(value.Text) || !utf8.ValidString(row.Names[i]) {
				t.Fatalf("field %q is not UTF-8", row.Names[i])
			}
		}
	}
	if !errors.Is(err, io.EOF) && !errors.Is(err, ErrRow) {
		t.Fatalf("error is %v", err)
	}
	set, err := Read(name, strings.NewReader(string(text)), task, byteEncoder{}, options)
	if err != nil {
		if !errors.Is(err, ErrRow) && !errors.Is(err, ErrEmpty) && !errors.Is(err, ErrBudget) {
			t.Fatalf("error is %v", err)
		}
		return
	}
	var b Batch
	for i := range set.Examples {
		if err := b.PackChoices(set.Examples, []int{i}); err != nil {
			t.Fatal(err)
		}
		for _, ids := range set.Examples[i].Candidates {
			if len(ids) > options.Tokens || ids[0] != 1 {
				t.Fatalf("candidate %v", ids)
			}
		}
	}
}

func FuzzTSV(f *testing.F) {
	seed(f, "sst2/*.tsv", "label\ttext\n1\tx", "\ufeffa\t\r\n", "a\tb\n\t\n", "\xff\xfe", "text\tlabel\r\n\r\nx\t1\r\n")
	seed(f, "sst2/16-shot/*/train.tsv")
	task, err := BuiltIn("sst2")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) { fuzzRows(t, "f.tsv", text, &task) })
}

func FuzzCSV(f *testing.F) {
	seed(f, "none", "label,text\n1,\"x, \"\"y\"\"\n\nz\"\n0,w\n", "text,label\r\n\"a\r\nb\",1\r\n", "\"", "label,text\n\"\",\n")
	task, err := BuiltIn("sst2")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) { fuzzRows(t, "f.csv", text, &task) })
}

func FuzzJSONLines(f *testing.F) {
	seed(f, "copa/*.jsonl", `{"q":"a","choices":["a","b"],"label":1}`, `{"q":[[]]}`, `{"a":"\ud800"}`, "{}\n\n{}", `{"q":"x","choices":[1],"label":0}`)
	task, err := Spec{Template: "{q|premise|question}: {label}", ChoicesField: "choices"}.Task()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) { fuzzRows(t, "f.jsonl", text, &task) })
}

func FuzzTask(f *testing.F) {
	seed(f, "none", `{"template":"{a} {label}","labels":{"0":"x","1":"y"}}`, `{"template":"{{{a|b}}}{label}","answer_field":"c"}`,
		`{"template":"{a:lower}{label}.","choices":["{x}","{y:cut}"],"loss":"choices"}`, `{"template":"{a} {mask}","labels":{"0|a":"x","1":"y"},"metrics":["f1"]}`)
	f.Fuzz(func(t *testing.T, text []byte) {
		task, err := ParseTask(text)
		if err != nil {
			if !errors.Is(err, ErrTask) && !errors.Is(err, ErrTemplate) {
				t.Fatalf("error is %v", err)
			}
			return
		}
		again, err := ParseTemplate(task.Template.String())
		if err != nil || len(again.Fields()) != len(task.Template.Fields()) {
			t.Fatalf("template %q does not read again: %v", task.Template.String(), err)
		}
		r := &Row{}
		for _, names := range task.Template.Fields() {
			r.Names, r.Values = append(r.Names, names[0]), append(r.Values, Value{Text: "x"})
		}
		for _, pieces := range [][]piece{task.Template.before, task.Template.after} {
			// A value may be none that a filter knows.
			if _, err := joined(r, pieces); err != nil && !strings.Contains(err.Error(), "unknown value") && !strings.Contains(err.Error(), "gaps") {
				t.Fatal(err)
			}
		}
	})
}
