// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"os/exec"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"
	"github.com/ulikunitz/xz"
)

// kernelBTF is raw BTF with the enums of a kernel.
func kernelBTF(t testing.TB) []byte {
	t.Helper()
	b, err := btf.NewBuilder([]btf.Type{
		&btf.Enum{Name: "bpf_func_id", Size: 4, Values: []btf.EnumValue{{Name: "BPF_FUNC_x", Value: 1}}},
		&btf.Enum{Name: "bpf_map_type", Size: 4, Values: []btf.EnumValue{{Name: "BPF_MAP_TYPE_x", Value: 1}}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := b.Marshal(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// image is a bzImage around a payload of the given unpacked size.
func image(payload []byte, size int) []byte {
	b := make([]byte, 1024)
	copy(b[0x202:], "HdrS")
	b[0x1f1] = 1
	payload = binary.LittleEndian.AppendUint32(bytes.Clone(payload), uint32(size))
	binary.LittleEndian.PutUint32(b[0x24c:], uint32(len(payload)))
	return append(b, payload...)
}

func TestImagesAreUnpackedHoweverTheyArePacked(t *testing.T) {
	// Before the BTF stands something that only begins like it.
	content := append(append([]byte(strings.Repeat("kernel ", 500)), 0x9f, 0xeb, 1, 0, 24, 0, 0, 0), kernelBTF(t)...)
	pack := map[string]func() []byte{
		"gzip": func() []byte {
			var b bytes.Buffer
			w := gzip.NewWriter(&b)
			w.Write(content)
			w.Close()
			return b.Bytes()
		},
		"xz": func() []byte {
			var b bytes.Buffer
			w, err := xz.NewWriter(&b)
			if err != nil {
				t.Fatal(err)
			}
			w.Write(content)
			w.Close()
			return b.Bytes()
		},
		"lz4":  func() []byte { return filter(t, content, "lz4", "-l", "-c", "-") },
		"zstd": func() []byte { return filter(t, content, "zstd", "-c") },
	}
	for name, packed := range pack {
		types, err := fromImage(image(packed(), len(content)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := New(name, types); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	arm64 := make([]byte, 0x40)
	copy(arm64[0x38:], "ARM\x64")
	if _, err := fromImage(append(arm64, content...)); err != nil {
		t.Errorf("arm64: %v", err)
	}
}

func filter(t *testing.T, in []byte, command string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(command, args...)
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v (apt-get install lz4 zstd)", command, err)
	}
	return out
}

func TestWhatIsNoImageIsRefused(t *testing.T) {
	whole := image([]byte("\x02\x21\x4c\x18\xff\xff\x00\x00"), 10)
	for want, in := range map[string][]byte{
		"neither raw BTF, nor":   []byte("text"),
		"its payload is broken":  whole,
		"its payload is not in":  whole[:1030],
		"packed in an unknown":   image([]byte("12345678"), 10),
		"it is too large":        image([]byte("12345678"), maxImage+1),
		"it holds no BTF (CONF":  append(append(make([]byte, 0x38), "ARM\x64"...), make([]byte, 100)...),
		"unpack a bzImage: gzip": image([]byte("\x1f\x8b345678"), 10),
	} {
		if _, err := fromImage(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// FuzzLZ4 feeds blocks of anything: never a panic, never more than a block
// may hold.
func FuzzLZ4(f *testing.F) {
	f.Add([]byte("\x10a\x01\x00"))
	f.Add([]byte("\xf0\x00abcdefghijklmno"))
	f.Add([]byte("\x1fa\x01\x00\xff\xff\xff\x00"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, in []byte) {
		if out, err := lz4Block(in); err == nil && len(out) > 8<<20 {
			t.Fatalf("got %d bytes of a block, want at most 8 MiB", len(out))
		}
		unLZ4(in, 1<<20)
	})
}
