// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	goruntime "runtime"
	"syscall"
	"testing"
)

// asker is a program that calls its own
//
//	int ask(const char *node, const char *service)
//
// once, with "example.org" and "https", gets -2, and ends.
func asker(t *testing.T) string {
	t.Helper()
	const data = "example.org\x00https\x00"
	const service = len("example.org\x00")
	p := tiny{machine: elf.EM_X86_64, data: []byte(data), functions: []function{{"ask", 24}}}
	p.code = append(p.code, 0xbf) // mov edi, node
	p.code = binary.LittleEndian.AppendUint32(p.code, tinyCode+30)
	p.code = append(p.code, 0xbe) // mov esi, service
	p.code = binary.LittleEndian.AppendUint32(p.code, uint32(tinyCode+30+service))
	p.code = append(p.code,
		0xe8, 9, 0, 0, 0, // call ask
		0x31, 0xff, // xor edi, edi
		0xb8, 60, 0, 0, 0, // mov eax, exit
		0x0f, 0x05, // syscall
		0xb8, 0xfe, 0xff, 0xff, 0xff, // ask: mov eax, -2
		0xc3, // ret
	)
	if goruntime.GOARCH == "arm64" {
		p.machine, p.functions[0].at = elf.EM_AARCH64, 32
		node := uint32(tinyCode + 40)
		p.code = little(
			0xd2800000|(node&0xffff)<<5, 0xf2a00000|(node>>16)<<5, // mov x0, node
			0xd2800001|((node+uint32(service))&0xffff)<<5, 0xf2a00001|(node>>16)<<5, // mov x1, service
			0x94000004, // bl ask
			0xd2800000, // mov x0, 0
			0xd2800ba8, // mov x8, exit
			0xd4000001, // svc 0
			0x12800020, // ask: mov w0, -2
			0xd65f03c0, // ret
		)
	}
	return p.write(t)
}

// compatNumber is a system call that 32-bit programs know by another number,
// and what its number is for 64-bit programs.
var compatNumber = map[string][2]uint32{
	"amd64": {295, 257}, // openat; 257 is remap_file_pages to a 32-bit program
	"arm64": {322, 56},  // 56 is nothing
}

// openat32 is a 32-bit program that calls openat of "/ingrain-compat" twice,
// then the call that has the number of a 64-bit program's openat, and ends.
func openat32(t *testing.T) string {
	t.Helper()
	nr := compatNumber[goruntime.GOARCH]
	p := tiny{machine: elf.EM_386, data: []byte("/ingrain-compat\x00")}
	if goruntime.GOARCH == "arm64" {
		p.machine, p.flags = elf.EM_ARM, 0x05000000 // EABI 5
		path := uint32(tinyCode + 4*(3*7+3))
		for _, n := range []uint32{nr[0], nr[0], nr[1]} {
			p.code = append(p.code, little(
				0xe3007000|n, // movw r7, n
				0xe3e00063,   // mvn r0, 99: AT_FDCWD
				0xe3001000|path&0xfff|(path>>12&0xf)<<16,     // movw r1, path
				0xe3401000|path>>16&0xfff|(path>>28&0xf)<<16, // movt r1, path
				0xe3a02000, 0xe3a03000, // mov r2, 0; mov r3, 0
				0xef000000, // svc 0
			)...)
		}
		p.code = append(p.code, little(0xe3a07001, 0xe3a00000, 0xef000000)...) // exit(0)
		return p.write(t)
	}
	const call, end = 21, 9
	for _, n := range []uint32{nr[0], nr[0], nr[1]} {
		p.code = append(p.code, 0xb8) // mov eax, n
		p.code = binary.LittleEndian.AppendUint32(p.code, n)
		p.code = append(p.code, 0xbb, 0x9c, 0xff, 0xff, 0xff) // mov ebx, AT_FDCWD
		p.code = append(p.code, 0xb9)                         // mov ecx, path
		p.code = binary.LittleEndian.AppendUint32(p.code, tinyCode+3*call+end)
		p.code = append(p.code,
			0x31, 0xd2, // xor edx, edx
			0x31, 0xf6, // xor esi, esi
			0xcd, 0x80, // int 0x80
		)
	}
	p.code = append(p.code, 0xb8, 1, 0, 0, 0, 0x31, 0xdb, 0xcd, 0x80) // exit(0)
	return p.write(t)
}

// runsNo32Bit reports whether this machine's kernel was told to start no 32-bit
// programs, although it could (ia32_emulation=off, or a hypervisor that says
// so). Debian's kernels in virtual machines are never excused.
func runsNo32Bit(err error) bool {
	return errors.Is(err, syscall.ENOEXEC) && os.Getenv("INGRAIN_VM") == ""
}

func TestTheTinyProgramsRun(t *testing.T) {
	for name, program := range map[string]string{"asker": asker(t), "openat32": openat32(t)} {
		out, err := exec.Command(program).CombinedOutput()
		if name == "openat32" && runsNo32Bit(err) {
			t.Logf("this kernel starts no 32-bit programs; those of the virtual machines do")
			continue
		}
		if err != nil {
			t.Errorf("%s: %v %s", name, err, out)
		}
	}
}
