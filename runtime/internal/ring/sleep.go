// SPDX-License-Identifier: Apache-2.0

package ring

// Nobody wakes a reader that is awake, so a reader that falls asleep and a
// program that writes a record must not miss each other. The reader goes
//
//	raise the flag; look at all positions; block, unless a ring holds something
//
// and a program goes, in one of two ways (grain.h),
//
//	reserve; [barrier]; look at the flag; if it is up: lower it; submit, waking
//	submit; [barrier]; look at the flag; if it is up: reserve a nothing; lower it; discard that, waking
//
// Both write one word and then read the other's, with a barrier between, so at
// least one of them sees the other. If the program sees the flag it wakes. If
// it does not, its record was reserved before the reader looked, and the reader
// stays awake: also for a record that is not yet complete, because its program
// has looked at the flag already and may never wake anybody. And ppoll itself
// puts the reader on each ring's queue first and then compares positions again,
// so a waking that comes between the look and the sleep is not lost. That is the
// look that counts; the reader's own saves most calls.
//
// A program lowers the flag for all others: those that come later count on it
// to wake. It may do so only while it holds something reserved. Then as long
// as it has not woken, the positions differ, no reader begins to sleep, and a
// flag that it saw up before some long pause is not one that was raised anew in
// the meantime.
//
// The barriers. Here, Go's atomics. In the first way the addition to a counter:
// on x86 a locked instruction. On arm64 an addition whose result nobody uses is
// no barrier, and neither is the ring buffer's lock: the program may look at
// the flag before others see that it has reserved. In the second way xchg in
// the commit, on every machine. So on arm64 a record can be missed by a reader
// that falls asleep within the nanoseconds that a store is on its way. That is
// why the sleep after raising the flag ends after at most firstSleep. Then the
// reader looks again; a flag that is still up has by then been seen by
// everybody for long, and with it up the reader may sleep longer.

// bed is what the steps of falling asleep act on: a Reader, and in tests a
// model of one among model programs.
type bed interface {
	raise()        // the flag goes up: from now on programs wake the reader
	pending() bool // does a ring hold anything unread, complete or not?
	block()        // until woken, and not for ever
	lower()        // the flag goes down
}

type stage int

const (
	raising stage = iota
	looking
	blocking
	rising
	lowering
	awake
)

// step is one step of falling asleep, and says which is the next. The flag
// stays up after a sleep that brought nothing, so that it need not be raised
// again.
func (s stage) step(b bed) stage {
	switch s {
	case raising:
		b.raise()
		return looking
	case looking:
		if b.pending() {
			return lowering
		}
		return blocking
	case blocking:
		b.block()
		return rising
	case rising:
		if b.pending() {
			return lowering
		}
		return awake
	default:
		b.lower()
		return awake
	}
}

// sleep goes through all steps.
func sleep(b bed) {
	for s := raising; s != awake; s = s.step(b) {
	}
}
