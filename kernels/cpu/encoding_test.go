package cpu

import (
	"encoding/binary"
	"fmt"
	"go/constant"
	"go/token"
	"go/types"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"
)

// encoded is a macro of neon_arm64.h: the instruction of its comment, such as
// "fadd v(d).4s, v(n).4s, v(m).4s", its parameters and the word, an expression.
type encoded struct {
	name, instruction, word string
	parameters              []string
}

// encodedMacros reads neon_arm64.h. Every macro must have the form that is read.
func encodedMacros(t *testing.T) []encoded {
	t.Helper()
	header, err := os.ReadFile("neon_arm64.h")
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`(?m)^// (.*)\n#define (\w+)\((.*?)\) WORD \$(.*)$`)
	var list []encoded
	for _, m := range form.FindAllStringSubmatch(string(header), -1) {
		list = append(list, encoded{instruction: m[1], name: m[2], parameters: strings.Split(m[3], ", "), word: m[4]})
	}
	if n := strings.Count(string(header), "#define"); n == 0 || n != len(list) {
		t.Fatalf("%d of %d macros are a word with its instruction in the line above", len(list), n)
	}
	return list
}

// most is the largest argument that a parameter takes, which its place in the
// instruction tells: v(x) and s(x) are registers, [x] a lane, #(x) a shift.
func (e *encoded) most(t *testing.T, parameter string) int {
	t.Helper()
	for place, most := range map[string]int{"v(%s)": 31, "s(%s)": 31, "s[%s]": 3, "#(%s)": 31} {
		if strings.Contains(e.instruction, fmt.Sprintf(place, parameter)) {
			return most
		}
	}
	t.Fatalf("%s: parameter %s is not in %q", e.name, parameter, e.instruction)
	return 0
}

// check decodes the word for one choice of arguments. They are given as sums, as
// the kernels do, so that a parameter without parentheses is found out.
func (e *encoded) check(t *testing.T, arguments []int) {
	t.Helper()
	word, want := e.word, e.instruction
	for i, p := range e.parameters {
		sum := fmt.Sprintf("%d+%d", arguments[i]/2, arguments[i]-arguments[i]/2)
		word = regexp.MustCompile(`\b`+p+`\b`).ReplaceAllString(word, sum)
		number := strconv.Itoa(arguments[i])
		want = strings.NewReplacer("("+p+")", number, "["+p+"]", "["+number+"]").Replace(want)
	}
	// Go's assembler has the operators of the language, with its precedence.
	value, err := types.Eval(token.NewFileSet(), nil, token.NoPos, word)
	if err != nil {
		t.Fatalf("%s: %v", e.name, err)
	}
	bits, exact := constant.Uint64Val(value.Value)
	if !exact || bits>>32 != 0 {
		t.Fatalf("%s%v is no word: %s", e.name, arguments, value.Value)
	}
	instruction, err := arm64asm.Decode(binary.LittleEndian.AppendUint32(nil, uint32(bits)))
	if err != nil {
		t.Fatalf("%s%v = %#x: %v", e.name, arguments, bits, err)
	}
	if got := arm64asm.GNUSyntax(instruction); got != want {
		t.Fatalf("%s%v = %#x is %q, want %q", e.name, arguments, bits, got, want)
	}
}

// Each argument takes all its values, the others being drawn at random.
func TestEncodedWordsDecodeToTheirInstructions(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	for _, e := range encodedMacros(t) {
		most := make([]int, len(e.parameters))
		least := make([]int, len(e.parameters))
		for i, p := range e.parameters {
			most[i] = e.most(t, p)
			if strings.Contains(e.instruction, "#("+p+")") {
				least[i] = 1
			}
		}
		for i := range e.parameters {
			for value := least[i]; value <= most[i]; value++ {
				for range 8 {
					arguments := make([]int, len(e.parameters))
					for j := range arguments {
						arguments[j] = least[j] + rng.IntN(most[j]-least[j]+1)
					}
					arguments[i] = value
					e.check(t, arguments)
				}
			}
		}
	}
}

// A word that stands elsewhere would escape the test above.
func TestWordsAreMacrosOfTheHeader(t *testing.T) {
	files, err := filepath.Glob("*_arm64.s")
	if err != nil || len(files) == 0 {
		t.Fatalf("no assembly for arm64: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if regexp.MustCompile(`\b(WORD|LONG|BYTE)\b`).Match(text) {
			t.Errorf("%s has a bare word: name it in neon_arm64.h", file)
		}
	}
}
