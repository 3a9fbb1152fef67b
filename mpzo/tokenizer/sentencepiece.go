package tokenizer

import "fmt"

// sentencePiece is a tokenizer read from a SentencePiece model.
type sentencePiece struct {
	*vocabulary
	decoding   decoding
	normaliser normaliser
	segment    func(text string, to *collector) // BPE or unigram
	bos, eos   int32
}

// parseSentencePiece builds the tokenizer of a serialised ModelProto.
func parseSentencePiece(data string) (Tokenizer, error) {
	spec, err := readModel(data)
	if err != nil {
		return nil, err
	}
	vocab, err := newVocabulary(spec.pieces, spec.byteFallback)
	if err != nil {
		return nil, err
	}
	if spec.denormCharsMap != "" {
		return nil, fmt.Errorf("denormalizer_spec: rewriting rules after decoding; give a model trained without them: %w", ErrUnsupported)
	}
	userDefined := newPrefixIndex(vocab, pieceUserDefined)
	t := &sentencePiece{
		vocabulary: vocab,
		normaliser: normaliser{
			addDummyPrefix:    spec.addDummyPrefix,
			removeExtraSpaces: spec.removeExtraSpaces,
			escapeSpaces:      spec.escapeSpaces,
			spaceAsSuffix:     spec.spaceAsSuffix,
			userDefined:       userDefined,
		},
		decoding: decoding{
			vocab:          vocab,
			space:          spaceMark,
			unknownSurface: spec.unkSurface,
			stripFirst:     spec.addDummyPrefix || spec.removeExtraSpaces,
			stripAll:       spec.removeExtraSpaces,
		},
		bos: vocab.control(spec.bosPiece),
		eos: vocab.control(spec.eosPiece),
	}
	if spec.charsMap != "" {
		if t.normaliser.rules, err = parseCharsMap(spec.charsMap); err != nil {
			return nil, fmt.Errorf("normalizer_spec: precompiled_charsmap: %w", err)
		}
	}
	switch spec.modelType {
	case modelBPE:
		t.segment = (&bpe{vocab: vocab, userDefined: userDefined}).segment
	case modelUnigram:
		t.segment = newUnigram(vocab).segment
	default:
		return nil, fmt.Errorf("trainer_spec: model_type %d, want %d (unigram) or %d (BPE): %w",
			spec.modelType, modelUnigram, modelBPE, ErrUnsupported)
	}
	return t, nil
}

// Encode implements Tokenizer.
func (t *sentencePiece) Encode(text string) []int32 {
	to := collector{vocab: t.vocabulary}
	if normalised := t.normaliser.apply(text); normalised != "" {
		t.segment(normalised, &to)
	}
	return to.ids
}

// Decode implements Tokenizer.
func (t *sentencePiece) Decode(ids []int32) string {
	return t.decoding.decode(ids)
}

// NewDecoder implements Tokenizer.
func (t *sentencePiece) NewDecoder() *Decoder {
	return newDecoder(&t.decoding)
}

// BOS implements Tokenizer.
func (t *sentencePiece) BOS() int32 { return t.bos }

// EOS implements Tokenizer.
func (t *sentencePiece) EOS() int32 { return t.eos }
