"""Prints what a generated model accepts: documented bodies, and these bodies with one field replaced by an object.

Usage: python models.py MODULE BODY…
"""

import importlib
import json
import sys

from pydantic import ValidationError

DocumentedPayload = importlib.import_module(sys.argv[1]).DocumentedPayload
accepted = []
refused = accepted_malformed = 0
for path in sys.argv[2:]:
    with open(path, encoding="utf-8") as file:
        body = json.load(file)
    accepted.append(DocumentedPayload.model_validate(body).root)
    for part in [body, body["content"][0]]:
        for field, value in part.items():
            part[field] = {}
            try:
                DocumentedPayload.model_validate(body)
                accepted_malformed += 1
            except ValidationError:
                refused += 1
            part[field] = value

print([payload.event for payload in accepted])
print(f"refused {refused} malformed, accepted {accepted_malformed}")
print([item.status == "1" for payload in accepted for item in payload.content if payload.event == "UNREPLIED"])
