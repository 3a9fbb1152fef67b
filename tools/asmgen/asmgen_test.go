package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// needAssembler skips where GNU as for arm64 is not installed.
func needAssembler(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath(assembler); err != nil {
		t.Skipf("no %s: apt-get install binutils-aarch64-linux-gnu", assembler)
	}
}

func TestTranslate(t *testing.T) {
	needAssembler(t)
	got, err := translate("testdata/loops.S")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/zloops.golden")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestRefusals(t *testing.T) {
	needAssembler(t)
	declared := "//go: func f(n int)\n"
	for name, c := range map[string]struct {
		source string
		want   error
		says   string
	}{
		"empty":                {"\n", errDirective, ""},
		"undeclared":           {"f: ret\n", errDirective, "f"},
		"without its label":    {declared, errDirective, ""},
		"two declared":         {declared + declared, errDirective, "f"},
		"registers of nothing": {"//go: n=x0\n", errDirective, ""},
		"no such argument":     {declared + "//go: m=x0\nf: ret\n", errDirective, `"m"`},
		"argument twice":       {declared + "//go: n=x0 n=x1\nf: ret\n", errDirective, "twice"},
		"kind of register":     {declared + "//go: n=s0\nf: ret\n", errDirective, "register x"},
		"no such register":     {declared + "//go: n=x99\nf: ret\n", errDirective, "register x"},
		"reserved argument":    {declared + "//go: n=x28\nf: ret\n", errDirective, "reserved"},
		"no prototype":         {"//go: func f(\nf: ret\n", errDirective, ""},
		"type":                 {"//go: func f(s []int)\nf: ret\n", errDirective, "[]int"},
		"type unknown":         {"//go: func f(s T)\nf: ret\n", errDirective, "T"},
		"method":               {"//go: func (t T) f()\nf: ret\n", errDirective, "function"},
		"operand g":            {"//go: func f(g int)\nf: ret\n", errDirective, "register"},
		"stack":                {declared + "f: str x0, [sp, #-16]!\n ret\n", errSource, "sp"},
		"Go's register":        {declared + "f: mov x28, #0\n ret\n", errSource, "x28"},
		"call":                 {declared + "f: bl f\n ret\n", errSource, "leaves"},
		"code outside":         {" nop\n" + declared + "f: ret\n", errSource, "outside"},
		"literal number":       {declared + "f: ldr x0, =0x123456789a\n ret\n", errSource, "table"},
		"gap in a table":       {" .section .rodata\na: .word 1\n .balign 16\nb: .word 2\n .text\n" + declared + "f: ret\n", errSource, "gaps"},
		"bytes in a table":     {" .section .rodata\na: .byte 1\n .text\n" + declared + "f: ret\n", errSource, "tables"},
		"data":                 {" .data\n .word 1\n .text\n" + declared + "f: ret\n", errListing, ".data"},
		"data in the code":     {declared + "f: ret\n .word 1\n", errListing, ""},
		"no instruction":       {declared + "f: fuse x0\n ret\n", errAssembler, "fuse"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s.S")
			if err := os.WriteFile(path, []byte(c.source), 0o644); err != nil {
				t.Fatal(err)
			}
			text, err := translate(path)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %v that says %q\n%s", err, c.want, c.says, text)
			}
		})
	}
}

// Files are written, found up to date, found stale when touched, and removed
// with their source.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	files := map[string][]byte{"za_arm64.s": []byte("a\n"), "zb_arm64.s": []byte("b\n")}
	stale := func(want string) {
		t.Helper()
		var names strings.Builder
		err := compareFiles(&names, dir, files)
		if got := strings.ReplaceAll(names.String(), dir+string(filepath.Separator), ""); got != want || (want == "") != (err == nil) || err != nil && !errors.Is(err, errStale) {
			t.Errorf("stale: %q, %v, want %q", got, err, want)
		}
	}
	stale("za_arm64.s\nzb_arm64.s\n")
	if err := writeFiles(dir, files); err != nil {
		t.Fatal(err)
	}
	stale("")
	if err := os.WriteFile(filepath.Join(dir, "zb_arm64.s"), []byte("c\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	stale("zb_arm64.s\n")
	delete(files, "zb_arm64.s")
	stale("zb_arm64.s\n")
	if err := writeFiles(dir, files); err != nil {
		t.Fatal(err)
	}
	stale("")
	if left, _ := generated(dir); len(left) != 1 {
		t.Errorf("left: %q", left)
	}
}
