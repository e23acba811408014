"""Prints which bodies a generated model accepts, and how many it refuses after one field was replaced by an object.

Usage: python models.py MODULE BODY…
"""

import importlib
import json
import sys

from pydantic import ValidationError

DocumentedPayload = importlib.import_module(sys.argv[1]).DocumentedPayload
accepted = []
refused = 0
for path in sys.argv[2:]:
    with open(path, encoding="utf-8") as file:
        body = json.load(file)
    accepted.append(DocumentedPayload.model_validate(body).root)
    for part in [body, body["content"][0]]:
        for field, value in part.items():
            part[field] = {}
            try:
                DocumentedPayload.model_validate(body)
            except ValidationError:
                refused += 1
            part[field] = value

print("accepted", *(payload.event for payload in accepted))
print("refused", refused)
unreplied = next(payload for payload in accepted if payload.event == "UNREPLIED")
print("status equals 1:", unreplied.content[0].status == "1")
