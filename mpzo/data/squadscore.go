package data

import (
	"fmt"
	"strings"
	"unicode"
)

// ScoreAnswers scores generated answers, one for each of the set's examples from
// the first, as SQuAD's evaluation does (Rajpurkar et al. 2016): of each answer
// the best over the references, and of those the mean.
func (s *Set) ScoreAnswers(answers []string) (Scores, error) {
	out := NoScores()
	if len(answers) > len(s.Examples) {
		return out, fmt.Errorf("%d answers for %d examples: %w", len(answers), len(s.Examples), ErrBatch)
	}
	f1, exact := 0.0, 0.0
	for i, answer := range answers {
		words := normalised(answer)
		bestF1, bestExact := 0.0, 0.0
		for _, reference := range s.Examples[i].References {
			want := normalised(reference)
			bestF1 = max(bestF1, wordF1(words, want))
			if strings.Join(words, " ") == strings.Join(want, " ") {
				bestExact = 1
			}
		}
		f1, exact = f1+bestF1, exact+bestExact
	}
	for _, m := range s.Metrics {
		sum := f1
		if m == ExactMatch {
			sum = exact
		}
		out.set(m, sum/float64(len(answers)))
	}
	return out, nil
}

// normalised returns the words of an answer in lower case, without ASCII
// punctuation and without articles.
func normalised(answer string) []string {
	plain := strings.Map(func(char rune) rune {
		if char < unicode.MaxASCII && (unicode.IsPunct(char) || unicode.IsSymbol(char)) {
			return -1
		}
		return char
	}, strings.ToLower(answer))
	return strings.Fields(withoutArticles(plain))
}

// withoutArticles replaces a, an and the by a space wherever they are bounded by
// what is neither letter, digit nor «_».
func withoutArticles(text string) string {
	var out strings.Builder
	for len(text) > 0 {
		word := strings.IndexFunc(text, isNoWord)
		if word < 0 {
			word = len(text)
		}
		switch text[:word] {
		case "a", "an", "the":
			out.WriteByte(' ')
		default:
			out.WriteString(text[:word])
		}
		text = text[word:]
		next := strings.IndexFunc(text, func(char rune) bool { return !isNoWord(char) })
		if next < 0 {
			next = len(text)
		}
		out.WriteString(text[:next])
		text = text[next:]
	}
	return out.String()
}

func isNoWord(char rune) bool {
	return char != '_' && !unicode.IsLetter(char) && !unicode.IsNumber(char)
}

// wordF1 returns 2·n/(|a|+|b|) with n the words that both have, as often as both
// have them: the harmonic mean of precision n/|a| and recall n/|b|.
func wordF1(a, b []string) float64 {
	counts := make(map[string]int, len(b))
	for _, word := range b {
		counts[word]++
	}
	common := 0
	for _, word := range a {
		if counts[word] > 0 {
			counts[word]--
			common++
		}
	}
	if common == 0 {
		return 0
	}
	return 2 * float64(common) / float64(len(a)+len(b))
}
