"""An independent verifier of sealed key ceremonies; it shares no code with gishiki.

    python verify.py LEDGER [--anchor anchor.toml | --rehearsal | --drill]

LEDGER is a folder with one sealed folder for each ceremony, or one sealed first ceremony. It needs
Python 3.11 and `cryptography`, follows the documents beside it, and proves of each ceremony:

- names, kinds and sizes of all files before anything is read; no file more, none less;
- every record: canonical JSON, number, chain value, time, fields, origin, result, terminal; the
  order of operations in graph.txt, noted heads, digests of inputs, graph.txt and bindings.txt;
- signatures of people: on each event those of exactly the people who must sign it, under the keys
  in roster.toml and graph.txt, or in a rehearsal under those that everyone can compute;
- every key: one pair, new to the ledger; a key that everyone can compute in a rehearsal only;
- every signature of the token, under the key that the transcript recorded, over what was handed
  out; serial and CRL numbers as they are derived, none twice; no r twice in the whole ledger;
- certificates and CRLs: issuer, key, request, first day, the root certificate of the key that
  signed, and every octet where bindings.txt has the digest of what is to be signed;
- the seal and the manifest, computed again from all files; the postscript; one history: heads of
  the ceremony before, sequence, seeds, audit keys, the head on the token, all that an anchor pins.

Not judged: whether graph.txt (so also who signs an answer), bindings.txt and texts follow from the
inputs; rules of inputs, enrolments, key attributes; who signs answers of an abandoned ceremony;
whether people came of whom a ceremony with reserves records nothing; signatures not handed out, but
for form and r; what a token holds; the order after an interruption; extensions, end and subject of
what a new key signs; dates and reasons of CRL entries; anchors in words.

Exit: 0 verified under the anchor, or a consistent rehearsal or drill that was asked for; 4 refused;
7 consistent, but not anchored (nothing shows whose it is) or not pinned to its end; 64 wrong usage.
"""

import argparse, base64, datetime, hashlib, hmac, json, os, re, stat, sys, tomllib
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

FILE, FOLDER, FILES, DOCUMENT, MARKS = 64 << 20, 256 << 20, 65536, 3 << 20, 262144
RECORD, RECORDS, ENTRIES, ZEROS = 1 << 20, 262144, 4096, "00" * 32
# Curve, hash, octets of a number, and CKA_EC_PARAMS, by the name of the curve.
CURVES = {"P-256": (ec.SECP256R1(), hashes.SHA256(), 32, "06082a8648ce3d030107"),
          "P-384": (ec.SECP384R1(), hashes.SHA384(), 48, "06052b81040022")}
RDN = {"C": 6, "ST": 8, "L": 7, "O": 10, "OU": 11, "CN": 3, "serialNumber": 5}
# The result of each kind of event, and its fields; those in brackets may be absent.
EVENTS = {"opened": "begun format mode ceremony graph bindings inputs room [predecessor]",
          "asked": "begun op attempt", "answered": "done op attempt answer", "closed": "done end",
          "lost": "lost op attempt cause", "adopted": "done op attempt key",
          "orphan-removed": "done op attempt found by", "mistaken": "refused op attempt question",
          "refused": "refused op attempt rule reason by", "noted": "noted head by [mistaken]",
          "deviation": "noted op reason by", "card-failed": "noted person reason by", "sealed":
          "begun bundle", "resumed": "begun room torn copied dropped new-medium [refusal] [aside]"}
TOKEN = "identify|log(in|out)|inventory|(generate|sign|copy|destroy|clear|read|write|wrap)-"
AFTER_REFUSAL = "first-in|entry|roll-call|papers|clock|identify|activate|login|inventory|write-head"
# An operation of graph.txt: its name, whose cards sign its answer, whether the head is noted.
OPERATION = re.compile(r"(?m)^\d+ ([a-z0-9-]+)(?:: .*)? \[.*\] by [^;\n]*"
                       r"(?:; signed by (card|the card of [a-z0-9-]+))?(; the head is noted)?$")
