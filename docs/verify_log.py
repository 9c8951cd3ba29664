#!/usr/bin/python3
"""Checks an exported log, or the vectors of its format, without any code of the server.

    verify_log.py [--heads FILE] [--key PUBLIC_KEY] LOG     NDJSON; - is standard input
    verify_log.py --vectors FILE                            tests/unit/data/log_vectors.json

Written from docs/log-format.md alone, so that two implementations that know nothing of each other
have to agree. Exit status: 0 all is well, 1 something does not fit (the position and the reason
are printed), 2 the input is no export. Needs python3-cryptography (or PyNaCl) where heads are
signed; without it their signatures are not checked, and it says so.
"""

import argparse
import base64
import collections
import hashlib
import json
import struct
import sys

EVENT_COLUMNS = [
    "causation_id", "command_id", "correlation_id", "epoch", "hash", "key_id", "leaf", "payload",
    "payload_format", "position", "principal", "recorded_at_us", "request_digest",
    "schema_version", "stream", "tenant", "traceparent", "type", "version",
]
HEAD_FIELDS = ["epoch", "hash", "key_id", "origin", "position", "public_key", "signature"]
INT64 = range(-(2**63), 2**63)


class Bad(Exception):
    """Something does not fit."""

    def __init__(self, position, reason):
        super().__init__(reason)
        self.position = position
        self.reason = reason


class NoExport(Exception):
    """The input is something else."""


def sha256(data):
    return hashlib.sha256(data).digest()


def null():
    return b"\xff\xff\xff\xff"


def field(data):
    return struct.pack(">I", len(data)) + data


def text(value):
    return field(value.encode("utf-8"))


def integer(value):
    return field(struct.pack(">q", value))


def uuid(value):
    return field(bytes.fromhex(value.replace("-", "")))


def optional(encode, value):
    return null() if value is None else encode(value)


def leaf_of(e):
    return sha256(
        b"\x00"
        + struct.pack(">B", e["payload_format"])
        + integer(e["position"])
        + integer(e["epoch"])
        + text(e["stream"])
        + integer(e["version"])
        + text(e["type"])
        + integer(e["schema_version"])
        + uuid(e["tenant"])
        + optional(uuid, e["key_id"])
        + text(e["principal"])
        + uuid(e["command_id"])
        + optional(lambda digest: field(bytes.fromhex(digest)), e["request_digest"])
        + uuid(e["correlation_id"])
        + optional(integer, e["causation_id"])
        + text(e["traceparent"])
        + integer(e["recorded_at_us"])
        + sha256(e["payload"].encode("utf-8"))
    )


def chain(previous, leaf):
    return sha256(b"\x01" + previous + leaf)


def genesis_of(origin):
    return sha256(b"\x02" + bytes.fromhex(origin.replace("-", "")))


def signed_bytes(head):
    return (
        b"reeve-checkpoint-v1"
        + bytes.fromhex(head["origin"].replace("-", ""))
        + struct.pack(">qq", head["epoch"], head["position"])
        + bytes.fromhex(head["hash"])
        + head["key_id"].encode("ascii")
    )


def unpadded(value):
    """The bytes of base64url without padding; None if it is not in its one form."""
    try:
        data = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except ValueError:
        return None
    return data if base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii") == value else None


def signature_checker():
    """A function (public key, signature, data) -> bool, or None without a library for it."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric import ed25519

        def check(key, signature, data):
            try:
                ed25519.Ed25519PublicKey.from_public_bytes(key).verify(signature, data)
                return True
            except (InvalidSignature, ValueError):
                return False

        return check
    except ImportError:
        pass
    try:
        from nacl.exceptions import BadSignatureError
        from nacl.signing import VerifyKey

        def check_nacl(key, signature, data):
            try:
                VerifyKey(key).verify(data, signature)
                return True
            except (BadSignatureError, ValueError):
                return False

        return check_nacl
    except ImportError:
        return None


def canonical(value):
    """The one form of a line: sorted keys, no spaces, escapes only where JSON needs them."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def is_hex(value, size):
    return isinstance(value, str) and len(value) == size and set(value) <= set("0123456789abcdef")


def is_uuid(value):
    if not isinstance(value, str) or len(value) != 36:
        return False
    parts = value.split("-")
    return [len(p) for p in parts] == [8, 4, 4, 4, 12] and is_hex("".join(parts), 32)


def is_integer(value):
    return type(value) is int and value in INT64


