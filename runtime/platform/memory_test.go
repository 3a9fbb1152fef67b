package platform

import (
	"testing"
	"unsafe"
)

func TestAligned(t *testing.T) {
	for n := range 300 {
		data := Aligned(n)
		if len(data) != n || cap(data) != n {
			t.Fatalf("%d bytes: length %d, capacity %d", n, len(data), cap(data))
		}
		if address := uintptr(unsafe.Pointer(unsafe.SliceData(data))); n > 0 && address%Alignment != 0 {
			t.Fatalf("%d bytes at %#x", n, address)
		}
	}
}

func TestPeakResidentBytes(t *testing.T) {
	before := PeakResidentBytes()
	data := make([]byte, 64<<20)
	for i := range data {
		data[i] = 1
	}
	if before == 0 {
		t.Skip("skipped: this system does not tell")
	}
	if after := PeakResidentBytes(); after < before+32<<20 && after < 64<<20 {
		t.Errorf("peak %d before and %d after touching 64 MiB", before, after)
	}
}
