package tokenizer

import (
	"slices"
	"testing"
)

func TestBytes(t *testing.T) {
	for _, around := range []bool{false, true} {
		tok, data, err := Bytes(around)
		if err != nil {
			t.Fatal(err)
		}
		if tok.VocabSize() != 259 || tok.BOS() != 256 || tok.EOS() != 257 {
			t.Errorf("%d ids, BOS %d, EOS %d", tok.VocabSize(), tok.BOS(), tok.EOS())
		}
		all := make([]byte, 256)
		want := make([]int32, 256)
		for i := range all {
			all[i], want[i] = byte(i), int32(i)
		}
		checkEncode(t, tok, string(all), want)
		if got := tok.Decode(want); got != string(all) {
			t.Errorf("decoded %q", got)
		}
		checkEncode(t, parse(t, ByteBPE, data), "no <mask>.", []int32{'n', 'o', 258, '.'})
		wrapped := []int32{256, 'a'}
		if around {
			wrapped = append(wrapped, 257)
		}
		if got := Wrap(tok, tok.Encode("a")); !slices.Equal(got, wrapped) {
			t.Errorf("wrapped %v, want %v", got, wrapped)
		}
	}
}
