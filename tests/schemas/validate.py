"""Says of documents whether they are of their JSON Schemas.

Each line of the standard input is one: {"kind": "plan", "text": "…"}. Times are texts, as in Taplo's view of TOML as JSON.
"""

import datetime
import json
import pathlib
import sys
import tomllib

import jsonschema


def plain(value):
    """A value of TOML as one of JSON."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return value


validators = {}
for path in pathlib.Path(sys.argv[1]).iterdir():
    schema = json.loads(path.read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    formats = jsonschema.FormatChecker()
    validators[path.name.removesuffix(".schema.json")] = jsonschema.Draft7Validator(schema, format_checker=formats)
verdicts = []
for line in sys.stdin:
    asked = json.loads(line)
    verdicts.append(validators[asked["kind"]].is_valid(plain(tomllib.loads(asked["text"]))))
json.dump(verdicts, sys.stdout)
