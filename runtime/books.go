// SPDX-License-Identifier: Apache-2.0

package runtime

// ledger is the books as they are now.
func (s *session) ledger() Ledger {
	books := Ledger{Lanes: s.lanes.Books()}
	if s.intake == nil {
		return books
	}
	books.Reader = s.intake.books
	books.Tables = s.tables.books()
	if s.source != nil {
		books.Reader.Skipped = s.source.Lost()
	}
	if s.loaded == nil {
		books.Events = s.intake.eventBooks(nil)
		return books
	}
	books.Events = s.kernelBooks()
	for _, l := range s.loaded {
		var err error
		if books.Probes, err = l.ProbeBooks(books.Probes); err != nil {
			s.Log.Warn("read the kernel's part of the ledger", "error", err)
		}
	}
	return books
}

func (s *session) kernelBooks() []EventBooks {
	var events []EventBooks
	for _, l := range s.loaded {
		var err error
		if events, err = l.EventBooks(events); err != nil {
			s.Log.Warn("read the kernel's part of the ledger", "error", err)
		}
	}
	return s.intake.eventBooks(events)
}

// settled reports whether all that was emitted has been read or lost: no
// program is still on its way through a probe.
func (s *session) settled() bool {
	for _, e := range s.kernelBooks() {
		if e.Emitted != e.Lost+e.Read {
			return false
		}
	}
	return true
}

// tell calls whoever asks for the books.
func (s *session) tell() {
	select {
	case tell := <-s.Ledger:
		tell(s.ledger())
	case tell := <-s.Reports:
		tell(s.report())
	default:
	}
}
