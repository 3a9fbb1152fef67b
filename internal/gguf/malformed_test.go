package gguf

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// malformed lists files that break the format, and part of what is said.
var malformed = []struct {
	name string
	file []byte
	want string
}{
	{"empty file", nil, "too short"},
	{"magic alone", []byte("GGUF"), "too short"},
	{"one byte short of a header", start(3, 0, 0)[:23], "too short"},
	{"other magic", join([]byte("GGML"), start(3, 0, 0)[4:]), "begins with"},
	{"version 0", start(0, 0, 0), "version"},
	{"version 1", start(1, 0, 0), "version"},
	{"version 4", start(4, 0, 0), "version"},
	{"version 2^16+3", start(1<<16+3, 0, 0), "version"},
	{"big-endian version 3", start(3<<24, 0, 0), "big-endian"},
	{"2^64-1 tensors", start(3, 1<<64-1, 0), "at most"},
	{"2^63 metadata entries", start(3, 0, 1<<63), "at most"},
	{"65537 tensors", start(3, 65537, 0), "at most"},
	{"4097 metadata entries", start(3, 0, 4097), "at most"},
	{"tensors that cannot fit", start(3, 60000, 0), "need at least"},
	{"tensors whose data cannot fit", join(start(3, 2, 0), make([]byte, 57)), "need at least"},
	{"metadata that cannot fit", start(3, 0, 1), "need at least"},
	{"counts that fit only apart", join(start(3, 1, 1), make([]byte, 30)), "need at least"},
	{"fewer entries than counted", join(start(3, 0, 2), scalarEntry("some.longer.key", Uint32, u32(1))), "entry 1: key"},

	{"empty key", withMetadata(scalarEntry("", Uint32, u32(1))), "empty name"},
	{"key length 2^64-1", withMetadata(join(u64(1<<64-1), make([]byte, 16))), "left"},
	{"key length past the end", withMetadata(join(u64(17), make([]byte, 16))), "left"},
	{"key of 65536 bytes", withMetadata(scalarEntry(strings.Repeat("k", 65536), Uint32, u32(1))), "at most 65535"},
	{"key that is not UTF-8", withMetadata(scalarEntry("k\xff", Uint32, u32(1))), "UTF-8"},
	{"key with NUL", withMetadata(scalarEntry("k\x00", Uint32, u32(1))), "control character"},
	{"key twice", withMetadata(scalarEntry("k", Uint32, u32(1)), scalarEntry("j", Uint8, []byte{1}), scalarEntry("k", Uint32, u32(1))), `"k": given twice`},
	{"value type 13", withMetadata(scalarEntry("k", 13, u64(1))), "value type 13"},
	{"value type 2^32-1", withMetadata(scalarEntry("k", 1<<32-1, u64(1))), "value type 4294967295"},
	{"scalar cut short", withMetadata(scalarEntry("key", Uint64, u32(1))), "left"},
	{"bool 2", withMetadata(scalarEntry("k", Bool, []byte{2})), "bool is 2"},
	{"text length past the end", withMetadata(scalarEntry("k", String, u64(1))), "text of 1 bytes"},
	{"text length 2^64-8", withMetadata(scalarEntry("k", String, u64(1<<64-8))), "text of"},

	{"array without a type", withMetadata(scalarEntry("key", Array, nil)), "wanted"},
	{"array without a count", withMetadata(scalarEntry("k", Array, u32(uint32(Int8)))), "wanted"},
	{"array of arrays", withMetadata(arrayEntry("k", Array, 1, arrayEntry("", Int8, 0, nil)[8:])), "array of arrays"},
	{"array of type 13", withMetadata(arrayEntry("k", 13, 1, u64(0))), "value type 13"},
	{"empty array of type 99", withMetadata(arrayEntry("k", 99, 0, nil)), "value type 99"},
	{"array of 2^64-1 bytes", withMetadata(arrayEntry("k", Uint8, 1<<64-1, u64(0))), "array of"},
	{"array of 2^61 words", withMetadata(arrayEntry("k", Uint64, 1<<61, u64(0))), "array of"},
	{"array count that wraps by its width", withMetadata(arrayEntry("k", Uint32, 1<<62+1, u64(0))), "array of"},
	{"array one element short", withMetadata(arrayEntry("k", Int16, 3, make([]byte, 5))), "of 3 elements"},
	{"array of texts that cannot fit", withMetadata(arrayEntry("k", String, 3, make([]byte, 23))), "of 3 elements"},
	{"array of texts, the second too long", withMetadata(arrayEntry("k", String, 2, join(text("a"), u64(9), make([]byte, 8)))), "element 1"},
	{"array of texts, one length 2^63", withMetadata(arrayEntry("k", String, 1, u64(1<<63))), "element 0"},
	{"array of bools, one of them 255", withMetadata(arrayEntry("k", Bool, 3, []byte{0, 1, 255})), "element 2"},

	{"alignment 0", withMetadata(scalarEntry(alignmentKey, Uint32, u32(0))), "power of two"},
	{"alignment 4", withMetadata(scalarEntry(alignmentKey, Uint32, u32(4))), "power of two"},
	{"alignment 48", withMetadata(scalarEntry(alignmentKey, Uint32, u32(48))), "power of two"},
	{"alignment 2^31", withMetadata(scalarEntry(alignmentKey, Uint32, u32(1<<31))), "power of two"},
	{"alignment of UINT64", withMetadata(scalarEntry(alignmentKey, Uint64, u64(32))), "wanted UINT32, found UINT64"},
	{"alignment of a list", withMetadata(arrayEntry(alignmentKey, Uint32, 1, u32(32))), "found ARRAY of UINT32"},

	{"empty tensor name", withTensors(4, row("", F32, 0, 1)), "empty name"},
	{"tensor name of 65 bytes", withTensors(4, row(strings.Repeat("n", 65), F32, 0, 1)), "at most 64"},
	{"tensor name length 2^62", withTensors(64, join(u64(1<<62), make([]byte, 32))), "text of"},
	{"tensor name that is not UTF-8", withTensors(4, row("\xc3", F32, 0, 1)), "UTF-8"},
	{"tensor name with a line break", withTensors(4, row("a\nb", F32, 0, 1)), "control character"},
	{"tensor twice", withTensors(64, row("a", F32, 0, 1), row("a", F32, 32, 1)), `"a": given twice`},
	{"five dimensions", withTensors(4, row("a", F32, 0, 1, 1, 1, 1, 1)), "5 dimensions"},
	{"2^32-1 dimensions", withTensors(64, join(text("a"), u32(1<<32-1), make([]byte, 64))), "4294967295 dimensions"},
	{"dimension 0", withTensors(4, row("a", F32, 0, 4, 0)), "dimension 1 is 0"},
	{"dimension 2^63", withTensors(4, row("a", F32, 0, 1<<63)), "dimension 0 is"},
	{"elements that wrap to 0", withTensors(4, row("a", F32, 0, 1<<32, 1<<32)), "too many elements"},
	{"elements that wrap to 1", withTensors(4, row("a", F32, 0, 3, 0x5555555555555555, 1, 3)), "too many elements"},
	{"bytes that wrap to 0", withTensors(4, row("a", F32, 0, 1<<62)), "too many bytes"},
	{"bytes of blocks that wrap", withTensors(4, row("a", Q8_0, 0, 1<<63-32)), "too many bytes"},
	{"type 4, long removed", withTensors(64, row("a", 4, 0, 32)), "type 4"},
	{"type 31, removed", withTensors(64, row("a", 31, 0, 32)), "type 31"},
	{"type 43, of the future", withTensors(64, row("a", 43, 0, 32)), "type 43"},
	{"type 2^32-1", withTensors(64, row("a", 1<<32-1, 0, 32)), "type 4294967295"},
	{"row of half a block", withTensors(64, row("a", Q4_0, 0, 16, 2)), "whole blocks of 32"},
	{"row of half a superblock", withTensors(256, row("a", Q4_K, 0, 128, 2)), "whole blocks of 256"},
	{"scalar of a block type", withTensors(64, row("a", Q8_0, 0)), "whole blocks"},
	{"block rows of a type only measured", withTensors(64, row("a", 20, 0, 33)), "IQ4_NL"},
	{"offset that is not aligned", withTensors(64, row("a", F32, 8, 1)), "no multiple of 32"},
	{"offset past the end", withTensors(64, row("a", F32, 96, 1)), "the data have 64"},
	{"offset at the end", withTensors(64, row("a", F32, 64, 1)), "the data have 64"},
	{"offset 2^63", withTensors(64, row("a", F32, 1<<63, 1)), "outside"},
	{"offset plus bytes that wrap", withTensors(64, row("a", F32, 1<<63-32, 16)), "the data have 64"},
	{"one byte of data missing", withTensors(63, row("a", F32, 0, 16)), "the data have 63"},
	{"no data", join(start(3, 1, 0), row("a", F32, 0, 1)), "data would begin"},
	{"same bytes twice", withTensors(64, row("a", F32, 0, 8), row("b", F16, 0, 4)), "overlaps"},
	{"overlap by a byte", withTensors(64, row("a", 24, 0, 33), row("b", 24, 32, 32)), "overlaps"},
	{"overlap by a block", withTensors(160, row("b", F32, 32, 8), row("a", F32, 0, 9)), `"a" overlaps tensor "b"`},
	{"table cut short", join(start(3, 2, 0), row("a", F32, 0, 1), make([]byte, 26)), "tensor 1: name"},
}

