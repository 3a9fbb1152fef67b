package testdata

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// CompareWithC compiles and runs a C program that prints "name number" lines, and
// holds all of them against want. It skips where there is no C compiler, or not
// the header that the program includes.
func CompareWithC(t testing.TB, header, source string, want map[string]int64) {
	t.Helper()
	compiler, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("skipped: no C compiler")
	}
	if _, err := os.Stat(header); err != nil {
		t.Skipf("skipped: no %s", header)
	}
	file, program := filepath.Join(t.TempDir(), "probe.c"), filepath.Join(t.TempDir(), "probe")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(compiler, "-O0", "-o", program, file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := exec.Command(program).Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for lines := bufio.NewScanner(strings.NewReader(string(out))); lines.Scan(); seen++ {
		name, text, _ := strings.Cut(lines.Text(), " ")
		if got, err := strconv.ParseInt(text, 10, 64); err != nil || got != want[name] {
			t.Errorf("%s is %s in C, %d here", name, text, want[name])
		}
	}
	if seen != len(want) {
		t.Errorf("C printed %d values of %d", seen, len(want))
	}
}
