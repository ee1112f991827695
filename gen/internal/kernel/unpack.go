// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os/exec"
)

var errBroken = errors.New("its payload is broken")

// unLZ4 unpacks the legacy format of lz4 behind its magic number: blocks of
// at most 8 MiB unpacked, each behind its packed size (lz4_Frame_format.md,
// "Legacy frame"). size is that of all of them.
func unLZ4(packed []byte, size int) ([]byte, error) {
	var out []byte
	for len(out) < size {
		if len(packed) < 4 {
			return nil, errBroken
		}
		n := int(binary.LittleEndian.Uint32(packed))
		packed = packed[4:]
		if n > len(packed) {
			return nil, errBroken
		}
		block, err := lz4Block(packed[:n])
		if err != nil {
			return nil, err
		}
		out, packed = append(out, block...), packed[n:]
	}
	return out, nil
}

// lz4Block unpacks one block: runs of literals, each but the last followed by
// a copy of what came before (lz4_Block_format.md).
func lz4Block(in []byte) ([]byte, error) {
	const most = 8 << 20
	var out []byte
	for len(in) > 0 {
		token := in[0]
		literals, rest, ok := lz4Length(int(token>>4), in[1:])
		if !ok || literals > len(rest) || len(out)+literals > most {
			return nil, errBroken
		}
		out, in = append(out, rest[:literals]...), rest[literals:]
		if len(in) == 0 {
			return out, nil
		}
		if len(in) < 2 {
			return nil, errBroken
		}
		back := int(binary.LittleEndian.Uint16(in))
		length, rest, ok := lz4Length(int(token&15), in[2:])
		length += 4
		if !ok || back == 0 || back > len(out) || len(out)+length > most {
			return nil, errBroken
		}
		for range length { // what is copied may overlap what it makes
			out = append(out, out[len(out)-back])
		}
		in = rest
	}
	return out, nil
}

// lz4Length is a length that goes on in further bytes when it begins with 15.
func lz4Length(n int, in []byte) (int, []byte, bool) {
	if n < 15 {
		return n, in, true
	}
	for i, b := range in {
		n += int(b)
		if b < 255 {
			return n, in[i+1:], true
		}
	}
	return 0, nil, false
}

// unzstd unpacks with the command zstd: the standard library's decoder stops
// at windows of 8 MiB, and kernels are packed with larger ones.
func unzstd(packed []byte) ([]byte, error) {
	tool, err := exec.LookPath("zstd")
	if err != nil {
		return nil, errors.New("it is packed with zstd, and there is no zstd in PATH (apt-get install zstd)")
	}
	cmd := exec.Command(tool, "-dcq", "--long=31")
	cmd.Stdin = bytes.NewReader(packed)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("zstd: %w", err)
	}
	return out, nil
}