func TestMalformed(t *testing.T) {
	if len(malformed) < 40 {
		t.Errorf("only %d classes", len(malformed))
	}
	for _, test := range malformed {
		t.Run(test.name, func(t *testing.T) {
			file, err := parse(test.file)
			if file != nil || err == nil || !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrUnsupported) {
				t.Fatalf("error %v", err)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %q does not tell %q", err, test.want)
			}
		})
	}
	if _, err := New(bytes.NewReader(nil), -1); !errors.Is(err, ErrInvalid) {
		t.Errorf("size −1: %v", err)
	}
}

func TestSoundVariants(t *testing.T) {
	version2 := small()
	version2[4] = 2
	for name, whole := range map[string][]byte{
		"small":              small(),
		"version 2":          version2,
		"nothing at all":     start(3, 0, 0),
		"bytes after all":    append(small(), 1, 2, 3),
		"gap":                withTensors(128, row("a", F32, 96, 8), row("b", F32, 0, 8)),
		"data to the byte":   withTensors(5, row("a", 24, 0, 5)),
		"key of 65535 bytes": withMetadata(scalarEntry(strings.Repeat("k", 65535), Uint32, u32(1))),
		"name of 64 bytes":   withTensors(4, row(strings.Repeat("n", 64), F32, 0, 1)),
		"empty array":        withMetadata(arrayEntry("k", String, 0, nil)),
		"type unread":        withTensors(18, row("a", 20, 0, 32)),
	} {
		file, err := parse(whole)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		checkInvariants(t, file, int64(len(whole)))
	}
}

