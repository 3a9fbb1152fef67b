package data

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func readAll(name, text string, options Options) ([]Row, error) {
	reader, err := NewReader(name, strings.NewReader(text), options)
	if err != nil {
		return nil, err
	}
	var rows []Row
	for {
		row, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
}

func TestReaderTakesWhatItShould(t *testing.T) {
	cases := []struct {
		name, file, text string
		columns          []string
		field            string
		want             []string // "line:text" of the field
	}{
		{"tsv header", "a.tsv", "label\ttext\n1\tgood .\n0\tbad .\n", nil, "text", []string{"2:good .", "3:bad ."}},
		{"tsv columns", "a.tsv", "good .\t1\nbad .\t0", []string{"text", "label"}, "text", []string{"1:good .", "2:bad ."}},
		{"tsv crlf, mark, blank lines", "a.TSV", "\ufefflabel\ttext\r\n\r\n1\tgood\r\n   \n0\tbad\r\n", nil, "text", []string{"3:good", "5:bad"}},
		{"tsv quotes are plain", "a.tsv", "label\ttext\n1\t\"a \"\" b\n", nil, "text", []string{"2:\"a \"\" b"}},
		{"csv", "a.csv", "\ufefflabel,text\r\n1,\"a, \"\"b\"\"\"\r\n\r\n0, c \r\n", nil, "text", []string{"2:a, \"b\"", "4: c "}},
		{"csv columns, line ends", "a.csv", "1,\"a\n\n b\"\n2,c", []string{"label", "text"}, "text", []string{"3:a\n\n b", "4:c"}},
		{"jsonl", "a.jsonl", "{\"text\": \"caf\\u00e9\", \"n\": [1, {\"a\": []}]}\n", nil, "text", []string{"1:café"}},
		{"jsonl crlf, mark, blanks", "a.ndjson", "\ufeff{\"text\":\"a\"}\r\n\t\r\n {\"text\" : \"b\"} \r\n", nil, "text", []string{"1:a", "3:b"}},
		{"jsonl number", "a.jsonl", `{"label": 1}`, nil, "label", []string{"1:1"}},
		{"jsonl boolean", "a.jsonl", `{"label": false}`, nil, "label", []string{"1:false"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			rows, err := readAll(c.file, c.text, Options{Columns: c.columns})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, row := range rows {
				value, ok := row.Field("absent", c.field)
				if !ok {
					t.Fatalf("line %d has no field %s", row.Line, c.field)
				}
				got = append(got, string(rune('0'+row.Line))+":"+value.Text)
			}
			equal(t, "rows", got, c.want)
		})
	}
}

func TestReaderKinds(t *testing.T) {
	rows, err := readAll("a.jsonl", `{"a":"x","b":-1.5e3,"c":true,"d":["x","y"],"e":null,"f":{"a":1},"g":["x",1],"h":[]}`, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []Kind
	for _, value := range rows[0].Values {
		got = append(got, value.Kind)
	}
	equal(t, "kinds", got, []Kind{Text, Number, Boolean, List, Other, Other, Number, Other, List})
	if value, ok := rows[0].Field("f.a"); !ok || value.Text != "1" {
		t.Errorf("the field of an object is %+v", value)
	}
	equal(t, "list", rows[0].Values[3].List, []string{"x", "y"})
	if rows[0].Values[1].Text != "-1.5e3" {
		t.Errorf("number is spelt %q", rows[0].Values[1].Text)
	}
}

func TestReaderRefuses(t *testing.T) {
	many := func(item, between string, n int) string {
		return strings.TrimSuffix(strings.Repeat(item+between, n), between)
	}
	cases := []struct {
		name, file, text string
		options          Options
		parts            []string
	}{
		{"too many columns", "a.tsv", "label\ttext\n1\ta\tb\n", Options{}, []string{"a.tsv:2:", "3 columns where 2"}},
		{"too few columns", "a.tsv", "label\ttext\n\n1\n", Options{}, []string{"a.tsv:3:", "1 columns where 2"}},
		{"csv columns", "a.csv", "label,text\n1,a,b\n", Options{}, []string{"a.csv:2:", "3 columns where 2"}},
		{"csv never closed", "a.csv", "label,text\n1,\"a\n\nb\n", Options{}, []string{"a.csv:4:", "never closed"}},
		{"csv quote within", "a.csv", "label,text\n1,a\"b\"\n", Options{}, []string{"a.csv:2:", "not CSV: bare"}},
		{"csv long row", "a.csv", "a,b\n1,\"aaaa\nbbbb\n\"\n", Options{LineBytes: 9}, []string{"a.csv:3:", "9 bytes"}},
		{"csv very many columns", "a.csv", many("x", ",", 1025) + "\n", Options{}, []string{"1024 columns"}},
		{"csv empty", "a.csv", "", Options{}, []string{"a.csv:1:", "no header"}},
		{"csv invalid", "a.csv", "a,b\n1,\"x\n\xff\"\n", Options{}, []string{"a.csv:3:", "UTF-8 at byte 0"}},
		{"empty header", "a.tsv", "", Options{}, []string{"a.tsv:1:", "no header"}},
		{"only blank lines", "a.tsv", "\n \n", Options{}, []string{"no header"}},
		{"nameless column", "a.tsv", "label\t\n", Options{}, []string{"a.tsv:1:", "column 2"}},
		{"same column twice", "a.tsv", "text\ttext\n", Options{}, []string{"a.tsv:1:", `"text"`}},
		{"given column twice", "a.tsv", "x\ty\n", Options{Columns: []string{"a", "a"}}, []string{`"a"`}},
		{"very many columns", "a.tsv", many("x", "\t", 1025) + "\n", Options{}, []string{"1024 columns"}},
		{"long line", "a.tsv", "label\ttext\n1\taaaaaaaaaaaa\n", Options{LineBytes: 12}, []string{"a.tsv:2:", "12 bytes"}},
		{"one byte too long", "a.tsv", "a\tb\n1\t234\r\n", Options{LineBytes: 4}, []string{"a.tsv:2:", "4 bytes"}},
		{"endless line", "a.jsonl", strings.Repeat("a", 1<<12), Options{LineBytes: 100}, []string{"a.jsonl:1:", "100 bytes"}},
		{"invalid header", "a.tsv", "label\xff\ttext\n", Options{}, []string{"a.tsv:1:", "UTF-8 at byte 5"}},
		{"invalid text", "a.tsv", "label\ttext\n1\tab\xc3\n", Options{}, []string{"a.tsv:2:", "UTF-8 at byte 4"}},
		{"utf-16", "a.tsv", "\xff\xfel\x00a\x00", Options{}, []string{"UTF-8 at byte 0"}},
		{"surrogate bytes", "a.jsonl", "{\"a\":\"\xed\xa0\x80\"}", Options{}, []string{"a.jsonl:1:", "UTF-8"}},
		{"overlong", "a.jsonl", "{\"a\":\"\xc0\xaf\"}", Options{}, []string{"UTF-8"}},
		{"cut object", "a.jsonl", "{\"a\": \"b\"}\n{\"a\": \"b\"", Options{}, []string{"a.jsonl:2:", "ends too early"}},
		{"cut string", "a.jsonl", "{\"a\": \"b", Options{}, []string{"a.jsonl:1:"}},
		{"no object", "a.jsonl", "[1]", Options{}, []string{"a.jsonl:1:", "JSON object"}},
		{"bare number", "a.jsonl", "17", Options{}, []string{"JSON object"}},
		{"null", "a.jsonl", "null", Options{}, []string{"JSON object"}},
		{"two objects", "a.jsonl", "{}{}", Options{}, []string{"more text"}},
		{"trailing text", "a.jsonl", "{} x", Options{}, []string{"more text"}},
		{"same field twice", "a.jsonl", `{"a":1,"a":2}`, Options{}, []string{`"a" is there twice`}},
		{"escaped same field", "a.jsonl", `{"a":1,"\u0061":2}`, Options{}, []string{`"a" is there twice`}},
		{"key is no string", "a.jsonl", `{1:2}`, Options{}, []string{"not JSON"}},
		{"no value", "a.jsonl", `{"a":}`, Options{}, []string{"not JSON"}},
		{"bad escape", "a.jsonl", `{"a":"\q"}`, Options{}, []string{"not JSON"}},
		{"control byte", "a.jsonl", "{\"a\":\"\x01\"}", Options{}, []string{"not JSON"}},
		{"comma at the end", "a.jsonl", `{"a":1,}`, Options{}, []string{"not JSON"}},
		{"very deep", "a.jsonl", `{"a":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + "}", Options{}, []string{"not JSON"}},
		{"very many fields", "a.jsonl", "{" + manyFields(1025) + "}", Options{}, []string{"1024 fields"}},
		{"very long list", "a.jsonl", `{"a":[` + many(`"x"`, ",", 1025) + "]}", Options{}, []string{`field "a"`, "too many items"}},
		{"more rows than allowed", "a.jsonl", "{}\n{}\n{}\n", Options{Rows: 2}, []string{"a.jsonl:3:", "more rows"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := readAll(c.file, c.text, c.options)
			wantError(t, err, ErrRow, c.parts...)
		})
	}
}

func manyFields(n int) string {
	var out strings.Builder
	for i := range n {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(`"` + strings.Repeat("a", i+1) + `":0`)
	}
	return out.String()
}

func TestReaderFormats(t *testing.T) {
	for _, name := range []string{"a.xml", "a", "a.parquet", ""} {
		_, err := readAll(name, "x", Options{})
		wantError(t, err, ErrFormat)
	}
	_, err := readAll("a.txt", "x", Options{})
	wantError(t, err, ErrFormat, "no rows")
	_, err = readAll("a.jsonl", "{}", Options{Columns: []string{"a"}})
	wantError(t, err, ErrFormat, "column names")
	rows, err := readAll("anything", "a\n1\n", Options{Format: TSV})
	if err != nil || len(rows) != 1 {
		t.Errorf("a stated format: %d rows, error %v", len(rows), err)
	}
}

func TestReaderStaysFailed(t *testing.T) {
	reader, err := NewReader("a.jsonl", strings.NewReader("x\n{}\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, first := reader.Next()
	_, second := reader.Next()
	wantError(t, first, ErrRow)
	if first != second {
		t.Errorf("after %v came %v", first, second)
	}
}

type brokenSource struct{}

func (brokenSource) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestReaderPassesSourceErrorsOn(t *testing.T) {
	reader, err := NewReader("a.jsonl", brokenSource{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Next(); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error is %v", err)
	}
}

func TestRowAtTheLimitIsTaken(t *testing.T) {
	rows, err := readAll("a.tsv", "a\tb\r\n12\t4\r\n12\t4", Options{LineBytes: 4})
	if err != nil || len(rows) != 2 {
		t.Errorf("%d rows, error %v", len(rows), err)
	}
}
