package dl

import (
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"
)

// libc opens the C library, or skips where there is none to load.
func libc(t *testing.T) *Library {
	t.Helper()
	names := map[string]string{"linux": "libc.so.6", "android": "libc.so", "darwin": "/usr/lib/libSystem.B.dylib", "windows": "ucrtbase.dll"}
	l, err := Open(names[runtime.GOOS])
	if errors.Is(err, ErrUnavailable) || names[runtime.GOOS] == "" {
		t.Skipf("no C library: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestOpenTakesTheFirstThatIsThere(t *testing.T) {
	l := libc(t)
	again, err := Open("libzeroth-missing.so.1", l.Name())
	if err != nil || again.Name() != l.Name() {
		t.Errorf("opened %v, %v", again, err)
	}
}

func TestOpenOfNothing(t *testing.T) {
	libc(t)
	if _, err := Open("libzeroth-missing.so.1", "libzeroth-missing.so"); !errors.Is(err, ErrLibrary) ||
		strings.Count(err.Error(), "libzeroth-missing.so") < 4 {
		t.Errorf("%v: both names and both reasons are missed", err)
	}
	for _, names := range [][]string{nil, {""}, {"a\x00b"}} {
		if _, err := Open(names...); !errors.Is(err, ErrLibrary) {
			t.Errorf("%q: %v", names, err)
		}
	}
}

func TestSymbol(t *testing.T) {
	l := libc(t)
	for _, name := range []string{"", "strlen\x00", "zeroth_missing_symbol"} {
		if _, err := l.Symbol(name); !errors.Is(err, ErrSymbol) {
			t.Errorf("%q: %v", name, err)
		}
		var fn func()
		if err := l.Bind(&fn, name); !errors.Is(err, ErrSymbol) || fn != nil {
			t.Errorf("Bind(%q): %v", name, err)
		}
	}
}

func TestCall(t *testing.T) {
	strlen, err := libc(t).Symbol("strlen")
	if err != nil {
		t.Fatal(err)
	}
	for n := range 40 {
		text := append([]byte(strings.Repeat("x", n)), 0)
		if got := Call(strlen, uintptr(unsafe.Pointer(&text[0]))); got != uintptr(n) {
			t.Errorf("strlen of %d bytes: %d", n, got)
		}
	}
}

func TestBind(t *testing.T) {
	l := libc(t)
	var strtod func(text string, end *uintptr) float64
	if err := l.Bind(&strtod, "strtod"); err != nil {
		t.Fatal(err)
	}
	if got := strtod("3.25", nil); got != 3.25 {
		t.Errorf("strtod: %g", got)
	}
	var ldexp func(x float64, exponent int32) float64
	for _, name := range []string{"ldexp", "scalbn"} { // one or the other, as the system has it
		if err := l.Bind(&ldexp, name); err == nil {
			break
		}
	}
	if ldexp == nil {
		t.Fatal("neither ldexp nor scalbn")
	}
	if got := ldexp(1.5, 4); got != math.Ldexp(1.5, 4) {
		t.Errorf("ldexp: %g", got)
	}
}

func TestBindOfWrongTypes(t *testing.T) {
	l := libc(t)
	number, pair := 3, func(complex128) {}
	for _, fn := range []any{nil, number, &number, pair, &pair} {
		if err := l.Bind(fn, "strlen"); !errors.Is(err, ErrSymbol) {
			t.Errorf("%T: %v", fn, err)
		}
	}
}

func TestCallback(t *testing.T) {
	qsort, err := libc(t).Symbol("qsort")
	if err != nil {
		t.Fatal(err)
	}
	compare, err := Callback(func(a, b *int32) uintptr { return uintptr(*a - *b) })
	if err != nil {
		t.Fatal(err)
	}
	values := []int32{5, -3, 9, 0, -70000, 2}
	Call(qsort, uintptr(unsafe.Pointer(&values[0])), uintptr(len(values)), unsafe.Sizeof(values[0]), compare)
	if !slices.IsSorted(values) {
		t.Errorf("not sorted: %v", values)
	}
	for _, fn := range []any{nil, 3, func(complex128) {}} {
		if _, err := Callback(fn); !errors.Is(err, ErrSymbol) {
			t.Errorf("%T: %v", fn, err)
		}
	}
}

// The text of a failure belongs to the thread it happened on.
func TestErrorsOfManyThreads(t *testing.T) {
	l := libc(t)
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			name := "zeroth_missing_" + strings.Repeat("x", i)
			for range 200 {
				if _, err := l.Symbol(name); err == nil || runtime.GOOS == "linux" && !strings.Contains(err.Error(), name) {
					t.Errorf("%s: %v", name, err)
					return
				}
				runtime.Gosched()
			}
		})
	}
	wait.Wait()
}

func TestWithoutALoader(t *testing.T) {
	_, err := Open("libc.so.6")
	if !errors.Is(err, ErrUnavailable) {
		t.Skip("this build has a loader")
	}
	if !strings.Contains(err.Error(), "libc.so.6") {
		t.Errorf("%v: does not say what was wanted", err)
	}
}
