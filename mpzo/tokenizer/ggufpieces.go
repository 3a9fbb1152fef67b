package tokenizer

import (
	"encoding/binary"
	"fmt"
	"math"
)

// GGUFPieces is a SentencePiece BPE model as a GGUF file's metadata gives it,
// with tokenizer.ggml.model "llama". Each field is the key tokenizer.ggml.… of
// its comment.
type GGUFPieces struct {
	Tokens []string  // tokens, by id
	Scores []float32 // scores, by id
	Types  []int32   // token_type, by id
	BOS    int32     // bos_token_id, -1 for none; llama.cpp takes 1 where it is missing
	EOS    int32     // eos_token_id, -1 for none; llama.cpp takes 2 where it is missing
	AddBOS bool      // add_bos_token; llama.cpp takes true where it is missing
	AddEOS bool      // add_eos_token

	AddSpacePrefix    bool // add_space_prefix; llama.cpp takes true where it is missing
	RemoveExtraSpaces bool // remove_extra_whitespaces
}

// FromGGUFPieces builds a tokenizer of kind SentencePiece, and its bytes for
// Parse, from GGUF metadata, which may be hostile: errors wrap ErrMalformed,
// ErrUnsupported or ErrTooLarge. BOS and EOS are control symbols whatever their
// type. Control symbols are not found in text, which llama.cpp can be told to
// do. Without AddBOS the tokenizer has no BOS.
func FromGGUFPieces(g GGUFPieces) (Tokenizer, []byte, error) {
	data, err := g.marshal()
	if err != nil {
		return nil, nil, fmt.Errorf("gguf: %w", err)
	}
	tok, err := Parse(SentencePiece, data)
	if err != nil {
		return nil, nil, fmt.Errorf("gguf: %w", err)
	}
	return tok, data, nil
}

// marshal writes a ModelProto; readModel names the fields.
func (g *GGUFPieces) marshal() ([]byte, error) {
	count := len(g.Tokens)
	switch {
	case count > maxPieces:
		return nil, fmt.Errorf("%d tokens, limit %d: %w", count, maxPieces, ErrTooLarge)
	case len(g.Scores) != count:
		return nil, fmt.Errorf("%d scores for %d tokens: %w", len(g.Scores), count, ErrMalformed)
	case len(g.Types) != count:
		return nil, fmt.Errorf("%d token types for %d tokens: %w", len(g.Types), count, ErrMalformed)
	case g.AddEOS:
		return nil, fmt.Errorf("add_eos_token: a SentencePiece model that puts EOS behind each text: %w", ErrUnsupported)
	}
	for _, id := range []int32{g.BOS, g.EOS} {
		if id < -1 || int(id) >= count {
			return nil, fmt.Errorf("id %d of %d tokens for BOS or EOS: %w", id, count, ErrMalformed)
		}
	}
	out, unknown, bytePieces, err := g.marshalPieces()
	if err != nil {
		return nil, err
	}
	// A name that is no control symbol's stands for none.
	name := func(id int32, wanted bool) string {
		if id < 0 || !wanted {
			return unknown
		}
		return g.Tokens[id]
	}
	trainer := appendNumber(nil, 3, modelBPE)
	trainer = appendNumber(trainer, 35, flag(bytePieces))
	trainer = appendBytes(trainer, 46, name(g.BOS, g.AddBOS))
	trainer = appendBytes(trainer, 47, name(g.EOS, true))
	normalizer := appendNumber(nil, 3, flag(g.AddSpacePrefix))
	normalizer = appendNumber(normalizer, 4, flag(g.RemoveExtraSpaces))
	out = appendBytes(out, 2, string(trainer))
	return appendBytes(out, 3, string(normalizer)), nil
}

// marshalPieces writes the pieces and tells the unknown one's text and whether
// there are pieces for bytes.
func (g *GGUFPieces) marshalPieces() (out []byte, unknown string, bytePieces bool, err error) {
	for id, text := range g.Tokens {
		kind := g.Types[id]
		if kind < int32(pieceNormal) || kind > int32(pieceByte) {
			return nil, "", false, fmt.Errorf("token %d: type %d, want %d to %d: %w", id, kind, pieceNormal, pieceByte, ErrMalformed)
		}
		switch pieceKind(kind) {
		case pieceUnknown:
			unknown = text
		case pieceByte:
			bytePieces = true
		}
		if id == int(g.BOS) || id == int(g.EOS) {
			kind = int32(pieceControl)
		}
		piece := appendBytes(nil, 1, text)
		piece = binary.LittleEndian.AppendUint32(append(piece, 2<<3|wireFixed32), math.Float32bits(g.Scores[id]))
		piece = appendNumber(piece, 3, uint64(kind))
		if out = appendBytes(out, 1, string(piece)); len(out) > maxFileBytes {
			return nil, "", false, fmt.Errorf("more than %d bytes of tokens: %w", maxFileBytes, ErrTooLarge)
		}
	}
	return out, unknown, bytePieces, nil
}

// appendNumber appends a varint field of a message.
func appendNumber(out []byte, field, value uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(out, field<<3|wireVarint), value)
}

// appendBytes appends a length-delimited field of a message.
func appendBytes(out []byte, field uint64, value string) []byte {
	out = binary.AppendUvarint(out, field<<3|wireBytes)
	return append(binary.AppendUvarint(out, uint64(len(value))), value...)
}

func flag(value bool) uint64 {
	if value {
		return 1
	}
	return 0
}
