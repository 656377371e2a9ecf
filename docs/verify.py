"""An independent verifier of sealed key ceremonies; it shares no code with gishiki.

    python verify.py LEDGER [--anchor anchor.toml] [--rehearsal | --drill]

LEDGER is a folder with one sealed folder for each ceremony, or one sealed first ceremony. It needs
Python 3.11 and the package `cryptography`, and follows transcript-format.md, ledger.md, anchor.md,
plan-format.md and bounds.md. What it proves of each ceremony, in the order of the ledger:

- names, kinds and sizes of all files before anything is read; no file more, none less;
- every record: canonical JSON, number, chain value, time, fields, origin, result, terminal;
- the order of operations in graph.txt, noted heads, digests of inputs, graph.txt and bindings.txt;
- every key: one pair, new to the ledger; a key that everyone can compute in a rehearsal only;
- every signature of the token, under the key that the transcript recorded, over what was handed
  out; serial and CRL numbers as they are derived, none twice; no r twice in the whole ledger;
- certificates and CRLs: issuer, key, request, first day, the root certificate of the key that
  signed, and every octet where bindings.txt has the digest of what is to be signed;
- the seal and the manifest, computed again from all files; the postscript; one history: heads of
  the ceremony before, sequence, seeds, audit keys, the head on the token, all that an anchor pins.

Without an anchor nothing shows whose ledger it is. Not judged here: whether graph.txt, bindings.txt
and texts follow from the inputs; rules of inputs, people, key attributes; signatures not handed
out, but for form and r; what a token holds; the order after an interruption; extensions, end and
subject of what a new key signs; dates and reasons of CRL entries; an anchor written in words.

Exit codes: 0 verified under the anchor, or a consistent rehearsal or drill that was asked for;
4 refused; 7 consistent, but not anchored, or not pinned to its end; 64 wrong command line.
"""

import argparse, base64, contextlib, datetime, hashlib, hmac, json, os, re, stat, sys, tomllib
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

FILE, FOLDER, FILES, DOCUMENT, MARKS = 64 << 20, 256 << 20, 65536, 3 << 20, 262144
RECORD, RECORDS, ENTRIES, ZEROS = 1 << 20, 262144, 4096, "00" * 32
# Curve, hash, octets of a number, and CKA_EC_PARAMS, by the name of the curve.
CURVES = {"P-256": (ec.SECP256R1(), hashes.SHA256(), 32, "06082a8648ce3d030107"),
          "P-384": (ec.SECP384R1(), hashes.SHA384(), 48, "06052b81040022")}
RDN = {"C": "2.5.4.6", "ST": "2.5.4.8", "L": "2.5.4.7", "O": "2.5.4.10", "OU": "2.5.4.11",
       "CN": "2.5.4.3", "serialNumber": "2.5.4.5"}
# The result of each kind of event, and its fields; those in brackets may be absent.
EVENTS = {
    "opened": "begun format mode ceremony graph bindings inputs room [predecessor]",
    "asked": "begun op attempt", "answered": "done op attempt answer",
    "lost": "lost op attempt cause", "adopted": "done op attempt key",
    "orphan-removed": "done op attempt found by", "refused": "refused op attempt rule reason by",
    "mistaken": "refused op attempt question", "noted": "noted head by [mistaken]",
    "deviation": "noted op reason by", "closed": "done end", "sealed": "begun bundle",
    "resumed": "begun room torn copied dropped new-medium [refusal] [aside]",
    "record": "at chain event number origin result terminal"}
TOKEN = "identify|log(in|out)|inventory|(generate|sign|copy|destroy|clear|read|write|wrap)-"
AFTER_REFUSAL = "first-in|entry|roll-call|papers|clock|identify|activate|login|inventory|write-head"
# An operation of graph.txt: its name, and whether the head is noted after it.
OPERATION = re.compile(r"(?m)^\d+ ([a-z0-9-]+)(?:: .*)? \[.*\] by [^;\n]*(; the head is noted)?$")
SPKI = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
instant, DSSE = datetime.datetime.fromisoformat, b"DSSEv1 %d %s %d %s"

class Refused(Exception):
    """A refusal: the place, what was asked and what was found."""

