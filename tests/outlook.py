"""Writes Outlook items (.msg) as [MS-CFB] and [MS-OXMSG] ask: our own, so that no sample is copied."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

SECTOR, MINI, CUTOFF = 512, 64, 4096
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
NONE = 0xFFFFFFFF
_DIRECTORY_ENTRY = struct.Struct("<64sHBBIII16sI16sIQ")

Value = str | bytes | int


@dataclass
class Item:
    """An item: properties by number, recipients, attachments (items inside it, or properties of a file)."""

    properties: Mapping[int, Value]
    recipients: Sequence[Mapping[int, Value]] = ()
    attachments: Sequence["Item | Mapping[int, Value]"] = ()
    code_page: int | None = None
    """Write strings in this code page instead of Unicode."""


@dataclass
class _Node:
    """A storage (children) or a stream (content)."""

    name: str
    content: bytes | None = None
    children: list["_Node"] = field(default_factory=list)


def msg(item: Item) -> bytes:
    """Return the bytes of an item as Outlook saves it."""
    return _compound(_Node("Root Entry", children=list(_nodes(item, 32, item.code_page))))


def _nodes(item: Item, header: int, page: int | None) -> Iterator[_Node]:
    yield from _properties(item.properties, header, page)
    for number, recipient in enumerate(item.recipients):
        name = f"__recip_version1.0_#{number:08X}"
        yield _Node(name, children=list(_properties(recipient, 8, page)))
    for number, attached in enumerate(item.attachments):
        name = f"__attach_version1.0_#{number:08X}"
        if isinstance(attached, Item):
            inner = _Node("__substg1.0_3701000D", children=list(_nodes(attached, 24, page)))
            yield _Node(name, children=[*_properties({}, 8, page), inner])
        else:
            yield _Node(name, children=list(_properties(attached, 8, page)))


def _properties(values: Mapping[int, Value], header: int, page: int | None) -> Iterator[_Node]:
    rows = [_row(0x3FFD, 3, page)] if page and header == 32 else []
    for number, value in values.items():
        if isinstance(value, int):
            rows.append(_row(number, 3, value))
            continue
        kind, content = _stored(value, page)
        rows.append(_row(number, kind, len(content)))
        yield _Node(f"__substg1.0_{number:04X}{kind:04X}", content)
    yield _Node("__properties_version1.0", bytes(header) + b"".join(rows))


def _row(number: int, kind: int, value: int) -> bytes:
    return struct.pack("<HHIi4x", kind, number, 6, value)


def _stored(value: str | bytes, page: int | None) -> tuple[int, bytes]:
    if isinstance(value, bytes):
        return 0x0102, value
    return (0x001E, value.encode(f"cp{page}")) if page else (0x001F, value.encode("utf-16-le"))


def _compound(root: _Node) -> bytes:
    """Lay out a file: mini stream, large streams, directory, tables of sectors, in this order."""
    sectors: list[bytes] = []
    chains: list[int] = []
    mini = bytearray()
    mini_chains: list[int] = []
    entries: list[tuple[_Node, list[int], int, int]] = []

    def put(content: bytes) -> int:
        if not content:
            return END
        first = len(sectors)
        sectors.extend(
            content[at : at + SECTOR].ljust(SECTOR, b"\0") for at in range(0, len(content), SECTOR)
        )
        chains.extend([*range(first + 1, len(sectors)), END])
        return first

    def put_mini(content: bytes) -> int:
        first = len(mini) // MINI
        mini.extend(content.ljust(-(-len(content) // MINI) * MINI, b"\0"))
        mini_chains.extend([*range(first + 1, len(mini) // MINI), END])
        return first

    def add(node: _Node) -> int:
        number = len(entries)
        entries.append((node, [], 0, 0))
        if node.content is None:
            children = [
                add(child) for child in sorted(node.children, key=lambda one: (len(one.name), one.name))
            ]
            entries[number] = (node, children, 0, 0)
        else:
            start = (put_mini if len(node.content) < CUTOFF else put)(node.content) if node.content else END
            entries[number] = (node, [], start, len(node.content))
        return number

    add(root)
    links = {child: following for _, kids, _, _ in entries for child, following in pairwise(kids)}
    mini_start = put(bytes(mini))
    records = b"".join(
        _record(node, links.get(number, NONE), kids[0] if kids else NONE, start, size)
        if number
        else _record(node, NONE, kids[0] if kids else NONE, mini_start, len(mini))
        for number, (node, kids, start, size) in enumerate(entries)
    )
    directory = put(records.ljust(-(-len(records) // SECTOR) * SECTOR, b"\0"))
    mini_table = struct.pack(f"<{len(mini_chains)}I", *mini_chains)
    mini_sectors = -(-len(mini_table) // SECTOR)
    first_mini = put(mini_table.ljust(mini_sectors * SECTOR, b"\xff"))
    tables = 1
    while tables * (SECTOR // 4) < len(chains) + tables:
        tables += 1
    places = range(len(sectors), len(sectors) + tables)
    table = struct.pack(f"<{len(chains) + tables}I", *chains, *[FAT] * tables)
    header = struct.pack(
        "<8s16sHHHHH6xIIIIIIIIII",
        bytes.fromhex("d0cf11e0a1b11ae1"),
        bytes(16),
        *(0x3E, 3, 0xFFFE, 9, 6),
        *(0, tables, directory, 0, CUTOFF, first_mini, mini_sectors, END, 0),
        *places[:1],
    )
    header += struct.pack(f"<{tables - 1}I", *places[1:])
    return header.ljust(SECTOR, b"\xff") + b"".join(sectors) + table.ljust(tables * SECTOR, b"\xff")


def _record(node: _Node, following: int, child: int, start: int, size: int) -> bytes:
    name = (node.name + "\0").encode("utf-16-le")
    kind = 5 if node.name == "Root Entry" else 1 if node.content is None else 2
    return _DIRECTORY_ENTRY.pack(
        name,
        len(name),
        kind,
        1,
        NONE,
        following,
        child,
        bytes(16),
        0,
        bytes(16),
        start if kind != 1 else 0,
        size,
    )
