"""The family centre: an OData v4 service over the cases of children, with a bearer token.

A CPR number in a URL is a breach risk, so this service takes queries about people only in the body of
`POST …/$query`, and its next links are opaque. Anything beyond equalities is refused, never ignored.
"""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.systems import odata
from demo.systems.access import bearer_check, guarded
from demo.systems.control import CategoryOf, Handler
from demo.systems.paging import Continuations, Rest
from demo.systems.process import Started, run_system

NAMESPACE = "Boernesager"
DATE, TEXT = "Edm.Date", "Edm.String"
COMMON = {"Id": TEXT, "SagId": TEXT, "Kategori": TEXT, "Cpr": TEXT, "BarnNavn": TEXT, "KontaktCpr": TEXT,
          "Kle": TEXT, "Lov": TEXT, "Paragraf": TEXT, "Status": TEXT, "Enhed": TEXT}  # fmt: skip
PERIOD = {"Startdato": DATE, "Slutdato": DATE}
VISITS = f"Collection({NAMESPACE}.Besoegstid)"
SETS: dict[str, dict[str, str]] = {
    "Sag": {"Id": TEXT, "Kategori": TEXT, "Cpr": TEXT, "KontaktCpr": TEXT, "Overskrift": TEXT, "Sagsbehandler": TEXT,
            "Telefon": TEXT, "Aabnet": DATE, "Lukket": DATE, "Status": TEXT, "Enhed": TEXT},
    "Indsats": {**COMMON, **PERIOD, "Betegnelse": TEXT, "Behov": TEXT, "Afgoerelse": TEXT, "Medarbejder": TEXT,
                "Besoegstider": VISITS},
    "BarnetsPlan": {**COMMON, **PERIOD, "Plantype": TEXT, "Titel": TEXT, "Maal": TEXT, "Opfoelgning": DATE},
    "Undersoegelse": {**COMMON, **PERIOD, "Emne": TEXT, "Metode": TEXT, "Konklusion": TEXT},
    "Underretning": {**COMMON, "Modtaget": DATE, "Afsender": TEXT, "Resume": TEXT},
}  # fmt: skip
COMPLEXES = {"Besoegstid": {"Ugedag": "Edm.Int32", "Fra": TEXT, "Til": TEXT}}
# What a call to a set asks for, unless its filter names another `Kategori`.
CATEGORY = {"Sag": "P03", "Indsats": "F01", "BarnetsPlan": "F02", "Undersoegelse": "F03", "Underretning": "F04"}
FILTERABLE = ("Cpr", "KontaktCpr", "Kategori", "SagId")
PERSON = {"Cpr", "KontaktCpr"}
SKIP_TOKEN = "$skiptoken"  # noqa: S105  # The name of a query option, no secret.


def routes(started: Started) -> list[Route]:
    """Give the interface: service document, metadata, and for each set its queries and next pages."""
    checked = bearer_check(started.secret("token"))
    continuations = Continuations()

    def route(path: str, handler: Handler, method: str, category: CategoryOf | None = None) -> Route:
        gated = started.control.gate(path, guarded(handler, checked), category)
        return Route(path, gated, methods=[method])

    every = [route("/odata/", _service(started), "GET"), route("/odata/$metadata", _metadata, "GET")]
    for name in SETS:
        every += [
            route(f"/odata/{name}/$query", _query(started, continuations, name), "POST", _category(name)),
            route(f"/odata/{name}", _next(started, continuations, name), "GET", _category_left(continuations)),
        ]
    return every


def _service(started: Started) -> Handler:
    async def service(_request: Request) -> Response:
        sets = [{"name": name, "kind": "EntitySet", "url": name} for name in SETS]
        body = {"@odata.context": f"{started.address}/odata/$metadata", "value": sets}
        return JSONResponse(body, headers=odata.VERSION)

    return service


async def _metadata(_request: Request) -> Response:
    text = odata.metadata(NAMESPACE, SETS, COMPLEXES)
    return Response(text, media_type="application/xml", headers=odata.VERSION)


def _query(started: Started, continuations: Continuations, name: str) -> Handler:
    async def query(request: Request) -> Response:
        if request.url.query:
            return odata.error(400, "OptionsInUrl", "put the query options into the body")
        try:
            wanted = await _read(request, name)
        except odata.QueryRefusedError as error:
            return odata.error(400, "QueryNotSupported", str(error))
        if not wanted.equal.keys() & PERSON:
            return odata.error(400, "PersonMissing", "$filter must name a person")
        if started.control.mode.leak:
            wanted = replace(wanted, equal={one: wanted.equal[one] for one in wanted.equal.keys() & PERSON})
        rows = wanted.rows(started.records.rows(name))
        rest = Rest(name, wanted.equal.get("Kategori", CATEGORY[name]), rows, len(rows), started.page_size)
        page, following = continuations.page(rest)
        return odata.collection(started.address, name, page, following)

    return query


async def _read(request: Request, name: str) -> odata.Query:
    try:
        body = (await request.body()).decode()
    except UnicodeDecodeError:
        raise odata.QueryRefusedError("the body is not UTF-8") from None
    return odata.parse_query(body, request.headers.get("content-type", ""), tuple(SETS[name]), FILTERABLE)


def _next(started: Started, continuations: Continuations, name: str) -> Handler:
    async def following(request: Request) -> Response:
        rest = continuations.of(request.query_params.get(SKIP_TOKEN, ""))
        if rest is None or rest.kind != name or set(request.query_params) != {SKIP_TOKEN}:
            return odata.error(400, "UseQuery", f"ask about people with POST /odata/{name}/$query")
        page, token = continuations.page(rest)
        return odata.collection(started.address, name, page, token)

    return following


def _category(name: str) -> CategoryOf:
    async def category(request: Request) -> str | None:
        try:
            return (await _read(request, name)).equal.get("Kategori", CATEGORY[name])
        except odata.QueryRefusedError:
            return CATEGORY[name]

    return category


def _category_left(continuations: Continuations) -> CategoryOf:
    async def category(request: Request) -> str | None:
        rest = continuations.of(request.query_params.get(SKIP_TOKEN, ""))
        return rest.category if rest else None

    return category


if __name__ == "__main__":
    run_system("An invented family centre (OData v4).", list(SETS), routes)
