// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"errors"
	"fmt"
)

func (s *session) openRecording(grains []*Grain) error {
	if s.Record == nil {
		return nil
	}
	recorded, err := describeGrains(grains)
	if err != nil {
		return err
	}
	s.intake.record, err = NewRecordingWriter(s.Record, recorded)
	return err
}

// endRecording writes what is left of the recording, and says what is missing
// in it.
func (s *session) endRecording() error {
	w := s.intake.record
	if w == nil {
		return nil
	}
	err := w.Flush()
	if lost := w.Lost(); lost > 0 {
		return errors.Join(fmt.Errorf("the recording lacks %d records", lost), err)
	}
	return err
}

// describeGrains is what a recording says of grains.
func describeGrains(grains []*Grain) ([]RecordedGrain, error) {
	var all []RecordedGrain
	for _, g := range grains {
		described, err := DescribeGrain(g)
		if err != nil {
			return nil, err
		}
		all = append(all, described)
	}
	return all, nil
}