SPKI = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
instant = datetime.datetime.fromisoformat
WHERE = ["ledger"]  # The file, and the line of it, where what is refused from now on is refused.

def need(holds, asked, found="something else"):
    """Refuse unless something holds."""
    if not holds:
        raise ValueError(f"asked {asked}, found {found}"[:600])

def sha256(octets):
    """Return SHA-256 in hexadecimal digits."""
    return hashlib.sha256(octets).hexdigest()

def sized(size, *parts):
    """Return the parts, each after its length in `size` octets."""
    return b"".join(len(part).to_bytes(size, "big") + part for part in parts)

def canonical(value):
    """Return canonical JSON (RFC 8785) of a value without fractions."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

def read(path, bound):
    """Return the octets of a regular file that keeps its bound; no symbolic link is followed."""
    WHERE[0] = path
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        need(stat.S_ISREG(os.fstat(file.fileno()).st_mode), "a regular file")
        octets = file.read(bound + 1)
    need(len(octets) <= bound, f"at most {bound} octets", "more")
    return octets

def toml(octets, place):
    """Return a TOML document that has no more marks than its bound."""
    WHERE[0] = place
    need(sum(map(octets.count, b"\n=,.[]{}")) <= MARKS, f"at most {MARKS} marks", "more")
    return tomllib.loads(octets.decode())

def names_in(folder):
    """Judge names, kinds and sizes in a sealed folder; return the bound of each file."""
    bounds, total = {}, 0
    for entry in [*os.scandir(folder), *os.scandir(f"{folder}/inputs")]:
        name, info = entry.path[len(folder) + 1:], entry.stat(follow_symlinks=False)
        if name == "inputs" and stat.S_ISDIR(info.st_mode):
            continue
        bounds[name] = DOCUMENT if name.endswith(".toml") else 16384 if "/" in name else (
            65536 if name.endswith(".der") else FILE)
        total += info.st_size
        WHERE[0] = entry.path
        need(re.fullmatch("[A-Za-z0-9._-]{1,128}", entry.name) and stat.S_ISREG(info.st_mode)
             and info.st_size <= bounds[name], f"a file of at most {bounds[name]} octets", name)
        need(len(bounds) <= FILES and total <= FOLDER, "fewer files or octets")
    return bounds

class Ceremony:
    """One sealed folder, or the folder of an abandoned ceremony."""
    def __init__(self, folder):
        """Judge names and sizes, read every file once, and read inputs and operations."""
        self.files = {n: read(f"{folder}/{n}", b) for n, b in sorted(names_in(folder).items())}
        inputs = {n: toml(o, f"{folder}/{n}") for n, o in self.files.items() if n[-5:] == ".toml"}
        self.plan, self.policy = inputs["inputs/plan.toml"], inputs["inputs/policy.toml"]
        self.folder, self.name, self.ca = folder, self.plan["ceremony"], self.policy["ca"]
        self.number, self.seed = self.plan["sequence"], bytes.fromhex(self.plan["serials"])
        self.issuer = x509.Name([x509.NameAttribute(x509.ObjectIdentifier(f"2.5.4.{RDN[k]}"), v)
                                 for rdn in self.ca["name"] for k, v in rdn.items()])
        self.roster, self.came = inputs["inputs/roster.toml"]["person"], {}
        self.reserves, self.failed, self.signed = self.plan.get("reserves", []), set(), 0
        self.people, self.sheets = {*self.plan["participants"], *self.reserves}, {}
        self.abandoned, self.window = "journal.jsonl" in self.files, self.plan["window"]
        self.book = "journal.jsonl" if self.abandoned else "transcript.jsonl"
        self.graph = self.files.get("graph.txt", b"").decode()
        self.ops = {op: (card, note) for op, card, note in OPERATION.findall(self.graph)}

    def records(self, name, terminal=None, last=None):
        """Judge each record of a book by itself; return place, record and event of each."""
        chain, found, lines = bytes(32), [], self.files[name].split(b"\n")
        need(lines.pop() == b"" and 0 < len(lines) <= RECORDS, f"lines in {name}")
        for number, line in enumerate(lines):
            WHERE[0] = f"{self.folder}/{name}:{number + 1}"
            record = json.loads(line, parse_float=int) if len(line) <= RECORD else None
            need(canonical(record) == line and b":null" not in line, "canonical JSON")
            event, kind, when = record["event"], record["event"]["kind"], instant(record["at"])
            result, shape = EVENTS[kind].split(" ", 1)
            must, may = re.sub(r"\[\S+\]", "", shape).split(), re.findall(r"[\w-]+", shape)
            need({"kind", *must} <= set(event) <= {"kind", *may}, f"the fields {shape}", event)
            answer = event.get("answer", {"from": "token" if "key" in event else ""})
            people, rule = event.get("by", answer.get("by", [])), event.get("rule", "people")
            said = answer if re.match(TOKEN, event.get("op", "")) else {"from", "by", "facts"}
            need("answer" not in event or set(answer) == set(said) and answer["from"] == (
                "token" if "token" in answer else "people"), "another answer", answer)
            need(people == sorted(set(people)) and (number == 0) == (kind in ("opened", "sealed"))
                 and ("by" not in event or bool(people) == (rule == "people")), "another", event)
            before, chain = chain.hex(), hashlib.sha256(sized(8, b"gishiki record v1", chain,
                canonical({k: v for k, v in record.items() if k != "chain"}))).digest()
            terminal = event.get("room", {}).get("terminal", terminal)
            origin = "token" if answer["from"] == "token" else " ".join(people) or "gishiki"
            asked = {"at": when.isoformat()[:19] + self.ca["offset"], "chain": chain.hex(),
                     "event": event, "number": number, "origin": origin, "terminal": terminal,
                     "result": "refused" if event.get("end") == "aborted" else result}
            need({k: v for k, v in record.items() if k != "signed"} == asked, asked, record)
            need(not last or last <= when, f"a time not before {last}", when)
            found.append((WHERE[0], record, event, before))
            last = when
        return found

    def walk(self, book, sealed=False):
        """Judge the order of a book's events; yield each, with the chain value at its question."""
        ops, cut = list(self.ops), list(self.ops).index("seal")
        ops = ops[cut + 1:] if sealed else ops[:cut]
        todo = [op for op in ops if op[:5] != "exit-" or self.came.get(op[5:], True)]
        loose = self.loose = sealed and self.loose
        lost, current, last, head, note, stopped, ended = {}, None, None, None, False, False, sealed
        for place, record, event, before in book:
            WHERE[0] = place
            kind, op, attempt = event["kind"], event.get("op"), event.get("attempt")
            words = kind in ("mistaken", "deviation", "refused")
            closing = kind == "deviation" and not ended and (stopped or not todo)
            about = last if current or note or kind == "refused" else "seal" if closing else None
            over = kind == "closed" or kind == "card-failed" and not (todo or loose)
            need((kind == "resumed" or not (over if sealed else ended)) and (
                loose or not words or op == about) and (not note or words or kind in (
                    "noted", "resumed", "card-failed")), "another event", event)
            if kind == "asked":
                may = ops if loose or stopped else todo[:1]
                need(not current and op in may and (not stopped or re.match(AFTER_REFUSAL, op)),
                     f"one of {may}", op)
                need(loose or attempt == lost.get(op, 0), "the next attempt", attempt)
                need(loose or stopped or sealed or self.window["from"] <= instant(record["at"])
                     <= self.window["until"], "a time in the window", record["at"])
                current, last, head = (op, attempt), op, record["chain"]
            elif kind in ("lost", "orphan-removed", "adopted", "answered"):
                in_doubt = loose and not current and kind != "answered"
                need(current == (op, attempt) or in_doubt, f"an end of {current}", op)
                current, lost[op] = None, attempt + 1
                note = kind == "orphan-removed" or kind != "lost" and bool(self.ops[op][1])
            elif kind == "refused":
                current, note, stopped = None, not sealed, not sealed
            elif kind == "noted":
                need(note and event["head"] == before, f"the head {before}", event["head"])
                note = False
            elif kind == "resumed":
                current, note, ended, loose = None, False, sealed, True
            elif kind == "closed":
                may = {"aborted": stopped or loose, "completed": not stopped and not todo}
                need(not current and "login" not in todo and may[event["end"]], todo, kind)
                self.loose, ended = loose or event["end"] == "aborted", True
            if kind in ("adopted", "answered", "refused"):
                todo = [other for other in todo if other != op]
            yield place, record, event, before, head
        need(ended, "the end of the ceremony", "none")

    def serial(self, mode, name, attempt):
        """Return the serial number that is derived for a certificate."""
        text = b"gishiki serial v1" + (b"" if mode == "real" else b" " + mode.encode()) + sized(
            4, self.issuer.public_bytes(), name.encode()) + attempt.to_bytes(4)
        tries = (hmac.digest(self.seed, text + bytes((0, 0, 0, n)), "sha384") for n in range(256))
        return int.from_bytes(next(o for o in tries if o[0] & 127)[:20]) & ((1 << 159) - 1)

    def rehearsed(self, use, curve, count=0):
        """Return the public key that everyone can compute for a use, a curve and a count."""
        seed = hmac.digest(b"gishiki rehearsal v1", self.issuer.public_bytes(), "sha384")
        seed = hmac.digest(seed, f"{use}{curve}\1".encode(), "sha384")[1:CURVES[curve][2]]
        return ec.derive_private_key(int.from_bytes(seed) + count, CURVES[curve][0]).public_key()

    def cards(self, mode):
        """Judge the keys of people in roster and graph.txt; return those that they sign with."""
        WHERE[0] = f"{self.folder}/inputs/roster.toml"
        known, named = {n: self.rehearsed(f"person{n}", "P-256") for n in self.roster}, {}
        for name, person in self.roster.items():
            octets = base64.b64decode(person["credential"]["public-key"], validate=True)
            key = named[name] = serialization.load_der_public_key(octets)
            curve = {CURVES[n][0].name: n for n in CURVES}[key.curve.name]
            need(mode != "real" or key not in known.values(), f"a key that only {name} has")
            line = rf"(?m)^{re.escape(name)} .*\n +card {curve}, sha256 {sha256(octets)}$"
            need(name not in self.people or self.abandoned or re.search(line, self.graph), line)
        return known if mode == "rehearsal" else named

    def verify(self, key, signature, text, kind=None):
        """Verify a signature, in DER, over a text, or over its DSSE encoding as a kind."""
        text = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(text), text) if kind else text
        key.verify(signature, text, ec.ECDSA(CURVES[f"P-{key.key_size}"][1]))
        self.signed += 1

