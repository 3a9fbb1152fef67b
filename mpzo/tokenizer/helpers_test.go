package tokenizer

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"

	"zeroth/internal/testdata"
)

// localModels are the models of testdata/README.md.
var localModels = []string{"bpe", "plain", "suffix", "unigram", "unused"}

func readLocal(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".model"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func parse(t testing.TB, kind Kind, data []byte) Tokenizer {
	t.Helper()
	tok, err := Parse(kind, data)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func openShared(t testing.TB, name string, want Kind) Tokenizer {
	t.Helper()
	tok, kind, _, err := Open(testdata.Shared(t, name))
	if err != nil {
		t.Fatal(err)
	}
	if kind != want {
		t.Fatalf("kind %q, want %q", kind, want)
	}
	return tok
}

// message writes protobuf fields.
type message []byte

func (m message) tag(number, wire int) message {
	return binary.AppendUvarint(m, uint64(number<<3|wire))
}

func (m message) varint(number int, value uint64) message {
	return binary.AppendUvarint(m.tag(number, wireVarint), value)
}

func (m message) text(number int, value string) message {
	return append(binary.AppendUvarint(m.tag(number, wireBytes), uint64(len(value))), value...)
}

func (m message) float(number int, value float32) message {
	return binary.LittleEndian.AppendUint32(m.tag(number, wireFixed32), math.Float32bits(value))
}

func (m message) piece(text string, score float32, kind pieceKind) message {
	return m.text(1, string(message{}.text(1, text).float(2, score).varint(3, uint64(kind))))
}

// trainer and normalizer append the two specs.
func (m message) trainer(spec message) message    { return m.text(2, string(spec)) }
func (m message) normalizer(spec message) message { return m.text(3, string(spec)) }

// plainSpec turns dummy prefix, space removal and space escaping off.
func plainSpec() message {
	return message{}.varint(3, 0).varint(4, 0).varint(5, 0)
}

// tinyModel begins a model with the unknown piece.
func tinyModel() message {
	return message{}.piece("<unk>", 0, pieceUnknown)
}

// binRecord appends one record of a tokenizer.bin.
func binRecord(data []byte, score float32, text string) []byte {
	data = binary.LittleEndian.AppendUint32(data, math.Float32bits(score))
	data = binary.LittleEndian.AppendUint32(data, uint32(len(text)))
	return append(data, text...)
}

// tinyBin returns a tokenizer.bin with the 259 reserved pieces and the given ones.
func tinyBin(longest uint32, texts ...string) []byte {
	data := binary.LittleEndian.AppendUint32(nil, longest)
	for _, text := range []string{"<unk>", "\n<s>\n", "\n</s>\n"} {
		data = binRecord(data, 0, text)
	}
	for value := range 256 {
		data = binRecord(data, 0, byteText(byte(value)))
	}
	for i, text := range texts {
		data = binRecord(data, -float32(i), text)
	}
	return data
}

// binWith replaces n bytes of data at offset.
func binWith(data []byte, offset int, with ...byte) []byte {
	data = append([]byte(nil), data...)
	copy(data[offset:], with)
	return data
}
