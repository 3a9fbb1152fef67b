package tokenizer

import "math"

// bpe segments text by merging neighbours whose joined text is a piece.
type bpe struct {
	vocab       *vocabulary
	userDefined *prefixIndex
}

// pieceJoiner merges into pieces, by their scores.
type pieceJoiner struct {
	vocab *vocabulary
	floor float32 // pieces that score this or less are never merged into

	// halves tells from what two texts an unused piece was last merged, to take
	// it apart again. nil until there is one.
	halves map[string][2]string
}

// join implements joiner.
func (j *pieceJoiner) join(joined string, leftSize int) (score float32, found bool) {
	id, found := j.vocab.textual[joined]
	if !found {
		return 0, false
	}
	p := j.vocab.pieces[id]
	if p.score <= j.floor {
		return 0, false
	}
	if p.kind == pieceUnused {
		if j.halves == nil {
			j.halves = make(map[string][2]string)
		}
		j.halves[joined] = [2]string{joined[:leftSize], joined[leftSize:]}
	}
	return p.score, true
}

// emit adds a symbol's id; an unused piece is taken apart into its halves. Each
// half is shorter, so the depth is below maxPieceBytes.
func (j *pieceJoiner) emit(text string, to *collector) {
	id := j.vocab.id(text)
	if j.vocab.pieces[id].kind == pieceUnused {
		if halves, found := j.halves[text]; found {
			j.emit(halves[0], to)
			j.emit(halves[1], to)
			return
		}
	}
	to.add(text, id)
}

// segment adds the ids of text, which must not be empty.
func (b *bpe) segment(text string, to *collector) {
	rules := pieceJoiner{vocab: b.vocab, floor: float32(math.Inf(-1))}
	m := merging{rules: &rules, longest: b.vocab.longest, text: text}
	m.symbols = make([]symbol, 0, len(text))
	for start := 0; start < len(text); {
		size := b.userDefined.longest(text[start:])
		frozen := size > 0
		if !frozen {
			size = characterSize(text[start:])
		}
		m.push(start, size, frozen)
		start += size
	}
	m.run()
	for index := 0; index >= 0; index = m.symbols[index].next {
		rules.emit(m.symbolText(index), to)
	}
}