def need(holds, place, asked, found="something else"):
    """Refuse at a place unless something holds."""
    if not holds:
        if isinstance(asked, dict):
            names = [name for name in asked if asked[name] != found.get(name)]
            asked, found = ({name: side.get(name) for name in names} for side in (asked, found))
        raise Refused(f"{place}: asked {asked}, found {found}"[:600])

@contextlib.contextmanager
def at(place, asked):
    """Turn every error of a reader or verifier into a refusal at this place."""
    try:
        yield
    except Exception as error:
        need(isinstance(error, Refused), place, asked, f"{type(error).__name__}: {error}")
        raise

def sha256(octets):
    """Return SHA-256 in hexadecimal digits."""
    return hashlib.sha256(octets).hexdigest()

def sized(size, *parts):
    """Return the parts, each after its length in `size` octets."""
    return b"".join(len(part).to_bytes(size, "big") + part for part in parts)

def canonical(value, **form):
    """Return canonical JSON (RFC 8785) of a value without fractions."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, **(
        form or {"separators": (",", ":")})).encode()

def read(path, bound):
    """Return the octets of a regular file that keeps its bound; no symbolic link is followed."""
    with at(path, "a readable file"):
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(handle, "rb") as file:
            need(stat.S_ISREG(os.fstat(handle).st_mode), path, "a regular file")
            octets = file.read(bound + 1)
    need(len(octets) <= bound, path, f"at most {bound} octets", "more")
    return octets

def toml(octets, place):
    """Return a TOML document that has no more marks than its bound."""
    need(sum(map(octets.count, b"\n=,.[]{}")) <= MARKS, place, f"{MARKS} marks", "more")
    with at(place, "TOML"):
        return tomllib.loads(octets.decode())

def names_in(folder, inner=""):
    """Judge names, kinds and sizes in a sealed folder; return the bound of each file."""
    bounds, total = {}, 0
    with at(folder, "a folder"), os.scandir(folder) as entries:
        for entry in entries:
            name, place = inner + entry.name, f"{folder}/{entry.name}"
            need(re.fullmatch("[A-Za-z0-9._-]{1,128}", entry.name), place, "another name")
            if name == "inputs" and entry.is_dir(follow_symlinks=False):
                bounds |= names_in(place, "inputs/")
                continue
            info = entry.stat(follow_symlinks=False)
            bounds[name] = DOCUMENT if name.endswith(".toml") else 16384 if inner else (
                65536 if name.endswith(".der") else FILE)
            total += info.st_size
            need(stat.S_ISREG(info.st_mode) and info.st_size <= bounds[name], place,
                 f"a regular file of at most {bounds[name]} octets")
            need(len(bounds) <= FILES and total <= FOLDER, folder, "fewer files or octets")
    return bounds

class Ceremony:
    """One sealed folder, or the folder of an abandoned ceremony."""
    def __init__(self, folder):
        """Judge names and sizes, read every file once, and read plan, policy and operations."""
        self.folder, self.name = folder, os.path.basename(os.path.abspath(folder))
        self.files = {n: read(f"{folder}/{n}", b) for n, b in sorted(names_in(folder).items())}
        inputs = {n: toml(o, f"{folder}/{n}") for n, o in self.files.items() if n[-5:] == ".toml"}
        self.plan, self.policy = inputs["inputs/plan.toml"], inputs["inputs/policy.toml"]
        self.abandoned, self.signed, self.absent = "journal.jsonl" in self.files, 0, set()
        self.book = "journal.jsonl" if self.abandoned else "transcript.jsonl"
        self.ca, self.seed = self.policy["ca"], bytes.fromhex(self.plan["serials"])
        self.number, self.window, self.sheets = self.plan["sequence"], self.plan["window"], {}
        self.issuer = x509.Name([x509.NameAttribute(x509.ObjectIdentifier(RDN[k]), v)
                                 for rdn in self.ca["name"] for k, v in rdn.items()])
        graph = "" if self.abandoned else self.files["graph.txt"].decode()
        self.ops = {found[1]: found for found in OPERATION.finditer(graph)}

    def records(self, name, terminal=None, last=None):
        """Judge each record of a book by itself; return place, record and event of each."""
        chain, found, lines = bytes(32), [], self.files[name].split(b"\n")
        need(lines.pop() == b"" and 0 < len(lines) <= RECORDS, f"{self.folder}/{name}", "lines")
        for number, line in enumerate(lines):
            place = f"{self.folder}/{name}:{number + 1}"
            with at(place, "a record"):
                record = json.loads(line) if len(line) <= RECORD else None
                need(canonical(record) == line and b":null" not in line, place, "canonical JSON")
                event, when = record["event"], instant(record["at"])
                result, shape = EVENTS[event["kind"]].split(" ", 1)
                for value, names in ((event, "kind " + shape), (record, EVENTS["record"])):
                    must, may = re.sub(r"\[\S+\]", "", names).split(), re.findall(r"[\w-]+", names)
                    need(set(must) <= set(value) <= set(may), place, f"the fields {names}", value)
                answer = event.get("answer", {"from": "token" if "key" in event else ""})
                people = event.get("by", answer.get("by", []))
                said = answer if re.match(TOKEN, event.get("op", "")) else {"from", "by", "facts"}
                need("answer" not in event or set(answer) == set(said) and answer["from"] == (
                    "token" if "token" in answer else "people"), place, "another answer", answer)
                need(people == sorted(set(people)), place, "each person once, sorted", people)
                before, chain = chain.hex(), hashlib.sha256(sized(8, b"gishiki record v1", chain,
                    canonical({k: v for k, v in record.items() if k != "chain"}))).digest()
                terminal = event.get("room", {}).get("terminal", terminal)
                asked = {"number": number, "chain": chain.hex(), "terminal": terminal, "origin":
                         "token" if answer["from"] == "token" else " ".join(people) or "gishiki",
                         "result": "refused" if event.get("end") == "aborted" else result}
                need(asked.items() <= record.items(), place, asked, record)
                need(when.isoformat() == record["at"] and record["at"][19:] == self.ca["offset"]
                     and (not last or last <= when), place, f"a time not before {last}", when)
                last = when
            found.append((place, record, event, before))
        return found

    def walk(self, book, sealed=False):
        """Judge the order of a book's events; return each answer with its place and question."""
        ops, cut = list(self.ops), list(self.ops).index("seal")
        ops = ops[cut + 1:] if sealed else ops[:cut]
        todo, lost, answers = [op for op in ops if op not in self.absent], {}, []
        loose = self.loose = sealed and self.loose
        current = last = head = None
        note, stopped, ended = False, False, sealed
        for place, record, event, before in book:
            kind, op, attempt = event["kind"], event.get("op"), event.get("attempt")
            words = kind in ("mistaken", "deviation", "refused")
            need((sealed or not ended or kind == "resumed") and (not note or words or kind in (
                "noted", "resumed")) and (loose or not words or op == last), place, "another", kind)
            if kind == "asked":
                may = ops if loose or stopped else todo[:1]
                need(not current and op in may and (not stopped or re.match(AFTER_REFUSAL, op)),
                     place, f"one of {may}", op)
                need(loose or attempt == lost.get(op, 0), place, "the next attempt", attempt)
                need(loose or stopped or sealed or self.window["from"] <= instant(record["at"])
                     <= self.window["until"], place, "a time in the window", record["at"])
                current, last, head = (op, attempt), op, record["chain"]
            elif kind in ("lost", "orphan-removed", "adopted", "answered"):
                in_doubt = loose and not current and kind != "answered"
                need(current == (op, attempt) or in_doubt, place, f"an end of {current}", op)
                current, note, lost[op] = None, kind == "orphan-removed", attempt + 1
                if kind in ("adopted", "answered"):
                    answer, note = event.get("answer", event.get("key")), bool(self.ops[op][2])
                    answers.append((place, op, attempt, answer, head))
                    if answer.get("facts", {}).get("attendance") == "absent":
                        self.absent.add("exit" + op[5:])
            elif kind == "refused":
                current, note, stopped = None, not sealed, not sealed
            if kind in ("adopted", "answered", "refused"):
                todo = [other for other in todo if other != op]
            elif kind == "noted":
                need(note and event["head"] == before, place, f"the head {before}", event["head"])
                note = False
            elif kind == "resumed":
                current, note, ended, loose = None, False, sealed, True
            elif kind == "closed":
                may = {"aborted": stopped or loose, "completed": not stopped and not todo}
                need(not current and "login" not in todo and may[event["end"]], place, todo, kind)
                self.loose, ended = loose or event["end"] == "aborted", True
        need(ended, book[-1][0], "the end of the ceremony", "none")
        return answers

    def expected(self, end):
        """Return the names of the files that follow from inputs, plan and end, besides CRLs."""
        names, said = {n for n in self.files if n[:7] == "inputs/"} | {self.book}, ["script"]
        if self.abandoned:
            return names
        names |= {"graph.txt", "bindings.txt", "manifest.json", "transcript.sigstore.json"}
        names |= {"after.jsonl"} & set(self.files)
        if end == "completed":
            for name in [*self.plan.get("certificate", {}), *self.plan.get("release", [])]:
                names |= {f"{name}.der", f"{name}.txt"}
            names |= {n for n in self.files if n.endswith(".crl") or n == "crls.txt"}
            grounds = [one["ground"] for one in self.plan.get("revocation", {}).values()]
            said += ["notice"] * ("key-compromise" in grounds or "compromise" in self.plan)
        return names | {f"{name}.{lang}.md" for name in said for lang in self.ca["languages"]}

    def serial(self, mode, name, attempt):
        """Return the serial number that is derived for a certificate."""
        text = b"gishiki serial v1" + (b"" if mode == "real" else b" " + mode.encode()) + sized(
            4, self.issuer.public_bytes(), name.encode()) + attempt.to_bytes(4, "big")
        tries = (hmac.digest(self.seed, text + bytes((0, 0, 0, n)), "sha384") for n in range(256))
        return int.from_bytes(next(o for o in tries if o[0] & 127)[:20], "big") & ((1 << 159) - 1)

    def verify(self, place, key, der, message):
        """Verify a signature of ECDSA, with the hash that belongs to the key's curve."""
        kind = next(kind for curve, kind, _, _ in CURVES.values() if curve.name == key.curve.name)
        with at(place, "a signature that verifies"):
            key.verify(der, message, ec.ECDSA(kind))
        self.signed += 1

