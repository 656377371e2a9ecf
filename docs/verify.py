"""Verifies sealed key ceremonies: verify.py LEDGER [--anchor anchor.toml | --rehearsal | --drill]
It shares no code with gishiki, follows the documents beside it, and needs Python 3.11 and
`cryptography`. LEDGER has a sealed folder for each ceremony, or is that of the first. It proves:
- names, kinds and sizes of all files before anything is read; no file more, none less; seal and
  manifest, and the digests of inputs, graph.txt and bindings.txt, computed again; the postscript;
- every record: canonical JSON, number, chain, time, fields, origin, result, terminal, order and
  duties of graph.txt, met by who came, noted heads; signatures of exactly who must sign it, by
  the keys in roster.toml and graph.txt, or in a rehearsal by those that everyone can compute;
- enrolments of all whom the roster before has otherwise or not at all, by its keys and its roles;
  approvals in time, by those of whom plan and policies ask one; if real, by all, and the release;
- every key: one pair, new to the ledger; a key that everyone can compute in a rehearsal only; every
  signature of the token, under the key that the transcript recorded, over what was handed out;
  serial and CRL numbers as they are derived, none twice; no r twice in the whole ledger;
- certificates and CRLs: issuer, key, request, first day, the root certificate of the key that
  signed, and every octet where bindings.txt has the digest of what is to be signed;
- one history: heads before, sequence, seeds, audit keys, head on the token, all an anchor pins;
- of an abandoned ceremony: inputs by their digests in its journal, which the next plan names.
Not judged: whether graph.txt (so who signs an answer), bindings.txt, script, notice, NAME.txt and
crls.txt follow; rules of inputs, enrolments not needed, key attributes; rooms; facts, answers of an
abandoned ceremony; signatures not handed out, but for form and r; what a token holds; what follows
an interruption; extensions, end, subject of what a new key signs; dates and reasons of CRL entries;
who came, if no record says so; anchors in words.
Exit: 0 verified under the anchor, or a consistent rehearsal or drill that was asked for; 4 refused;
7 consistent, but not anchored (nothing shows whose it is) or not pinned to its end; 64 usage."""
import argparse, base64, datetime, hashlib, hmac, json, os, re, stat, sys, tomllib, unicodedata
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
EVENTS = {"resumed": "begun room torn copied dropped new-medium [refusal] [aside]",
    "opened": "begun format mode ceremony graph bindings inputs room [predecessor] [approvals]",
    "refused": "refused op attempt rule reason by", "orphan-removed": "done op attempt found by",
    "mistaken": "refused op attempt question", "card-failed": "noted person reason by",
    "paused": "noted op attempt reason by",
    "answered": "done op attempt answer", "noted": "noted head by [mistaken]",
    "deviation": "noted op reason by", "adopted": "done op attempt key", "sealed": "begun bundle",
    "lost": "lost op attempt cause", "asked": "begun op attempt", "closed": "done end"}
HIDDEN = {"Cc", "Cf", "Co", "Zl", "Zp"}  # Categories of characters that no record has.
TOKEN = "identify|log(in|out)|inventory|(generate|sign|copy|destroy|clear|read|write|wrap)-"
AGAIN = "first|entry|roll|papers|clock|media|identify|plate|activate|login|invent|(read|write)-head"
# An operation of graph.txt: name, duties, whose cards sign the answer, whether the head is noted.
OPERATION = re.compile(r"(?m)^\d+ ([a-z0-9-]+)(?:: [^\[\n]*)? \[[^\]\n]*\] by ([^;\n]*)"
                       r"(?:; signed by (card|the card of [a-z0-9-]+))?(; the head is noted)?$")
SPKI = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
GISHIKI = "application/vnd.gishiki.%s.v1+json"  # What people and the audit key sign.
COMPACT = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
# SHA-256 in digits; canonical JSON (RFC 8785) without fractions; parts, each after its length.
sha256 = lambda octets: hashlib.sha256(octets).hexdigest()
canonical = lambda value: COMPACT.encode(value).encode()
sized = lambda size, *parts: b"".join(len(p).to_bytes(size, "big") + p for p in parts)
instant, days = datetime.datetime.fromisoformat, datetime.timedelta
WHERE = ["ledger"]  # The file, and the line of it, where what is refused from now on is refused.
def need(holds, asked, found="something else"):  # Refuse unless something holds.
    if not holds: raise ValueError(f"asked {asked}, found {found}"[:600])
