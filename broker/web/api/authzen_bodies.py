"""Bodies of AuthZEN requests, and what they mean here (AuthZEN 1.0 sections 5 to 8, 10.1.1; `docs/authzen.md`).

Rules kept here:
- The subject is the caseworker whom the token names; nobody asks what another may.
- A resource is a source's category about one citizen, who stands in its properties and so in the body alone.
- Purpose and case stand in the context. Whatever else is sent is ignored: nothing rests on the asker's word.
- What lacks something is malformed; what is whole and not ours to decide is `Undecided`, and reads nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError

from broker.domain.directory import Directory
from broker.domain.errors import BadAsk
from broker.domain.identity import Caller
from broker.domain.personal import Personal
from broker.web.wire import CODE, cpr_of

SUBJECT, RESOURCE, ACTION = "caseworker", "category", "read"
MOST_EVALUATIONS = 100
CASE = re.compile(r"[\w./:-]{1,64}")
LONGEST = 256
Text = Annotated[str, Field(max_length=LONGEST)]
Properties = Annotated[dict[str, Any] | None, Field(description="Read only where this page says so")]
Context = Annotated[
    dict[str, Any] | None,
    Field(
        description="`purpose` and `case`: what for, and from which case of the caller's unit",
        examples=[{"purpose": "helhedsorienteret_plan", "case": "JC-2019-0417"}],
    ),
]


class Received(BaseModel):
    """A form of AuthZEN: fields that are not known are ignored (section 10.1.1)."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class SubjectBody(Received):
    """Who would see it: the caller's own caseworker (section 5.1)."""

    type: Annotated[Text, Field(examples=[SUBJECT])]
    id: Annotated[Text, Field(description="The id in the employer's assertion", examples=["lene"])]
    properties: Properties = None


class ResourceBody(Received):
    """What would be seen: `source/category` of the citizen in the properties (section 5.2)."""

    type: Annotated[Text, Field(examples=[RESOURCE])]
    id: Annotated[Text, Field(description="source/category", examples=["korsbaek-social/S01"])]
    properties: Annotated[
        dict[str, Any] | None,
        Field(description="`citizen`: a CPR number", examples=[{"citizen": "710274-0022"}]),
    ] = None


class ActionBody(Received):
    """What would be done: `read` (section 5.3)."""

    name: Annotated[Text, Field(examples=[ACTION])]
    properties: Properties = None


class SoughtSubjectBody(Received):
    """Of which type subjects are searched; an id is ignored (section 8.4.1)."""

    type: Annotated[Text, Field(examples=[SUBJECT])]
    properties: Properties = None


class SoughtResourceBody(Received):
    """Of which type resources are searched, and about which citizen; an id is ignored (section 8.5.1)."""

    type: Annotated[Text, Field(examples=[RESOURCE])]
    properties: Annotated[
        dict[str, Any] | None,
        Field(description="`citizen`: a CPR number", examples=[{"citizen": "710274-0022"}]),
    ] = None


class EvaluationBody(Received):
    """One evaluation (section 6.1)."""

    subject: SubjectBody
    action: ActionBody
    resource: ResourceBody
    context: Context = None


class OptionsBody(Received):
    """How several evaluations are run (section 7.1.2.1)."""

    evaluations_semantic: Literal["execute_all", "deny_on_first_deny", "permit_on_first_permit"] = "execute_all"


class EvaluationsBody(Received):
    """Several evaluations; what stands on top is the default of each (section 7.1). Without any: a single one."""

    subject: Annotated[dict[str, Any] | None, Field(description="As in an evaluation: the default of each")] = None
    action: Annotated[dict[str, Any] | None, Field(description="As in an evaluation: the default of each")] = None
    resource: Annotated[dict[str, Any] | None, Field(description="As in an evaluation: the default of each")] = None
    context: Context = None
    evaluations: Annotated[
        list[dict[str, Any]] | None,
        Field(
            max_length=MOST_EVALUATIONS,
            description="Each as an evaluation, less what stands on top",
            examples=[[{"resource": {"type": RESOURCE, "id": "korsbaek-social/S01"}}]],
        ),
    ] = None
    options: OptionsBody | None = None


