// SPDX-License-Identifier: Apache-2.0

// Package ship is an example of a site's own agent: stock grains, and a sink
// that the stock agent does not have.
package ship

//go:generate go run ../../gen/cmd/ingrain generate
