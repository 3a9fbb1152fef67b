package plugin

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"zeroth/runtime/noise"
	"zeroth/runtime/op"
)

// cStruct is a struct of the header by its name in C.
type cStruct struct {
	name string
	of   any
}

var structs = []cStruct{
	{"zeroth_error", cError{}},
	{"zeroth_host", cHost{}},
	{"zeroth_tensor", cTensor{}},
	{"zeroth_attr", cAttr{}},
	{"zeroth_node", cNode{}},
	{"zeroth_call", cCall{}},
	{"zeroth_kernel_info", cKernelInfo{}},
	{"zeroth_value", cValue{}},
	{"zeroth_partition", cPartition{}},
	{"zeroth_session_info", cSessionInfo{}},
	{"zeroth_table", cTable{}},
}

// numbers are the constants of the header and what they are here.
func constants() map[string]int {
	n := map[string]int{
		"ZEROTH_ABI_VERSION": abiVersion, "ZEROTH_ALIGNMENT": 64, "ZEROTH_MAX_SCORE": maxScore,
		"ZEROTH_OK": statusOK, "ZEROTH_UNSUPPORTED": statusUnsupported, "ZEROTH_FAILED": statusFailed,
		"ZEROTH_NO_MEMORY": statusNoMemory, "ZEROTH_FATAL": statusFatal,
		"ZEROTH_TENSOR_WIDE": tensorWide, "ZEROTH_TENSOR_MUTABLE": tensorMutable, "ZEROTH_TENSOR_CONSTANT": tensorConstant,
		"ZEROTH_INT": attrInt, "ZEROTH_FLOAT": attrFloat, "ZEROTH_CONCURRENT": flagConcurrent,
		"ZEROTH_VALUE_INPUT": valueInput, "ZEROTH_VALUE_CONST": valueConst, "ZEROTH_VALUE_SLOT": valueSlot, "ZEROTH_VALUE_TEMP": valueTemp,
		"ZEROTH_ROWS": int(op.Rows), "ZEROTH_PANELS16": int(op.Panels16), "ZEROTH_I32": int(op.I32), "ZEROTH_U32": int(op.U32),
		"ZEROTH_LOG_INFO": 0, "ZEROTH_LOG_WARNING": 1, "ZEROTH_LOG_ERROR": 2,
		"ZEROTH_GAUSSIAN": int(noise.Gaussian), "ZEROTH_RADEMACHER": int(noise.Rademacher),
	}
	for _, d := range op.WeightTypes() {
		n["ZEROTH_"+strings.ToUpper(d.String())] = int(d)
	}
	for _, spec := range op.All() {
		name := strings.ToUpper(snake(strings.NewReplacer("LoRA", "Lora", "SwiGLU", "Swiglu", "RMS", "Rms").Replace(spec.Name)))
		n["ZEROTH_OP_"+name] = int(spec.ID)
	}
	return n
}

// snake is a name in C: optionKeys is option_keys.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// probe is a program that prints what the header says of all structs and numbers.
func probe() (source, want string) {
	var c, w strings.Builder
	c.WriteString("#include \"zeroth_backend.h\"\n#include <stdio.h>\nint main(void) {\n")
	for _, s := range structs {
		t := reflect.TypeOf(s.of)
		end := uintptr(0)
		for i := range t.NumField() {
			f := t.Field(i)
			if f.Offset != end {
				panic(fmt.Sprintf("%s.%s: padding before it", t, f.Name))
			}
			end = f.Offset + f.Type.Size()
			name := snake(f.Name)
			if name == "_" { // zero, and never looked at
				name = map[bool]string{true: "reserved", false: "reserved0"}[f.Type.Kind() == reflect.Array]
			}
			fmt.Fprintf(&c, "printf(\"%s.%s %%d %%d\\n\", (int)offsetof(%s, %s), (int)sizeof(((%s *)0)->%s));\n",
				s.name, name, s.name, name, s.name, name)
			fmt.Fprintf(&w, "%s.%s %d %d\n", s.name, name, f.Offset, f.Type.Size())
		}
		fmt.Fprintf(&c, "printf(\"%s %%d\\n\", (int)sizeof(%s));\n", s.name, s.name)
		fmt.Fprintf(&w, "%s %d\n", s.name, t.Size())
	}
	all := constants()
	for name, v := range all {
		fmt.Fprintf(&c, "printf(\"%s %%d\\n\", (int)%s);\n", name, name)
		fmt.Fprintf(&w, "%s %d\n", name, v)
	}
	c.WriteString("return 0;\n}\n")
	return c.String(), w.String()
}

// The header says in C and in C++ what abi.go says, field by field, and compiles
// there without a warning.
func TestHeader(t *testing.T) {
	source, want := probe()
	for _, language := range []struct {
		name, file string
		compilers  []string
		flags      []string
	}{
		{"C99", "probe.c", []string{"cc"}, []string{"-std=c99"}},
		{"C++", "probe.cc", []string{"c++", "g++"}, []string{"-std=c++11"}},
	} {
		t.Run(language.name, func(t *testing.T) {
			cc := compiler(t, language.compilers...)
			file := filepath.Join(t.TempDir(), language.file)
			if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
				t.Fatal(err)
			}
			out := filepath.Join(t.TempDir(), "probe")
			if err := compile(t, cc, out, append(language.flags, "-pedantic", "-Wall", "-Wextra", "-Werror", "-I.", file)...); err != nil {
				t.Fatal(err)
			}
			got, err := exec.Command(out).Output()
			if err != nil || string(got) != want {
				t.Errorf("%v: the header says\n%s\nabi.go says\n%s", err, got, want)
			}
		})
	}
}

// Every number and struct of the header is compared.
func TestHeaderIsCompared(t *testing.T) {
	header, err := os.ReadFile("zeroth_backend.h")
	if err != nil {
		t.Fatal(err)
	}
	known := constants()
	for _, match := range regexp.MustCompile(`(?m)\b(ZEROTH_[A-Z0-9_]+) = \d`).FindAllStringSubmatch(string(header), -1) {
		if _, ok := known[match[1]]; !ok {
			t.Errorf("%s is not compared", match[1])
		}
	}
	for _, match := range regexp.MustCompile(`typedef struct (\w+)`).FindAllStringSubmatch(string(header), -1) {
		if !slices.ContainsFunc(structs, func(s cStruct) bool { return s.name == match[1] }) {
			t.Errorf("%s is not compared", match[1])
		}
	}
}
