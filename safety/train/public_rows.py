"""Turns public sets of sentences with personal data into marked rows, for measuring only.

``python -m safety.train.public_rows presidio|nano|contextual FILE | secondchair scrub --evaluate``.
The sets' own labels decide; labels of what we keep on purpose (ages, dates, jobs) are left out.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from safety.surrogates import Kind

CONTEXTUAL_ROWS = 600
"""How many of the 4,321 dialogues are read, chosen by a fixed seed."""
KINDS = {
    Kind.PERSON: "PERSON NAME CLIENT_NAME DOCTOR",
    Kind.LOCATION: "STREET_ADDRESS ADDRESS GPE LOCATION CITY",
    Kind.ORGANIZATION: "ORGANIZATION ORG COMPANY SCHOOL UNIVERSITY HOSPITAL",
    Kind.EMAIL_ADDRESS: "EMAIL_ADDRESS EMAIL",
    Kind.PHONE_NUMBER: "PHONE_NUMBER PHONE",
    Kind.URL: "DOMAIN_NAME LINK",
    Kind.IP_ADDRESS: "IP_ADDRESS",
    Kind.FINANCIAL: "CREDIT_CARD IBAN_CODE IBAN ACCOUNT BANK_ACCOUNT ACCOUNT_NUMBER"
    " BANK_ACCOUNT_NUM ACCOUNT_NUM ROUTING_NUMBER",
    Kind.ID_NUMBER: "US_SSN US_DRIVER_LICENSE SSN PASSPORT TAX_ID TAXID PATIENT_ID PAN"
    " DRIVER_LICENSE DRIVERS_LICENSE DRIVER_LICENSE_NUM AADHAR INSURANCE_ID VOTER_ID PASSPORT_NUM"
    " EMPLOYEE_ID MEDICAL_RECORD POLICY_NUMBER CLAIM_ID CASE_NUMBER PESEL NIP TICKET_ID",
    Kind.USERNAME: "USERNAME USERID USER_ID",
}
KIND_OF = {label: kind for kind, labels in KINDS.items() for label in labels.split()}
TITLE = re.compile(r"(?:dr|mr|mrs|ms|miss|prof)\.?\s+", re.I)
PLACEHOLDER = re.compile(r"\[([A-Z_]+?)_?\d*\]")


def presidio(path: Path) -> Iterator[tuple[str, list[tuple[int, int, str]]]]:
    """The generated sentences of presidio-research."""
    for row in json.loads(path.read_text(encoding="utf-8")):
        yield (
            row["full_text"],
            [(s["start_position"], s["end_position"], s["entity_type"]) for s in row["spans"]],
        )


def nano(path: Path) -> Iterator[tuple[str, list[tuple[int, int, str]]]]:
    """The sentences of PII-synthetic_dataset; an entity is where it first stands."""
    for row in json.loads(path.read_text(encoding="utf-8")):
        text, named = row["text"], [one for one in row["NER"] if "entity" in one]
        places = [(text.find(one["entity"]), one["entity"], one["label"]) for one in named]
        yield text, [(at, at + len(said), label) for at, said, label in places if at >= 0]


def contextual(path: Path) -> Iterator[tuple[str, list[tuple[int, int, str]]]]:
    """The pairs of contextual-anonymizer whose placeholders can be laid over the text."""
    pairs = json.loads(path.read_text(encoding="utf-8"))["data"]
    for pair in Random(5).sample(pairs, CONTEXTUAL_ROWS):
        labels: list[str] = PLACEHOLDER.findall(pair["anonymized_context"])
        literal = PLACEHOLDER.split(pair["anonymized_context"])[::2]
        shape = "([^\n]{1,60}?)".join(map(re.escape, literal))
        laid = re.fullmatch(shape, pair["context"], re.S)
        if laid is not None:
            spans = [(*laid.span(i), label) for i, label in enumerate(labels, 1)]
            yield pair["context"], spans


READERS = {"presidio": presidio, "nano": nano, "contextual": contextual}


def _title(said: str) -> int:
    """How much of a name is a title, which our corpora leave outside."""
    found = TITLE.match(said)
    return found.end() if found else 0


def main(name: str, path: Path) -> None:
    """Prints the set as marked rows."""
    for number, (text, spans) in enumerate(READERS[name](path)):
        marked = [
            {"start": start + _title(text[start:end]), "end": end, "type": str(KIND_OF[label])}
            for start, end, label in spans
            if label in KIND_OF
        ]
        row = {"id": f"{name}-{number}", "lang": "en", "kind": name, "text": text, "spans": marked}
        print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
