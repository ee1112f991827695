// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// batchNames makes names of batches, of 128 bits: 48 for the millisecond in
// which the lane began, 40 at random, and 40 that count its batches. Two lanes
// have a name in common if they began in the same millisecond and drew the same
// number of a trillion.
type batchNames [16]byte

func newBatchNames(now time.Time) (n batchNames) {
	binary.BigEndian.PutUint64(n[:8], uint64(now.UnixMilli())<<16)
	rand.Read(n[6:11])
	return n
}

// name is that of batch number sequence.
func (n batchNames) name(sequence uint64) string {
	binary.BigEndian.PutUint32(n[12:], uint32(sequence))
	n[11] = byte(sequence >> 32)
	return hex.EncodeToString(n[:])
}