def has_columns(e):
    """The columns of an event, no others, each of its kind."""
    if sorted(e) != EVENT_COLUMNS:
        return False
    texts = ["payload", "principal", "stream", "traceparent", "type"]
    integers = ["epoch", "position", "recorded_at_us", "schema_version", "version"]
    return (
        all(isinstance(e[name], str) for name in texts)
        and all(is_integer(e[name]) for name in integers)
        and all(is_uuid(e[name]) for name in ["command_id", "correlation_id", "tenant"])
        and all(is_hex(e[name], 64) for name in ["hash", "leaf"])
        and (e["causation_id"] is None or is_integer(e["causation_id"]))
        and (e["key_id"] is None or is_uuid(e["key_id"]))
        and (e["request_digest"] is None or is_hex(e["request_digest"], 64))
        and is_integer(e["payload_format"])
        and 0 <= e["payload_format"] <= 255
    )


class Log:
    def __init__(self, origin, heads, key):
        self.origin = origin
        self.key = key
        self.check_signature = signature_checker()
        self.hash = genesis_of(origin)
        self.position = 0
        self.epoch = 0
        self.recorded_at_us = None
        self.versions = {}
        self.heads_met = 0
        self.heads_inside = 0
        self.tenant = None
        self.leaves = 0
        self.signed_to = 0
        self.expected = collections.deque(sorted(heads, key=lambda head: head["position"]))

    def next(self):
        return self.position + 1

    def link(self, position, leaf):
        if position != self.next():
            raise Bad(self.next(), "there is another position here: %d" % position)
        self.hash = chain(self.hash, leaf)
        self.position = position

    def meet_heads(self):
        while self.expected and self.expected[0]["position"] <= self.position:
            self.meet(self.expected.popleft())

    def event(self, e):
        at = self.next()
        if self.tenant and e["tenant"] != self.tenant:
            raise Bad(at, "the event is another tenant's than the export is for")
        if e["position"] == at and leaf_of(e).hex() != e["leaf"]:
            raise Bad(at, "the leaf is not that of the columns")
        self.link(e["position"], bytes.fromhex(e["leaf"]))
        if self.hash.hex() != e["hash"]:
            raise Bad(at, "the hash does not follow from the one before")
        if e["epoch"] < self.epoch:
            raise Bad(at, "the epoch is lower than before")
        if self.recorded_at_us is not None and e["recorded_at_us"] <= self.recorded_at_us:
            raise Bad(at, "the time is not later than before")
        if e["version"] != self.versions.get(e["stream"], 0) + 1:
            raise Bad(at, "the version is not the next one of its stream")
        self.versions[e["stream"]] = e["version"]
        self.epoch = e["epoch"]
        self.recorded_at_us = e["recorded_at_us"]
        self.meet_heads()

    def leaf(self, position, leaf):
        if not self.tenant:
            raise Bad(self.next(), "an event of a whole export is missing")
        self.leaves += 1
        self.link(position, bytes.fromhex(leaf))
        self.meet_heads()

    def meet(self, head):
        at = head["position"]
        if at > self.position:
            raise Bad(self.next(), "the log ends before its checkpoint at %d" % at)
        if at != self.position:
            raise Bad(self.next(), "a checkpoint is out of its place")
        if head["origin"] != self.origin:
            raise Bad(at, "the checkpoint is of another log")
        if head["hash"] != self.hash.hex():
            raise Bad(at, "the hash is not the one that was signed")
        if self.key and head["public_key"] != self.key:
            raise Bad(at, "the checkpoint was signed by another key")
        key = unpadded(head["public_key"])
        signature = unpadded(head["signature"])
        if key is None or len(key) != 32 or signature is None or len(signature) != 64:
            raise Bad(at, "the signature is wrong")
        if sha256(key).hex()[:16] != head["key_id"]:
            raise Bad(at, "the checkpoint's key id is not that of its key")
        if self.check_signature and not self.check_signature(
            key, signature, signed_bytes(head)
        ):
            raise Bad(at, "the signature is wrong")
        self.heads_met += 1
        self.signed_to = at

    def unseen(self):
        """What could not be checked, in sentences."""
        said = []
        if self.tenant:
            said.append(
                "Only events of tenant %s were to be seen. Of %d events nothing but the leaf is "
                "known: whether they are those of others, or of this tenant and hidden, cannot be "
                "told." % (self.tenant, self.leaves)
            )
        if self.signed_to < self.position:
            said.append("The last signed head is at %d." % self.signed_to)
        return said

    def finish(self):
        if self.expected:
            self.meet(self.expected[0])


def head_from(value):
    good = (
        isinstance(value, dict)
        and sorted(value) == HEAD_FIELDS
        and is_integer(value["epoch"])
        and is_integer(value["position"])
        and is_uuid(value["origin"])
        and is_hex(value["hash"], 64)
        and isinstance(value["key_id"], str)
        and isinstance(value["public_key"], str)
        and isinstance(value["signature"], str)
    )
    return value if good else None


