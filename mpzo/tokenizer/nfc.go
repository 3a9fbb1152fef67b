package tokenizer

import (
	"sort"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// streamSafe is how many combining marks in a row x/text's normaliser takes; it
// puts a character of its own behind them (Unicode's stream-safe format), which
// the reference does not.
const streamSafe = 30

// nfc returns Unicode's normalisation form C of text. Bytes that are not UTF-8
// stay as they are.
func nfc(text string) string {
	if ascii(text) {
		return text
	}
	if !manyMarks(text) {
		return norm.NFC.String(text)
	}
	var out strings.Builder
	for text != "" {
		// A run of characters is cut in front of one that neither moves nor
		// joins what is before it.
		size := utf8Size(text)
		for size < len(text) && !norm.NFC.PropertiesString(text[size:]).BoundaryBefore() {
			size += utf8Size(text[size:])
		}
		if segment := text[:size]; manyMarks(segment) {
			out.WriteString(compose(segment))
		} else {
			out.WriteString(norm.NFC.String(segment))
		}
		text = text[size:]
	}
	return out.String()
}

func ascii(text string) bool {
	for i := 0; i < len(text); i++ {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func utf8Size(text string) int {
	_, size := utf8.DecodeRuneInString(text)
	return size
}

// manyMarks reports whether text has marks enough in a row, decomposed, for
// x/text to break them up. A character decomposes into at most 3 marks and more.
func manyMarks(text string) bool {
	marks := 0
	for len(text) > 0 {
		p := norm.NFD.PropertiesString(text)
		size := max(p.Size(), 1)
		trailing := len(p.Decomposition()) / 2 // a mark takes 2 bytes or more
		switch {
		case p.CCC() != 0:
			marks += max(1, trailing)
		default:
			marks = trailing
		}
		if marks >= streamSafe {
			return true
		}
		text = text[size:]
	}
	return false
}

// mark is a decomposed character with its canonical combining class.
type mark struct {
	text  string
	class uint8
}

// compose is the canonical algorithm (Unicode Standard 3.11) on one segment:
// decompose, order marks by their class, and join each to the last starter where
// nothing of its class or a higher one stands between.
func compose(text string) string {
	var marks []mark
	for text != "" {
		size := utf8Size(text)
		decomposed := norm.NFD.String(text[:size])
		for decomposed != "" {
			p := norm.NFD.PropertiesString(decomposed)
			width := utf8Size(decomposed)
			marks = append(marks, mark{decomposed[:width], p.CCC()})
			decomposed = decomposed[width:]
		}
		text = text[size:]
	}
	for start := 0; start < len(marks); {
		end := start + 1
		for end < len(marks) && marks[end].class != 0 {
			end++
		}
		from := start
		if marks[start].class == 0 {
			from++
		}
		stretch := marks[from:end]
		sort.SliceStable(stretch, func(i, j int) bool { return stretch[i].class < stretch[j].class })
		start = end
	}
	return joinMarks(marks)
}

// joinMarks composes decomposed, ordered marks.
func joinMarks(marks []mark) string {
	var out []string
	starter := -1    // index in out of the last starter
	last := uint8(0) // class of the last mark kept behind it
	between := false // a mark was kept behind it
	for _, m := range marks {
		if starter >= 0 && (!between || last < m.class) {
			if joined := norm.NFC.String(out[starter] + m.text); utf8.RuneCountInString(joined) == 1 && utf8.ValidString(joined) {
				out[starter] = joined
				continue
			}
		}
		out = append(out, m.text)
		if m.class == 0 {
			starter, between, last = len(out)-1, false, 0
			continue
		}
		between, last = true, m.class
	}
	return strings.Join(out, "")
}
