// SPDX-License-Identifier: Apache-2.0

// Package include holds the headers that a grain's C file is compiled with,
// so that the generator has them in a site's own module too.
package include

import "embed"

// Files are the headers of this folder: ingrain.h, kernel.h and what they
// include, libbpf's under bpf/.
//
//go:embed *.h bpf/*.h
var Files embed.FS
