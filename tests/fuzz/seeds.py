"""Seeds of the fuzz targets, out of the goldens: one folder a reader, below the folder that is named."""

import pathlib
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = pathlib.Path(sys.argv[1])


def seed(reader, name, octets):
    folder = OUT / reader
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(octets)


def copy(reader, pattern):
    found = sorted(ROOT.glob(pattern))
    assert found, pattern
    for path in found:
        seed(reader, "-".join(path.relative_to(ROOT).parts[1:]), path.read_bytes())


def executable(sections):
    """A PE32+ file with these sections, as far as it is measured (see crates/image/src/unified.rs)."""
    headers = 0x400
    octets = bytearray(headers)
    octets[0:2] = b"MZ"
    struct.pack_into("<I", octets, 0x3C, 0x80)
    octets[0x80:0x84] = b"PE\0\0"
    struct.pack_into("<HHIIIHH", octets, 0x84, 0x8664, len(sections), 0, 0, 0, 240, 0x22)
    struct.pack_into("<H", octets, 0x98, 0x20B)
    struct.pack_into("<I", octets, 0x98 + 60, headers)
    for number, (name, content) in enumerate(sections):
        entry = 0x98 + 240 + 40 * number
        octets[entry : entry + 8] = name.ljust(8, b"\0")
        struct.pack_into("<IIII", octets, entry + 8, len(content), 0x1000, len(content), len(octets))
        octets += content
    return bytes(octets)


for document in ("plan", "cps", "policy", "roster"):
    copy(document, f"golden/mdoc-root/*/inputs/{document}.toml")
    copy(document, f"ceremony-plans/*/**/{document}.toml")
copy("request", "ceremony-plans/mdoc-root/*/*.csr")
copy("certificate", "golden/mdoc-root/*/*.der")
copy("crl", "golden/mdoc-root/*/crl-*-0[16].crl")
copy("bundle", "golden/mdoc-root/*/transcript.sigstore.json")

kinds = {}
for book in sorted(ROOT.glob("golden/mdoc-root/*/*.jsonl")):
    for line in book.read_bytes().splitlines():
        # One record of each event and answer; the rest differ in what is signed.
        kind = line.split(b'"kind":')[-1][:24] + line[:1] + bytes(str(len(line) // 64), "ascii")
        kinds.setdefault(kind, line)
for number, line in enumerate(kinds.values()):
    seed("record", f"{number:03}", line)

digest = "ab" * 32
words = "format = 1\n"
seed("room", "drill", (words + f'''drill = true
terminal = "here"
[token]
module = "/usr/lib/softhsm/libsofthsm2.so"
sha256 = "{digest}"
serial = "0123456789abcdef"
[spare.spare]
module = "/usr/lib/softhsm/libsofthsm2.so"
sha256 = "{digest}"
serial = "fedcba9876543210"
label = "spare"
''').encode())
seed("anchor", "drill", (words + f'''ca = "mdoc-root"
mode = "drill"
[[ceremony]]
sequence = 1
name = "2026-04-genesis"
bindings = "{digest}"
head = "{" ".join(["aardvark", "adroitness"] * 16)}"
postscript = "{digest}"
audit-key = "{digest}"
signed-on = 2026-04-01
''').encode())

kernel = executable([(b".setup", b"k" * 512), (b".text", b"t" * 1024)])
seed("executable", "kernel", kernel)
seed("executable", "image", executable([(b".osrel", b"ID=x"), (b".cmdline", b"quiet"), (b".linux", kernel)]))
seed("volume", "unchanged", b"")
seed("volume", "table", bytes([0, 2, 40, 255]))
seed("volume", "cluster", bytes([0, 8, 3, 2]))