class Ledger:
    """What the ceremonies so far have left, and the judgement of the next one."""
    def __init__(self, mode):
        """Begin with nothing but the mode that was asked for."""
        self.mode, self.keys, self.seen, self.heads, self.withheld = mode, {}, set(), set(), {}
        self.audit = self.audit_id = self.last = self.when = self.ca = self.token = None
        self.certificates, self.sequence, self.journal = {}, 0, None

    def once(self, place, what, value):
        """Refuse a value that the ledger has already."""
        need((what, value) not in self.seen, place, f"a new {what}", value)
        self.seen.add((what, value))

    def judge(self, one, pin):
        """Judge the next ceremony, and take over what it leaves."""
        book, made = one.records(one.book, None, self.when), self.audit_id
        kinds, first = [event["kind"] for _, _, event, _ in book], book[0][2]
        need(kinds[0] == "opened" not in kinds[1:] and "sealed" not in kinds, book[0][0], "opened")
        end = "aborted" if one.abandoned else book[-1][2].get("end")
        need(set(one.files) == one.expected(end), one.folder, "the files that follow",
             sorted(set(one.files) ^ one.expected(end)))
        self.opened(one, book[0][0], first)
        self.head, self.when = book[-1][1]["chain"], instant(book[-1][1]["at"])
        self.heads |= {f"{one.number:08x}{record['chain']}" for _, record, event, _ in book
                       if (event["kind"], event.get("op")) == ("asked", "write-head")}
        self.answers(one, first, [(place, event["op"], event["attempt"], event["answer"], None)
                                  for place, _, event, _ in book if "answer" in event]
                     if one.abandoned else one.walk(book))
        if end == "completed":
            names = [n for n in one.files if n.endswith((".crl", ".der"))]
            for name in sorted(names, key=lambda n: (n[-3:] == "crl", n[:5] != "root-", n)):
                with at(f"{one.folder}/{name}", "a certificate or CRL"):
                    self.structure(one, f"{one.folder}/{name}", name[:-4], one.files[name])
            need(not one.sheets, one.folder, "a file for each signature", one.sheets)
        for name in one.plan.get("certificate", {}) if end == "aborted" else ():
            self.withheld[name] = one
            self.certificates[name] = {one.serial(self.mode, name, n) for n in one.sheets.values()}
        self.last = {"head": self.head, "postscript": ZEROS}
        if not one.abandoned:
            self.seal(one, first, end, kinds, book[-1][1]["terminal"])
        self.journal = sha256(one.files[one.book]) if one.abandoned else None
        stated = {"sequence": one.number, "name": one.name, "bindings": first["bindings"]}
        stated |= self.last | ({"audit-key": self.audit_id} if made != self.audit_id else {})
        need(pin is None or stated | {"signed-on": pin["signed-on"]} == pin, one.name, pin, stated)

    def opened(self, one, place, event):
        """Judge the first record, and what must not change from ceremony to ceremony."""
        asked = {"format": 1, "ceremony": one.plan["ceremony"], "inputs": {
            name[7:]: sha256(sized(8, b"gishiki input v1", octets))
            for name, octets in one.files.items() if name.startswith("inputs/")}}
        for name in ("graph", "bindings") if not one.abandoned else ():
            asked[name] = sha256(sized(8, f"gishiki {name} v1".encode(), one.files[f"{name}.txt"]))
        asked |= {"predecessor": self.last, "mode": self.mode or event["mode"]}
        need(asked == {name: event.get(name) for name in asked}, place, asked, event)
        self.mode, ca = event["mode"], [one.ca[n] for n in ("id", "name", "offset")]
        need(self.mode in ("rehearsal", "drill", "real"), place, "another mode", self.mode)
        need(one.plan.get("abandoned") == self.journal, place, f"the journal {self.journal} named")
        need(self.sequence < one.number < 1 << 31, place, "a sequence that rises", one.number)
        self.once(place, "seed", one.plan["serials"])
        token, other = event["room"]["token"], {"recovery", "lost"} & set(one.plan)
        need((self.token in (None, token) or other) and self.ca in (None, ca), place,
             f"the token {self.token} of the CA {self.ca}", (token, ca))
        need(self.mode != "rehearsal" or [event["room"][n] for n in (
            "room", "terminal", "tool", "image")] == ["rehearsal"] * 4, place, "its room", event)
        self.ca, self.token, self.sequence = ca, token, one.number

    def answers(self, one, first, answers):
        """Judge what each answer says."""
        for place, op, attempt, answer, head in answers:
            with at(place, "an answer"):
                said = {n: first[n] for n in ("graph", "bindings")} if op == "papers" else {}
                if op == "anchor-words":
                    said = {"head": self.head, "audit-key": self.audit_id}
                elif op[:12] == "fingerprint-" and op[12:] + ".der" in one.files:
                    said = {"sha256": sha256(one.files[op[12:] + ".der"])}
                for name, fact in answer.get("facts", {}).items():
                    need(name not in said or len(fact) > 15 and said[name].startswith(fact), place,
                         f"16 digits or more of {said.get(name)}", fact)
                if op.startswith("generate-"):
                    self.key(one, place, op[9:], answer)
                elif op == "identify" or op.startswith(("destroy-", "clear-")):
                    need((answer.get("objects", 0), answer.get("serial", self.token)) == (
                        0, self.token), place, f"the token {self.token}, no object left", answer)
                elif op in ("write-head", "read-head") and not one.abandoned:
                    may = {f"{one.number:08x}" + head} if op == "write-head" else self.heads
                    need(answer["values"] in [[value] for value in may], place, may, answer)
                    self.heads = set(answer["values"])
                elif op.startswith("sign-"):
                    self.sheet(one, place, op, attempt, answer["signatures"], head)

    def key(self, one, place, name, facts):
        """Judge a new key pair, and keep its public key."""
        use = "audit" if name.startswith("audit") else "root"
        group, _, size, parameters = CURVES[one.policy[use]["curve"]]
        need([facts[n] for n in ("privates", "publics", "parameters", "labels")] == [
            1, 1, parameters, [f"{one.ca['id']} {name}"] * 2], place, "one key pair", facts)
        key = ec.EllipticCurvePublicKey.from_encoded_point(group, bytes.fromhex(facts["point"]))
        self.once(place, "key", key.public_bytes(*SPKI))
        seed = hmac.digest(b"gishiki rehearsal v1", one.issuer.public_bytes(), "sha384")
        seed = hmac.digest(seed, f"{use}{one.policy[use]['curve']}\1".encode(), "sha384")
        least = int.from_bytes(seed[1:size], "big")
        known = any(ec.derive_private_key(number, group).public_key() == key
                    for number in range(least, least + 256))
        need(known == (self.mode == "rehearsal"), place, "a rehearsal key in rehearsals only")
        self.keys[name] = key
        if use == "audit":
            self.audit, self.audit_id = key, sha256(key.public_bytes(*SPKI))

    def sheet(self, one, place, op, attempt, signatures, head):
        """Judge the signatures of one answer, and keep those of structures."""
        size = 32 if op == "sign-head" else CURVES[one.policy["root"]["curve"]][2]
        for signature in signatures:
            need(re.fullmatch("[0-9a-f]{%d}" % (4 * size), signature), place, "r and s", signature)
            self.once(place, "r of a signature", signature[:64])
            one.sheets[signature] = attempt
        if op == "sign-head" and not one.abandoned:
            need(len(signatures) == 1, place, "one signature", len(signatures))
            text = canonical({"ceremony": one.plan["ceremony"], "head": head})
            kind = b"application/vnd.gishiki.head.v1+json"
            der = utils.encode_dss_signature(int(signature[:64], 16), int(signature[64:], 16))
            one.verify(place, self.audit, der, DSSE % (len(kind), kind, len(text), text))
            del one.sheets[signature]

    def structure(self, one, file, name, octets):
        """Judge one certificate or CRL."""
        is_crl, made = file.endswith(".crl"), self.withheld.get(name, one)
        plan = made.plan.get("certificate", {}).get(name, {})
        found = (x509.load_der_x509_crl if is_crl else x509.load_der_x509_certificate)(octets)
        body = found.tbs_certlist_bytes if is_crl else found.tbs_certificate_bytes
        by = name[4:-11] if is_crl else plan.get("issuer", plan.get("key"))
        half = 2 * CURVES[one.policy["root"]["curve"]][2]
        signature = "".join(f"{n:0{half}x}" for n in utils.decode_dss_signature(found.signature))
        need(signature in made.sheets, file, "a signature of the transcript", signature)
        attempt = made.sheets.pop(signature)
        one.verify(file, self.keys[by], found.signature, body)
        if is_crl:
            stated = found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
            day = found.last_update_utc.astimezone(one.window["from"].tzinfo).date().isoformat()
            asked = one.number, attempt, name[-10:]
            need((stated >> 16, stated & 15, day) == asked, file, asked, (stated, day))
            self.once(file, "CRL number", stated)
            entries = [entry.serial_number for entry in found]
            due = [self.certificates[n] & set(entries) for n in one.plan.get("revocation", {})]
            need(entries == sorted(set(entries)) and all(due) and set(entries) <= set().union(
                *self.certificates.values()), file, "revocations by serial number", entries)
        else:
            serial, key = made.serial(self.mode, name, attempt), found.public_key()
            asked = serial, plan.get("not-before", found.not_valid_before_utc)
            need((found.serial_number, found.not_valid_before_utc) == asked, file, asked, found)
            self.once(file, "serial number", serial)
            need(serial in self.certificates.setdefault(name, {serial}), file, "a new name", name)
            if "csr" in plan:
                request = x509.load_pem_x509_csr(made.files[f"inputs/{plan['csr']}"])
                need(request.is_signature_valid and request.public_key() == key and sha256(
                    made.files[f"inputs/{plan['csr']}"]) == plan["csr-sha256"], file, "its request")
                self.once(file, "certified key", key.public_bytes(*SPKI))
                one.signed += 1
            else:
                need((key, found.subject) == (self.keys[plan["key"]], one.issuer), file, "its key")
        need(found.issuer == one.issuer and f"root-{by}" in self.certificates, file,
             f"issuer {one.issuer}, a certificate root-{by} before", found.issuer)
        told = re.search(f"«{name}[.].*» = .*; {len(body)} octets, (?:sha256 (.*)|open.*)",
                         made.files["bindings.txt"].decode())
        need(attempt or told and told[1] in (None, sha256(body)), file, "what bindings.txt has")

    def seal(self, one, first, end, kinds, terminal):
        """Judge seal, postscript and manifest."""
        name, kind = "transcript.sigstore.json", "application/vnd.in-toto+json"
        place, common = f"{one.folder}/{name}", {"audit-key": self.audit_id, "end": end,
                                                 "head": self.head, "sequence": one.number}
        common |= {n: first[n] for n in ("bindings", "ceremony", "format", "graph", "mode")}
        files = [(n, octets, sha256(octets)) for n, octets in sorted(one.files.items())]
        text = canonical({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"digest": {"sha256": digest}, "name": n} for n, _, digest in files
                        if n not in (name, "after.jsonl", "manifest.json")],
            "predicateType": "https://gishiki.example/ceremony/v1", "predicate": {
                **common, "ca": one.ca["id"], "sessions": 1 + kinds.count("resumed")}})
        with at(place, "a seal"):
            given = json.loads(one.files[name])["dsseEnvelope"]["signatures"][0]["sig"]
            der = base64.b64decode(given, validate=True)
            signature = "".join(f"{part:064x}" for part in utils.decode_dss_signature(der))
        bundle = canonical({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {"publicKey": {"hint": self.audit_id}},
            "dsseEnvelope": {"payloadType": kind, "payload": base64.b64encode(text).decode(),
                             "signatures": [{"sig": base64.b64encode(der).decode()}]}}) + b"\n"
        need(one.files[name] == bundle, place, "the seal that follows from the files")
        self.once(place, "r of a signature", signature[:64])
        one.verify(place, self.audit, der, DSSE % (len(kind), kind.encode(), len(text), text))
        if "after.jsonl" in one.files:
            book = one.records("after.jsonl", terminal, self.when)
            need(book[0][2].get("bundle") == sha256(bundle), book[0][0], f"seal {sha256(bundle)}")
            self.answers(one, first, one.walk(book, True))
            self.when, self.last["postscript"] = instant(book[-1][1]["at"]), book[-1][1]["chain"]
        common |= {"postscript": self.last["postscript"], "files": [
            {"name": n, "octets": len(octets), "sha256": digest}
            for n, octets, digest in files if n != "manifest.json"]}
        need(one.files["manifest.json"] == canonical(common, indent=2) + b"\n",
             f"{one.folder}/manifest.json", "the manifest that follows from the files")