func TestTruncatedAnywhere(t *testing.T) {
	whole := small()
	for length := range whole {
		if _, err := parse(whole[:length]); !errors.Is(err, ErrInvalid) {
			t.Errorf("%d of %d bytes: %v", length, len(whole), err)
		}
	}
}

func TestFlippedBytes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	whole := small()
	sound := 0
	for range 20_000 {
		flipped := slices.Clone(whole)
		for range 1 + random.IntN(3) {
			flipped[random.IntN(len(flipped))] ^= byte(1 + random.IntN(255))
		}
		file, err := parse(flipped)
		if err != nil {
			if !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrUnsupported) {
				t.Fatal(err)
			}
			continue
		}
		sound++
		checkInvariants(t, file, int64(len(flipped)))
		readAll(t, file)
	}
	if sound == 0 || sound == 20_000 {
		t.Errorf("%d of 20000 are sound", sound)
	}
}

// TestAllocationFollowsTheFile declares as much as a file of a megabyte can,
// and more: what New allocates stays about twice the file's size.
func TestAllocationFollowsTheFile(t *testing.T) {
	const size = 1 << 20
	filler := make([]byte, size)
	var tiny [][]byte
	for i := range 30_000 {
		tiny = append(tiny, row(string(rune(0x4e00+i%20000))+string(rune('a'+i/20000)), 24, uint64(8*i)))
	}
	dense := [][]byte{scalarEntry(alignmentKey, Uint32, u32(8))}
	var keys [][]byte
	for i := range 4096 {
		keys = append(keys, scalarEntry(string(rune(0x4e00+i)), Uint8, []byte{1}))
	}
	for name, whole := range map[string][]byte{
		"tensors that are not there":  join(start(3, 31_000, 0), filler),
		"entries that are not there":  join(start(3, 0, 4096), filler),
		"a text that is not there":    withMetadata(scalarEntry("k", String, u64(1<<40)), filler),
		"a list that is not there":    withMetadata(arrayEntry("k", Float64, 1<<40, filler)),
		"texts that are not there":    withMetadata(arrayEntry("k", String, size/8, bytes.Repeat([]byte{255}, size))),
		"as many tensors as can be":   build(dense, tiny, make([]byte, 8*len(tiny))),
		"as many entries as can be":   withMetadata(keys...),
		"one list of a million bytes": withMetadata(arrayEntry("k", Uint8, size, filler)),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := parse(whole)
		runtime.ReadMemStats(&after)
		if real := strings.HasPrefix(name, "as many") || strings.HasPrefix(name, "one list"); real != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
		// A tensor of one element takes 35 bytes of file and about 90 of memory,
		// more under the race detector: the half above twice is for such files.
		allowed := uint64(len(whole)*5/2 + 1<<19)
		if used := after.TotalAlloc - before.TotalAlloc; used > allowed {
			t.Errorf("%s: %d bytes allocated for a file of %d (error %v)", name, used, len(whole), err)
		}
	}
}
