"""From where Exchange Online sends.

Source: learn.microsoft.com, "Microsoft 365 URLs and IP address ranges", and the record of the include
(checked 2026-11).
"""

INCLUDE = "spf.protection.outlook.com"
BY_EXCHANGE = f"v=spf1 include:{INCLUDE} -all"

ONE_OF_EACH_RANGE = (
    *("40.92.1.1", "40.107.1.1", "52.100.1.1", "52.103.1.1", "104.47.1.1"),
    *("2a01:111:f400::1", "2a01:111:f403::1"),
)
"""One address of each published range that delivers mail to the Internet."""

OUTBOUND_SUFFIX = ".outbound.protection.outlook.com"
"""The names of servers that hand mail over to other organizations."""