def read(path, bound):  # The octets of a regular file within its bound; no link is followed.
    WHERE[0] = path
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        regular, octets = stat.S_ISREG(os.fstat(file.fileno()).st_mode), file.read(bound + 1)
    return need(regular and len(octets) <= bound, f"a regular file of {bound} octets") or octets
def toml(octets, place):  # Return a TOML document that has no more marks than its bound.
    WHERE[0] = place
    need(sum(map(octets.count, b"\n=,.[]{}")) <= MARKS, f"at most {MARKS} marks", "more")
    return tomllib.loads(octets.decode())
def under(table, *names):  # What stands under these names in a table and in its tables.
    deeper = [under(value, *names) for value in table.values() if type(value) is dict]
    return sum(deeper, [table[n] for n in names if type(table.get(n, {})) is not dict])
def later(begun, span):  # The instant at which a span is over, by the calendar.
    y, m, d, h = (sum(map(int, re.findall(rf"(\d+) {unit}", span))) for unit in "ymdh")
    months = 12 * (begun.year + y) + begun.month - 1 + m
    first = begun.replace(months // 12, months % 12 + 1, 1)
    return min(first + days(begun.day - 1), (first + days(31)).replace(day=1)) + days(d, hours=h)
class Ceremony:  # One sealed folder, or the folder of an abandoned ceremony.
    def __init__(self, folder):  # Judge names, kinds and sizes; read every file once.
        bounds, total = {}, 0
        for entry in [*os.scandir(folder), *os.scandir(f"{folder}/inputs")]:
            name, info = entry.path[len(folder) + 1:], entry.stat(follow_symlinks=False)
            if name == "inputs" and stat.S_ISDIR(info.st_mode): continue
            bound = bounds[name] = DOCUMENT if name[-5:] == ".toml" else 16384 if "/" in name else (
                65536 if name[-4:] == ".der" else FILE)
            WHERE[0], total = entry.path, total + info.st_size
            need(re.fullmatch("[A-Za-z0-9._-]{1,128}", entry.name) and stat.S_ISREG(info.st_mode)
                 and info.st_size <= bound, f"a file of at most {bound} octets", name)
            need(len(bounds) <= FILES and total <= FOLDER, "fewer files or octets")
        self.files = {n: read(f"{folder}/{n}", bound) for n, bound in sorted(bounds.items())}
        inputs = {n: toml(o, f"{folder}/{n}") for n, o in self.files.items() if n[-5:] == ".toml"}
        self.plan, self.cps, self.policy, self.register, self.release = (
            inputs.get(f"inputs/{n}.toml", {}) for n in "plan cps policy roster release".split())
        self.folder, self.name, self.ca = folder, self.plan["ceremony"], self.policy["ca"]
        self.number, self.seed = self.plan["sequence"], bytes.fromhex(self.plan["serials"])
        self.issuer = x509.Name([x509.NameAttribute(x509.ObjectIdentifier(f"2.5.4.{RDN[k]}"), v)
                                 for rdn in self.ca["name"] for k, v in rdn.items()])
        self.roster, self.named, self.came = self.register["person"], {}, {}
        self.facts = {name: {n: str(p[n]) for n in ("ended", "name", "name-ja", "organization") if
            n in p} | {"public-key": p["credential"]["public-key"], "roles": sorted({*p["roles"]})}
            for name, p in self.roster.items()}  # What the register holds of each person.
        self.cards = {k: p["public-key"] for k, p in self.facts.items() if "ended" not in p}
        self.reserves, self.failed, self.signed = self.plan.get("reserves", []), set(), 0
        self.people, self.sheets = {*self.plan["participants"], *self.reserves}, {}
        self.abandoned, self.window = "journal.jsonl" in self.files, self.plan["window"]
        self.book = "journal.jsonl" if self.abandoned else "transcript.jsonl"
        self.graph, self.after = self.files.get("graph.txt", b"").decode(), "no postscript"
        ops = self.ops = {op: rest for op, *rest in OPERATION.findall(self.graph)}
        self.stand = {n for n in ops and self.people if self.reserves and "entry-" + n not in ops}
    def records(self, name, terminal=None, last=None):  # Judge each record of a book by itself.
        chain, lines = bytes(32), self.files[name].split(b"\n")
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
            counts = (event.get(n, 0) for n in ("attempt", "mistaken", "torn", "copied", "dropped"))
            need(all(type(n) is int and n >= 0 for n in counts) and ("aside" not in event or event[
                "new-medium"]) and ("answer" not in event or set(answer) == set(said) and answer[
                    "from"] == ("token" if "token" in answer else "people")), "another", event)
            words = event.get("refusal", event).get("reason", event.get("cause", "-"))
            need(words.strip() and len(words) < 201 and b"\\" not in re.sub(rb'\\["\\]', b"", line)
                 and not HIDDEN & {*map(unicodedata.category, line.decode())}, "words", event)
            need(people == sorted(set(people)) and (number == 0) == (kind in ("opened", "sealed"))
                 and ("by" not in event or bool(people) == (rule == "people")), "another", event)
            before, chain = chain.hex(), hashlib.sha256(sized(8, b"gishiki record v1", chain,
                canonical({k: v for k, v in record.items() if k != "chain"}))).digest()
            terminal = event.get("room", {}).get("terminal", terminal)
            origin = "token" if answer["from"] == "token" else " ".join(people) or "gishiki"
            asked = {"at": when.isoformat()[:19] + self.ca["offset"], "chain": chain.hex(),
                     "event": event, "number": number, "origin": origin, "terminal": terminal,
                     "result": "refused" if event.get("end") == "aborted" else result, "signed": 0}
            need(canonical(record | {"signed": 0}) == canonical(asked), asked, record)
            last = need(not last or last <= when, f"a time not before {last}", when) or when
            yield WHERE[0], record, event, before
    def walk(self, book, sealed=False):  # Judge the order of events; yield each, and its question.
        ops, loose = " ".join(self.ops).split(" seal ")[sealed].split(), False
        todo = [op for op in ops if (op[:5] != "exit-" or self.came.get(op[5:], True))
                and (op[:10] != "hand-over-" or self.end == "completed")]
        lost, current, last, head, note, due, stopped, ended = {}, *[None] * 3, *[False] * 3, sealed
        for WHERE[0], record, event, before in book:
            kind, op, attempt = event["kind"], event.get("op"), event.get("attempt")
            rule, late = event.get("rule", "people"), instant(record["at"]) > self.window["until"]
            calm, words = not (sealed or stopped or note), kind[:3] in ("mis", "dev", "ref", "pau")
            again = calm and any(o[:9] == "generate-" and lost.get(o) for o in todo[:1])
            about = [last] if current or note else todo[:1] if again or rule[0] == "S" else [
                "seal"] * (kind == "deviation" and not ended and (stopped or not todo))
            many = attempt == lost.get(op) == 16 and op.startswith(("generate-", "sign-"))
            free = calm and {"S-WINDOW": late, "S-ATTEMPTS": many}.get(rule, loose)
            could = {"people": True, "S-WINDOW": late, "S-ATTEMPTS": 16 in lost.values()}.get(
                event.get("refusal", {"rule": "people"})["rule"], (current or loose) and re.match(
                    TOKEN, last or ""))
            told = current and re.match(TOKEN, op or "") and rule not in ("S-WINDOW", "S-ATTEMPTS")
            ruled = rule == "people" or not sealed and (told if current else free)
            over = not todo or "refusal" in event if sealed else ended > note and kind != "resumed"
            need(ruled and could and not over and (loose or not words or op in about) and (not note
                 or words or kind in ("noted", "resumed", "card-failed")), "another event", event)
            if kind == "asked":
                may = [] if many else ops if loose or stopped else todo[:1]
                need(not current and op in may and (re.match(AGAIN, op) or not (stopped or due))
                     and (loose or attempt == lost.get(op, 0) and (stopped or sealed or not late and
                        self.window["from"] <= instant(record["at"]))), f"one of {may}", event)
                current, last, head = (op, attempt), op, record["chain"]
            elif kind in ("lost", "orphan-removed", "adopted", "answered"):
                need((current == (op, attempt) or loose and not current and kind != "answered")
                     and (kind == "answered" or op[:9] == "generate-" or kind == "lost" and (
                        not current or re.match(TOKEN, op))), f"an end of {current}", event)
                current, lost[op] = None, attempt + 1
                note = kind == "orphan-removed" or kind != "lost" and bool(self.ops[op][2])
            elif kind == "refused": current, note, stopped = None, not sealed, not sealed
            elif kind == "paused": lost, current, note, ended = lost | ({op: attempt + 1} if current
                else {}), None, True, not need(not (sealed or stopped or ended), "no break", event)
            elif kind == "noted": need((note or due) and event["head"] == before, before, event)
            elif kind == "resumed": due, current, note, ended, loose = due or note and (
                stopped | ended or re.match(TOKEN, last)), sealed and current, 0, sealed, not sealed
            elif kind == "closed": ended = not need(not (current or due) and "login" not in todo and
                (stopped or loose if event["end"] == "aborted" else not (stopped or todo)), todo)
            note, due = (one and kind != "noted" for one in (note, due))
            todo = [o for o in todo if o != op or kind not in ("adopted", "answered", "refused")]
            yield WHERE[0], record, event, before, head
        self.todo = need(ended and kind != "noted", "the end of the ceremony", "none") or todo
    def serial(self, mode, name, attempt):  # The serial number derived for a certificate.
        text = b"gishiki serial v1" + (b"" if mode == "real" else b" " + mode.encode()) + sized(
            4, self.issuer.public_bytes(), name.encode()) + attempt.to_bytes(4)
        tries = (hmac.digest(self.seed, text + bytes((0, 0, 0, n)), "sha384") for n in range(256))
        return int.from_bytes(next(o for o in tries if o[0] & 127)[:20]) & ((1 << 159) - 1)
    def rehearsed(self, use, curve, count=0):  # The public key that everyone can compute.
        seed = hmac.digest(b"gishiki rehearsal v1", self.issuer.public_bytes(), "sha384")
        seed = hmac.digest(seed, f"{use}{curve}\1".encode(), "sha384")[1:CURVES[curve][2]]
        return ec.derive_private_key(int.from_bytes(seed) + count, CURVES[curve][0]).public_key()
    def holders(self, roles, organization=None):  # Who serves in one of the roles.
        return {name for name, person in self.roster.items() if {*roles} & {*person["roles"]}
                and organization in (None, person["organization"]) and "ended" not in person}
class Ledger:  # What the ceremonies so far have left, and the judgement of the next one.
    def __init__(self, mode):
        self.mode, self.keys, self.seen, self.heads, self.withheld = mode, {}, set(), set(), {}
        self.audit = self.audit_id = self.last = self.when = self.ca = self.token = self.head = None
        self.certificates, self.number, self.name, self.journal = {}, 0, "nothing", None
    def once(self, what, value):  # Refuse a value that the ledger has already.
        self.seen.add(need((what, value) not in self.seen, f"a new {what}", value) or (what, value))
    def der(self, digits, size):  # A signature in DER, from r and s in digits; r is new.
        need(re.fullmatch("[0-9a-f]{%d}" % (4 * size), digits), "r and s", digits)
        self.once("r of a signature", digits[:64])
        return utils.encode_dss_signature(int(digits[:2 * size], 16), int(digits[2 * size:], 16))
    def verify(self, one, key, signature, text, kind=None):  # DER or digits; plain, or as DSSE.
        if type(signature) is str: signature = self.der(signature, key.key_size // 8)
        if kind: text = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(text), text)
        one.signed += key.verify(signature, text, ec.ECDSA(CURVES[f"P-{key.key_size}"][1])) or 1
    def judge(self, one, pin):
        """Judge the next ceremony: files, first record, all else; and take over what it leaves."""
        book, made, plan = [*one.records(one.book, None, self.when)], self.audit_id, one.plan
        first, last, self.past = book[0][2], book[-1][1], self.past if self.last else one
        end = one.end = "aborted" if one.abandoned else last["event"].get("end")
        names, md = {n for n in one.files if n[:7] == "inputs/"} | {one.book}, ["script.{}.md"]
        if end == "completed":
            built = [*plan.get("certificate", {}), *plan.get("release", [])]
            names |= {f"{name}.{form}" for name in built for form in ("der", "txt")}
            names |= {n for n in one.files if n[-4:] == ".crl" or n == "crls.txt"}
            md += ["notice.{}.md"] * any("compromise" in g for g in (plan, *under(plan, "ground")))
        if not one.abandoned:
            names |= {"graph.txt", "bindings.txt", "manifest.json", "transcript.sigstore.json"}
            names |= {n.format(l) for n in (*md, "script.{}.html") for l in one.ca["languages"]}
            names |= {"after.jsonl"} & set(one.files)
        need(names == set(one.files), "the files that follow", names ^ set(one.files))
        asked = {"format": 1, "ceremony": one.name, "predecessor": self.last, "inputs": {
            n[7:]: sha256(sized(8, b"gishiki input v1", o)) for n, o in one.files.items()
            if n[:7] == "inputs/"}, "mode": self.mode or first["mode"]}
        for name in ("graph", "bindings") if not one.abandoned else ():
            asked[name] = sha256(sized(8, f"gishiki {name} v1".encode(), one.files[f"{name}.txt"]))
        WHERE[0] = book[0][0]
        for n, value in asked.items(): need(first.get(n) == value, f"{n} {value}", first.get(n))
        self.mode, ca = first["mode"], [one.ca[n] for n in ("id", "name", "offset")]
        rooms = {first["room"][n] for n in ("room", "terminal", "tool", "image")}
        need(rooms == {self.mode} == {"rehearsal"} or self.mode in ("real", "drill"), "mode", first)
        need(self.number < one.number < 1 << 31 and (plan["after"], plan.get("abandoned")) == (
            self.name, self.journal), f"a later sequence, after {self.name}, {self.journal}", plan)
        self.once("seed", plan["serials"])
        token, other = first["room"]["token"], {"recovery", "lost"} & set(plan)
        need((other or self.token in (None, token)) and self.ca in (None, ca), "its token", token)
        self.ca, self.token, self.number, self.name = ca, token, one.number, one.name
        one.stated = {n: first[n] for n in ("bindings", "graph", "ceremony")} | {"ca": one.ca["id"]}
        self.registered(one)
        self.approved(one, *book[0])
        self.head, self.when = last["chain"], instant(last["at"])
        self.events(one, first, book)
        if end == "completed":
            names = [n for n in one.files if n[-4:] in (".crl", ".der")]
            for name in sorted(names, key=lambda n: (n[-3:] == "crl", n[:5] != "root-", n)):
                WHERE[0] = f"{one.folder}/{name}"
                self.structure(one, name[:-4], one.files[name], name[-3:] == "crl")
            need(not one.sheets, "a file for each signature", one.sheets)
        for name in plan.get("certificate", {}) if end == "aborted" else ():
            self.withheld[name] = one
            self.certificates[name] = {one.serial(self.mode, name, n) for n in one.sheets.values()}
        self.last = {"head": self.head, "postscript": ZEROS}
        if not one.abandoned: self.seal(one, end, book)
        self.journal, self.past = sha256(one.files[one.book]) if one.abandoned else None, one
        stated = {"sequence": one.number, "name": one.name, "bindings": first["bindings"]}
        stated |= self.last | ({"audit-key": self.audit_id} if made != self.audit_id else {})
        need(pin is None or stated | {"signed-on": pin["signed-on"]} == pin, pin, stated)
    def registered(self, one):
        """Judge the keys of people, and who enrolled whom the register does not have like this."""
        past, decision, after = self.past, self.past.policy["decision"], self.head
        appoint, letter = (decision["appointment"].get(n, []) for n in ("by", "letter"))
        known = {n: one.rehearsed(f"person{n}", "P-256") for n in one.roster}
        for name, person in one.roster.items():
            place = WHERE[0] = f"{one.folder}/inputs/roster.toml, {name}"
            facts, card, chosen = one.facts[name], person["credential"], person["appointed"]
            octets = base64.b64decode(card["public-key"], validate=True)
            key = one.named[name] = serialization.load_der_public_key(octets)
            curve = {CURVES[n][0].name: n for n in CURVES}[key.curve.name]
            need(octets == key.public_bytes(*SPKI) and [*one.named.values()].count(key) == 1 and (
                self.mode != "real" or key not in known.values()), f"a key that only {name} has")
            line = rf"(?m)^{re.escape(name)} .*\n +card {curve}, sha256 {sha256(octets)}$"
            need(name not in one.people or one.abandoned or re.search(line, one.graph), line)
            if facts == {n: facts[n] for n in facts if n == "ended"} | past.facts.get(name, {}):
                continue  # As the register has them, or only that they serve no longer.
            enrolment = one.register.get("enrolment", {}).get(name, {"after": None, "signed": {}})
            given, others, asked = enrolment["signed"], past.cards.keys() - {name}, [{name}]
            duties, held = [([decision["credential"]["by"]], {card["by"]})], past.holders(appoint)
            left = {n for n in held if one.cards.get(n) != past.cards[n]}
            if {*letter} & {*facts["roles"]}:  # All who appoint; where one has left, all others.
                few = held if left <= {name} < held | {name} else past.cards.keys() - left
                asked += [{other} for other in few & others]
            else: duties += [([role], {*chosen["by"]}) for role in appoint]
            for roles, named in duties:  # Holders of the role; those who appoint; everybody else.
                may = past.holders(roles) & others or held & others
                asked += [named & may or may] if may else [{other} for other in others]
            need(enrolment["after"] == after and {*given} <= set().union(*asked) and all(may & {
                *given} for may in asked), f"enrolment after {after} by {asked}", enrolment)
            text = canonical(facts | {"after": after, "ca": one.ca["id"], "person": name,
                "appointed-by": chosen["by"], "appointed-on": str(chosen["on"]),
                "enrolled-by": card["by"], "enrolled-on": str(card["enrolled"])})
            for other, digits in given.items():
                WHERE[0], key = f"{place}, {other}", (one if other == name else past).named[other]
                self.verify(one, key, digits, text, GISHIKI % "enrolment")
        one.keys = known if self.mode == "rehearsal" else one.named
    def approved(self, one, place, record, event, _):
        """Judge who approved a plan before the day, and when; a real one needs all approvals."""
        given, plan, both = event.get("approvals", {}), one.plan, (one, self.past)
        rule = one.policy["decision"]["approval"]
        release = [each.policy["decision"].get("release", {"by": None})["by"] for each in both]
        need([] not in release and (self.mode != "real" or not any(release) or one.release),
             "inputs/release.toml, and roles that approve it", release)
        by = under(plan, "by", "judged-by") + [e["approved-by"] for e in plan.get("exception", [])]
        asked = [{name} for names in by for name in ([names] if type(names) is str else names)]
        asked += [one.holders(rule["by"], o) for by in under(plan, "approved-by") for o in by]
        for each, more in zip(both, release):
            roles = each.policy["decision"]["approval"]["by"] + (one.release and more or [])
            asked += [one.holders([role], o) for role in roles for o in (each.cps["document"][
                "approved-by"] if each.policy["role"][role].get("each-organization") else [None])]
        missing = [sorted(people) for people in asked if not people & {*given}]
        WHERE[0], past = place, under(plan, "at", "received", "judged-at")
        need({*given} <= set().union(*asked) and event.get("approvals") != {} and not {"rehearsal":
             given, "drill": (), "real": missing}[self.mode], f"approvals {missing}", [*given])
        for name, said in given.items():
            WHERE[0], at = f"{place}, {name}", instant(said["at"])
            text = one.stated | {"at": at.isoformat()[:19] + one.ca["offset"], "person": name}
            need(said == {"at": text["at"], "signed": said["signed"]} and max([at, *past]) == at <=
                 instant(record["at"]) and later(at, rule["within"]) >= one.window["from"],
                 f"{rule['within']} or less, after {past}", said)
            self.verify(one, one.named[name], said["signed"], canonical(text), GISHIKI % "approval")
    def events(self, one, first, book, sealed=False):
        """Judge the order of a book, who signed its events, and what its answers say."""
        walk = ((*entry, None) for entry in book) if one.abandoned else one.walk(book, sealed)
        for place, record, event, before, head in walk:
            kind, op, given = event["kind"], event.get("op", ""), record.get("signed", {})
            room = event.get("room", first["room"])
            tool, told = one.release.get("tool") if self.mode == "real" else None, first["room"]
            need(all(room.get(n) == told.get(n) for n in ("token", "spares")) and (not tool or
                 room["tool"] == tool), f"its tokens, the program released, {tool}", room)
            answer, lone = event.get("answer", {}), event.get("refusal", {"by": []})
            new, lifted = event.get("new-medium", []), lone.get("lifted", [])
            by, person = set(event.get("by", answer.get("by", []))), event.get("person")
            if answer and op.startswith(("first-in", "entry-")):
                came = not one.reserves or answer["facts"].get("attendance") != "absent"
                one.came |= {n: n in by for n in by | one.stand} if op[0] == "f" else {op[6:]: came}
            WHERE[0], (duty, card, _) = place, one.ops.get(op, ("", "card" if given else "", ""))
            present = {n for n in one.people if one.came.get(n, not one.reserves or n in given)}
            who = {"answered": by if card == "card" else {card[12:]} - {""}, "closed": present,
                   "resumed": {*new, *lifted}}.get(kind, by if "reason" in event else set())
            who = who.difference(() if sealed and new else one.failed)
            due = re.findall(r"(\d+) \S+ of ([^,]+)", duty if "facts" in answer else "")
            duty = {n for _, p in due for n in p.split()} & present if due else present
            need(by <= duty and all(len(by & {*p.split()}) >= int(n) for n, p in due), due, event)
            need(set(given) == who <= one.people and ("signed" in record) == bool(who) and (given or
                 not sealed or kind not in ("refused", "deviation")), f"signatures of {who}", given)
            for some in [by] * (kind[:4] in "card orph paused") + [new, lifted * (not lone["by"])]:
                roles = {role for name in some for role in one.roster[name]["roles"]}
                need(not some or min(len(some), len(roles)) > 1, "two people of two roles", event)
            need(lifted in ([], lone["by"] or lifted) and present >= {*lone["by"]} and (
                "refusal" not in event or event["dropped"]), "all who refused", event)
            if kind == "card-failed": one.failed.add(need(person in one.people and not by & {
                person, *one.failed}, "others", event) or person)
            need(not one.failed or 2 * len(one.failed) < sum(one.came.values()), "most cards", by)
            for name, digits in given.items():
                WHERE[0] = f"{place}, {name}"
                text = canonical(one.stated | {"event": event, "head": before, "person": name})
                self.verify(one, one.keys[name], digits, text, GISHIKI % "act")
            if (kind, op) == ("asked", "write-head"):
                self.heads.add(f"{one.number:08x}{record['chain']}")
            elif kind in ("answered", "adopted"): self.answer(one, first, event, head)
    def answer(self, one, first, event, head):
        op, answer = event["op"], event.get("answer", event.get("key"))
        made = one.files.get(op.removeprefix("fingerprint-") + ".der")
        said = {"papers": first, "anchor-words": {"head": self.head, "audit-key": self.audit_id}
                }.get(op, {"sha256": made and sha256(made)})
        for name, fact in answer.get("facts", {}).items():
            need(not said.get(name) or len(fact) > 15 and said[name].startswith(fact),
                 f"16 digits or more of {said.get(name)}", fact)
        if op[:9] == "generate-":
            use, label = "audit" if op[9:14] == "audit" else "root", f"{one.ca['id']} {op[9:]}"
            curve, told = one.policy[use]["curve"], ("privates", "publics", "parameters", "labels")
            need([answer[n] for n in told] == [1, 1, CURVES[curve][3], [label] * 2], label, answer)
            key = self.keys[op[9:]] = ec.EllipticCurvePublicKey.from_encoded_point(
                CURVES[curve][0], bytes.fromhex(answer["point"]))
            self.once("key", key.public_bytes(*SPKI))
            known = any(one.rehearsed(use, curve, n) == key for n in range(256))
            need(known == (self.mode == "rehearsal"), "a rehearsal key in rehearsals only")
            if use == "audit": self.audit, self.audit_id = key, sha256(key.public_bytes(*SPKI))
        elif op == "identify" or op.startswith(("destroy-", "clear-")):
            need((answer.get("objects", 0), answer.get("serial", self.token)) == (0, self.token),
                 f"the token {self.token}, no object left", answer)
        elif fixed := re.match("(log)|wrap-|read-value-", op):
            need(answer["token"] == ("done" if fixed[1] else "denied"), "no key given out", answer)
        elif op in ("write-head", "read-head") and not one.abandoned:
            may = {f"{one.number:08x}{head}"} if op == "write-head" else self.heads
            self.heads = need(answer["values"] in [[v] for v in may], may) or {*answer["values"]}
        size = 32 if op == "sign-head" else CURVES[one.policy["root"]["curve"]][2]
        for digits in answer["signatures"] if op.startswith("sign-") else ():
            one.sheets[self.der(digits, size)] = event["attempt"]
        if op == "sign-head" and not one.abandoned:
            need(len(answer["signatures"]) == 1, "one signature", answer)
            der, text = one.sheets.popitem()[0], canonical({"ceremony": one.name, "head": head})
            self.verify(one, self.audit, der, text, GISHIKI % "head")
    def structure(self, one, name, octets, is_crl):
        plan = (made := self.withheld.get(name, one)).plan.get("certificate", {}).get(name, {})
        found = (x509.load_der_x509_crl if is_crl else x509.load_der_x509_certificate)(octets)
        body = found.tbs_certlist_bytes if is_crl else found.tbs_certificate_bytes
        by = name[4:-11] if is_crl else plan.get("issuer", plan.get("key"))
        attempt = made.sheets.pop(found.signature, None)
        need(attempt is not None, "a signature of the transcript", found.signature.hex())
        self.verify(one, self.keys[by], found.signature, body)
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
                request = x509.load_pem_x509_csr(octets := made.files[f"inputs/{plan['csr']}"])
                one.signed += need(request.is_signature_valid and request.public_key() == key
                                   and sha256(octets) == plan["csr-sha256"], "its request") or 1
                self.once("certified key", key.public_bytes(*SPKI))
            else: need((key, found.subject) == (self.keys[plan["key"]], one.issuer), "its key")
        need(found.issuer == one.issuer and f"root-{by}" in self.certificates, f"issuer root-{by}")
        line = f"(?m)^«{name}[.].*» = .*; {len(body)} octets, (sha256 {sha256(body)}$|open )"
        need(attempt or re.search(line, made.files["bindings.txt"].decode()), line)
    def seal(self, one, end, book):
        name, kind, first = "transcript.sigstore.json", "application/vnd.in-toto+json", book[0][2]
        WHERE[0], outside = f"{one.folder}/{name}", (name, "after.jsonl")
        facts = {n: first[n] for n in ("bindings", "ceremony", "format", "graph", "mode")}
        facts |= {"audit-key": self.audit_id, "end": end, "head": self.head, "sequence": one.number}
        made = [(n, sha256(o)) for n, o in sorted(one.files.items()) if n != "manifest.json"]
        files = [{"name": n, "octets": len(one.files[n]), "sha256": d} for n, d in made]
        made = [{"name": n, "digest": {"sha256": d}} for n, d in made if n not in outside]
        said = facts | one.stated | {"sessions": 1 + sum(e[2]["kind"] == "resumed" for e in book)}
        text = canonical({"predicateType": "https://gishiki.example/ceremony/v1", "predicate": said,
                          "_type": "https://in-toto.io/Statement/v1", "subject": made})
        der = base64.b64decode(json.loads(one.files[name])["dsseEnvelope"]["signatures"][0]["sig"])
        bundle = canonical({"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {"publicKey": {"hint": self.audit_id}}, "dsseEnvelope": {
                "payloadType": kind, "payload": base64.b64encode(text).decode(),
                "signatures": [{"sig": base64.b64encode(der).decode()}]}}) + b"\n"
        need(one.files[name] == bundle, "the seal that follows from the files")
        self.once("r of a signature", f"{utils.decode_dss_signature(der)[0]:064x}")
        self.verify(one, self.audit, der, text, kind)
        if "after.jsonl" in one.files:
            book = [*one.records("after.jsonl", book[-1][1]["terminal"], self.when)]
            WHERE[0] = book[0][0]
            need(book[0][2].get("bundle") == sha256(bundle), f"the seal {sha256(bundle)}")
            self.events(one, first, book, True)
            self.when, self.last["postscript"] = instant(book[-1][1]["at"]), book[-1][1]["chain"]
            undone = [e[2]["op"] for e in book if e[2]["kind"] == "refused"] + one.todo
            one.after = "postscript " + (" ".join(["without", *undone]) if undone else "complete")
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
        print(f"{one.name:40} {one.signed} signatures, {one.after}", flush=True)
    need(not ledger.journal, "a plan after it that names its journal", "none")
    if not anchor["mode"] or path and len(order) > len(pins):
        state = f"pinned from {order[len(pins)]} on" if path else "anchored"
        return f"consistent, not {state}: {ledger.mode}, {signed} signatures verified", 7
    return f"{ledger.mode}, {'verified' if path else 'consistent'}: {signed} signatures verified", 0
if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Judge a ledger of sealed key ceremonies.")
    parser.error = lambda text: parser.exit(64, f"{text}\n")
    parser.add_argument("folder", metavar="ledger", type=lambda text: text.rstrip("/"))
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--anchor", dest="path")
    for word in ("rehearsal", "drill"):
        only.add_argument(f"--{word}", dest="mode", action="store_const", const=word)
    try: verdict, code = judge(**vars(parser.parse_args()))
    except Exception as why:
        said = f"refused: {WHERE[0]}: {why if type(why) is ValueError else repr(why)}"
        parser.exit(4, "".join(filter(str.isprintable, said)) + "\n")
    sys.exit(print(verdict) or code)
