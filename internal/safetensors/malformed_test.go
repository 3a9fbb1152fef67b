package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"

	"zeroth/internal/testdata"
)

// build makes a file of a header and data, right or wrong.
func build(header string, data []byte) []byte {
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(file, header...), data...)
}

func parse(file []byte) (*File, error) {
	return New(bytes.NewReader(file), int64(len(file)))
}

func mustParse(t *testing.T, file []byte) *File {
	t.Helper()
	parsed, err := parse(file)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// one is a header of a single tensor "a" with the given fields.
func one(fields string) string { return `{"a":{` + fields + `}}` }

// claimed is an empty file whose header claims to be length bytes long.
func claimed(length uint64) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, length), "{}"...)
}

const good = `"dtype":"F32","shape":[2],"data_offsets":[0,8]`

func TestMalformed(t *testing.T) {
	eight, sixteen := make([]byte, 8), make([]byte, 16)
	for _, test := range []struct {
		name string
		file []byte
		want string // part of the error
	}{
		{"empty file", nil, "too short"},
		{"seven bytes", make([]byte, 7), "too short"},
		{"header length zero", make([]byte, 8), "want '{'"},
		{"header length past the end", claimed(3), "only 10 bytes"},
		{"header length over 100 MB", claimed(100_000_001), "at most"},
		{"header length 2^63", claimed(1 << 63), "at most"},
		{"header length wraps", claimed(1<<64 - 4), "at most"},
		{"space before the header", build(` {}`, nil), "want '{'"},
		{"header is a list", build(`[]`, nil), "want '{'"},
		{"header without an end", build(`{`, nil), "want '\"'"},
		{"text after the header", build(`{}{}`, nil), "more text"},
		{"NUL padding", build("{}\x00\x00", nil), "more text"},
		{"not UTF-8", build("{\"a\xff\":1}", nil), "UTF-8"},
		{"trailing comma", build(`{`+`"a":{`+good+`},}`, eight), "want '\"'"},
		{"key is a number", build(`{1:{}}`, nil), "want '\"'"},
		{"no colon", build(`{"a"{}}`, nil), "want ':'"},
		{"tensor is a string", build(`{"a":"b"}`, nil), "want '{'"},
		{"tensor is null", build(`{"a":null}`, nil), "want '{'"},
		{"string without an end", build(`{"a`, nil), "without an end"},
		{"escape without an end", build(`{"a\`, nil), "without an end"},
		{"unicode escape cut short", build(`{"a\u00`, nil), "without an end"},
		{"unicode escape of letters", build(`{"a\u00zz":1}`, nil), "hex digits"},
		{"signed unicode escape", build(`{"a\u+123":1}`, nil), "hex digits"},
		{"unknown escape", build(`{"a\x41":1}`, nil), "unknown escape"},
		{"high surrogate alone", build(`{"\ud800a":1}`, nil), "surrogate"},
		{"low surrogate first", build(`{"\udc00\ud800":1}`, nil), "surrogate"},
		{"raw line break in a name", build("{\"a\nb\":{"+good+"}}", eight), "control character"},
		{"escaped NUL in a name", build(`{"a\u0000":{`+good+`}}`, eight), "control character"},
		{"name with a terminal escape", build(`{"a\u001b[2J":{`+good+`}}`, eight), "control character"},
		{"name without letters", build(`{"":{`+good+`}}`, eight), "without a name"},
		{"name too long", build(`{"`+strings.Repeat("n", 1025)+`":{`+good+`}}`, eight), "longer than 1024"},
		{"escaped name too long", build(`{"\n`+strings.Repeat("n", 1025)+`":{`+good+`}}`, eight), "longer than 1024"},
		{"two tensors of a name", build(`{"a":{`+good+`},"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}`, sixteen), "named twice"},
		{"two of a name, one escaped", build(`{"a":{`+good+`},"\u0061":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}`, sixteen), "named twice"},
		{"second metadata", build(`{"__metadata__":{},"__metadata__":{}}`, nil), "second"},
		{"second metadata key", build(`{"__metadata__":{"a":"b","a":"c"}}`, nil), "second metadata key"},
		{"metadata number", build(`{"__metadata__":{"a":1}}`, nil), "want '\"'"},
		{"metadata nested", build(`{"__metadata__":{"a":{}}}`, nil), "want '\"'"},
		{"metadata null", build(`{"__metadata__":null}`, nil), "want '{'"},
		{"second dtype", build(one(`"dtype":"F32",`+good), eight), "second \"dtype\""},
		{"second shape", build(one(`"shape":[2],`+good), eight), "second \"shape\""},
		{"second offsets", build(one(`"data_offsets":[0,8],`+good), eight), "second \"data_offsets\""},
		{"unknown key", build(one(`"stride":[1],`+good), eight), "unknown key"},
		{"no dtype", build(one(`"shape":[2],"data_offsets":[0,8]`), eight), "must all be given"},
		{"no shape", build(one(`"dtype":"F32","data_offsets":[0,8]`), eight), "must all be given"},
		{"no offsets", build(one(`"dtype":"F32","shape":[2]`), eight), "must all be given"},
		{"unknown dtype", build(one(`"dtype":"F31","shape":[2],"data_offsets":[0,8]`), eight), "unknown dtype"},
		{"dtype in small letters", build(one(`"dtype":"f32","shape":[2],"data_offsets":[0,8]`), eight), "unknown dtype"},
		{"dtype of another size", build(one(`"dtype":"F16","shape":[2],"data_offsets":[0,8]`), eight), "takes 4 bytes"},
		{"half a byte", build(one(`"dtype":"F4","shape":[1],"data_offsets":[0,1]`), make([]byte, 1)), "whole number of bytes"},
		{"negative dimension", build(one(`"dtype":"F32","shape":[-2],"data_offsets":[0,8]`), eight), "want a whole number"},
		{"dimension with a fraction", build(one(`"dtype":"F32","shape":[2.0],"data_offsets":[0,8]`), eight), "want ','"},
		{"dimension with an exponent", build(one(`"dtype":"F32","shape":[2e0],"data_offsets":[0,8]`), eight), "want ','"},
		{"dimension with a leading zero", build(one(`"dtype":"F32","shape":[02],"data_offsets":[0,8]`), eight), "leading zeros"},
		{"dimension 2^63", build(one(`"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]`), eight), "too large"},
		{"dimension of 20 digits", build(one(`"dtype":"F32","shape":[18446744073709551618],"data_offsets":[0,8]`), eight), "too large"},
		{"elements wrap to 2", build(one(`"dtype":"F32","shape":[2147483648,8589934592,2],"data_offsets":[0,8]`), eight), "too many elements"},
		{"elements wrap beside a zero", build(one(`"dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]`), nil), "too many elements"},
		{"bytes wrap to 8", build(one(`"dtype":"F32","shape":[4611686018427387906],"data_offsets":[0,8]`), eight), "whole number of bytes"},
		{"17 dimensions", build(one(`"dtype":"U8","shape":[`+strings.Repeat("1,", 16)+`1],"data_offsets":[0,1]`), make([]byte, 1)), "more than 16"},
		{"shape nested", build(one(`"dtype":"F32","shape":[[2]],"data_offsets":[0,8]`), eight), "want a whole number"},
		{"shape cut short", build(one(`"dtype":"F32","shape":[2`), eight), "want ','"},
		{"offsets end before they begin", build(one(`"dtype":"F32","shape":[2],"data_offsets":[8,0]`), eight), "begin ≤ end"},
		{"one offset", build(one(`"dtype":"F32","shape":[2],"data_offsets":[8]`), eight), "begin ≤ end"},
		{"three offsets", build(one(`"dtype":"F32","shape":[2],"data_offsets":[0,8,8]`), eight), "more than 2"},
		{"tensor past the end", build(one(`"dtype":"F32","shape":[3],"data_offsets":[0,12]`), eight), "only 8 bytes of data"},
		{"tensor far past the end", build(one(`"dtype":"U8","shape":[1152921504606846975],"data_offsets":[0,1152921504606846975]`), eight), "only 8 bytes of data"},
		{"hole at the start", build(one(`"dtype":"F32","shape":[2],"data_offsets":[8,16]`), sixteen), "the tensor before ends at 0"},
		{"hole at the end", build(one(good), sixteen), "cover 8 of 16"},
		{"data without tensors", build(`{}`, eight), "cover 0 of 8"},
		{"hole between", build(`{"a":{`+good+`},"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}`, sixteen), "the tensor before ends at 8"},
		{"overlap", build(`{"a":{`+good+`},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, make([]byte, 12)), "the tensor before ends at 8"},
		{"two tensors in one place", build(`{"a":{`+good+`},"b":{`+good+`}}`, eight), "the tensor before ends at 8"},
		{"tensor without bytes past the end", build(`{"a":{`+good+`},"b":{"dtype":"F32","shape":[0],"data_offsets":[64,64]}}`, eight), "the tensor before ends at 8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := parse(test.file)
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

func TestTooMany(t *testing.T) {
	var tensors, metadata strings.Builder
	for i := range maxTensors + 1 {
		fmt.Fprintf(&tensors, `,"%d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`, i)
	}
	for i := range maxMetadata + 1 {
		fmt.Fprintf(&metadata, `,"%d":""`, i)
	}
	for _, header := range []string{
		"{" + tensors.String()[1:] + "}",
		`{"__metadata__":{` + metadata.String()[1:] + "}}",
	} {
		if _, err := parse(build(header, nil)); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "more than") {
			t.Error(err)
		}
	}
}

// TestOdd holds what looks wrong and is right.
func TestOdd(t *testing.T) {
	for name, file := range map[string][]byte{
		"no tensors":         build(`{}`, nil),
		"padding":            build("{}   \n", nil),
		"white space within": build("{\n\t\"a\" : {\"dtype\" : \"F32\" , \"shape\":[ 2 ] ,\r\"data_offsets\":[ 0, 8 ]} }", make([]byte, 8)),
		"scalar":             build(one(`"dtype":"F32","shape":[],"data_offsets":[0,4]`), make([]byte, 4)),
		"escaped name":       build(`{"\u00e9\ud83d\ude00\/\"":{`+good+`}}`, make([]byte, 8)),
		"name with slashes":  build(`{"bert/layer_0/kernel":{`+good+`}}`, make([]byte, 8)),
		"two nibbles":        build(one(`"dtype":"F4","shape":[2],"data_offsets":[0,1]`), make([]byte, 1)),
		"empty between":      build(`{"z":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[0,7],"data_offsets":[4,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, make([]byte, 8)),
	} {
		t.Run(name, func(t *testing.T) {
			checkInvariants(t, mustParse(t, file), int64(len(file)))
		})
	}
	if _, found := mustParse(t, build(`{"\u00e9\ud83d\ude00\/\"":{`+good+`}}`, make([]byte, 8))).Lookup("é😀/\""); !found {
		t.Error("escapes are not resolved")
	}
}

// headOf returns the start of a real file, header and all, and its size.
func headOf(t *testing.T, name string) ([]byte, int64) {
	whole, err := os.ReadFile(testdata.Shared(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return whole[:8+binary.LittleEndian.Uint64(whole)], int64(len(whole))
}

func TestTruncated(t *testing.T) {
	head, size := headOf(t, "models/stories260K/reference/lora_probe.safetensors")
	whole := append(head, make([]byte, size-int64(len(head)))...)
	mustParse(t, whole)
	for length := range whole {
		if _, err := parse(whole[:length]); !errors.Is(err, ErrInvalid) {
			t.Fatalf("first %d bytes: %v", length, err)
		}
	}
}

// TestFlipped changes random header bytes of a real file. Most changes break
// it; what still parses must keep every promise. Nothing may take more memory
// than about twice the file.
func TestFlipped(t *testing.T) {
	head, size := headOf(t, "models/stories260K/reference/lora_probe.safetensors")
	whole := append(head, make([]byte, size-int64(len(head)))...)
	random := rand.New(rand.NewPCG(1, 2))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const rounds = 20_000
	for range rounds {
		changed := bytes.Clone(head)
		for range 1 + random.IntN(3) {
			changed[random.IntN(len(changed))] ^= byte(1 + random.IntN(255))
		}
		file, err := New(&overlay{head: changed, whole: whole}, size)
		if err == nil {
			checkInvariants(t, file, size)
		} else if !errors.Is(err, ErrInvalid) {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / rounds; each > 2*uint64(size) {
		t.Errorf("%d bytes allocated per file of %d", each, size)
	}
}

// overlay reads whole with other bytes at its head.
type overlay struct{ head, whole []byte }

func (o *overlay) ReadAt(buffer []byte, offset int64) (int, error) {
	count := copy(buffer, o.whole[offset:])
	if offset < int64(len(o.head)) {
		copy(buffer, o.head[offset:])
	}
	return count, nil
}

// TestHeaderMemory hands over headers made to cost as much as they can.
func TestHeaderMemory(t *testing.T) {
	var tensors, metadata strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&tensors, `,"%d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`, i)
	}
	for i := range maxMetadata {
		fmt.Fprintf(&metadata, `,"%d":""`, i)
	}
	for name, header := range map[string]string{
		"tensors":  "{" + tensors.String()[1:] + "}",
		"dtypes":   `{"__metadata__":{` + strings.Repeat(`"dtype"`, 100_000),
		"string":   `{"__metadata__":{"a":"\n` + strings.Repeat("a", 1_000_000) + `"}}`,
		"metadata": `{"__metadata__":{` + metadata.String()[1:] + `}}`,
	} {
		file := build(header, nil)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = parse(file)
		runtime.ReadMemStats(&after)
		// TotalAlloc counts what was freed too, such as slices outgrown.
		if used, most := after.TotalAlloc-before.TotalAlloc, uint64(4*len(file)+2<<20); used > most {
			t.Errorf("%s: %d bytes allocated for a file of %d", name, used, len(file))
		}
	}
}
