package cpu

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"
)

// encoded is an instruction that is written as its word.
type encoded struct {
	file        string
	word        uint32
	instruction string // the comment beside it, in GNU syntax
}

// wordForm is the one form that a word takes.
var wordForm = regexp.MustCompile(`(?m)^\tWORD \$(0x[0-9a-f]{8}) // (.*)$`)

// encodedWords reads the words of the generated assembly. There must be no
// others: nothing would hold them to what they are meant to be.
func encodedWords(t *testing.T) []encoded {
	t.Helper()
	files, err := filepath.Glob("*_arm64.s")
	if err != nil || len(files) == 0 {
		t.Fatalf("no assembly for arm64: %v", err)
	}
	var list []encoded
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		words := wordForm.FindAllSubmatch(text, -1)
		code := regexp.MustCompile(`(?m)//.*$`).ReplaceAll(text, nil)
		if n := len(regexp.MustCompile(`\b(WORD|LONG|BYTE)\b`).FindAll(code, -1)); n != len(words) || n > 0 && !strings.HasPrefix(file, "z") {
			t.Errorf("%s: %d of %d words are of tools/asmgen's form: write GNU syntax in arm64src", file, len(words), n)
		}
		for _, m := range words {
			word, err := strconv.ParseUint(string(m[1]), 0, 32)
			if err != nil {
				t.Fatal(err)
			}
			instruction, _, _ := strings.Cut(string(m[2]), " //")
			list = append(list, encoded{file, uint32(word), instruction})
		}
	}
	return list
}

// comparable brings the spellings of one instruction together: numbers in
// decimal, lists of registers spelled out, no spaces.
func comparable(instruction string) string {
	s := strings.ToLower(strings.ReplaceAll(instruction, "\t", " "))
	s = regexp.MustCompile(`v(\d+)(\.\w+) ?- ?v(\d+)\.\w+`).ReplaceAllStringFunc(s, func(list string) string {
		m := regexp.MustCompile(`v(\d+)(\.\w+) ?- ?v(\d+)`).FindStringSubmatch(list)
		first, _ := strconv.Atoi(m[1])
		last, _ := strconv.Atoi(m[3])
		var names []string
		for r := first; r <= last; r++ {
			names = append(names, "v"+strconv.Itoa(r)+m[2])
		}
		return strings.Join(names, ",")
	})
	s = regexp.MustCompile(`#0x[0-9a-f]+`).ReplaceAllStringFunc(s, func(number string) string {
		n, err := strconv.ParseUint(number[3:], 16, 64)
		if err != nil {
			return number
		}
		return "#" + strconv.FormatUint(n, 10)
	})
	s = strings.ReplaceAll(s, ", lsl #0", "")
	return strings.ReplaceAll(s, " ", "")
}

// The words decode to the instructions beside them, as far as golang.org/x/arch
// knows them.
func TestWordsDecodeToTheirInstructions(t *testing.T) {
	unknown := make(map[string]bool)
	known := 0
	for _, e := range encodedWords(t) {
		mnemonic, _, _ := strings.Cut(e.instruction, " ")
		instruction, err := arm64asm.Decode(binary.LittleEndian.AppendUint32(nil, e.word))
		if err != nil {
			unknown[mnemonic] = true
			continue
		}
		known++
		if got := arm64asm.GNUSyntax(instruction); comparable(got) != comparable(e.instruction) {
			t.Errorf("%s: %#08x is %q, not %q", e.file, e.word, got, e.instruction)
		}
	}
	if known == 0 {
		t.Error("no word was decoded")
	}
	t.Logf("%d words decoded; not known to the decoder: %v", known, unknown)
}

// So they do according to GNU objdump, which knows them all.
func TestWordsAgreeWithObjdump(t *testing.T) {
	const objdump = "aarch64-linux-gnu-objdump"
	if _, err := exec.LookPath(objdump); err != nil {
		t.Skipf("no %s: apt-get install binutils-aarch64-linux-gnu", objdump)
	}
	words := encodedWords(t)
	var code []byte
	for _, e := range words {
		code = binary.LittleEndian.AppendUint32(code, e.word)
	}
	path := filepath.Join(t.TempDir(), "code")
	if err := os.WriteFile(path, code, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(objdump, "-D", "-b", "binary", "-m", "aarch64", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?m)^ *[0-9a-f]+:\t[0-9a-f]{8} \t(.*)$`).FindAllSubmatch(out, -1)
	if len(lines) != len(words) {
		t.Fatalf("%d words, %d lines of %s", len(words), len(lines), objdump)
	}
	for i, e := range words {
		got, _, _ := strings.Cut(string(lines[i][1]), "//")
		if comparable(got) != comparable(e.instruction) {
			t.Errorf("%s: %#08x is %q, not %q", e.file, e.word, got, e.instruction)
		}
	}
}
