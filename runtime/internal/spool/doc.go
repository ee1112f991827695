// SPDX-License-Identifier: Apache-2.0

// Package spool keeps batches on disk until their sink has taken them: a log
// of segments, each a file, to whose last one records are appended and from
// whose first one they are read, in order, also by the next process.
//
//	DIR/lock                 held by the process that has the log open
//	DIR/state                what has been shipped, and the lane's books; two copies, written in turn
//	DIR/0000000000000001.seg segments, named by the number of their first record in hexadecimal
//
// A segment is a header and records. All integers are little-endian.
//
//	header  8  "ingrspl1"
//	        4  CRC-32C of the rest of the header
//	        4  zero
//	       16  id of the log
//	        8  number of the first record
//	        8  position of the first record: rows ever spooled before it
//
//	record  4  magic
//	        4  CRC-32C of the id and the rest of the head
//	        4  CRC-32C of all that follows the head
//	        4  length of the batch's bytes
//	        2  length of the name
//	        2  length of the encoding's name
//	        2  length of the grain's name
//	        2  length of the event's name; 0 in what older agents wrote
//	        8  number
//	        8  position
//	        8  rows
//	        8  time of the first row, ns since 1970
//	        8  time of the last row
//	           name, encoding, grain, event, bytes
//
// Numbers and positions are what makes losses countable: the rows between two
// records that can be read are known, whatever happened to those between. A
// record of another log, or one that came already, is not given out.
//
// One goroutine calls Append and Save, one Next and Ack.
package spool
