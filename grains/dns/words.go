// SPDX-License-Identifier: Apache-2.0

package dns

import "strconv"

// Types of records whose data are written, and OPT (RFC 6891).
const (
	typeA     = 1
	typeNS    = 2
	typeCNAME = 5
	typeSOA   = 6
	typePTR   = 12
	typeMX    = 15
	typeTXT   = 16
	typeAAAA  = 28
	typeSRV   = 33
	typeDNAME = 39
	typeOPT   = 41
	typeSVCB  = 64
	typeHTTPS = 65
	typeSPF   = 99
	typeCAA   = 257
)

const opUpdate = 5

// Names of numbers, "" for those that have none. Their source is IANA's registry
// of DNS parameters (RFC 6895, 7873, 8490), of types that are in use.
var (
	opcodeNames = [...]string{"QUERY", "IQUERY", "STATUS", "", "NOTIFY", "UPDATE", "DSO"}
	rcodeNames  = [...]string{
		"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE", "DSOTYPENI",
		16: "BADVERS", "BADKEY", "BADTIME", "BADMODE", "BADNAME", "BADALG", "BADTRUNC", "BADCOOKIE",
	}
	typeNames = [...]string{
		typeA: "A", typeNS: "NS", typeCNAME: "CNAME", typeSOA: "SOA", 10: "NULL", typePTR: "PTR", 13: "HINFO", 14: "MINFO", typeMX: "MX", typeTXT: "TXT", 17: "RP", 18: "AFSDB",
		24: "SIG", 25: "KEY", typeAAAA: "AAAA", 29: "LOC", 30: "NXT", typeSRV: "SRV", 35: "NAPTR", 36: "KX", 37: "CERT", 38: "A6", typeDNAME: "DNAME", typeOPT: "OPT", 42: "APL",
		43: "DS", 44: "SSHFP", 45: "IPSECKEY", 46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 49: "DHCID", 50: "NSEC3", 51: "NSEC3PARAM", 52: "TLSA", 53: "SMIMEA", 55: "HIP",
		59: "CDS", 60: "CDNSKEY", 61: "OPENPGPKEY", 62: "CSYNC", 63: "ZONEMD", typeSVCB: "SVCB", typeHTTPS: "HTTPS", typeSPF: "SPF", 104: "NID", 105: "L32", 106: "L64", 107: "LP",
		108: "EUI48", 109: "EUI64",
		249: "TKEY", 250: "TSIG", 251: "IXFR", 252: "AXFR", 253: "MAILB", 254: "MAILA", 255: "ANY", 256: "URI", typeCAA: "CAA", 258: "AVC",
	}
	paramNames = [...]string{
		paramMandatory: "mandatory", paramALPN: "alpn", paramNoDefault: "no-default-alpn", paramPort: "port",
		paramIP4: "ipv4hint", paramECH: "ech", paramIP6: "ipv6hint", paramDoH: "dohpath",
	}
)

// appendName appends the name of a number, or when it has none a prefix and
// the number.
func appendName(dst []byte, names []string, prefix string, n uint16) []byte {
	if int(n) < len(names) && names[n] != "" {
		return append(dst, names[n]...)
	}
	return strconv.AppendUint(append(dst, prefix...), uint64(n), 10)
}