def judge(folder, mode, path):
    """Judge a ledger, under an anchor if there is one; return its verdict and exit code."""
    anchor = {"format": 1, "ca": None, "mode": mode, "ceremony": []}
    anchor = toml(read(path, DOCUMENT), path) if path else anchor
    need(set(anchor) == {"format", "ca", "mode", "ceremony"} and anchor["format"] == 1 and (
        not path or anchor["mode"] in ("real", "drill")), path, "an anchor", anchor)
    with at(folder, "a folder"), os.scandir(folder) as entries:
        names = {entry.name for entry, _ in zip(entries, range(ENTRIES + 1))}
    after, order, last = {}, [folder] if "inputs" in names else [], "nothing"
    for place in [] if order else [f"{folder}/{name}" for name in names]:
        plan = toml(read(f"{place}/inputs/plan.toml", DOCUMENT), f"{place}/inputs/plan.toml")
        need(plan.get("ceremony") == os.path.basename(place) and plan["after"] not in after, place,
             "the folder's name, and one ceremony after another", plan.get("after"))
        after[plan["after"]] = place
    while last in after:
        order.append(after.pop(last))
        last = os.path.basename(order[-1])
    pins, ledger, signed = anchor["ceremony"], Ledger(anchor["mode"]), 0
    need(order and not after and len(pins) <= len(order) <= ENTRIES, folder,
         f"one history from the first on, {len(pins)} pinned", f"{len(order)} ceremonies, {after}")
    for number, name in enumerate(order):
        with at(name, "a ceremony"):
            one = Ceremony(name)
            need(anchor["ca"] in (None, one.ca["id"]), name, anchor["ca"], one.ca["id"])
            ledger.judge(one, pins[number] if number < len(pins) else None)
            signed += one.signed
            print(f"{one.name:40} {one.signed} signatures", flush=True)
    need(not ledger.journal, order[-1], "a plan after it that names its journal", "none")
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
        with at(given.ledger, "a ledger"):
            verdict, code = judge(given.ledger.rstrip("/"), given.mode, given.anchor)
    except Refused as error:
        verdict, code = f"refused: {error}", 4
    print(verdict, file=sys.stderr if code == 4 else sys.stdout)
    sys.exit(code)
