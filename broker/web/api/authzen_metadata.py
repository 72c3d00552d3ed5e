"""`GET /.well-known/authzen-configuration`: where this decision point is asked (AuthZEN 1.0 section 9)."""

from __future__ import annotations

from fastapi import APIRouter, Response

from broker.web.api.answers import OPEN_ANSWERS, told
from broker.web.api.authzen_desk import json_body

ENDPOINTS = {
    "access_evaluation_endpoint": "/access/v1/evaluation",
    "access_evaluations_endpoint": "/access/v1/evaluations",
    "search_subject_endpoint": "/access/v1/search/subject",
    "search_resource_endpoint": "/access/v1/search/resource",
    "search_action_endpoint": "/access/v1/search/action",
}


def build(public_url: str) -> APIRouter:
    """Build the route. `public_url` is what callers know us by; it is the identifier they hold the answer against."""
    routes = APIRouter(tags=["discovery"])
    document = {"policy_decision_point": public_url} | {name: public_url + path for name, path in ENDPOINTS.items()}

    @routes.get(
        "/.well-known/authzen-configuration",
        responses=told("DecisionPoint", OPEN_ANSWERS),
        summary="Where AuthZEN is asked",
    )
    async def get_configuration() -> Response:
        return json_body(document)

    return routes