class PageBody(Received):
    """Which part of what is found is wanted (section 8.2.1)."""

    token: Annotated[Text | None, Field(description="`next_token` of the answer before")] = None
    limit: Annotated[StrictInt | None, Field(ge=0, description="At most so many results")] = None
    properties: Properties = None


class SubjectSearchBody(Received):
    """Which subjects may (section 8.4.1)."""

    subject: SoughtSubjectBody
    action: ActionBody
    resource: ResourceBody
    context: Context = None
    page: PageBody | None = None


class ResourceSearchBody(Received):
    """Of which categories of one citizen the caller may (section 8.5.1)."""

    subject: SubjectBody
    action: ActionBody
    resource: SoughtResourceBody
    context: Context = None
    page: PageBody | None = None


class ActionSearchBody(Received):
    """What the caller may do (section 8.6.1)."""

    subject: SubjectBody
    resource: ResourceBody
    context: Context = None
    page: PageBody | None = None


class Undecided(Exception):
    """What is asked is whole, and nothing that is decided here: there is no yes (section 7.2.1). Never echoes."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class About:
    """What one ask is about: a citizen, a purpose and a case."""

    citizen: Personal[str]
    purpose: str
    case: Personal[str]


def check_subject(subject: SubjectBody, caller: Caller) -> None:
    """Raise `Undecided` unless the subject is the caseworker who asks."""
    check_subject_type(subject.type)
    if Personal(subject.id) != caller.caseworker.id:
        raise Undecided(403, "What somebody may is told to them alone.")


def check_subject_type(kind: str) -> None:
    """Raise `Undecided` for a type of subject that is not known."""
    if kind != SUBJECT:
        raise Undecided(404, "There is no such type of subject.")


def check_resource_type(kind: str) -> None:
    """Raise `Undecided` for a type of resource that is not known."""
    if kind != RESOURCE:
        raise Undecided(404, "There is no such type of resource.")


def check_action(name: str) -> None:
    """Raise `Undecided` for an action that is not known."""
    if name != ACTION:
        raise Undecided(404, "There is no such action.")


def place_of(resource: ResourceBody, directory: Directory) -> tuple[str, str]:
    """Give the source and the category a resource names; raise `Undecided` when no source holds such a thing."""
    check_resource_type(resource.type)
    source, _, category = resource.id.partition("/")
    if source not in directory.sources or category not in directory.sources[source].categories:
        raise Undecided(404, "There is no such resource.")
    return source, category


def about(properties: Mapping[str, Any] | None, context: Mapping[str, Any] | None, *, test_numbers: bool) -> About:
    """Read whom, what for and which case; raise `BadAsk` where one is missing or malformed."""
    properties, context = properties or {}, context or {}
    citizen = _text(properties, "citizen", "/resource/properties/citizen")
    number = cpr_of(citizen, pointer="/resource/properties/citizen", test_numbers=test_numbers)
    purpose, case = _text(context, "purpose", "/context/purpose"), _text(context, "case", "/context/case")
    if not re.fullmatch(CODE, purpose):
        raise BadAsk("/context/purpose", "not_a_code")
    if not CASE.fullmatch(case):
        raise BadAsk("/context/case", "not_a_case")
    return About(number, purpose, Personal(case))


def _text(fields: Mapping[str, Any], name: str, pointer: str) -> str:
    if name not in fields:
        raise BadAsk(pointer, "missing")
    value = fields[name]
    if not isinstance(value, str):
        raise BadAsk(pointer, "string_type")
    return value


def evaluation_of(body: EvaluationsBody, row: Mapping[str, Any]) -> EvaluationBody:
    """Lay one evaluation over the defaults (section 7.1.1); raise `BadAsk` when it is not whole then.

    What it names replaces a default as a whole; only its type, id or name are taken from the default where it has none.
    """
    whole: dict[str, Any] = {"context": row.get("context", body.context)}
    for entity, needed in (("subject", ("type", "id")), ("action", ("name",)), ("resource", ("type", "id"))):
        default: Mapping[str, Any] | None = getattr(body, entity)
        told = row.get(entity, default)
        if isinstance(told, Mapping) and default:
            told = {name: default[name] for name in needed if name in default} | dict(told)
        if told is not None:
            whole[entity] = told
    try:
        return EvaluationBody.model_validate(whole)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        raise BadAsk("".join(f"/{part}" for part in first["loc"]), str(first["type"])) from None
