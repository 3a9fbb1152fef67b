package tokenizer

import (
	"fmt"
	"math"
)

// Model types of TrainerSpec.ModelType.
const (
	modelUnigram = 1
	modelBPE     = 2
)

// modelSpec is what a sentencepiece.ModelProto says about encoding and
// decoding, with the defaults of sentencepiece_model.proto for what is absent.
type modelSpec struct {
	pieces []piece

	// From trainer_spec.
	modelType     uint64
	spaceAsSuffix bool
	byteFallback  bool
	unkSurface    string
	bosPiece      string
	eosPiece      string

	// From normalizer_spec and denormalizer_spec.
	charsMap          string
	addDummyPrefix    bool
	removeExtraSpaces bool
	escapeSpaces      bool
	denormCharsMap    string
}

// readModel reads a serialised ModelProto. Unknown fields are skipped, and a
// field that occurs again replaces the earlier one, as in every protobuf reader.
func readModel(data string) (*modelSpec, error) {
	count, err := countPieces(data)
	if err != nil {
		return nil, err
	}
	spec := &modelSpec{
		pieces:            make([]piece, 0, count),
		modelType:         modelUnigram,
		unkSurface:        " \u2047 ",
		bosPiece:          "<s>",
		eosPiece:          "</s>",
		addDummyPrefix:    true,
		removeExtraSpaces: true,
		escapeSpaces:      true,
	}
	reader := wireReader{data: data}
	for reader.more() {
		field, err := reader.next()
		if err != nil {
			return nil, err
		}
		if err := spec.readField(field); err != nil {
			return nil, err
		}
	}
	return spec, nil
}

// countPieces walks the top level once, so that pieces are allocated once.
func countPieces(data string) (int, error) {
	count := 0
	reader := wireReader{data: data}
	for reader.more() {
		field, err := reader.next()
		if err != nil {
			return 0, err
		}
		if field.number == 1 {
			count++
		}
	}
	if count == 0 {
		return 0, fmt.Errorf("no pieces: %w", ErrMalformed)
	}
	if count > maxPieces {
		return 0, fmt.Errorf("%d pieces, limit %d: %w", count, maxPieces, ErrTooLarge)
	}
	return count, nil
}

// readField reads one field of ModelProto.
func (s *modelSpec) readField(field wireField) error {
	var read func(wireField) error
	var name string
	switch field.number {
	case 1:
		return s.readPiece(field)
	case 2:
		name, read = "trainer_spec", s.readTrainerField
	case 3:
		name, read = "normalizer_spec", s.readNormalizerField
	case 5:
		name, read = "denormalizer_spec", s.readDenormalizerField
	default:
		return nil
	}
	return readMessage(field, name, read)
}

// readMessage calls read for each field of a message in a length-delimited field.
func readMessage(field wireField, name string, read func(wireField) error) error {
	if err := field.want(wireBytes, name); err != nil {
		return err
	}
	reader := wireReader{data: field.bytes, origin: field.start}
	for reader.more() {
		inner, err := reader.next()
		if err == nil {
			err = read(inner)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// readPiece reads a ModelProto.SentencePiece.
func (s *modelSpec) readPiece(field wireField) error {
	p := piece{kind: pieceNormal}
	err := readMessage(field, fmt.Sprintf("piece %d", len(s.pieces)), func(inner wireField) error {
		switch inner.number {
		case 1:
			return setText(&p.text, inner, "piece")
		case 2:
			if err := inner.want(wireFixed32, "score"); err != nil {
				return err
			}
			p.score = math.Float32frombits(uint32(inner.value))
		case 3:
			if err := inner.want(wireVarint, "type"); err != nil {
				return err
			}
			if inner.value < uint64(pieceNormal) || inner.value > uint64(pieceByte) {
				return fmt.Errorf("byte %d: type %d, want %d to %d: %w",
					inner.offset, inner.value, pieceNormal, pieceByte, ErrMalformed)
			}
			p.kind = pieceKind(inner.value)
		}
		return nil
	})
	s.pieces = append(s.pieces, p)
	return err
}

// readTrainerField reads one field of TrainerSpec.
func (s *modelSpec) readTrainerField(field wireField) error {
	switch field.number {
	case 3:
		if err := field.want(wireVarint, "model_type"); err != nil {
			return err
		}
		s.modelType = field.value
	case 24:
		return setBool(&s.spaceAsSuffix, field, "treat_whitespace_as_suffix")
	case 35:
		return setBool(&s.byteFallback, field, "byte_fallback")
	case 44:
		return setText(&s.unkSurface, field, "unk_surface")
	case 46:
		return setName(&s.bosPiece, field, "bos_piece")
	case 47:
		return setName(&s.eosPiece, field, "eos_piece")
	}
	return nil
}

// readNormalizerField reads one field of the encoder's NormalizerSpec.
func (s *modelSpec) readNormalizerField(field wireField) error {
	switch field.number {
	case 2:
		return setText(&s.charsMap, field, "precompiled_charsmap")
	case 3:
		return setBool(&s.addDummyPrefix, field, "add_dummy_prefix")
	case 4:
		return setBool(&s.removeExtraSpaces, field, "remove_extra_whitespaces")
	case 5:
		return setBool(&s.escapeSpaces, field, "escape_whitespaces")
	}
	return nil
}

// readDenormalizerField reads one field of the decoder's NormalizerSpec.
func (s *modelSpec) readDenormalizerField(field wireField) error {
	if field.number == 2 {
		return setText(&s.denormCharsMap, field, "precompiled_charsmap")
	}
	return nil
}

func setBool(to *bool, field wireField, name string) error {
	*to = field.value != 0
	return field.want(wireVarint, name)
}

func setText(to *string, field wireField, name string) error {
	*to = field.bytes
	return field.want(wireBytes, name)
}

// setName is setText for names whose default also stands for the empty string.
func setName(to *string, field wireField, name string) error {
	if field.wire == wireBytes && field.bytes == "" {
		return nil
	}
	return setText(to, field, name)
}