def read_heads(path):
    heads = []
    with open(path, encoding="utf-8", newline="\n") as lines:
        for line in lines:
            if not line.endswith("\n"):
                break  # cut off while it was written
            head = head_from(json.loads(line))
            if head is None:
                raise NoExport("%s has a line that is no signed head" % path)
            heads.append(head)
    return heads


def parse(line, position):
    """The object of a line that has its one form."""
    try:
        raw = line.decode("utf-8")
        value = json.loads(raw)
        if isinstance(value, dict) and canonical(value) == raw:
            return value
    except (ValueError, RecursionError):
        pass
    raise Bad(position, "the line cannot be read, or is not in its one form")


def take(log, value):
    """One line behind the header; True for the trailer."""
    if list(value) == ["checkpoint"]:
        head = head_from(value["checkpoint"])
        if head is None:
            raise Bad(log.next(), "a checkpoint cannot be read")
        met = log.heads_met
        log.meet(head)
        log.heads_met = met + 1
        log.heads_inside += 1
    elif list(value) == ["reeve_export_end"]:
        counts = {"checkpoints": log.heads_inside, "events": log.position, "leaves": log.leaves}
        if value["reeve_export_end"] != counts:
            raise Bad(log.next(), "the export's end tells other numbers")
        return True
    elif sorted(value) == ["leaf", "position"] and is_hex(value["leaf"], 64):
        log.leaf(value["position"], value["leaf"])
    elif has_columns(value):
        log.event(value)
    else:
        raise Bad(log.next(), "the line is none of an export")
    return False


def verify_export(lines, heads, key):
    try:
        header = parse(next(lines, b"").rstrip(b"\n"), 1)
    except Bad as why:
        raise NoExport("the input is no exported log") from why
    tenant = header.get("tenant")
    known = ["origin", "reeve_export"] + (["tenant"] if tenant is not None else [])
    if sorted(header) != known or not is_uuid(header["origin"]):
        raise NoExport("the input is no exported log")
    if tenant is not None and not is_uuid(tenant):
        raise NoExport("the export's tenant is no UUID")
    if header["reeve_export"] != 1:
        raise NoExport("the export has a format that is not known here")
    log = Log(header["origin"], heads, key)
    log.tenant = tenant
    ended = False
    for line in lines:
        if ended:
            raise Bad(log.next(), "there is more behind the export's end")
        line = line[:-1] if line.endswith(b"\n") else line
        ended = take(log, parse(line, log.next()))
    if not ended:
        raise Bad(log.next(), "the export was cut off")
    log.finish()
    return log


def verify_vectors(path):
    """Every leaf, hash and signature of the vectors, computed anew."""
    with open(path, encoding="utf-8") as source:
        vectors = json.load(source)
    log = Log(vectors["origin"], [], None)
    if log.hash.hex() != vectors["genesis"]:
        raise Bad(1, "the genesis is another one")
    for e in vectors["events"]:
        if not has_columns(e):
            raise Bad(log.next(), "the columns are not those of an event")
        log.event(e)
    if signed_bytes(vectors["checkpoint"]).hex() != vectors["checkpoint_signed_bytes"]:
        raise Bad(log.position, "the signed bytes are others")
    log.meet(head_from(vectors["checkpoint"]))
    return log


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("log", nargs="?")
    options.add_argument("--vectors")
    options.add_argument("--heads")
    options.add_argument("--key")
    asked = options.parse_args()
    if (asked.log is None) == (asked.vectors is None):
        options.error("give a log or --vectors")
    try:
        if asked.vectors:
            log = verify_vectors(asked.vectors)
        else:
            heads = read_heads(asked.heads) if asked.heads else []
            source = sys.stdin.buffer if asked.log == "-" else open(asked.log, "rb")
            with source:
                log = verify_export(iter(source), heads, asked.key)
    except Bad as why:
        print("Position %d does not fit: %s." % (why.position, why.reason))
        return 1
    except (NoExport, OSError, ValueError) as why:
        print("verify_log.py: %s" % why, file=sys.stderr)
        return 2
    if log.heads_met and not log.check_signature:
        print("Signatures were not checked: install python3-cryptography.", file=sys.stderr)
    print("%d events, %d checkpoints, head %s" % (log.position, log.heads_met, log.hash.hex()))
    for sentence in log.unseen():
        print(sentence)
    return 0


if __name__ == "__main__":
    sys.exit(main())