class Ledger:
    """What the ceremonies so far have left, and the judgement of the next one."""
    def __init__(self, mode):
        """Begin with nothing but the mode that was asked for."""
        self.mode, self.keys, self.seen, self.heads, self.withheld = mode, {}, set(), set(), {}
        self.audit = self.audit_id = self.last = self.when = self.ca = self.token = None
        self.certificates, self.sequence, self.journal, self.name = {}, 0, None, "nothing"

    def once(self, what, value):
        """Refuse a value that the ledger has already."""
        need((what, value) not in self.seen, f"a new {what}", value)
        self.seen.add((what, value))

    def der(self, digits, size):
        """Return in DER a signature that is r and s in digits, each of `size` octets; r is new."""
        need(re.fullmatch("[0-9a-f]{%d}" % (4 * size), digits), "r and s", digits)
        self.once("r of a signature", digits[:64])
        return utils.encode_dss_signature(int(digits[:2 * size], 16), int(digits[2 * size:], 16))

    def judge(self, one, pin):
        """Judge the next ceremony, and take over what it leaves."""
        book, made = one.records(one.book, None, self.when), self.audit_id
        kinds, first = [event["kind"] for _, _, event, _ in book], book[0][2]
        end = "aborted" if one.abandoned else book[-1][2].get("end")
        names, said = {n for n in one.files if n[:7] == "inputs/"} | {one.book}, ["script"]
        if end == "completed":
            built = [*one.plan.get("certificate", {}), *one.plan.get("release", [])]
            names |= {f"{name}.{form}" for name in built for form in ("der", "txt")}
            names |= {n for n in one.files if n.endswith(".crl") or n == "crls.txt"}
            grounds = [revoked["ground"] for revoked in one.plan.get("revocation", {}).values()]
            said += ["notice"] * ("key-compromise" in grounds or "compromise" in one.plan)
        if not one.abandoned:
            names |= {"graph.txt", "bindings.txt", "manifest.json", "transcript.sigstore.json"}
            names |= {f"{name}.{lang}.md" for name in said for lang in one.ca["languages"]}
            names |= {"after.jsonl"} & set(one.files)
        need(names == set(one.files), "the files that follow", names ^ set(one.files))
        self.opened(one, book[0][0], first)
        self.head, self.when = book[-1][1]["chain"], instant(book[-1][1]["at"])
        self.events(one, first, book)
        if end == "completed":
            names = [n for n in one.files if n.endswith((".crl", ".der"))]
            for name in sorted(names, key=lambda n: (n[-3:] == "crl", n[:5] != "root-", n)):
                WHERE[0] = f"{one.folder}/{name}"
                self.structure(one, name[:-4], one.files[name], name[-3:] == "crl")
            need(not one.sheets, "a file for each signature", one.sheets)
        for name in one.plan.get("certificate", {}) if end == "aborted" else ():
            self.withheld[name] = one
            self.certificates[name] = {one.serial(self.mode, name, n) for n in one.sheets.values()}
        self.last = {"head": self.head, "postscript": ZEROS}
        if not one.abandoned:
            self.seal(one, first, end, kinds, book[-1][1]["terminal"])
        self.journal = sha256(one.files[one.book]) if one.abandoned else None
        stated = {"sequence": one.number, "name": one.name, "bindings": first["bindings"]}
        stated |= self.last | ({"audit-key": self.audit_id} if made != self.audit_id else {})
        need(pin is None or stated | {"signed-on": pin["signed-on"]} == pin, pin, stated)

    def opened(self, one, place, event):
        """Judge the first record, and what must not change from ceremony to ceremony."""
        WHERE[0] = place
        asked = {"format": 1, "ceremony": one.plan["ceremony"], "inputs": {
            name[7:]: sha256(sized(8, b"gishiki input v1", octets))
            for name, octets in one.files.items() if name.startswith("inputs/")}}
        for name in ("graph", "bindings") if not one.abandoned else ():
            asked[name] = sha256(sized(8, f"gishiki {name} v1".encode(), one.files[f"{name}.txt"]))
        asked |= {"predecessor": self.last, "mode": self.mode or event["mode"]}
        for name, value in asked.items():
            need(event.get(name) == value, f"{name} {value}", event.get(name))
        self.mode, ca = event["mode"], [one.ca[n] for n in ("id", "name", "offset")]
        need(self.mode in ("rehearsal", "drill", "real"), "another mode", self.mode)
        need(one.plan.get("abandoned") == self.journal, f"the journal {self.journal} named")
        need(self.sequence < one.number < 1 << 31 and one.plan["after"] == self.name,
             f"a sequence that rises, after {self.name}", one.plan["after"])
        self.once("seed", one.plan["serials"])
        token, other = event["room"]["token"], {"recovery", "lost"} & set(one.plan)
        need((self.token in (None, token) or other) and self.ca in (None, ca),
             f"the token {self.token} of the CA {self.ca}", (token, ca))
        need(self.mode != "rehearsal" or [event["room"][n] for n in (
            "room", "terminal", "tool", "image")] == ["rehearsal"] * 4, "its room", event)
        self.ca, self.token, self.sequence, self.name = ca, token, one.number, one.name
        one.keys = one.cards(self.mode)

    def events(self, one, first, book, sealed=False):
        """Judge the order of a book, who signed its events, and what its answers say."""
        stated = {n: first[n] for n in ("bindings", "graph", "ceremony")} | {"ca": one.ca["id"]}
        walk = ((*entry, None) for entry in book) if one.abandoned else one.walk(book, sealed)
        for place, record, event, before, head in walk:
            kind, op, given = event["kind"], event.get("op", ""), record.get("signed", {})
            answer, lifted = event.get("answer", {}), event.get("refusal", {}).get("lifted", [])
            by, person = set(event.get("by", answer.get("by", []))), event.get("person")
            if answer and op.startswith(("first-in", "entry-")):
                came = not one.reserves or answer["facts"].get("attendance") != "absent"
                one.came |= dict.fromkeys(by, True) if op == "first-in" else {op[6:]: came}
            card = one.ops[op][0] if op in one.ops else "card" if given else ""
            present = {n for n in one.people if one.came.get(n, not one.reserves or n in given)}
            who = {"answered": by if card == "card" else {card[12:]} - {""}, "closed": present,
                   "refused": by, "deviation": by, "card-failed": by,
                   "resumed": {*event.get("new-medium", []), *lifted}}.get(kind, set()) - one.failed
            WHERE[0] = place
            need(set(given) == who <= one.people and ("signed" in record) == bool(who),
                 f"signatures of {sorted(who)}", sorted(given))
            if kind == "card-failed":
                roles = {role for name in by for role in one.roster[name]["roles"]}
                need(len(by) == 2 <= len(roles) and person in one.people and not by & {
                    person, *one.failed}, "two others of two roles, whose cards sign", event)
                one.failed.add(person)
            for name, digits in given.items():
                WHERE[0] = f"{place}, {name}"
                text = canonical(stated | {"event": event, "head": before, "person": name})
                signature = self.der(digits, one.keys[name].key_size // 8)
                one.verify(one.keys[name], signature, text, "application/vnd.gishiki.act.v1+json")
            if (kind, op) == ("asked", "write-head"):
                self.heads.add(f"{one.number:08x}{record['chain']}")
            elif kind in ("answered", "adopted"):
                self.answer(one, first, event, head)

    def answer(self, one, first, event, head):
        """Judge what an answer says."""
        op, answer = event["op"], event.get("answer", event.get("key"))
        made = one.files.get(op.removeprefix("fingerprint-") + ".der")
        said = {"papers": first, "anchor-words": {"head": self.head, "audit-key": self.audit_id}
                }.get(op, {"sha256": made and sha256(made)})
        for name, fact in answer.get("facts", {}).items():
            need(not said.get(name) or len(fact) > 15 and said[name].startswith(fact),
                 f"16 digits or more of {said.get(name)}", fact)
        if op.startswith("generate-"):
            self.key(one, op[9:], answer)
        elif op == "identify" or op.startswith(("destroy-", "clear-")):
            need((answer.get("objects", 0), answer.get("serial", self.token)) == (0, self.token),
                 f"the token {self.token}, no object left", answer)
        elif op in ("write-head", "read-head") and not one.abandoned:
            may = {f"{one.number:08x}{head}"} if op == "write-head" else self.heads
            need(answer["values"] in [[value] for value in may], may, answer)
            self.heads = set(answer["values"])
        size = 32 if op == "sign-head" else CURVES[one.policy["root"]["curve"]][2]
        for digits in answer["signatures"] if op.startswith("sign-") else ():
            one.sheets[self.der(digits, size)] = event["attempt"]
        if op == "sign-head" and not one.abandoned:
            need(len(answer["signatures"]) == 1, "one signature", answer)
            der, text = one.sheets.popitem()[0], canonical({"ceremony": one.name, "head": head})
            one.verify(self.audit, der, text, "application/vnd.gishiki.head.v1+json")

    def key(self, one, name, facts):
        """Judge a new key pair, and keep its public key."""
        use = "audit" if name.startswith("audit") else "root"
        group, _, _, parameters = CURVES[one.policy[use]["curve"]]
        need([facts[n] for n in ("privates", "publics", "parameters", "labels")] == [
            1, 1, parameters, [f"{one.ca['id']} {name}"] * 2], "one key pair", facts)
        key = ec.EllipticCurvePublicKey.from_encoded_point(group, bytes.fromhex(facts["point"]))
        self.once("key", key.public_bytes(*SPKI))
        known = any(one.rehearsed(use, one.policy[use]["curve"], n) == key for n in range(256))
        need(known == (self.mode == "rehearsal"), "a rehearsal key in rehearsals only")
        self.keys[name] = key
        if use == "audit":
            self.audit, self.audit_id = key, sha256(key.public_bytes(*SPKI))

    def structure(self, one, name, octets, is_crl):
        """Judge one certificate or CRL."""
        made = self.withheld.get(name, one)
        plan = made.plan.get("certificate", {}).get(name, {})
        found = (x509.load_der_x509_crl if is_crl else x509.load_der_x509_certificate)(octets)
        body = found.tbs_certlist_bytes if is_crl else found.tbs_certificate_bytes
        by = name[4:-11] if is_crl else plan.get("issuer", plan.get("key"))
        attempt = made.sheets.pop(found.signature, None)
        need(attempt is not None, "a signature of the transcript", found.signature.hex())
        one.verify(self.keys[by], found.signature, body)
        if is_crl:
            told = found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
            day = found.last_update_utc.astimezone(one.window["from"].tzinfo).date().isoformat()
            need((told >> 16, told & 15, day) == (one.number, attempt, name[-10:]), "its number")
            self.once("CRL number", told)
            entries = [entry.serial_number for entry in found]
            due = [self.certificates[n] & set(entries) for n in one.plan.get("revocation", {})]
            need(entries == sorted(set(entries)) and all(due) and set(entries) <= set().union(
                *self.certificates.values()), "revocations by serial number", entries)
        else:
            serial, key = made.serial(self.mode, name, attempt), found.public_key()
            asked = serial, plan.get("not-before", found.not_valid_before_utc)
            need((found.serial_number, found.not_valid_before_utc) == asked, asked, found)
            self.once("serial number", serial)
            need(serial in self.certificates.setdefault(name, {serial}), "a new name", name)
            if "csr" in plan:
                octets = made.files[f"inputs/{plan['csr']}"]
                request = x509.load_pem_x509_csr(octets)
                need(request.is_signature_valid and request.public_key() == key
                     and sha256(octets) == plan["csr-sha256"], "its request")
                self.once("certified key", key.public_bytes(*SPKI))
                one.signed += 1
            else:
                need((key, found.subject) == (self.keys[plan["key"]], one.issuer), "its key")
        need(found.issuer == one.issuer and f"root-{by}" in self.certificates, f"issuer root-{by}")
        line = f"(?m)^«{name}[.].*» = .*; {len(body)} octets, (sha256 {sha256(body)}$|open )"
        need(attempt or re.search(line, made.files["bindings.txt"].decode()), line)

    def seal(self, one, first, end, kinds, terminal):
        """Judge seal, postscript and manifest."""
        name, kind = "transcript.sigstore.json", "application/vnd.in-toto+json"
        WHERE[0] = f"{one.folder}/{name}"
        facts = {n: first[n] for n in ("bindings", "ceremony", "format", "graph", "mode")}
        facts |= {"audit-key": self.audit_id, "end": end, "head": self.head, "sequence": one.number}
        files = [{"name": n, "octets": len(octets), "sha256": sha256(octets)}
                 for n, octets in sorted(one.files.items()) if n != "manifest.json"]
        subject = [{"name": file["name"], "digest": {"sha256": file["sha256"]}} for file in files
                   if file["name"] not in (name, "after.jsonl")]
        said = facts | {"ca": one.ca["id"], "sessions": 1 + kinds.count("resumed")}
        text = canonical({"predicateType": "https://gishiki.example/ceremony/v1", "predicate": said,
                          "_type": "https://in-toto.io/Statement/v1", "subject": subject})
        given = json.loads(one.files[name])["dsseEnvelope"]["signatures"][0]["sig"]
        signature = base64.b64decode(given, validate=True)
        envelope = {"payloadType": kind, "payload": base64.b64encode(text).decode(),
                    "signatures": [{"sig": base64.b64encode(signature).decode()}]}
        bundle = canonical({"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
                            "verificationMaterial": {"publicKey": {"hint": self.audit_id}},
                            "dsseEnvelope": envelope}) + b"\n"
        need(one.files[name] == bundle, "the seal that follows from the files")
        self.once("r of a signature", f"{utils.decode_dss_signature(signature)[0]:064x}")
        one.verify(self.audit, signature, text, kind)
        if "after.jsonl" in one.files:
            book = one.records("after.jsonl", terminal, self.when)
            WHERE[0] = book[0][0]
            need(book[0][2].get("bundle") == sha256(bundle), f"the seal {sha256(bundle)}")
            self.events(one, first, book, True)
            self.when, self.last["postscript"] = instant(book[-1][1]["at"]), book[-1][1]["chain"]
        WHERE[0] = f"{one.folder}/manifest.json"
        facts |= {"postscript": self.last["postscript"], "files": files}
        text = json.dumps(facts, ensure_ascii=False, sort_keys=True, indent=2) + "\n"
        need(one.files["manifest.json"] == text.encode(), "the manifest that follows")

def judge(folder, mode, path):
    """Judge a ledger, under an anchor if there is one; return its verdict and exit code."""
    anchor = {"format": 1, "ca": None, "mode": mode, "ceremony": []}
    anchor = toml(read(path, DOCUMENT), path) if path else anchor
    need(set(anchor) == {"format", "ca", "mode", "ceremony"} and anchor["format"] == 1 and (
        not path or anchor["mode"] in ("real", "drill")), "an anchor", anchor)
    names = os.listdir(folder)[:ENTRIES + 1]
    plans = {name: f"{folder}/{name}/inputs/plan.toml" for name in names if "inputs" not in names}
    order = sorted(plans, key=lambda n: toml(read(plans[n], DOCUMENT), n)["sequence"]) or [""]
    pins, ledger, signed = anchor["ceremony"], Ledger(anchor["mode"]), 0
    need(len(pins) <= len(order) <= ENTRIES, f"the {len(pins)} pinned ceremonies", order)
    for number, name in enumerate(order):
        one = Ceremony(f"{folder}/{name}".rstrip("/"))
        need(anchor["ca"] in (None, one.ca["id"]) and name in ("", one.name), "its name", one.name)
        ledger.judge(one, pins[number] if number < len(pins) else None)
        signed += one.signed
        print(f"{one.name:40} {one.signed} signatures", flush=True)
    need(not ledger.journal, "a plan after it that names its journal", "none")
    if not anchor["mode"] or path and len(order) > len(pins):
        state = f"pinned from {order[len(pins)]} on" if path else "anchored"
        return f"consistent, not {state}: {ledger.mode}, {signed} signatures verified", 7
    return f"{ledger.mode}, {'verified' if path else 'consistent'}: {signed} signatures verified", 0

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Judge a ledger of sealed key ceremonies.")
    parser.error = lambda text: parser.exit(64, f"{text}\n")
    parser.add_argument("ledger")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--anchor")
    for word in ("rehearsal", "drill"):
        only.add_argument(f"--{word}", dest="mode", action="store_const", const=word)
    given = parser.parse_args()
    try:
        verdict, code = judge(given.ledger.rstrip("/"), given.mode, given.anchor)
    except Exception as why:
        parser.exit(4, f"refused: {WHERE[0]}: {why if type(why) is ValueError else repr(why)}\n")
    print(verdict)
    sys.exit(code)
