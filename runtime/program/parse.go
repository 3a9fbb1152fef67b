package program

import "unsafe"

// Parse reads a program from the bytes of a file and verifies all of it. The
// program's constants lie in data, which must not change while it is used;
// data that does not begin at a multiple of Alignment is copied first.
//
// Parse allocates at most about two and a half times the bytes of data, the copy not counted.
func Parse(data []byte) (*Program, error) {
	if !isAligned(data) {
		data = append(alignedBytes(len(data))[:0], data...)
	}
	front, header, err := readPrologue(data)
	if err != nil {
		return nil, err
	}
	p, segments, err := decodeHeader(header)
	if err != nil {
		return nil, err
	}
	if err := checkSegments(data, segments, prologueBytes+front.headerLength, len(p.Constants)); err != nil {
		return nil, err
	}
	for i, s := range segments {
		b := data[s.offset : s.offset+s.length : s.offset+s.length]
		if i < len(p.Constants) {
			p.Constants[i].Data = b
		} else {
			p.Tokenizer.Data = b
		}
	}
	if err := VerifyStructure(p); err != nil {
		return nil, err
	}
	if err := checkSums(data, segments, len(p.Constants)); err != nil {
		return nil, err
	}
	if err := verifyContents(p, false); err != nil {
		return nil, err
	}
	p.Fingerprint = front.headerSum
	return p, nil
}

// isAligned reports whether data begins at a multiple of Alignment.
func isAligned(data []byte) bool {
	return len(data) == 0 || uintptr(unsafe.Pointer(&data[0]))%Alignment == 0
}

// alignedBytes allocates n bytes that begin at a multiple of Alignment.
func alignedBytes(n int) []byte {
	b := make([]byte, n+Alignment-1)
	skip := -uintptr(unsafe.Pointer(unsafe.SliceData(b))) % Alignment
	return b[skip : int(skip)+n : int(skip)+n]
}
