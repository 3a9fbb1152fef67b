// Package remarks holds no code, only the demo's data and the checks of them.
package remarks

import (
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"zeroth/mpzo/data"
)

type remark struct{ label, text string }

// sizes are the numbers of remarks that README.md states.
var sizes = map[string]int{"train.tsv": 320, "held-out.tsv": 160}

// subjects are words that give a subject away.
var subjects = map[string]string{
	"films": `films?|movie|comedy|actors?|actress|acting|cast|scenes?|director|audience|documentary|stunts|script|ticket|score|songs|` +
		`animation|cartoon|remake|leads|performances?|drama|western|watch|watching|viewing|audiences|horror|editing|camera shakes|picture|villain`,
	"food": `soup|bread|waiter|waitress|cook|chef|kitchen|dish|dishes|cake|coffee|sauce|menu|fish|burger|pizza|tasted|potatoes|dessert|wine|` +
		`meal|rice|stew|curry|noodles|dumplings|steak|chicken|lunch|breakfast|dinner|pie|pies|salad|eggs|tacos|cheese|pancakes|sushi|oysters|` +
		`pasta|vegetables|ice cream|fries|duck|lamb|restaurant|pudding|sandwich|tea|tarts?|portions|flavor|food|hungry|tables`,
	"phones": `phone|battery|screen|cameras?|calls?|charger|charges?|charging|signal|keyboard|apps?|speaker|device|update|display|storage|` +
		`microphone|alarm|unlock|bluetooth|model|fingerprint|sim|network|headset|headphones|torch|messages|buttons?|software|photos|typing|reception`,
	"books": `books?|novels?|author|chapters?|pages?|prose|poems|volume|short stories|heroine|biography|writing|translation|essays|memoir|` +
		`reader|sentence|guide|murderer|fable|narrator|dialogue|detective|print|maps|thriller`,
}

func read(t *testing.T, name string) []remark {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	reader, err := data.NewReader(name, file, data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var remarks []remark
	for {
		row, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return remarks
		}
		if err != nil {
			t.Fatal(err)
		}
		label, _ := row.Field("label")
		text, _ := row.Field("text")
		remarks = append(remarks, remark{label.Text, text.Text})
	}
}

// words returns the words of a remark without punctuation.
func words(text string) []string {
	return regexp.MustCompile(`[a-z]+`).FindAllString(text, -1)
}

func TestCountsAndBalance(t *testing.T) {
	for name, size := range sizes {
		count := map[string]int{}
		for _, r := range read(t, name) {
			count[r.label]++
		}
		if count["0"] != size/2 || count["1"] != size/2 || len(count) != 2 {
			t.Errorf("%s: labels %v, want %d of each", name, count, size/2)
		}
	}
}

// A subject has a quarter of the remarks of each label; its words find at least
// half of them.
func TestSubjectsInEachSplit(t *testing.T) {
	for subject, pattern := range subjects {
		find := regexp.MustCompile(`\b(` + pattern + `)\b`)
		for name, size := range sizes {
			count := map[string]int{}
			for _, r := range read(t, name) {
				if find.MatchString(r.text) {
					count[r.label]++
				}
			}
			for label, n := range count {
				if n < size/16 {
					t.Errorf("%s: only %d remarks with label %s are about %s", name, n, label, subject)
				}
			}
			if len(count) != 2 {
				t.Errorf("%s: %s has labels %v", name, subject, count)
			}
		}
	}
}

func TestStyle(t *testing.T) {
	plain := regexp.MustCompile(`^[a-z]+( ([a-z]+|'s|n't|,))* \.$`)
	for name := range sizes {
		for _, r := range read(t, name) {
			if !plain.MatchString(r.text) {
				t.Errorf("%s: not in the style: %s", name, r.text)
			}
			if n := len(words(r.text)); n < 6 || n > 20 {
				t.Errorf("%s: %d words: %s", name, n, r.text)
			}
		}
	}
}

func TestNoRemarkRepeatsAnother(t *testing.T) {
	var all []remark
	for name := range sizes {
		all = append(all, read(t, name)...)
	}
	seen := map[string]string{}
	sets := make([]map[string]bool, len(all))
	for i, r := range all {
		key := strings.Join(words(r.text), " ")
		if other, ok := seen[key]; ok {
			t.Errorf("the same twice: %s / %s", r.text, other)
		}
		seen[key] = r.text
		sets[i] = map[string]bool{}
		for _, word := range words(r.text) {
			sets[i][word] = true
		}
	}
	for i := range all {
		for j := range i {
			if overlap := jaccard(sets[i], sets[j]); overlap >= 0.8 {
				t.Errorf("%.2f of the words are shared: %s / %s", overlap, all[i].text, all[j].text)
			}
		}
	}
}

// jaccard returns the share of two sets' words that are in both.
func jaccard(a, b map[string]bool) float64 {
	both := 0
	for word := range a {
		if b[word] {
			both++
		}
	}
	return float64(both) / float64(len(a)+len(b)-both)
}

// letters is an encoder that is enough to read the files with a task.
type letters struct{}

func (letters) BOS() int32 { return 0 }
func (letters) EOS() int32 { return -1 }
func (letters) Encode(text string) []int32 {
	ids := make([]int32, 0, len(text))
	for _, letter := range text {
		ids = append(ids, letter)
	}
	return ids
}

func TestFilesFitTheBuiltInTask(t *testing.T) {
	task, err := data.BuiltIn("sst2")
	if err != nil {
		t.Fatal(err)
	}
	for name, size := range sizes {
		set, err := data.Load(name, &task, letters{}, data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(set.Examples) != size {
			t.Errorf("%s: %d examples, want %d", name, len(set.Examples), size)
		}
	}
}
