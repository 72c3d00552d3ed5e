"""The health centre: a FHIR R4 server with OAuth2 client credentials; people are searched by form body only.

Functional limits are Observations with ICF codes, diagnoses Conditions, courses CarePlans and Appointments.
A doctor's statement is two resources: the DocumentReference says that it exists, the QuestionnaireResponse
what it says. The acute profile is a set of Flags.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.systems import fhir
from demo.systems.access import Tokens, guarded
from demo.systems.control import CategoryOf, Handler
from demo.systems.fhir import Kind
from demo.systems.paging import Continuations, Rest
from demo.systems.process import Started, run_system
from demo.systems.records import RecordsUnusableError, Row

ABUSE = {"alkoholbehandling": "H07", "stofbehandling": "H07"}
KINDS = {
    "Patient": Kind("", None, {"identifier": "identifier"}),
    "Observation": Kind("subject", "H01", {"code": "code", "category": "category"}),
    "Condition": Kind("subject", "H02", {"code": "code", "category": "category"}),
    "CarePlan": Kind("subject", "H03", {"category": "category"}, ABUSE),
    "Appointment": Kind("participant", "H03", {"service-category": "serviceCategory"}, ABUSE),
    "DocumentReference": Kind("subject", "H04", {"type": "type", "category": "category"}),
    "QuestionnaireResponse": Kind("subject", "H05"),
    "MedicationStatement": Kind("subject", "H06", {"code": "medicationCodeableConcept", "category": "category"}),
    "Flag": Kind("subject", "E01", {"code": "code", "category": "category"}),
}


def routes(started: Started) -> list[Route]:
    """Give the interface: token, metadata, one search a resource type, and next pages."""
    _check(started.records.rows("resources"))
    tokens = Tokens(started.secret("client_id"), started.secret("client_secret"))
    continuations = Continuations()

    def route(path: str, handler: Handler, method: str, category: CategoryOf | None = None) -> Route:
        return Route(path, started.control.gate(path, handler, category), methods=[method])

    searches = [
        route(
            f"/fhir/{name}/_search",
            guarded(_search(started, continuations, name), tokens.check),
            "POST",
            _category(kind),
        )
        for name, kind in KINDS.items()
    ]
    following = guarded(_next(started, continuations), tokens.check)
    return [
        tokens.route(started.control),
        route("/fhir/metadata", _metadata, "GET"),
        *searches,
        route("/fhir", following, "GET", _category_left(continuations)),
    ]


def _check(resources: list[Row]) -> None:
    for resource in resources:
        if resource.get("resourceType") not in KINDS or not isinstance(resource.get("id"), str):
            raise RecordsUnusableError(f"every resource needs an id and a type of: {', '.join(KINDS)}")


async def _metadata(_request: Request) -> Response:
    return JSONResponse(fhir.capabilities(KINDS), media_type=fhir.JSON)


def _search(started: Started, continuations: Continuations, name: str) -> Handler:
    async def search(request: Request) -> Response:
        if request.url.query:
            return fhir.outcome(400, "not-supported", "put the search parameters into the body")
        form = await _form(request)
        if len(form) != len((await request.form()).multi_items()):
            return fhir.outcome(400, "not-supported", "a parameter is given twice")
        patients = started.records.matching("resources", resourceType="Patient")
        try:
            size = fhir.count_of(form, started.page_size)
            if name == "Patient":
                found = _patients(form, patients)
            else:
                wanted = {
                    one: form[one] for one in form if one not in KINDS[name].tokens or not started.control.mode.leak
                }
                resources = started.records.matching("resources", resourceType=name)
                found = fhir.search(wanted, KINDS[name], resources, patients)
        except fhir.SearchRefusedError as error:
            return fhir.outcome(400, "not-supported", str(error))
        page, token = continuations.page(Rest(name, _asked(form, KINDS[name]), found, len(found), size))
        return fhir.bundle(started.address, name, page, len(found), token)

    return search


def _patients(form: dict[str, str], patients: list[Row]) -> list[Row]:
    if set(form) - {"_count"} != {"identifier"}:
        raise fhir.SearchRefusedError("Patient is searched by identifier")
    return fhir.by_identifier(form["identifier"], patients)


def _next(started: Started, continuations: Continuations) -> Handler:
    async def following(request: Request) -> Response:
        rest = continuations.of(request.query_params.get("_getpages", ""))
        if rest is None:
            return fhir.outcome(410, "not-found", "that page is gone")
        page, token = continuations.page(rest)
        return fhir.bundle(started.address, rest.kind, page, rest.total, token)

    return following


async def _form(request: Request) -> dict[str, str]:
    return {name: str(value) for name, value in (await request.form()).items()}


def _asked(form: dict[str, str], kind: Kind) -> str | None:
    """Give the category that a search asks for: its type's, or that of a code it names."""
    named = {token.rpartition("|")[2] for element in kind.tokens for token in form.get(element, "").split(",")}
    special = {kind.by_code[code] for code in named if code in kind.by_code}
    return special.pop() if len(special) == 1 else kind.category


def _category(kind: Kind) -> CategoryOf:
    async def category(request: Request) -> str | None:
        return _asked(await _form(request), kind)

    return category


def _category_left(continuations: Continuations) -> CategoryOf:
    async def category(request: Request) -> str | None:
        rest = continuations.of(request.query_params.get("_getpages", ""))
        return rest.category if rest else None

    return category


if __name__ == "__main__":
    run_system("An invented health centre (FHIR R4).", ["resources"], routes)
