// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/cilium/ebpf/btf"
	"github.com/ulikunitz/xz"
)

// maxImage bounds what a compressed kernel may unpack to.
const maxImage = 512 << 20

// fromImage reads the BTF of a kernel as boot loaders load it: x86's bzImage
// (Documentation/arch/x86/boot.rst) or arm64's Image (booting.rst).
func fromImage(image []byte) (*btf.Spec, error) {
	switch {
	case len(image) > 0x250 && string(image[0x202:0x206]) == "HdrS":
		unpacked, err := unpack(image)
		if err != nil {
			return nil, fmt.Errorf("unpack a bzImage: %w", err)
		}
		return findBTF(unpacked)
	case len(image) > 0x40 && string(image[0x38:0x3c]) == "ARM\x64":
		return findBTF(image)
	}
	return nil, errors.New("neither raw BTF, nor an ELF file with a section .BTF, nor a kernel's image")
}

// unpack takes the payload of a bzImage apart.
func unpack(image []byte) ([]byte, error) {
	setup := (int(image[0x1f1]) + 1) * 512
	start := setup + int(binary.LittleEndian.Uint32(image[0x248:]))
	end := start + int(binary.LittleEndian.Uint32(image[0x24c:]))
	if start < 0 || start > end || end > len(image) || end-start < 8 {
		return nil, errors.New("its payload is not in it")
	}
	payload := image[start:end]
	size := binary.LittleEndian.Uint32(payload[len(payload)-4:]) // the build appends it
	if size > maxImage {
		return nil, errors.New("it is too large")
	}
	switch {
	case bytes.HasPrefix(payload, []byte{0x1f, 0x8b}):
		r, err := gzip.NewReader(bytes.NewReader(payload))
		if err != nil {
			return nil, err
		}
		r.Multistream(false)
		return io.ReadAll(io.LimitReader(r, maxImage))
	case bytes.HasPrefix(payload, []byte("\xfd7zXZ\x00")):
		r, err := xz.ReaderConfig{SingleStream: true}.NewReader(bytes.NewReader(payload))
		if err != nil {
			return nil, err
		}
		unpacked := make([]byte, size)
		_, err = io.ReadFull(r, unpacked)
		return unpacked, err
	case bytes.HasPrefix(payload, []byte{0x02, 0x21, 0x4c, 0x18}):
		return unLZ4(payload[4:], int(size))
	case bytes.HasPrefix(payload, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return unzstd(payload[:len(payload)-4])
	}
	return nil, fmt.Errorf("packed in an unknown way (%x)", payload[:4])
}

// findBTF finds raw BTF of version 1 in an image: its header, and behind that
// types and strings of the lengths it says (include/uapi/linux/btf.h).
func findBTF(image []byte) (*btf.Spec, error) {
	header := []byte{0x9f, 0xeb, 1, 0, 24, 0, 0, 0}
	for at := 0; ; at++ {
		next := bytes.Index(image[at:], header)
		if next < 0 {
			return nil, errors.New("it holds no BTF (CONFIG_DEBUG_INFO_BTF)")
		}
		at += next
		if len(image)-at < 24 {
			continue
		}
		word := func(n int) int { return int(binary.LittleEndian.Uint32(image[at+n:])) }
		end := at + 24 + max(word(8)+word(12), word(16)+word(20))
		if end < at || end > len(image) {
			continue
		}
		if types, err := btf.LoadSpecFromReader(bytes.NewReader(image[at:end])); err == nil {
			return types, nil
		}
	}
}
